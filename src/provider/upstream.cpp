#include "provider/upstream.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/limits.h"
#include "codec/repeated_calls.h"
#include "codec/unused.h"
#include "io/pool.h"
#include "llm/stop_matcher.h"
#include "provider/call_auth.h"
#include "provider/opaque_source.h"
#include "provider/paced_body.h"

namespace weir {
namespace {

// Headers of a provider's answer that its client may see on the raw way. Everything else stays here: cookies,
// the organisation, its rate limits.
constexpr std::array<std::string_view, 7> kAnswerHeadersKept = {"openai-version",
                                                                "openai-processing-ms",
                                                                "anthropic-version",
                                                                "x-amzn-bedrock-input-token-count",
                                                                "x-amzn-bedrock-output-token-count",
                                                                "x-amzn-bedrock-performanceconfig-latency",
                                                                "x-amzn-bedrock-service-tier"};

// What a provider calls the call, in the vendors' spellings: to be told to its support.
constexpr std::array<std::string_view, 3> kUpstreamIds = {"x-request-id", "request-id", "x-amzn-requestid"};

// Of an error answer this much is read; the text that matters is at its start.
constexpr size_t kErrorBodyReadMax = 256 * kKiB;

// By OpaqueTask.
constexpr std::array kOpaqueEndpoints = {
    Endpoint::moderation,       Endpoint::speech,     Endpoint::transcription,  Endpoint::translation,
    Endpoint::image_generation, Endpoint::image_edit, Endpoint::image_variation};

void append_query(const Provider& provider, std::string& target) {
  if (provider.kind.query.empty()) return;
  char separator = target.find('?') == std::string::npos ? '?' : '&';
  for (const auto& [name, value] : provider.kind.query) {
    target += separator;
    target += percent_encode(name, UrlPart::unreserved) + '=' + percent_encode(value, UrlPart::unreserved);
    separator = '&';
  }
}

// The path of the call: the provider's own for the endpoint when its row has one, else the dialect's.
std::string target_of(const UpstreamCall& call, const WireRequest& wire) {
  const Provider& provider = *call.provider;
  const std::string& own_path = provider.kind.paths[static_cast<size_t>(endpoint_of(*call.request))];
  const std::string_view path = own_path.empty() ? wire.path : own_path;
  std::string target;
  target.reserve(provider.base_path.size() + path.size() + call.model.size());
  target += provider.base_path;
  constexpr std::string_view kModel = "{model}";
  const size_t at = path.find(kModel);
  target += path.substr(0, at);
  if (at != std::string_view::npos) {
    target += percent_encode(call.model, UrlPart::segment);
    target += path.substr(at + kModel.size());
  }
  append_query(provider, target);
  return target;
}

void add_provider_headers(const Provider& provider, Headers& headers) {
  // What the client said (anthropic-version on the raw way) wins over the row's default.
  for (const auto& [name, value] : provider.kind.headers) {
    if (!headers.contains(name)) headers.add(name, value);
  }
  for (const HeaderField field : provider.headers) headers.set(field.name, field.value);
  headers.set("user-agent", "weir");
  headers.set("accept-encoding", "gzip, zstd");
}

void complete_headers(const UpstreamCall& call, Headers& headers) {
  add_provider_headers(*call.provider, headers);
  if (!call.traceparent.empty()) headers.set("traceparent", call.traceparent);
  if (!call.request_id.empty()) headers.set("x-request-id", call.request_id);
}

// Empty when it is not said.
std::string_view upstream_id(const Headers& headers) {
  for (const std::string_view name : kUpstreamIds) {
    if (const auto id = headers.get(name)) return *id;
  }
  return {};
}

bool is_kept(std::string_view name) {
  return std::ranges::any_of(kAnswerHeadersKept,
                             [&](std::string_view kept) { return equals_ignoring_case(kept, name); });
}

// `id`: upstream_id(). REQUIRES that the response outlives it.
AnswerHead answer_head(const ClientResponse& response, std::string_view id) {
  AnswerHead head;
  head.upstream_status = response.status;
  head.content_type = response.headers.get_or("content-type", "application/json");
  for (const HeaderField field : response.headers) {
    if (is_kept(field.name) && !head.headers.contains(field.name)) head.headers.add(field.name, field.value);
  }
  if (!id.empty()) head.headers.add(kUpstreamIdHeader, id);
  return head;
}

constexpr const char* kIdleMessage = "the provider sent nothing for longer than its idle timeout";

// Adds a piece of a body to what came before; true: that was its end. Error: upstream_malformed.
Result<bool> take_piece(std::string& body, std::string_view piece, size_t bytes_max) {
  if (piece.size() > bytes_max - body.size())
    return fail(ErrorKind::upstream_malformed, "the provider's answer is larger than the limit");
  body.append(piece);
  return piece.empty();
}

Task<std::string> read_rest(Scope& scope, ClientResponse& response, size_t bytes_max, Duration idle,
                            std::string body) {
  for (;;) {
    scope.set_deadline(scope.turn_began() + idle, ErrorKind::upstream_timeout, kIdleMessage);
    const std::string_view piece = CO_TRY(co_await response.read(scope));
    if (CO_TRY(take_piece(body, piece, bytes_max))) co_return body;
  }
}

// All of a body, whose pieces come without a longer pause than `idle`. What came along with the head costs no
// frame. Errors: those of read_all, and upstream_timeout.
Task<std::string> read_whole(Scope& scope, ClientResponse& response, size_t bytes_max, Duration idle) {
  std::string body;
  for (;;) {
    const std::optional<std::string_view> piece = TRY(response.take());
    if (!piece) return read_rest(scope, response, bytes_max, idle, std::move(body));
    if (TRY(take_piece(body, *piece, bytes_max))) return Result<std::string>(std::move(body));
  }
}

// A streamed answer as it comes from the socket.
class StreamSource final : public EventSource {
 public:
  StreamSource(std::unique_ptr<Scope> scope, std::unique_ptr<ClientResponse> response, AnswerHead head,
               std::unique_ptr<StreamDecoder> decoder, bool is_raw, Duration idle)
      : scope_(std::move(scope)),
        response_(std::move(response)),
        decoder_(std::move(decoder)),
        is_raw_(is_raw),
        idle_(idle),
        head_(std::move(head)) {}

  const AnswerHead& head() const override { return head_; }

  Result<const EventBatch*> take(Scope&) override {
    batch_.clear();
    batch_.is_raw = is_raw_;
    for (;;) {
      if (failure_) return fail(*failure_);
      std::optional<std::string_view> bytes = TRY(response_->take());
      if (!bytes) {
        if (!scope_->is_cancelled()) return nullptr;
        // Only what may come behind the answer has not come.
        const bool is_over = is_concluding_ && scope_->reason().message == kLateMessage;
        if (!is_over) {
          response_->hang_up();
          return fail(scope_->reason());
        }
        bytes = std::string_view();
      }
      const bool is_end = bytes->empty();
      Result<void> decoded = is_end ? decoder_->finish(batch_.events) : decoder_->feed(*bytes, batch_.events);
      if (!decoded) {
        // What was decoded before the failure is handed out first; the error comes with the next pull.
        failure_ = std::make_unique<Error>(std::move(decoded).error());
      }
      if (is_raw_) batch_.raw = decoder_->forwardable();
      if (!has_content_) note_content();
      is_concluding_ = decoder_->is_concluding();
      if (!batch_.events.empty() || !batch_.raw.empty()) {
        // While the caller is busy with the batch nobody reads: a client's slowness is not the provider's.
        if (has_content_ || is_concluding_) scope_->clear_deadline();
        return &batch_;
      }
    }
  }

  Task<void> wait(Scope&) override {
    expect_more();
    return response_->wait(*scope_);
  }

 private:
  static constexpr const char* kLateMessage = "the provider did not end its finished answer";
  static constexpr Duration kConcludingMax = std::chrono::seconds(2);  // S10

  void expect_more() {
    if (is_concluding_) {
      scope_->set_deadline(scope_->turn_began() + std::min(kConcludingMax, idle_),
                           ErrorKind::upstream_timeout, kLateMessage);
    } else if (has_content_) {
      scope_->set_deadline(scope_->turn_began() + idle_, ErrorKind::upstream_timeout, kIdleMessage);
    }
  }

  void note_content() {
    for (const Event& event : batch_.events) {
      if (is_content(event)) has_content_ = true;
    }
  }

  std::unique_ptr<Scope>
      scope_;  // of this attempt: its deadline is the first-event limit, later the idle limit
  std::unique_ptr<ClientResponse> response_;
  std::unique_ptr<StreamDecoder> decoder_;
  const bool is_raw_;
  const Duration idle_;
  AnswerHead head_;
  EventBatch batch_;
  bool has_content_ = false;
  bool is_concluding_ = false;
  std::unique_ptr<Error> failure_;
};

// An answer that was read whole.
class WholeSource final : public EventSource {
 public:
  WholeSource(std::unique_ptr<ClientResponse> response, AnswerHead head, std::string body,
              std::vector<Event> events, bool is_raw)
      : response_(std::move(response)), head_(std::move(head)), body_(std::move(body)) {
    batch_.events = std::move(events);
    batch_.is_raw = is_raw;
    if (is_raw) batch_.raw = body_;
  }
  const AnswerHead& head() const override { return head_; }
  // Also when nobody waits any more: what was used is still to be counted.
  Result<const EventBatch*> take(Scope&) override { return &batch_; }

 private:
  std::unique_ptr<ClientResponse> response_;  // whose headers the head shows
  AnswerHead head_;
  const std::string body_;
  EventBatch batch_;
};

// An answer that Weir ends at a stop sequence. A stream is not read further then, which ends the provider's
// work.
class StopSource final : public EventSource {
 public:
  StopSource(std::unique_ptr<EventSource> inner, std::vector<std::string> stops)
      : inner_(std::move(inner)), matcher_(std::move(stops)) {}
  const AnswerHead& head() const override { return inner_->head(); }
  Result<const EventBatch*> take(Scope& scope) override {
    batch_.clear();
    while (batch_.events.empty()) {
      const EventBatch* given = TRY(inner_->take(scope));
      if (!given) return nullptr;
      for (size_t i = 0; i < given->events.size(); ++i) {
        if (!matcher_.feed(given->events[i], batch_.events)) continue;
        conclude(std::span(given->events).subspan(i + 1));
        break;
      }
    }
    return &batch_;
  }
  Task<void> wait(Scope& scope) override { return inner_->wait(scope); }

 private:
  // `behind` the sequence stands what came along with it: all the rest of a whole answer.
  void conclude(std::span<const Event> behind) {
    bool is_settled = !behind.empty() && std::holds_alternative<End>(behind.back());
    for (const Event& event : behind) {
      const auto* report = std::get_if<UsageReport>(&event);
      if (!report) continue;
      is_settled = is_settled || report->usage.out_text || report->usage.out_reasoning;
      batch_.events.push_back(event);
    }
    // What was reported before (Anthropic counts its first token) is not what was used.
    UsageReport unsettled;
    unsettled.usage.source = UsageSource::estimated;
    if (!is_settled) batch_.events.push_back(unsettled);
    batch_.events.push_back(End{});
  }

  std::unique_ptr<EventSource> inner_;
  StopMatcher matcher_;
  EventBatch batch_;
};

void watch_for_stops(CallNotes& notes, UpstreamAnswer& answer) {
  if (notes.stops.empty()) return;
  answer.source = std::make_unique<StopSource>(std::move(answer.source), std::move(notes.stops));
}

bool is_event_stream(const Headers& headers) {
  const std::string_view type = headers.get_or("content-type", "");
  return type.starts_with("text/event-stream") || type.starts_with("application/vnd.amazon.eventstream");
}

// What another vendor keeps cannot be looked up by this one.
Result<void> refuse_unresolved_references(const Chat& chat, Dialect dialect) {
  for (const Message& message : chat.messages) {
    for (const Block& block : message.content) {
      const auto* unknown = std::get_if<UnknownBlock>(&block.body);
      if (!unknown || !unknown->is_reference || unknown->dialect == dialect) continue;
      return fail(ErrorKind::unsupported,
                  fmt::format("{} is a {}, which only its own vendor can look up: send the item itself",
                              block.pointer, unknown->type),
                  std::string(block.pointer));
    }
  }
  return {};
}

// The same with an id of its own for each call of its history; nullopt: it has them.
std::optional<Request> with_distinct_calls(const Request& request) {
  const Chat* chat = chat_of(request);
  std::optional<Chat> distinct = chat ? with_distinct_calls(*chat) : std::nullopt;
  if (!distinct) return std::nullopt;
  if (std::holds_alternative<Chat>(request)) return std::move(*distinct);
  Request copy = request;
  std::get<CountTokens>(copy).chat = std::move(*distinct);
  return copy;
}

}  // namespace

Endpoint endpoint_of(const Request& request) {
  switch (operation_of(request)) {
    case Operation::text_completion:
      return Endpoint::text_completion;
    case Operation::embeddings:
      return Endpoint::embeddings;
    case Operation::count_tokens:
      return Endpoint::count_tokens;
    case Operation::rerank:
      return Endpoint::rerank;
    case Operation::opaque:
      return kOpaqueEndpoints[static_cast<size_t>(std::get<Opaque>(request).task)];
    case Operation::chat:
      break;
  }
  return Endpoint::chat;
}

Result<std::unique_ptr<EncodedCall>> encode_call(const UpstreamCall& call) {
  const TargetModel target{.model = call.model, .capabilities = call.capabilities};
  const ProviderCodec& codec = *call.provider->codec;
  // What is not a chat cannot be said as one: a completion can.
  const Endpoint endpoint = endpoint_of(*call.request);
  const bool is_opaque = std::holds_alternative<Opaque>(*call.request);
  const bool needs_own_path = is_opaque || endpoint == Endpoint::embeddings || endpoint == Endpoint::rerank;
  if ((needs_own_path && !call.provider->kind.serves(endpoint)) || (is_opaque && !call.raw)) {
    return fail(ErrorKind::unsupported,
                fmt::format("the provider {} has no endpoint for {}, so it cannot serve {} that way: name a "
                            "model of a provider that has one",
                            call.provider->name, to_string(endpoint), call.model),
                "model");
  }
  if (const Chat* chat = call.raw ? nullptr : chat_of(*call.request)) {
    TRY(refuse_unknown_values(*chat));
    TRY(refuse_unresolved_references(*chat, codec.dialect()));
    // Of a prompt that is counted the codecs report nothing.
    if (endpoint == Endpoint::count_tokens && codec.dialect() != Dialect::openai_responses)
      TRY(refuse_truncation(*chat));
  }
  const std::optional<Request> distinct = call.raw ? std::nullopt : with_distinct_calls(*call.request);
  const Request& request = distinct ? *distinct : *call.request;
  Result<EncodedCall> made =
      call.raw ? codec.splice_request(*call.raw, request, target) : codec.encode_request(request, target);
  if (!made) return std::move(made).fail();
  auto encoded = std::make_unique<EncodedCall>(*std::move(made));
  encoded->notes.is_raw = call.raw != nullptr;
  if (const Chat* chat = chat_of(*call.request)) {
    encoded->notes.choices = static_cast<size_t>(std::max<int64_t>(1, chat->choices.value_or(1)));
    // Each of several prompts has its own.
    if (chat->is_text_completion)
      encoded->notes.choices *= std::max<size_t>(1, chat->messages.front().content.size());
  }
  encoded->wire.path = target_of(call, encoded->wire);
  complete_headers(call, encoded->wire.headers);
  return encoded;
}

Task<UpstreamAnswer> call_upstream(Scope& scope, HttpClient& client, Pool& cpu, const UpstreamCall& call,
                                   EncodedCall& encoded) {
  const Clock& clock = scope.core().clock();
  if (call.credential) {
    CO_TRY(co_await authenticate_call(scope, cpu, *call.provider, *call.credential, encoded.wire));
  }
  auto attempt = std::make_unique<Scope>(scope);
  UpstreamAnswer answer;
  if (encoded.notes.is_streamed) {
    attempt->set_deadline(scope.turn_began() + call.first_event, ErrorKind::upstream_timeout,
                          "the provider sent no answer within its first-event timeout");
  } else {
    attempt->set_deadline(scope.turn_began() + call.answer, ErrorKind::upstream_timeout, kNoAnswerMessage);
  }
  std::optional<PacedBody> upload;
  if (call.raw && call.raw->form) {
    call.raw->form->set_model(call.model);
    upload.emplace(*call.raw->form, *attempt, call.idle, call.answer);
  }
  const ClientRequest wire{.origin = call.provider->origin,
                           .method = encoded.wire.method,
                           .target = encoded.wire.path,
                           .headers = &encoded.wire.headers,
                           .body = encoded.wire.bytes(),
                           .stream = upload ? &*upload : nullptr,
                           .on_sent = call.on_sent,
                           .on_lost = call.on_lost};
  std::unique_ptr<ClientResponse> response = CO_TRY(co_await client.send(*attempt, wire));
  answer.head_at = response->first_byte_at;
  const std::string_view id = upstream_id(response->headers);
  if (call.on_upstream_id && !id.empty()) call.on_upstream_id(id);
  answer.fidelity = std::move(encoded.notes.fidelity);

  const ProviderCodec& codec = *call.provider->codec;
  const bool is_good = response->status >= 200 && response->status < 300;
  if (is_good && encoded.notes.operation == Operation::opaque) {
    encoded.notes.is_event_stream = is_event_stream(response->headers);
    AnswerHead head = answer_head(*response, id);
    answer.source =
        std::make_unique<OpaqueSource>(std::move(attempt), std::move(response),
                                       codec.stream_decoder(encoded.notes), std::move(head), call.idle);
    co_return answer;
  }
  if (is_good && encoded.notes.is_streamed && is_event_stream(response->headers)) {
    AnswerHead head = answer_head(*response, id);
    answer.source =
        std::make_unique<StreamSource>(std::move(attempt), std::move(response), std::move(head),
                                       codec.stream_decoder(encoded.notes), call.raw != nullptr, call.idle);
    watch_for_stops(encoded.notes, answer);
    co_return answer;
  }
  const size_t bytes_max = is_good ? kBodyBytesMax : kErrorBodyReadMax;
  std::string body = CO_TRY(co_await read_whole(*attempt, *response, bytes_max, call.idle));
  if (!is_good && call.credential) hide_credential(body, *call.credential);
  const WireReply reply{.status = response->status, .headers = &response->headers, .body = body};
  if (!is_good) co_return fail(codec.decode_error(reply, clock.wall_ns()));
  // A whole answer to a streamed request (a provider that ignores `stream`) is encoded anew, as a stream.
  encoded.notes.is_raw = call.raw != nullptr && !encoded.notes.is_streamed;
  const auto decode = [&] { return codec.decode_answer(reply, encoded.notes); };
  std::vector<Event> events =
      CO_TRY(body.size() > kJsonBytesOnCoreMax ? co_await cpu.run_to_end(scope.core(), decode) : decode());
  AnswerHead head = answer_head(*response, id);
  answer.source = std::make_unique<WholeSource>(std::move(response), std::move(head), std::move(body),
                                                std::move(events), encoded.notes.is_raw);
  watch_for_stops(encoded.notes, answer);
  co_return answer;
}

Task<Deletion> delete_kept_answer(Scope& scope, HttpClient& client, Pool& cpu, const Provider& provider,
                                  std::shared_ptr<const Credential> credential, std::string id) {
  const std::string& own_path = provider.kind.paths[static_cast<size_t>(Endpoint::chat)];
  WireRequest wire;
  wire.method = "DELETE";
  wire.path = provider.base_path + (own_path.empty() ? "/responses" : own_path) + '/' +
              percent_encode(id, UrlPart::segment);
  append_query(provider, wire.path);
  wire.headers.add("accept", "application/json");
  add_provider_headers(provider, wire.headers);
  if (credential) CO_TRY(co_await authenticate_call(scope, cpu, provider, *credential, wire));
  Scope attempt(scope);
  attempt.set_deadline(scope.now() + provider.timeouts.first_event, ErrorKind::upstream_timeout,
                       "the provider did not answer in time");
  const ClientRequest request{.origin = provider.origin,
                              .method = wire.method,
                              .target = wire.path,
                              .headers = &wire.headers,
                              .body = {},
                              .stream = nullptr,
                              .on_sent = {},
                              .on_lost = {}};
  const std::unique_ptr<ClientResponse> response = CO_TRY(co_await client.send(attempt, request));
  std::string body = CO_TRY(co_await read_all(attempt, *response, kErrorBodyReadMax));
  if (credential) hide_credential(body, *credential);
  if (response->status >= 200 && response->status < 300) co_return Deletion::done;
  if (response->status == 404) co_return Deletion::unknown;
  if (response->status == 405 || response->status == 501) co_return Deletion::impossible;
  co_return fail(
      provider.codec->decode_error({.status = response->status, .headers = &response->headers, .body = body},
                                   scope.core().clock().wall_ns()));
}

}  // namespace weir
