// The rows of every part of the configuration whose struct has no list of its own elsewhere.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "base/settings.h"

namespace weir {

template <class S>
using Rows = std::span<const Setting<S>>;

// RetryPolicy and BreakerSettings count in int; rows know int64_t.
struct RetryConfig {
  int64_t attempts_max = 3;
  int64_t attempts_per_target_max = 2;
  Duration backoff_base = std::chrono::milliseconds(200);
  Duration backoff_max = std::chrono::seconds(5);
  Duration retry_after_max = std::chrono::seconds(10);
};
struct BreakerConfig {
  int64_t failures_to_open = 5;
  double failure_share = 0.5;
  int64_t window = 20;
  Duration open_for = std::chrono::seconds(10);
  Duration open_for_max = std::chrono::minutes(5);
};

Rows<ProviderTimeouts> timeout_rows();
Rows<CredentialConfig> credential_rows();
Rows<RetryConfig> retry_rows();
Rows<FallbackRules> fallback_rows();
Rows<BreakerConfig> breaker_rows();
Rows<RouteConfig> route_rows();
Rows<RouteTargetConfig> target_rows();

// Fields that are read by hand: names, secrets, lists of things.
struct FieldNote {
  std::string_view key;
  std::string_view type;
  std::string_view sentence;
};
std::span<const FieldNote> provider_fields();
std::span<const FieldNote> provider_key_fields();
std::span<const FieldNote> key_fields();
std::span<const FieldNote> catalog_fields();
std::vector<std::string_view> keys_of(std::span<const FieldNote> fields);

}  // namespace weir
