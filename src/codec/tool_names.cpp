#include "codec/tool_names.h"

#include <algorithm>

#include "base/crypto.h"

namespace weir {
namespace {

bool is_legal(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

std::string legal_tool_name(std::string_view name, size_t length_max) {
  constexpr size_t kKept = 55;
  constexpr size_t kHashDigits = 8;
  if (!name.empty() && name.size() <= length_max && std::all_of(name.begin(), name.end(), is_legal)) {
    return std::string(name);
  }
  std::string legal(name.substr(0, kKept));
  std::replace_if(legal.begin(), legal.end(), [](char c) { return !is_legal(c); }, '_');
  return legal + '_' + sha256_hex(name).substr(0, kHashDigits);
}

}  // namespace weir
