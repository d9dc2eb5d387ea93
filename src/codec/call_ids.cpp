#include "codec/call_ids.h"

#include <fmt/core.h>

#include "base/crypto.h"

namespace weir {

std::string short_call_id(std::string_view id) {
  constexpr size_t kMax = 64;
  constexpr size_t kKept = 55;
  constexpr size_t kHashDigits = 8;
  if (id.size() <= kMax) return std::string(id);
  return fmt::format("{}_{}", id.substr(0, kKept), sha256_hex(id).substr(0, kHashDigits));
}

std::string made_call_id(std::string_view answer_id, int choice, int block) {
  constexpr size_t kHashDigits = 16;
  return fmt::format("call_{}_{}_{}", sha256_hex(answer_id).substr(0, kHashDigits), choice, block);
}

std::string said_call_id(std::string_view name, std::string_view arguments, size_t before) {
  constexpr size_t kHashDigits = 16;
  const std::string said = fmt::format("{}\n{}", name, arguments);
  const std::string digits = sha256_hex(said).substr(0, kHashDigits);
  return before == 0 ? fmt::format("call_{}", digits) : fmt::format("call_{}_{}", digits, before);
}

}  // namespace weir
