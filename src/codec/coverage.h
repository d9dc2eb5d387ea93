// What a target carries of what a dialect's clients can say, told by the codecs themselves: each feature is a
// small request that is encoded for the target, and the errors and losses of that encoding are the answer. So
// the table that `GET /v1/capabilities` and `weir dialects` print cannot differ from what a call does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llm/codec.h"

namespace weir {

enum class Support : uint8_t {
  carried,   // as it was said
  emulated,  // by other means, clamped or changed; reported
  dropped,   // left out and reported; refused in strict mode
  refused,   // an error that names the field
  unsaid,    // the client's dialect has no words for it
};
std::string_view to_string(Support support);

struct FeatureSupport {
  std::string_view feature;  // "tools", "image_url", ...: the closed list of coverage.cpp
  Support support = Support::carried;
  std::string how{};  // the report, or the error's message; empty for carried
};

// All features in their order. Where both speak one dialect the client's bytes pass as they are: all that it
// can say is carried. Takes some tens of encodings: about a millisecond.
std::vector<FeatureSupport> coverage(Dialect client, const ProviderCodec& target_codec,
                                     const TargetModel& target);

}  // namespace weir
