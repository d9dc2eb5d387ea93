#include <algorithm>
#include <charconv>

#include "io/http1.h"
#include "io/http_chars.h"
#include "io/http_shared.h"

namespace weir {
namespace {

namespace chars = http_chars;

struct Reason {
  int status;
  std::string_view phrase;
};
// Sorted by status (RFC 9110 section 15; 499 and 529 are usage, not standard).
constexpr Reason kReasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {529, "Overloaded"},
};

void append_number(std::string& out, uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

// Puts text behind text that is there already, in room that is known to be enough.
class Writer {
 public:
  explicit Writer(char* at) : at_(at) {}
  Writer& put(std::string_view text) {
    at_ += text.copy(at_, text.size());
    return *this;
  }
  char* at() const { return at_; }

 private:
  char* at_;
};

// False: a name or a value is not valid.
bool append_fields(std::string& out, const Headers& headers) {
  const size_t before = out.size();
  const size_t size_max = before + headers.bytes() + headers.size() * std::string_view(": \r\n").size();
  bool is_valid = true;
  out.resize_and_overwrite(size_max, [&](char* start, size_t) {
    Writer writer(start + before);
    for (const HeaderField field : headers) {
      if (belongs_to_connection(field.name)) continue;
      is_valid = !field.name.empty() && chars::all(field.name, chars::kToken) &&
                 chars::all(field.value, chars::kValue);
      if (!is_valid) break;
      writer.put(field.name).put(": ").put(field.value).put("\r\n");
    }
    return static_cast<size_t>(writer.at() - start);
  });
  return is_valid;
}

bool has_length_field(const ResponseHeadFields& fields) {
  return fields.framing == BodyFraming::content_length && fields.status >= 200 && fields.status != 204;
}

}  // namespace

Result<void> append_request_head(std::string& out, const RequestHeadFields& fields) {
  const size_t before = out.size();
  if (fields.method.empty() || !chars::all(fields.method, chars::kToken))
    return fail(ErrorKind::bad_request, "the request's method is not valid");
  if (fields.target.empty() || !chars::all(fields.target, chars::kTarget))
    return fail(ErrorKind::bad_request,
                "the request's target holds a character that must be percent-encoded");
  if (!chars::is_authority(fields.host))
    return fail(ErrorKind::bad_request, "the request's host is not valid");
  out.append(fields.method).append(" ").append(fields.target).append(" HTTP/1.1\r\nhost: ");
  out.append(fields.host).append("\r\n");
  if (!append_fields(out, *fields.headers)) {
    out.resize(before);
    return fail(ErrorKind::bad_request, "a header of the request holds a character that HTTP does not allow");
  }
  if (fields.content_length) {
    out.append("content-length: ");
    append_number(out, *fields.content_length);
    out.append("\r\n");
  } else if (fields.is_chunked) {
    out.append("transfer-encoding: chunked\r\n");
  }
  out.append("\r\n");
  return {};
}

Result<void> append_response_head(std::string& out, const ResponseHeadFields& fields) {
  const size_t before = out.size();
  if (fields.status < 100 || fields.status > 999)
    return fail(ErrorKind::internal, "the response's status is out of range");
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<uint64_t>(fields.status));
  out.append(" ").append(reason_phrase(fields.status)).append("\r\n");
  if (fields.headers && !append_fields(out, *fields.headers)) {
    out.resize(before);
    return fail(ErrorKind::internal, "a header of the response holds a character that HTTP does not allow");
  }
  if (!fields.date.empty()) out.append("date: ").append(fields.date).append("\r\n");
  if (fields.framing == BodyFraming::chunked) {
    out.append("transfer-encoding: chunked\r\n");
  } else if (has_length_field(fields)) {
    out.append("content-length: ");
    append_number(out, fields.content_length);
    out.append("\r\n");
  }
  if (!fields.connection.empty()) out.append("connection: ").append(fields.connection).append("\r\n");
  out.append("\r\n");
  return {};
}

std::string_view reason_phrase(int status) {
  const auto found = std::ranges::lower_bound(kReasons, status, {}, &Reason::status);
  return found != std::end(kReasons) && found->status == status ? found->phrase : std::string_view();
}

}  // namespace weir
