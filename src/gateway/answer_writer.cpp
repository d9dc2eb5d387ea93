#include "gateway/answer_writer.h"

#include "gateway/drain.h"
#include "gateway/snapshot.h"
#include "llm/answer.h"
#include "llm/prompt_tokens.h"
#include "provider/upstream.h"

namespace weir {
namespace {

constexpr std::string_view kNoBuffering = "no";

// Nano-dollars as dollars, exactly: "0.000123000".
using Usd = InlineText<24>;
Usd usd(int64_t nano) {
  return Usd::written([nano](FlatText& out) { out.fixed<9>(nano); });
}

// Of the headers of the provider's answer the one that an answer which is written anew has too.
void add_upstream_id(const AnswerHead& head, Headers& headers) {
  if (const auto id = head.headers.get(kUpstreamIdHeader)) headers.add(kUpstreamIdHeader, *id);
}

// The usual headers of an answer, names and values together.
constexpr size_t kAnswerHeaders = 16;
constexpr size_t kAnswerHeaderBytes = 768;

}  // namespace

AnswerContext answer_context(const Exchange& exchange) {
  AnswerContext context;
  context.exchange_id = exchange.id;
  context.created_s = exchange.scope->core().clock().wall_ns() / 1'000'000'000;
  context.model = exchange.target ? std::string_view(exchange.target->model) : model_of(exchange.request);
  context.request = &exchange.request;
  context.elapsed_ms = [&exchange] {
    const Duration took = exchange.now() - exchange.timings.at(Mark::first_byte);
    return std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  };
  context.api_version = exchange.call.headers.get_or("anthropic-version", "");
  return context;
}

void add_exchange_headers(const Exchange& exchange, Headers& headers) {
  headers.add("x-request-id", exchange.id);
  if (exchange.target) {
    headers.add("x-weir-model", exchange.target->model);
    headers.add("x-weir-provider", exchange.target->target->provider->name);
  }
  headers.add("x-weir-attempts", InlineText<FlatText::kDecimalBytes>::written(
                                     [&](FlatText& out) { out.decimal(exchange.calls_made()); }));
  if (exchange.cost_nano_usd) headers.add("x-weir-cost-usd", usd(*exchange.cost_nano_usd));
  // What the answer says of a prompt may be Weir's count and not the provider's.
  if (operation_of(exchange.request) == Operation::count_tokens &&
      exchange.usage.source == UsageSource::estimated)
    headers.add("x-weir-usage-source", to_string(exchange.usage.source));
  if (!exchange.fidelity.empty()) {
    const Severity worst = exchange.fidelity.has_warnings() ? Severity::warning : Severity::info;
    headers.add("x-weir-fidelity", exchange.fidelity.header_value());
    headers.add("x-weir-fidelity-severity", to_string(worst));
  }
  if (const ServerTiming timing = exchange.timings.server_timing(); !timing.empty())
    headers.add("server-timing", timing);
}

// Rings when nothing has been written for a while.
class AnswerWriter::SilenceTimer final : public Timer {
 public:
  explicit SilenceTimer(AnswerWriter& writer) : writer_(writer) {}

 private:
  void fire() override {
    if (writer_.exchange_.scope->is_cancelled()) return;
    // Few answers come to this, so the scope is not made before.
    auto& scope = writer_.keep_alive_scope_;
    if (!scope) scope = std::make_unique<Scope>(*writer_.exchange_.scope);
    writer_.is_writing_keep_alive_ = true;
    scope->spawn(writer_.keep_alive());
  }
  AnswerWriter& writer_;
};

AnswerWriter::AnswerWriter(Exchange& exchange, ResponseWriter& response, const Headers& extra)
    : exchange_(exchange), response_(response), extra_(extra) {
  outcome_.was_streamed = is_streamed(exchange.request);
}

AnswerWriter::~AnswerWriter() = default;

const ExchangeOutcome& AnswerWriter::outcome(const Result<void>& written) {
  if (!written && !outcome_.error) outcome_.error = written.error();
  outcome_.bytes_out = response_.bytes_taken();
  return outcome_;
}

void AnswerWriter::watch_silence() {
  if (!outcome_.was_streamed) return;
  silence_ = std::make_unique<SilenceTimer>(*this);
  exchange_.scope->core().timers().arm(*silence_, exchange_.now() + exchange_.snapshot->settings.head_wait);
}

// For an answer whose provider has not said what its input was.
AnswerContext AnswerWriter::context_with_estimate() const {
  AnswerContext context = answer_context(exchange_);
  // Both state the input of a stream before the answer, and of a whole answer the same.
  const Dialect dialect = exchange_.call.dialect;
  const bool needs_estimate = dialect == Dialect::anthropic_messages || dialect == Dialect::bedrock_invoke;
  if (const Chat* chat = exchange_.chat(); chat && needs_estimate) {
    context.input_tokens_estimate = estimate_prompt_tokens(*chat, TokenizerKind::estimate);
  }
  return context;
}

StreamEncoder& AnswerWriter::encoder() {
  if (!encoder_) encoder_ = exchange_.client_codec->stream_encoder(context_with_estimate());
  return *encoder_;
}

Task<void> AnswerWriter::keep_alive() {
  std::string bytes;
  encoder().keep_alive(bytes);
  Result<void> written;
  if (!response_.is_started()) written = co_await start_stream(nullptr);
  if (written) written = co_await response_.write(*exchange_.scope, bytes);
  is_writing_keep_alive_ = false;
  silent_since_ = exchange_.now();
  if (written) await_silence();
  co_return written;
}

void AnswerWriter::await_silence() {
  exchange_.scope->core().timers().arm(*silence_, silent_since_ + exchange_.snapshot->settings.keep_alive);
}

bool AnswerWriter::stop_silence() {
  if (!silence_) return false;
  silence_->disarm();
  return is_writing_keep_alive_;
}

Task<void> AnswerWriter::settle_keep_alive() {
  CO_TRY(co_await keep_alive_scope_->join_all());
  silence_->disarm();
  co_return {};
}

Task<void> AnswerWriter::start_stream(const AnswerHead* upstream) {
  Headers headers;
  headers.reserve(kAnswerHeaders, kAnswerHeaderBytes);
  headers.add("content-type", exchange_.client_codec->stream_content_type());
  if (upstream) add_upstream_id(*upstream, headers);
  return start_with(std::move(headers));
}

Task<void> AnswerWriter::start_raw_stream(const AnswerHead& upstream) {
  Headers headers;
  headers.reserve(kAnswerHeaders, kAnswerHeaderBytes);
  headers.add("content-type", upstream.content_type);
  for (const HeaderField field : upstream.headers) headers.add(field.name, field.value);
  return start_with(std::move(headers));
}

Task<void> AnswerWriter::start_with(Headers headers) {
  CO_TRY(check_client());
  headers.add("cache-control", "no-cache");
  headers.add("x-accel-buffering", kNoBuffering);
  add_exchange_headers(exchange_, headers);
  for (const HeaderField field : extra_) headers.add(field.name, field.value);
  outcome_.status = 200;
  co_return co_await response_.start(*exchange_.scope, outcome_.status, headers);
}

Task<void> AnswerWriter::send_bytes(std::string_view bytes) {
  if (bytes.empty()) co_return {};
  CO_TRY(co_await response_.write(*exchange_.scope, bytes));
  if (!exchange_.timings.has(Mark::first_write)) exchange_.timings.mark(Mark::first_write, exchange_.now());
  co_return {};
}

Task<void> AnswerWriter::write(EventSource& source) {
  if (std::holds_alternative<Opaque>(exchange_.request)) return write_through(source);
  return outcome_.was_streamed ? write_streamed(source) : write_whole(source);
}

void AnswerWriter::note(const Result<const EventBatch*>& pulled) {
  is_over_ = !pulled || has_end(**pulled);
}

Result<void> AnswerWriter::check_client() const {
  const Scope& scope = *exchange_.scope;
  if (scope.is_cancelled() && scope.reason().kind == ErrorKind::cancelled) return fail(scope.reason());
  return {};
}

Task<void> AnswerWriter::write_streamed(EventSource& source) {
  silent_since_ = exchange_.now();
  for (;;) {
    const Result<const EventBatch*> pulled = CO_NEXT(source, *exchange_.scope);
    note(pulled);
    if (stop_silence()) CO_TRY(co_await settle_keep_alive());
    if (!pulled) co_return co_await fail_with(pulled.error());
    const EventBatch& batch = **pulled;
    if (!batch.is_raw) note_losses(batch);
    if (!response_.is_started()) {
      const AnswerHead& head = source.head();
      CO_TRY(co_await (batch.is_raw ? start_raw_stream(head) : start_stream(&head)));
    }
    out_.clear();
    if (!batch.is_raw) {
      for (const Event& event : batch.events) {
        if (const auto estimate = estimate_before(event)) encoder().encode(*estimate, out_);
        encoder().encode(event, out_);
      }
    }
    const std::string_view bytes = batch.is_raw ? batch.raw : std::string_view(out_);
    if (is_over_) co_return co_await finish_with(bytes);
    CO_TRY(co_await send_bytes(bytes));
    if (!bytes.empty()) silent_since_ = exchange_.now();
    if (silence_) await_silence();
  }
}

// Once a stream's head is out, only the log, the metrics and the trace tell them.
void AnswerWriter::note_losses(const EventBatch& batch) {
  if (!losses_) losses_.emplace(exchange_.call.dialect, exchange_.request);
  for (const Event& event : batch.events) {
    if (const Fidelity lost = losses_->of(event); !lost.empty()) exchange_.fidelity.add_new(lost);
  }
}

std::optional<UsageReport> AnswerWriter::estimate_before(const Event& event) {
  if (const auto* report = std::get_if<UsageReport>(&event)) {
    // An estimate takes back what was stated before.
    states_output_ = report->usage.source != UsageSource::estimated &&
                     (states_output_ || report->usage.out_text || report->usage.out_reasoning);
  } else if (std::holds_alternative<End>(event) && !states_output_ &&
             (exchange_.chat() || std::holds_alternative<Embed>(exchange_.request)) &&
             exchange_.usage.source == UsageSource::estimated) {
    return UsageReport{exchange_.usage};
  }
  return std::nullopt;
}

Task<void> AnswerWriter::finish_with(std::string_view last_bytes) {
  CO_TRY(co_await response_.finish(*exchange_.scope, last_bytes));
  if (!exchange_.timings.has(Mark::first_write)) exchange_.timings.mark(Mark::first_write, exchange_.now());
  co_return {};
}

// Not a coroutine: what is there, and passes as it is, costs no other frame than that of sending it.
Task<void> AnswerWriter::write_whole(EventSource& source) {
  const Result<const EventBatch*> pulled = source.take(*exchange_.scope);
  const bool passes = pulled && *pulled && (*pulled)->is_raw && has_end(**pulled);
  if (!passes) return fold_whole(source, pulled);
  note(pulled);
  return send_raw(source, (*pulled)->raw);
}

void AnswerWriter::note_sent() {
  const MonoTime now = exchange_.now();
  exchange_.timings.mark(Mark::first_write, now);
  exchange_.timings.mark(Mark::done, now);
}

Task<void> AnswerWriter::fold_whole(EventSource& source, Result<const EventBatch*> pulled) {
  AnswerFolder folder;
  for (;; pulled = CO_NEXT(source, *exchange_.scope)) {
    if (is_missing(pulled)) continue;
    note(pulled);
    if (!pulled) co_return co_await fail_with(pulled.error());
    const EventBatch& batch = **pulled;
    if (batch.is_raw && is_over_) co_return co_await send_raw(source, batch.raw);
    note_losses(batch);
    for (const Event& event : batch.events) {
      if (const auto estimate = estimate_before(event)) folder.add(*estimate);
      folder.add(event);
    }
    if (is_over_) break;
  }
  CO_TRY(check_client());
  const bool is_stated = folder.answer().usage.input_total() > 0;
  ClientReply reply = exchange_.client_codec->encode_answer(
      folder.answer(), is_stated ? answer_context(exchange_) : context_with_estimate());
  add_exchange_headers(exchange_, reply.headers);
  add_upstream_id(source.head(), reply.headers);
  for (const HeaderField field : extra_) reply.headers.add(field.name, field.value);
  outcome_.status = reply.status;
  CO_TRY(co_await response_.send(*exchange_.scope, reply.status, reply.headers, reply.body));
  note_sent();
  co_return {};
}

// The provider's own bytes, whole.
Task<void> AnswerWriter::send_raw(EventSource& source, std::string_view bytes) {
  CO_TRY(check_client());
  Headers headers;
  headers.reserve(kAnswerHeaders, kAnswerHeaderBytes);
  headers.add("content-type", source.head().content_type);
  for (const HeaderField field : source.head().headers) headers.add(field.name, field.value);
  add_exchange_headers(exchange_, headers);
  for (const HeaderField field : extra_) headers.add(field.name, field.value);
  outcome_.status = 200;
  CO_TRY(co_await response_.send(*exchange_.scope, outcome_.status, headers, bytes));
  note_sent();
  co_return {};
}

// Bytes of any kind as they come; what is there in one piece goes out with its length.
Task<void> AnswerWriter::write_through(EventSource& source) {
  outcome_.was_streamed = source.head().content_type.starts_with("text/event-stream");
  for (;;) {
    const Result<const EventBatch*> pulled = CO_NEXT(source, *exchange_.scope);
    note(pulled);
    if (!pulled) co_return co_await fail_with(pulled.error());
    const EventBatch& batch = **pulled;
    if (is_over_ && !response_.is_started()) co_return co_await send_raw(source, batch.raw);
    if (!response_.is_started()) CO_TRY(co_await start_raw_stream(source.head()));
    if (is_over_) co_return co_await finish_with(batch.raw);
    CO_TRY(co_await send_bytes(batch.raw));
  }
}

Task<void> AnswerWriter::drain(EventSource& source) {
  if (!std::exchange(is_over_, true)) (void)co_await weir::drain(exchange_, source);
  co_return {};
}

Task<void> AnswerWriter::fail_with(const Error& error) {
  outcome_.error = error;
  Result<void> settled;
  if (stop_silence()) settled = co_await settle_keep_alive();
  // Nobody is there to read it. A request that ends in the middle of its body is answered, as everywhere: its
  // client may have half closed only.
  const bool is_gone = error.kind == ErrorKind::cancelled && exchange_.scope->is_cancelled();
  if (is_gone || !settled) co_return fail(error);
  if (response_.is_started()) {
    out_.clear();
    // Within sound or an image there is no place to say anything.
    if (outcome_.was_streamed) encoder().fail(error, out_);
    CO_TRY(co_await send_bytes(out_));
    // The event tells what went wrong; breaking the connection off tells clients that look at nothing else.
    co_return fail(error);
  }
  ClientReply reply = exchange_.client_codec->encode_error(error, exchange_.id);
  add_exchange_headers(exchange_, reply.headers);
  if (!exchange_.attempts.empty() && !exchange_.attempts.back().upstream_id.empty())
    reply.headers.add(kUpstreamIdHeader, exchange_.attempts.back().upstream_id);
  for (const HeaderField field : extra_) reply.headers.add(field.name, field.value);
  outcome_.status = reply.status;  // also when the client takes a part of it only
  CO_TRY(co_await response_.send(*exchange_.scope, reply.status, reply.headers, reply.body));
  co_return {};
}

}  // namespace weir
