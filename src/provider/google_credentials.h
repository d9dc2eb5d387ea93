// Google credentials as its libraries find them (Application Default Credentials): a service account's key, a
// user's refresh token, the metadata server.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "provider/credential.h"

namespace weir {

struct GoogleInputs {
  const std::map<std::string, std::string>& environment;
  std::string file =
      {};  // said in the configuration; empty: GOOGLE_APPLICATION_CREDENTIALS, else gcloud's own
  std::string scope = {};  // empty: cloud-platform
};

// The first of: the file, gcloud's application_default_credentials.json, the metadata server
// (GCE_METADATA_HOST). Reads the file, so it blocks. Errors: bad_request with the remedy, for a file that is
// broken or of a type that Weir does not do.
Result<ChosenSource> choose_google_source(const GoogleInputs& inputs);

}  // namespace weir
