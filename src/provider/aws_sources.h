// The sources of AWS credentials, made by aws_credentials.cpp.
#pragma once

#include <memory>
#include <string>

#include "io/http.h"
#include "provider/credential.h"

namespace weir {

// A pair that does not change.
std::unique_ptr<CredentialSource> make_aws_static(Credential pair);

struct AwsRole {
  Url sts;
  std::string sts_region;
  std::string role_arn;
  std::string session_name;
  std::string external_id;     // empty: none; AssumeRole only
  std::string duration_s;      // empty: STS's default
  std::string web_token_file;  // AssumeRoleWithWebIdentity only
};
// Read anew at each fetch: the file is replaced before its token ends.
std::unique_ptr<CredentialSource> make_aws_web_identity(AwsRole role);
// With credentials from `base`.
std::unique_ptr<CredentialSource> make_aws_assume_role(AwsRole role, std::unique_ptr<CredentialSource> base);

struct AwsContainer {
  Url url;
  std::string token;       // authorization to send; empty: none
  std::string token_file;  // or where it is
};
std::unique_ptr<CredentialSource> make_aws_container(AwsContainer container);
// IMDSv2 at that endpoint.
std::unique_ptr<CredentialSource> make_aws_instance(Url endpoint);

}  // namespace weir
