// Routes: from a public model name to the targets that can answer, and the order in which they are tried.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "gateway/settings.h"
#include "provider/catalog.h"
#include "provider/provider.h"
#include "provider/retry.h"
#include "provider/target_state.h"

namespace weir {

enum class Strategy : uint8_t {
  weighted,       // by chance, in proportion to the weights
  least_latency,  // the better of two random choices by the mean time to the first event
  least_cost,     // the lowest price for the expected tokens; unknown prices last
  least_busy,     // the fewest calls under way in proportion to the weight
  round_robin,
  ordered,  // as configured
};
std::string_view to_string(Strategy strategy);
std::optional<Strategy> strategy_from_string(std::string_view name);

struct RouteTarget {
  std::shared_ptr<const Provider> provider;
  std::string model;  // the provider's name; "*": what the route's wildcard matched
  double weight = 1;
  int priority = 0;        // lower is tried first; the strategy orders within one priority
  size_t concurrency = 0;  // calls at a time; 0: no cap
  std::string region{};    // where it runs; empty: the provider's
};

// Which failures go to the next target, where that is the operator's to say and not the error table's.
struct FallbackRules {
  bool on_content_policy = false;
  bool on_rate_limit = true;
  bool on_auth = true;
};

struct Route {
  std::string pattern;  // "gpt-4o", or with one '*': "openai/*"
  std::vector<RouteTarget> targets;
  Strategy strategy = Strategy::weighted;
  bool is_sticky = false;  // the same session goes to the same target while it is healthy
  RetryPolicy retry;
  FallbackRules fallback;
  BreakerSettings breaker;
  std::optional<Duration> timeout;      // of the whole exchange
  std::optional<Duration> first_event;  // overrides the provider's, as does
  std::optional<Duration> answer;
  std::string choices;         // overrides the gateway's; empty: it does not
  std::string on_client_gone;  // as choices
  TranslationSettings translation;
  mutable std::atomic<uint64_t> turn{0};  // round robin; shared by the cores

  Route() = default;
  Route(const Route&) = delete;
  Route& operator=(const Route&) = delete;
};

// One target that could answer this request.
struct Candidate {
  const RouteTarget* target = nullptr;
  std::string model;              // the provider's name of the model
  const ModelRow* row = nullptr;  // nullptr: nobody described it
  bool is_priced = true;          // false: the row says what the model can do, not what it costs there
  Capabilities capabilities;      // endpoint and model together
  std::shared_ptr<TargetState> state;

  // Whether a call would be made at that time: its breaker would pass, and a key of its provider is ready.
  bool is_ready(MonoTime at) const;
  // When that is worth asking again: `now` when is_ready(now).
  MonoTime ready_at(MonoTime now) const;
};

// What the strategies know of the request.
struct PickContext {
  MonoTime now;
  std::string_view session;  // for sticky routes; may be empty
  int64_t input_tokens = 0;  // expected, for least_cost
  int64_t output_tokens = 0;
};

// The order in which the candidates are tried: by priority, then by the route's strategy; those that are not
// ready come last in their priority (they are tried only if nothing else is left, and then their breaker and
// keys decide). Gives indexes.
std::vector<size_t> order_candidates(const Route& route, const std::vector<Candidate>& candidates,
                                     const PickContext& context, Rng& rng);

// Immutable; part of the Snapshot.
class RouteTable {
 public:
  struct Match {
    const Route* route = nullptr;
    std::string_view wildcard;  // what '*' stood for; empty for exact routes. A view into the asked name
  };

  // Exact names and aliases by hash, wildcards by longest fixed part. Errors: bad_request for a pattern
  // twice, more than one
  // '*', an alias to nothing.
  // `known`: names of models that wildcards take, as far as anybody knows them; others are no error.
  static Result<RouteTable> make(std::vector<std::unique_ptr<Route>> routes,
                                 std::vector<std::pair<std::string, std::string>> aliases,
                                 const std::vector<std::string>& known = {});
  // Error: model_not_found whose message names the nearest models.
  Result<Match> find(std::string_view model) const;
  // Public names without wildcards, sorted, those known of wildcards among them: for GET /v1/models.
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

 private:
  void list_names(const std::vector<std::string>& known);
  // Looked up by views, without making a string.
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };
  template <class T>
  using ByName = std::unordered_map<std::string, T, NameHash, std::equal_to<>>;

  std::vector<std::unique_ptr<Route>> routes_;
  ByName<const Route*> exact_;
  ByName<std::pair<const Route*, std::string>> renamed_;  // aliases of what only a wildcard matches
  std::vector<std::string> names_;
  std::vector<const Route*> wildcards_;  // longest fixed part first
};

}  // namespace weir
