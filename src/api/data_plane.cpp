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

Task<void> send_health(Scope& scope, ResponseWriter& response) {
  co_return co_await send_json(scope, response, 200, R"({"status":"ok"})");
}

}  // namespace

// Not a coroutine: a model call, which is most of what comes, has a frame of its own.
Task<void> DataPlane::handle(Scope& scope, HttpRequest& request, BodyReader& body, ResponseWriter& response) {
  if (request.method == "OPTIONS") return send_preflight(scope, services_, request, response);
  Result<EndpointMatch> match = find_endpoint(request.method, request.path());
  if (!match) return fail_with(std::move(match).error(), {}, scope, request, response);
  // A model call tells its client and its observer itself, however it ends.
  if (match->row->action == Action::model_call)
    return serve_model_call(services_, *std::move(match), scope, request, body, response);
  if (match->row->action == Action::health) return send_health(scope, response);
  return answer_other(*std::move(match), scope, request, response);
}

Task<void> DataPlane::fail_with(Error error, std::string_view key_name, Scope& scope,
                                const HttpRequest& request, ResponseWriter& response) {
  // Of what ended the scope the connection tells, where there is somebody to be told.
  const bool is_cut = scope.is_cancelled() && error.kind == scope.reason().kind;
  if (response.is_started() || is_cut) co_return fail(error);
  const ErrorAnswer reply = refuse_to(key_name, error, request);
  co_return co_await response.send(scope, reply.status, reply.headers, reply.body);
}

ErrorAnswer DataPlane::refuse(const Error& error, const HttpRequest& request) {
  return refuse_to({}, error, request);
}

ErrorAnswer DataPlane::refuse_to(std::string_view key_name, const Error& error, const HttpRequest& request) {
  const Id id = make_id("req", services_.core->clock().wall_ns(), services_.core->rng());
  ClientReply reply = error_reply(codec_for_errors(request.path(), request.headers), error, id,
                                  cors_headers(request, services_.snapshot->settings));
  note(request, id, key_name, reply.status, &error);
  return {.status = reply.status, .headers = std::move(reply.headers), .body = std::move(reply.body)};
}

void DataPlane::note(const HttpRequest& request, std::string_view id, std::string_view key_name, int status,
                     const Error* error) {
  services_.observer->answered({.id = id,
                                .method = request.method,
                                .path = request.path(),
                                .key_name = key_name,
                                .status = status,
                                .error = error,
                                .wall_ns = services_.core->clock().wall_ns(),
                                .took = services_.core->clock().now() - request.first_byte_at});
}

// What calls no model.
Task<void> DataPlane::answer_other(EndpointMatch match, Scope& scope, HttpRequest& request,
                                   ResponseWriter& response) {
  const std::shared_ptr<const Snapshot> snapshot = services_.snapshot;
  const Result<const Principal*> principal =
      authenticate_without_body(request, snapshot->keys, {.allowed_origins = snapshot->settings.cors_origins},
                                services_.core->clock().wall_ns() / 1'000'000'000);
  if (!principal) co_return co_await fail_with(principal.error(), {}, scope, request, response);
  const Id id = make_id("req", services_.core->clock().wall_ns(), services_.core->rng());
  const Result<void> answered =
      co_await answer_to(**principal, snapshot, id, match, scope, request, response);
  if (!answered)
    co_return co_await fail_with(answered.error(), (*principal)->key_name, scope, request, response);
  note(request, id, (*principal)->key_name, 200, nullptr);
  co_return {};
}

Task<void> DataPlane::answer_to(const Principal& principal, const std::shared_ptr<const Snapshot>& snapshot,
                                std::string_view id, const EndpointMatch& match, Scope& scope,
                                HttpRequest& request, ResponseWriter& response) {
  Headers extra = cors_headers(request, snapshot->settings);
  extra.add("x-request-id", id);
  if (wants_anthropic_shape(request.headers)) extra.add("request-id", id);
  switch (match.row->action) {
    case Action::list_models:
      CO_TRY(co_await send_models(scope, *services_.cpu, snapshot, principal, request, response, extra));
      break;
    case Action::capabilities:
      CO_TRY(
          co_await send_capabilities(scope, *services_.cpu, snapshot, principal, request, response, extra));
      break;
    case Action::get_response:
      CO_TRY(co_await send_stored_response(scope, *services_.cpu, *services_.responses, principal, match.rest,
                                           StoredPart::response, request, response, extra));
      break;
    case Action::list_input_items:
      CO_TRY(co_await send_stored_response(scope, *services_.cpu, *services_.responses, principal, match.rest,
                                           StoredPart::input_items, request, response, extra));
      break;
    case Action::cancel_response:
      co_return co_await refuse_to_cancel(scope, *services_.responses, principal, match.rest);
    case Action::delete_response:
      CO_TRY(co_await delete_stored_response(
          scope, *services_.cpu, *services_.responses, principal, match.rest,
          [&](std::string provider, std::string response_id) {
            return delete_copy(scope, outward_, *snapshot, std::move(provider), std::move(response_id));
          },
          response, extra));
      break;
    default:
      CO_TRY(co_await send_model(scope, *snapshot, principal, match.rest, request, response, extra));
      break;
  }
  co_return {};
}

}  // namespace weir
