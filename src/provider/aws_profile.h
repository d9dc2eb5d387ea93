// The files in which AWS's tools keep profiles: ~/.aws/credentials and ~/.aws/config. The form is told in the
// AWS SDKs and Tools reference guide, "Shared config and credentials files".
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir {

enum class AwsProfileFile : uint8_t {
  credentials,  // [name]
  config,       // [profile name], [default]; other sections are not profiles
};

class AwsProfiles {
 public:
  using Settings = std::map<std::string, std::string>;  // by name in lower case

  // Adds what a file says; a setting that is there already stays, so the file that wins (credentials) is
  // added first. Nested settings (lines that are indented) are skipped. Errors: bad_request with the line,
  // for a line that is neither a section, a setting nor a comment, and for more than kLinesMax of them.
  Result<void> add(AwsProfileFile file, std::string_view text);
  // nullptr when there is none of that name.
  const Settings* find(const std::string& name) const;

  static constexpr int kLinesMax = 20'000;

 private:
  std::map<std::string, Settings> profiles_;
};

}  // namespace weir
