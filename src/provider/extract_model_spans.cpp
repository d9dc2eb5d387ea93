#include "provider/extract_model_spans.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "search/terms.h"
#include "search/unicode.h"

namespace weir {
namespace {

constexpr std::string_view kMonths[] = {"january", "february", "march",     "april",   "may",      "june",
                                        "july",    "august",   "september", "october", "november", "december",
                                        "jan",     "feb",      "mar",       "apr",     "jun",      "jul",
                                        "aug",     "sep",      "sept",      "oct",     "nov",      "dec"};
constexpr std::string_view kDays[] = {"monday", "tuesday", "wednesday", "thursday", "friday",   "saturday",
                                      "sunday", "noon",    "midnight",  "spring",   "summer",   "autumn",
                                      "winter", "today",   "yesterday", "tomorrow", "weekdays", "weekends",
                                      "daily",  "century", "decade"};
constexpr std::string_view kNumberWords[] = {
    "two",    "three",    "four",     "five",     "six",     "seven",   "eight", "nine",  "ten",   "eleven",
    "twelve", "thirteen", "fourteen", "fifteen",  "twenty",  "thirty",  "forty", "fifty", "sixty", "seventy",
    "eighty", "ninety",   "hundred",  "thousand", "million", "billion", "dozen", "half",  "one"};
constexpr std::string_view kMoneyWords[] = {"dollars", "dollar", "euros", "euro",   "usd", "eur",
                                            "gbp",     "pounds", "cents", "francs", "yen", "crowns",
                                            "kronor",  "rupees", "pence", "chf"};
constexpr std::string_view kScales[] = {"hundred", "thousand", "million", "billion", "trillion"};
constexpr std::string_view kReasons[] = {"because", "since",   "therefore", "thus",    "hence",
                                         "reason",  "reasons", "caused",    "cause",   "causes",
                                         "owing",   "allow",   "allows",    "prevent", "prevents",
                                         "avoid",   "ensure",  "keeps",     "protect", "protects"};
constexpr std::string_view kReasonPhrases[] = {
    "due to",     "so that",  "in order to", "as a result", "led to",    "so the", "to keep",
    "to protect", "to avoid", "to make",     "to prevent",  "to reduce", "to stop"};
constexpr std::string_view kManners[] = {"by",   "using", "through", "via",  "first",
                                         "then", "with",  "steps",   "step", "must"};
constexpr std::string_view kPlaceWords[] = {"in",      "at", "near",    "from", "to",
                                            "between", "on", "through", "into"};
constexpr std::string_view kPlaceEvidence[] = {"located", "lies",   "stands", "situated", "north", "south",
                                               "east",    "west",   "coast",  "found",    "near",  "between",
                                               "behind",  "beside", "inside", "under"};

template <size_t N>
bool is_one_of(std::string_view word, const std::string_view (&list)[N]) {
  return std::ranges::find(list, word) != std::end(list);
}

struct Token {
  size_t offset = 0;
  size_t end = 0;
  std::string lower;
  bool is_capital = false;
  bool is_number = false;
};

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  WordScanner words(text);
  while (const auto word = words.next()) {
    const std::string_view bytes = text.substr(word->offset, word->size);
    const char32_t first = decode_utf8(bytes, 0).value;
    tokens.push_back({word->offset, word->offset + word->size, fold(bytes), is_upper(first),
                      char_class(first) == CharClass::digit});
  }
  return tokens;
}

bool is_year(const Token& token) {
  return token.end - token.offset == 4 && token.is_number &&
         std::ranges::all_of(token.lower, [](char c) { return c >= '0' && c <= '9'; }) &&
         token.lower >= "1000" && token.lower <= "2199";
}

bool is_known(const Token& token, const std::vector<std::string>& known) {
  return std::ranges::find(known, term_of(token.lower)) != known.end();
}

std::string_view between(std::string_view text, const Token& a, const Token& b) {
  return text.substr(a.offset, b.end - a.offset);
}

// What stands between two neighbouring tokens.
std::string_view gap(std::string_view text, const Token& a, const Token& b) {
  return text.substr(a.end, b.offset - a.end);
}

bool is_number_word(const Token& token) {
  return token.is_number || is_one_of(token.lower, kNumberWords);
}

// "12 March 1904", "May 5, 2024", "in the summer of 1931", "09:30", "2024-05-01": the longest run of parts of
// a date.
std::optional<std::string_view> find_time(std::string_view text, const std::vector<Token>& tokens) {
  std::optional<std::string_view> best;
  int best_strength = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    int strength = 0;
    size_t last = i;
    for (size_t k = i; k < tokens.size(); ++k) {
      const Token& token = tokens[k];
      const std::string_view before = k > i ? gap(text, tokens[k - 1], token) : std::string_view(" ");
      if (k > i && before != " " && before != ", " && before != "-" && before != ":" && before != ". ") break;
      const bool is_may = token.lower == "may" && !token.is_capital;
      const bool is_month = is_one_of(token.lower, kMonths) && !is_may && token.lower != "march"
                                ? true
                                : token.lower == "march" && token.is_capital;
      const bool is_clock = k > i && before == ":" && token.is_number;
      const bool is_half_day =
          token.lower == "a.m" || token.lower == "p.m" || token.lower == "am" || token.lower == "pm";
      int gain = 0;
      if (is_year(token) || is_month || is_clock) gain = 2;
      if (is_one_of(token.lower, kDays) || (is_half_day && k > i)) gain = 2;
      if (gain > 0) {
        strength += gain;
        last = k;
      } else if (!token.is_number && token.lower != "of" && token.lower != "the" && token.lower != "late" &&
                 token.lower != "early") {
        break;
      } else if (token.is_number && strength > 0 && before != " ") {
        last = k;  // "May 5", "2024-05"
      } else if (token.is_number && k > i && strength > 0) {
        last = k;
      }
    }
    const bool starts_well = tokens[i].is_number || strength > 0;
    const bool is_filler = tokens[i].lower == "of" || tokens[i].lower == "the";
    if (strength > best_strength && starts_well && !is_filler) {
      best_strength = strength;
      best = between(text, tokens[i], tokens[last]);
    }
  }
  return best;
}

// "$4.5 million", "300 euros", "EUR 20".
std::optional<std::string_view> find_money(std::string_view text, const std::vector<Token>& tokens) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!is_number_word(tokens[i])) continue;
    size_t last = i;
    while (last + 1 < tokens.size() && gap(text, tokens[last], tokens[last + 1]) == " " &&
           (is_one_of(tokens[last + 1].lower, kScales) || is_one_of(tokens[last + 1].lower, kNumberWords))) {
      ++last;
    }
    size_t end = tokens[last].end;
    for (const std::string_view sign : {"$", "\u20ac", "\u00a3", "\u00a5"}) {
      if (text.substr(0, tokens[i].offset).ends_with(sign)) {
        return text.substr(tokens[i].offset - sign.size(), end - tokens[i].offset + sign.size());
      }
      for (const std::string_view blank : {"", " "}) {
        const std::string suffix = std::string(blank) + std::string(sign);
        if (text.substr(end).starts_with(suffix))
          return text.substr(tokens[i].offset, end + suffix.size() - tokens[i].offset);
      }
    }
    if (last + 1 < tokens.size() && is_one_of(tokens[last + 1].lower, kMoneyWords)) {
      return between(text, tokens[i], tokens[last + 1]);
    }
    if (i > 0 && is_one_of(tokens[i - 1].lower, kMoneyWords))
      return between(text, tokens[i - 1], tokens[last]);
  }
  return std::nullopt;
}

// A number with its unit: "42 metres", "three locks", "12 %". Years are passed over unless nothing else is
// there.
std::optional<std::string_view> find_quantity(std::string_view text, const std::vector<Token>& tokens,
                                              bool with_unit) {
  for (const bool takes_years : {false, true}) {
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (!is_number_word(tokens[i]) || (is_year(tokens[i]) && !takes_years)) continue;
      if (tokens[i].lower == "one" && !with_unit) continue;
      size_t last = i;
      while (last + 1 < tokens.size() && gap(text, tokens[last], tokens[last + 1]).size() == 1 &&
             is_number_word(tokens[last + 1]))
        ++last;
      if (!with_unit) return between(text, tokens[i], tokens[last]);
      const size_t end = tokens[last].end;
      for (const std::string_view sign : {"%", " %", "\u00b0", " \u00b0"}) {
        if (text.substr(end).starts_with(sign))
          return text.substr(tokens[i].offset, end + sign.size() - tokens[i].offset);
      }
      const bool has_unit = last + 1 < tokens.size() && gap(text, tokens[last], tokens[last + 1]) == " " &&
                            !is_stop_word(tokens[last + 1].lower) && !takes_years;
      return between(text, tokens[i], tokens[has_unit ? last + 1 : last]);
    }
  }
  return std::nullopt;
}

bool is_calendar_word(const Token& token) {
  return is_one_of(token.lower, kMonths) || is_one_of(token.lower, kDays);
}

// Runs of capitalised words: "Ada Berg", "Port of Lund". A single capital at the start of the sentence is no
// name.
std::optional<std::string_view> find_name(std::string_view text, const std::vector<Token>& tokens,
                                          SpanKind kind, const std::vector<std::string>& known) {
  std::optional<std::string_view> fallback;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!tokens[i].is_capital || is_calendar_word(tokens[i]) || is_stop_word(tokens[i].lower)) continue;
    size_t last = i;
    bool is_all_known = is_known(tokens[i], known);
    while (last + 1 < tokens.size()) {
      const std::string_view before = gap(text, tokens[last], tokens[last + 1]);
      const bool joins = before == " " || before == "-" || before == ". ";
      if (!joins || !tokens[last + 1].is_capital || is_calendar_word(tokens[last + 1])) break;
      if (before == ". " && tokens[last].end - tokens[last].offset > 2) break;
      ++last;
      is_all_known = is_all_known && is_known(tokens[last], known);
    }
    const std::string_view name = between(text, tokens[i], tokens[last]);
    const size_t next = last;
    const bool after_preposition = i > 0 && is_one_of(tokens[i - 1].lower, kPlaceWords);
    const bool after_the =
        i > 1 && tokens[i - 1].lower == "the" && is_one_of(tokens[i - 2].lower, kPlaceWords);
    const bool fits =
        kind == SpanKind::place ? after_preposition || after_the : !after_preposition && (last > i || i > 0);
    if (!is_all_known && fits) return name;
    const bool is_likely = last > i || i > 0;
    if (!is_all_known && is_likely && !fallback) fallback = name;
    i = next;
  }
  return fallback;
}

bool is_address_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-' || c == '+' || c == '%';
}

std::optional<std::string_view> find_email(std::string_view text) {
  for (size_t at = text.find('@'); at != text.npos; at = text.find('@', at + 1)) {
    size_t start = at;
    size_t end = at + 1;
    while (start > 0 && is_address_char(text[start - 1])) --start;
    while (end < text.size() && is_address_char(text[end])) ++end;
    while (end > at && text[end - 1] == '.') --end;
    const std::string_view host = text.substr(at + 1, end - at - 1);
    if (start < at && host.contains('.')) return text.substr(start, end - start);
  }
  return std::nullopt;
}

std::optional<std::string_view> find_url(std::string_view text) {
  for (const std::string_view scheme : {"https://", "http://", "www."}) {
    const size_t start = text.find(scheme);
    if (start == text.npos) continue;
    size_t end = std::min(text.find_first_of(" \t\r\n<>\"'`", start), text.size());
    while (end > start && std::string_view(".,;:!?)]}").contains(text[end - 1])) --end;
    return text.substr(start, end - start);
  }
  return std::nullopt;
}

// At least seven digits with blanks, hyphens, points, brackets and a plus among them.
std::optional<std::string_view> find_phone(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  for (size_t start = 0; start < text.size(); ++start) {
    if (!is_digit(text[start]) && text[start] != '+' && text[start] != '(') continue;
    size_t digits = 0, last = start, at = start;
    for (; at < text.size() && (is_digit(text[at]) || std::string_view("+()-. /").contains(text[at])); ++at) {
      if (is_digit(text[at])) ++digits, last = at;
    }
    if (digits >= 7) return text.substr(start, last + 1 - start);
    start = at;
  }
  return std::nullopt;
}

bool has_word(const std::vector<Token>& tokens, std::span<const std::string_view> words) {
  return std::ranges::any_of(
      tokens, [&](const Token& token) { return std::ranges::find(words, token.lower) != words.end(); });
}

}  // namespace

std::optional<std::string_view> find_span(std::string_view sentence, SpanKind kind,
                                          const std::vector<std::string>& known) {
  switch (kind) {
    case SpanKind::email:
      return find_email(sentence);
    case SpanKind::url:
      return find_url(sentence);
    case SpanKind::phone:
      return find_phone(sentence);
    case SpanKind::time:
      return find_time(sentence, tokens_of(sentence));
    case SpanKind::money:
      return find_money(sentence, tokens_of(sentence));
    case SpanKind::quantity:
      return find_quantity(sentence, tokens_of(sentence), true);
    case SpanKind::number:
      return find_quantity(sentence, tokens_of(sentence), false);
    case SpanKind::person:
    case SpanKind::place:
      return find_name(sentence, tokens_of(sentence), kind, known);
  }
  return std::nullopt;
}

bool has_evidence(std::string_view sentence, AnswerKind kind, const std::vector<std::string>& known) {
  switch (kind) {
    case AnswerKind::any:
    case AnswerKind::definition:
      return true;
    case AnswerKind::reason: {
      const std::string folded = fold(sentence);
      return has_word(tokens_of(sentence), kReasons) ||
             std::ranges::any_of(kReasonPhrases,
                                 [&](std::string_view phrase) { return folded.contains(phrase); });
    }
    case AnswerKind::manner:
      return has_word(tokens_of(sentence), kManners);
    case AnswerKind::place:
      return has_word(tokens_of(sentence), kPlaceEvidence) ||
             find_span(sentence, SpanKind::place, known).has_value();
    default:
      return find_span(sentence, *span_kind_of(kind), known).has_value();
  }
}

std::optional<SpanKind> span_kind_of(AnswerKind kind) {
  switch (kind) {
    case AnswerKind::person:
      return SpanKind::person;
    case AnswerKind::place:
      return SpanKind::place;
    case AnswerKind::time:
      return SpanKind::time;
    case AnswerKind::quantity:
      return SpanKind::quantity;
    case AnswerKind::money:
      return SpanKind::money;
    case AnswerKind::email:
      return SpanKind::email;
    case AnswerKind::url:
      return SpanKind::url;
    case AnswerKind::phone:
      return SpanKind::phone;
    default:
      return std::nullopt;
  }
}

}  // namespace weir
