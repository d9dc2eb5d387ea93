#include "search/stem.h"

#include <algorithm>
#include <iterator>

namespace weir {
namespace {

bool is_vowel(char c) {
  return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y';
}

struct Rewrite {
  std::string_view from;
  std::string_view to;
};

constexpr Rewrite kWholeWords[] = {
    {"skis", "ski"},      {"skies", "sky"},    {"dying", "die"},  {"lying", "lie"},   {"tying", "tie"},
    {"idly", "idl"},      {"gently", "gentl"}, {"ugly", "ugli"},  {"early", "earli"}, {"only", "onli"},
    {"singly", "singl"},  {"sky", "sky"},      {"news", "news"},  {"howe", "howe"},   {"atlas", "atlas"},
    {"cosmos", "cosmos"}, {"bias", "bias"},    {"andes", "andes"}};
constexpr std::string_view kDoneAfterPlural[] = {"inning",  "outing",  "canning", "herring",
                                                 "earring", "proceed", "exceed",  "succeed"};
constexpr std::string_view kLongPrefixes[] = {"gener", "commun", "arsen"};

// Longest first within each step, as the algorithm asks.
constexpr Rewrite kStep2[] = {{"ational", "ate"}, {"ization", "ize"}, {"fulness", "ful"}, {"ousness", "ous"},
                              {"iveness", "ive"}, {"tional", "tion"}, {"biliti", "ble"},  {"lessli", "less"},
                              {"entli", "ent"},   {"ation", "ate"},   {"alism", "al"},    {"aliti", "al"},
                              {"ousli", "ous"},   {"iviti", "ive"},   {"fulli", "ful"},   {"enci", "ence"},
                              {"anci", "ance"},   {"abli", "able"},   {"izer", "ize"},    {"ator", "ate"},
                              {"alli", "al"},     {"bli", "ble"}};
constexpr Rewrite kStep3[] = {{"ational", "ate"}, {"tional", "tion"}, {"alize", "al"}, {"icate", "ic"},
                              {"iciti", "ic"},    {"ical", "ic"},     {"ness", ""},    {"ful", ""}};
constexpr std::string_view kStep4[] = {"ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ism",
                                       "ate",   "iti",  "ous",  "ive",  "ize",  "al",   "er",  "ic"};

class Stemmer {
 public:
  explicit Stemmer(std::string_view word) : word_(word) {
    // A y that begins the word or follows a vowel is a consonant, written Y until the end.
    for (size_t i = 0; i < word_.size(); ++i) {
      if (word_[i] == 'y' && (i == 0 || is_vowel(word_[i - 1]))) word_[i] = 'Y';
    }
    r1_ = region_after(0);
    for (const std::string_view prefix : kLongPrefixes) {
      if (word_.starts_with(prefix)) r1_ = prefix.size();
    }
    r2_ = region_after(r1_);
  }

  std::string run() {
    possessive();
    plural();
    if (std::ranges::find(kDoneAfterPlural, word_) == std::end(kDoneAfterPlural)) {
      past_and_progressive();
      final_y();
      derivations();
      adjectives();
      endings();
      final_e_or_l();
    }
    std::ranges::replace(word_, 'Y', 'y');
    return std::move(word_);
  }

 private:
  // Where the region begins after the first consonant that follows a vowel, from `from` on.
  size_t region_after(size_t from) const {
    for (size_t i = from + 1; i < word_.size(); ++i) {
      if (!is_vowel(word_[i]) && is_vowel(word_[i - 1])) return i + 1;
    }
    return word_.size();
  }

  bool ends(std::string_view suffix) const { return word_.ends_with(suffix); }
  bool in_r1(size_t suffix_size) const { return word_.size() - suffix_size >= r1_; }
  bool in_r2(size_t suffix_size) const { return word_.size() - suffix_size >= r2_; }
  void replace(size_t suffix_size, std::string_view to) {
    word_.resize(word_.size() - suffix_size);
    word_ += to;
  }
  char at_back(size_t index) const { return index < word_.size() ? word_[word_.size() - 1 - index] : '\0'; }
  bool has_vowel_before(size_t end) const {
    return std::any_of(word_.begin(), word_.begin() + static_cast<long>(end), is_vowel);
  }

  // A short syllable ends at `end`: a vowel and a consonant other than w, x, Y after a consonant; or both
  // begin the word.
  bool short_syllable_before(size_t end) const {
    if (end < 2) return false;
    const char last = word_[end - 1];
    if (is_vowel(last) || !is_vowel(word_[end - 2])) return false;
    return end == 2 || (last != 'w' && last != 'x' && last != 'Y' && !is_vowel(word_[end - 3]));
  }

  void possessive() {
    for (const std::string_view suffix :
         {std::string_view("'s'"), std::string_view("'s"), std::string_view("'")}) {
      if (ends(suffix)) return replace(suffix.size(), "");
    }
  }

  void plural() {
    if (ends("sses")) return replace(2, "");
    if (ends("ied") || ends("ies")) return replace(3, word_.size() > 4 ? "i" : "ie");
    if (ends("us") || ends("ss") || !ends("s") || word_.size() < 3) return;
    if (has_vowel_before(word_.size() - 2)) replace(1, "");
  }

  void past_and_progressive() {
    for (const std::string_view suffix : {std::string_view("eedly"), std::string_view("eed")}) {
      if (!ends(suffix)) continue;
      if (in_r1(suffix.size())) replace(suffix.size(), "ee");
      return;
    }
    for (const std::string_view suffix : {std::string_view("ingly"), std::string_view("edly"),
                                          std::string_view("ing"), std::string_view("ed")}) {
      if (!ends(suffix)) continue;
      if (!has_vowel_before(word_.size() - suffix.size())) return;
      replace(suffix.size(), "");
      if (ends("at") || ends("bl") || ends("iz")) {
        word_ += 'e';
      } else if (std::string_view("bdfgmnprt").contains(at_back(0)) && at_back(0) == at_back(1)) {
        word_.pop_back();
      } else if (r1_ >= word_.size() && short_syllable_before(word_.size())) {
        word_ += 'e';
      }
      return;
    }
  }

  void final_y() {
    if ((ends("y") || ends("Y")) && word_.size() > 2 && !is_vowel(at_back(1))) word_.back() = 'i';
  }

  void derivations() {
    for (const auto& [from, to] : kStep2) {
      if (!ends(from)) continue;
      if (in_r1(from.size())) replace(from.size(), to);
      return;
    }
    if (ends("ogi")) {
      if (in_r1(3) && at_back(3) == 'l') replace(1, "");
    } else if (ends("li") && in_r1(2) && std::string_view("cdeghkmnrt").contains(at_back(2))) {
      replace(2, "");
    }
  }

  void adjectives() {
    for (const auto& [from, to] : kStep3) {
      if (!ends(from)) continue;
      if (in_r1(from.size())) replace(from.size(), to);
      return;
    }
    if (ends("ative") && in_r2(5)) replace(5, "");
  }

  void endings() {
    for (const std::string_view suffix : kStep4) {
      if (!ends(suffix)) continue;
      if (in_r2(suffix.size())) replace(suffix.size(), "");
      return;
    }
    if (ends("ion") && in_r2(3) && (at_back(3) == 's' || at_back(3) == 't')) replace(3, "");
  }

  void final_e_or_l() {
    if (ends("e")) {
      if (in_r2(1) || (in_r1(1) && !short_syllable_before(word_.size() - 1))) word_.pop_back();
    } else if (ends("l") && in_r2(1) && at_back(1) == 'l') {
      word_.pop_back();
    }
  }

  std::string word_;
  size_t r1_ = 0;  // regions in which suffixes may go; offsets into the word
  size_t r2_ = 0;
};

}  // namespace

std::string stem_english(std::string_view word) {
  while (word.starts_with('\'')) word.remove_prefix(1);
  const bool is_english =
      std::ranges::all_of(word, [](char c) { return (c >= 'a' && c <= 'z') || c == '\''; });
  if (!is_english || word.size() <= 2) return std::string(word);
  for (const auto& [from, to] : kWholeWords) {
    if (word == from) return std::string(to);
  }
  return Stemmer(word).run();
}

}  // namespace weir
