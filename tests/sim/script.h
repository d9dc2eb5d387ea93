// What the scripted provider does with one request: an answer in its dialect, whole or streamed, as the bytes
// that it sends, and at most one fault.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "sim/plan.h"

namespace weir::sim {

// The order is that of the table in script.cpp.
enum class Fault : uint8_t {
  none,
  // Good answers in odd ways: they must succeed.
  dribbles,             // a few bytes at a time
  whole_for_stream,     // ignores that a stream was asked for
  ends_twice,           // a second end marker
  stays_open,           // the answer is complete but the connection never says so
  closes_without_done,  // everything but the end marker is there
  // Nothing of an answer.
  closes_before_head,
  resets_before_head,
  stalls_before_head,
  cuts_head,
  is_not_http,
  // Answers that are errors.
  rate_limited,
  out_of_quota,
  unavailable,
  overloaded_529,
  error_500,
  html_502,
  unauthorized,
  bad_request,
  prompt_too_long,
  // Bad answers under a good status.
  empty_200,
  html_200,
  error_in_200,
  bad_json,
  cuts_before_event,
  cuts_in_event,
  cuts_between_events,
  cuts_before_finish,
  resets_in_event,
  stalls_in_stream,
  error_first,
  error_later,
};
inline constexpr size_t kFaultCount = static_cast<size_t>(Fault::error_later) + 1;

struct FaultRow {
  Fault fault;
  std::string_view name;
  bool is_answered;                // the caller gets the whole answer
  std::vector<ErrorKind> allowed;  // what the attempt may fail with, beside the exchange's own end
};
const FaultRow& fault_row(Fault fault);

// How the body is framed.
enum class Framing : uint8_t { chunked, sized, until_close };

// What the connection does after the last byte of the script.
enum class Ending : uint8_t { keeps, closes, resets, stalls };

struct Script {
  Fault fault = Fault::none;
  Ask ask = Ask::chat;
  bool is_streamed = false;
  Framing framing = Framing::chunked;
  Ending ending = Ending::keeps;
  std::string head;                 // status line and headers; empty: nothing is sent
  std::vector<std::string> pieces;  // of the body; framed and paused between when they are sent
  size_t length = 0;                // content-length, when sized: of the body before it was cut
  bool completes_body = true;       // the framing's own end is sent
  size_t dribble = 0;
  Duration head_pause{};
  Duration piece_pause{};

  std::string text;         // what the answer says in all
  int64_t early_input = 0;  // tokens that a bad answer reports before its first content
  int64_t early_output = 0;
  bool reports_usage = true;  // in what is sent
  bool is_malformed = false;  // the answer ends in a call that nobody can read
  int64_t input_tokens = 0;
  int64_t output_tokens = 0;
  int64_t sound_ms = 0;                   // of a transcription, in place of tokens
  std::optional<int64_t> retry_after_ms;  // said by the error, at least that
};

// What the request said.
struct Asked {
  Ask ask = Ask::chat;
  bool is_anthropic = false;
  bool is_streamed = false;
  bool wants_usage = false;  // OpenAI: stream_options.include_usage
  bool is_part = false;      // of a composed answer
  size_t inputs = 0;         // to embed
  std::string model;
};

// `number` makes the texts of different answers differ. `wall_ns` is for absolute dates.
Script draw_script(Rng& rng, const Plan& plan, const Asked& asked, size_t number, int64_t wall_ns);

// The piece as it goes on the wire.
std::string framed(const Script& script, std::string_view piece);

}  // namespace weir::sim
