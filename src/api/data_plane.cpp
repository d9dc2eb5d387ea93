#include "api/data_plane.h"

#include "api/capabilities.h"
#include "api/endpoints.h"
#include "api/models.h"
#include "api/replies.h"
#include "api/responses.h"
#include "security/authenticate.h"
#include "security/cors.h"

namespace weir {
namespace {

Task<void> send_preflight(Scope& scope, const CoreServices& services, const HttpRequest& request,
                          ResponseWriter& response) {
  const std::string methods = allowed_methods(request.path());
  Headers headers =
      cors_preflight_headers(request.headers, services.snapshot->settings.cors_origins, methods);
  headers.set("allow", methods.empty() ? "OPTIONS" : methods);
  co_return co_await response.send(scope, 204, headers, {});
}

}  // namespace

Task<void> DataPlane::handle(Scope& scope, HttpRequest& request, BodyReader& body, ResponseWriter& response) {
  Result<void> answered = co_await answer(scope, request, body, response);
  if (answered || response.is_started() || scope.is_cancelled()) co_return answered;
  const Id id = make_id("req", services_.core->clock(), services_.core->rng());
  co_return co_await send_error(scope, response, codec_for_errors(request.path(), request.headers),
                                answered.error(), id, cors_headers(request, services_.snapshot->settings));
}

Task<void> DataPlane::answer(Scope& scope, HttpRequest& request, BodyReader& body, ResponseWriter& response) {
  if (request.method == "OPTIONS") co_return co_await send_preflight(scope, services_, request, response);
  const EndpointMatch match = CO_TRY(find_endpoint(request.method, request.path()));
  if (match.row->action == Action::model_call) {
    co_return co_await serve_model_call(services_, match, scope, request, body, response);
  }
  co_return co_await answer_other(match, scope, request, response);
}

// What calls no model.
Task<void> DataPlane::answer_other(const EndpointMatch& match, Scope& scope, HttpRequest& request,
                                   ResponseWriter& response) {
  if (match.row->action == Action::health)
    co_return co_await send_json(scope, response, 200, R"({"status":"ok"})");

  const std::shared_ptr<const Snapshot> snapshot = services_.snapshot;
  const Principal principal = CO_TRY(
      authenticate_without_body(request, snapshot->keys, {.allowed_origins = snapshot->settings.cors_origins},
                                services_.core->clock().wall_ns() / 1'000'000'000));
  const Headers extra = cors_headers(request, snapshot->settings);
  if (match.row->action == Action::list_models) {
    co_return co_await send_models(scope, *snapshot, principal, request, response, extra);
  }
  if (match.row->action == Action::capabilities) {
    co_return co_await send_capabilities(scope, *services_.cpu, snapshot, principal, request, response,
                                         extra);
  }
  if (match.row->action == Action::get_response) {
    co_return co_await send_stored_response(scope, *services_.cpu, *services_.responses, principal,
                                            match.rest, request, response, extra);
  }
  if (match.row->action == Action::delete_response)
    co_return co_await delete_stored_response(scope, *services_.responses, principal, match.rest, response,
                                              extra);
  co_return co_await send_model(scope, *snapshot, principal, match.rest, request, response, extra);
}

}  // namespace weir
