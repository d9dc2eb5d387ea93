// Settings as rows: each settings struct has beside it a list of its fields, one row each. From the rows come
// parsing, the refusal of unknown keys, the printed effective configuration and docs/configuration.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"

namespace weir {

enum class Applies : uint8_t {
  live,     // a reload changes it
  restart,  // only a new start does
};
constexpr std::string_view to_string(Applies applies) {
  return applies == Applies::live ? "live" : "restart";
}

// One field of the struct S. The member's type says how it is written: bool true|false, int64_t a number,
// double a number, Duration "250ms", size_t "64MB", std::string a text, a vector of texts a list.
template <class S>
struct Setting {
  using Member = std::variant<bool S::*, int64_t S::*, double S::*, Duration S::*, size_t S::*,
                              std::string S::*, std::vector<std::string> S::*>;
  std::string_view key;
  Member member;
  Applies applies = Applies::live;
  std::string_view sentence;
  // Numbers, durations (in seconds) and sizes (in bytes) are within [min, max]; both 0: any that is not
  // negative.
  double min = 0;
  double max = 0;
  // A text is one of these, separated by '|'; empty: any.
  std::string_view choices = {};
};

}  // namespace weir
