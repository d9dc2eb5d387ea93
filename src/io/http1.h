// HTTP/1.1 on the wire (RFC 9112), strict and without I/O: parsers that are fed bytes, and writers that fill
// strings. Strict where parsers of one chain may differ, which is how requests are smuggled: no bare CR or
// LF, no folding, no space before a colon, one content-length of digits only, transfer-encoding exactly
// "chunked", never both. What is accepted here is accepted with the same framing by llhttp (http1_fuzz.cpp).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"
#include "io/headers.h"
#include "io/http.h"

namespace weir {

struct HttpLimits {
  size_t head_bytes_max = kRequestHeadBytesMax;  // request line and fields; more is 431
  size_t start_line_bytes_max = 16 * kKiB;       // the request line alone; more is 414
  size_t header_count_max = kHeaderCountMax;     // more is 431
};

// How the end of a body is found.
enum class BodyFraming : uint8_t {
  none,            // there is no body
  content_length,  // so many bytes; may be 0
  chunked,
  until_close,  // responses only
};

struct RequestHead {
  HttpRequest request;  // method, target, authority, headers and version are set
  BodyFraming framing = BodyFraming::none;
  uint64_t content_length = 0;  // for framing content_length
  bool keep_alive = true;
  bool expects_continue = false;
  bool is_upgrade = false;  // asks for another protocol; ignoring that is always allowed
  size_t consumed = 0;      // bytes of the head, leading empty lines included
};

struct ResponseHead {
  int status = 0;
  Headers headers;
  HttpVersion version = HttpVersion::http_1_1;
  BodyFraming framing = BodyFraming::none;
  uint64_t content_length = 0;
  bool keep_alive = true;  // false for until_close
  size_t consumed = 0;
};

// Finds the end of a head line by line and remembers how far it looked, so that a head that arrives in many
// pieces is scanned once. Refuses bare line feeds and heads over the limits as soon as they show. A usual
// head is there as a whole: its parser comes to the end by itself, and asks this only when it does not.
class HeadScanner {
 public:
  enum class State : uint8_t { incomplete, complete, bare_line_feed, start_line_too_long, head_too_long };
  // `bytes`: everything from the start of the head on; grows from call to call, may move in memory.
  State scan(std::string_view bytes, const HttpLimits& limits);
  size_t start() const { return start_; }  // after the empty lines before the start line
  size_t end() const { return end_; }      // after the empty line that ends the head
  // Whether nothing was looked at.
  bool is_fresh() const { return scanned_ == 0; }
  void reset() { *this = HeadScanner(); }

 private:
  size_t start_ = 0;
  size_t scanned_ = 0;
  size_t line_ = 0;  // where the line being scanned starts
  size_t end_ = 0;
  bool has_start_line_ = false;
};

// Requests as a server reads them.
class RequestHeadParser {
 public:
  explicit RequestHeadParser(const HttpLimits& limits = {}) : limits_(limits) {}
  // `bytes`: everything from the start of the message on. Null when more bytes are needed. After a head or
  // an error call reset(). Errors: bad_request, head_too_large, expectation_failed; the connection must be
  // closed after any of them.
  Result<std::unique_ptr<RequestHead>> parse(std::string_view bytes);
  void reset() { scanner_.reset(); }

 private:
  HttpLimits limits_;
  HeadScanner scanner_;
};

// Responses as a client reads them.
class ResponseHeadParser {
 public:
  explicit ResponseHeadParser(const HttpLimits& limits = {}) : limits_(limits) {}
  // As RequestHeadParser::parse. `method` is the request's: an answer to HEAD has no body. Interim answers
  // (1xx) are given like others, without a body; the caller skips them. Errors: upstream_malformed.
  Result<std::unique_ptr<ResponseHead>> parse(std::string_view bytes, std::string_view method);
  void reset() { scanner_.reset(); }

 private:
  HttpLimits limits_;
  HeadScanner scanner_;
};

// Takes chunked coding apart (RFC 9112 section 7.1) without copying. Extensions and trailers are validated,
// bounded and thrown away.
class ChunkedDecoder {
 public:
  // `error_kind`: what broken framing is called: bad_request at a server, upstream_malformed at a client.
  explicit ChunkedDecoder(ErrorKind error_kind = ErrorKind::bad_request) : error_kind_(error_kind) {}
  // Removes what it used from the front of `bytes`; gives the next piece of the body as a view into them.
  // Empty: the body has ended (is_done()) or `bytes` is used up. REQUIRES !is_done().
  Result<std::string_view> next(std::string_view& bytes);
  bool is_done() const { return state_ == State::done; }

 private:
  enum class State : uint8_t {
    size_start,
    size,
    extension_name_start,
    extension_name,
    extension_value_start,
    extension_value,
    extension_quoted,
    extension_quoted_end,
    size_line_feed,
    data,
    data_return,
    data_line_feed,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_line_feed,
    final_line_feed,
    done,
  };
  bool skip_plain_framing(std::string_view& bytes);
  // Each takes one byte of framing and says what is wrong with it, or nothing.
  const char* step(char c);
  const char* step_size(char c);
  const char* step_extension(char c);
  const char* step_trailer(char c);
  const char* expect(char c, char wanted, State next);
  const char* count_overhead();

  ErrorKind error_kind_;
  State state_ = State::size_start;
  uint8_t digits_ = 0;
  uint32_t overhead_ = 0;                // bytes of extensions and trailers so far
  uint64_t left_ = 0;                    // of the current chunk
  std::array<char, 24> trailer_name_{};  // cut to what is longer than any name that matters
  size_t trailer_name_size_ = 0;
};

struct RequestHeadFields {
  std::string_view method;
  std::string_view target;  // origin form
  std::string_view host;    // value of Host
  const Headers* headers = nullptr;
  std::optional<uint64_t> content_length = {};  // left out for a request without a body
  bool is_chunked = false;                      // the body's length is not known: transfer-encoding instead
};
// Appends a request head. Fields that belong to the connection (host, content-length, transfer-encoding,
// connection, keep-alive, proxy-connection, te, trailer, upgrade, expect) are left out of `headers`: the
// client decides them. Errors: bad_request for a method, target, host, name or value that is not valid in
// HTTP, so that nothing can be injected; `out` is then as before.
Result<void> append_request_head(std::string& out, const RequestHeadFields& fields);

struct ResponseHeadFields {
  int status = 200;
  const Headers* headers = nullptr;
  BodyFraming framing = BodyFraming::content_length;
  uint64_t content_length = 0;
  std::string_view connection = {};  // "close", "keep-alive" (to HTTP/1.0 clients); empty leaves it out
  std::string_view date = {};        // IMF-fixdate; empty leaves it out
};
// Appends a response head; what was said of append_request_head holds, and its errors are `internal`.
// content-length is left out for 1xx, 204 and (with framing none) 304 and answers to HEAD.
Result<void> append_response_head(std::string& out, const ResponseHeadFields& fields);

inline constexpr std::string_view kContinueResponse = "HTTP/1.1 100 Continue\r\n\r\n";
inline constexpr std::string_view kChunkEnd = "\r\n";        // after the bytes of a chunk
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";  // ends the body

// What stands before the bytes of a chunk: "1a2b\r\n".
class ChunkStart {
 public:
  ChunkStart() : first_(text_.size()) {}  // nothing
  // REQUIRES size > 0: a chunk of size 0 would end the body.
  explicit ChunkStart(size_t size);
  std::string_view view() const { return {text_.data() + first_, text_.size() - first_}; }

 private:
  std::array<char, 18> text_;
  size_t first_;
};

// "Not Found"; empty for a status without one.
std::string_view reason_phrase(int status);

}  // namespace weir
