#include "io/http_client.h"

#include "base/flat_text.h"
#include "io/client_response.h"

namespace weir {
namespace {

// Interim answers (1xx) before the real one; a provider that sends more is broken or hostile.
constexpr int kInterimAnswersMax = 16;

// The value of Host: without the port that the scheme implies.
class HostText {
 public:
  // Longer than any name of the DNS.
  static constexpr size_t kHostBytesMax = 256;

  // REQUIRES a host within the limit.
  explicit HostText(const Origin& origin) {
    FlatText out(text_.data());
    const bool is_literal = origin.host.find(':') != std::string::npos;
    if (is_literal) out.byte('[');
    out.text(origin.host);
    if (is_literal) out.byte(']');
    if (origin.port != (origin.is_tls ? 443 : 80)) out.byte(':').decimal(origin.port);
    size_ = static_cast<size_t>(out.end() - text_.data());
  }
  std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::array<char, kHostBytesMax + std::string_view("[]:").size() + FlatText::kDecimalBytes> text_;
  size_t size_ = 0;
};

// A request that may have a body says so even when it is empty (RFC 9110 section 8.6).
std::optional<uint64_t> content_length(const ClientRequest& request) {
  if (request.stream) return request.stream->size();
  const bool is_bodyless = request.method == "GET" || request.method == "HEAD" ||
                           request.method == "OPTIONS" || request.method == "DELETE";
  if (request.body.empty() && is_bodyless) return std::nullopt;
  return request.body.size();
}

// Not inlined, here and below, or what it needs for a moment would be a part of the frame that waits for the
// answer.
[[gnu::noinline]] Result<std::string> write_head(const ClientRequest& request) {
  if (request.origin.host.size() > HostText::kHostBytesMax)
    return fail(ErrorKind::bad_request, "the request's host is too long");
  const HostText host(request.origin);
  std::string head;
  TRY(append_request_head(head, {.method = request.method,
                                 .target = request.target,
                                 .host = host.view(),
                                 .headers = request.headers,
                                 .content_length = content_length(request),
                                 .is_chunked = request.stream != nullptr}));
  return head;
}

// Sends head and body. False: not all of it, as below.
Task<bool> send_now(Scope& scope, ClientConnection& wire, std::string_view head, std::string_view body) {
  TRY(scope.check());
  ClientConnection::Output output = {head, body};
  const IoState written = wire.write(output);
  if (written == IoState::would_block) return wire.write_rest(scope, output);
  return Result<bool>(written == IoState::done);
}

[[gnu::noinline]] Task<bool> send_later(Scope& scope, ClientConnection& wire, std::string_view head,
                                        std::string_view body) {
  co_await scope.core().gather_writes();
  co_return co_await send_now(scope, wire, head, body);
}

// Sends head and body as the body comes. False: not all of it, since the peer broke off or answers already
// (a refusal): what it says is there to read.
[[gnu::noinline]] Task<bool> send_stream(Scope& scope, ClientConnection& wire, std::string_view head,
                                         RequestBody& body) {
  const bool is_chunked = !body.size();
  for (;;) {
    const std::string_view piece = CO_TRY(co_await body.read(scope));
    // It may have come while the piece was waited for.
    if (wire.is_answered()) co_return false;
    ChunkStart chunk;
    ClientConnection::Output output = {std::exchange(head, {}), {}, piece, {}};
    if (is_chunked && !piece.empty()) {
      chunk = ChunkStart(piece.size());
      output[1] = chunk.view();
    }
    if (is_chunked) output[3] = piece.empty() ? kLastChunk : kChunkEnd;
    IoState written = wire.write(output);
    if (written == IoState::would_block) written = CO_TRY(co_await wire.write_rest(scope, output))
    ? IoState::done : IoState::broken;
    if (written != IoState::done) co_return false;
    if (piece.empty()) co_return true;
  }
}

}  // namespace

PooledHttpClient::PooledHttpClient(Core& core, std::unique_ptr<Connector> connector,
                                   HttpClientOptions options)
    : options_(options), connector_(std::move(connector)), pool_(core, options_.pool) {}

Task<std::unique_ptr<ClientConnection>> PooledHttpClient::connect(Scope& scope, Origin origin) {
  ClientPool::Place place = CO_TRY(pool_.reserve(origin));
  std::unique_ptr<ByteStream> stream = CO_TRY(co_await connector_->connect(scope, std::move(origin)));
  co_return std::make_unique<ClientConnection>(pool_, std::move(place), std::move(stream));
}

// A request whose answer's head is not complete.
struct PooledHttpClient::Pending {
  std::unique_ptr<ClientConnection> connection;
  std::string_view method;
  ResponseHeadParser parser;
  bool is_sent = false;
  int interim = 0;
  std::optional<MonoTime> first_byte_at = {};
};

Task<std::unique_ptr<ClientResponse>> PooledHttpClient::send(Scope& scope, const ClientRequest& request) {
  const std::string head = CO_TRY(write_head(request));
  Pending pending{nullptr, request.method, ResponseHeadParser(options_.limits)};
  // A pooled connection may turn out to be dead, and what passes by cannot be sent once more.
  if (!request.stream || request.stream->is_whole()) pending.connection = pool_.take(request.origin);
  for (;;) {
    const bool is_fresh = !pending.connection;
    if (is_fresh) pending.connection = CO_TRY(co_await connect(scope, request.origin));
    ClientConnection& wire = *pending.connection;
    // When writing fails the server may have answered before it closed (413, say), so reading comes anyway.
    if (request.stream) {
      request.stream->restart();
      pending.is_sent = CO_TRY(co_await send_stream(scope, wire, head, *request.stream));
    } else {
      pending.is_sent =
          CO_TRY(co_await (scope.core().may_write() ? send_now(scope, wire, head, request.body)
                                                    : send_later(scope, wire, head, request.body)));
    }
    if (pending.is_sent && request.on_sent) request.on_sent();
    for (IoState state = IoState::done; state == IoState::done || state == IoState::would_block;) {
      if (!wire.buffer().empty()) {
        std::unique_ptr<ClientResponse> response = CO_TRY(take_answer(pending));
        if (response) co_return response;
      }
      CO_TRY(co_await wire.readable(scope));
      state = wire.receive();
    }
    if (pending.first_byte_at)
      co_return fail(ErrorKind::upstream_unreachable, "the provider's answer broke off within its head");
    pending.connection.reset();
    // A pooled connection that the server closed while the request was on its way is the usual race of
    // keep-alive; a fresh one is not.
    if (is_fresh) break;
    if (request.on_lost) request.on_lost();
    CO_TRY(scope.check());
  }
  co_return fail(ErrorKind::upstream_unreachable, "the provider closed the connection before it answered");
}

Result<std::unique_ptr<ClientResponse>> PooledHttpClient::take_answer(Pending& pending) {
  if (!pending.first_byte_at) pending.first_byte_at = pending.connection->core().turn_began();
  for (;;) {
    ReadBuffer& buffer = pending.connection->buffer();
    if (buffer.empty()) return nullptr;
    const std::unique_ptr<ResponseHead> answer = TRY(pending.parser.parse(buffer.view(), pending.method));
    if (!answer) return nullptr;
    buffer.consume(answer->consumed);
    pending.parser.reset();
    if (answer->status >= 200) {
      answer->keep_alive = answer->keep_alive && pending.is_sent;
      auto response = TRY(make_response(std::move(pending.connection), std::move(*answer)));
      response->first_byte_at = *pending.first_byte_at;
      return response;
    }
    if (answer->status == 101)
      return fail(ErrorKind::upstream_malformed, "the provider switched protocols without being asked");
    if (++pending.interim > kInterimAnswersMax)
      return fail(ErrorKind::upstream_malformed, "the provider sends interim answers without end");
  }
}

Result<std::unique_ptr<ClientResponse>> PooledHttpClient::make_response(
    std::unique_ptr<ClientConnection> connection, ResponseHead&& head) {
  std::unique_ptr<Decompressor> decompressor;
  if (const std::optional<std::string_view> value = head.headers.get("content-encoding")) {
    const std::optional<ContentCoding> coding = parse_content_coding(*value);
    if (!coding || head.headers.count("content-encoding") > 1)
      return fail(ErrorKind::upstream_malformed,
                  "the provider's answer has a content-encoding that was not asked for");
    if (*coding != ContentCoding::identity && head.framing != BodyFraming::none) {
      decompressor = Decompressor::create(*coding, options_.decompress);
      head.headers.remove("content-encoding");
      head.headers.remove("content-length");
    }
  }
  return std::make_unique<Http1ClientResponse>(pool_, std::move(connection), std::move(head),
                                               std::move(decompressor));
}

}  // namespace weir
