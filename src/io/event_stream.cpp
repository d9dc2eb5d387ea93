#include "io/event_stream.h"

#include <algorithm>
#include <fmt/format.h>
#include <zlib.h>

namespace weir {
namespace {

constexpr size_t kPreludeBytes = 12;
constexpr size_t kChecksumBytes = 4;
constexpr size_t kFrameBytesMin = kPreludeBytes + kChecksumBytes;
constexpr size_t kHeaderBytesMax = 128 * kKiB;  // what the AWS SDKs accept

std::unexpected<Error> malformed(std::string_view why) {
  return fail(ErrorKind::upstream_malformed,
              fmt::format("the provider's event stream is malformed: {}", why));
}

uint64_t read_number(std::string_view bytes) {
  uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<uint8_t>(byte);
  return number;
}

size_t read_u32(std::string_view bytes, size_t at) {
  return static_cast<size_t>(read_number(bytes.substr(at, 4)));
}

void append_number(std::string& out, uint64_t number, size_t bytes) {
  for (size_t i = bytes; i > 0; --i) out += static_cast<char>(number >> (8 * (i - 1)));
}

uint32_t checksum(std::string_view bytes) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

// The bytes of a value of that type; nothing for types whose value says its own length, or unknown ones.
std::optional<size_t> fixed_size(EventStreamType type) {
  switch (type) {
    case EventStreamType::true_value:
    case EventStreamType::false_value:
      return 0;
    case EventStreamType::int8:
      return 1;
    case EventStreamType::int16:
      return 2;
    case EventStreamType::int32:
      return 4;
    case EventStreamType::int64:
    case EventStreamType::timestamp:
      return 8;
    case EventStreamType::uuid:
      return 16;
    default:
      return std::nullopt;
  }
}

bool is_text(EventStreamType type) {
  return type == EventStreamType::bytes || type == EventStreamType::string || type == EventStreamType::uuid;
}

// Reads one header off the front of `rest`; nothing when it does not fit or has an unknown type.
std::optional<EventStreamHeader> read_header(std::string_view& rest) {
  const size_t name_size = static_cast<uint8_t>(rest[0]);
  if (name_size == 0 || rest.size() < 1 + name_size + 1) return std::nullopt;
  EventStreamHeader header;
  header.name = rest.substr(1, name_size);
  const uint8_t type = static_cast<uint8_t>(rest[1 + name_size]);
  if (type > static_cast<uint8_t>(EventStreamType::uuid)) return std::nullopt;
  header.type = static_cast<EventStreamType>(type);
  rest.remove_prefix(1 + name_size + 1);
  std::optional<size_t> size = fixed_size(header.type);
  if (!size) {
    if (rest.size() < 2) return std::nullopt;
    size = static_cast<size_t>(read_number(rest.substr(0, 2)));
    rest.remove_prefix(2);
  }
  if (rest.size() < *size) return std::nullopt;
  const std::string_view value = rest.substr(0, *size);
  rest.remove_prefix(*size);
  if (is_text(header.type)) {
    header.text = value;
  } else if (header.type == EventStreamType::true_value) {
    header.number = 1;
  } else if (!value.empty()) {
    const size_t unused_bits = 64 - 8 * value.size();
    header.number = static_cast<int64_t>(read_number(value) << unused_bits) >> unused_bits;  // keeps the sign
  }
  return header;
}

Result<EventStreamMessage> parse_frame(std::string_view frame) {
  const size_t content_end = frame.size() - kChecksumBytes;
  if (checksum(frame.substr(0, content_end)) != read_u32(frame, content_end))
    return malformed("the checksum of a message is wrong");
  EventStreamMessage message;
  const size_t headers_size = read_u32(frame, 4);
  std::string_view rest = frame.substr(kPreludeBytes, headers_size);
  message.payload = frame.substr(kPreludeBytes + headers_size, content_end - kPreludeBytes - headers_size);
  while (!rest.empty()) {
    if (message.headers.size() == kHeaderCountMax) return malformed("a message has too many headers");
    const std::optional<EventStreamHeader> header = read_header(rest);
    if (!header) return malformed("a header does not fit its message or has an unknown type");
    message.headers.push_back(*header);
  }
  return message;
}

bool append_header(std::string& out, const EventStreamHeader& header) {
  if (header.name.empty() || header.name.size() > 255) return false;
  append_number(out, header.name.size(), 1);
  out.append(header.name);
  append_number(out, static_cast<uint64_t>(header.type), 1);
  const std::optional<size_t> size = fixed_size(header.type);
  if (!is_text(header.type)) {
    append_number(out, static_cast<uint64_t>(header.number), *size);
    return true;
  }
  if (size ? header.text.size() != *size : header.text.size() > 32767) return false;
  if (!size) append_number(out, header.text.size(), 2);
  out.append(header.text);
  return true;
}

}  // namespace

std::optional<std::string_view> EventStreamMessage::header(std::string_view name) const {
  for (const EventStreamHeader& candidate : headers) {
    if (candidate.name == name && candidate.type == EventStreamType::string) return candidate.text;
  }
  return std::nullopt;
}

Result<size_t> EventStreamDecoder::frame_size(std::string_view prelude) const {
  if (checksum(prelude.substr(0, 8)) != read_u32(prelude, 8))
    return malformed("the checksum of a prelude is wrong");
  const size_t total = read_u32(prelude, 0);
  const size_t headers = read_u32(prelude, 4);
  if (total < kFrameBytesMin || headers > total - kFrameBytesMin || headers > kHeaderBytesMax)
    return malformed("the lengths of a message do not fit");
  if (total > frame_bytes_max_) return malformed("a message is too large");
  return total;
}

Result<std::optional<EventStreamMessage>> EventStreamDecoder::next(std::string_view& bytes) {
  if (was_given_) frame_.clear();
  was_given_ = false;
  const auto fill_to = [&](size_t size) {
    const size_t missing = size > frame_.size() ? size - frame_.size() : 0;
    const size_t taken = std::min(missing, bytes.size());
    frame_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    return frame_.size() >= size;
  };
  if (frame_.empty() && bytes.size() >= kPreludeBytes) {
    const size_t size = TRY(frame_size(bytes.substr(0, kPreludeBytes)));
    if (bytes.size() >= size) {
      EventStreamMessage message = TRY(parse_frame(bytes.substr(0, size)));
      bytes.remove_prefix(size);
      return message;
    }
  }
  if (!fill_to(kPreludeBytes)) return std::nullopt;
  const size_t size = TRY(frame_size(std::string_view(frame_).substr(0, kPreludeBytes)));
  if (!fill_to(size)) return std::nullopt;
  EventStreamMessage message = TRY(parse_frame(frame_));
  was_given_ = true;
  return message;
}

Result<void> append_event_stream(std::string& out, std::span<const EventStreamHeader> headers,
                                 std::string_view payload) {
  const size_t start = out.size();
  out.append(kPreludeBytes, '\0');
  for (const EventStreamHeader& header : headers) {
    if (!append_header(out, header) || out.size() - start > kPreludeBytes + kHeaderBytesMax) {
      out.resize(start);
      return fail(ErrorKind::internal, "a header of an event stream message is not valid");
    }
  }
  const size_t headers_size = out.size() - start - kPreludeBytes;
  if (payload.size() > kEventStreamFrameBytesMax - headers_size - kFrameBytesMin) {
    out.resize(start);
    return fail(ErrorKind::internal, "the payload of an event stream message is too large");
  }
  std::string prelude;
  append_number(prelude, headers_size + payload.size() + kFrameBytesMin, 4);
  append_number(prelude, headers_size, 4);
  append_number(prelude, checksum(prelude), 4);
  out.replace(start, kPreludeBytes, prelude);
  out.append(payload);
  append_number(out, checksum(std::string_view(out).substr(start)), 4);
  return {};
}

}  // namespace weir
