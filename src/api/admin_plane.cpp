#include "api/admin_plane.h"

#include <array>

#include "api/replies.h"
#include "codec/openai.h"
#include "io/pool.h"
#include "security/authenticate.h"

namespace weir {
namespace {

constexpr std::array kRows = {
    AdminRow{"GET", "/healthz"},         AdminRow{"GET", "/readyz"},
    AdminRow{"GET", "/metrics"},         AdminRow{"POST", "/admin/v1/reload"},
    AdminRow{"GET", "/admin/v1/config"}, AdminRow{"GET", "/admin/v1/status"},
};

Result<void> check_route(const HttpRequest& request) {
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  for (const AdminRow& row : kRows) {
    if (row.path != request.path()) continue;
    if (row.method == method) return {};
    Error error =
        make_error(ErrorKind::method_not_allowed, fmt::format("use {} for {}", row.method, row.path));
    error.detail = row.method;
    return fail(std::move(error));
  }
  std::string known;
  for (const AdminRow& row : kRows) known += fmt::format("{}{}", known.empty() ? "" : ", ", row.path);
  return fail(ErrorKind::not_found,
              fmt::format("there is no {} on the admin plane; there are {}", request.path(), known));
}

}  // namespace

std::span<const AdminRow> admin_rows() {
  return kRows;
}

Task<void> AdminPlane::handle(Scope& scope, HttpRequest& request, BodyReader&, ResponseWriter& response) {
  Result<void> answered = co_await answer(scope, request, response);
  // Of what ended the scope the connection tells, where there is somebody to be told.
  const bool is_cut = !answered && scope.is_cancelled() && answered.error().kind == scope.reason().kind;
  if (answered || response.is_started() || is_cut) co_return answered;
  const Id id = make_id("req", services_.core->clock().wall_ns(), services_.core->rng());
  co_return co_await send_error(scope, response, openai_chat_client(), answered.error(), id);
}

// Health and metrics are open to whoever reaches the admin address; the rest wants an admin key once keys are
// configured.
Result<void> AdminPlane::authorise(const HttpRequest& request) const {
  const Principal* principal = TRY(authenticate_without_body(
      request, services_.snapshot->keys, {}, services_.core->clock().wall_ns() / 1'000'000'000));
  if (services_.snapshot->keys.empty() || principal->is_admin) return {};
  return fail(ErrorKind::forbidden, "this needs a key with `admin: true`");
}

// What a function makes, in the worker pool: with 10,000 models a text takes longer than a core has.
template <class Function>
Task<std::string> AdminPlane::made(Scope& scope, Function function) {
  return services_.cpu->run(scope,
                            [function = std::move(function)] { return Result<std::string>(function()); });
}

Task<void> AdminPlane::answer(Scope& scope, HttpRequest& request, ResponseWriter& response) {
  CO_TRY(check_route(request));
  const std::string_view path = request.path();
  if (path == "/healthz") co_return co_await send_json(scope, response, 200, R"({"status":"ok"})");
  if (path == "/readyz") {
    const bool is_ready = !services_.is_draining->load(std::memory_order_relaxed);
    const std::string_view state = is_ready ? "ready" : "draining";
    // Calls of models need no store, so a broken one takes no traffic away.
    const std::string_view store = actions_.is_store_failing() ? "failing" : "ok";
    co_return co_await send_json(scope, response, is_ready ? 200 : 503,
                                 fmt::format(R"({{"status":"{}","store":"{}"}})", state, store));
  }
  if (path == "/metrics") {
    const std::string text =
        CO_TRY(co_await made(scope, [metrics = actions_.metrics] { return metrics->prometheus_text(); }));
    co_return co_await send_text(scope, response, 200, text, "text/plain; version=0.0.4; charset=utf-8");
  }
  CO_TRY(authorise(request));
  if (path == "/admin/v1/config") {
    const std::string yaml = CO_TRY(co_await made(scope, actions_.effective_config));
    co_return co_await send_text(scope, response, 200, yaml, "application/yaml");
  }
  if (path == "/admin/v1/status") {
    const std::string status = CO_TRY(co_await made(scope, actions_.status));
    co_return co_await send_json(scope, response, 200, status);
  }
  const std::string reloaded = CO_TRY(co_await actions_.reload(scope));
  co_return co_await send_json(scope, response, 200, reloaded);
}

}  // namespace weir
