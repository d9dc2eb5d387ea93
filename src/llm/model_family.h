// Whose words a model reads, where one endpoint serves several vendors' models in their own (Bedrock) and the
// model's name may not tell: an ARN of a profile, or of bought throughput.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

enum class ModelFamily : uint8_t { anthropic, nova, titan, llama, mistral, cohere, other };

// The names are those of config/prices.yaml.
std::string_view to_string(ModelFamily family);

}  // namespace weir
