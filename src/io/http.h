// HTTP as handlers see it: values and three ports. A handler never sees a connection, so HTTP/1.1, HTTP/2,
// the simulator and the tests call it alike.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/task.h"
#include "io/headers.h"

namespace weir {

class Scope;

enum class HttpVersion : uint8_t { http_1_0, http_1_1, http_2 };

// The head of a request as it arrived.
struct HttpRequest {
  std::string method;     // as sent, e.g. "POST"
  std::string target;     // origin form as sent, e.g. "/v1/models/a%2Fb?limit=1"; "*" for OPTIONS *
  std::string authority;  // Host or :authority, may be empty for HTTP/1.0
  Headers headers;
  HttpVersion version = HttpVersion::http_1_1;
  bool is_tls = false;
  bool peer_is_loopback = false;
  MonoTime first_byte_at;  // when the first byte of the head was readable: the start of every latency figure
  MonoTime head_at;        // when the head was complete

  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  // Without the '?'; empty if none.
  std::string_view query() const {
    const size_t at = target.find('?');
    return at == std::string::npos ? std::string_view() : std::string_view(target).substr(at + 1);
  }
};

// The body of a request (server side).
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // The whole body. Its capacity leaves room for the padding that the JSON parser wants.
  // Errors: body_too_large over `bytes_max` (or over the process-wide byte budget: overloaded), bad_request
  // for broken framing, request_timeout when it does not arrive in time, cancelled.
  virtual Task<std::string> read_all(Scope& scope, size_t bytes_max) = 0;
  // Up to buffer.size() bytes; 0 at the end. Errors as read_all, but for body_too_large.
  virtual Task<size_t> read_some(Scope& scope, std::span<char> buffer) = 0;
  // Counts `bytes`, as the handler keeps so many of what read_some() gave, in the process-wide byte budget
  // until the reader is gone. Error: overloaded.
  virtual Result<void> hold(size_t bytes) = 0;
};

// Writes one response. Order: send(), or start() write()* finish(). Each write returns when the transport has
// taken the bytes, so a slow client slows its handler. A handler that returns an Error after start() makes
// the server break the stream off (HTTP/1.1: close without the last chunk; HTTP/2: RST_STREAM).
class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;
  // A whole response with its content-length, in one system call where the transport allows.
  virtual Task<void> send(Scope& scope, int status, const Headers& headers, std::string_view body) = 0;
  // The head of a streamed response. It leaves with the first write() (or flush by finish()).
  virtual Task<void> start(Scope& scope, int status, const Headers& headers) = 0;
  virtual Task<void> write(Scope& scope, std::string_view bytes) = 0;
  // Ends the response, after these bytes: what is known to be the last leaves together with the end.
  virtual Task<void> finish(Scope& scope, std::string_view last_bytes = {}) = 0;
  virtual bool is_started() const = 0;
  // How many bytes of the body the transport has taken; its framing does not count.
  virtual uint64_t bytes_taken() const = 0;
};

// A whole answer to a request that came to nothing.
struct ErrorAnswer {
  int status = 0;
  Headers headers{};
  std::string body{};
};
// The message as plain text.
ErrorAnswer plain_error_answer(const Error& error);

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // What a client is told whose request the server refuses before it comes to handle(). `request` has what
  // could be read of its head: of one that is too large the method and the target, perhaps cut.
  virtual ErrorAnswer refuse(const Error& error, const HttpRequest&) { return plain_error_answer(error); }
  // The scope is the request's: cancelled when the client hangs up, when its deadline passes and at shutdown.
  // An Error returned before the response started is written by the server as a plain text response (handlers
  // that have a dialect write their own error body instead).
  virtual Task<void> handle(Scope& scope, HttpRequest& request, BodyReader& body,
                            ResponseWriter& response) = 0;
};

// Where a client connects to. `host` is a name or an address literal without brackets.
struct Origin {
  std::string host;
  uint16_t port = 443;
  bool is_tls = true;
  bool operator==(const Origin&) const = default;
};
struct Url {
  Origin origin;
  std::string target;  // path and query, at least "/"
};
// Accepts http and https URLs without user info and fragment. Errors: bad_request naming what is wrong.
Result<Url> parse_url(std::string_view text);
std::string to_string(const Origin& origin);  // "https://api.example.com" (default ports left out)

// A body that comes while it is sent (client side).
class RequestBody {
 public:
  virtual ~RequestBody() = default;
  // All bytes together; nullopt: not known before the end, so it is sent in chunks.
  virtual std::optional<uint64_t> size() const = 0;
  // Whether all of it is here, so that it can be read any number of times.
  virtual bool is_whole() const = 0;
  // Whether it can be read from its start: always before the first read().
  virtual bool can_restart() const = 0;
  // REQUIRES can_restart().
  virtual void restart() = 0;
  // The next piece; empty at the end. The view is valid until the next call. Errors: of whoever sends it.
  virtual Task<std::string_view> read(Scope& scope) = 0;
};

struct ClientRequest {
  Origin origin;
  std::string_view method = "POST";
  std::string_view target;
  const Headers* headers =
      nullptr;            // Host, content-length and connection are added by the client; never null
  std::string_view body;  // must stay valid until send() returns
  // Set: sent instead of `body`; outlives send(). REQUIRES can_restart().
  RequestBody* stream = nullptr;
  // Called when all of it was handed to a connection, on the core's thread: before that the server cannot act
  // on it. Once more when it is repeated. May be empty.
  std::function<void()> on_sent = {};
  // Called when the request is about to be repeated: it counts as not sent, until on_sent is called again. A
  // pooled connection that ends without a byte of an answer was closed, as far as anybody can know, before
  // the request came to it: what the kernel took, and what the other side's kernel acknowledged, nobody need
  // have read. On a fresh connection the server had a request to read, so there it stays sent. May be empty.
  std::function<void()> on_lost = {};
};

// The answer to a ClientRequest. Destroying it before the end closes the connection; at the end it is pooled.
class ClientResponse {
 public:
  virtual ~ClientResponse() = default;
  int status = 0;
  Headers headers;
  MonoTime first_byte_at;
  // The next piece of the body with content-encoding decoded; empty at the end; nullopt when it is to be
  // waited for. The view is valid until the next call. Errors: upstream_truncated (cut before the framing's
  // end), upstream_malformed.
  virtual Result<std::optional<std::string_view>> take() = 0;
  // Returns when take() may have more. Errors: the scope's reason; hang_up() is due then.
  virtual Task<void> wait(Scope& scope);
  // What has not come will not be read, so that the provider need not make it. The headers stay.
  virtual void hang_up() {}
  // take(), when there is something. Errors of both.
  Task<std::string_view> read(Scope& scope);
  // True once the end was read or is known to follow without waiting.
  virtual bool is_complete() const = 0;
};
// The rest of the body. Errors as read(), and upstream_malformed over `bytes_max`.
[[gnu::noinline]] Task<std::string> read_all(Scope& scope, ClientResponse& response, size_t bytes_max);

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // Sends the request and returns when the head of the answer is there. Errors: upstream_unreachable
  // (resolve, connect, TLS, reset before the head), upstream_timeout, upstream_malformed, cancelled. A pooled
  // connection that turns out dead before any byte of the answer is replaced once by a fresh one.
  virtual Task<std::unique_ptr<ClientResponse>> send(Scope& scope, const ClientRequest& request) = 0;
};

}  // namespace weir
