// The id of an end user, where it must not go to the provider as it came: too long for it, or by a route's
// policy.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/secret.h"
#include "llm/dialect.h"
#include "llm/fidelity.h"

namespace weir {

// The id itself, or its SHA-256 in 64 hex digits where it is longer than the target takes; that is reported.
// It hides nothing: who can guess an id can verify the guess.
std::string fitting_end_user(std::string_view id, size_t length_max, Fidelity& fidelity);

// HMAC-SHA256 in 64 hex digits: the same id gives the same text as long as the key is the same, and only who
// has the key can verify a guess.
std::string hidden_end_user(std::string_view id, const Secret& key);
void report_hidden_end_user(Fidelity& fidelity);
// A body of the dialect with that in place of each such id, every other byte as it came; nothing where it
// states none.
std::optional<std::string> with_hidden_end_user(Dialect dialect, const JsonDoc& body, const Secret& key);

}  // namespace weir
