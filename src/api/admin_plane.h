// The admin plane: metrics, readiness, reload and status, on its own address.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "api/model_call.h"
#include "base/metrics.h"
#include "io/http.h"

namespace weir {

// What the admin plane asks of the process. What gives text is called in the worker pool, since it may be
// long.
struct AdminActions {
  const MetricsRegistry* metrics = nullptr;
  // Reads the configuration again. Gives a JSON object that says what changed. Errors: bad_request listing
  // the problems.
  std::function<Task<std::string>(Scope&)> reload;
  // The effective configuration as YAML, secrets hidden.
  std::function<std::string()> effective_config;
  // Whether what is to be kept for longer than the process cannot be written or read.
  std::function<bool()> is_store_failing;
  // Every target's breaker, latency and permits, and every provider's keys, as a JSON object.
  std::function<std::string()> status;
};

struct AdminRow {
  std::string_view method;
  std::string_view path;
};
// What the admin plane answers; GET rows answer HEAD too.
std::span<const AdminRow> admin_rows();

class AdminPlane final : public HttpHandler {
 public:
  AdminPlane(CoreServices& services, AdminActions actions)
      : services_(services), actions_(std::move(actions)) {}
  Task<void> handle(Scope& scope, HttpRequest& request, BodyReader& body, ResponseWriter& response) override;

 private:
  Task<void> answer(Scope& scope, HttpRequest& request, ResponseWriter& response);
  template <class Function>
  Task<std::string> made(Scope& scope, Function function);
  Result<void> authorise(const HttpRequest& request) const;

  CoreServices& services_;
  const AdminActions actions_;
};

}  // namespace weir
