// Fuzzes what sources of credentials read: AWS's profile files, answers in XML and in JSON, times. The first
// byte chooses. Whatever is taken must be usable: a credential has its parts, a profile is found.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "provider/aws_credentials.h"
#include "provider/aws_profile.h"
#include "provider/credential_fetch.h"
#include "provider/xml_fields.h"

namespace {

void check_pair(const weir::Result<weir::Credential>& pair) {
  if (pair ? pair->access_key_id.empty() || pair->secret.empty() : pair.error().message.empty()) std::abort();
}

void check_profiles(std::string_view text) {
  weir::AwsProfiles profiles;
  for (const weir::AwsProfileFile file : {weir::AwsProfileFile::credentials, weir::AwsProfileFile::config}) {
    const auto added = profiles.add(file, text);
    if (!added && !added.error().message.starts_with("line ")) std::abort();
  }
  (void)profiles.find("default");
}

void check_xml(std::string_view text) {
  const auto fields = weir::read_xml_fields(text);
  if (fields && fields->size() > weir::kXmlFieldsMax) std::abort();
  if (fields && fields->empty()) std::abort();
  check_pair(weir::parse_sts_answer(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      check_profiles(text);
      break;
    case 1:
      check_xml(text);
      break;
    case 2:
      check_pair(weir::parse_metadata_answer("fuzz", std::string(text)));
      break;
    case 3: {
      const auto token = weir::parse_token_answer("fuzz", std::string(text), 1'767'225'600'000'000'000);
      if (token && (token->secret.empty() || *token->expires_at_ns < 1'767'225'600'000'000'000)) std::abort();
      break;
    }
    default:
      if (const auto seconds = weir::parse_utc_seconds(text); seconds && *seconds < 0) std::abort();
      break;
  }
  return 0;
}
