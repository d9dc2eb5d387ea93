#include "gateway/kept_copies.h"

#include <algorithm>
#include <fmt/core.h>

#include "provider/credentials.h"
#include "provider/key_ring.h"
#include "provider/upstream.h"

namespace weir {
namespace {

// A response belongs to the account of the key that made it, and which of the keys did is not kept.
Task<Deletion> delete_by_keys(Scope& scope, Outward outward, const Provider& provider, std::string id) {
  std::vector<size_t> tried;
  while (tried.size() < provider.keys->size()) {
    Result<KeyRing::Pick> key = provider.keys->pick(scope.now(), scope.core().rng(), "", tried);
    // One that rests may have made it.
    if (!key) co_return fail(std::move(key).error());
    tried.push_back(key->index);
    const Deletion deletion = CO_TRY(co_await delete_kept_answer(scope, *outward.client, *outward.cpu,
                                                                 provider, std::move(key->credential), id));
    if (deletion != Deletion::unknown) co_return deletion;
  }
  co_return Deletion::unknown;
}

}  // namespace

Task<bool> delete_copy(Scope& scope, Outward outward, const Snapshot& snapshot, std::string provider,
                       std::string id) {
  const auto found = std::ranges::find_if(snapshot.providers,
                                          [&](const auto& candidate) { return candidate->name == provider; });
  if (found == snapshot.providers.end()) {
    co_return fail(ErrorKind::not_found,
                   fmt::format("the provider {}, which keeps that response too, is no longer configured: "
                               "delete it there",
                               provider),
                   "response_id");
  }
  const std::shared_ptr<const Provider> keeper = *found;  // a reload may take it away meanwhile
  Deletion deletion = Deletion::unknown;
  if (keeper->credentials) {
    std::shared_ptr<const Credential> credential =
        CO_TRY(co_await keeper->credentials->get(scope, *outward.credentials));
    deletion = CO_TRY(co_await delete_kept_answer(scope, *outward.client, *outward.cpu, *keeper,
                                                  std::move(credential), id));
  } else if (keeper->keys->size() > 0) {
    deletion = CO_TRY(co_await delete_by_keys(scope, outward, *keeper, id));
  } else {
    deletion =
        CO_TRY(co_await delete_kept_answer(scope, *outward.client, *outward.cpu, *keeper, nullptr, id));
  }
  co_return deletion != Deletion::impossible;
}

}  // namespace weir
