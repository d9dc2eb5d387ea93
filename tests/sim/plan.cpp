#include "sim/plan.h"

namespace weir::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TargetPlan draw_target(Rng& rng) {
  TargetPlan target;
  target.is_anthropic = draw_chance(rng, 0.5);
  target.priority = draw_chance(rng, 0.7) ? 0 : 1;
  target.weight = 1 + static_cast<double>(rng.below(4));
  target.concurrency = draw_chance(rng, 0.6) ? 0 : 1 + rng.below(2);
  target.keys = 1 + rng.below(3);
  return target;
}

CallerPlan draw_caller(Rng& rng) {
  CallerPlan caller;
  caller.is_anthropic = draw_chance(rng, 0.5);
  caller.is_streamed = draw_chance(rng, 0.65);
  caller.starts_after = draw_between(rng, {}, seconds(3));
  caller.priority = static_cast<Priority>(rng.below(kPriorityCount));
  if (draw_chance(rng, 0.15)) caller.timeout = draw_between(rng, milliseconds(20), seconds(8));
  const double mood = rng.unit();
  if (mood < 0.15) {
    caller.mood = Mood::hangs_up;
    caller.leaves_after =
        draw_between(rng, {}, draw_chance(rng, 0.5) ? milliseconds(200) : milliseconds(9000));
  } else if (mood < 0.3) {
    caller.mood = Mood::slow;
    caller.read_pause = draw_between(rng, milliseconds(20), seconds(3));
    caller.room = 64 + rng.below(2048);
  } else if (draw_chance(rng, 0.3)) {
    caller.room = 2048 + rng.below(4096);
  }
  if (const double ask = rng.unit(); ask < 0.3) {
    caller.ask = ask < 0.15 ? Ask::image : Ask::transcription;
    caller.is_anthropic = false;
    caller.names_model_last = draw_chance(rng, 0.5);
    // Above a window a form streams through, and nothing of it is kept.
    caller.file_bytes = draw_chance(rng, 0.7) ? rng.below(300) : 200 * 1024 + rng.below(500 * 1024);
  } else if (ask < 0.6) {
    caller.ask = ask < 0.4 ? Ask::choices : ask < 0.5 ? Ask::schema : Ask::embeddings;
    caller.is_anthropic = false;
    caller.parts = caller.ask == Ask::embeddings ? 2 + rng.below(8)
                   : caller.ask == Ask::choices  ? 2 + rng.below(3)
                                                 : 2;
    if (caller.ask == Ask::embeddings) caller.is_streamed = false;
  }
  return caller;
}

// Some of the chats call tools, at targets of their own.
void draw_calls(Rng& rng, Plan& plan) {
  for (CallerPlan& caller : plan.callers) {
    if (caller.ask == Ask::chat && !caller.is_anthropic && draw_chance(rng, 0.4)) caller.ask = Ask::call;
  }
  const size_t targets = 1 + rng.below(2);
  for (size_t i = 0; i < targets; ++i) {
    TargetPlan& target = plan.targets.emplace_back(draw_target(rng));
    target.is_anthropic = false;
    target.is_gemini = true;
  }
}

}  // namespace

Duration draw_between(Rng& rng, Duration low, Duration high) {
  const auto steps = static_cast<uint64_t>((high - low) / milliseconds(1));
  return low + milliseconds(rng.below(steps + 1));
}

Plan draw_plan(uint64_t seed) {
  Rng rng(seed ^ 0x51'3d'1e'57);
  Plan plan;
  plan.seed = seed;
  plan.strategy = static_cast<Strategy>(rng.below(6));
  plan.is_sticky = draw_chance(rng, 0.2);
  plan.retry.attempts_max = 1 + static_cast<int>(rng.below(5));
  plan.retry.attempts_per_target_max = 1 + static_cast<int>(rng.below(3));
  plan.breaker.failures_to_open = 1 + static_cast<int>(rng.below(6));
  plan.breaker.open_for = draw_between(rng, seconds(1), seconds(5));
  plan.fallback.on_content_policy = draw_chance(rng, 0.5);
  plan.fallback.on_rate_limit = draw_chance(rng, 0.8);
  // One seed in eight has no trouble with the providers at all: the moods of the callers remain.
  plan.fault_share = draw_chance(rng, 0.125) ? 0 : 0.15 + 0.7 * rng.unit();
  plan.refusal_share = draw_chance(rng, 0.6) ? 0 : 0.3 * rng.unit();
  plan.first_event = draw_between(rng, seconds(4), seconds(8));
  plan.idle = draw_between(rng, seconds(1), seconds(5));
  plan.head_wait =
      draw_chance(rng, 0.5) ? draw_between(rng, milliseconds(100), seconds(2)) : Duration(seconds(30));
  plan.keep_alive = draw_between(rng, milliseconds(200), seconds(5));
  if (draw_chance(rng, 0.5)) plan.reloads_after = draw_between(rng, {}, seconds(5));
  if (draw_chance(rng, 0.1)) plan.stops_after = draw_between(rng, {}, seconds(6));
  plan.patience = draw_between(rng, {}, seconds(5));
  const size_t targets = 1 + rng.below(3);
  for (size_t i = 0; i < targets; ++i) plan.targets.push_back(draw_target(rng));
  const size_t callers = 1 + rng.below(6);
  for (size_t i = 0; i < callers; ++i) plan.callers.push_back(draw_caller(rng));
  plan.drains = draw_chance(rng, 0.5);
  plan.gone_timeout = draw_between(rng, milliseconds(100), seconds(20));
  plan.gone_bytes_max = draw_chance(rng, 0.1) ? 1 + rng.below(64) : 1024 * 1024;
  draw_calls(rng, plan);
  plan.answer = draw_between(rng, seconds(4), seconds(8));
  return plan;
}

}  // namespace weir::sim
