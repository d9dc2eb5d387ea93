#include "api/capabilities.h"

#include "api/replies.h"
#include "base/json.h"
#include "base/query.h"
#include "codec/coverage.h"
#include "gateway/model_name.h"

namespace weir {
namespace {

// A target to be described; `provider` lives as long as the snapshot.
struct Described {
  const Provider* provider = nullptr;
  std::string model{};  // empty: the provider's models at large
  Capabilities capabilities{};
};

void write_target(JsonWriter& json, const Described& target) {
  json.begin_object().key("provider").value(target.provider->name);
  json.key("model");
  if (target.model.empty()) {
    json.null();
  } else {
    json.value(target.model);
  }
  const ProviderKind& kind = target.provider->kind;
  json.key("dialect").value(to_string(kind.dialect)).key("endpoints").begin_array();
  for (size_t i = 0; i < kEndpointCount; ++i) {
    if (kind.served.test(i)) json.value(to_string(static_cast<Endpoint>(i)));
  }
  json.end_array().key("from").begin_object();
  const TargetModel model{.model = target.model, .capabilities = &target.capabilities};
  for (size_t i = 0; i < kDialectCount; ++i) {
    const auto client = static_cast<Dialect>(i);
    json.key(to_string(client)).begin_object();
    for (const FeatureSupport& one : coverage(client, *target.provider->codec, model)) {
      json.key(one.feature).begin_object().key("support").value(to_string(one.support));
      if (!one.how.empty()) json.key("how").value(one.how);
      json.end_object();
    }
    json.end_object();
  }
  json.end_object().end_object();
}

Capabilities known_of(const Snapshot& snapshot, const Provider& provider, std::string_view model) {
  return overlay(snapshot.catalog->capabilities(provider.kind.name, model), provider.capabilities);
}

Result<std::vector<Described>> targets_of(const Snapshot& snapshot, std::string_view name) {
  const RouteTable::Match match = TRY(snapshot.routes.find(name));
  std::vector<Described> found;
  for (const RouteTarget& target : match.route->targets) {
    if (!target.provider->codec) continue;
    const std::string model = target.model == "*" ? std::string(match.wildcard) : target.model;
    found.push_back({.provider = target.provider.get(),
                     .model = model,
                     .capabilities = known_of(snapshot, *target.provider, model)});
  }
  return found;
}

std::vector<Described> providers_of(const Snapshot& snapshot) {
  std::vector<Described> found;
  for (const auto& provider : snapshot.providers) {
    if (!provider->codec) continue;
    found.push_back({.provider = provider.get(), .capabilities = known_of(snapshot, *provider, "")});
  }
  return found;
}

Result<std::string> model_asked(std::string_view query) {
  std::string model;
  const std::vector<QueryField> fields = TRY(query_fields(query));
  for (const QueryField& field : fields) {
    if (field.name != "model")
      return fail(ErrorKind::bad_request, "the only query parameter here is model", field.name);
    model = field.value;
  }
  return model;
}

}  // namespace

Task<void> send_capabilities(Scope& scope, Pool& cpu, std::shared_ptr<const Snapshot> snapshot,
                             const Principal& principal, const HttpRequest& request, ResponseWriter& response,
                             const Headers& extra) {
  const std::string model = CO_TRY(model_asked(request.query()));
  CO_TRY(check_model_name(model));
  if (!model.empty() && !may_use(principal, model)) {
    co_return fail(ErrorKind::model_not_found, fmt::format("there is no model {} for this key", model),
                   "model");
  }
  std::vector<Described> targets;
  if (model.empty()) {
    targets = providers_of(*snapshot);
  } else {
    targets = CO_TRY(targets_of(*snapshot, model));
  }
  // Some hundred small encodings: too long for a core.
  const std::string body =
      CO_TRY(co_await cpu.run(scope, [snapshot, targets = std::move(targets)]() -> Result<std::string> {
        std::string out;
        JsonWriter json(out);
        json.begin_object().key("object").value("list").key("data").begin_array();
        for (const Described& target : targets) write_target(json, target);
        json.end_array().end_object();
        return out;
      }));
  co_return co_await send_json(scope, response, 200, body, extra);
}

}  // namespace weir
