#include "api/replies.h"

#include "security/cors.h"

namespace weir {

Headers cors_headers(const HttpRequest& request, const GatewaySettings& settings) {
  return cors_answer_headers(request.headers, settings.cors_origins);
}

Task<void> send_json(Scope& scope, ResponseWriter& response, int status, std::string_view json,
                     const Headers& extra) {
  Headers headers = extra;
  headers.set("content-type", "application/json");
  co_return co_await response.send(scope, status, headers, json);
}

Task<void> send_text(Scope& scope, ResponseWriter& response, int status, std::string_view text,
                     std::string_view content_type) {
  Headers headers;
  headers.add("content-type", content_type);
  co_return co_await response.send(scope, status, headers, text);
}

ClientReply error_reply(const ClientCodec& codec, const Error& error, std::string_view request_id,
                        const Headers& extra) {
  ClientReply reply = codec.encode_error(error, request_id);
  for (const HeaderField field : extra) reply.headers.add(field.name, field.value);
  reply.headers.set("x-request-id", request_id);
  if (error.kind == ErrorKind::method_not_allowed) reply.headers.set("allow", error.detail);
  return reply;
}

Task<void> send_error(Scope& scope, ResponseWriter& response, const ClientCodec& codec, const Error& error,
                      std::string_view request_id, const Headers& extra) {
  const ClientReply reply = error_reply(codec, error, request_id, extra);
  co_return co_await response.send(scope, reply.status, reply.headers, reply.body);
}

}  // namespace weir
