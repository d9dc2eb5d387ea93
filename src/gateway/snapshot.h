// Snapshot: the compiled configuration that requests read. Immutable; a reload makes a new one and hands it
// to each core, and every exchange keeps the one that it started with.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gateway/route.h"
#include "provider/catalog.h"
#include "provider/provider.h"
#include "security/api_keys.h"

namespace weir {

struct GatewaySettings {
  Duration timeout = std::chrono::minutes(10);    // of an exchange when neither the client nor the route says
  Duration head_wait = std::chrono::seconds(10);  // when the head leaves although no content has come
  Duration keep_alive = std::chrono::seconds(15);  // between comments or pings on a silent stream
  size_t body_bytes_max = 0;                       // 0: kBodyBytesMax
  std::vector<std::string> cors_origins;
};

struct Snapshot {
  uint64_t generation = 0;
  std::shared_ptr<const Catalog> catalog;
  std::vector<std::shared_ptr<const Provider>> providers;
  RouteTable routes;
  ApiKeys keys;
  GatewaySettings settings;
};

}  // namespace weir
