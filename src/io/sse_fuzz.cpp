// Fuzzes the SSE decoder: it stays inside its buffers, and events, comments and errors do not depend on how
// the bytes are cut. And what passes whole events: every byte in its order, and between two events unless it
// says otherwise. The first two bytes choose the cut and the limit.
#include <cstdlib>

#include "io/sse.h"
#include "io/sse_events.h"

namespace weir {
namespace {

// Everything that the decoder reported, as one text.
std::string decode(std::string_view input, size_t step, size_t bytes_max) {
  SseDecoder decoder(bytes_max);
  std::string seen;
  const auto note = [&seen](const SseEvent& event) {
    seen.append(event.is_comment ? "comment" : event.is_unterminated ? "unterminated" : "event");
    for (const std::string_view text : {event.event, event.data, event.id})
      seen.append(std::to_string(text.size())).append(":").append(text);
  };
  for (size_t at = 0; at < input.size(); at += step) {
    const std::string piece(input.substr(at, step));
    std::string_view rest = piece;
    for (;;) {
      const auto event = decoder.next(rest);
      if (!event) return seen + "too large";
      if (!*event) break;
      note(**event);
    }
    if (!rest.empty()) __builtin_trap();
  }
  if (const auto event = decoder.finish()) note(*event);
  return seen + std::to_string(decoder.retry_ms().value_or(0));
}

void pass(std::string_view input, size_t step, size_t bytes_max) {
  WholeSseEvents events(bytes_max);
  std::string passed;
  for (size_t at = 0; at < input.size(); at += step) {
    const std::string piece(input.substr(at, step));
    passed += events.feed(piece);
    const bool ends_line = passed.empty() || passed.back() == '\n' || passed.back() == '\r';
    if (!ends_line && !events.is_within_event()) __builtin_trap();
  }
  passed += events.finish({});
  if (passed != input) __builtin_trap();
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t bytes_max = data[1] < 128 ? data[1] : weir::kSseEventBytesMax;
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string whole = weir::decode(input, input.size() + 1, bytes_max);
  if (weir::decode(input, 1, bytes_max) != whole) __builtin_trap();
  if (weir::decode(input, 1 + data[0], bytes_max) != whole) __builtin_trap();
  weir::pass(input, 1 + data[0], bytes_max);
  return 0;
}
