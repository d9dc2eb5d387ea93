#include "ops/trace_export.h"

#include <condition_variable>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/cores.h"
#include "io/http_server.h"
#include "ops/test_ended_exchange.h"
#include "ops/trace_span.h"

namespace weir {
namespace {

using ::testing::HasSubstr;

JsonDoc spans_of(const test::EndedExchange& ended) {
  std::string spans;
  append_spans(spans, ended.exchange, ended.outcome, ended.exchange.now(), 1'000'000'000'000);
  auto parsed = JsonDoc::parse(trace_request("weir-test", spans));
  EXPECT_TRUE(parsed) << parsed.error().message << spans;
  return std::move(*parsed);
}

JsonValue span_at(const JsonDoc& request, size_t index) {
  return request.root()["resourceSpans"].at(0)["scopeSpans"].at(0)["spans"].at(index);
}

std::string attribute(JsonValue span, std::string_view key) {
  for (const JsonValue one : span["attributes"]) {
    if (one["key"].string_or("") == key) return std::string(one["value"].raw());
  }
  return "";
}

TEST(TraceSpan, IsAServerSpanWithAClientSpanForEachAttempt) {
  test::EndedExchange ended;
  ended.exchange.usage.cache_write_5m = 5;
  ended.exchange.usage.cache_write_1h = 2;
  ended.exchange.attempts[0].failure = ErrorKind::upstream_overloaded;
  ended.add_attempt("my-openai", std::nullopt);
  const JsonDoc request = spans_of(ended);
  const JsonValue server = span_at(request, 0);
  EXPECT_EQ(server["traceId"].string_or(""), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(server["spanId"].string_or(""), "00f067aa0ba902b7");
  EXPECT_EQ(server["parentSpanId"].string_or(""), "b7ad6b7169203331");
  EXPECT_EQ(server["name"].string_or(""), "chat smart");
  EXPECT_EQ(server["kind"].int_or(0), 2);
  EXPECT_EQ(attribute(server, "gen_ai.operation.name"), R"({"stringValue":"chat"})");
  EXPECT_EQ(attribute(server, "gen_ai.provider.name"), R"({"stringValue":"openai"})");
  EXPECT_EQ(attribute(server, "gen_ai.usage.input_tokens"), R"({"intValue":"19"})");
  EXPECT_EQ(attribute(server, "gen_ai.usage.cache_creation.input_tokens"), R"({"intValue":"7"})");
  EXPECT_EQ(attribute(server, "gen_ai.usage.output_tokens"), R"({"intValue":"34"})");
  EXPECT_EQ(attribute(server, "gen_ai.request.max_tokens"), R"({"intValue":"100"})");
  EXPECT_EQ(attribute(server, "http.response.status_code"), R"({"intValue":"200"})");
  const JsonValue failed = span_at(request, 1);
  EXPECT_EQ(failed["parentSpanId"].string_or(""), "00f067aa0ba902b7");
  EXPECT_EQ(failed["kind"].int_or(0), 3);
  EXPECT_EQ(attribute(failed, "error.type"), R"({"stringValue":"upstream_overloaded"})");
  EXPECT_EQ(failed["status"]["code"].int_or(0), 2);
  const JsonValue good = span_at(request, 2);
  EXPECT_EQ(attribute(good, "error.type"), "");
  EXPECT_EQ(attribute(good, "gen_ai.provider.name"), R"({"stringValue":"openai"})") << "the vendor";
  EXPECT_EQ(attribute(good, "weir.provider"), R"({"stringValue":"my-openai"})");
  EXPECT_EQ(attribute(good, "server.address"), R"({"stringValue":"api.example.com"})");
  EXPECT_EQ(attribute(good, "server.port"), R"({"intValue":"8443"})");
  EXPECT_EQ(attribute(good, "gen_ai.response.finish_reasons"),
            R"({"arrayValue":{"values":[{"stringValue":"stop"}]}})");
  EXPECT_EQ(attribute(good, "gen_ai.response.model"), R"({"stringValue":"gpt-4o-2024-08-06"})");
  EXPECT_EQ(span_count(ended.exchange), 3U);
}

TEST(TraceSpan, StatesWallTimesOfTheMarks) {
  test::EndedExchange ended;
  const JsonDoc request = spans_of(ended);
  const JsonValue server = span_at(request, 0);
  // Fourteen marks, a millisecond apart, the last one a millisecond before now.
  EXPECT_EQ(server["startTimeUnixNano"].string_or(""), "999986000000");
  EXPECT_EQ(server["endTimeUnixNano"].string_or(""), "999999000000");
}

TEST(TraceSpan, HasTheTagsOfTheCall) {
  test::EndedExchange ended;
  ended.exchange.tags.push_back({.key = "team", .value = "red"});
  const JsonDoc request = spans_of(ended);
  EXPECT_EQ(attribute(span_at(request, 0), "weir.tag.team"), R"({"stringValue":"red"})");
}

TEST(TraceSpan, SaysWhatTheCallerWasTold) {
  test::EndedExchange ended;
  ended.fail_with(ErrorKind::timeout, 504);
  const JsonDoc request = spans_of(ended);
  EXPECT_EQ(span_at(request, 0)["status"]["code"].int_or(0), 2);
  EXPECT_EQ(span_at(request, 0)["status"]["message"].string_or(""), "it \"failed\"");
}

TEST(TraceSpan, SaysWhatWasLostAndHowBadItIs) {
  test::EndedExchange ended;
  const auto losses = [&] { return attribute(span_at(spans_of(ended), 0), "weir.fidelity"); };
  ended.exchange.fidelity = {};
  EXPECT_EQ(losses(), "");
  ended.exchange.fidelity.add(Severity::warning, LossReason::clamped, "/temperature", "1.7", "1");
  ended.exchange.fidelity.add(Severity::info, LossReason::dropped, "/user");
  EXPECT_EQ(losses(), R"({"arrayValue":{"values":[{"stringValue":"warning;clamped;/temperature;1.7>1"},)"
                      R"({"stringValue":"info;dropped;/user;>"}]}})");
  for (int i = 0; i < 100; ++i) ended.exchange.fidelity.add(Severity::info, LossReason::dropped, "/x");
  const JsonDoc request = spans_of(ended);
  EXPECT_EQ(attribute(span_at(request, 0), "weir.fidelity.records"), R"({"intValue":"102"})");
  EXPECT_EQ(attribute(span_at(request, 1), "weir.fidelity"), "") << "it is the exchange's";
}

// A collector on a socket of its own.
class Collector final : public HttpHandler {
 public:
  Collector() : cores_(1, SystemClock::instance(), 1) {
    cores_.start();
    server_ = std::make_unique<HttpServer>(cores_, HttpServerSettings{}, resources_,
                                           [this](Core&) -> HttpHandler& { return *this; });
    EXPECT_TRUE(server_->start());
  }
  ~Collector() override {
    server_->stop(std::chrono::seconds(1));
    server_.reset();
    cores_.stop();
  }

  Task<void> handle(Scope& scope, HttpRequest& request, BodyReader& body, ResponseWriter& response) override {
    std::string text = CO_TRY(co_await body.read_all(scope, 1 * kMiB));
    {
      const std::lock_guard lock(mutex_);
      path = request.target;
      bodies.push_back(std::move(text));
    }
    if (on_request) on_request();
    changed_.notify_all();
    co_return co_await response.send(scope, status, {{"content-type", "application/json"}}, "{}");
  }

  std::string endpoint() const { return "http://" + server_->address() + "/v1/traces"; }

  std::string path;
  std::vector<std::string> bodies;
  int status = 200;
  std::function<void()> on_request;  // before it is answered

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Cores cores_;
  HttpResources resources_;
  std::unique_ptr<HttpServer> server_;
};

TEST(TraceExport, SendsWhatIsQueuedBeforeItEnds) {
  Collector collector;
  MetricsRegistry registry;
  Workers workers(registry);
  test::EndedExchange ended;
  {
    auto exporter = TraceExport::make({.endpoint = collector.endpoint()}, registry, workers);
    ASSERT_TRUE(exporter) << exporter.error().message;
    for (int i = 0; i < 3; ++i) (*exporter)->ended(ended.exchange, ended.outcome);
    ended.exchange.trace.is_sampled = false;
    (*exporter)->ended(ended.exchange, ended.outcome);
  }
  ASSERT_FALSE(collector.bodies.empty());
  EXPECT_EQ(collector.path, "/v1/traces");
  size_t spans = 0;
  for (const std::string& body : collector.bodies) {
    const auto parsed = JsonDoc::parse(body);
    ASSERT_TRUE(parsed) << body;
    spans += parsed->root()["resourceSpans"].at(0)["scopeSpans"].at(0)["spans"].size();
  }
  EXPECT_EQ(spans, 6U) << "an exchange that is not sampled has none";
  EXPECT_THAT(registry.prometheus_text(), HasSubstr(R"(weir_trace_spans_total{outcome="exported"} 6)"));
}

TEST(TraceExport, SendsWhatCameDuringARequestOnceMoreAndCountsTheRest) {
  Collector collector;
  MetricsRegistry registry;
  Workers workers(registry);
  test::EndedExchange ended;
  auto exporter = TraceExport::make({.endpoint = collector.endpoint(), .pause = std::chrono::hours(1)},
                                    registry, workers);
  ASSERT_TRUE(exporter) << exporter.error().message;
  // The pause ends with the stop, so each of these comes after it, while a request is under way.
  collector.on_request = [&, raw = exporter->get()] { raw->ended(ended.exchange, ended.outcome); };
  (*exporter)->ended(ended.exchange, ended.outcome);
  exporter->reset();
  EXPECT_EQ(collector.bodies.size(), 2U);
  EXPECT_THAT(registry.prometheus_text(), HasSubstr(R"(weir_trace_spans_total{outcome="exported"} 4)"));
  EXPECT_THAT(registry.prometheus_text(), HasSubstr(R"(weir_trace_spans_total{outcome="dropped"} 2)"));
}

TEST(TraceExport, CountsWhatACollectorRefused) {
  Collector collector;
  collector.status = 503;
  MetricsRegistry registry;
  Workers workers(registry);
  test::EndedExchange ended;
  {
    auto exporter = TraceExport::make({.endpoint = collector.endpoint()}, registry, workers);
    ASSERT_TRUE(exporter);
    (*exporter)->ended(ended.exchange, ended.outcome);
  }
  EXPECT_THAT(registry.prometheus_text(), HasSubstr(R"(weir_trace_spans_total{outcome="dropped"} 2)"));
}

TEST(TraceExport, DropsWhatDoesNotFitTheQueue) {
  Collector collector;
  MetricsRegistry registry;
  Workers workers(registry);
  test::EndedExchange ended;
  ended.exchange.response_id = std::string(kTraceQueueBytesMax, 'x');
  auto exporter = TraceExport::make({.endpoint = collector.endpoint()}, registry, workers);
  ASSERT_TRUE(exporter);
  (*exporter)->ended(ended.exchange, ended.outcome);
  EXPECT_THAT(registry.prometheus_text(), HasSubstr(R"(weir_trace_spans_total{outcome="dropped"} 2)"));
}

TEST(TraceExport, RefusesAnEndpointThatIsNoUrl) {
  MetricsRegistry registry;
  Workers workers(registry);
  const auto exporter = TraceExport::make({.endpoint = "collector:4318"}, registry, workers);
  ASSERT_FALSE(exporter);
  EXPECT_THAT(exporter.error().message, HasSubstr("telemetry.otlp_endpoint"));
}

}  // namespace
}  // namespace weir
