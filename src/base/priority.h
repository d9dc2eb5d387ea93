// Which queue work waits in, and what is shed first.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir {

enum class Priority : uint8_t { interactive, normal, batch };
inline constexpr size_t kPriorityCount = 3;

constexpr std::string_view to_string(Priority priority) {
  constexpr std::array<std::string_view, kPriorityCount> kNames = {"interactive", "normal", "batch"};
  return kNames[static_cast<size_t>(priority)];
}

constexpr std::optional<Priority> priority_from_string(std::string_view name) {
  for (const Priority priority : {Priority::interactive, Priority::normal, Priority::batch}) {
    if (to_string(priority) == name) return priority;
  }
  return std::nullopt;
}

}  // namespace weir
