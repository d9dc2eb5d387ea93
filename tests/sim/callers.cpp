// The callers of the gateway.
#include "base/json.h"
#include "sim/calls.h"
#include "sim/composed.h"
#include "sim/opaque.h"
#include "sim/parts.h"

namespace weir::sim {
namespace {

std::string body_of(const CallerPlan& caller, size_t index) {
  if (is_opaque(caller.ask)) return opaque_body(caller, index, "sim");
  if (is_composed(caller.ask)) return composed_body(caller);
  if (caller.ask == Ask::call) return calls_body(caller);
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("model").value("sim").key("stream").value(caller.is_streamed);
  if (caller.is_anthropic) json.key("max_tokens").value(100);
  json.key("messages").begin_array().begin_object().key("role").value("user");
  json.key("content").value("Say something.").end_object().end_array().end_object();
  return body;
}

std::string_view path_of(const CallerPlan& caller) {
  if (is_opaque(caller.ask)) return opaque_path(caller.ask);
  if (caller.ask == Ask::embeddings) return kEmbeddingsPath;
  return caller.is_anthropic ? "/v1/messages" : "/v1/chat/completions";
}

std::string_view name_of(const CallerPlan& caller) {
  constexpr std::array<std::string_view, 7> kNames = {"openai", "choices",       "schema", "embeddings",
                                                      "image",  "transcription", "call"};
  return caller.is_anthropic ? "anthropic" : kNames[static_cast<size_t>(caller.ask)];
}

Headers headers_of(const CallerPlan& caller, size_t index) {
  Headers headers;
  headers.add("content-type", is_opaque(caller.ask) ? opaque_content_type(caller.ask) : "application/json");
  headers.add("x-weir-tags", fmt::format("caller={}", index));
  headers.add("x-weir-session", fmt::format("session-{}", index % 2));
  headers.add("x-weir-priority", to_string(caller.priority));
  if (caller.is_anthropic) headers.add("anthropic-version", "2023-06-01");
  if (caller.timeout > Duration::zero()) {
    headers.add("x-weir-timeout-ms", fmt::format("{}", caller.timeout / std::chrono::milliseconds(1)));
  }
  return headers;
}

}  // namespace

Task<std::unique_ptr<ByteStream>> Callers::connect(Scope&, Origin) {
  MemoryStream::Pair pair = MemoryStream::pair(run_.core, room_, "127.0.0.1:50000", "127.0.0.1:7480");
  service_.serve(std::move(pair.second));
  co_return std::move(pair.first);
}

void Callers::start(HttpClient& client) {
  run_.record.calls.resize(run_.plan.callers.size());
  for (size_t i = 0; i < run_.plan.callers.size(); ++i) scope_.spawn(call(client, i));
}

Task<void> Callers::call(HttpClient& client, size_t index) {
  const CallerPlan& plan = run_.plan.callers[index];
  CO_TRY(co_await scope_.sleep(plan.starts_after));
  Call& call = run_.record.calls[index];
  call.started = run_.core.now();
  run_.trace("c{} calls: {}{}{}", index, name_of(plan), plan.is_streamed ? ", streamed" : "",
             plan.mood == Mood::slow       ? ", slow"
             : plan.mood == Mood::hangs_up ? ", will hang up"
                                           : "");
  {
    Scope scope(scope_);
    if (plan.mood == Mood::hangs_up)
      scope.set_deadline(call.started + plan.leaves_after, ErrorKind::cancelled);
    const Result<void> conversed = co_await converse(scope, client, index);
    call.hung_up = scope.is_cancelled();
    run_.trace("c{} {}: status {}, {} bytes{}", index, call.hung_up ? "hung up" : "is done", call.status,
               call.body.size(), conversed ? "" : ", " + conversed.error().message);
  }
  call.ended = run_.core.now();
  co_return {};
}

Task<void> Callers::converse(Scope& scope, HttpClient& client, size_t index) {
  const CallerPlan& plan = run_.plan.callers[index];
  Call& call = run_.record.calls[index];
  const Headers headers = headers_of(plan, index);
  const std::string body = body_of(plan, index);
  const ClientRequest request{.origin = {.host = "127.0.0.1", .port = 7480, .is_tls = false},
                              .method = "POST",
                              .target = path_of(plan),
                              .headers = &headers,
                              .body = body};
  room_ = plan.room;
  const std::unique_ptr<ClientResponse> response = CO_TRY(co_await client.send(scope, request));
  call.status = response->status;
  call.headers = response->headers;
  for (;;) {
    if (plan.mood == Mood::slow) CO_TRY(co_await scope.sleep(plan.read_pause));
    const std::string_view piece = CO_TRY(co_await response->read(scope));
    if (piece.empty()) break;
    call.body += piece;
  }
  call.is_complete = true;
  co_return {};
}

}  // namespace weir::sim
