// The copies that providers of the Responses dialect keep of the answers that Weir keeps too.
#pragma once

#include <string>

#include "gateway/snapshot.h"
#include "io/pool.h"
#include "io/scope.h"

namespace weir {

class CredentialFetcher;
class HttpClient;

// What calls to providers go out by, of one core.
struct Outward {
  HttpClient* client = nullptr;
  CredentialFetcher* credentials = nullptr;
  Pool* cpu = nullptr;
};

// Deletes the provider's copy, by whichever of its keys made it. True: the provider has none any more. False:
// it has no way to delete one. Errors: not_found when the provider is no longer configured, those of the
// calls.
Task<bool> delete_copy(Scope& scope, Outward outward, const Snapshot& snapshot, std::string provider,
                       std::string id);

}  // namespace weir
