#include "base/text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <fmt/core.h>

namespace weir {

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
  for (size_t i = 0; i < prefix.size(); ++i) {
    if (to_lower(text[i]) != to_lower(prefix[i])) return false;
  }
  return true;
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

size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > limit) return limit + 1;
  // Row i holds the distances from a's first i bytes to each prefix of b; a swap looks two rows back. Only
  // the cells within `limit` of the diagonal can stay within it, so the others are not computed and count as
  // limit + 1.
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
  return std::min(above[b.size()], limit + 1);
}

namespace {

// One bit per letter, digit and kind of other byte in the text.
uint64_t letters_of(std::string_view text) {
  uint64_t letters = 0;
  for (const char c : text) letters |= uint64_t{1} << (static_cast<unsigned char>(to_lower(c)) & 63);
  return letters;
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
  if (name.empty() || name.size() > kNameMax) return {};
  const size_t limit = std::max<size_t>(name.size() / 3, 1);
  const uint64_t letters = letters_of(name);
  std::vector<std::pair<size_t, size_t>> ranked;  // rank, position: order of equals is that of the candidates
  for (size_t i = 0; i < candidates.size(); ++i) {
    const std::string_view candidate = candidates[i];
    if (candidate.empty() || candidate.size() > kNameMax) continue;
    const size_t difference =
        std::max(name.size(), candidate.size()) - std::min(name.size(), candidate.size());
    // One edit makes at most two kinds of letters differ.
    const auto differing = static_cast<size_t>(std::popcount(letters ^ letters_of(candidate)));
    if (difference <= limit && differing <= 2 * limit) {
      const size_t distance = edit_distance(name, candidate, limit);
      if (distance <= limit) {
        ranked.emplace_back(distance, i);
        continue;
      }
    }
    const bool is_contained = name.size() < candidate.size() ? contains_ignore_case(candidate, name)
                                                             : contains_ignore_case(name, candidate);
    if (is_contained && std::min(name.size(), candidate.size()) >= kContainedMin) {
      ranked.emplace_back(kByContaining + difference, i);
    }
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string_view> names;
  for (size_t i = 0; i < std::min(how_many, ranked.size()); ++i)
    names.push_back(candidates[ranked[i].second]);
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
