// Streams of InvokeModel as clients get them.
#pragma once

#include <memory>

#include "llm/codec.h"

namespace weir {

// Headers of InvokeModel that steer the service, not the model; kept in `extras` under their names.
inline constexpr std::string_view kInvokeHeaderPrefix = "x-amzn-bedrock-";
inline constexpr std::string_view kInvokeVersion = "bedrock-2023-05-31";

// The service's own counts, disjoint as it states them: input without what the cache gave or took.
struct InvokeCounts {
  int64_t input = 0;
  int64_t output = 0;
  int64_t cache_read = 0;
  int64_t cache_written = 0;
};
InvokeCounts invoke_counts(const Usage& usage);

std::unique_ptr<StreamEncoder> make_invoke_stream_encoder(AnswerContext context);

}  // namespace weir
