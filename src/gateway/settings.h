// What can be set of the gateway itself: `gateway:`, `fetch:`, `keep:` and `translation:` in the
// configuration.
#pragma once

#include <span>

#include "base/limits.h"
#include "base/settings.h"

namespace weir {

struct GatewaySettings {
  Duration timeout = std::chrono::minutes(10);
  Duration head_wait = std::chrono::seconds(10);
  Duration keep_alive = std::chrono::seconds(15);
  size_t body_bytes_max = kBodyBytesMax;
  std::vector<std::string> cors_origins;
  std::string choices = "error";          // or "fanout"
  std::string on_client_gone = "cancel";  // or "drain", within these bounds
  Duration client_gone_timeout = std::chrono::seconds(60);
  size_t client_gone_bytes_max = 8 * kMiB;
};

// Images and documents by URL, for targets that take only bytes.
struct FetchSettings {
  std::vector<std::string> allow;
  size_t bytes_max = 20 * kMiB;
  Duration timeout = std::chrono::seconds(20);
};

// What is kept for callers between their requests.
struct KeepSettings {
  Duration turn_ttl = std::chrono::hours(1);
  Duration response_ttl = std::chrono::hours(30 * 24);
  size_t memory_bytes_max = 64 * kMiB;
  int64_t per_caller_max = 4096;
  size_t per_caller_bytes_max = 256 * kMiB;
  int64_t rows_max = 1'000'000;
};

// How far a request may be changed for a target that does not take it as it is. Each route has its own, which
// starts from that of the whole configuration.
struct TranslationSettings {
  bool strict = false;
  std::string missing_results = "error";  // or "repair"
  std::string first_assistant = "error";  // or "pad"
  bool cache_markers = false;
  bool hash_user = false;
  std::string server_tools = "error";  // or "drop"
  bool web_search = false;
  std::string user_names = "drop";         // or "prefix"
  std::string sampling = "clamp";          // or "error"
  std::string malformed_calls = "answer";  // or "retry"
  bool reasoning_field = false;
  bool operator==(const TranslationSettings&) const = default;
};

std::span<const Setting<GatewaySettings>> gateway_setting_rows();
std::span<const Setting<FetchSettings>> fetch_setting_rows();
std::span<const Setting<KeepSettings>> keep_setting_rows();
std::span<const Setting<TranslationSettings>> translation_setting_rows();

}  // namespace weir
