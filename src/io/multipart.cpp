#include "io/multipart.h"

#include <algorithm>
#include <fmt/format.h>

#include "io/headers.h"
#include "io/http_runs.h"

namespace weir {
namespace {

namespace chars = http_chars;

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kClose = "--";

std::unexpected<Error> malformed(std::string_view why) {
  return fail(ErrorKind::bad_request, fmt::format("the form cannot be read: {}", why));
}

struct Parameter {
  std::string_view name;
  std::string_view value;  // without its quotes
};

// The next of "; name=value; name="value"", removed from the front. A quote within quotes is read in several
// ways by several parsers, so it is in no value: senders write it as %22.
Result<Parameter> take_parameter(std::string_view& text) {
  text = chars::trim(text);
  if (!text.starts_with(';')) return malformed("a header's parameters are not separated by semicolons");
  text = chars::trim(text.substr(1));
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos || !chars::all(text.substr(0, equals), chars::kToken))
    return malformed("a header's parameter has no name and value");
  Parameter parameter{.name = text.substr(0, equals), .value = {}};
  text.remove_prefix(equals + 1);
  if (text.starts_with('"')) {
    const size_t end = text.find('"', 1);
    if (end == std::string_view::npos) return malformed("a header's parameter is not closed by a quote");
    if (text[end - 1] == '\\') return malformed("a quote within a header's parameter is to be sent as %22");
    parameter.value = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return parameter;
  }
  const size_t end = std::min(text.find_first_of("; \t"), text.size());
  parameter.value = text.substr(0, end);
  if (parameter.value.empty() || !chars::all(parameter.value, chars::kToken))
    return malformed("a header's parameter has no value");
  text.remove_prefix(end);
  return parameter;
}

// Of RFC 2046: what a boundary consists of, but for the space.
bool is_boundary(std::string_view text) {
  constexpr size_t kBytesMax = 70;
  static constexpr std::string_view kOthers = "'()+_,-./:=?";
  return !text.empty() && text.size() <= kBytesMax && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

}  // namespace

Result<std::string> multipart_boundary(std::string_view content_type) {
  const size_t semicolon = std::min(content_type.find(';'), content_type.size());
  const std::string_view type = chars::trim(content_type.substr(0, semicolon));
  if (!equals_ignoring_case(type, "multipart/form-data")) {
    return fail(ErrorKind::unsupported_media_type,
                fmt::format("content-type {} is not accepted here: send multipart/form-data", type));
  }
  std::string_view rest = content_type.substr(semicolon);
  std::optional<std::string_view> boundary;
  while (!chars::trim(rest).empty()) {
    const Parameter parameter = TRY(take_parameter(rest));
    if (!equals_ignoring_case(parameter.name, "boundary")) continue;
    if (boundary) return malformed("content-type gives two boundaries");
    boundary = parameter.value;
  }
  if (!boundary || !is_boundary(*boundary))
    return malformed("content-type has no boundary, or not one of 1 to 70 letters, digits and '()+_,-./:=?");
  return std::string(*boundary);
}

std::string multipart_content_type(std::string_view boundary) {
  const std::string_view quote = chars::all(boundary, chars::kToken) ? "" : "\"";
  return fmt::format("multipart/form-data; boundary={}{}{}", quote, boundary, quote);
}

MultipartReader::MultipartReader(std::string_view boundary)
    : delimiter_(fmt::format("{}--{}", kLineEnd, boundary)) {}

Result<std::optional<MultipartReader::Piece>> MultipartReader::next(std::string_view& bytes) {
  while (!bytes.empty()) {
    std::optional<Piece> piece;
    switch (state_) {
      case State::data:
        piece = take_data(bytes);
        break;
      case State::delimiter:
        piece = TRY(take_delimiter(bytes));
        break;
      case State::after_delimiter:
      case State::head:
        piece = TRY(take_head(bytes));
        break;
      case State::tail:
        tail_bytes_ += bytes.size();
        if (tail_bytes_ > kLineEnd.size() || !kLineEnd.substr(tail_bytes_ - bytes.size()).starts_with(bytes))
          return malformed("there is something after its end");
        return Piece{.kind = PieceKind::tail, .bytes = std::exchange(bytes, {})};
    }
    if (piece) return piece;
  }
  return std::nullopt;
}

// Content up to a delimiter, or what may become one with the bytes that follow.
std::optional<MultipartReader::Piece> MultipartReader::take_data(std::string_view& bytes) {
  size_t at = 0;
  for (;; ++at) {
    at = std::min(bytes.find('\r', at), bytes.size());
    if (at == bytes.size() || delimiter_.starts_with(bytes.substr(at, delimiter_.size()))) break;
  }
  const std::string_view data = bytes.substr(0, at);
  bytes.remove_prefix(at);
  if (!bytes.empty()) {
    state_ = State::delimiter;
    matched_ = 0;
  }
  if (data.empty()) return std::nullopt;
  return Piece{.kind = PieceKind::data, .bytes = data};
}

Result<std::optional<MultipartReader::Piece>> MultipartReader::take_delimiter(std::string_view& bytes) {
  while (!bytes.empty() && matched_ < delimiter_.size() && bytes.front() == delimiter_[matched_]) {
    bytes.remove_prefix(1);
    ++matched_;
  }
  if (matched_ == delimiter_.size()) {
    pending_ = delimiter_.substr(parts_ == 0 ? kLineEnd.size() : 0);
    state_ = State::after_delimiter;
    return std::nullopt;
  }
  if (bytes.empty()) return std::nullopt;
  if (parts_ == 0) return malformed("it does not start with its boundary");
  // It was content. A delimiter has a carriage return at its start only, so none began within what matched.
  state_ = State::data;
  return Piece{.kind = PieceKind::data, .bytes = std::string_view(delimiter_).substr(0, matched_)};
}

// The end of the delimiter's line, or the close; then the header fields.
Result<std::optional<MultipartReader::Piece>> MultipartReader::take_head(std::string_view& bytes) {
  const size_t line_at = delimiter_.size() - (parts_ == 0 ? kLineEnd.size() : 0);
  while (!bytes.empty()) {
    pending_ += bytes.front();
    bytes.remove_prefix(1);
    const std::string_view after = std::string_view(pending_).substr(line_at);
    if (state_ == State::after_delimiter) {
      if (after == kClose) {
        if (parts_ == 0) return malformed("it has no fields");
        state_ = State::tail;
        given_ = std::exchange(pending_, {});
        return Piece{.kind = PieceKind::close, .bytes = given_};
      }
      if (after == kLineEnd) state_ = State::head;
      if (after.size() == kLineEnd.size() && state_ != State::head)
        return malformed("its boundary is followed by something else on the line");
      continue;
    }
    if (after.ends_with(kHeadEnd)) {
      TRY(read_head(after.substr(kLineEnd.size())));
      state_ = State::data;
      given_ = std::exchange(pending_, {});
      return Piece{.kind = PieceKind::head, .bytes = given_};
    }
    if (pending_.size() > kFormPartHeadBytesMax) return malformed("the header fields of a part are too long");
  }
  return std::nullopt;
}

Result<void> MultipartReader::read_head(std::string_view fields) {
  if (++parts_ > kFormPartsMax) return malformed(fmt::format("it has more than {} parts", kFormPartsMax));
  part_ = {};
  has_disposition_ = false;
  fields.remove_suffix(kLineEnd.size());  // the empty line
  while (!fields.empty()) {
    const size_t end = fields.find(kLineEnd);
    TRY(read_field(fields.substr(0, end)));
    fields.remove_prefix(end + kLineEnd.size());
  }
  if (!has_disposition_) return malformed("a part has no content-disposition");
  return {};
}

Result<void> MultipartReader::read_field(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos || !chars::all(line.substr(0, colon), chars::kToken) ||
      !chars::all(chars::trim(line.substr(colon + 1)), chars::kValue))
    return malformed("a part has a header that is none");
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = chars::trim(line.substr(colon + 1));
  if (equals_ignoring_case(name, "content-disposition")) return read_disposition(value);
  const bool is_plain = equals_ignoring_case(value, "7bit") || equals_ignoring_case(value, "8bit") ||
                        equals_ignoring_case(value, "binary");
  if (equals_ignoring_case(name, "content-transfer-encoding") && !is_plain)
    return malformed("a part has a content-transfer-encoding: send its content as it is");
  return {};
}

Result<void> MultipartReader::read_disposition(std::string_view value) {
  if (std::exchange(has_disposition_, true)) return malformed("a part has two content-dispositions");
  const size_t semicolon = std::min(value.find(';'), value.size());
  if (!equals_ignoring_case(chars::trim(value.substr(0, semicolon)), "form-data"))
    return malformed("the content-disposition of a part is not form-data");
  value.remove_prefix(semicolon);
  bool has_name = false;
  while (!chars::trim(value).empty()) {
    const Parameter parameter = TRY(take_parameter(value));
    if (equals_ignoring_case(parameter.name, "name")) {
      if (std::exchange(has_name, true)) return malformed("a part has two names");
      if (parameter.value.find('\\') != std::string_view::npos)
        return malformed("the name of a part holds a backslash");
      part_.name = parameter.value;
    } else if (equals_ignoring_case(parameter.name, "name*")) {
      return malformed("the name of a part is encoded: send it as `name`");
    } else if (equals_ignoring_case(parameter.name, "filename") ||
               equals_ignoring_case(parameter.name, "filename*")) {
      part_.is_file = true;
    }
  }
  if (!has_name) return malformed("a part has no name");
  return {};
}

Result<void> MultipartReader::finish() const {
  if (state_ == State::tail) return {};
  return malformed("it ends before its closing boundary");
}

}  // namespace weir
