// What can be set of the gateway itself: `gateway:` in the configuration.
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
};

std::span<const Setting<GatewaySettings>> gateway_setting_rows();

}  // namespace weir
