// The JSON that providers send: whole answers, and events of streams, in memory that the thread keeps.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/json.h"

namespace weir {

// Models cut surrogate pairs and servers repeat keys; neither is a reason to lose an answer.
inline constexpr JsonLimits kProviderJson{.rejects_duplicate_keys = false, .replaces_lone_surrogates = true};

// A whole answer, which is an object, or of the other type that is allowed. Valid as long as `scratch`.
// Errors: upstream_malformed with the start of what came.
Result<JsonValue> parse_answer(JsonScratch& scratch, std::string_view body,
                               JsonType other = JsonType::object);
// The data of an event. Valid as long as `scratch`. Errors: upstream_malformed with the start of what came.
Result<JsonValue> parse_event(JsonScratch& scratch, std::string_view data);

// More is no count of anything that one call did. Sums of counts up to it fit.
inline constexpr int64_t kProviderCountMax = 1'000'000'000'000;

// What a provider counts, as tokens: absent is not zero, and nothing is below it. What is above
// kProviderCountMax is as good as absent, so that no bill is made of it.
std::optional<int64_t> count_of(JsonValue value);

}  // namespace weir
