// Small vocabularies for tests.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/encoding.h"

namespace weir {

// The lines of a vocabulary: the 256 single bytes, then the given tokens in order of rank.
inline std::string vocabulary(std::span<const std::string> tokens) {
  std::string lines;
  int rank = 0;
  const auto add = [&](std::string_view token) {
    lines += base64_encode(token) + " " + std::to_string(rank++) + "\n";
  };
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    add({&c, 1});
  }
  for (const std::string& token : tokens) add(token);
  return lines;
}

inline std::string vocabulary(std::initializer_list<std::string> tokens) {
  return vocabulary(std::span(tokens.begin(), tokens.size()));
}

}  // namespace weir
