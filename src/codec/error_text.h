// What a provider's error means, told from its status, its code and its words: the vendors name the same
// trouble differently.
#pragma once

#include <string_view>

#include "base/error.h"

namespace weir {

struct ProviderErrorWords {
  int status = 0;  // HTTP status; below 400 for an error inside an answer: then the words tell
  std::string_view type;
  std::string_view code;
  std::string_view message;
};

// The kind by translation.md 4.10, and the provider's message with anything that looks like a key hidden.
Error classify_provider_error(const ProviderErrorWords& words);

// For bodies that are not the dialect's: HTML of a proxy, plain text, nothing. The message is the status and
// the first 200 bytes, printable.
Error error_of_foreign_body(int status, std::string_view body);

// Hides what looks like a secret ("sk-...", "Bearer ...") in a provider's text.
std::string hide_keys(std::string_view text);

}  // namespace weir
