// Which targets a request is tried at, how often, and what of it they are remembered by: the route stage over
// calls that are really made, to a server that plays several providers.
#include <deque>
#include <fmt/core.h>
#include <map>

#include "codec/codecs.h"
#include "gateway/call_stage.h"
#include "gateway/route_stage.h"
#include "gateway/test_scripted_target.h"
#include "provider/test_credentials.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FakeReply;

constexpr std::string_view kAnswer =
    R"({"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,)"
    R"("finish_reason":"stop","message":{"role":"assistant","content":"hello"}}]})";

FakeReply refusal(int status, std::string_view retry_after = {}) {
  FakeReply reply{.status = status, .body = R"({"error":{"message":"not now"}})"};
  if (!retry_after.empty()) reply.headers.add("retry-after", retry_after);
  return reply;
}

class OwnModel final : public LocalModel {
 public:
  Result<Fidelity> losses(const Request&) const override { return Fidelity(); }
  Task<std::unique_ptr<EventSource>> answer(Scope&, const Request&) override {
    co_return std::make_unique<StoredSource>(std::vector<Event>{Delta{.text = "hello"}, End{}});
  }
};

class AttemptsTest : public testing::Test {
 protected:
  AttemptsTest() {
    server_.answer = [this](const test::SeenRequest& request) {
      const std::string host = request.url.substr(8, 1);
      asked_ += host;
      std::deque<FakeReply>& script = replies_[host];
      if (script.empty()) return FakeReply{.body = std::string(kAnswer)};
      FakeReply reply = std::move(script.front());
      script.pop_front();
      return reply;
    };
  }

  // A route over providers that are called a, b, ... and have so many keys each.
  Route& route_over(size_t targets, size_t keys = 1) {
    auto route = std::make_unique<Route>();
    route->pattern = "m";
    route->strategy = Strategy::ordered;
    for (size_t i = 0; i < targets; ++i) {
      auto provider = std::make_shared<Provider>();
      provider->name = std::string(1, static_cast<char>('a' + i));
      provider->kind = *Catalog::embedded().find_kind("openai");
      provider->codec = &provider_codec(Dialect::openai_chat);
      provider->origin = {.host = provider->name};
      std::vector<ProviderKey> ring;
      for (size_t k = 0; k < keys; ++k)
        ring.push_back({.name = fmt::format("key {}", k), .secret = std::make_shared<const Secret>("k")});
      provider->keys = std::make_shared<KeyRing>(std::move(ring));
      provider->retry_budget = std::make_shared<RetryBudget>();
      route->targets.push_back({.provider = provider, .model = "m"});
      providers_.push_back(provider);
    }
    std::vector<std::unique_ptr<Route>> routes;
    routes.push_back(std::move(route));
    gateway_.snapshot = std::make_shared<Snapshot>();
    // Not owned: the embedded catalog lives as long as the process.
    gateway_.snapshot->catalog =
        std::shared_ptr<const Catalog>(std::shared_ptr<void>(), &Catalog::embedded());
    gateway_.snapshot->routes = RouteTable::make(std::move(routes), {}).value();
    return *gateway_.snapshot->routes.routes().front();
  }

  std::unique_ptr<Exchange> a_chat() {
    Chat chat;
    chat.model = "m";
    chat.messages.push_back(
        {.role = Role::user, .content = {{.body = TextBlock{"hi"}, .cache = {}, .pointer = {}}}, .name = {}});
    std::unique_ptr<Exchange> exchange = gateway_.exchange(std::move(chat));
    exchange->target = nullptr;
    return exchange;
  }

  struct Outcome {
    std::string result;  // "ok", or the error
    std::string asked;   // the providers, in the order they were
    Duration took;
    std::optional<int64_t> retry_after_ms;
  };
  Outcome call(std::optional<Duration> within = {}) {
    asked_.clear();
    Scope scope(gateway_.test.core);
    if (within) scope.set_deadline(gateway_.test.clock.now() + *within);
    const std::unique_ptr<Exchange> exchange = a_chat();
    exchange->scope = &scope;
    const MonoTime began = gateway_.test.clock.now();
    const Result<std::vector<Event>> events = gateway_.test.run(TestGateway::gather(pipeline_, *exchange));
    Outcome outcome{.result = events ? "ok" : std::string(to_string(events.error().kind)),
                    .asked = asked_,
                    .took = gateway_.test.clock.now() - began,
                    .retry_after_ms = {}};
    if (!events) outcome.retry_after_ms = events.error().retry_after_ms;
    return outcome;
  }

  Task<void> gather(Exchange& exchange) {
    (void)co_await TestGateway::gather(pipeline_, exchange);
    co_return {};
  }
  // The fixture's.
  const TargetState* state(std::string_view name) const {
    const TargetState* found = nullptr;
    states_->for_each([&](const TargetState& one) {
      if (one.name() == name) found = &one;
    });
    return found;
  }

  std::map<std::string, std::deque<FakeReply>> replies_;
  std::string asked_;
  std::vector<std::shared_ptr<Provider>> providers_;
  test::FakeServer server_;
  Pool cpu_{"cpu", 1, 8};
  TestGateway gateway_{nullptr};
  CredentialFetcher fetcher_{gateway_.test.core, server_, cpu_};
  std::shared_ptr<TargetStates> states_ = std::make_shared<TargetStates>();
  Pipeline pipeline_{stages()};

 private:
  std::vector<std::unique_ptr<Stage>> stages() {
    std::vector<std::unique_ptr<Stage>> made;
    made.push_back(std::make_unique<RouteStage>(states_));
    made.push_back(std::make_unique<CallStage>(server_, fetcher_, cpu_));
    return made;
  }
};

TEST_F(AttemptsTest, ARateLimitCostsNoTimeWhileAnotherTargetIsWell) {
  for (const std::string_view retry_after : {"", "8"}) {
    for (const size_t keys : {size_t{1}, size_t{2}}) {
      providers_.clear();
      route_over(2, keys);
      for (size_t k = 0; k < keys; ++k) replies_["a"].push_back(refusal(429, retry_after));
      replies_["a"].push_back(refusal(429, retry_after));
      const Outcome outcome = call();
      EXPECT_EQ(outcome.result, "ok");
      EXPECT_EQ(outcome.asked.back(), 'b');
      EXPECT_LT(outcome.took, seconds(1)) << retry_after << " with " << keys << " keys";
      EXPECT_EQ(call().result, "ok");
      replies_.clear();
    }
  }
}

TEST_F(AttemptsTest, ATargetWithoutAReadyKeyComesAfterTheOthersAndIsNoAttempt) {
  Route& route = route_over(2);
  route.retry.attempts_max = 1;
  replies_["a"].push_back(refusal(429, "30"));
  EXPECT_EQ(call().result, "upstream_rate_limited");
  EXPECT_EQ(call().asked, "b") << "one attempt, where there is a key for it";
  replies_["b"].push_back(refusal(500));
  EXPECT_EQ(call().result, "upstream_error");
  gateway_.test.pass(seconds(30));
  EXPECT_EQ(call().asked, "a");
}

TEST_F(AttemptsTest, WhenEveryKeyCoolsTheAnswerSaysHowLongAtOnce) {
  route_over(2);
  replies_["a"].push_back(refusal(429, "8"));
  replies_["b"].push_back(refusal(429, "20"));
  const Outcome first = call();
  EXPECT_EQ(first.asked, "ab");
  EXPECT_EQ(first.retry_after_ms, 8000) << "not what the last one said";
  gateway_.test.pass(seconds(2));
  const Outcome outcome = call();
  EXPECT_EQ(outcome.result, "upstream_rate_limited");
  EXPECT_EQ(outcome.asked, "");
  EXPECT_EQ(outcome.took, seconds(0));
  EXPECT_EQ(outcome.retry_after_ms, 6000);
}

TEST_F(AttemptsTest, TheAnswerSaysWhenTheFirstKeyOfATargetIsFree) {
  route_over(1, 2);
  replies_["a"] = {refusal(429, "20"), refusal(429, "30")};
  EXPECT_EQ(call().retry_after_ms, 20'000);
}

TEST_F(AttemptsTest, TheAnswerSaysWhenTheFirstTargetIsFreeWhateverKeepsItAway) {
  Route& route = route_over(3);
  route.breaker.failures_to_open = 2;
  route.retry.attempts_per_target_max = 1;
  replies_["a"] = {refusal(503, "12"), refusal(503)};
  replies_["b"].push_back(refusal(503, "15"));
  replies_["c"].push_back(refusal(429, "30"));
  EXPECT_EQ(call().retry_after_ms, 12'000) << "what a provider says holds where no breaker is open";
  replies_["b"].push_back(refusal(503));
  EXPECT_EQ(call().asked, "ab");
  EXPECT_EQ(call().retry_after_ms, 10'000) << "the time of a breaker";
}

TEST_F(AttemptsTest, WhereATargetMayBeFreeAtOnceNoTimeIsNamed) {
  route_over(2).retry.attempts_per_target_max = 1;
  replies_["a"].push_back(refusal(429));
  replies_["b"].push_back(refusal(429, "60"));
  const Outcome outcome = call();
  EXPECT_EQ(outcome.asked, "ab");
  EXPECT_EQ(outcome.retry_after_ms, std::nullopt);
}

TEST_F(AttemptsTest, TheLastTargetThatIsLeftIsWaitedFor) {
  route_over(2);
  replies_["a"].push_back(refusal(429, "3"));
  replies_["b"].push_back(refusal(429, "3"));
  const Outcome outcome = call();
  EXPECT_EQ(outcome.result, "ok");
  EXPECT_EQ(outcome.asked, "abb");
}

TEST_F(AttemptsTest, AnOnlyTargetIsWaitedForAsItSays) {
  route_over(1);
  replies_["a"].push_back(refusal(429, "3"));
  const Outcome outcome = call();
  EXPECT_EQ(outcome.result, "ok");
  EXPECT_EQ(outcome.asked, "aa");
  EXPECT_GE(outcome.took, seconds(3));
}

TEST_F(AttemptsTest, AnOnlyKeyIsNotSparedForATimeThatNobodyNamed) {
  route_over(1);
  replies_["a"].push_back(refusal(429));
  const Outcome outcome = call();
  EXPECT_EQ(outcome.result, "ok");
  EXPECT_EQ(outcome.asked, "aa");
  EXPECT_LT(outcome.took, seconds(1));
}

TEST_F(AttemptsTest, ARouteMayEndWhereItsKeysAreRefused) {
  Route& route = route_over(2);
  replies_["a"].push_back(refusal(401));
  EXPECT_EQ(call().asked, "ab");
  route.fallback.on_auth = false;
  gateway_.test.pass(seconds(10));
  replies_["a"].push_back(refusal(401));
  const Outcome outcome = call();
  EXPECT_EQ(outcome.result, "upstream_auth");
  EXPECT_EQ(outcome.asked, "a");
}

TEST_F(AttemptsTest, AnAttemptIsKeptForEachTargetThatIsLeft) {
  route_over(3);
  replies_["a"].push_back(refusal(500));
  replies_["b"].push_back(refusal(503));
  EXPECT_EQ(call().result, "ok");
  EXPECT_EQ(asked_, "abc");
  gateway_.snapshot->routes.routes().front()->retry.attempts_max = 4;
  replies_["a"] = {refusal(500), refusal(500)};
  replies_["b"].push_back(refusal(500));
  EXPECT_EQ(call().asked, "aabc") << "what is to spare is for retries";
}

TEST_F(AttemptsTest, ATargetThatHangsUntilTheDeadlineIsPutAside) {
  route_over(2).breaker.failures_to_open = 2;
  server_.takes = seconds(100);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(call(seconds(60)).result, "timeout");
  EXPECT_EQ(state("a/m")->breaker().state(gateway_.test.clock.now()), BreakerState::open);
  EXPECT_EQ(state("a/m")->first_event_mean(), seconds(60)) << "nor is it a target that nobody has measured";
  server_.takes = {};
  EXPECT_EQ(call().asked, "b");
}

TEST_F(AttemptsTest, ADeadlineTooShortToTellAnythingIsNoFailureOfTheTarget) {
  route_over(1).breaker.failures_to_open = 1;
  server_.takes = seconds(100);
  EXPECT_EQ(call(seconds(2)).result, "timeout");
  EXPECT_EQ(state("a/m")->breaker().state(gateway_.test.clock.now()), BreakerState::closed);
}

TEST_F(AttemptsTest, WhoGetsTheEndOfADeadlineDidNotHangAllOfIt) {
  Route& route = route_over(2);
  route.breaker.failures_to_open = 1;
  route.retry.attempts_per_target_max = 1;
  server_.takes = seconds(45);
  replies_["a"].push_back(refusal(500));
  EXPECT_EQ(call(seconds(60)).result, "timeout");
  EXPECT_EQ(state("b/m")->breaker().state(gateway_.test.clock.now()), BreakerState::closed);
}

TEST_F(AttemptsTest, AModelOfOurOwnThatWaitsForItsPlaceDoesNotHang) {
  Route& route = route_over(1);
  route.breaker.failures_to_open = 1;
  route.targets.front().concurrency = 1;
  providers_.front()->local = std::make_shared<OwnModel>();
  EXPECT_EQ(call().result, "ok");
  const auto taken = Permits::try_acquire(state("a/m")->permits());
  ASSERT_TRUE(taken);
  EXPECT_EQ(call(seconds(60)).result, "timeout");
  EXPECT_EQ(state("a/m")->breaker().state(gateway_.test.clock.now()), BreakerState::closed);
}

TEST_F(AttemptsTest, AClientThatHangsUpTellsNothingOfTheTarget) {
  route_over(1).breaker.failures_to_open = 1;
  server_.takes = seconds(100);
  Scope client(gateway_.test.core);
  Scope calls(gateway_.test.core);
  const std::unique_ptr<Exchange> exchange = a_chat();
  exchange->scope = &client;
  calls.spawn(gather(*exchange));
  gateway_.test.pass(seconds(60));
  client.cancel(make_error(ErrorKind::cancelled, "the client hung up"));
  gateway_.test.settle();
  EXPECT_EQ(calls.running(), 0U);
  EXPECT_EQ(state("a/m")->breaker().state(gateway_.test.clock.now()), BreakerState::closed);
}

TEST_F(AttemptsTest, AWholeAnswerThatStallsIsGivenUpAfterTheIdleTime) {
  route_over(2);
  for (const auto& provider : providers_) provider->timeouts.idle = seconds(5);
  server_.stalls = seconds(30);
  const Outcome outcome = call();
  EXPECT_EQ(outcome.result, "upstream_timeout");
  EXPECT_LT(outcome.took, seconds(20));
  server_.stalls = seconds(4);
  EXPECT_EQ(call().result, "ok");
}

TEST_F(AttemptsTest, AWholeAnswerThatDoesNotBeginInTimeIsTheNextTargetsToGive) {
  Route& route = route_over(2);
  route.breaker.failures_to_open = 1;
  route.retry.attempts_per_target_max = 1;
  for (const auto& provider : providers_) provider->timeouts.answer = seconds(20);
  replies_["a"].push_back({.body = std::string(kAnswer), .takes = seconds(19)});
  EXPECT_EQ(call().asked, "a");
  for (const Duration limit : {seconds(20), seconds(5)}) {
    if (limit == seconds(5)) route.answer = limit;
    replies_["a"].push_back({.body = std::string(kAnswer), .takes = seconds(21)});
    const Outcome outcome = call(seconds(60));
    EXPECT_EQ(outcome.result, "ok");
    EXPECT_EQ(outcome.asked, "ab");
    EXPECT_GE(outcome.took, limit);
    EXPECT_LT(outcome.took, limit + seconds(1));
    EXPECT_EQ(state("a/m")->breaker().state(gateway_.test.clock.now()), BreakerState::open);
    gateway_.test.pass(seconds(10));
    replies_.clear();
  }
}

TEST_F(AttemptsTest, AWholeAnswerIsUnderWayBeforeItIsThere) {
  route_over(1);
  server_.takes = seconds(10);
  Scope calls(gateway_.test.core);
  const std::unique_ptr<Exchange> exchange = a_chat();
  calls.spawn(gather(*exchange));
  gateway_.test.pass(seconds(5));
  EXPECT_EQ(state("a/m")->in_flight(), 1);
  gateway_.test.pass(seconds(6));
  EXPECT_EQ(calls.running(), 0U);
  EXPECT_EQ(state("a/m")->in_flight(), 0);
}

TEST_F(AttemptsTest, WhenAllArePutAsideTheAnswerSaysUntilWhen) {
  Route& route = route_over(2);
  route.breaker.failures_to_open = 1;
  route.retry.attempts_per_target_max = 1;
  replies_["a"].push_back(refusal(500));
  replies_["b"].push_back(refusal(500));
  EXPECT_EQ(call().asked, "ab");
  gateway_.test.pass(seconds(4));
  const Outcome outcome = call();
  EXPECT_EQ(outcome.result, "upstream_overloaded");
  EXPECT_EQ(outcome.retry_after_ms, 6000);
}

}  // namespace
}  // namespace weir
