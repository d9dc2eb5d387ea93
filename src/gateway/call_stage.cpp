#include "gateway/call_stage.h"

#include "base/limits.h"
#include "base/log.h"
#include "codec/callers_words.h"
#include "codec/end_user.h"
#include "codec/unused.h"
#include "gateway/kept_turns.h"
#include "gateway/route_policies.h"
#include "gateway/snapshot.h"
#include "llm/prompt_tokens.h"
#include "provider/key_ring.h"
#include "provider/upstream.h"

namespace weir {
namespace {

bool has_foreign_turns_for(const Exchange& exchange) {
  return has_foreign_turns(*exchange.chat(), exchange.call.dialect,
                           exchange.target->capabilities.thinking != ThinkingMode::none);
}

// The raw way is open when the target speaks the client's dialect, serves the same endpoint, nobody changed
// the request, and no turn of it is another vendor's.
bool raw_way_is_open(const Exchange& exchange) {
  const ProviderKind& kind = exchange.target->target->provider->kind;
  if (exchange.request_is_changed || exchange.adapted || (!exchange.call.body && !exchange.call.form) ||
      exchange.call.dialect != kind.dialect ||
      (exchange.client_codec && !exchange.client_codec->allows_raw()))
    return false;
  switch (operation_of(exchange.request)) {
    case Operation::text_completion:
      return kind.serves(Endpoint::text_completion);
    case Operation::count_tokens:
      return kind.serves(Endpoint::count_tokens) && !has_foreign_turns_for(exchange);
    case Operation::embeddings:
      // Vertex AI has another endpoint for them than the dialect's.
      return kind.serves(Endpoint::embeddings) && !exchange.target->capabilities.quirks.vertex_shapes;
    case Operation::chat:
      return !has_foreign_turns_for(exchange);
    case Operation::opaque:
      return kind.serves(endpoint_of(exchange.request));
    case Operation::rerank:
      break;
  }
  return false;
}

InlineText<55> traceparent(const TraceContext& trace, std::string_view span_id) {
  if (trace.trace_id.empty()) return {};
  return InlineText<55>::written([&](FlatText& out) {
    out.text("00-").text(trace.trace_id).byte('-').text(span_id).text(trace.is_sampled ? "-01" : "-00");
  });
}

// The scope of what is said to providers. Made with the first call, since the route is known by then. Until a
// call was sent there is nothing to outlast the client for.
Scope& upstream_scope(Exchange& exchange, UpstreamCall& call) {
  if (!exchange.outlasts_client()) return *exchange.scope;
  if (!exchange.upstream) exchange.upstream = std::make_unique<Scope>(*exchange.scope);
  exchange.upstream->outlast_hangup(Duration::zero());
  call.on_sent = [&exchange] {
    exchange.upstream->outlast_hangup(exchange.snapshot->settings.client_gone_timeout);
  };
  // Nobody got it, so nothing is repeated for a client that is gone.
  call.on_lost = [&exchange] {
    exchange.upstream->outlast_hangup(Duration::zero());
    if (exchange.scope->is_cancelled()) exchange.upstream->cancel(exchange.scope->reason());
  };
  return *exchange.upstream;
}

// What was reported of the request and of its adaptation, by the client's own fields.
Fidelity in_words_of_client(const Exchange& exchange, Fidelity report) {
  if (exchange.adapted) report.add(exchange.adapted->fidelity);
  if (exchange.user_is_hashed) report_hidden_end_user(report);
  if (!exchange.client_codec || report.empty()) return report;
  return in_callers_words(report, exchange.client_codec->dialect(), exchange.sent());
}

// Why the request cannot be sent.
Error in_words_of_client(const Exchange& exchange, Error error) {
  if (!exchange.client_codec) return error;
  return in_callers_words(std::move(error), exchange.client_codec->dialect(), exchange.sent());
}

// Tells the ring of keys how the attempt went.
void report_key(const Provider& provider, const Attempt& attempt, MonoTime now, const Error* error) {
  if (!provider.keys->report(*attempt.key_index, now, attempt.model, error)) return;
  log_warn("a key was put aside, and is tried again after a pause",
           {{"provider", provider.name}, {"key", attempt.key_name}, {"error", error->message}});
}

// Of the provider's rights too: keys may belong to different accounts.
bool is_about_the_key(const Error& error) {
  return error.kind == ErrorKind::upstream_auth || error.kind == ErrorKind::forbidden ||
         error.kind == ErrorKind::upstream_rate_limited || error.kind == ErrorKind::upstream_quota;
}

// What the next attempt at the exchange's target is, but for its key. The attempt is the exchange's last.
UpstreamCall begin_attempt(Exchange& exchange) {
  const Candidate& target = *exchange.target;
  const Provider& provider = *target.target->provider;
  Attempt& attempt = exchange.attempts.emplace_back();
  attempt.provider = provider.name;
  attempt.asked = &provider;
  attempt.model = target.model;
  attempt.started = exchange.lately(Mark::admitted);
  // A span of its own: the provider's spans hang below the attempt that made them.
  attempt.span_id = make_span_id(exchange.scope->core().rng());

  UpstreamCall call;
  call.provider = &provider;
  call.model = target.model;
  call.capabilities = &target.capabilities;
  call.request = &exchange.sent();
  const TargetModel model{.model = call.model, .capabilities = call.capabilities};
  if (raw_way_is_open(exchange) && provider.codec->takes_raw(exchange.call, model)) call.raw = &exchange.call;
  call.traceparent = traceparent(exchange.trace, attempt.span_id);
  call.request_id = exchange.id;
  call.first_event = exchange.route->first_event.value_or(provider.timeouts.first_event);
  call.answer = exchange.route->answer.value_or(provider.timeouts.answer);
  call.idle = provider.timeouts.idle;
  call.on_upstream_id = [&attempt](std::string_view id) { attempt.upstream_id = id; };
  return call;
}

// The raw way copies; what is written anew takes a core's time.
bool is_large(const Exchange& exchange, const UpstreamCall& call) {
  return !call.raw && exchange.call.body && exchange.call.body->source().size() > kJsonBytesOnCoreMax;
}

Result<void> pick_key(Exchange& exchange, const std::vector<size_t>& tried, UpstreamCall& call) {
  const Provider& provider = *call.provider;
  if (provider.keys->size() == 0 && !provider.kind.needs_key) return {};
  Attempt& attempt = exchange.attempts.back();
  KeyRing::Pick key =
      TRY(provider.keys->pick(attempt.started, exchange.scope->core().rng(), call.model, tried));
  attempt.key_index = key.index;
  attempt.key_name = key.name;
  call.credential = std::move(key.credential);
  return {};
}

// A call that may be sent, with its losses in the client's words; else why it may not.
Result<std::unique_ptr<EncodedCall>> checked(Exchange& exchange, Result<std::unique_ptr<EncodedCall>> made) {
  if (!made) return fail(in_words_of_client(exchange, std::move(made).error()));
  Fidelity& fidelity = (*made)->notes.fidelity;
  if (Result<void> fits = check_sampling(exchange, fidelity); !fits)
    return fail(in_words_of_client(exchange, std::move(fits).error()));
  fidelity = in_words_of_client(exchange, std::move(fidelity));
  TRY(check_strict(exchange, fidelity));
  exchange.is_raw = (*made)->notes.is_raw;
  // It may have gone while a large body was encoded.
  TRY(exchange.scope->check());
  return made;
}

void note_sent(Exchange& exchange) {
  exchange.timings.mark(Mark::sent, exchange.now());
  exchange.attempts.back().was_sent = true;
}

// What the last attempt came to.
void end_attempt(Exchange& exchange, Result<UpstreamAnswer>& answer) {
  Attempt& attempt = exchange.attempts.back();
  if (answer) {
    exchange.timings.mark(Mark::upstream_head, answer->head_at);
    exchange.fidelity = std::move(answer->fidelity);
  }
  // Of a whole answer the body has come too.
  const MonoTime ended = answer ? exchange.lately(Mark::upstream_head) : exchange.now();
  attempt.took = ended - attempt.started;
  if (attempt.was_sent && attempt.key_index)
    report_key(*attempt.asked, attempt, ended, answer ? nullptr : &answer.error());
  if (!answer) exchange.note_failure(answer.error());
}

}  // namespace

Task<std::unique_ptr<EventSource>> CallStage::handle(Exchange& exchange, Next) {
  const Provider& provider = *exchange.target->target->provider;
  exchange.is_raw = false;
  if (provider.local) return answer_locally(exchange, *provider.local);
  if (operation_of(exchange.request) == Operation::count_tokens &&
      !provider.kind.serves(Endpoint::count_tokens)) {
    return count_here(exchange);
  }
  return call_remote(exchange);
}

Task<std::unique_ptr<EventSource>> CallStage::answer_locally(Exchange& exchange, LocalModel& model) {
  if (const Chat* chat = chat_of(exchange.sent())) CO_TRY(refuse_unknown_values(*chat));
  Result<Fidelity> losses = model.losses(exchange.sent());
  if (!losses) co_return fail(in_words_of_client(exchange, std::move(losses).error()));
  exchange.fidelity = in_words_of_client(exchange, *std::move(losses));
  CO_TRY(check_strict(exchange, exchange.fidelity));
  co_return co_await model.answer(*exchange.scope, exchange.sent());
}

// Tokens of a prompt for a provider that cannot count them: Weir's own count, marked as an estimate.
Task<std::unique_ptr<EventSource>> CallStage::count_here(Exchange& exchange) {
  const Chat chat = *chat_of(exchange.sent());  // a copy shares the texts
  CO_TRY(refuse_truncation(chat));
  CO_TRY(refuse_unknown_values(chat));
  const TokenizerKind tokenizer = exchange.target->capabilities.tokenizer;
  Usage usage;
  usage.in_uncached = CO_TRY(co_await cpu_.run(*exchange.scope, [chat, tokenizer]() -> Result<int64_t> {
    return estimate_prompt_tokens(chat, tokenizer);
  }));
  usage.source = UsageSource::estimated;
  co_return std::make_unique<StoredSource>(std::vector<Event>{UsageReport{usage}, End{}});
}

Task<std::unique_ptr<EventSource>> CallStage::call_remote(Exchange& exchange) {
  Tried tried;
  for (;;) {
    // Nothing new is asked for a client that is gone.
    CO_TRY(exchange.scope->check());
    UpstreamCall call = begin_attempt(exchange);
    Result<std::unique_ptr<EncodedCall>> encoded = co_await encode(exchange, tried, call);
    if (encoded) note_sent(exchange);
    Result<UpstreamAnswer> answer =
        encoded ? co_await call_upstream(upstream_scope(exchange, call), client_, cpu_, call, **encoded)
                : std::move(encoded).fail();
    end_attempt(exchange, answer);
    if (answer) co_return std::move(answer->source);
    const Attempt& attempt = exchange.attempts.back();
    if (attempt.key_index) tried.keys.push_back(*attempt.key_index);
    // Another key of the same provider may be welcome where this one was not.
    if (!is_about_the_key(answer.error()) || !has_another(exchange, answer.error().kind, tried) ||
        !exchange.is_repeatable())
      co_return std::move(answer).fail();
  }
}

// A short-lived credential that was refused is replaced once: it may have been revoked before its time.
bool CallStage::has_another(const Exchange& exchange, ErrorKind refusal, const Tried& tried) {
  const Provider& provider = *exchange.target->target->provider;
  if (!provider.credentials)
    return provider.keys->has_other(exchange.now(), exchange.target->model, tried.keys);
  return refusal == ErrorKind::upstream_auth && tried.credential &&
         provider.credentials->reject(*tried.credential, exchange.now()) && tried.credentials == 1;
}

// Not a coroutine: what is encoded on the core with a key of the configuration waits for nothing.
Task<std::unique_ptr<EncodedCall>> CallStage::encode(Exchange& exchange, Tried& tried, UpstreamCall& call) {
  const Provider& provider = *call.provider;
  if (provider.credentials || is_large(exchange, call)) return encode_later(exchange, tried, call);
  TRY(pick_key(exchange, tried.keys, call));
  return checked(exchange, encode_call(call));
}

Task<std::unique_ptr<EncodedCall>> CallStage::encode_later(Exchange& exchange, Tried& tried,
                                                           UpstreamCall& call) {
  const Provider& provider = *call.provider;
  if (provider.credentials) {
    exchange.attempts.back().key_name = provider.credentials->name();
    tried.credential = nullptr;
    tried.credential = CO_TRY(co_await provider.credentials->get(*exchange.scope, credentials_));
    ++tried.credentials;
    call.credential = tried.credential;
  } else {
    CO_TRY(pick_key(exchange, tried.keys, call));
  }
  if (!is_large(exchange, call)) co_return checked(exchange, encode_call(call));
  Result<std::unique_ptr<EncodedCall>> encoded =
      co_await cpu_.run_to_end(exchange.scope->core(), [&call] { return encode_call(call); });
  co_return checked(exchange, std::move(encoded));
}

}  // namespace weir
