#include <fmt/format.h>

#include "base/assert.h"
#include "io/http1.h"
#include "io/http_chars.h"

namespace weir {
namespace {

namespace chars = http_chars;

// Extensions and trailers of one body, together. They mean nothing to Weir, so they may not cost more.
constexpr uint32_t kOverheadBytesMax = 16 * kKiB;
constexpr uint8_t kSizeDigitsMax = 16;

constexpr uint8_t kNoDigit = 16;
constexpr std::array<uint8_t, 256> kHexValues = [] {
  std::array<uint8_t, 256> values;
  values.fill(kNoDigit);
  for (uint8_t i = 0; i < 10; ++i) values['0' + i] = i;
  for (uint8_t i = 0; i < 6; ++i) values['a' + i] = values['A' + i] = 10 + i;
  return values;
}();
uint8_t hex_value(char c) {
  return kHexValues[static_cast<uint8_t>(c)];
}

// Fields that frame or route a message; in a trailer (where RFC 9110 section 6.5.1 forbids them) they are an
// attempt to make another reader of the same bytes see something else.
bool is_forbidden_trailer(std::string_view name) {
  for (const std::string_view forbidden : {"content-length", "transfer-encoding", "connection",
                                           "proxy-connection", "upgrade", "host", "trailer"})
    if (equals_ignoring_case(name, forbidden)) return true;
  return false;
}

}  // namespace

const char* ChunkedDecoder::expect(char c, char wanted, State next) {
  if (c != wanted) return "a line does not end with CRLF where it must";
  state_ = next;
  return nullptr;
}

const char* ChunkedDecoder::count_overhead() {
  if (++overhead_ > kOverheadBytesMax) return "its extensions and trailers are too large";
  return nullptr;
}

Result<std::string_view> ChunkedDecoder::next(std::string_view& bytes) {
  while (!bytes.empty()) {
    if (state_ == State::data) {
      const size_t size = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
      const std::string_view body = bytes.substr(0, size);
      bytes.remove_prefix(size);
      left_ -= size;
      if (left_ == 0) state_ = State::data_return;
      return body;
    }
    if (skip_plain_framing(bytes)) continue;
    const char c = bytes.front();
    bytes.remove_prefix(1);
    if (const char* why = step(c)) return fail(error_kind_, fmt::format("malformed chunked body: {}", why));
    if (state_ == State::done) break;
  }
  return std::string_view();
}

// What stands between the bytes of two chunks is nearly always "\r\n1a\r\n", and there as a whole. All
// else is left to step(), which alone refuses.
bool ChunkedDecoder::skip_plain_framing(std::string_view& bytes) {
  size_t at = 0;
  if (state_ == State::data_return) {
    if (!bytes.starts_with("\r\n")) return false;
    at = 2;
  } else if (state_ != State::size_start) {
    return false;
  }
  uint64_t size = 0;
  constexpr size_t kPlainDigitsMax = 8;
  const size_t end = std::min(bytes.size(), at + kPlainDigitsMax);
  for (; at < end; ++at) {
    const uint8_t digit = hex_value(bytes[at]);
    if (digit == kNoDigit) break;
    size = (size << 4) | digit;
  }
  if (size == 0 || !bytes.substr(at).starts_with("\r\n")) return false;
  bytes.remove_prefix(at + 2);
  left_ = size;
  state_ = State::data;
  return true;
}

const char* ChunkedDecoder::step(char c) {
  switch (state_) {
    case State::size_start:
    case State::size:
      return step_size(c);
    case State::size_line_feed:
      digits_ = 0;
      return expect(c, '\n', left_ == 0 ? State::trailer_start : State::data);
    case State::data_return:
      return expect(c, '\r', State::data_line_feed);
    case State::data_line_feed:
      return expect(c, '\n', State::size_start);
    case State::trailer_start:
    case State::trailer_name:
    case State::trailer_value:
    case State::trailer_line_feed:
    case State::final_line_feed:
      return step_trailer(c);
    default:
      return step_extension(c);
  }
}

const char* ChunkedDecoder::step_size(char c) {
  if (const uint8_t digit = hex_value(c); digit != kNoDigit) {
    if (++digits_ > kSizeDigitsMax) return "a chunk size has too many digits";
    left_ = (left_ << 4) | digit;
    if (left_ > static_cast<uint64_t>(INT64_MAX)) return "a chunk size is too large";
    state_ = State::size;
    return nullptr;
  }
  if (digits_ == 0) return "a chunk size is not a hexadecimal number";
  if (c == '\r') {
    state_ = State::size_line_feed;
    return nullptr;
  }
  if (c == ';') {
    state_ = State::extension_name_start;
    return count_overhead();
  }
  return "a chunk size is not a hexadecimal number";
}

// ;name or ;name=value or ;name="quoted". Escapes in quotes are refused: parsers in use do not agree on them.
const char* ChunkedDecoder::step_extension(char c) {
  if (const char* why = count_overhead()) return why;
  const auto ends = [&]() -> const char* {
    if (c == '\r') {
      state_ = State::size_line_feed;
    } else if (c == ';') {
      state_ = State::extension_name_start;
    } else {
      return "a chunk extension holds a character that it must not";
    }
    return nullptr;
  };
  const bool is_token = chars::is(c, chars::kToken);
  switch (state_) {
    case State::extension_name_start:
      if (!is_token) return "a chunk extension has no name";
      state_ = State::extension_name;
      return nullptr;
    case State::extension_name:
      if (is_token) return nullptr;
      if (c != '=') return ends();
      state_ = State::extension_value_start;
      return nullptr;
    case State::extension_value_start:
      if (!is_token && c != '"') return "a chunk extension has no value";
      state_ = is_token ? State::extension_value : State::extension_quoted;
      return nullptr;
    case State::extension_value:
      return is_token ? nullptr : ends();
    case State::extension_quoted:
      if (!chars::is(c, chars::kValue) || c == '\\')
        return "a chunk extension holds a control character or an escape";
      if (c == '"') state_ = State::extension_quoted_end;
      return nullptr;
    default:
      return ends();
  }
}

const char* ChunkedDecoder::step_trailer(char c) {
  if (const char* why = count_overhead()) return why;
  switch (state_) {
    case State::trailer_start:
      if (c == '\r') {
        state_ = State::final_line_feed;
        return nullptr;
      }
      if (!chars::is(c, chars::kToken)) return "a trailer starts with a character that no name has";
      state_ = State::trailer_name;
      trailer_name_size_ = 0;
      [[fallthrough]];
    case State::trailer_name:
      if (chars::is(c, chars::kToken)) {
        if (trailer_name_size_ < trailer_name_.size()) trailer_name_[trailer_name_size_++] = c;
        return nullptr;
      }
      if (is_forbidden_trailer({trailer_name_.data(), trailer_name_size_}))
        return "a trailer has the name of a field that frames the message";
      return expect(c, ':', State::trailer_value);
    case State::trailer_value:
      if (c == '\r') {
        state_ = State::trailer_line_feed;
        return nullptr;
      }
      if (!chars::is(c, chars::kValue)) return "a trailer holds a control character";
      return nullptr;
    case State::trailer_line_feed:
      return expect(c, '\n', State::trailer_start);
    default:
      return expect(c, '\n', State::done);
  }
}

ChunkStart::ChunkStart(size_t size) : first_(text_.size() - 2) {
  WEIR_ASSERT(size > 0, "an empty chunk would end the body");
  text_[first_] = '\r';
  text_[first_ + 1] = '\n';
  for (; size > 0; size >>= 4) text_[--first_] = "0123456789abcdef"[size & 0xF];
}

}  // namespace weir
