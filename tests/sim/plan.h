// What one seed stands for: the routes, the callers and their moods. Drawn once, before anything runs, so
// that a change in the gateway does not change what it is asked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/priority.h"
#include "base/random.h"
#include "gateway/route.h"

namespace weir::sim {

struct TargetPlan {
  bool is_anthropic = false;
  bool is_gemini = false;  // on a route of its own, for Ask::call
  int priority = 0;
  double weight = 1;
  size_t concurrency = 0;
  size_t keys = 1;
};

enum class Mood : uint8_t {
  usual,     // reads as fast as it can
  slow,      // pauses between reads, with little room in between
  hangs_up,  // goes away after `leaves_after`
};

// What is asked for. Choices, answers by a schema and embeddings are made of several calls; images and
// transcriptions pass the gateway as bytes. Of embeddings and of these two only OpenAI's targets know. A call
// is a chat with a tool, which goes to Gemini's targets.
enum class Ask : uint8_t { chat, choices, schema, embeddings, image, transcription, call };
constexpr bool is_composed(Ask ask) {
  return ask == Ask::choices || ask == Ask::schema || ask == Ask::embeddings;
}
constexpr bool is_opaque(Ask ask) {
  return ask == Ask::image || ask == Ask::transcription;
}

struct CallerPlan {
  Ask ask = Ask::chat;
  bool is_anthropic = false;  // a chat in that dialect
  bool is_streamed = false;
  Mood mood = Mood::usual;
  Duration starts_after{};
  Duration leaves_after{};
  Duration read_pause{};
  Duration timeout{};  // x-weir-timeout-ms; zero: not sent
  Priority priority = Priority::normal;
  size_t room = 64 * 1024;        // bytes on the way to the caller
  bool names_model_last = false;  // a form with the file before the model
  size_t file_bytes = 0;          // of a form
  size_t parts = 1;               // choices, tries, batches
};

struct Plan {
  uint64_t seed = 0;
  Strategy strategy = Strategy::weighted;
  bool is_sticky = false;
  RetryPolicy retry;
  BreakerSettings breaker;
  FallbackRules fallback;
  std::vector<TargetPlan> targets;
  std::vector<CallerPlan> callers;
  double fault_share = 0.5;    // of the provider's answers
  double refusal_share = 0.0;  // of connects
  Duration first_event{};
  Duration answer{};
  Duration idle{};
  Duration head_wait{};
  Duration keep_alive{};
  std::optional<Duration> reloads_after;  // the same configuration anew, with other objects
  std::optional<Duration> stops_after;    // the server drains
  Duration patience{};                    // of the drain
  bool drains = false;                    // answers whose caller is gone are read on, within these bounds
  Duration gone_timeout{};
  size_t gone_bytes_max = 0;
};

// The time limit of a caller that asked for none.
inline constexpr Duration kTimeout = std::chrono::seconds(60);

Plan draw_plan(uint64_t seed);

// Uniform in [low, high], to the millisecond.
Duration draw_between(Rng& rng, Duration low, Duration high);
inline bool draw_chance(Rng& rng, double share) {
  return rng.unit() < share;
}

}  // namespace weir::sim
