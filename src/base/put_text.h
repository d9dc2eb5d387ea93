// Copying short texts into room that is there. What a head, a line of the log or a metric is put together of
// is mostly shorter than what it costs to call memcpy.
#pragma once

#include <cstring>
#include <string_view>

namespace weir {

// Copies the text to `at` and gives the place behind it. REQUIRES room for it, apart from the text.
[[gnu::always_inline]] inline char* put_text(char* at, std::string_view text) {
  const char* from = text.data();
  const size_t size = text.size();
  // Two copies of a fixed size, which overlap, are any size between theirs and twice that.
  const auto ends = [&]<size_t kBytes> [[gnu::always_inline]] () {
    std::memcpy(at, from, kBytes);
    std::memcpy(at + size - kBytes, from + size - kBytes, kBytes);
  };
  if (size > 32) {
    std::memcpy(at, from, size);
  } else if (size >= 16) {
    ends.template operator()<16>();
  } else if (size >= 8) {
    ends.template operator()<8>();
  } else if (size >= 4) {
    ends.template operator()<4>();
  } else if (size > 0) {
    at[0] = from[0];
    at[size / 2] = from[size / 2];
    at[size - 1] = from[size - 1];
  }
  return at + size;
}

}  // namespace weir
