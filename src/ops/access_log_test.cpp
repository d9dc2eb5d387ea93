#include "ops/access_log.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/anthropic.h"
#include "gateway/route_plan.h"
#include "ops/observers.h"
#include "ops/test_ended_exchange.h"

namespace weir {
namespace {

using ::testing::HasSubstr;

std::string access_log_line(const Exchange& exchange, const ExchangeOutcome& outcome, int64_t wall_ns) {
  std::string line;
  append_access_log_line(line, exchange, outcome, wall_ns);
  return line;
}

TEST(AccessLog, SaysWhatHappened) {
  test::EndedExchange ended;
  const auto line = JsonDoc::parse(access_log_line(ended.exchange, ended.outcome, 1'767'225'600'123'000'000));
  ASSERT_TRUE(line) << line.error().message;
  const JsonValue root = line->root();
  EXPECT_EQ(root["ts_ms"].int_or(0), 1'767'225'600'123);
  EXPECT_EQ(root["request_id"].string_or(""), "req_1");
  EXPECT_EQ(root["operation"].string_or(""), "chat");
  EXPECT_EQ(root["model"].string_or(""), "smart");
  EXPECT_EQ(root["target_model"].string_or(""), "gpt-4o");
  EXPECT_EQ(root["provider"].string_or(""), "my-openai");
  EXPECT_EQ(root["key"].string_or(""), "team-a");
  EXPECT_EQ(root["status"].int_or(0), 200);
  EXPECT_EQ(root["attempts"].int_or(0), 1);
  EXPECT_EQ(root["bytes_out"].int_or(0), 500);
  EXPECT_EQ(root["total_ms"].double_or(0), 13);
  EXPECT_EQ(root["queue_ms"].double_or(0), 1);
  EXPECT_EQ(root["retry_ms"].double_or(0), 1);
  EXPECT_EQ(root["usage"]["out_text"].int_or(0), 34);
  EXPECT_EQ(root["usage"]["source"].string_or(""), "provider");
  EXPECT_EQ(root["cost_nano_usd"].int_or(0), 2'500'000);
  EXPECT_TRUE(root["error"].is_absent());
}

// The names of a plan are remembered as text.
TEST(AccessLog, NamesTheTargetOfEachPlan) {
  test::EndedExchange ended;
  const auto provider = [&](uint64_t plan_id) {
    ended.exchange.plan =
        std::make_shared<const RoutePlan>(RoutePlan{.id = plan_id, .route = &ended.route, .candidates = {}});
    const auto line = JsonDoc::parse(access_log_line(ended.exchange, ended.outcome, 0));
    return std::string(line.value().root()["provider"].string_or("none"));
  };
  EXPECT_EQ(provider(7), "my-openai");
  EXPECT_EQ(provider(7), "my-openai");
  ended.provider.name = "my-second";
  EXPECT_EQ(provider(7 + 64), "my-second") << "another plan at the same place";
  ended.exchange.target = nullptr;
  EXPECT_EQ(provider(7 + 64), "none") << "the same plan, whose targets were not asked";
}

TEST(AccessLog, SaysWhereACallCameInAndHowItEnded) {
  test::EndedExchange ended;
  ended.exchange.client_codec = &anthropic_messages_client();
  ended.exchange.call.dialect = Dialect::anthropic_messages;
  ended.exchange.call.path = "/v1/messages";
  ended.exchange.call.headers.add("x-stainless-retry-count", "2");
  const auto reason = [&] {
    const auto line = JsonDoc::parse(access_log_line(ended.exchange, ended.outcome, 0));
    return std::string(line.value().root()["end_reason"].string_or(""));
  };
  const auto line = JsonDoc::parse(access_log_line(ended.exchange, ended.outcome, 0));
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_EQ(line->root()["dialect"].string_or(""), "anthropic_messages");
  EXPECT_EQ(line->root()["path"].string_or(""), "/v1/messages");
  EXPECT_EQ(line->root()["route"].string_or(""), "smart");
  EXPECT_EQ(line->root()["client_retry"].string_or(""), "2");
  EXPECT_EQ(reason(), "complete");
  ended.fail_with(ErrorKind::cancelled, 200);
  EXPECT_EQ(reason(), "client_gone");
  ended.fail_with(ErrorKind::upstream_truncated, 200);
  EXPECT_EQ(reason(), "cut");
  ended.fail_with(ErrorKind::upstream_timeout, 504);
  EXPECT_EQ(reason(), "timeout");
  ended.fail_with(ErrorKind::bad_request, 400);
  EXPECT_EQ(reason(), "error");
}

TEST(AccessLog, HasALineForWhatIsNoModelCall) {
  const Error error = make_error(ErrorKind::not_found, "there is no /v1/x");
  std::string line;
  append_access_log_line(line, {.id = "req_2",
                                .method = "GET",
                                .path = "/v1/\"x\xff",
                                .status = 404,
                                .error = &error,
                                .wall_ns = 5'000'000,
                                .took = std::chrono::milliseconds(2)});
  const auto parsed = JsonDoc::parse(line);
  ASSERT_TRUE(parsed) << parsed.error().message << line;
  EXPECT_EQ(parsed->root()["request_id"].string_or(""), "req_2");
  EXPECT_EQ(parsed->root()["method"].string_or(""), "GET");
  EXPECT_EQ(parsed->root()["error"].string_or(""), "not_found");
  EXPECT_EQ(parsed->root()["status"].int_or(0), 404);
  EXPECT_EQ(parsed->root()["total_ms"].double_or(0), 2);
}

TEST(AccessLog, SaysWhatIsBilledByAnotherMeasureThanTokens) {
  test::EndedExchange ended;
  ended.exchange.usage.out_image = 4160;
  ended.exchange.usage.in_sound_ms = 8470;
  ended.exchange.usage.in_characters = 7;
  ended.exchange.usage.images = 2;
  ended.exchange.usage.web_searches = 3;
  ended.exchange.usage.search_units = 2;
  const auto line = JsonDoc::parse(access_log_line(ended.exchange, ended.outcome, 0));
  ASSERT_TRUE(line) << line.error().message;
  const JsonValue usage = line->root()["usage"];
  EXPECT_EQ(usage["out_image"].int_or(0), 4160);
  EXPECT_EQ(usage["in_sound_ms"].int_or(0), 8470);
  EXPECT_EQ(usage["in_characters"].int_or(0), 7);
  EXPECT_EQ(usage["images"].int_or(0), 2);
  EXPECT_EQ(usage["web_searches"].int_or(0), 3);
  EXPECT_EQ(usage["search_units"].int_or(0), 2);
}

TEST(AccessLog, SaysWhoseFaultAFailureWas) {
  test::EndedExchange ended;
  ended.fail_with(ErrorKind::upstream_timeout, 504);
  const auto line = JsonDoc::parse(access_log_line(ended.exchange, ended.outcome, 0));
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_EQ(line->root()["error"].string_or(""), "upstream_timeout");
  EXPECT_EQ(line->root()["blame"].string_or(""), "provider");
  EXPECT_EQ(line->root()["message"].string_or(""), "it \"failed\"");
}

TEST(AccessLog, BlamesNoProviderThatWasNotAsked) {
  test::EndedExchange ended;
  ended.fail_with(ErrorKind::upstream_auth, 502);
  const auto blame = [&] {
    const auto line = JsonDoc::parse(access_log_line(ended.exchange, ended.outcome, 0));
    return std::string(line.value().root()["blame"].string_or(""));
  };
  EXPECT_EQ(blame(), "provider");
  ended.exchange.attempts.back().was_sent = false;
  EXPECT_EQ(blame(), "gateway");
}

TEST(AccessLog, BlamesTheCallerForALimitOfItsOwn) {
  test::EndedExchange ended;  // 12 ms in all
  ended.fail_with(ErrorKind::timeout, 504);
  const auto blame = [&](std::string_view name, std::string_view limit) {
    ended.exchange.call.headers = {};
    ended.exchange.call.headers.add(name, limit);
    const auto line = JsonDoc::parse(access_log_line(ended.exchange, ended.outcome, 0));
    return std::string(line.value().root()["blame"].string_or(""));
  };
  EXPECT_EQ(blame("x-weir-timeout-ms", "10"), "caller");
  EXPECT_EQ(blame("x-stainless-timeout", "0.01"), "caller");
  EXPECT_EQ(blame("x-weir-timeout-ms", "600000"), "gateway") << "it was not over yet";
  EXPECT_EQ(blame("x-weir-timeout-ms", "never"), "gateway");
  ended.fail_with(ErrorKind::upstream_timeout, 504);
  EXPECT_EQ(blame("x-weir-timeout-ms", "10"), "provider");
}

TEST(AccessLog, LeavesOutWhatIsUnknown) {
  test::EndedExchange ended;
  ended.exchange.usage = {};
  ended.exchange.cost_nano_usd.reset();
  ended.exchange.target = nullptr;
  const auto line = JsonDoc::parse(access_log_line(ended.exchange, ended.outcome, 0));
  ASSERT_TRUE(line) << line.error().message;
  for (const char* name : {"usage", "cost_nano_usd", "provider", "target_model"})
    EXPECT_FALSE(line->root()[name]) << name;
}

TEST(AccessLog, KeepsALineWhateverTheTextHolds) {
  test::EndedExchange ended;
  ended.exchange.tags.push_back({.key = "a\"b", .value = "line\nfeed \xff"});
  const std::string line = access_log_line(ended.exchange, ended.outcome, 0);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_TRUE(JsonDoc::parse(line));
}

TEST(AccessLog, KeepsLongTextsShort) {
  test::EndedExchange ended;
  ended.outcome.error = make_error(ErrorKind::bad_request, std::string(2'000'000, 'm'));
  ended.outcome.error->detail = std::string(2'000'000, 'd');
  const std::string line = access_log_line(ended.exchange, ended.outcome, 0);
  EXPECT_LT(line.size(), 10'000);
  EXPECT_TRUE(JsonDoc::parse(line));
}

TEST(AccessLog, AppendsToAFileOfItsOwn) {
  MetricsRegistry metrics;
  const std::string path = ::testing::TempDir() + "weir-access.log";
  std::remove(path.c_str());
  test::EndedExchange ended;
  for (int i = 0; i < 2; ++i) {
    auto log = AccessLog::to_file(path, metrics);
    ASSERT_TRUE(log) << log.error().message;
    (*log)->ended(ended.exchange, ended.outcome);
  }
  std::ifstream in(path);
  int lines = 0;
  for (std::string line; std::getline(in, line); ++lines) EXPECT_TRUE(JsonDoc::parse(line)) << line;
  EXPECT_EQ(lines, 2);
}

TEST(AccessLog, WritesToANewFileWhenTheOldOneWasMovedAway) {
  MetricsRegistry metrics;
  const std::string path = ::testing::TempDir() + "weir-access-moved.log";
  const std::string moved = path + ".1";
  std::remove(path.c_str());
  test::EndedExchange ended;
  const auto lines_of = [](const std::string& file) {
    std::ifstream in(file);
    return std::count(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>(), '\n');
  };
  {
    const auto log = AccessLog::to_file(path, metrics).value();
    log->ended(ended.exchange, ended.outcome);
    ASSERT_EQ(std::rename(path.c_str(), moved.c_str()), 0);
    ASSERT_TRUE(log->reopen());
    log->ended(ended.exchange, ended.outcome);
    log->ended(ended.exchange, ended.outcome);
  }
  // The line of before may have waited in the queue.
  EXPECT_EQ(lines_of(path) + lines_of(moved), 3);
  EXPECT_GE(lines_of(path), 2);
  EXPECT_TRUE(AccessLog().reopen()) << "the process's log is not its own";
}

TEST(AccessLog, CountsTheLinesThatAFullDiskTakes) {
  test::EndedExchange ended;
  MetricsRegistry registry;
  Workers workers(registry);
  const Observers observers = make_observers(registry, "/dev/full", {}, workers).value();
  EXPECT_THAT(registry.prometheus_text(), HasSubstr("weir_log_dropped_total{log=\"access\"} 0\n"));
  for (int i = 0; i < 2; ++i) observers.all->ended(ended.exchange, ended.outcome);
  observers.access_log->flush();
  EXPECT_THAT(registry.prometheus_text(), HasSubstr("weir_log_dropped_total{log=\"access\"} 2\n"));
}

TEST(AccessLog, RefusesAFileThatCannotBeWritten) {
  MetricsRegistry metrics;
  const auto log = AccessLog::to_file("/nowhere/access.log", metrics);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().kind, ErrorKind::bad_request);
}

}  // namespace
}  // namespace weir
