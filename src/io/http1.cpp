#include "io/http1.h"

#include <cstring>
#include <fmt/format.h>

#include "io/http_runs.h"
#include "io/http_shared.h"

namespace weir {
namespace {

namespace chars = http_chars;

// Empty lines before a request line that are skipped (RFC 9112 section 2.2 asks for at least one).
constexpr size_t kLeadingEmptyLinesMax = 4;

// A field that decides the framing or the life of the connection, met while the fields are read.
struct ConnectionFields {
  std::optional<uint64_t> content_length;
  bool has_transfer_encoding = false;
  bool is_chunked = false;
  bool closes = false;
  bool keeps_alive = false;
  bool offers_upgrade = false;
  bool has_upgrade = false;
  std::optional<std::string_view> host;
  std::optional<std::string_view> expect;
};

// Up to 19 digits that fit a signed 64-bit number; leading zeros are in the grammar (RFC 9110 section 8.6).
std::optional<uint64_t> parse_length(std::string_view text) {
  if (text.empty() || text.size() > 19 || !chars::all(text, chars::kDigit)) return std::nullopt;
  uint64_t length = 0;
  for (const char digit : text) length = length * 10 + static_cast<uint64_t>(digit - '0');
  if (length > static_cast<uint64_t>(INT64_MAX)) return std::nullopt;
  return length;
}

void read_connection_options(std::string_view value, ConnectionFields& fields) {
  while (!value.empty()) {
    const size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = chars::trim(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    if (equals_ignoring_case(option, "close")) fields.closes = true;
    if (equals_ignoring_case(option, "keep-alive")) fields.keeps_alive = true;
    if (equals_ignoring_case(option, "upgrade")) fields.offers_upgrade = true;
  }
}

// Gives what is wrong with the field, or nothing.
const char* note_content_length(std::string_view value, ConnectionFields& fields) {
  if (fields.content_length) return "content-length is given more than once";
  fields.content_length = parse_length(value);
  return fields.content_length ? nullptr : "content-length is not a number of bytes";
}

const char* note_transfer_encoding(std::string_view value, ConnectionFields& fields) {
  if (fields.has_transfer_encoding) return "transfer-encoding is given more than once";
  fields.has_transfer_encoding = true;
  fields.is_chunked = equals_ignoring_case(value, "chunked");
  return fields.is_chunked ? nullptr : "transfer-encoding must be exactly \"chunked\"";
}

const char* note_field(HeaderField field, ConnectionFields& fields) {
  switch (field.name.size()) {
    case 4:
      if (!equals_ignoring_case(field.name, "host")) return nullptr;
      if (fields.host) return "the host field is given more than once";
      fields.host = field.value;
      return nullptr;
    case 6:
      if (equals_ignoring_case(field.name, "expect")) fields.expect = field.value;
      return nullptr;
    case 7:
      if (equals_ignoring_case(field.name, "upgrade")) fields.has_upgrade = true;
      return nullptr;
    case 10:
      if (equals_ignoring_case(field.name, "connection")) read_connection_options(field.value, fields);
      return nullptr;
    case 14:
      return equals_ignoring_case(field.name, "content-length") ? note_content_length(field.value, fields)
                                                                : nullptr;
    case 17:
      return equals_ignoring_case(field.name, "transfer-encoding")
                 ? note_transfer_encoding(field.value, fields)
                 : nullptr;
    default:
      return nullptr;
  }
}

// What a bad field is: the caller gives it the kind that fits its side.
struct FieldFailure {
  const char* why = nullptr;
  bool is_too_many = false;
};

constexpr const char* kTornHead = "it ends within its head";

struct FieldBlock {
  Headers& headers;  // of the head that is read; empty
  ConnectionFields connection{};
  size_t size = 0;  // with the empty line
};

// The field lines that `bytes` start with, each ended by CRLF, up to and with the empty line.
FieldFailure parse_fields(std::string_view bytes, size_t count_max, FieldBlock& out) {
  size_t at = 0;
  while (at < bytes.size() && bytes[at] != '\r') {
    const size_t name_end = chars::run(bytes, at, chars::kToken);
    if (name_end == at) return {"a header line starts with a character that no name has"};
    if (name_end == bytes.size()) return {kTornHead};
    if (bytes[name_end] != ':') return {"a header name is not followed directly by a colon"};
    const size_t line_end = chars::run(bytes, name_end + 1, chars::kValue);
    if (!bytes.substr(line_end).starts_with("\r\n")) return {"a header value holds a control character"};
    if (out.headers.size() == count_max) return {"there are too many header fields", true};
    const HeaderField field = {bytes.substr(at, name_end - at),
                               chars::trim(bytes.substr(name_end + 1, line_end - name_end - 1))};
    if (const char* why = note_field(field, out.connection)) return {why};
    out.headers.note(bytes, field);
    at = line_end + 2;
  }
  if (!bytes.substr(at).starts_with("\r\n")) return {"a carriage return stands alone"};
  out.size = at + 2;
  out.headers.hold(bytes.substr(0, out.size));
  return {};
}

std::unexpected<Error> bad_request(std::string_view why) {
  return fail(ErrorKind::bad_request, fmt::format("malformed HTTP request: {}", why));
}

struct RequestLine {
  std::string_view method;
  std::string_view target;
  HttpVersion version = HttpVersion::http_1_1;
};

Result<HttpVersion> parse_version(std::string_view text) {
  if (text == "HTTP/1.1") return HttpVersion::http_1_1;
  if (text == "HTTP/1.0") return HttpVersion::http_1_0;
  const bool is_other_version = text.size() == 8 && text.starts_with("HTTP/") &&
                                chars::is(text[5], chars::kDigit) && text[6] == '.' &&
                                chars::is(text[7], chars::kDigit);
  if (is_other_version)
    return fail(refusal(ErrorKind::bad_request, "this server speaks HTTP/1.1 and HTTP/1.0 here",
                        kVersionNotSupported));
  return bad_request("the request line does not end with an HTTP version");
}

Result<RequestLine> parse_request_line(std::string_view line) {
  RequestLine parts;
  const size_t method_end = chars::run(line, 0, chars::kToken);
  if (method_end == 0 || method_end == line.size() || line[method_end] != ' ')
    return bad_request("the method is not a token followed by one space");
  parts.method = line.substr(0, method_end);
  const size_t target_end = chars::run(line, method_end + 1, chars::kTarget);
  if (target_end == method_end + 1 || target_end == line.size() || line[target_end] != ' ')
    return bad_request("the target has a character that must be percent-encoded, or no version follows it");
  parts.target = line.substr(method_end + 1, target_end - method_end - 1);
  parts.version = TRY(parse_version(line.substr(target_end + 1)));
  return parts;
}

// Brings the target into origin form; the authority of an absolute target wins over Host (RFC 9112 3.2.2).
Result<void> resolve_target(const RequestLine& line, const ConnectionFields& fields, HttpRequest& request) {
  request.authority = fields.host.value_or(std::string_view());
  if (line.method == "CONNECT")
    return fail(refusal(ErrorKind::bad_request, "CONNECT is not served", kNotImplemented));
  if (line.target.front() == '/') {
    request.target = line.target;
    return {};
  }
  if (line.target == "*") {
    if (line.method != "OPTIONS") return bad_request("the target * is for OPTIONS only");
    request.target = "*";
    return {};
  }
  const size_t scheme_end = line.target.find("://");
  const std::string_view scheme = line.target.substr(0, std::min(scheme_end, line.target.size()));
  if (scheme_end == std::string_view::npos ||
      !(equals_ignoring_case(scheme, "http") || equals_ignoring_case(scheme, "https")))
    return bad_request("the target must start with / or be an http URL");
  const std::string_view rest = line.target.substr(scheme_end + 3);
  const size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, authority_end);
  if (authority.empty() || authority.front() == ':' || !chars::is_authority(authority))
    return bad_request("the target has no valid host");
  request.authority = authority;
  const std::string_view path = rest.substr(authority_end);
  request.target = path.empty() || path.front() == '?' ? fmt::format("/{}", path) : std::string(path);
  return {};
}

Result<void> check_host(const ConnectionFields& fields, HttpVersion version) {
  if (!fields.host) {
    if (version == HttpVersion::http_1_1) return bad_request("the host field is missing");
    return {};
  }
  if (!chars::is_authority(*fields.host)) return bad_request("the host field is not a host");
  return {};
}

Result<void> frame_request(const ConnectionFields& fields, RequestHead& head) {
  const bool is_http_1_0 = head.request.version == HttpVersion::http_1_0;
  if (fields.has_transfer_encoding) {
    if (fields.content_length) return bad_request("content-length and transfer-encoding exclude each other");
    if (is_http_1_0) return bad_request("transfer-encoding does not exist in HTTP/1.0");
    head.framing = BodyFraming::chunked;
  } else if (fields.content_length) {
    head.framing = BodyFraming::content_length;
    head.content_length = *fields.content_length;
  }
  head.keep_alive = !fields.closes && (!is_http_1_0 || fields.keeps_alive);
  head.is_upgrade = fields.has_upgrade && fields.offers_upgrade;
  if (fields.expect && !is_http_1_0) {
    if (!equals_ignoring_case(*fields.expect, "100-continue"))
      return fail(ErrorKind::expectation_failed, "only Expect: 100-continue can be met");
    head.expects_continue = true;
  }
  return {};
}

// The head that `bytes` start with. What it gives is right whatever they are; of what is wrong with them it
// gives the right reason only when a HeadScanner found their end.
Result<std::unique_ptr<RequestHead>> parse_request(std::string_view bytes, const HttpLimits& limits) {
  const size_t line_end = bytes.find('\r');
  if (line_end == std::string_view::npos || line_end + 2 > limits.start_line_bytes_max)
    return bad_request(kTornHead);
  if (!bytes.substr(line_end).starts_with("\r\n")) return bad_request("a carriage return stands alone");
  const RequestLine line = TRY(parse_request_line(bytes.substr(0, line_end)));
  auto head = std::make_unique<RequestHead>();
  head->request.method = line.method;
  head->request.version = line.version;
  FieldBlock fields{head->request.headers};
  const FieldFailure failure = parse_fields(bytes.substr(line_end + 2), limits.header_count_max, fields);
  if (failure.is_too_many) return fail(ErrorKind::head_too_large, failure.why);
  if (failure.why) return bad_request(failure.why);
  head->consumed = line_end + 2 + fields.size;
  if (head->consumed > limits.head_bytes_max) return bad_request(kTornHead);
  TRY(check_host(fields.connection, line.version));
  TRY(resolve_target(line, fields.connection, head->request));
  TRY(frame_request(fields.connection, *head));
  return head;
}

std::unexpected<Error> malformed(std::string_view why) {
  return fail(ErrorKind::upstream_malformed, fmt::format("the provider's HTTP answer is malformed: {}", why));
}

// "HTTP/1.1 200 OK"; the reason may be empty, and the space before it missing, as some servers send it.
Result<void> parse_status_line(std::string_view line, ResponseHead& head) {
  if (line.size() < 12 || !(line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ")))
    return malformed("it does not start with HTTP/1.1 and a status");
  if (line[7] == '0') head.version = HttpVersion::http_1_0;
  const std::string_view digits = line.substr(9, 3);
  if (!chars::all(digits, chars::kDigit) || digits[0] == '0') return malformed("the status is not a number");
  if (line.size() > 12 && line[12] != ' ') return malformed("the status is not a number of three digits");
  if (!chars::all(line.substr(12), chars::kValue)) return malformed("the reason holds a control character");
  head.status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
  return {};
}

Result<void> frame_response(const ConnectionFields& fields, std::string_view method, ResponseHead& head) {
  const bool is_http_1_0 = head.version == HttpVersion::http_1_0;
  head.keep_alive = !fields.closes && (!is_http_1_0 || fields.keeps_alive);
  if (fields.has_transfer_encoding) {
    if (fields.content_length) return malformed("content-length and transfer-encoding exclude each other");
    if (is_http_1_0) return malformed("transfer-encoding does not exist in HTTP/1.0");
  }
  const bool is_bodyless = head.status < 200 || head.status == 204 || head.status == 304 || method == "HEAD";
  if (is_bodyless) return {};
  if (fields.has_transfer_encoding) {
    head.framing = BodyFraming::chunked;
  } else if (fields.content_length) {
    head.framing = BodyFraming::content_length;
    head.content_length = *fields.content_length;
  } else {
    head.framing = BodyFraming::until_close;
    head.keep_alive = false;
  }
  return {};
}

// As parse_request().
Result<std::unique_ptr<ResponseHead>> parse_response(std::string_view bytes, std::string_view method,
                                                     const HttpLimits& limits) {
  const size_t line_end = bytes.find('\r');
  if (line_end == std::string_view::npos || line_end + 2 > limits.start_line_bytes_max)
    return malformed(kTornHead);
  if (!bytes.substr(line_end).starts_with("\r\n")) return malformed("a carriage return stands alone");
  auto head = std::make_unique<ResponseHead>();
  TRY(parse_status_line(bytes.substr(0, line_end), *head));
  FieldBlock fields{head->headers};
  const FieldFailure failure = parse_fields(bytes.substr(line_end + 2), limits.header_count_max, fields);
  if (failure.why) return malformed(failure.why);
  head->consumed = line_end + 2 + fields.size;
  if (head->consumed > limits.head_bytes_max) return malformed(kTornHead);
  TRY(frame_response(fields.connection, method, *head));
  return head;
}

}  // namespace

HeadScanner::State HeadScanner::scan(std::string_view bytes, const HttpLimits& limits) {
  for (;;) {
    // The start line has a limit of its own, so that an endless one is told apart from too many fields.
    const size_t limit =
        has_start_line_ ? start_ + limits.head_bytes_max : start_ + limits.start_line_bytes_max;
    const size_t reach = std::min(bytes.size(), limit);
    const void* found =
        reach > scanned_ ? std::memchr(bytes.data() + scanned_, '\n', reach - scanned_) : nullptr;
    if (!found) {
      scanned_ = std::max(scanned_, reach);
      if (bytes.size() < limit) return State::incomplete;
      return has_start_line_ ? State::head_too_long : State::start_line_too_long;
    }
    const size_t at = static_cast<size_t>(static_cast<const char*>(found) - bytes.data());
    scanned_ = at + 1;
    if (at == line_ || bytes[at - 1] != '\r') return State::bare_line_feed;
    const bool is_empty_line = at == line_ + 1;
    line_ = at + 1;
    if (!is_empty_line) {
      has_start_line_ = true;
    } else if (has_start_line_) {
      end_ = at + 1;
      return State::complete;
    } else {
      start_ = at + 1;
      if (start_ > 2 * kLeadingEmptyLinesMax) return State::bare_line_feed;
    }
  }
}

Result<std::unique_ptr<RequestHead>> RequestHeadParser::parse(std::string_view bytes) {
  if (scanner_.is_fresh()) {
    Result<std::unique_ptr<RequestHead>> head = parse_request(bytes, limits_);
    if (head) return head;
  }
  switch (scanner_.scan(bytes, limits_)) {
    case HeadScanner::State::incomplete:
      // What cannot become a request (a TLS hello, say) is refused without waiting for a line end.
      if (scanner_.start() < bytes.size() && bytes[scanner_.start()] != '\r' &&
          !chars::is(bytes[scanner_.start()], chars::kToken))
        return bad_request("it does not start with a method");
      return nullptr;
    case HeadScanner::State::bare_line_feed:
      return bad_request("a line does not end with CRLF, or there are too many empty lines");
    case HeadScanner::State::start_line_too_long:
      return fail(refusal(ErrorKind::head_too_large, "the request line is too long", kUriTooLong));
    case HeadScanner::State::head_too_long:
      return fail(ErrorKind::head_too_large, "the header fields are too large");
    case HeadScanner::State::complete:
      break;
  }
  const std::string_view head_bytes = bytes.substr(scanner_.start(), scanner_.end() - scanner_.start());
  std::unique_ptr<RequestHead> head = TRY(parse_request(head_bytes, limits_));
  head->consumed = scanner_.end();
  return head;
}

Result<std::unique_ptr<ResponseHead>> ResponseHeadParser::parse(std::string_view bytes,
                                                                std::string_view method) {
  if (scanner_.is_fresh()) {
    Result<std::unique_ptr<ResponseHead>> head = parse_response(bytes, method, limits_);
    if (head) return head;
  }
  switch (scanner_.scan(bytes, limits_)) {
    case HeadScanner::State::incomplete:
      return nullptr;
    case HeadScanner::State::bare_line_feed:
      return malformed("a line does not end with CRLF");
    case HeadScanner::State::start_line_too_long:
    case HeadScanner::State::head_too_long:
      return malformed("its head is too large");
    case HeadScanner::State::complete:
      break;
  }
  if (scanner_.start() != 0) return malformed("it starts with an empty line");
  return parse_response(bytes.substr(0, scanner_.end()), method, limits_);
}

}  // namespace weir
