#include "io/http.h"

#include "io/scope.h"

namespace weir {

Task<void> ClientResponse::wait(Scope& scope) {
  return scope.check();
}

Task<std::string_view> ClientResponse::read(Scope& scope) {
  for (;;) {
    if (const auto piece = CO_TRY(take())) co_return *piece;
    if (Result<void> ready = co_await wait(scope); !ready) {
      hang_up();
      co_return std::move(ready).fail();
    }
  }
}

Task<std::string> read_all(Scope& scope, ClientResponse& response, size_t bytes_max) {
  std::string body;
  for (;;) {
    const std::string_view piece = CO_TRY(co_await response.read(scope));
    if (piece.empty()) co_return body;
    if (piece.size() > bytes_max - body.size())
      co_return fail(ErrorKind::upstream_malformed, "the provider's answer is larger than the limit");
    body.append(piece);
  }
}

}  // namespace weir
