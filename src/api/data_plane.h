// The data plane: what clients of models talk to.
#pragma once

#include "api/model_call.h"
#include "gateway/kept_copies.h"
#include "io/http.h"

namespace weir {

class DataPlane final : public HttpHandler {
 public:
  DataPlane(CoreServices& services, Outward outward) : services_(services), outward_(outward) {}
  Task<void> handle(Scope& scope, HttpRequest& request, BodyReader& body, ResponseWriter& response) override;
  ErrorAnswer refuse(const Error& error, const HttpRequest& request) override;

 private:
  // The error response, if one can still be sent. `key_name`: of the caller, as far as it is known.
  [[gnu::noinline]] Task<void> fail_with(Error error, std::string_view key_name, Scope& scope,
                                         const HttpRequest& request, ResponseWriter& response);
  ErrorAnswer refuse_to(std::string_view key_name, const Error& error, const HttpRequest& request);
  // Not inlined, or its frame would be a part of that of every model call.
  [[gnu::noinline]] Task<void> answer_other(EndpointMatch match, Scope& scope, HttpRequest& request,
                                            ResponseWriter& response);
  Task<void> answer_to(const Principal& principal, const std::shared_ptr<const Snapshot>& snapshot,
                       std::string_view id, const EndpointMatch& match, Scope& scope, HttpRequest& request,
                       ResponseWriter& response);
  // `error`: null for success.
  void note(const HttpRequest& request, std::string_view id, std::string_view key_name, int status,
            const Error* error);

  CoreServices& services_;
  const Outward outward_;  // for calls that are no exchanges
};

}  // namespace weir
