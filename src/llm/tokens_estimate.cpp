// The estimate for models whose tokenizer is not public: what o200k_base needs on average for each kind of
// run, plus a tenth, since the vocabularies of other vendors are mostly smaller. The constants were fitted on
// English prose, source code, JSON, and prose in European and East Asian languages; tokens_test.cpp keeps
// them within their promise.
#include <algorithm>

#include "llm/tokens.h"
#include "search/unicode.h"

namespace weir {
namespace {

// Costs are in 1/100 of a token.
constexpr int64_t kHundred = 100;
constexpr int64_t kMargin = 113;
constexpr int64_t kWordCost = 100;  // a word of ASCII letters up to kWordLetters
constexpr int64_t kWordLetters = 7;
constexpr int64_t kFurtherLetterCost = 16;  // each letter more
constexpr int64_t kAccentedWordCost = 135;  // the same with letters beyond ASCII among them
constexpr int64_t kAccentedLetters = 4;
constexpr int64_t kFurtherAccentedCost = 21;
constexpr int64_t kIdeographCost = 78;
constexpr int64_t kDigitsCost = 100;            // each three digits
constexpr int64_t kBlankBeforeDigitsCost = 90;  // words take the blank before them along, numbers do not
constexpr int64_t kSymbolCost = 62;             // each ASCII symbol, as they often come in known groups
constexpr int64_t kOtherSymbolCost = 170;       // each symbol beyond ASCII, emoji above all
constexpr int64_t kLineCost = 45;               // each run of white space with a line end in it
constexpr int64_t kIndentCost = 55;             // each run of several blanks
constexpr int64_t kInvalidByteCost = 100;

bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// A run of characters of one kind, and what the cost depends on.
struct Run {
  CharClass kind = CharClass::other;
  int64_t length = 0;  // characters
  bool is_ascii = true;
  bool has_line_end = false;
  bool follows_blank = false;  // a single one, which cost nothing
};

int64_t letters_cost(const Run& run) {
  if (run.is_ascii) return kWordCost + std::max<int64_t>(run.length - kWordLetters, 0) * kFurtherLetterCost;
  return kAccentedWordCost + std::max<int64_t>(run.length - kAccentedLetters, 0) * kFurtherAccentedCost;
}

int64_t cost(const Run& run) {
  switch (run.kind) {
    case CharClass::letter:
      return letters_cost(run);
    case CharClass::digit:
      return (run.length + 2) / 3 * kDigitsCost + (run.follows_blank ? kBlankBeforeDigitsCost : 0);
    case CharClass::ideograph:
      return run.length * kIdeographCost;
    case CharClass::space:
      return run.has_line_end ? kLineCost : run.length > 1 ? kIndentCost : 0;
    case CharClass::other:
      break;
  }
  return run.length * (run.is_ascii ? kSymbolCost : kOtherSymbolCost);
}

}  // namespace

int64_t estimate_tokens(std::string_view text) {
  int64_t sum = 0;
  Run run;
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = decode_utf8(text, at);
    const CharClass kind =
        c.value < 0x80 && is_ascii_letter(text[at]) ? CharClass::letter : char_class(c.value);
    const bool is_ascii = c.value < 0x80;
    // "camelCase" is two words to every vocabulary.
    const bool is_hump = kind == CharClass::letter && at > 0 && is_upper(c.value) &&
                         is_lower(static_cast<uint8_t>(text[at - 1]));
    if (kind != run.kind || is_hump || (kind == CharClass::other && is_ascii != run.is_ascii)) {
      sum += cost(run);
      run = {.kind = kind,
             .follows_blank = run.kind == CharClass::space && run.length == 1 && !run.has_line_end};
    }
    if (c.value == 0xfffd && c.size == 1) sum += kInvalidByteCost;
    ++run.length;
    run.is_ascii = run.is_ascii && is_ascii;
    run.has_line_end = run.has_line_end || c.value == '\n';
    at += c.size;
  }
  sum += cost(run);
  return (sum * kMargin / kHundred + kHundred - 1) / kHundred;
}

}  // namespace weir
