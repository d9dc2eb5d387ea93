// Snapshot: the compiled configuration that requests read. Immutable; a reload makes a new one and hands it
// to each core, and every exchange keeps the one that it started with.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "gateway/route.h"
#include "gateway/settings.h"
#include "provider/catalog.h"
#include "provider/provider.h"
#include "security/api_keys.h"

namespace weir {

struct Snapshot {
  uint64_t generation = 0;
  std::shared_ptr<const Catalog> catalog;
  std::vector<std::shared_ptr<const Provider>> providers;
  RouteTable routes;
  ApiKeys keys;
  GatewaySettings settings;
  FetchSettings fetch;
  std::shared_ptr<const Secret> user_key;  // of hash_user; null where nothing says that
};

}  // namespace weir
