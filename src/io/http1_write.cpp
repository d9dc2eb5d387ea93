#include <algorithm>
#include <array>

#include "base/flat_text.h"
#include "io/http1.h"
#include "io/http_runs.h"

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

// How many characters of the text no value may hold. For much text at once, of which nearly all are good.
size_t count_controls(std::string_view text) {
  using Wide [[gnu::vector_size(2 * chars::kLanes)]] = uint16_t;
  size_t count = 0;
  size_t at = 0;
  while (text.size() - at >= chars::kLanes) {
    // A lane counts to 255.
    const size_t end = at + std::min<size_t>((text.size() - at) / chars::kLanes, 255) * chars::kLanes;
    chars::Lanes counts{};
    for (; at < end; at += chars::kLanes)
      counts -= std::bit_cast<chars::Lanes>(chars::controls(chars::load_lanes(text.data() + at)));
    count += __builtin_reduce_add(__builtin_convertvector(counts, Wide));
  }
  for (; at < text.size(); ++at) count += chars::is(text[at], chars::kValue) ? 0 : 1;
  return count;
}

bool put_fields_one_by_one(FlatText& head, const Headers& headers) {
  for (const HeaderField field : headers) {
    if (belongs_to_connection(field.name)) continue;
    const bool is_valid = !field.name.empty() && chars::all(field.name, chars::kToken) &&
                          chars::all(field.value, chars::kValue);
    if (!is_valid) return false;
    head.text(field.name).text(": ").text(field.value).text("\r\n");
  }
  return true;
}

// False: a name or a value is not valid.
bool put_fields(FlatText& head, const Headers& headers) {
  const std::optional<std::string_view> lines = headers.lines();
  if (!lines) return put_fields_one_by_one(head, headers);
  head.text(*lines);
  // Two end each line. One more would be in a value.
  return count_controls(*lines) == 2 * headers.size();
}

size_t fields_bytes_max(const Headers& headers) {
  return headers.bytes() + headers.size() * std::string_view(": \r\n").size();
}

// More than all that stands in a head besides what its fields give.
constexpr size_t kFixedBytesMax = 128;

void put_length(FlatText& head, uint64_t length) {
  head.text("content-length: ").decimal(static_cast<int64_t>(length)).text("\r\n");
}

bool has_length_field(const ResponseHeadFields& fields) {
  return fields.framing == BodyFraming::content_length && fields.status >= 200 && fields.status != 204;
}

}  // namespace

Result<void> append_request_head(std::string& out, const RequestHeadFields& fields) {
  if (fields.method.empty() || !chars::all(fields.method, chars::kToken))
    return fail(ErrorKind::bad_request, "the request's method is not valid");
  if (fields.target.empty() || !chars::all(fields.target, chars::kTarget))
    return fail(ErrorKind::bad_request,
                "the request's target holds a character that must be percent-encoded");
  if (!chars::is_authority(fields.host))
    return fail(ErrorKind::bad_request, "the request's host is not valid");
  const size_t before = out.size();
  const size_t size_max = kFixedBytesMax + fields.method.size() + fields.target.size() + fields.host.size() +
                          fields_bytes_max(*fields.headers);
  bool is_valid = false;
  append_flat(out, size_max, [&](FlatText& head) {
    head.text(fields.method).byte(' ').text(fields.target).text(" HTTP/1.1\r\nhost: ");
    head.text(fields.host).text("\r\n");
    is_valid = put_fields(head, *fields.headers);
    if (fields.content_length) {
      put_length(head, *fields.content_length);
    } else if (fields.is_chunked) {
      head.text("transfer-encoding: chunked\r\n");
    }
    head.text("\r\n");
  });
  if (is_valid) return {};
  out.resize(before);
  return fail(ErrorKind::bad_request, "a header of the request holds a character that HTTP does not allow");
}

Result<void> append_response_head(std::string& out, const ResponseHeadFields& fields) {
  if (fields.status < 100 || fields.status > 999)
    return fail(ErrorKind::internal, "the response's status is out of range");
  const std::string_view reason = reason_phrase(fields.status);
  const size_t before = out.size();
  const size_t size_max = kFixedBytesMax + reason.size() + fields.date.size() + fields.connection.size() +
                          (fields.headers ? fields_bytes_max(*fields.headers) : 0);
  bool is_valid = true;
  append_flat(out, size_max, [&](FlatText& head) {
    head.text("HTTP/1.1 ").decimal(fields.status).byte(' ').text(reason).text("\r\n");
    if (fields.headers) is_valid = put_fields(head, *fields.headers);
    if (!fields.date.empty()) head.text("date: ").text(fields.date).text("\r\n");
    if (fields.framing == BodyFraming::chunked) {
      head.text("transfer-encoding: chunked\r\n");
    } else if (has_length_field(fields)) {
      put_length(head, fields.content_length);
    }
    if (!fields.connection.empty()) head.text("connection: ").text(fields.connection).text("\r\n");
    head.text("\r\n");
  });
  if (is_valid) return {};
  out.resize(before);
  return fail(ErrorKind::internal, "a header of the response holds a character that HTTP does not allow");
}

std::string_view reason_phrase(int status) {
  if (status == 200) return "OK";  // what nearly all are
  const auto found = std::ranges::lower_bound(kReasons, status, {}, &Reason::status);
  return found != std::end(kReasons) && found->status == status ? found->phrase : std::string_view();
}

}  // namespace weir
