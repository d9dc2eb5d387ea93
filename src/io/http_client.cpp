#include "io/http_client.h"

#include <charconv>

#include "io/client_response.h"

namespace weir {
namespace {

// Interim answers (1xx) before the real one; a provider that sends more is broken or hostile.
constexpr int kInterimAnswersMax = 16;

// The value of Host: without the port that the scheme implies.
void append_host(std::string& out, const Origin& origin) {
  const bool is_literal = origin.host.find(':') != std::string::npos;
  if (is_literal) out += '[';
  out += origin.host;
  if (is_literal) out += ']';
  if (origin.port == (origin.is_tls ? 443 : 80)) return;
  std::array<char, 6> port{':'};
  out.append(port.data(), std::to_chars(port.data() + 1, port.data() + port.size(), origin.port).ptr);
}

// A request that may have a body says so even when it is empty (RFC 9110 section 8.6).
std::optional<uint64_t> content_length(const ClientRequest& request) {
  const bool is_bodyless = request.method == "GET" || request.method == "HEAD" ||
                           request.method == "OPTIONS" || request.method == "DELETE";
  if (request.body.empty() && is_bodyless) return std::nullopt;
  return request.body.size();
}

Result<std::string> write_head(const ClientRequest& request) {
  std::string host;
  append_host(host, request.origin);
  std::string head;
  head.reserve(1024);
  TRY(append_request_head(head, {.method = request.method,
                                 .target = request.target,
                                 .host = host,
                                 .headers = request.headers,
                                 .content_length = content_length(request)}));
  return head;
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

Task<std::unique_ptr<ClientResponse>> PooledHttpClient::send(Scope& scope, const ClientRequest& request) {
  const std::string head = CO_TRY(write_head(request));
  if (std::unique_ptr<ClientConnection> pooled = pool_.take(request.origin)) {
    std::unique_ptr<ClientResponse> response =
        CO_TRY(co_await exchange(scope, std::move(pooled), head, request));
    if (response) co_return response;
    // The server closed the connection while the request was on its way: the usual race of keep-alive.
  }
  std::unique_ptr<ClientConnection> fresh = CO_TRY(co_await connect(scope, request.origin));
  std::unique_ptr<ClientResponse> response =
      CO_TRY(co_await exchange(scope, std::move(fresh), head, request));
  if (!response)
    co_return fail(ErrorKind::upstream_unreachable, "the provider closed the connection before it answered");
  co_return response;
}

Task<std::unique_ptr<ClientResponse>> PooledHttpClient::exchange(Scope& scope,
                                                                 std::unique_ptr<ClientConnection> connection,
                                                                 std::string_view head,
                                                                 const ClientRequest& request) {
  // When writing fails the server may have answered before it closed (413, say), so reading comes anyway.
  const bool is_sent = CO_TRY(co_await connection->write(scope, head, request.body));
  ResponseHeadParser parser(options_.limits);
  std::optional<MonoTime> first_byte_at;
  if (!connection->buffer().empty()) first_byte_at = connection->core().now();
  for (int interim = 0; interim <= kInterimAnswersMax;) {
    ReadBuffer& buffer = connection->buffer();
    std::optional<ResponseHead> answer;
    if (!buffer.empty()) answer = CO_TRY(parser.parse(buffer.view(), request.method));
    if (!answer) {
      const IoState state = CO_TRY(co_await connection->receive(scope));
      if (state != IoState::done) {
        if (!first_byte_at) co_return std::unique_ptr<ClientResponse>();
        co_return fail(ErrorKind::upstream_unreachable, "the provider's answer broke off within its head");
      }
      if (!first_byte_at) first_byte_at = connection->core().now();
      continue;
    }
    buffer.consume(answer->consumed);
    parser.reset();
    if (answer->status >= 200) {
      answer->keep_alive = answer->keep_alive && is_sent;
      auto response = CO_TRY(make_response(std::move(connection), std::move(*answer)));
      response->first_byte_at = *first_byte_at;
      co_return response;
    }
    if (answer->status == 101)
      co_return fail(ErrorKind::upstream_malformed, "the provider switched protocols without being asked");
    ++interim;
  }
  co_return fail(ErrorKind::upstream_malformed, "the provider sends interim answers without end");
}

Result<std::unique_ptr<ClientResponse>> PooledHttpClient::make_response(
    std::unique_ptr<ClientConnection> connection, ResponseHead head) {
  const std::string_view value = head.headers.get_or("content-encoding", "");
  const std::optional<ContentCoding> coding = parse_content_coding(value);
  if (!coding || head.headers.count("content-encoding") > 1)
    return fail(ErrorKind::upstream_malformed,
                "the provider's answer has a content-encoding that was not asked for");
  std::unique_ptr<Decompressor> decompressor;
  if (*coding != ContentCoding::identity && head.framing != BodyFraming::none) {
    decompressor = Decompressor::create(*coding, options_.decompress);
    head.headers.remove("content-encoding");
    head.headers.remove("content-length");
  }
  return std::make_unique<Http1ClientResponse>(pool_, std::move(connection), std::move(head),
                                               std::move(decompressor));
}

}  // namespace weir
