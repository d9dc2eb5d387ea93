// Streams of InvokeModel as clients get them.
#pragma once

#include <memory>

#include "llm/codec.h"

namespace weir {

// Headers of InvokeModel that steer the service, not the model; kept in `extras` under their names.
inline constexpr std::string_view kInvokeHeaderPrefix = "x-amzn-bedrock-";
inline constexpr std::string_view kInvokeVersion = "bedrock-2023-05-31";

std::unique_ptr<StreamEncoder> make_invoke_stream_encoder(const AnswerContext& context);

}  // namespace weir
