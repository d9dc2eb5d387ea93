// Each strategy's property, by simulation over 100,000 picks with a fixed seed.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "gateway/route.h"

namespace weir {
namespace {

constexpr int kPicks = 100'000;

class Picks {
 public:
  explicit Picks(std::vector<double> weights, std::vector<int> priorities = {}) {
    priorities.resize(weights.size());
    for (size_t i = 0; i < weights.size(); ++i) {
      targets_.push_back({.provider = nullptr,
                          .model = fmt::format("m{}", i),
                          .weight = weights[i],
                          .priority = priorities[i]});
    }
    for (const RouteTarget& target : targets_) {
      Candidate candidate;
      candidate.target = &target;
      candidate.model = target.model;
      candidate.state =
          std::make_shared<TargetState>(target.model, BreakerSettings{.failures_to_open = 1}, 0, 0);
      candidates.push_back(std::move(candidate));
    }
  }

  size_t first(std::string_view session = {}) { return order(session).front(); }
  std::vector<size_t> order(std::string_view session = {}) {
    const PickContext context{.now = MonoTime(std::chrono::seconds(1)),
                              .session = session,
                              .input_tokens = 1000,
                              .output_tokens = 100};
    return order_candidates(route, candidates, context, rng_);
  }
  std::vector<int> shares() {
    std::vector<int> counts(candidates.size());
    for (int i = 0; i < kPicks; ++i) ++counts[first()];
    return counts;
  }
  void open_breaker(size_t index) {
    Breaker& breaker = candidates[index].state->breaker();
    breaker.report(MonoTime(std::chrono::seconds(1)), BreakerPass::usual, false);
  }

  Route route;
  std::vector<Candidate> candidates;

 private:
  std::vector<RouteTarget> targets_;
  Rng rng_{42};
};

TEST(Weighted, SharesAreTheWeightsWithinOnePercent) {
  Picks picks({1, 2, 7});
  const std::vector<int> shares = picks.shares();
  EXPECT_NEAR(shares[0], 0.1 * kPicks, 0.01 * kPicks);
  EXPECT_NEAR(shares[1], 0.2 * kPicks, 0.01 * kPicks);
  EXPECT_NEAR(shares[2], 0.7 * kPicks, 0.01 * kPicks);
}

TEST(Weighted, EveryTargetStandsOnceInTheOrder) {
  Picks picks({1, 5, 2, 9});
  for (int i = 0; i < 1000; ++i) {
    std::vector<size_t> order = picks.order();
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, (std::vector<size_t>{0, 1, 2, 3}));
  }
}

TEST(RoundRobin, SharesAreExact) {
  Picks picks({1, 1, 1, 1});
  picks.route.strategy = Strategy::round_robin;
  for (const int share : picks.shares()) EXPECT_EQ(share, kPicks / 4);
}

TEST(Ordered, IsAsConfigured) {
  Picks picks({1, 9, 1});
  picks.route.strategy = Strategy::ordered;
  EXPECT_EQ(picks.order(), (std::vector<size_t>{0, 1, 2}));
}

TEST(LeastBusy, NeverPicksABusierTargetForItsWeight) {
  Picks picks({1, 1, 2});
  picks.route.strategy = Strategy::least_busy;
  for (int i = 0; i < kPicks; ++i) {
    const size_t chosen = picks.first();
    const auto load = [&](size_t index) {
      return static_cast<double>(picks.candidates[index].state->in_flight()) /
             picks.candidates[index].target->weight;
    };
    for (size_t other = 0; other < 3; ++other) ASSERT_LE(load(chosen), load(other));
    picks.candidates[chosen].state->enter();
    if (i % 3 == 2) picks.candidates[static_cast<size_t>(i / 3 % 3)].state->leave();
  }
}

TEST(LeastLatency, PrefersTheFasterAndStillMeasuresTheSlower) {
  Picks picks({1, 1, 1});
  picks.route.strategy = Strategy::least_latency;
  picks.candidates[0].state->observe_first_event(std::chrono::milliseconds(100));
  picks.candidates[1].state->observe_first_event(std::chrono::milliseconds(200));
  picks.candidates[2].state->observe_first_event(std::chrono::milliseconds(300));
  const std::vector<int> shares = picks.shares();
  EXPECT_GT(shares[0], kPicks / 2);
  EXPECT_GT(shares[0], shares[1]);
  EXPECT_GT(shares[1], shares[2]);
  EXPECT_GT(shares[1], kPicks / 10) << "power of two choices keeps the second best measured";
}

TEST(LeastLatency, WhatWasSlowIsMeasuredNowAndThen) {
  Picks picks({1, 1});
  picks.route.strategy = Strategy::least_latency;
  picks.candidates[0].state->observe_first_event(std::chrono::milliseconds(100));
  picks.candidates[1].state->observe_first_event(std::chrono::seconds(100));
  EXPECT_NEAR(picks.shares()[1], kPicks / 100, kPicks / 500);
  for (int i = 0; i < 40; ++i) picks.candidates[1].state->observe_first_event(std::chrono::milliseconds(10));
  EXPECT_GT(picks.shares()[1], kPicks / 2) << "it has recovered";
}

TEST(LeastLatency, ATargetNobodyMeasuredGetsTraffic) {
  Picks picks({1, 1});
  picks.route.strategy = Strategy::least_latency;
  picks.candidates[0].state->observe_first_event(std::chrono::milliseconds(1));
  EXPECT_GT(picks.shares()[1], kPicks / 2);
}

TEST(LeastCost, TheCheapestForTheExpectedTokensComesFirstAndUnknownPricesLast) {
  Picks picks({1, 1, 1});
  picks.route.strategy = Strategy::least_cost;
  ModelRow dear;
  dear.price.input = 10'000'000'000;
  dear.price.output = 30'000'000'000;
  ModelRow cheap;
  cheap.price.input = 1'000'000'000;
  cheap.price.output = 3'000'000'000;
  picks.candidates[1].row = &dear;
  picks.candidates[2].row = &cheap;
  EXPECT_EQ(picks.order(), (std::vector<size_t>{2, 1, 0}));
}

TEST(Sticky, ASessionStaysAndOnlyTheLostTargetsSessionsMove) {
  Picks picks({1, 1, 1, 1});
  picks.route.is_sticky = true;
  constexpr int kSessions = 4000;
  std::vector<size_t> before;
  for (int i = 0; i < kSessions; ++i) before.push_back(picks.first(fmt::format("session-{}", i)));
  for (size_t target = 0; target < 4; ++target) {
    EXPECT_NEAR(static_cast<double>(std::count(before.begin(), before.end(), target)), kSessions / 4.0,
                kSessions * 0.03);
  }
  picks.open_breaker(2);
  for (int i = 0; i < kSessions; ++i) {
    const size_t now = picks.first(fmt::format("session-{}", i));
    if (before[static_cast<size_t>(i)] == 2) {
      EXPECT_NE(now, 2u);
    } else {
      EXPECT_EQ(now, before[static_cast<size_t>(i)]);
    }
  }
}

TEST(Sticky, SharesFollowTheWeights) {
  Picks picks({1, 3});
  picks.route.is_sticky = true;
  int second = 0;
  for (int i = 0; i < 20'000; ++i) second += picks.first(fmt::format("s{}", i)) == 1 ? 1 : 0;
  EXPECT_NEAR(second, 15'000, 300);
}

TEST(Priorities, ComeBeforeEveryStrategyAndAnOpenBreakerGoesLastInItsOwn) {
  Picks picks({1, 1, 1, 1}, {1, 0, 0, 1});
  picks.open_breaker(1);
  for (int i = 0; i < 100; ++i) {
    const std::vector<size_t> order = picks.order();
    EXPECT_EQ(order[0], 2u);
    EXPECT_EQ(order[1], 1u);
  }
}

}  // namespace
}  // namespace weir
