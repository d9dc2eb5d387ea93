#include "ops/exchange_metrics.h"

#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/route_plan.h"
#include "ops/observers.h"
#include "ops/test_ended_exchange.h"
#include "store/store.h"

namespace weir {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ExchangeMetricsTest : public ::testing::Test {
 protected:
  std::string scrape_after_end() {
    metrics_.started(ended_.exchange);
    metrics_.ended(ended_.exchange, ended_.outcome);
    return registry_.prometheus_text();
  }

  test::EndedExchange ended_;
  MetricsRegistry registry_;
  ExchangeMetrics metrics_{registry_};
};

TEST_F(ExchangeMetricsTest, CountsAGoodCallUnderTheConventionalNames) {
  const std::string text = scrape_after_end();
  EXPECT_THAT(
      text,
      HasSubstr(R"(weir_requests_total{route="smart",status_class="2xx",error_type="none",blame="none"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(weir_attempts_total{provider="my-openai",outcome="ok"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(weir_cost_usd_total{provider="my-openai",model="gpt-4o"} 0.0025)"));
  EXPECT_THAT(text, HasSubstr(R"(gen_ai_client_token_usage_sum{gen_ai_operation_name="chat",)"
                              R"(gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o",)"
                              R"(gen_ai_response_model="gpt-4o",server_address="api.example.com",)"
                              R"(server_port="8443",gen_ai_token_type="output"} 34)"));
  EXPECT_THAT(text, HasSubstr("gen_ai_server_request_duration_seconds_count"));
  EXPECT_THAT(text, HasSubstr("gen_ai_client_operation_duration_seconds_count"));
}

// What a thread remembers of a plan is good for exchanges of that plan, and for what else tells them apart.
TEST_F(ExchangeMetricsTest, CountsExchangesOfOnePlanWhereTheyBelong) {
  ended_.exchange.plan =
      std::make_shared<const RoutePlan>(RoutePlan{.id = 1, .route = &ended_.route, .candidates = {}});
  scrape_after_end();
  const std::string twice = scrape_after_end();
  EXPECT_THAT(
      twice,
      HasSubstr(R"(weir_requests_total{route="smart",status_class="2xx",error_type="none",blame="none"} 2)"));
  EXPECT_THAT(twice, HasSubstr(R"(weir_attempts_total{provider="my-openai",outcome="ok"} 2)"));
  ended_.fail_with(ErrorKind::upstream_error, 502);
  ended_.exchange.response_model = "unknown";
  EXPECT_THAT(
      scrape_after_end(),
      HasSubstr(
          R"(weir_requests_total{route="smart",status_class="5xx",error_type="upstream_error",blame="provider"} 1)"));
  EXPECT_THAT(registry_.prometheus_text(), HasSubstr(R"(gen_ai_response_model="other")"));
  ended_.exchange.plan =
      std::make_shared<const RoutePlan>(RoutePlan{.id = 2, .route = &ended_.route, .candidates = {}});
  ended_.provider.name = "another";
  EXPECT_THAT(scrape_after_end(), HasSubstr(R"(weir_attempts_total{provider="my-openai",outcome="ok"} 4)"));
  EXPECT_THAT(registry_.prometheus_text(),
              HasSubstr(R"(weir_cost_usd_total{provider="another",model="gpt-4o"})"));
}

TEST_F(ExchangeMetricsTest, OnlyAStreamHasAFirstTokenThatAnybodySaw) {
  const std::vector<std::string> names = {"gen_ai_server_time_to_first_token_seconds_count",
                                          "gen_ai_server_time_per_output_token_seconds_count",
                                          "gen_ai_client_operation_time_to_first_chunk_seconds_count"};
  const std::string whole = scrape_after_end();
  for (const std::string& name : names) EXPECT_THAT(whole, Not(HasSubstr(name))) << "it came at once";
  std::get<Chat>(ended_.exchange.request).is_streamed = true;
  const std::string streamed = scrape_after_end();
  for (const std::string& name : names) EXPECT_THAT(streamed, HasSubstr(name));
}

TEST_F(ExchangeMetricsTest, WhatWritesNothingHasNoOutputTokens) {
  const std::string output = R"(gen_ai_token_type="output"})";
  ended_.exchange.usage.out_text = 0;
  EXPECT_THAT(scrape_after_end(), HasSubstr(output)) << "a chat may say nothing";
  for (Request request : {Request(CountTokens{}), Request(Embed{})}) {
    ended_.exchange.request = std::move(request);
    const std::string text = scrape_after_end();
    const std::string operation(operation_name(ended_.exchange.request));
    EXPECT_THAT(text,
                ::testing::ContainsRegex("operation_name=\"" + operation + "\"[^}]*token_type=\"input\""));
    EXPECT_THAT(text, Not(::testing::ContainsRegex("operation_name=\"" + operation +
                                                   "\"[^}]*token_type=\"output\"")));
  }
}

TEST_F(ExchangeMetricsTest, SaysWhoseFaultAFailureWas) {
  const auto blamed = [](std::string_view kind, std::string_view whom) {
    return HasSubstr(fmt::format(R"(status_class="5xx",error_type="{}",blame="{}"}} 1)", kind, whom));
  };
  ended_.fail_with(ErrorKind::upstream_timeout, 504);
  EXPECT_THAT(scrape_after_end(), blamed("upstream_timeout", "provider"));
  ended_.fail_with(ErrorKind::timeout, 504);
  EXPECT_THAT(scrape_after_end(), blamed("timeout", "gateway"));
  ended_.exchange.call.headers.add("x-weir-timeout-ms", "10");  // it took 12
  EXPECT_THAT(scrape_after_end(), blamed("timeout", "caller"));
}

TEST_F(ExchangeMetricsTest, TellsCachedAndReasoningTokensApart) {
  ended_.exchange.usage = {};
  ended_.exchange.usage.in_uncached = 10;
  ended_.exchange.usage.cache_read = 7;
  ended_.exchange.usage.cache_write_1h = 5;
  ended_.exchange.usage.out_text = 3;
  std::string text = scrape_after_end();
  EXPECT_THAT(text, HasSubstr(R"(gen_ai_token_type="cached_input"} 7)"));
  EXPECT_THAT(text, HasSubstr(R"(gen_ai_token_type="cache_creation_input"} 5)"));
  EXPECT_THAT(text, HasSubstr(R"(gen_ai_token_type="input"} 22)"));
  EXPECT_THAT(text, Not(HasSubstr(R"(gen_ai_token_type="reasoning")"))) << "there were none";
}

TEST_F(ExchangeMetricsTest, ObservesTheTimeBetweenChunks) {
  std::get<Chat>(ended_.exchange.request).is_streamed = true;
  const MonoTime first = ended_.core.clock.now();
  for (const int ms : {0, 15, 30, 1030}) ended_.exchange.chunks.note(first + std::chrono::milliseconds(ms));
  const std::string text = scrape_after_end();
  const std::string labels =
      R"({gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o",)"
      R"(gen_ai_response_model="gpt-4o",server_address="api.example.com",server_port="8443")";
  const std::string name = "gen_ai_client_operation_time_per_output_chunk_seconds";
  EXPECT_THAT(text, HasSubstr(name + "_count" + labels + "} 3"));
  EXPECT_THAT(text, HasSubstr(name + "_sum" + labels + "} 1.03"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket" + labels + R"(,le="0.01"} 0)"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket" + labels + R"(,le="0.02"} 2)"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket" + labels + R"(,le="1.28"} 3)"));
}

TEST_F(ExchangeMetricsTest, ShowsTheNewerGenerationOnlyWhenItIsAskedFor) {
  EXPECT_THAT(scrape_after_end(), Not(HasSubstr("gen_ai_client_inference_")));
}

struct LatestNamesTest : ExchangeMetricsTest {
  std::string scrape_latest() {
    latest_.started(ended_.exchange);
    latest_.ended(ended_.exchange, ended_.outcome);
    return registry_.prometheus_text();
  }
  static std::string series(std::string_view name, std::string_view modality) {
    return fmt::format(
        "gen_ai_client_inference_usage_{}_total{{gen_ai_operation_name=\"chat\","
        "gen_ai_provider_name=\"openai\",gen_ai_request_model=\"gpt-4o\","
        "gen_ai_token_modality=\"{}\"}} ",
        name, modality);
  }
  ExchangeMetrics latest_{registry_, GenAiNames::latest_too};
};

TEST_F(LatestNamesTest, CountTokensOfInferences) {
  std::get<Chat>(ended_.exchange.request).is_streamed = true;
  ended_.exchange.usage.cache_read = 7;
  ended_.exchange.usage.cache_write_5m = 5;
  ended_.exchange.usage.out_reasoning = 3;
  const std::string text = scrape_latest();
  EXPECT_THAT(text, HasSubstr(series("input_tokens", "unknown") + "24"));
  EXPECT_THAT(text, HasSubstr(series("output_tokens", "unknown") + "37"));
  EXPECT_THAT(text, HasSubstr(series("cache_read_input_tokens", "unknown") + "7"));
  EXPECT_THAT(text, HasSubstr(series("cache_write_input_tokens", "unknown") + "5"));
  EXPECT_THAT(text, HasSubstr(series("reasoning_output_tokens", "unknown") + "3"));
  EXPECT_THAT(text, HasSubstr("gen_ai_client_inference_operation_input_tokens_sum{"));
  EXPECT_THAT(text, HasSubstr("gen_ai_client_inference_operation_output_tokens_sum{"));
  EXPECT_THAT(text, HasSubstr("gen_ai_client_inference_duration_seconds_count{"));
  EXPECT_THAT(text, HasSubstr("gen_ai_client_inference_time_to_first_chunk_seconds_count{"));
}

TEST_F(LatestNamesTest, AWholeAnswerHasNoFirstChunk) {
  EXPECT_THAT(scrape_latest(), Not(HasSubstr("gen_ai_client_inference_time_to_first_chunk_seconds")));
}

TEST_F(LatestNamesTest, TellModalitiesApartWhereTheProviderDoes) {
  ended_.exchange.usage.in_audio = 4;
  ended_.exchange.usage.in_image = 2;
  const std::string text = scrape_latest();
  EXPECT_THAT(text, HasSubstr(series("input_tokens", "audio") + "4"));
  EXPECT_THAT(text, HasSubstr(series("input_tokens", "image") + "2"));
  EXPECT_THAT(text, HasSubstr(series("input_tokens", "text") + "12"));
  EXPECT_THAT(text, HasSubstr(series("output_tokens", "unknown") + "34"));
}

TEST_F(LatestNamesTest, TellTheModalitiesOfAnAnswerApart) {
  ended_.exchange.usage.out_audio = 4;
  ended_.exchange.usage.out_image = 2;
  const std::string text = scrape_latest();
  EXPECT_THAT(text, HasSubstr(series("output_tokens", "audio") + "4"));
  EXPECT_THAT(text, HasSubstr(series("output_tokens", "image") + "2"));
  EXPECT_THAT(text, HasSubstr(series("output_tokens", "text") + "34"));
}

TEST_F(LatestNamesTest, ObserveTheTimeBetweenChunks) {
  std::get<Chat>(ended_.exchange.request).is_streamed = true;
  for (int i = 0; i < 3; ++i) {
    ended_.exchange.chunks.note(ended_.core.clock.now());
    ended_.core.clock.advance(std::chrono::milliseconds(15));
  }
  EXPECT_THAT(scrape_latest(), HasSubstr(R"(gen_ai_client_inference_time_per_output_chunk_seconds_count{)"
                                         R"(gen_ai_operation_name="chat",gen_ai_provider_name="openai",)"
                                         R"(gen_ai_request_model="gpt-4o"} 2)"));
}

TEST_F(LatestNamesTest, SayNothingOfWhatIsNoInference) {
  ended_.exchange.request = Embed{};
  EXPECT_THAT(scrape_latest(), Not(HasSubstr("gen_ai_client_inference_")));
}

TEST_F(ExchangeMetricsTest, CountsWhatIsBilledByAnotherMeasureThanTokens) {
  ended_.exchange.usage = {};
  ended_.exchange.usage.in_sound_ms = 8470;
  ended_.exchange.usage.in_characters = 7;
  ended_.exchange.usage.images = 2;
  const std::string text = scrape_after_end();
  EXPECT_THAT(text,
              HasSubstr(R"(weir_usage_total{provider="my-openai",model="gpt-4o",unit="sound_ms"} 8470)"));
  EXPECT_THAT(text,
              HasSubstr(R"(weir_usage_total{provider="my-openai",model="gpt-4o",unit="characters"} 7)"));
  EXPECT_THAT(text, HasSubstr(R"(weir_usage_total{provider="my-openai",model="gpt-4o",unit="images"} 2)"));
  EXPECT_THAT(text, Not(HasSubstr(R"(gen_ai_token_type="input")"))) << "there were no tokens";
}

TEST_F(ExchangeMetricsTest, GivesThePlaceInFlightBack) {
  ended_.exchange.request = Embed{};
  metrics_.started(ended_.exchange);
  EXPECT_THAT(registry_.prometheus_text(), HasSubstr(R"(weir_in_flight{kind="embeddings"} 1)"));
  EXPECT_THAT(registry_.prometheus_text(), HasSubstr(R"(weir_in_flight{kind="chat"} 0)"));
  metrics_.ended(ended_.exchange, ended_.outcome);
  EXPECT_THAT(registry_.prometheus_text(), HasSubstr(R"(weir_in_flight{kind="embeddings"} 0)"));
}

TEST_F(ExchangeMetricsTest, CountsWhatIsNoModelCallWithoutARoute) {
  const Error error = make_error(ErrorKind::method_not_allowed, "no");
  metrics_.answered({.id = "req_2", .status = 405, .error = &error});
  EXPECT_THAT(
      registry_.prometheus_text(),
      HasSubstr(
          R"(weir_requests_total{route="none",status_class="4xx",error_type="method_not_allowed",blame="caller"} 1)"));
}

TEST_F(ExchangeMetricsTest, MeasuresEachStageFromTheFirstByteOn) {
  const std::string text = scrape_after_end();
  // Marks are a millisecond apart: reading takes two of them, picking one.
  EXPECT_THAT(text, HasSubstr(R"(weir_overhead_seconds_sum{stage="read"} 0.002)"));
  EXPECT_THAT(text, HasSubstr(R"(weir_overhead_seconds_sum{stage="pick"} 0.001)"));
  EXPECT_THAT(text, HasSubstr(R"(weir_overhead_seconds_sum{stage="retry"} 0.001)"));
  EXPECT_THAT(text, HasSubstr(R"(weir_overhead_seconds_sum{stage="queue"} 0.001)"));
  EXPECT_THAT(text, HasSubstr(R"(weir_overhead_seconds_sum{stage="encode"} 0.001)"));
  EXPECT_THAT(text, HasSubstr(R"(weir_overhead_seconds_sum{stage="answer"} 0.001)"));
  for (const std::string_view of_provider : {R"(stage="upstream")", R"(stage="first_event")"})
    EXPECT_THAT(text, Not(HasSubstr(of_provider)));
}

TEST_F(ExchangeMetricsTest, NamesTheTargetsOfAFallback) {
  ended_.exchange.attempts.clear();
  ended_.add_attempt("my-anthropic", ErrorKind::upstream_overloaded);
  ended_.add_attempt("my-openai", std::nullopt);
  const std::string text = scrape_after_end();
  EXPECT_THAT(text, HasSubstr(R"(weir_fallbacks_total{from="my-anthropic",to="my-openai",)"
                              R"(reason="upstream_overloaded"} 1)"));
  EXPECT_THAT(text,
              HasSubstr(R"(weir_attempts_total{provider="my-anthropic",outcome="upstream_overloaded"} 1)"));
}

TEST_F(ExchangeMetricsTest, ATokensTimeIsThatOfAStream) {
  std::get<Chat>(ended_.exchange.request).is_streamed = true;
  EXPECT_THAT(scrape_after_end(), HasSubstr("gen_ai_server_time_per_output_token_seconds_count"));
}

TEST_F(ExchangeMetricsTest, CountsAFallbackToAnotherModelOfTheProvider) {
  ended_.exchange.attempts.clear();
  for (int i = 0; i < 2; ++i) ended_.add_attempt("my-openai", ErrorKind::upstream_overloaded);
  ended_.add_attempt("my-openai", std::nullopt);
  ended_.exchange.attempts[0].model = ended_.exchange.attempts[1].model = "gpt-4o-mini";
  EXPECT_THAT(scrape_after_end(), HasSubstr(R"(weir_fallbacks_total{from="my-openai",to="my-openai",)"
                                            R"(reason="upstream_overloaded"} 1)"))
      << "the second attempt was no fallback";
}

TEST_F(ExchangeMetricsTest, AnAttemptThatEndedInWeirIsNoCallToAProvider) {
  ended_.exchange.attempts.clear();
  ended_.add_attempt("my-anthropic", ErrorKind::upstream_rate_limited);
  ended_.exchange.attempts.back().was_sent = false;  // its keys were cooling
  ended_.add_attempt("my-openai", std::nullopt);
  const std::string text = scrape_after_end();
  EXPECT_EQ(ended_.exchange.calls_made(), 1);
  EXPECT_THAT(text, Not(HasSubstr(R"(weir_attempts_total{provider="my-anthropic")")));
  EXPECT_THAT(text, HasSubstr(R"(weir_fallbacks_total{from="my-anthropic",to="my-openai",)"))
      << "it is one all the same";
}

TEST_F(ExchangeMetricsTest, CallsANameThatACallerMadeUpOther) {
  ended_.candidate.row = nullptr;
  ended_.target.model = "*";
  ended_.candidate.model = "made-up-by-a-caller";
  const std::string text = scrape_after_end();
  EXPECT_THAT(text, HasSubstr(R"(gen_ai_request_model="other")"));
  ended_.exchange.response_model = "made-up-by-a-provider";
  EXPECT_THAT(scrape_after_end(), HasSubstr(R"(gen_ai_response_model="other")"));
  EXPECT_THAT(text, Not(HasSubstr("made-up")));
}

TEST_F(ExchangeMetricsTest, TellsACallerThatHungUpFromOtherEnds) {
  ended_.outcome.was_streamed = true;
  ended_.fail_with(ErrorKind::cancelled, 200);
  const std::string text = scrape_after_end();
  EXPECT_THAT(text, HasSubstr("weir_client_abort_total 1"));
  EXPECT_THAT(text, HasSubstr(R"(weir_stream_end_total{reason="cancelled"} 1)"));
}

TEST_F(ExchangeMetricsTest, NoticesUsageThatCannotBe) {
  ended_.exchange.usage.out_text = 4000;  // for 136 bytes
  EXPECT_THAT(scrape_after_end(), HasSubstr(R"(weir_usage_mismatch_total{provider="my-openai"} 1)"));
}

TEST_F(ExchangeMetricsTest, NoticesATotalThatIsNotTheSumOnTheRawWayToo) {
  Usage& usage = ended_.exchange.usage;
  ended_.exchange.is_raw = true;
  usage.stated_total = usage.input_total() + usage.output_total();
  EXPECT_THAT(scrape_after_end(), Not(HasSubstr("weir_usage_mismatch_total{")));
  ++*usage.stated_total;
  EXPECT_THAT(scrape_after_end(), HasSubstr(R"(weir_usage_mismatch_total{provider="my-openai"} 1)"));
}

TEST_F(ExchangeMetricsTest, BelievesUsageThatFitsTheText) {
  EXPECT_THAT(scrape_after_end(), Not(HasSubstr("weir_usage_mismatch_total{")));
}

TEST_F(ExchangeMetricsTest, BelievesUsageWithReasoningThatIsNotShown) {
  ended_.exchange.usage.out_text = 4000;
  ended_.exchange.usage.out_reasoning = 3000;
  EXPECT_THAT(scrape_after_end(), Not(HasSubstr("weir_usage_mismatch_total{")));
}

TEST_F(ExchangeMetricsTest, TellsTheStatesOfBreakersAndKeys) {
  TargetStates states;
  states.get("p/m", {.breaker = {}, .concurrency = 0, .waiters_max = 1});
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->generation = 7;
  std::atomic<int64_t> open = 3;
  Workers workers(registry_);
  const Store store(StoreOptions{.directory = ::testing::TempDir() + "weir-no-store", .migrations = {}},
                    workers, SystemClock::instance());
  const auto callbacks = expose_process_metrics(
      registry_,
      {.snapshot = [&] { return snapshot; }, .states = &states, .exchanges_open = &open, .store = &store});
  const std::string text = registry_.prometheus_text();
  EXPECT_THAT(text, HasSubstr(R"(weir_breaker_state{state="closed"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(weir_breaker_state{state="open"} 0)"));
  EXPECT_THAT(text, HasSubstr(R"(weir_key_state{state="ready"} 0)"));
  EXPECT_THAT(text, HasSubstr(R"(weir_credential_fetches_total{outcome="failed"} 0)"));
  EXPECT_THAT(text, HasSubstr(R"(weir_store_operations_total{outcome="change_failed"} 0)"));
  EXPECT_THAT(text, HasSubstr("weir_config_generation 7"));
  EXPECT_THAT(text, HasSubstr("weir_exchanges_open 3"));
  EXPECT_THAT(text, HasSubstr("weir_queue_depth 0"));
  EXPECT_THAT(text, HasSubstr("weir_rss_bytes "));
}

TEST_F(ExchangeMetricsTest, IsCleanForPromtool) {
  if (std::system("command -v promtool > /dev/null 2>&1") != 0) GTEST_SKIP() << "promtool is not installed";
  ended_.fail_with(ErrorKind::upstream_timeout, 504);
  for (int i = 0; i < 2; ++i) ended_.exchange.chunks.note(ended_.core.clock.now());
  ExchangeMetrics latest(registry_, GenAiNames::latest_too);
  latest.ended(ended_.exchange, ended_.outcome);
  const std::string path = ::testing::TempDir() + "weir-scrape.txt";
  std::ofstream(path) << scrape_after_end();
  // What promtool would rather have named otherwise (units in names) is set by OpenTelemetry's conventions.
  const std::string command = "promtool check metrics < " + path + " > " + path + ".out 2>&1";
  const int status = std::system(command.c_str());
  std::ifstream in(path + ".out");
  const std::string said((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_EQ(status, 0) << said;
}

}  // namespace
}  // namespace weir
