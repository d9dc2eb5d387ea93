#include "ops/trace_span.h"

#include <algorithm>
#include <fmt/core.h>
#include <span>

#include "base/json.h"
#include "gateway/snapshot.h"

namespace weir {
namespace {

constexpr int kServerSpan = 2;  // of OTLP's Span.SpanKind
constexpr int kClientSpan = 3;
constexpr int kStatusError = 2;  // of OTLP's Status.StatusCode

class SpanWriter {
 public:
  SpanWriter(std::string& out, MonoTime now, int64_t wall_ns) : json_(out), now_(now), wall_ns_(wall_ns) {}

  void begin(const TraceContext& trace, std::string_view id, std::string_view parent, std::string_view name,
             int kind) {
    json_.begin_object().key("traceId").value(trace.trace_id).key("spanId").value(id);
    if (!parent.empty()) json_.key("parentSpanId").value(parent);
    json_.key("name").value(name).key("kind").value(kind);
  }
  void times(MonoTime from, MonoTime to) {
    json_.key("startTimeUnixNano").value(fmt::format("{}", wall_of(from)));
    json_.key("endTimeUnixNano").value(fmt::format("{}", wall_of(to)));
    json_.key("attributes").begin_array();
  }
  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    json_.begin_object().key("key").value(key).key("value").begin_object();
    json_.key("stringValue").value(value).end_object().end_object();
  }
  // 64-bit integers are texts in OTLP's JSON.
  void number(std::string_view key, int64_t value) {
    json_.begin_object().key("key").value(key).key("value").begin_object();
    json_.key("intValue").value(fmt::format("{}", value)).end_object().end_object();
  }
  void number(std::string_view key, const std::optional<int64_t>& value) {
    if (value) number(key, *value);
  }
  void fraction(std::string_view key, const std::optional<double>& value) {
    if (!value) return;
    json_.begin_object().key("key").value(key).key("value").begin_object();
    json_.key("doubleValue").value(*value).end_object().end_object();
  }
  void reasons(const std::vector<std::string>& reasons) {
    if (reasons.empty()) return;
    json_.begin_object().key("key").value("gen_ai.response.finish_reasons").key("value").begin_object();
    json_.key("arrayValue").begin_object().key("values").begin_array();
    for (const std::string& reason : reasons) {
      json_.begin_object().key("stringValue").value(reason).end_object();
    }
    json_.end_array().end_object().end_object().end_object();
  }
  // "warning;dropped;/top_k;5>": as x-weir-fidelity has them, and how bad it is.
  void losses(const Fidelity& fidelity) {
    constexpr size_t kShown = 32;
    if (fidelity.empty()) return;
    const size_t shown = std::min(kShown, fidelity.records().size());
    json_.begin_object().key("key").value("weir.fidelity").key("value").begin_object();
    json_.key("arrayValue").begin_object().key("values").begin_array();
    for (const FidelityRecord& record : std::span(fidelity.records()).first(shown)) {
      json_.begin_object().key("stringValue");
      json_.value(fmt::format("{};{};{};{}>{}", to_string(record.severity), to_string(record.reason),
                              record.pointer, record.from, record.to));
      json_.end_object();
    }
    json_.end_array().end_object().end_object().end_object();
    number("weir.fidelity.records", static_cast<int64_t>(fidelity.records().size()));
  }
  void end(std::optional<ErrorKind> failure, std::string_view message) {
    json_.end_array().key("status").begin_object();
    if (failure) json_.key("code").value(kStatusError).key("message").value(message);
    json_.end_object().end_object();
  }

 private:
  int64_t wall_of(MonoTime at) const { return wall_ns_ - (now_ - at).count(); }

  JsonWriter json_;
  const MonoTime now_;
  const int64_t wall_ns_;
};

std::string span_name(const Exchange& exchange, std::string_view model) {
  return fmt::format("{} {}", operation_name(exchange.request), model);
}

void write_request(SpanWriter& span, const Exchange& exchange, std::string_view model) {
  span.text("gen_ai.operation.name", operation_name(exchange.request));
  span.text("gen_ai.request.model", model);
  if (const Chat* chat = exchange.chat()) {
    span.number("gen_ai.request.max_tokens", chat->max_tokens);
    span.fraction("gen_ai.request.temperature", chat->temperature);
    span.fraction("gen_ai.request.top_p", chat->top_p);
  }
}

void write_answer(SpanWriter& span, const Exchange& exchange) {
  span.text("gen_ai.response.id", exchange.response_id);
  span.text("gen_ai.response.model", exchange.response_model);
  span.reasons(exchange.finish_reasons);
  const Usage& usage = exchange.usage;
  if (usage.empty()) return;
  span.number("gen_ai.usage.input_tokens", usage.input_total());
  span.number("gen_ai.usage.output_tokens", usage.output_total());
  span.number("gen_ai.usage.cache_read.input_tokens", usage.cache_read);
  if (usage.cache_write_5m || usage.cache_write_1h) {
    span.number("gen_ai.usage.cache_creation.input_tokens",
                usage.cache_write_5m.value_or(0) + usage.cache_write_1h.value_or(0));
  }
  span.number("gen_ai.usage.reasoning.output_tokens", usage.out_reasoning);
  span.text("weir.usage.source", to_string(usage.source));
}

// Who was called, and where.
void write_provider(SpanWriter& span, const Provider& provider) {
  span.text("gen_ai.provider.name", vendor_of(provider));
  span.text("weir.provider", provider.name);
  if (provider.origin.host.empty()) return;
  span.text("server.address", provider.origin.host);
  span.number("server.port", int64_t{provider.origin.port});
}

void append_attempt(std::string& out, const Exchange& exchange, size_t index, MonoTime now, int64_t wall_ns) {
  const Attempt& attempt = exchange.attempts[index];
  const bool is_answer = index + 1 == exchange.attempts.size();
  // The last attempt goes on as long as its answer is read.
  const bool has_stream =
      is_answer && exchange.timings.has(Mark::upstream_head) && exchange.timings.has(Mark::done);
  const MonoTime end = has_stream ? exchange.timings.at(Mark::done) : attempt.started + attempt.took;
  SpanWriter span(out, now, wall_ns);
  span.begin(exchange.trace, attempt.span_id, exchange.trace.span_id, span_name(exchange, attempt.model),
             kClientSpan);
  span.times(attempt.started, end);
  write_request(span, exchange, attempt.model);
  if (attempt.asked) write_provider(span, *attempt.asked);
  span.text("weir.key", attempt.key_name);
  if (attempt.upstream_status > 0) span.number("http.response.status_code", int64_t{attempt.upstream_status});
  if (attempt.failure) span.text("error.type", to_string(*attempt.failure));
  if (is_answer) write_answer(span, exchange);
  span.end(attempt.failure, attempt.failure ? to_string(*attempt.failure) : std::string_view());
}

}  // namespace

size_t span_count(const Exchange& exchange) {
  return 1 + static_cast<size_t>(exchange.calls_made());
}

void append_spans(std::string& out, const Exchange& exchange, const ExchangeOutcome& outcome, MonoTime now,
                  int64_t wall_ns) {
  SpanWriter span(out, now, wall_ns);
  const std::string_view model = model_of(exchange.request);
  span.begin(exchange.trace, exchange.trace.span_id, exchange.trace.parent_span_id,
             span_name(exchange, model), kServerSpan);
  span.times(exchange.timings.at(Mark::first_byte), exchange.timings.at(Mark::done));
  write_request(span, exchange, model);
  if (exchange.target) {
    span.text("gen_ai.provider.name", vendor_of(*exchange.target->target->provider));
  }
  span.text("weir.request_id", exchange.id);
  span.text("weir.api_key", exchange.principal->key_name);
  span.number("weir.attempts", exchange.calls_made());
  span.number("weir.cost_nano_usd", exchange.cost_nano_usd);
  for (const Tag& tag : exchange.tags) span.text("weir.tag." + tag.key, tag.value);
  if (outcome.status > 0) span.number("http.response.status_code", int64_t{outcome.status});
  const std::optional<ErrorKind> failure = outcome.error ? std::optional(outcome.error->kind) : std::nullopt;
  if (failure) span.text("error.type", to_string(*failure));
  write_answer(span, exchange);
  span.losses(exchange.fidelity);
  span.end(failure, outcome.error ? std::string_view(outcome.error->message) : std::string_view());
  for (size_t i = 0; i < exchange.attempts.size(); ++i) {
    if (!exchange.attempts[i].was_sent) continue;
    out += ',';
    append_attempt(out, exchange, i, now, wall_ns);
  }
}

std::string trace_request(std::string_view service_name, std::string_view spans) {
  std::string body;
  body.reserve(spans.size() + 256);
  body += R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":)";
  append_json_string(body, service_name);
  body += R"(}}]},"scopeSpans":[{"scope":{"name":"weir"},"spans":[)";
  body += spans;
  body += "]}]}]}";
  return body;
}

}  // namespace weir
