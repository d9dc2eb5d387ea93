// Small work on text: ASCII case, trimming, splitting, "did you mean", `*` patterns, durations and sizes of
// settings. Everything here but characters() is ASCII only and leaves other bytes as they are.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace weir {

constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
std::string to_lower(std::string_view text);
bool equals_ignore_case(std::string_view a, std::string_view b);
bool starts_with_ignore_case(std::string_view text, std::string_view prefix);

constexpr bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
// Without the white space at both ends.
std::string_view trim(std::string_view text);

// Characters (Unicode code points) of UTF-8.
int64_t characters(std::string_view utf8);

// The parts between separators, lazily: n separators make n + 1 parts, empty ones included.
//   for (std::string_view part : split("a,,b", ','))   // "a", "", "b"
class Split {
 public:
  class Iterator {
   public:
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    std::string_view operator*() const { return part_; }
    Iterator& operator++();
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return is_done_; }

   private:
    friend class Split;
    Iterator(std::string_view text, char separator) : rest_(text), separator_(separator) { ++*this; }
    std::string_view part_;
    std::string_view rest_;
    char separator_ = 0;
    bool is_last_ = false;  // part_ is the last one
    bool is_done_ = false;
  };

  Split(std::string_view text, char separator) : text_(text), separator_(separator) {}
  Iterator begin() const { return {text_, separator_}; }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::string_view text_;
  char separator_;
};
inline Split split(std::string_view text, char separator) {
  return {text, separator};
}

// What stands before and behind the first separator; nothing when there is none.
std::optional<std::pair<std::string_view, std::string_view>> split_once(std::string_view text,
                                                                        char separator);

// How many single edits (insert, remove, change a byte, swap two neighbours) lead from `a` to `b`, ignoring
// ASCII case; limit + 1 when it is more than `limit`. Optimal string alignment distance; Linear where one of
// the two has at most 64 bytes, else O(|a| limit).
size_t edit_distance(std::string_view a, std::string_view b, size_t limit = 1000);

// The candidates that somebody who wrote `name` may have meant, the nearest first, at most how_many: those
// within a third of its length in edits, then those that contain it or that it contains. Order of equals:
// that of `candidates`. The views are those of `candidates`. Up to 0.6 µs a candidate: many thousands are
// work for the pool.
std::vector<std::string_view> nearest(std::string_view name, std::span<const std::string_view> candidates,
                                      size_t how_many = 3);
// "; did you mean 'a', 'b' or 'c'?" for the end of a message, "" when nothing is near.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates,
                         size_t how_many = 3);

// Whether the whole text matches a pattern in which `*` stands for any run of bytes, `/` included
// ("openai/*"). There is no escape for `*`. O(|pattern| |text|) at worst.
bool glob_match(std::string_view pattern, std::string_view text);

// "250ms", "10s", "1m30s", "2h", "1.5s", "0": units d, h, m, s, ms, us (or µs), ns, each at most once and
// falling. Gives nanoseconds. Errors (bad_request, saying what is allowed): no unit, an unknown one, a sign,
// more than 292 years.
Result<int64_t> parse_duration(std::string_view text);
// The shortest text that parse_duration reads back to the same: "1m30s", "250ms", "0s". Negative ones get a
// sign in front.
std::string format_duration(int64_t nanoseconds);

// "64MB", "256KB", "1GiB", "1.5MB", "512": KB, MB, GB, TB are powers of 1000, KiB, MiB, GiB, TiB of 1024 (IEC
// 80000-13), B and no unit are bytes; case is ignored and a space before the unit allowed. Gives bytes.
// Errors: bad_request.
Result<int64_t> parse_size(std::string_view text);
// The shortest text that parse_size reads back to the same: "64MiB", "1500KB", "7B". REQUIRES bytes >= 0.
std::string format_size(int64_t bytes);

}  // namespace weir
