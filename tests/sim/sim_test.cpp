// Runs the seeds. WEIR_SIM_SEEDS=n: how many (1,000 without it); WEIR_SIM_SEED=n: that one alone, with a
// trace.
#include <cstdlib>
#include <gtest/gtest.h>
#include <mutex>

#include "sim/checks.h"
#include "sim/world.h"

namespace weir::sim {
namespace {

constexpr uint64_t kGroups = 20;
constexpr uint64_t kSeedsDefault = 1'000;

std::optional<uint64_t> number_from_environment(const char* name) {
  const char* text = std::getenv(name);
  if (!text || !*text) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

std::string listed(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "  " + line + '\n';
  return text;
}

void expect_good(uint64_t seed) {
  const Plan plan = draw_plan(seed);
  const std::vector<std::string> wrong = check(plan, run_plan(plan, false));
  if (wrong.empty()) return;
  ADD_FAILURE() << "seed " << seed << ":\n"
                << listed(wrong) << run_plan(plan, true).trace << "replay: WEIR_SIM_SEED=" << seed
                << " build/test/sim_test";
}

class Simulation : public ::testing::TestWithParam<uint64_t> {};

TEST_P(Simulation, KeepsEveryPromise) {
  if (const auto seed = number_from_environment("WEIR_SIM_SEED")) {
    if (GetParam() > 0) GTEST_SKIP() << "one seed was asked for";
    const Plan plan = draw_plan(*seed);
    const Record record = run_plan(plan, true);
    std::fputs(record.trace.c_str(), stdout);
    EXPECT_EQ(listed(check(plan, record)), "");
    return;
  }
  const uint64_t seeds = number_from_environment("WEIR_SIM_SEEDS").value_or(kSeedsDefault);
  for (uint64_t seed = GetParam(); seed < seeds; seed += kGroups) {
    expect_good(seed);
    if (HasFailure()) return;  // one trace is enough to begin with
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Simulation, ::testing::Range<uint64_t>(0, kGroups));

}  // namespace
}  // namespace weir::sim
