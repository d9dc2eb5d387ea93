// Several members of an object in one pass over it, for decoders that read the same ones of each answer.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "base/json.h"

namespace weir {

// The members of those names, in their order; missing where there are none, or `object` is none. Inlined, so
// that each name is compared as the constant that it is.
template <size_t kCount>
[[gnu::always_inline]] inline std::array<JsonValue, kCount> members_of(
    JsonValue object, const std::array<std::string_view, kCount>& names) {
  std::array<JsonValue, kCount> members;
  for (const JsonValue member : object) {
    const std::string_view key = member.key();
    // The first of several members with one name counts, as it does for operator[].
    const auto take = [&] [[gnu::always_inline]] (size_t i) {
      if (!members[i]) members[i] = member;
      return true;
    };
    [&]<size_t... kIndex> [[gnu::always_inline]] (std::index_sequence<kIndex...>) {
      static_cast<void>(((key == names[kIndex] && take(kIndex)) || ...));
    }(std::make_index_sequence<kCount>());
  }
  return members;
}

}  // namespace weir
