// Azure credentials of Microsoft Entra ID: client credentials with a secret or a federated token (workload
// identity), and managed identity.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "provider/credential.h"

namespace weir {

struct EntraInputs {
  const std::map<std::string, std::string>& environment;
  std::string tenant_id = {};          // said in the configuration; empty: AZURE_TENANT_ID
  std::string client_id = {};          // or AZURE_CLIENT_ID
  Secret client_secret = {};           // or AZURE_CLIENT_SECRET
  std::string scope = {};              // empty: Azure's AI services
  bool uses_managed_identity = false;  // that of the virtual machine or container that Weir runs in
};

// Whether anything says that Entra is meant: without it a provider has its keys alone.
bool has_entra_inputs(const EntraInputs& inputs);

// The first of: a managed identity where it is asked for, a client secret, a federated token
// (AZURE_FEDERATED_TOKEN_FILE). AZURE_AUTHORITY_HOST is where tokens come from. Errors: bad_request saying
// what is missing. REQUIRES has_entra_inputs.
Result<ChosenSource> choose_entra_source(const EntraInputs& inputs);

}  // namespace weir
