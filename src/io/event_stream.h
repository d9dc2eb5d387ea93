// The framing of application/vnd.amazon.eventstream, which AWS Bedrock streams in: a decoder fed with bytes
// in any cut and an encoder. Without I/O. A frame, all numbers big-endian:
//   u32 total length, u32 header length, u32 CRC-32 of these 8 bytes, headers, payload, u32 CRC-32 of all
//   before
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"

namespace weir {

// The types of header values, with their numbers on the wire. true and false are types of their own there.
enum class EventStreamType : uint8_t {
  true_value = 0,
  false_value = 1,
  int8 = 2,
  int16 = 3,
  int32 = 4,
  int64 = 5,
  bytes = 6,
  string = 7,
  timestamp = 8,  // milliseconds since 1970
  uuid = 9,       // 16 bytes
};

struct EventStreamHeader {
  std::string_view name;
  EventStreamType type = EventStreamType::string;
  std::string_view text = {};  // of bytes, string and uuid
  int64_t number = 0;          // of the integers and timestamp; 1 of true_value
};

// Views are valid until the next call of the decoder and as long as the bytes that it was fed last.
struct EventStreamMessage {
  std::vector<EventStreamHeader> headers;
  std::string_view payload;
  // The text of a string header; nothing without one of that name and type.
  std::optional<std::string_view> header(std::string_view name) const;
};

class EventStreamDecoder {
 public:
  explicit EventStreamDecoder(size_t frame_bytes_max = kEventStreamFrameBytesMax)
      : frame_bytes_max_(frame_bytes_max) {}

  // Removes what it used from the front of `bytes` and gives the next message; nothing when all of `bytes` is
  // used and more are needed. Errors: upstream_malformed for a wrong checksum, lengths that do not fit, a
  // header of unknown type, or a frame over the limit; after one the decoder is of no more use.
  Result<std::optional<EventStreamMessage>> next(std::string_view& bytes);
  // Whether the bytes so far end between two frames: false at the end of a stream means that it was cut.
  bool is_at_boundary() const { return frame_.empty() || was_given_; }

 private:
  Result<size_t> frame_size(std::string_view prelude) const;

  size_t frame_bytes_max_;
  std::string frame_;  // a frame that was cut, as far as it is there
  bool was_given_ = false;
};

// Appends a frame. Errors: internal for a header name that is empty or over 255 bytes, a text over 32767
// bytes, a uuid that is not 16 bytes, more than 128 KiB of headers, or a frame over
// kEventStreamFrameBytesMax; `out` is then as before.
Result<void> append_event_stream(std::string& out, std::span<const EventStreamHeader> headers,
                                 std::string_view payload);

}  // namespace weir
