#include "gateway/route_stage.h"

#include <fmt/core.h>
#include <set>

#include "codec/codecs.h"
#include "gateway/test_scripted_target.h"

namespace weir {
namespace {

using std::chrono::seconds;

// A model with targets in two regions, and one that does not say where it is.
class Regions : public testing::Test {
 protected:
  Regions() {
    auto route = std::make_unique<Route>();
    route->pattern = "m";
    route->strategy = Strategy::ordered;
    route->targets.push_back(target("somewhere", "", ""));
    route->targets.push_back(target("america", "us-east-1", ""));
    route->targets.push_back(target("europe", "us-east-1", "eu-central-1"));
    std::vector<std::unique_ptr<Route>> routes;
    routes.push_back(std::move(route));
    // Not owned: the embedded catalog lives as long as the process.
    gateway_.snapshot->catalog =
        std::shared_ptr<const Catalog>(std::shared_ptr<void>(), &Catalog::embedded());
    gateway_.snapshot->routes = RouteTable::make(std::move(routes), {}).value();
  }

  static RouteTarget target(std::string name, std::string provider_region, std::string region) {
    auto provider = std::make_shared<Provider>();
    provider->name = std::move(name);
    provider->kind.name = "openai";
    provider->region = std::move(provider_region);
    provider->retry_budget = std::make_shared<RetryBudget>();
    return {.provider = provider, .model = "m", .region = std::move(region)};
  }

  static Chat chat() {
    Chat made;
    made.model = "m";
    return made;
  }

  // The provider that is tried first, or the error.
  std::string first(std::vector<std::string> of_key, std::vector<std::string> of_request) {
    const std::unique_ptr<Exchange> exchange = gateway_.exchange(chat());
    exchange->target = nullptr;
    Principal caller;
    caller.regions = std::move(of_key);
    exchange->principal = &caller;
    exchange->regions = std::move(of_request);
    gateway_.call->answers.clear();
    gateway_.call->answers.emplace_back(std::vector<Event>{End{}});
    const Result<std::vector<Event>> events = gateway_.events(*exchange);
    if (events) return exchange->target->target->provider->name;
    EXPECT_EQ(events.error().kind, ErrorKind::forbidden);
    return events.error().message;
  }

  TestGateway gateway_{std::make_unique<RouteStage>(std::make_shared<TargetStates>())};
};

TEST_F(Regions, WithoutARestrictionEveryTargetMayBeAsked) {
  EXPECT_EQ(first({}, {}), "somewhere");
}

TEST_F(Regions, TheKeysAndTheRequestsBothHold) {
  EXPECT_EQ(first({"us-*", "eu-*"}, {}), "america");
  EXPECT_EQ(first({}, {"eu-*"}), "europe") << "what the target says, not its provider";
  EXPECT_EQ(first({"us-*", "eu-*"}, {"eu-*"}), "europe");
  EXPECT_EQ(first({"*"}, {}), "america") << "a region that is not stated is within none";
}

TEST_F(Regions, WhereNothingIsLeftTheErrorSaysWhatThereIs) {
  const std::string message = first({"eu-*"}, {"us-*"});
  EXPECT_NE(message.find("somewhere in a region that is not stated"), std::string::npos) << message;
  EXPECT_NE(message.find("europe in eu-central-1"), std::string::npos) << message;
  EXPECT_TRUE(gateway_.call->answers.size() == 1) << "nobody was asked";
}

class CommitPoint : public Regions {
 protected:
  // Who answered in the end, when the first target breaks off after these.
  std::string answers_after(std::vector<Event> events) {
    const std::unique_ptr<Exchange> exchange = gateway_.exchange(chat());
    gateway_.call->answers.clear();
    gateway_.call->answers.emplace_back(std::move(events));
    gateway_.call->answers.emplace_back(std::vector<Event>{End{}});
    gateway_.call->breaks = make_error(ErrorKind::upstream_overloaded, "overloaded");
    const Result<std::vector<Event>> answer = gateway_.events(*exchange);
    if (!answer) return std::string(to_string(answer.error().kind));
    return exchange->target->target->provider->name;
  }
};

TEST_F(CommitPoint, ABlockThatOnlyBeganIsNotBeyondIt) {
  gateway_.snapshot->routes.routes().front()->retry.attempts_per_target_max = 1;
  const std::vector<Event> began = {Start{}, BlockStart{}};
  EXPECT_EQ(answers_after(began), "america");
  EXPECT_EQ(answers_after({Start{}, BlockStart{.kind = BlockKind::thinking}, Delta{}}), "america");
}

TEST_F(CommitPoint, AnswersWithContentAreNotTriedElsewhere) {
  EXPECT_EQ(answers_after({Start{}, BlockStart{}, Delta{.text = "Hel"}}), "upstream_overloaded");
  EXPECT_EQ(answers_after({Start{}, BlockStart{.kind = BlockKind::tool_call, .tool_name = "f"}}),
            "upstream_overloaded");
}

class MalformedCalls : public Regions {
 protected:
  MalformedCalls() { route().translation.malformed_calls = "retry"; }
  Route& route() { return *gateway_.snapshot->routes.routes().front(); }

  static std::vector<Event> ends_in(StopReason reason, std::string_view said = "") {
    Usage usage;
    usage.in_uncached = 10;
    usage.out_text = 5;
    std::vector<Event> events = {Start{}};
    if (!said.empty()) events.insert(events.end(), {BlockStart{}, Delta{.text = std::string(said)}});
    events.insert(events.end(), {Finish{.reason = reason}, UsageReport{usage}, End{}});
    return events;
  }

  // The reasons of the two answers that are there to be had, and then "<reason the client gets> <calls
  // made>".
  std::string outcome(std::vector<Event> first, std::vector<Event> second, Chat asked = chat()) {
    exchange_ = gateway_.exchange(std::move(asked));
    gateway_.call->answers.clear();
    gateway_.call->answers.emplace_back(std::move(first));
    gateway_.call->answers.emplace_back(std::move(second));
    const Result<std::vector<Event>> events = gateway_.events(*exchange_);
    if (!events) return std::string(to_string(events.error().kind));
    std::string reason = "none";
    for (const Event& event : *events) {
      if (const auto* finish = std::get_if<Finish>(&event)) reason = to_string(finish->reason);
    }
    return fmt::format("{} {}", reason, exchange_->attempts.size());
  }
  std::string outcome(StopReason first, StopReason second) {
    return outcome(ends_in(first), ends_in(second));
  }

  std::unique_ptr<Exchange> exchange_;
};

TEST_F(MalformedCalls, AreTriedOnceMoreWhereTheRouteSaysSo) {
  for (const bool drips : {false, true}) {
    gateway_.call->drips = drips;
    EXPECT_EQ(outcome(StopReason::bad_tool, StopReason::tool), "tool 2");
    EXPECT_EQ(exchange_->target->target->provider->name, "somewhere") << "the same target";
    EXPECT_EQ(outcome(StopReason::bad_tool, StopReason::bad_tool), "bad_tool 2");
    EXPECT_EQ(outcome(StopReason::end, StopReason::tool), "end 1");
  }
  route().translation.malformed_calls = "answer";
  EXPECT_EQ(outcome(StopReason::bad_tool, StopReason::tool), "bad_tool 1");
}

TEST_F(MalformedCalls, ArePaidForEvenWhereTheUsageComesBehindTheReason) {
  for (const bool drips : {false, true}) {
    gateway_.call->drips = drips;
    ASSERT_EQ(outcome(StopReason::bad_tool, StopReason::tool), "tool 2");
    ASSERT_TRUE(exchange_->spent);
    EXPECT_EQ(exchange_->spent->usage.in_uncached, 10);
    EXPECT_EQ(exchange_->spent->usage.out_text, 5);
    EXPECT_EQ(exchange_->spent->usage.source, UsageSource::provider);
  }
}

TEST_F(MalformedCalls, AreNotTakenBackOnceTheClientHasSeenSomething) {
  EXPECT_EQ(outcome(ends_in(StopReason::bad_tool, "Let me see"), ends_in(StopReason::tool)), "tool 2")
      << "a whole answer has not left yet";
  gateway_.call->drips = true;
  EXPECT_EQ(outcome(ends_in(StopReason::bad_tool, "Let me see"), ends_in(StopReason::tool)), "bad_tool 1");
}

TEST_F(MalformedCalls, AreNotTriedAgainBeyondWhatRetriesMay) {
  Chat asks = chat();
  asks.choices = 2;
  EXPECT_EQ(outcome(ends_in(StopReason::bad_tool), ends_in(StopReason::tool), std::move(asks)), "bad_tool 1")
      << "the other choice may be good";
  route().retry.attempts_max = 1;
  EXPECT_EQ(outcome(StopReason::bad_tool, StopReason::tool), "bad_tool 1");
  route().retry.attempts_max = 4;
  while (route().targets.front().provider->retry_budget->try_spend()) {
  }
  EXPECT_EQ(outcome(StopReason::bad_tool, StopReason::tool), "bad_tool 1");
}

class Stages : public Regions {
 protected:
  // The marks of an exchange whose first answer is `first`, each call taking a second.
  Timings timings_of(Result<std::vector<Event>> first) {
    const std::unique_ptr<Exchange> exchange = gateway_.exchange(chat());
    gateway_.call->takes = seconds(1);
    gateway_.call->answers.clear();
    gateway_.call->answers.emplace_back(std::move(first));
    gateway_.call->answers.emplace_back(std::vector<Event>{End{}});
    EXPECT_TRUE(gateway_.events(*exchange));
    return exchange->timings;
  }
  static Task<void> ask(TestGateway& gateway, Exchange& exchange) {
    CO_TRY(co_await TestGateway::gather(*gateway.pipeline, exchange));
    co_return {};
  }
  static Task<void> ask_both(TestGateway& gateway, Exchange& first, Exchange& second) {
    Scope scope(gateway.test.core);
    scope.spawn(ask(gateway, first));
    scope.spawn(ask(gateway, second));
    co_return co_await scope.join_all();
  }
};

TEST_F(Stages, AFailedAttemptIsNoTimeOfThePick) {
  gateway_.snapshot->routes.routes().front()->retry.attempts_per_target_max = 1;
  const Timings timings = timings_of(fail(ErrorKind::upstream_overloaded, "overloaded"));
  EXPECT_EQ(timings.between(Mark::picked, Mark::tried_again), seconds(1));
  EXPECT_EQ(timings.at(Mark::admitted), timings.at(Mark::tried_again));
  EXPECT_NE(timings.server_timing().view().find("retry;dur=1000.000"), std::string_view::npos);
}

TEST_F(Stages, WhatNeitherWaitedNorFailedHasNoSuchStage) {
  const Timings timings = timings_of(std::vector<Event>{End{}});
  EXPECT_FALSE(timings.has(Mark::tried_again));
  EXPECT_FALSE(timings.has(Mark::queued));
  EXPECT_EQ(timings.server_timing().view().find("retry"), std::string_view::npos);
}

TEST_F(Stages, WaitingForAPlaceIsAStageOfItsOwn) {
  gateway_.snapshot->routes.routes().front()->targets.front().concurrency = 1;
  const std::unique_ptr<Exchange> first = gateway_.exchange(chat());
  const std::unique_ptr<Exchange> second = gateway_.exchange(chat());
  gateway_.call->takes = seconds(1);
  for (int i = 0; i < 2; ++i) gateway_.call->answers.emplace_back(std::vector<Event>{End{}});
  EXPECT_TRUE(gateway_.test.run(ask_both(gateway_, *first, *second)));
  EXPECT_FALSE(first->timings.has(Mark::queued));
  EXPECT_EQ(second->timings.between(Mark::queued, Mark::admitted), seconds(1));
  EXPECT_EQ(second->timings.between(Mark::picked, Mark::queued), seconds(0));
}

class RouteTimeout : public Regions {
 protected:
  // What comes of an answer that takes that long, on a route with a limit of ten seconds, when five have
  // passed since the first byte and the exchange itself has until `due`.
  std::string outcome(Duration takes, std::optional<Duration> due) {
    gateway_.snapshot->routes.routes().front()->timeout = seconds(10);
    const std::unique_ptr<Exchange> exchange = gateway_.exchange(chat());
    Scope scope(gateway_.test.core);
    exchange->scope = &scope;
    exchange->timings.mark(Mark::first_byte, exchange->now());
    gateway_.test.pass(seconds(5));
    if (due) scope.set_deadline(exchange->now() + *due);
    gateway_.call->takes = takes;
    gateway_.call->answers.clear();
    gateway_.call->answers.emplace_back(std::vector<Event>{End{}});
    const Result<std::vector<Event>> events = gateway_.events(*exchange);
    return events ? "ok" : std::string(to_string(events.error().kind));
  }
};

TEST_F(RouteTimeout, HoldsFromTheFirstByteOfTheRequest) {
  EXPECT_EQ(outcome(seconds(4), {}), "ok");
  EXPECT_EQ(outcome(seconds(6), {}), "timeout");
  EXPECT_EQ(outcome(seconds(6), seconds(60)), "timeout");
}

TEST_F(RouteTimeout, GivesNoMoreTimeThanTheExchangeHas) {
  EXPECT_EQ(outcome(seconds(2), seconds(3)), "ok");
  EXPECT_EQ(outcome(seconds(4), seconds(3)), "timeout");
}

TEST_F(Regions, ARouteMayBeStrictForAllItsCallers) {
  for (const bool is_strict : {false, true}) {
    gateway_.snapshot->routes.routes().front()->translation.strict = is_strict;
    const std::unique_ptr<Exchange> exchange = gateway_.exchange(chat());
    gateway_.call->answers.emplace_back(std::vector<Event>{End{}});
    ASSERT_TRUE(gateway_.events(*exchange));
    EXPECT_EQ(exchange->is_strict, is_strict);
  }
}

TEST_F(Regions, ARouteMayStateThinkingUnderBothNames) {
  gateway_.snapshot->routes.routes().front()->translation.reasoning_field = true;
  const std::unique_ptr<Exchange> exchange = gateway_.exchange(chat());
  exchange->client_codec = &chat_client_codec(Dialect::openai_chat, true);
  gateway_.call->answers.emplace_back(std::vector<Event>{End{}});
  ASSERT_TRUE(gateway_.events(*exchange));
  EXPECT_EQ(exchange->client_codec, &with_reasoning_field(chat_client_codec(Dialect::openai_chat, true)));
  EXPECT_NE(exchange->client_codec, &chat_client_codec(Dialect::openai_chat, true));
}

// Where the prompts of sessions and keys go.
class StickyRoute : public Regions {
 protected:
  std::string target_of(std::string session, std::string_view cache_key) {
    Route& route = *gateway_.snapshot->routes.routes().front();
    route.is_sticky = true;
    route.strategy = Strategy::round_robin;
    Chat asks = chat();
    asks.prompt_cache_key = cache_key;
    const std::unique_ptr<Exchange> exchange = gateway_.exchange(asks);
    exchange->session = std::move(session);
    gateway_.call->answers.emplace_back(std::vector<Event>{End{}});
    EXPECT_TRUE(gateway_.events(*exchange));
    return exchange->target->target->provider->name;
  }
};

TEST_F(StickyRoute, PromptsThatShareACacheStayTogether) {
  std::set<std::string> seen;
  for (int i = 0; i < 20; ++i) {
    const std::string key = fmt::format("key {}", i);
    const std::string target = target_of("", key);
    EXPECT_EQ(target_of("", key), target) << "round robin would have moved on";
    seen.insert(target);
  }
  EXPECT_EQ(seen.size(), 3U) << "other keys go elsewhere";
}

TEST_F(StickyRoute, ASessionGoesBeforeTheKeyOfItsPrompts) {
  for (int i = 0; i < 20; ++i) EXPECT_EQ(target_of("mine", fmt::format("key {}", i)), target_of("mine", ""));
}

}  // namespace
}  // namespace weir
