// Fuzzes the AWS event stream decoder: it stays inside its buffers, and what it reports does not depend on
// how the bytes are cut. Checksums are right by chance never, so half of the inputs become the content of a
// frame that the harness signs itself. The first byte chooses; the second is the size of the pieces.
#include <cstdlib>
#include <zlib.h>

#include "io/event_stream.h"

namespace weir {
namespace {

std::string decode(std::string_view input, size_t step) {
  EventStreamDecoder decoder(64 * kKiB);
  std::string seen;
  for (size_t at = 0; at < input.size(); at += step) {
    const std::string piece(input.substr(at, step));
    std::string_view rest = piece;
    for (;;) {
      const auto message = decoder.next(rest);
      if (!message) return seen + message.error().message;
      if (!*message) break;
      for (const EventStreamHeader& header : (*message)->headers)
        seen.append(header.name).append("=").append(header.text).append(std::to_string(header.number));
      seen.append((*message)->payload).append("|");
      std::string again;
      if (!append_event_stream(again, (*message)->headers, (*message)->payload)) __builtin_trap();
    }
    if (!rest.empty()) __builtin_trap();
  }
  return seen + (decoder.is_at_boundary() ? "end" : "cut");
}

void append_u32(std::string& out, size_t number) {
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(number >> shift);
}

size_t checksum(std::string_view bytes) {
  return crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}

// The input's bytes as headers and payload of a frame whose lengths and checksums are right; the first one
// chooses where the headers end.
std::string sign(std::string_view content) {
  std::string frame;
  append_u32(frame, content.size() + 16);
  append_u32(frame, content.empty() ? 0 : static_cast<uint8_t>(content[0]) % content.size());
  append_u32(frame, checksum(frame));
  frame.append(content.substr(std::min<size_t>(1, content.size())));
  frame.append(std::min<size_t>(1, content.size()), '.');
  append_u32(frame, checksum(frame));
  return frame;
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 32 * weir::kKiB) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string input = (data[0] & 1) != 0 ? weir::sign(rest) : std::string(rest);
  const std::string whole = weir::decode(input, input.size() + 1);
  if (weir::decode(input, 1) != whole) __builtin_trap();
  if (weir::decode(input, 1 + data[1]) != whole) __builtin_trap();
  return 0;
}
