// Durations and sizes as people write them in settings: exact integer arithmetic, no floating point.
#include <array>
#include <fmt/core.h>
#include <limits>
#include <optional>

#include "base/text.h"

namespace weir {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

constexpr int64_t kSecond = 1'000'000'000;
// From large to small, each a multiple of the next.
constexpr std::array kDurationUnits = {Unit{"d", 86'400 * kSecond},
                                       Unit{"h", 3'600 * kSecond},
                                       Unit{"m", 60 * kSecond},
                                       Unit{"s", kSecond},
                                       Unit{"ms", 1'000'000},
                                       Unit{"us", 1'000},
                                       Unit{"ns", 1}};
constexpr std::string_view kMicroSign = "\xC2\xB5s";  // U+00B5
constexpr std::string_view kGreekMu = "\xCE\xBCs";    // U+03BC, which looks the same

constexpr std::array kSizeUnits = {Unit{"TiB", int64_t{1} << 40},
                                   Unit{"TB", 1'000'000'000'000},
                                   Unit{"GiB", int64_t{1} << 30},
                                   Unit{"GB", 1'000'000'000},
                                   Unit{"MiB", int64_t{1} << 20},
                                   Unit{"MB", 1'000'000},
                                   Unit{"KiB", 1024},
                                   Unit{"KB", 1000},
                                   Unit{"B", 1}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// A decimal number and the unit behind it, cut from the front of `rest`.
struct Quantity {
  std::string_view whole;
  std::string_view fraction;  // the digits behind the point
  std::string_view unit;
};

std::string_view cut_while(std::string_view& rest, bool (*belongs)(char)) {
  size_t size = 0;
  while (size < rest.size() && belongs(rest[size])) ++size;
  const std::string_view cut = rest.substr(0, size);
  rest.remove_prefix(size);
  return cut;
}

std::optional<Quantity> cut_quantity(std::string_view& rest) {
  Quantity quantity;
  quantity.whole = cut_while(rest, is_digit);
  if (quantity.whole.empty()) return std::nullopt;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    quantity.fraction = cut_while(rest, is_digit);
    if (quantity.fraction.empty()) return std::nullopt;
  }
  quantity.unit = trim(cut_while(rest, [](char c) { return !is_digit(c) && c != '.'; }));
  return quantity;
}

// The quantity times its factor, what is finer than one dropped; nothing when it does not fit.
std::optional<int64_t> multiply(const Quantity& quantity, int64_t factor) {
  constexpr __int128 kMax = std::numeric_limits<int64_t>::max();
  __int128 value = 0;
  for (const char c : quantity.whole) {
    value = value * 10 + (c - '0');
    if (value > kMax) return std::nullopt;
  }
  value *= factor;
  __int128 place = factor;
  __int128 part = 0;  // in units of 1e-18 of one, so that digits of the fraction add up exactly
  place *= 1'000'000'000'000'000'000;
  for (const char c : quantity.fraction) {
    place /= 10;
    part += place * (c - '0');
  }
  value += part / 1'000'000'000'000'000'000;
  return value <= kMax ? std::optional(static_cast<int64_t>(value)) : std::nullopt;
}

std::unexpected<Error> bad_duration(std::string_view text) {
  return fail(ErrorKind::bad_request,
              fmt::format("'{}' is not a duration; write one like 250ms, 10s, 1m30s or 2h", text));
}

std::unexpected<Error> bad_size(std::string_view text) {
  return fail(ErrorKind::bad_request,
              fmt::format("'{}' is not a size; write one like 512, 256KB, 64MB or 1GiB", text));
}

}  // namespace

Result<int64_t> parse_duration(std::string_view text) {
  if (text == "0") return 0;
  std::string_view rest = trim(text);
  if (rest.empty()) return bad_duration(text);
  int64_t total = 0;
  size_t next_unit = 0;  // units before this one are too large now
  while (!rest.empty()) {
    const auto quantity = cut_quantity(rest);
    if (!quantity) return bad_duration(text);
    const std::string_view name =
        quantity->unit == kMicroSign || quantity->unit == kGreekMu ? "us" : quantity->unit;
    while (next_unit < kDurationUnits.size() && kDurationUnits[next_unit].name != name) ++next_unit;
    if (next_unit == kDurationUnits.size()) return bad_duration(text);
    const auto part = multiply(*quantity, kDurationUnits[next_unit++].factor);
    if (!part || __builtin_add_overflow(total, *part, &total)) {
      return fail(ErrorKind::bad_request, fmt::format("'{}' is longer than 292 years", text));
    }
  }
  return total;
}

std::string format_duration(int64_t nanoseconds) {
  if (nanoseconds == 0) return "0s";
  std::string text = nanoseconds < 0 ? "-" : "";
  // Unsigned, so that the smallest number has a magnitude too.
  uint64_t left = nanoseconds < 0 ? -static_cast<uint64_t>(nanoseconds) : static_cast<uint64_t>(nanoseconds);
  for (const Unit& unit : kDurationUnits) {
    const auto factor = static_cast<uint64_t>(unit.factor);
    if (left < factor) continue;
    text += fmt::format("{}{}", left / factor, unit.name);
    left %= factor;
  }
  return text;
}

Result<int64_t> parse_size(std::string_view text) {
  std::string_view rest = trim(text);
  const auto quantity = cut_quantity(rest);
  if (!quantity || !rest.empty()) return bad_size(text);
  const Unit* found = nullptr;
  for (const Unit& unit : kSizeUnits) {
    if (equals_ignore_case(quantity->unit.empty() ? "B" : quantity->unit, unit.name)) found = &unit;
  }
  if (!found) return bad_size(text);
  if (const auto bytes = multiply(*quantity, found->factor)) return *bytes;
  return fail(ErrorKind::bad_request, fmt::format("'{}' is larger than 8 EiB", text));
}

std::string format_size(int64_t bytes) {
  std::string best;
  for (const Unit& unit : kSizeUnits) {
    if (bytes % unit.factor != 0 || (bytes == 0 && unit.factor > 1)) continue;
    std::string text = fmt::format("{}{}", bytes / unit.factor, unit.name);
    if (best.empty() || text.size() < best.size()) best = std::move(text);
  }
  return best;
}

}  // namespace weir
