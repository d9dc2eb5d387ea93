// Small replies that need no exchange.
#pragma once

#include <string_view>

#include "gateway/snapshot.h"
#include "io/http.h"
#include "llm/codec.h"

namespace weir {

// The CORS headers for an answer to this request: none unless its origin is allowed.
Headers cors_headers(const HttpRequest& request, const GatewaySettings& settings);

Task<void> send_json(Scope& scope, ResponseWriter& response, int status, std::string_view json,
                     const Headers& extra = {});
Task<void> send_text(Scope& scope, ResponseWriter& response, int status, std::string_view text,
                     std::string_view content_type = "text/plain; charset=utf-8");
// The error in the dialect of `codec`, with Allow for method_not_allowed.
ClientReply error_reply(const ClientCodec& codec, const Error& error, std::string_view request_id,
                        const Headers& extra = {});
Task<void> send_error(Scope& scope, ResponseWriter& response, const ClientCodec& codec, const Error& error,
                      std::string_view request_id, const Headers& extra = {});

}  // namespace weir
