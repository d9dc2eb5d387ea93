#include "search/terms.h"

#include <algorithm>
#include <unordered_set>

#include "search/stem.h"
#include "search/unicode.h"

namespace weir {
namespace {

// Words are parted by spaces.
constexpr std::string_view kStopWords =
    // English
    "a about above after again against all also am an and any are aren't as at be because been before being "
    "below "
    "between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during "
    "each few "
    "for from further had hadn't has hasn't have haven't having he her here hers herself him himself his how "
    "i if in "
    "into is isn't it it's its itself just let's me more most my myself no nor not of off on once only or "
    "other our "
    "ours ourselves out over own same shall she should shouldn't so some such than that that's the their "
    "theirs them "
    "themselves then there there's these they they're this those through to too under until up upon us very "
    "was "
    "wasn't we were weren't what what's when where which while who whom whose why will with won't would "
    "wouldn't you "
    "your yours yourself yourselves please may might must "
    // Others, without those that are English words of their own ("war", "die", "son")
    // German
    "aber als am an auch auf aus bei bis das dass dem der des doch du durch ein eine einem einen einer "
    "eines er es habe haben ich ihr im in ins ist ja kann mein mit nach nicht noch nur oder sein sich sie "
    "sind so uber um und uns unter vom von vor waren was wenn wer wie wird wo zu zum zur "
    // French
    "au aux avec ce ces cette dans de des du elle en est et eux il ils je la le les leur lui mais me meme "
    "mes moi "
    "ne nos notre nous on ou par pas qu que quel quelle qui sa se ses sont ta te tu un une vos votre vous "
    // Spanish, Italian, Portuguese
    "como cual del donde el ella esta este fue ha hay las lo los mas muy pero por quien ser sobre su sus "
    "tambien una uno y che chi cosa da dal dei della delle di dove e gli ho il nel nella non piu quale "
    "quando "
    "si sono tra as ao com em foi na nas nao no nos os ou para pela pelo quais quem um uma "
    // Dutch
    "bij dat deze dit een en hebben heeft het hij hoe ik is met naar niet ook op te tot uit van voor waar "
    "wat werd "
    "wij zijn ze";

const std::unordered_set<std::string_view>& stop_words() {
  static const std::unordered_set<std::string_view> kWords = [] {
    std::unordered_set<std::string_view> words;
    for (std::string_view rest = kStopWords; !rest.empty();) {
      const size_t end = std::min(rest.find(' '), rest.size());
      words.insert(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return words;
  }();
  return kWords;
}

constexpr size_t kElisionBytesMax = 2;
constexpr size_t kElidedWordBytesMin = 3;

// "l'eau" gives "eau"; the typographic apostrophe becomes the plain one. Stop words and possessives keep
// theirs.
std::string fold_word(std::string_view word) {
  std::string folded = fold(word);
  for (size_t at = folded.find("\u2019"); at != folded.npos; at = folded.find("\u2019", at)) {
    folded.replace(at, std::string_view("\u2019").size(), "'");
  }
  const size_t mark = folded.find('\'');
  if (mark != folded.npos && mark <= kElisionBytesMax && folded.size() - mark > kElidedWordBytesMin) {
    folded.erase(0, mark + 1);
  }
  return folded;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "1,000,000" gives "1000000"; "3,5" stays.
std::string without_group_commas(std::string number) {
  const size_t first = number.find(',');
  if (first == number.npos || first > 3) return number;
  for (size_t at = first; at < number.size() && number[at] == ','; at += 4) {
    if (number.size() < at + 4 || !std::all_of(&number[at + 1], &number[at + 1] + 3, is_digit)) return number;
    if (number.size() > at + 4 && number[at + 4] != ',' && number[at + 4] != '.') return number;
  }
  std::erase(number, ',');
  return number;
}

std::string term_of_folded(std::string folded) {
  if (!folded.empty() && is_digit(folded.front())) return without_group_commas(std::move(folded));
  return stem_english(folded);
}

}  // namespace

std::string term_of(std::string_view word) {
  std::string term = term_of_folded(fold_word(word));
  return term.empty() ? std::string(word) : term;
}

bool is_stop_word(std::string_view folded) {
  return stop_words().contains(folded);
}

std::vector<std::string> index_terms(std::string_view text) {
  std::vector<std::string> terms;
  WordScanner words(text);
  while (const auto word = words.next()) {
    std::string folded = fold_word(text.substr(word->offset, word->size));
    if (folded.empty() || is_stop_word(folded)) continue;
    terms.push_back(term_of_folded(std::move(folded)));
  }
  return terms;
}

}  // namespace weir
