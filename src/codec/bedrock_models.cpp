#include "codec/bedrock_models.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>

#include "base/encoding.h"

namespace weir {
namespace {

struct FamilyRow {
  std::string_view start;
  ModelFamily family;
};
constexpr std::array<FamilyRow, 6> kFamilies = {{{"anthropic.", ModelFamily::anthropic},
                                                 {"amazon.nova", ModelFamily::nova},
                                                 {"amazon.titan", ModelFamily::titan},
                                                 {"meta.", ModelFamily::llama},
                                                 {"mistral.", ModelFamily::mistral},
                                                 {"cohere.", ModelFamily::cohere}}};

}  // namespace

std::string_view bedrock_base_model(std::string_view model) {
  // https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
  constexpr std::array<std::string_view, 11> kPrefixes = {"us.", "eu.", "apac.", "global.", "us-gov.", "jp.",
                                                          "au.", "ca.", "sa.",   "me.",     "af."};
  if (model.starts_with("arn:")) model.remove_prefix(std::min(model.size(), model.rfind('/') + 1));
  for (const std::string_view prefix : kPrefixes) {
    // "us.x" is a prefix and a vendor; a vendor's own id has a dot too.
    if (model.starts_with(prefix) && model.find('.', prefix.size()) != std::string_view::npos)
      return model.substr(prefix.size());
  }
  return model;
}

ModelFamily bedrock_family(const TargetModel& target) {
  if (target.capabilities->family) return *target.capabilities->family;
  const std::string_view id = bedrock_base_model(target.model);
  for (const FamilyRow& row : kFamilies) {
    if (id.starts_with(row.start)) return row.family;
  }
  return ModelFamily::other;
}

Result<std::string> bedrock_path(std::string_view model, std::string_view action) {
  if (model.empty() || model == "." || model == "..")
    return fail(ErrorKind::bad_request, fmt::format("'{}' is no name of a model", model), "model");
  return fmt::format("/model/{}/{}", percent_encode(model, UrlPart::unreserved), action);
}

}  // namespace weir
