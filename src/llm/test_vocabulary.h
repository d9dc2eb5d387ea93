// Small vocabularies for tests.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/encoding.h"

namespace weir {

// The lines of a vocabulary of these tokens, in order of rank.
inline std::string vocabulary_of_all(std::span<const std::string> tokens) {
  std::string lines;
  for (size_t rank = 0; rank < tokens.size(); ++rank)
    lines += base64_encode(tokens[rank]) + " " + std::to_string(rank) + "\n";
  return lines;
}

inline std::vector<std::string> single_bytes() {
  std::vector<std::string> bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.emplace_back(1, static_cast<char>(byte));
  return bytes;
}

// The same of the 256 single bytes, then the given tokens.
inline std::string vocabulary(std::span<const std::string> tokens) {
  std::vector<std::string> all = single_bytes();
  all.insert(all.end(), tokens.begin(), tokens.end());
  return vocabulary_of_all(all);
}

inline std::string vocabulary(std::initializer_list<std::string> tokens) {
  return vocabulary(std::span(tokens.begin(), tokens.size()));
}

}  // namespace weir
