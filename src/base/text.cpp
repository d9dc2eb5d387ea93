#include "base/text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <fmt/core.h>

namespace weir {

namespace {
constexpr size_t byte_of(char c) {
  return static_cast<unsigned char>(to_lower(c));
}
}  // namespace

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = to_lower(c);
  return lower;
}

bool equals_ignore_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && starts_with_ignore_case(a, b);
}

bool starts_with_ignore_case(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  if (text.starts_with(prefix)) return true;
  for (size_t i = 0; i < prefix.size(); ++i) {
    if (to_lower(text[i]) != to_lower(prefix[i])) return false;
  }
  return true;
}

int64_t characters(std::string_view utf8) {
  return std::count_if(utf8.begin(), utf8.end(), [](char byte) { return (byte & 0xC0) != 0x80; });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

Split::Iterator& Split::Iterator::operator++() {
  if (is_last_) {
    is_done_ = true;
    return *this;
  }
  const size_t at = rest_.find(separator_);
  part_ = rest_.substr(0, at);
  is_last_ = at == std::string_view::npos;
  if (!is_last_) rest_.remove_prefix(at + 1);
  return *this;
}

std::optional<std::pair<std::string_view, std::string_view>> split_once(std::string_view text,
                                                                        char separator) {
  const size_t at = text.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  return std::pair(text.substr(0, at), text.substr(at + 1));
}

namespace {

// The distance for a pattern of 1 to 64 bytes, all cells of a column at once (Hyyrö, "A Bit-Vector Algorithm
// for Computing Levenshtein and Damerau Edit Distances", 2003): bit i of `rises` says that going from row i
// to i + 1 adds one, of `falls` that it takes one away.
size_t bit_parallel_distance(std::string_view pattern, std::string_view text) {
  std::array<uint64_t, 256> places{};  // of each byte in the pattern
  for (size_t i = 0; i < pattern.size(); ++i) places[byte_of(pattern[i])] |= uint64_t{1} << i;
  const uint64_t last = uint64_t{1} << (pattern.size() - 1);
  uint64_t rises = ~uint64_t{0}, falls = 0, diagonal = 0, places_before = 0;
  size_t distance = pattern.size();
  for (const char c : text) {
    const uint64_t here = places[byte_of(c)];
    const uint64_t swapped = ((~diagonal & here) << 1) & places_before;
    diagonal = (((here & rises) + rises) ^ rises) | here | falls | swapped;
    const uint64_t right_rises = falls | ~(diagonal | rises);
    const uint64_t right_falls = diagonal & rises;
    if (right_rises & last) ++distance;
    if (right_falls & last) --distance;
    const uint64_t shifted_rises = right_rises << 1 | 1;
    rises = right_falls << 1 | ~(diagonal | shifted_rises);
    falls = shifted_rises & diagonal;
    places_before = here;
  }
  return distance;
}

// The distance for longer texts, by rows. Only the cells within `limit` of the diagonal can stay within it,
// so the others are not computed and count as limit + 1. REQUIRES a.size() <= b.size().
size_t banded_distance(std::string_view a, std::string_view b, size_t limit) {
  // Row i holds the distances from a's first i bytes to each prefix of b; a swap looks two rows back.
  const size_t columns = b.size() + 1;
  std::vector<size_t> before(columns, limit + 1), above(columns, limit + 1), row(columns, limit + 1);
  for (size_t j = 0; j <= std::min(b.size(), limit); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    const size_t first = i > limit ? i - limit : 0;
    const size_t last = std::min(b.size(), i + limit);
    size_t smallest = limit + 1;
    if (first > 0) row[first - 1] = limit + 1;
    for (size_t j = first; j <= last; ++j) {
      if (j == 0) {
        row[0] = i;
      } else {
        const bool is_same = to_lower(a[i - 1]) == to_lower(b[j - 1]);
        row[j] = std::min({row[j - 1] + 1, above[j] + 1, above[j - 1] + (is_same ? 0 : 1)});
        const bool is_swap = i > 1 && j > 1 && to_lower(a[i - 1]) == to_lower(b[j - 2]) &&
                             to_lower(a[i - 2]) == to_lower(b[j - 1]);
        if (is_swap) row[j] = std::min(row[j], before[j - 2] + 1);
      }
      smallest = std::min(smallest, row[j]);
    }
    if (last + 1 < columns) row[last + 1] = limit + 1;
    if (smallest > limit) return limit + 1;
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > limit) return limit + 1;
  if (a.empty()) return b.size();
  return std::min(a.size() <= 64 ? bit_parallel_distance(a, b) : banded_distance(a, b, limit), limit + 1);
}

namespace {

// One bit per letter, digit and kind of other byte in the text.
uint64_t letters_of(std::string_view text) {
  uint64_t letters = 0;
  for (const char c : text) letters |= uint64_t{1} << (byte_of(c) & 63);
  return letters;
}

bool is_shorter(std::string_view a, std::string_view b) {
  return a.size() < b.size();
}

bool contains_ignore_case(std::string_view text, std::string_view part) {
  const auto equal = [](char a, char b) { return to_lower(a) == to_lower(b); };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), equal) != text.end();
}

}  // namespace

std::vector<std::string_view> nearest(std::string_view name, std::span<const std::string_view> candidates,
                                      size_t how_many) {
  constexpr size_t kNameMax = 256;        // what is longer was not mistyped
  constexpr size_t kContainedMin = 3;     // shorter parts are in everything
  constexpr size_t kByContaining = 1000;  // ranks behind every edit distance
  if (name.empty() || name.size() > kNameMax || how_many == 0) return {};
  const uint64_t letters = letters_of(name);
  size_t limit = std::max<size_t>(name.size() / 3, 1);
  std::vector<std::pair<size_t, std::string_view>> best;  // at most how_many, by rank
  const auto keep = [&best, how_many](size_t rank, std::string_view candidate) {
    const auto is_before = [](size_t a, const auto& b) { return a < b.first; };
    best.insert(std::upper_bound(best.begin(), best.end(), rank, is_before), {rank, candidate});
    if (best.size() > how_many) best.pop_back();
  };
  for (const std::string_view candidate : candidates) {
    if (candidate.empty() || candidate.size() > kNameMax) continue;
    if (best.size() == how_many) {
      if (best.back().first == 0) break;
      limit = std::min(limit, best.back().first - 1);  // an equal one would come too late
    }
    const auto [shorter, longer] = std::minmax(name, candidate, is_shorter);
    const size_t difference = longer.size() - shorter.size();
    // One edit makes at most two kinds of letters differ.
    const auto differing = static_cast<size_t>(std::popcount(letters ^ letters_of(candidate)));
    if (difference <= limit && differing <= 2 * limit) {
      if (const size_t distance = edit_distance(name, candidate, limit); distance <= limit) {
        keep(distance, candidate);
        continue;
      }
    }
    const size_t rank = kByContaining + difference;
    const bool is_wanted = best.size() < how_many || rank < best.back().first;
    if (is_wanted && shorter.size() >= kContainedMin && contains_ignore_case(longer, shorter))
      keep(rank, candidate);
  }
  std::vector<std::string_view> names;
  for (const auto& [rank, candidate] : best) names.push_back(candidate);
  return names;
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates,
                         size_t how_many) {
  const std::vector<std::string_view> names = nearest(name, candidates, how_many);
  if (names.empty()) return {};
  std::string text = "; did you mean ";
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += fmt::format("'{}'", names[i]);
  }
  return text + "?";
}

bool glob_match(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0;
  size_t star = std::string_view::npos;  // the last star met, and where the text behind its run is tried
  size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace weir
