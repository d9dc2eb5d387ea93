#include "sim/script.h"

#include <array>
#include <ctime>
#include <fmt/core.h>

#include "base/json.h"
#include "sim/answers.h"
#include "sim/calls.h"
#include "sim/composed.h"
#include "sim/opaque.h"

namespace weir::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using enum ErrorKind;

const std::array<FaultRow, kFaultCount>& rows() {
  static const std::array<FaultRow, kFaultCount> kRows = {{
      {Fault::none, "none", true, {}},
      {Fault::dribbles, "dribbles", true, {}},
      {Fault::whole_for_stream, "whole_for_stream", true, {}},
      {Fault::ends_twice, "ends_twice", true, {}},
      {Fault::stays_open, "stays_open", true, {}},
      {Fault::closes_without_done, "closes_without_done", true, {}},
      {Fault::closes_before_head, "closes_before_head", false, {upstream_unreachable}},
      {Fault::resets_before_head, "resets_before_head", false, {upstream_unreachable}},
      {Fault::stalls_before_head, "stalls_before_head", false, {upstream_timeout}},
      {Fault::cuts_head, "cuts_head", false, {upstream_unreachable}},
      {Fault::is_not_http, "is_not_http", false, {upstream_malformed}},
      {Fault::rate_limited, "rate_limited", false, {upstream_rate_limited}},
      {Fault::out_of_quota, "out_of_quota", false, {upstream_quota}},
      {Fault::unavailable, "unavailable", false, {upstream_overloaded}},
      {Fault::overloaded_529, "overloaded_529", false, {upstream_overloaded}},
      {Fault::error_500, "error_500", false, {upstream_error}},
      {Fault::html_502, "html_502", false, {upstream_error}},
      {Fault::unauthorized, "unauthorized", false, {upstream_auth}},
      {Fault::bad_request, "bad_request", false, {ErrorKind::bad_request}},
      {Fault::prompt_too_long, "prompt_too_long", false, {context_too_long}},
      {Fault::empty_200, "empty_200", false, {upstream_malformed, upstream_truncated}},
      {Fault::html_200, "html_200", false, {upstream_malformed}},
      {Fault::error_in_200, "error_in_200", false, {upstream_overloaded, upstream_error}},
      {Fault::bad_json, "bad_json", false, {upstream_malformed}},
      {Fault::cuts_before_event, "cuts_before_event", false, {upstream_truncated, upstream_malformed}},
      {Fault::cuts_in_event, "cuts_in_event", false, {upstream_truncated, upstream_malformed}},
      {Fault::cuts_between_events, "cuts_between_events", false, {upstream_truncated, upstream_malformed}},
      {Fault::cuts_before_finish, "cuts_before_finish", false, {upstream_truncated, upstream_malformed}},
      {Fault::resets_in_event, "resets_in_event", false, {upstream_truncated, upstream_unreachable}},
      {Fault::stalls_in_stream, "stalls_in_stream", false, {upstream_timeout}},
      {Fault::error_first, "error_first", false, {upstream_overloaded, upstream_error}},
      {Fault::error_later, "error_later", false, {upstream_overloaded, upstream_error}},
  }};
  return kRows;
}

// "Thu, 01 Jan 2026 00:00:05 GMT".
std::string http_date(int64_t second) {
  const auto time = static_cast<std::time_t>(second);
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 64> text{};
  return std::string(text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc));
}

std::string rfc3339(int64_t second) {
  const auto time = static_cast<std::time_t>(second);
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 64> text{};
  return std::string(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc));
}

// One of the spellings of "come back later"; `seconds_on` is what all of them mean.
std::string retry_after_header(Rng& rng, int64_t seconds_on, int64_t wall_ns) {
  const int64_t then = wall_ns / 1'000'000'000 + seconds_on;
  switch (rng.below(5)) {
    case 0:
      return fmt::format("retry-after: {}\r\n", seconds_on);
    case 1:
      return fmt::format("Retry-After-Ms: {}\r\n", seconds_on * 1000);
    case 2:
      return fmt::format("retry-after: {}\r\n", http_date(then));
    case 3:
      return fmt::format("x-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: {}s\r\n",
                         seconds_on);
    default:
      return fmt::format(
          "anthropic-ratelimit-requests-remaining: 0\r\nanthropic-ratelimit-requests-reset: {}\r\n",
          rfc3339(then));
  }
}

size_t body_size(const std::vector<std::string>& pieces) {
  size_t size = 0;
  for (const std::string& piece : pieces) size += piece.size();
  return size;
}

struct ErrorAnswer {
  int status;
  std::string_view type;
  std::string_view message;
};

std::optional<ErrorAnswer> error_answer(Fault fault) {
  switch (fault) {
    case Fault::rate_limited:
      return ErrorAnswer{429, "rate_limit_error", "Rate limit reached"};
    case Fault::out_of_quota:
      return ErrorAnswer{429, "insufficient_quota", "You exceeded your current quota"};
    case Fault::unavailable:
      return ErrorAnswer{503, "api_error", "Service unavailable"};
    case Fault::overloaded_529:
      return ErrorAnswer{529, "overloaded_error", "Overloaded"};
    case Fault::error_500:
      return ErrorAnswer{500, "api_error", "Internal server error"};
    case Fault::unauthorized:
      return ErrorAnswer{401, "authentication_error", "invalid key"};
    case Fault::bad_request:
      return ErrorAnswer{400, "invalid_request_error", "temperature is out of range"};
    case Fault::prompt_too_long:
      return ErrorAnswer{400, "invalid_request_error", "prompt is too long: 300000 tokens > 200000 maximum"};
    default:
      return std::nullopt;
  }
}

void make_error_answer(Script& script, const Asked& asked, const ErrorAnswer& error, Rng& rng,
                       int64_t wall_ns) {
  std::string headers = "content-type: application/json\r\n";
  if (error.status == 429 && draw_chance(rng, 0.7)) {
    const int64_t wait = 1 + static_cast<int64_t>(rng.below(draw_chance(rng, 0.2) ? 100 : 3));
    headers += retry_after_header(rng, wait, wall_ns);
    script.retry_after_ms = wait * 1000 - 1000;  // dates are cut to the second
  }
  script.head = fmt::format("HTTP/1.1 {} Trouble\r\n{}", error.status, headers);
  script.pieces = {error_body(asked.is_anthropic, error.type, error.message)};
  script.framing = Framing::sized;
  script.reports_usage = false;
}

// The faults that change a good answer. `content` is the first piece that carries content, `finish` the first
// that belongs to the end.
void spoil(Script& script, const Asked& asked, const AnswerPieces& good, Rng& rng) {
  std::vector<std::string>& pieces = script.pieces;
  const auto keep = [&](size_t count) { pieces.resize(std::min(count, pieces.size())); };
  const auto somewhere = [&] { return good.content + 1 + rng.below(good.finish - good.content); };
  const auto cut = [&](Ending ending) {
    script.completes_body = false;
    script.ending = ending;
    script.reports_usage = false;
  };
  switch (script.fault) {
    case Fault::cuts_before_event:
      keep(0);
      return cut(Ending::closes);
    case Fault::cuts_between_events:
      keep(somewhere());
      return cut(Ending::closes);
    case Fault::cuts_before_finish:
      keep(good.finish);
      // In order, as far as HTTP can tell: only the dialect knows that something is missing.
      cut(Ending::closes);
      script.completes_body = true;
      if (script.framing == Framing::sized) script.framing = Framing::chunked;
      return;
    case Fault::cuts_in_event:
    case Fault::resets_in_event: {
      keep(somewhere());
      std::string& last = pieces.back();
      last.resize(1 + rng.below(last.size() - 1));
      return cut(script.fault == Fault::cuts_in_event ? Ending::closes : Ending::resets);
    }
    case Fault::stalls_in_stream:
      keep(somewhere());
      return cut(Ending::stalls);
    case Fault::bad_json:
      keep(draw_chance(rng, 0.3) ? good.content : somewhere());
      pieces.push_back(script.is_streamed ? "data: {\"choices\": [{]\n\n" : "{]");
      cut(Ending::closes);
      script.completes_body = true;
      if (script.framing == Framing::sized) script.framing = Framing::chunked;
      return;
    case Fault::error_first:
      keep(draw_chance(rng, 0.5) ? 0 : good.content);
      break;
    case Fault::error_later:
      keep(somewhere());
      break;
    default:
      return;
  }
  pieces.push_back(error_event(asked.is_anthropic, "overloaded_error", "Overloaded"));
  script.reports_usage = false;
}

void make_answer(Script& script, const Asked& asked, size_t number, Rng& rng) {
  script.is_streamed = asked.is_streamed && script.fault != Fault::whole_for_stream;
  const bool is_bytes = is_opaque(asked.ask);
  // What parts do not report is estimated for each; here it is to be exact.
  script.reports_usage = (asked.is_part || draw_chance(rng, 0.9)) &&
                         (!script.is_streamed || asked.is_anthropic || asked.wants_usage || is_bytes);
  if (asked.ask == Ask::call) script.reports_usage = true;  // Gemini does, and each answer counts
  const AnswerPieces good = asked.ask == Ask::call         ? make_call_pieces(rng, script, number)
                            : is_bytes                     ? make_opaque_pieces(rng, script, asked, number)
                            : asked.ask == Ask::embeddings ? make_embeddings(rng, script, asked, number)
                                                           : make_answer_pieces(rng, script, asked, number);
  script.text = good.text;
  script.pieces = good.pieces;
  const size_t framing = rng.below(4);
  script.framing = framing < 2 ? Framing::chunked : framing == 2 ? Framing::sized : Framing::until_close;
  // Nothing but its framing tells whether such an answer is whole.
  if (is_bytes && script.fault != Fault::none && script.framing == Framing::until_close)
    script.framing = Framing::chunked;
  if (script.fault == Fault::stays_open) {
    script.framing = Framing::chunked;
    script.completes_body = false;
    script.ending = Ending::stalls;
  }
  if (draw_chance(rng, 0.2) || script.framing == Framing::until_close) script.ending = Ending::closes;
  if (script.fault == Fault::stays_open) script.ending = Ending::stalls;
  if (script.fault == Fault::closes_without_done) script.pieces.pop_back();
  if (script.fault == Fault::ends_twice) script.pieces.push_back(script.pieces.back());
  const size_t length = body_size(script.pieces);
  const bool is_early = script.reports_usage && script.is_streamed && asked.is_anthropic;
  spoil(script, asked, good, rng);
  script.is_malformed = script.is_malformed && fault_row(script.fault).is_answered;
  if (is_early && !script.pieces.empty() && script.pieces[0] == good.pieces[0]) {
    script.early_input = script.input_tokens;
    script.early_output = 1;
  }
  script.length = script.completes_body ? body_size(script.pieces) : length;
  script.head = fmt::format("HTTP/1.1 200 OK\r\ncontent-type: {}\r\n",
                            script.is_streamed ? "text/event-stream" : "application/json");
  script.head_pause = draw_chance(rng, 0.5) ? Duration() : draw_between(rng, {}, seconds(1));
  if (script.is_streamed && draw_chance(rng, 0.6))
    script.piece_pause = draw_between(rng, {}, milliseconds(600));
}

// What is wrong within the bytes of an answer that passes as bytes is nothing that the gateway looks at.
bool is_possible_for_bytes(Fault fault) {
  switch (fault) {
    case Fault::closes_without_done:
    case Fault::ends_twice:
    case Fault::stays_open:
    case Fault::whole_for_stream:
    case Fault::empty_200:
    case Fault::html_200:
    case Fault::error_in_200:
    case Fault::bad_json:
    case Fault::cuts_before_finish:
    case Fault::error_first:
    case Fault::error_later:
      return false;
    default:
      return true;
  }
}

// Errors are written in the words of the other two dialects, and Gemini's streams have no end marker: theirs
// is the end of the body.
bool is_possible_for_calls(Fault fault) {
  switch (fault) {
    case Fault::closes_without_done:
    case Fault::ends_twice:
    case Fault::stays_open:
    case Fault::out_of_quota:
    case Fault::prompt_too_long:
    case Fault::error_in_200:
    case Fault::error_first:
    case Fault::error_later:
      return false;
    default:
      return true;
  }
}

// Some faults have no meaning for some requests.
bool is_possible(Fault fault, const Asked& asked) {
  if (is_opaque(asked.ask) && !is_possible_for_bytes(fault)) return false;
  if (asked.ask == Ask::call && !is_possible_for_calls(fault)) return false;
  switch (fault) {
    case Fault::whole_for_stream:
    case Fault::ends_twice:
    case Fault::stays_open:
    case Fault::stalls_in_stream:
    case Fault::error_first:
    case Fault::error_later:
      return asked.is_streamed;
    case Fault::closes_without_done:
      return asked.is_streamed;
    default:
      return true;
  }
}

void make_page(Script& script, std::string_view status) {
  script.head = fmt::format("HTTP/1.1 {}\r\ncontent-type: text/html\r\n", status);
  script.pieces = {"<!DOCTYPE html><html><body>Bad gateway</body></html>"};
  script.framing = Framing::sized;
  script.reports_usage = false;
}

}  // namespace

const FaultRow& fault_row(Fault fault) {
  return rows()[static_cast<size_t>(fault)];
}

Script draw_script(Rng& rng, const Plan& plan, const Asked& asked, size_t number, int64_t wall_ns) {
  Script script;
  script.is_streamed = asked.is_streamed;
  script.ask = asked.ask;
  if (draw_chance(rng, plan.fault_share)) script.fault = static_cast<Fault>(rng.below(kFaultCount));
  if (!is_possible(script.fault, asked)) script.fault = Fault::none;
  switch (script.fault) {
    case Fault::closes_before_head:
      script.ending = Ending::closes;
      break;
    case Fault::resets_before_head:
      script.ending = Ending::resets;
      break;
    case Fault::stalls_before_head:
      script.ending = Ending::stalls;
      break;
    case Fault::cuts_head:
      script.head = "HTTP/1.1 200 OK\r\ncontent-ty";
      script.completes_body = false;
      script.ending = Ending::closes;
      break;
    case Fault::is_not_http:
      script.head = "SSH-2.0-OpenSSH_9.2\r\n\r\n";
      script.completes_body = false;
      script.ending = Ending::closes;
      break;
    case Fault::html_502:
      make_page(script, "502 Bad Gateway");
      break;
    case Fault::html_200:
      make_page(script, "200 OK");
      break;
    case Fault::empty_200:
      script.head = fmt::format("HTTP/1.1 200 OK\r\ncontent-type: {}\r\n",
                                asked.is_streamed ? "text/event-stream" : "application/json");
      script.framing = Framing::sized;
      break;
    case Fault::error_in_200:
      script.head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
      script.pieces = {error_body(asked.is_anthropic, "overloaded_error", "Overloaded")};
      script.framing = Framing::sized;
      break;
    default:
      if (const auto error = error_answer(script.fault)) {
        make_error_answer(script, asked, *error, rng, wall_ns);
      } else {
        make_answer(script, asked, number, rng);
      }
  }
  if (script.length == 0) script.length = body_size(script.pieces);
  if (script.fault == Fault::dribbles) script.dribble = 1 + rng.below(7);
  return script;
}

std::string framed(const Script& script, std::string_view piece) {
  if (script.framing != Framing::chunked || piece.empty()) return std::string(piece);
  return fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
}

}  // namespace weir::sim
