// What weir/extract says in words of its own; everything else that it says is quoted.
#pragma once

#include <string_view>

namespace weir {

inline constexpr std::string_view kIntroduction =
    "I am weir/extract, the model that is built into Weir. I have no weights and no knowledge of my own: "
    "I answer with sentences of the text that I am given. Send the text together with your question, in "
    "the same message or in the system prompt. For a generative model name one that GET /v1/models lists; "
    "Weir offers a provider's when it starts with that provider's key in its environment "
    "(OPENAI_API_KEY, ANTHROPIC_API_KEY) or in config/weir.yaml.";

inline constexpr std::string_view kNoMaterial = "There is no text in this request to answer from.";

inline constexpr std::string_view kNotFound =
    "The text that I was given does not answer this. (I am weir/extract and only quote what I am given.)";

}  // namespace weir
