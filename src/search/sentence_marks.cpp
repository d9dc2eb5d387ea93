#include "search/sentence_marks.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "base/text.h"
#include "search/unicode.h"

namespace weir {
namespace {

// How far back the word before a point is looked at.
constexpr size_t kWordBytesMax = 16;

// A sentence hardly ever ends after these: a name follows.
constexpr std::string_view kBeforeNames[] = {"mr",     "mrs",  "ms",  "dr",   "prof", "st",   "sr",  "jr",
                                             "messrs", "gen",  "col", "capt", "lt",   "sgt",  "rev", "hon",
                                             "sen",    "rep",  "gov", "pres", "mme",  "mlle", "hr",  "fr",
                                             "sig",    "dott", "don", "dna",  "ing",  "mag"};
// Nor after these when a number follows.
constexpr std::string_view kBeforeNumbers[] = {
    "no",  "nos", "nr",  "fig", "figs",   "vol", "p",   "pp",  "eq",  "eqs", "sec", "ch",
    "art", "ref", "tab", "jan", "feb",    "mar", "apr", "jun", "jul", "aug", "sep", "sept",
    "oct", "nov", "dec", "ca",  "approx", "abb", "kap", "bd",  "s",   "num", "cap"};
// After these one ends only when the next word often begins a sentence.
constexpr std::string_view kWithin[] = {
    "etc",  "vs",  "al",   "inc", "ltd", "co",  "corp", "dept",  "est", "ca",   "cf",   "approx", "ave",
    "blvd", "mt",  "ft",   "e.g", "i.e", "a.m", "p.m",  "u.s",   "u.k", "u.n",  "ph.d", "m.d",    "b.a",
    "d.c",  "z.b", "u.a",  "d.h", "bzw", "usw", "ggf",  "evtl",  "vgl", "inkl", "ggfs", "resp",   "env",
    "max",  "min", "incl", "viz", "op",  "ed",  "eds",  "trans", "rd",  "bros", "univ"};
constexpr std::string_view kStarters[] = {
    "the",      "a",     "an",  "this", "that", "these",   "those", "it",   "he",  "she",   "they",
    "we",       "i",     "you", "in",   "on",   "at",      "for",   "from", "by",  "after", "before",
    "when",     "while", "if",  "but",  "and",  "however", "its",   "his",  "her", "their", "our",
    "there",    "here",  "as",  "all",  "some", "many",    "most",  "one",  "two", "since", "until",
    "although", "what",  "how", "why",  "who",  "where",   "no",    "not",  "der", "die",   "das",
    "es",       "le",    "la",  "les",  "il",   "elle",    "el",    "los",  "las"};
// "am 3. Mai": an ordinal of German.
constexpr std::string_view kGermanMonths[] = {"januar",    "februar", "m\u00e4rz", "april",
                                              "mai",       "juni",    "juli",      "august",
                                              "september", "oktober", "november",  "dezember"};

template <size_t N>
bool is_one_of(std::string_view word, const std::string_view (&words)[N]) {
  return std::ranges::find(words, word) != std::end(words);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool ends_without_space(
    char32_t c) {  // full stops of scripts that put no space behind them, and of Hindi and Urdu
  return c == 0x3002 || c == 0xff01 || c == 0xff1f || c == 0xff61 || c == 0x0964 || c == 0x0965 ||
         c == 0x06d4 || c == 0x061f;
}

bool is_mark(char32_t c) {
  return c == '.' || c == '!' || c == '?' || c == 0x2026;
}

bool is_closer(char32_t c) {
  switch (c) {
    case '"':
    case '\'':
    case ')':
    case ']':
    case '}':
    case '*':
    case '_':
    case 0x201d:
    case 0x2019:
    case 0x201c:
    case 0xbb:
    case 0x203a:
    case 0x300d:
    case 0x300f:
    case 0xff09:
    case 0x3011:
      return true;
    default:
      return false;
  }
}

size_t skip(std::string_view text, size_t at, bool (*belongs)(char32_t)) {
  while (at < text.size()) {
    const CodePoint c = decode_utf8(text, at);
    if (!belongs(c.value)) break;
    at += c.size;
  }
  return at;
}

// The word that ends at `end` (a point), in lower case, inner points included: "e.g" for "(e.g.".
std::string word_before(std::string_view text, size_t end, size_t start) {
  size_t from = end;
  while (from > start && end - from < kWordBytesMax) {
    const auto c = static_cast<uint8_t>(text[from - 1]);
    const bool in_word = c >= 0x80 || c == '.' || is_digit(text[from - 1]) || is_lower(c) || is_upper(c);
    if (!in_word) break;
    --from;
  }
  return to_lower(text.substr(from, end - from));
}

std::string word_after(std::string_view text, size_t at) {
  WordScanner words(text.substr(at, 2 * kWordBytesMax));
  const auto word = words.next();
  return word ? to_lower(text.substr(at + word->offset, word->size)) : std::string();
}

// Whether the point at `at` may end a sentence that begins at `start`, when `next` is where the next word
// begins.
bool point_ends(std::string_view text, size_t at, size_t start, size_t next) {
  const std::string word = word_before(text, at, start);
  if (word.empty()) return true;
  const bool before_number = is_digit(text[next]);
  if (is_one_of(word, kBeforeNames)) return false;
  if (before_number && is_one_of(word, kBeforeNumbers)) return false;
  const bool has_one_letter = word.size() == 1 && !is_digit(word[0]);
  const bool is_initial = has_one_letter && is_upper(static_cast<uint8_t>(text[at - 1]));
  if (is_initial || is_one_of(word, kWithin)) return is_one_of(word_after(text, next), kStarters);
  const bool is_short_number = word.size() <= 2 && std::ranges::all_of(word, is_digit);
  return !is_short_number || !is_one_of(word_after(text, next), kGermanMonths);
}

bool is_space_point(char32_t c) {
  return char_class(c) == CharClass::space;
}

}  // namespace

size_t heading_marker_size(std::string_view line) {
  const size_t marks = std::min(line.find_first_not_of('#'), line.size());
  if (marks == 0 || marks > 6 || marks >= line.size() || !is_space(line[marks])) return 0;
  return std::min(line.find_first_not_of(" \t", marks), line.size());
}

size_t list_marker_size(std::string_view line) {
  size_t marker = 0;
  for (const std::string_view bullet : {"-", "*", "+", "\u2022", "\u2013", "\u25e6", "\u25aa"}) {
    if (line.starts_with(bullet)) marker = bullet.size();
  }
  if (marker == 0) {
    size_t digits = 0;
    while (digits < std::min<size_t>(line.size(), 3) && is_digit(line[digits])) ++digits;
    // "b)" too; "b." is rather an initial.
    const bool is_letter =
        digits == 0 && line.size() > 1 && line[1] == ')' && is_lower(static_cast<uint8_t>(line[0]));
    const size_t label = is_letter ? 1 : digits;
    if (label == 0 || label >= line.size() || (line[label] != '.' && line[label] != ')')) return 0;
    marker = label + 1;
  }
  if (marker >= line.size() || (line[marker] != ' ' && line[marker] != '\t')) return 0;
  return std::min(line.find_first_not_of(" \t", marker), line.size());
}

bool ends_sentence(std::string_view text) {
  // Step back over at most a few closers; each is up to three bytes.
  for (int closers = 0; closers < 4 && !text.empty(); ++closers) {
    size_t start = text.size() - 1;
    while (start > 0 && text.size() - start < 4 && (static_cast<uint8_t>(text[start]) & 0xc0) == 0x80)
      --start;
    const char32_t c = decode_utf8(text, start).value;
    if (is_mark(c) || ends_without_space(c) || c == ':') return true;
    if (!is_closer(c)) return false;
    text = text.substr(0, start);
  }
  return false;
}

size_t sentence_end(std::string_view text, size_t start) {
  for (size_t at = start; at < text.size();) {
    const CodePoint c = decode_utf8(text, at);
    const size_t mark = at;
    at += c.size;
    if (ends_without_space(c.value)) {
      at = skip(text, at, [](char32_t next) { return ends_without_space(next) || is_closer(next); });
      return at;
    }
    if (!is_mark(c.value)) continue;
    at = skip(text, at, is_mark);
    const bool is_single_point = c.value == '.' && at == mark + 1;
    at = skip(text, at, is_closer);
    const size_t next = skip(text, at, is_space_point);
    if (next == text.size()) return at;
    if (next == at) continue;  // nothing parts the mark from what follows: "3.14", "node.js"
    const bool stands_alone = mark > start && is_space(text[mark - 1]);
    if (!stands_alone && is_lower(decode_utf8(text, next).value)) continue;
    if (!is_single_point || stands_alone || point_ends(text, mark, start, next)) return at;
  }
  return text.size();
}

}  // namespace weir
