// Encoding loses nothing, counting agrees with encoding, and the upper estimate is one.
#include <cstdlib>
#include <string_view>

#include "llm/tokens.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const int64_t bound = cheap_upper_estimate(text);
  if (bound > static_cast<int64_t>(size)) std::abort();
  for (const Tokenizer tokenizer : {Tokenizer::o200k_base, Tokenizer::cl100k_base}) {
    const auto tokens = encode_tokens(tokenizer, text);
    if (decode_tokens(tokenizer, tokens) != text) std::abort();
    if (count_tokens(tokenizer, text) != static_cast<int64_t>(tokens.size())) std::abort();
    if (static_cast<int64_t>(tokens.size()) > bound) std::abort();
  }
  if (estimate_tokens(text) < 0) std::abort();
  return 0;
}
