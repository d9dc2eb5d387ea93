// The id of an end user, where it must not go to the provider as it came: too long for it, or by a route's
// policy.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "llm/dialect.h"
#include "llm/fidelity.h"

namespace weir {

// SHA-256 in 64 hex digits: the same id gives the same text, wherever and whenever. It has no key: who can
// guess an id can verify the guess.
std::string end_user_hash(std::string_view id);

// The id itself, or its hash where it is longer than the target takes; that is reported.
std::string fitting_end_user(std::string_view id, size_t length_max, Fidelity& fidelity);
void report_hashed_end_user(Fidelity& fidelity);

// A body of the dialect with the hash in place of each such id, every other byte as it came; nothing where it
// states none.
std::optional<std::string> with_hashed_end_user(Dialect dialect, const JsonDoc& body);

}  // namespace weir
