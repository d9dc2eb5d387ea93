// The little of Unicode that retrieval needs, without ICU: decoding UTF-8, folding case and accents, and
// cutting a text into words. It is good for the scripts of Europe and for Chinese, Japanese and Korean (as
// overlapping pairs of characters, the usual remedy where no spaces part the words); other scripts get words
// between spaces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

struct CodePoint {
  char32_t value = 0xfffd;
  uint32_t size = 1;  // bytes
};

// The code point that starts at `offset`. Invalid UTF-8 gives U+FFFD of size 1, so that a walk always goes
// on. REQUIRES offset < text.size().
CodePoint decode_utf8(std::string_view text, size_t offset);

enum class CharClass : uint8_t {
  other,      // punctuation, symbols, controls
  space,      // White_Space
  letter,     // of scripts that put spaces between words; marks and letter-like numbers too
  digit,      // 0 to 9, full-width ones too
  ideograph,  // Han, kana, Hangul, and the scripts of South-East Asia: words are not parted by spaces
};
CharClass char_class(char32_t c);
// Cased scripts of Europe only; false for everything without case.
bool is_upper(char32_t c);
bool is_lower(char32_t c);

// Appends `c` with case and accents taken away: "Ä" and "á" give "a", "ß" gives "ss", "Ё" gives "е", "Ώ"
// gives "ω", a combining accent gives nothing, a full-width letter its narrow form. Everything else stays.
void append_folded(std::string& out, char32_t c);
std::string fold(std::string_view text);

// A word, as a range of the source. Words of ideographs are the overlapping pairs of a run, or the run if it
// is one character; all others do not overlap.
struct Word {
  size_t offset = 0;
  size_t size = 0;
};

// Walks the words of a text, which must outlive it. An apostrophe between letters stays inside ("don't"), and
// so does a point or comma between digits ("3.14"); hyphens and underscores part words. Linear in the text.
class WordScanner {
 public:
  explicit WordScanner(std::string_view text) : text_(text) {}
  // The next word; nothing at the end.
  std::optional<Word> next();

 private:
  Word scan_word(size_t start, CharClass first);

  std::string_view text_;
  size_t at_ = 0;
  bool in_ideographs_ = false;  // at_ is the second character of the pair given last
};

}  // namespace weir
