// For tests of this folder: the shared protocol vectors (outside the repository, so absent in most clones),
// hex, and cutting input into pieces.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace weir::test {

// The file below the shared directory; nothing where that is absent. REQUIRES the repository's root as
// working directory, as CTest sets it.
inline std::optional<std::string> read_shared(const std::string& path) {
  const char* configured = std::getenv("WEIR_SHARED_DIR");
  const std::filesystem::path root = configured ? configured : "../shared";
  std::ifstream file(root / path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline std::string from_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return bytes;
}

// Calls run(pieces) for the whole as one piece, byte by byte, every cut into two (for inputs up to 4 KB, else
// 64 seeded ones), and 64 seeded cuts into several.
template <class Run>
void for_each_cut(std::string_view input, Run run) {
  using Pieces = std::vector<std::string_view>;
  run(Pieces{input});
  Pieces bytes;
  for (size_t i = 0; i < input.size(); ++i) bytes.push_back(input.substr(i, 1));
  run(bytes);
  Rng rng(1);
  const size_t cuts = input.size() <= 4096 ? input.size() : 64;
  for (size_t i = 1; i < cuts; ++i) {
    const size_t at = input.size() <= 4096 ? i : rng.below(input.size());
    run(Pieces{input.substr(0, at), input.substr(at)});
  }
  for (int round = 0; round < 64; ++round) {
    Pieces pieces;
    for (size_t at = 0; at < input.size();) {
      const size_t size = 1 + rng.below(std::max<size_t>(2, input.size() / 4));
      pieces.push_back(input.substr(at, size));
      at += size;
    }
    run(pieces);
  }
}

}  // namespace weir::test
