#include "gateway/route_plan.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/limits.h"

namespace weir {
namespace {

// One wildcard route to one provider, whose targets may have so many calls at a time.
std::shared_ptr<const Snapshot> snapshot_of(std::string provider_name, size_t concurrency = 0,
                                            std::string host = "here.test", std::string model = "their-*",
                                            std::string_view kind = "openai") {
  auto provider = std::make_shared<Provider>();
  provider->name = std::move(provider_name);
  provider->kind = *Catalog::embedded().find_kind(kind);
  provider->origin.host = std::move(host);
  provider->capabilities.context = 777;
  auto route = std::make_unique<Route>();
  route->pattern = "my-*";
  route->targets.push_back({.provider = provider, .model = std::move(model), .concurrency = concurrency});
  std::vector<std::unique_ptr<Route>> routes;
  routes.push_back(std::move(route));
  auto snapshot = std::make_shared<Snapshot>();
  // Not owned: the embedded catalog lives as long as the process.
  snapshot->catalog = std::shared_ptr<const Catalog>(std::shared_ptr<void>(), &Catalog::embedded());
  snapshot->routes = RouteTable::make(std::move(routes), {}).value();
  return snapshot;
}

TEST(RoutePlans, NamesTheTargetAsItsProviderDoes) {
  RoutePlans plans(std::make_shared<TargetStates>());
  const auto snapshot = snapshot_of("here");
  const auto plan = plans.find(snapshot, "my-model").value();
  EXPECT_EQ(plan->route->pattern, "my-*");
  ASSERT_EQ(plan->candidates.size(), 1U);
  EXPECT_EQ(plan->candidates[0].model, "their-model");
  EXPECT_EQ(plan->candidates[0].state->name(), "here/their-model");
  EXPECT_EQ(plan->candidates[0].capabilities.context, 777) << "what the provider says wins";
  EXPECT_EQ(plans.find(snapshot, "my-model").value(), plan) << "made once";
  EXPECT_NE(plans.find(snapshot, "my-other").value(), plan);
  EXPECT_EQ(plans.find(snapshot, "unknown").error().kind, ErrorKind::model_not_found);
}

// The row of a provider whose models these are too tells what they can do; what they cost there is not known.
TEST(RoutePlans, KnowNoPriceWhereTheProviderHasItsOwn) {
  RoutePlans plans(std::make_shared<TargetStates>());
  const auto is_priced = [&plans](std::string_view kind, std::string model) {
    const auto snapshot = snapshot_of("here", 0, "here.test", std::move(model), kind);
    const Candidate& candidate = plans.find(snapshot, "my-x").value()->candidates[0];
    EXPECT_NE(candidate.row, nullptr) << kind;
    return candidate.is_priced;
  };
  EXPECT_TRUE(is_priced("openai", "gpt-4o"));
  EXPECT_FALSE(is_priced("vertex_anthropic", "claude-opus-4-7"));
}

TEST(RoutePlans, FollowsTheSnapshotAndKeepsWhatWasLearned) {
  const auto states = std::make_shared<TargetStates>();
  RoutePlans plans(states);
  auto before = snapshot_of("here", 1);
  const auto old_plan = plans.find(before, "my-model").value();
  const auto after = snapshot_of("here", 2);
  const auto plan = plans.find(after, "my-model").value();
  EXPECT_NE(plan, old_plan);
  EXPECT_EQ(plan->candidates[0].target->concurrency, 2U);
  EXPECT_EQ(plan->candidates[0].state, old_plan->candidates[0].state) << "the same target";
  EXPECT_EQ(plans.find(snapshot_of("elsewhere"), "my-model").value()->candidates[0].state->name(),
            "elsewhere/their-model");
}

TEST(RoutePlans, ATargetThatMovedIsAnother) {
  RoutePlans plans(std::make_shared<TargetStates>());
  const auto before = snapshot_of("here");
  const auto state = plans.find(before, "my-model").value()->candidates[0].state;
  const auto after = snapshot_of("here", 0, "elsewhere.test");
  EXPECT_NE(plans.find(after, "my-model").value()->candidates[0].state, state);
}

TEST(RoutePlans, OfAllRoutesTheSmallestCapAndTheFirstBreakerCount) {
  RoutePlans plans(std::make_shared<TargetStates>());
  auto snapshot = snapshot_of("here", 3);
  const std::shared_ptr<const Provider> provider = snapshot->routes.routes()[0]->targets[0].provider;
  std::vector<std::unique_ptr<Route>> routes;
  for (const auto& [pattern, model, concurrency, failures] :
       {std::tuple("first", "their-model", size_t{0}, 1), std::tuple("my-*", "their-*", size_t{3}, 5),
        std::tuple("third", "their-model", size_t{2}, 5), std::tuple("other", "their-other", size_t{1}, 5)}) {
    auto route = std::make_unique<Route>();
    route->pattern = pattern;
    route->breaker.failures_to_open = failures;
    route->targets.push_back({.provider = provider, .model = model, .concurrency = concurrency});
    routes.push_back(std::move(route));
  }
  auto several = std::make_shared<Snapshot>();
  several->catalog = snapshot->catalog;
  several->routes = RouteTable::make(std::move(routes), {}).value();
  for (const char* name : {"third", "my-model", "first"}) {
    const auto state = plans.find(several, name).value()->candidates[0].state;
    const auto first = Permits::try_acquire(state->permits());
    const auto second = Permits::try_acquire(state->permits());
    EXPECT_TRUE(first && second) << name;
    EXPECT_FALSE(Permits::try_acquire(state->permits())) << name;
    const MonoTime now{std::chrono::seconds(1)};
    state->breaker().report(now, BreakerPass::usual, false);
    EXPECT_EQ(state->breaker().state(now), BreakerState::open) << name;
  }
  EXPECT_TRUE(Permits::try_acquire(plans.find(several, "other").value()->candidates[0].state->permits()));
}

TEST(RoutePlans, ForgetsWhatCallersMakeUp) {
  RoutePlans plans(std::make_shared<TargetStates>());
  const auto snapshot = snapshot_of("here");
  const std::weak_ptr<const RoutePlan> first = plans.find(snapshot, "my-model").value();
  EXPECT_FALSE(first.expired());
  for (size_t i = 0; i < kRoutePlansMax; ++i) (void)plans.find(snapshot, fmt::format("my-{}", i));
  EXPECT_TRUE(first.expired());
}

TEST(RoutePlans, KeepsNothingOfWhatIsNoName) {
  const auto states = std::make_shared<TargetStates>();
  RoutePlans plans(states);
  const auto snapshot = snapshot_of("here");
  for (const std::string& name : {"my-" + std::string(1000, 'x'), std::string("my-\n")})
    EXPECT_EQ(plans.find(snapshot, name).error().kind, ErrorKind::bad_request);
  states->for_each([](const TargetState& state) { ADD_FAILURE() << state.name().size(); });
}

TEST(TargetStates, KeepsWhatIsHeldAndForgetsTheOldest) {
  TargetStates states(8);
  const auto held = states.get("held", {});
  for (int i = 0; i < 20; ++i) (void)states.get(fmt::format("made-up-{}", i), {});
  EXPECT_EQ(states.get("held", {}), held);
  size_t count = 0;
  states.for_each([&](const TargetState&) { ++count; });
  EXPECT_LE(count, 8U);
}

}  // namespace
}  // namespace weir
