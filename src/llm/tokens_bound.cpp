// Token numbers without a vocabulary: an upper bound that is proven, and an estimate that is only tuned.
//
// Why cheap_upper_estimate holds. Byte-pair encoding ends when no two neighbours of a piece join to a token.
// So
//  (1) two neighbouring bytes of one piece that form a token in both vocabularies are never both tokens of
//  one byte; (2) digits come in pieces of up to three, and all of "0" to "999" are tokens: one token for each
//  three digits; (3) all runs of 1 to 79 spaces are tokens: neighbours within a run have at least 80 spaces
//  together.
// For (1) only pairs are taken that the patterns never part: lower-case letters, but not right after an
// apostrophe (where a contraction may end), and a space before a letter. The bound is the largest number of
// tokens that these rules allow: a walk over the bytes that keeps the best number with a last token of one
// byte, and of more.
// tokens_test.cpp checks the facts about the vocabularies, tokens_fuzz.cpp the bound.
#include <algorithm>
#include <array>

#include "llm/tokens.h"
#include "search/unicode.h"

namespace weir {
namespace {

constexpr size_t kSpaceTokenMax = 79;
constexpr int kBytesOfContractionMax = 2;
constexpr int64_t kImpossible = -1;

// By first letter from a to z, the second letters with which it is no token in one of the vocabularies.
constexpr std::array<std::string_view, 26> kNotJoined = {
    "",  "q", "", "",         "",  "jz", "jkq", "j", "",   "gvwxyz", "qxz",      "q",    "z",
    "q", "q", "", "fgjkovyz", "j", "",   "jq",  "q", "qz", "qvz",    "ghjkquvw", "fjqv", "gjqrv"};

// Bit k of row i: the letters 'a' + i and 'a' + k are a token.
constexpr std::array<uint32_t, 26> joined_letters() {
  std::array<uint32_t, 26> masks{};
  for (size_t i = 0; i < masks.size(); ++i) {
    masks[i] = (1u << 26) - 1;
    for (const char second : kNotJoined[i]) masks[i] &= ~(1u << (second - 'a'));
  }
  return masks;
}
constexpr std::array<uint32_t, 26> kJoinedLetters = joined_letters();

bool is_lower_letter(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_ascii(char c) {
  return static_cast<uint8_t>(c) < 0x80;
}
bool is_ascii_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool joined(char first, char second) {
  if (!is_lower_letter(second)) return false;
  if (first == ' ') return true;
  return is_lower_letter(first) &&
         (kJoinedLetters[static_cast<size_t>(first - 'a')] >> (second - 'a') & 1) != 0;
}

// The largest number of tokens that can start in a stretch of bytes, under rule (1).
class StretchBound {
 public:
  void add(char c) {
    parted_ = c == '\'' ? kBytesOfContractionMax + 2 : std::max(parted_ - 1, 0);
    const bool is_joined = parted_ == 0 && best_ > 0 && joined(last_, c);
    const int64_t single = std::max(is_joined ? kImpossible : single_, wide_) + 1;
    wide_ = best_ > 0 ? best_before_ + 1 : kImpossible;
    single_ = single;
    best_before_ = best_;
    best_ = std::max(single_, wide_);
    last_ = c;
  }

  // The bound for what was added; if the next bytes may belong to the same piece, the last token may go on
  // into them.
  int64_t total(bool may_go_on) const { return may_go_on && best_ > 0 ? best_before_ + 1 : best_; }

 private:
  int64_t single_ = 0;       // the most tokens when the last has one byte
  int64_t wide_ = 0;         // and when it has more
  int64_t best_ = 0;         // the larger of the two
  int64_t best_before_ = 0;  // and without the last byte
  int parted_ = 0;           // above 0: a contraction may end before the next byte
  char last_ = '\0';
};

size_t run_length(std::string_view text, size_t at, bool (*belongs)(char)) {
  const size_t start = at;
  while (at < text.size() && belongs(text[at])) ++at;
  return at - start;
}

int64_t digits_bound(size_t digits, bool after_non_ascii) {
  // A numeral beyond ASCII before them may have taken up to two into its piece.
  return static_cast<int64_t>(std::min((digits + 2) / 3 + (after_non_ascii ? 1 : 0), digits));
}

int64_t spaces_bound(size_t spaces, bool may_go_on) {
  const size_t tokens = 2 * (spaces / (kSpaceTokenMax + 1)) + 1 + (may_go_on ? 1 : 0);
  return static_cast<int64_t>(std::min(tokens, spaces));
}

}  // namespace

int64_t cheap_upper_estimate(std::string_view text) {
  int64_t bound = 0;
  StretchBound stretch;
  const auto end_stretch = [&](size_t at) {
    const bool may_go_on = at > 0 && (is_ascii_space(text[at - 1]) || !is_ascii(text[at - 1]));
    bound += stretch.total(may_go_on);
    stretch = StretchBound();
  };
  for (size_t at = 0; at < text.size();) {
    if (is_digit(text[at])) {
      const size_t digits = run_length(text, at, is_digit);
      end_stretch(at);
      bound += digits_bound(digits, at > 0 && !is_ascii(text[at - 1]));
      at += digits;
    } else if (text[at] == ' ' && at + 1 < text.size() && text[at + 1] == ' ') {
      size_t spaces = run_length(text, at, [](char c) { return c == ' '; });
      end_stretch(at);
      const bool at_end = at + spaces == text.size();
      // The last space belongs to what follows, a word most often.
      if (!at_end) --spaces;
      const char next = at_end ? '\0' : text[at + spaces + 1];
      bound += spaces_bound(spaces, !at_end && (is_ascii_space(next) || !is_ascii(next)));
      at += spaces;
      if (!at_end) stretch.add(text[at++]);
    } else {
      stretch.add(text[at++]);
    }
  }
  return bound + stretch.total(false);
}

}  // namespace weir
