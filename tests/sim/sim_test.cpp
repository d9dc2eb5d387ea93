// Runs the seeds. WEIR_SIM_SEEDS=n: how many (1,000 without it); WEIR_SIM_SEED=n: that one alone, with a
// trace.
#include <array>
#include <cstdlib>
#include <gtest/gtest.h>
#include <mutex>

#include "base/limits.h"
#include "sim/checks.h"
#include "sim/world.h"

namespace weir::sim {
namespace {

constexpr uint64_t kGroups = 20;
constexpr uint64_t kSeedsDefault = 1'000;

std::optional<uint64_t> number_from_environment(const char* name) {
  const char* text = std::getenv(name);
  if (!text || !*text) return std::nullopt;
  char* end = nullptr;
  const uint64_t number = std::strtoull(text, &end, 10);
  if (*end != '\0') ADD_FAILURE() << name << " is no number: " << text;
  return number;
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

std::string pair_name(bool caller_is_anthropic, bool provider_is_anthropic, bool is_streamed) {
  const auto name = [](bool is_anthropic) { return is_anthropic ? "anthropic" : "openai"; };
  return fmt::format("{} at {}, {}", name(caller_is_anthropic), name(provider_is_anthropic),
                     is_streamed ? "streamed" : "whole");
}

// What became of a chat with a tool.
void count_calls(const Record& record, const Ended& ended, std::map<std::string, int>& met) {
  const auto malformed = std::ranges::count_if(record.served, [&](const Served& served) {
    return served.exchange_id == ended.id && served.script.is_malformed;
  });
  if (ended.attempts.size() == 1) ++met[malformed > 0 ? "a malformed call was told" : "a call"];
  if (ended.attempts.size() == 2 && malformed == 1) ++met["a malformed call, asked again"];
  if (malformed == 2) ++met["two malformed calls"];
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

TEST(Simulations, ReplayToTheByte) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Plan plan = draw_plan(seed);
    EXPECT_EQ(run_plan(plan, true).trace, run_plan(plan, true).trace) << "seed " << seed;
  }
}

// Beside the faults, the pairs of dialects and the strategies.
constexpr std::array kMet = {"refused",
                             "good after another attempt",
                             "cancelled",
                             "drained",
                             "timeout",
                             "shutting_down",
                             "unsupported",
                             "image",
                             "image, streamed",
                             "transcription",
                             "transcription, streamed",
                             "a form sent twice",
                             "a form that streams",
                             "choices",
                             "a call",
                             "a malformed call was told",
                             "a malformed call, asked again",
                             "two malformed calls",
                             "asked once",
                             "asked twice",
                             "embeddings",
                             "parts drained",
                             "parts left",
                             "a part failed"};

// What no seed met was not tested.
TEST(Simulations, MeetEveryFaultAndEveryPairOfDialects) {
  std::map<std::string, int> met;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const Plan plan = draw_plan(seed);
    const Record record = run_plan(plan, false);
    ++met[fmt::format("strategy {}", to_string(plan.strategy))];
    met["refused"] += static_cast<int>(record.refusals);
    for (const Served& served : record.served) ++met[std::string(fault_row(served.script.fault).name)];
    for (const Ended& ended : record.ended) {
      const CallerPlan& caller = plan.callers[ended.caller];
      const bool is_good = !ended.outcome.error;
      const bool is_gone = !is_good && ended.outcome.error->kind == ErrorKind::cancelled;
      if (is_gone && plan.drains && ended.usage.source == UsageSource::provider && !ended.usage.empty())
        ++met["drained"];
      if (is_composed(caller.ask) && is_gone && !ended.usage.empty())
        ++met[plan.drains ? "parts drained" : "parts left"];
      if (is_composed(caller.ask) && !is_good && !is_gone && !ended.usage.empty()) ++met["a part failed"];
      if (is_good && ended.attempts.size() > 1) ++met["good after another attempt"];
      if (!is_good) ++met[std::string(to_string(ended.outcome.error->kind))];
      if (!is_good || ended.attempts.empty()) continue;
      const size_t target = std::stoul(ended.attempts.back().provider.substr(1));
      if (caller.ask == Ask::choices) ++met["choices"];
      if (caller.ask == Ask::call) count_calls(record, ended, met);
      if (caller.ask == Ask::schema) ++met[ended.attempts.size() > 1 ? "asked twice" : "asked once"];
      if (caller.ask == Ask::embeddings) ++met["embeddings"];
      if (caller.ask == Ask::transcription && caller.file_bytes > kStreamWindowBytes)
        ++met["a form that streams"];
      if (caller.ask == Ask::chat)
        ++met[pair_name(caller.is_anthropic, plan.targets[target].is_anthropic, caller.is_streamed)];
      const std::string_view what = caller.ask == Ask::image ? "image" : "transcription";
      if (is_opaque(caller.ask)) ++met[fmt::format("{}{}", what, caller.is_streamed ? ", streamed" : "")];
      if (caller.ask == Ask::transcription && ended.attempts.size() > 1) ++met["a form sent twice"];
    }
  }
  for (size_t i = 0; i < kFaultCount; ++i) {
    const std::string name(fault_row(static_cast<Fault>(i)).name);
    EXPECT_GT(met[name], 0) << name;
  }
  for (int bits = 0; bits < 8; ++bits) {
    const std::string name = pair_name((bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0);
    EXPECT_GT(met[name], 0) << name;
  }
  for (size_t i = 0; i < 6; ++i) {
    const std::string name = fmt::format("strategy {}", to_string(static_cast<Strategy>(i)));
    EXPECT_GT(met[name], 0) << name;
  }
  for (const char* name : kMet) EXPECT_GT(met[name], 0) << name;
}

INSTANTIATE_TEST_SUITE_P(Seeds, Simulation, ::testing::Range<uint64_t>(0, kGroups));

}  // namespace
}  // namespace weir::sim
