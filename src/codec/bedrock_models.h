// Names of models as Amazon Bedrock writes them: ids, ids with a region's prefix, ARNs.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "llm/codec.h"

namespace weir {

// The id without the ARN around it and the prefix of a cross-region profile:
//   "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-x" -> "anthropic.claude-x"
// A view into `model`. An ARN of a profile or of bought throughput ends in a name that says nothing.
std::string_view bedrock_base_model(std::string_view model);

// Whose words the model reads: the capability row's, else told from the id.
ModelFamily bedrock_family(const TargetModel& target);

// "/model/<id>/<action>", the id encoded as the AWS SDKs do. Errors: bad_request for a name that no path can
// hold.
Result<std::string> bedrock_path(std::string_view model, std::string_view action);

}  // namespace weir
