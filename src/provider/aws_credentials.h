// AWS credentials as AWS's own SDKs find them: the environment, profiles, web identity, container and
// instance metadata. See "Standardized credential providers" of the AWS SDKs and Tools reference guide.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "provider/credential.h"

namespace weir {

struct AwsInputs {
  const std::map<std::string, std::string>& environment;
  std::string profile = {};  // said in the configuration; empty: AWS_PROFILE, else "default" where it exists
  std::string region = {};   // of STS; empty: that of the environment, else us-east-1
};

// The first of: a pair in the environment, web identity, the profile, the container's, the instance's. Reads
// the profile files, so it blocks; fetching comes later. Errors: bad_request with the remedy, for a profile
// that is not there, is broken, or needs what Weir does not do (SSO, credential_process, MFA).
Result<ChosenSource> choose_aws_source(const AwsInputs& inputs);

// The answer of STS to AssumeRole and AssumeRoleWithWebIdentity, whose names end in "Response". Errors:
// upstream_auth, with STS's own code in the message.
Result<Credential> parse_sts_answer(std::string_view body);

// The region of "bedrock-runtime.us-east-1.amazonaws.com" and its like; empty when the host has none.
std::string aws_region_of_host(std::string_view host);
// AWS_REGION, else AWS_DEFAULT_REGION; empty for none.
std::string aws_region_of_environment(const std::map<std::string, std::string>& environment);

}  // namespace weir
