#include "provider/extract_model_select.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "base/text.h"
#include "provider/extract_model_phrases.h"
#include "provider/extract_model_spans.h"
#include "search/terms.h"
#include "search/unicode.h"

namespace weir {
namespace {

// Weights, set by hand on the questions of extract_model_test.cpp.
constexpr double kRelatedWord = 0.6;  // a word with the same beginning instead of the same stem
constexpr double kSynonym = 0.5;
constexpr double kNoiseWord = 0.15;    // a term about asking
constexpr double kMeasureWord = 0.4;   // "long" in "how long"
constexpr double kSurroundings = 0.4;  // a term in the heading or the sentence before instead of the sentence
constexpr double kCoverageMin = 0.34;  // below it the text does not speak of the question
constexpr double kCoverageMinIfUnknown = 0.51;  // the same when the text lacks a term of it altogether
constexpr double kWithoutEvidence = 0.6;        // no date where "when" was asked, and so on
constexpr double kWithoutAddress = 0.25;        // no e-mail address where one was asked for
constexpr double kDefinition = 1.6;
constexpr double kIsQuestion = 0.25;  // a question in the text answers nothing
constexpr double kCode = 0.7;
constexpr double kFurtherMin = 0.72;  // of the best score, for a sentence to come along
constexpr double kFurtherListMin = 0.45;
constexpr size_t kEntryBytesMax = 60;
constexpr size_t kAnswerSentences = 2;
constexpr size_t kListSentences = 6;
constexpr size_t kListItemsMax = 12;
constexpr size_t kSummarySentencesMax = 5;
constexpr double kSameParagraph = 0.6;  // for the next sentence of a paragraph that a summary has one of
constexpr size_t kVocabularyVariantsMax = 8;

// Words about asking rather than about the topic, as stems; the second list only as the first word.
constexpr std::string_view kNoise[] = {
    "mention", "text",     "document", "passag",   "articl", "accord",   "tell",   "know",   "say",
    "said",    "describ",  "explain",  "context",  "answer", "question", "follow", "provid", "given",
    "sentenc", "word",     "bullet",   "point",    "brief",  "briefli",  "short",  "concis", "summar",
    "summari", "summaris", "exact",    "onli",     "quot",   "base",     "pleas",  "one",    "two",
    "three",   "four",     "five",     "much",     "mani",   "get",      "got",    "happen", "did",
    "tl",      "dr",       "tldr",     "overview", "key",    "main",     "idea",   "gist",   "recap",
    "thing",   "everyth",  "anyth",    "someth",   "item",   "detail",   "fact",   "inform"};
constexpr std::string_view kNoiseAtStart[] = {"list",     "name",   "give",  "find",    "state",
                                              "identifi", "write",  "show",  "extract", "use",
                                              "make",     "outlin", "defin", "compar"};

// Groups of stems that stand for one another in questions and answers.
constexpr std::array<std::string_view, 36> kSynonyms = {"cost price fee charg pay paid euro dollar",
                                                        "begin start began commenc open launch begun",
                                                        "end finish complet conclud close",
                                                        "build built construct erect builder",
                                                        "found establish creat founder set",
                                                        "make produc manufactur made",
                                                        "big larg size huge",
                                                        "tall high height",
                                                        "long length last took durat",
                                                        "deep depth",
                                                        "wide width",
                                                        "heavi weigh weight",
                                                        "old age year",
                                                        "far distanc away kilometr mile km",
                                                        "fast speed quick",
                                                        "buy purchas bought",
                                                        "sell sold sale",
                                                        "die death dead kill",
                                                        "born birth",
                                                        "live resid home hous",
                                                        "leader head lead direct chair boss run",
                                                        "own owner belong",
                                                        "job work employ occup",
                                                        "invent inventor devis design",
                                                        "write wrote written author writer",
                                                        "locat lie stand situat",
                                                        "need requir must necessari",
                                                        "forbid forbidden prohibit ban allow permit",
                                                        "return refund",
                                                        "hour open",
                                                        "contact email phone call telephon",
                                                        "email mail",
                                                        "outag unavail downtim",
                                                        "damag destroy ruin broke",
                                                        "fix repair mend",
                                                        "send ship deliv deliveri sent"};

constexpr std::string_view kBeforeKindWords[] = {"how",       "what",  "which", "phone",
                                                 "telephone", "email", "mail"};

constexpr std::string_view kPronouns[] = {"it",   "its",     "they",    "their",     "he",   "she",  "his",
                                          "her",  "this",    "these",   "those",     "that", "them", "such",
                                          "both", "however", "instead", "therefore", "also"};

template <class List>
bool is_one_of(std::string_view word, const List& list) {
  return std::ranges::find(list, word) != std::end(list);
}

bool is_own_words(std::string_view sentence) {
  return sentence.size() > 20 &&
         (kIntroduction.contains(sentence) || kNoMaterial.contains(sentence) || kNotFound.contains(sentence));
}

bool is_table_rule(std::string_view row) {
  return row.find_first_not_of("|-: \t") == row.npos;
}

// "**Shutdown.** Stop accepting ...": a title that runs into its paragraph.
bool is_run_in_title(std::string_view sentence) {
  return sentence.size() > 4 && sentence.starts_with("**") && sentence.find("**", 2) >= sentence.size() - 3;
}

bool is_candidate(const Material& material, size_t i) {
  return material.sentence(i).kind != SentenceKind::heading && !material.terms(i).empty();
}

// A sentence with an address in it speaks of addresses, even if it does not say so.
void add_terms_of_spans(std::string_view sentence, std::vector<std::string>& terms) {
  const bool has_digit = sentence.find_first_of("0123456789") != sentence.npos;
  if (find_span(sentence, SpanKind::email, {})) terms.emplace_back("email");
  if (find_span(sentence, SpanKind::url, {})) terms.insert(terms.end(), {"url", "websit", "link"});
  if (has_digit && find_span(sentence, SpanKind::phone, {})) terms.emplace_back("phone");
  if (has_digit && find_span(sentence, SpanKind::money, {})) terms.emplace_back("price");
}

std::string first_word(std::string_view text) {
  WordScanner words(text);
  const auto word = words.next();
  return word ? fold(text.substr(word->offset, word->size)) : std::string();
}

// One term of the question with what may stand for it, each with its weight.
struct Variant {
  std::string term;
  double weight;
};

std::vector<Variant> variants_of(const std::string& term, const Material& material) {
  std::vector<Variant> variants = {{term, 1.0}};
  const auto add = [&](std::string_view other, double weight) {
    if (other == term || !std::ranges::binary_search(material.vocabulary(), other)) return;
    if (std::ranges::none_of(variants, [&](const Variant& known) { return known.term == other; })) {
      variants.push_back({std::string(other), weight});
    }
  };
  // "invent" and "inventor", "govern" and "governor": one begins with the other, or most of both is the same.
  const size_t shared = std::max<size_t>(4, (term.size() * 3 + 3) / 4);
  if (term.size() >= shared && static_cast<uint8_t>(term[0]) < 0x80 && !(term[0] >= '0' && term[0] <= '9')) {
    const std::string_view prefix = std::string_view(term).substr(0, shared);
    const auto& words = material.vocabulary();
    for (auto at = std::ranges::lower_bound(words, prefix); at != words.end() && at->starts_with(prefix);
         ++at) {
      if (variants.size() > kVocabularyVariantsMax) break;
      if (at->size() <= term.size() + 4) add(*at, kRelatedWord);
    }
  }
  for (const std::string_view group : kSynonyms) {
    const auto words = split(group, ' ');
    bool is_in_group = false;
    for (const std::string_view word : words) is_in_group = is_in_group || word == term;
    if (!is_in_group) continue;
    for (const std::string_view word : words) add(word, kSynonym);
  }
  return variants;
}

// What the ranking knows of each sentence.
struct Scores {
  std::vector<double> score;
  std::vector<double> coverage;  // of the question's weight, 0 to 1
  bool has_unknown = false;      // the text lacks a term of the question
};

// Adds one question term to the scores of all sentences; `total` is the weight of the whole question.
double add_term(const Material& material, const TopicTerm& topic, Scores& scores) {
  std::vector<double> own(material.size(), 0.0);     // BM25 share by the best variant
  std::vector<double> weight(material.size(), 0.0);  // of that variant
  double importance = 0;
  for (const Variant& variant : variants_of(topic.term, material)) {
    const auto hits = material.index().search(std::vector{variant.term}, material.size());
    if (!hits.empty()) importance = std::max(importance, material.index().idf(variant.term));
    for (const Bm25Hit& hit : hits) {
      own[hit.text] = std::max(own[hit.text], variant.weight * hit.score);
      weight[hit.text] = std::max(weight[hit.text], variant.weight);
    }
  }
  // A term that the text never uses weighs as much as one that it uses once.
  const auto count = static_cast<double>(material.size());
  if (importance == 0) {
    importance = std::log(1 + (count - 0.5) / 1.5);
    scores.has_unknown = scores.has_unknown || topic.weight == 1;
  }
  importance *= topic.weight;
  for (size_t i = 0; i < material.size(); ++i) {
    double share = weight[i];
    double extra = 0;
    const bool follows = i > 0 && material.sentence(i - 1).paragraph == material.sentence(i).paragraph;
    if (follows && weight[i - 1] > 0) extra = std::max(extra, own[i - 1]);
    const size_t heading = material.heading(i);
    if (heading < i && weight[heading] > 0) extra = std::max(extra, own[heading]);
    if (extra > 0 && share == 0) share = kSurroundings;
    scores.score[i] += topic.weight * (own[i] > 0 ? own[i] : kSurroundings * extra);
    scores.coverage[i] += importance * share;
  }
  return importance;
}

// "Weir: a low barrier", "| Weir | a low barrier |": a term and what it means, side by side.
bool is_entry_for(const Material& material, size_t i, const std::vector<std::string>& topic) {
  const std::string text = material.plain(i);
  const bool is_row = material.sentence(i).kind == SentenceKind::table_row;
  const size_t start = is_row ? 1 : 0;
  const size_t end = text.find(is_row ? '|' : ':', start);
  return end < kEntryBytesMax && index_terms(std::string_view(text).substr(start, end - start)) == topic;
}

// "A weir is a low barrier": the question's words begin the sentence and a verb of saying what it is comes
// soon.
bool defines(const Material& material, size_t i, const std::vector<std::string>& topic) {
  constexpr std::string_view kVerbs[] = {"is",    "are",    "was",     "were",
                                         "means", "refers", "denotes", "describes"};
  constexpr int kWordsToVerb = 9;
  constexpr int kWordsToTopic = 4;
  const std::string text = material.plain(i);
  WordScanner words(text);
  bool has_topic = false;
  for (int at = 0; at < kWordsToVerb; ++at) {
    const auto word = words.next();
    if (!word) break;
    const std::string_view bytes = std::string_view(text).substr(word->offset, word->size);
    if (has_topic && is_one_of(fold(bytes), kVerbs)) return true;
    has_topic = has_topic || is_one_of(term_of(bytes), topic);
    if (!has_topic && at >= kWordsToTopic) break;
  }
  return is_entry_for(material, i, topic);
}

double kind_factor(const Material& material, size_t i, const std::vector<std::string>& topic,
                   AnswerKind kind) {
  const std::string text = material.plain(i);
  double factor = 1;
  if (kind == AnswerKind::definition && defines(material, i, topic)) factor *= kDefinition;
  const bool is_address = kind == AnswerKind::email || kind == AnswerKind::url || kind == AnswerKind::phone;
  if (!has_evidence(text, kind, topic)) factor *= is_address ? kWithoutAddress : kWithoutEvidence;
  if (text.ends_with('?')) factor *= kIsQuestion;
  if (material.sentence(i).kind == SentenceKind::code) factor *= kCode;
  return factor;
}

Scores score_sentences(const Material& material, std::string_view question, AnswerKind kind) {
  const std::vector<std::string> topic = topic_terms(question);
  Scores scores{std::vector<double>(material.size(), 0.0), std::vector<double>(material.size(), 0.0), false};
  double total = 0;
  for (const TopicTerm& term : topic_of(question)) total += add_term(material, term, scores);
  for (size_t i = 0; i < material.size(); ++i) {
    scores.coverage[i] = total > 0 ? scores.coverage[i] / total : 0;
    if (!is_candidate(material, i)) scores.score[i] = 0;
    if (scores.score[i] > 0) {
      scores.score[i] *= (0.35 + 0.65 * scores.coverage[i]) * kind_factor(material, i, topic, kind);
    }
  }
  return scores;
}

// Whether a sentence says nearly the same as one that is chosen.
bool repeats(const Material& material, size_t i, const std::vector<size_t>& chosen) {
  for (const size_t other : chosen) {
    size_t shared = 0;
    for (const std::string& term : material.terms(i))
      shared += is_one_of(term, material.terms(other)) ? 1 : 0;
    const size_t shorter = std::min(material.terms(i).size(), material.terms(other).size());
    if (shorter > 0 && shared * 10 >= shorter * 8 &&
        material.terms(i).size() <= material.terms(other).size() + 2)
      return true;
  }
  return false;
}

void insert_in_order(std::vector<size_t>& chosen, size_t i) {
  const auto at = std::ranges::lower_bound(chosen, i);
  if (at == chosen.end() || *at != i) chosen.insert(at, i);
}

// A sentence that starts with "It" or "They" is told with the one before, if that names what is meant: it
// starts with no such word itself and speaks of the question's topic.
void add_antecedent(const Material& material, size_t i, const std::vector<std::string>& topic,
                    AnswerKind kind, std::vector<size_t>& chosen) {
  if (i == 0 || !is_one_of(first_word(material.plain(i)), kPronouns)) return;
  const bool is_near = material.sentence(i - 1).paragraph == material.sentence(i).paragraph;
  if (!is_near || !is_candidate(material, i - 1) || is_one_of(first_word(material.plain(i - 1)), kPronouns))
    return;
  const bool is_on_topic = std::ranges::any_of(
      material.terms(i - 1), [&](const std::string& term) { return is_one_of(term, topic); });
  // "She rolled it back" answers "who" only together with the sentence that has the name.
  const bool has_the_answer =
      !has_evidence(material.plain(i), kind, topic) && has_evidence(material.plain(i - 1), kind, topic);
  if (is_on_topic || has_the_answer) insert_in_order(chosen, i - 1);
}

// The items of a list that a sentence ends on ("You need:") come along.
void add_list(const Material& material, size_t i, std::vector<size_t>& chosen) {
  if (!material.plain(i).ends_with(':')) return;
  for (size_t k = i + 1; k < material.size() && k <= i + kListItemsMax; ++k) {
    if (material.sentence(k).kind != SentenceKind::list_item &&
        material.sentence(k).kind != SentenceKind::code)
      break;
    insert_in_order(chosen, k);
  }
}

// An item of a list that was asked for as a whole stands for all of them.
void add_siblings(const Material& material, size_t i, std::vector<size_t>& chosen) {
  if (material.sentence(i).kind != SentenceKind::list_item) return;
  size_t first = i;
  while (first > 0 && material.sentence(first - 1).kind == SentenceKind::list_item &&
         i - first < kListItemsMax)
    --first;
  for (size_t k = first; k < material.size() && k < first + kListItemsMax; ++k) {
    if (material.sentence(k).kind != SentenceKind::list_item) break;
    insert_in_order(chosen, k);
  }
}

std::vector<size_t> by_score(const std::vector<double>& score) {
  std::vector<size_t> order(score.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order,
                    [&](size_t a, size_t b) { return score[a] != score[b] ? score[a] > score[b] : a < b; });
  return order;
}

// The best `limit` sentences, as long as they reach `least`; repeats left out. The first in `order` always.
std::vector<size_t> pick(const Material& material, const std::vector<size_t>& order,
                         const std::vector<double>& score, size_t limit, double least) {
  std::vector<size_t> chosen;
  for (const size_t i : order) {
    if (chosen.size() >= limit || score[i] <= 0 || score[i] < least) break;
    if (!repeats(material, i, chosen)) insert_in_order(chosen, i);
  }
  return chosen;
}

// The best sentences one by one, each paragraph's next one counting less, so that a summary reaches all parts
// of a text.
std::vector<size_t> pick_spread(const Material& material, std::vector<double> score, size_t limit) {
  std::unordered_map<uint32_t, double> held_back;  // by paragraph
  std::vector<size_t> chosen;
  while (chosen.size() < limit) {
    size_t best = score.size();
    double best_score = 0;
    for (size_t i = 0; i < score.size(); ++i) {
      const auto factor = held_back.find(material.sentence(i).paragraph);
      const double now = score[i] * (factor == held_back.end() ? 1 : factor->second);
      if (now > best_score) best_score = now, best = i;
    }
    if (best == score.size()) break;
    score[best] = 0;
    if (repeats(material, best, chosen)) continue;
    insert_in_order(chosen, best);
    held_back.try_emplace(material.sentence(best).paragraph, 1.0).first->second *= kSameParagraph;
  }
  return chosen;
}

}  // namespace

Material::Material(std::string text) : text_(std::move(text)) {
  size_t heading = SIZE_MAX;
  size_t title = SIZE_MAX;  // a run-in title, for its paragraph
  for (const Sentence& sentence : split_sentences(text_)) {
    const std::string plain = plain_text(text_, sentence);
    if (is_own_words(plain)) continue;
    if (sentence.kind == SentenceKind::table_row && is_table_rule(plain)) continue;
    if (sentence.kind == SentenceKind::heading) heading = sentences_.size();
    const bool goes_on = !sentences_.empty() && sentences_.back().paragraph == sentence.paragraph;
    if (!goes_on) title = SIZE_MAX;
    sentences_.push_back(sentence);
    if (is_run_in_title(plain)) {
      title = sentences_.size() - 1;
      sentences_.back().kind = SentenceKind::heading;
    }
    headings_.push_back(title != SIZE_MAX ? title : heading);
    terms_.push_back(index_terms(plain));
    add_terms_of_spans(plain, terms_.back());
    index_.add(terms_.back());
  }
  vocabulary_ = index_.terms();
}

std::vector<TopicTerm> topic_of(std::string_view ask) {
  std::vector<TopicTerm> topic;
  std::string before;  // the word before; empty for the first
  WordScanner words(ask);
  while (const auto word = words.next()) {
    const std::string_view bytes = ask.substr(word->offset, word->size);
    const std::string folded = fold(bytes);
    // "how long", "what colour", "phone number": the second word says the kind of the answer.
    const bool is_measure = is_one_of(before, kBeforeKindWords);
    const bool is_first = before.empty();
    before = folded;
    if (is_stop_word(folded)) continue;
    TopicTerm next{term_of(bytes), is_measure ? kMeasureWord : 1.0};
    const bool is_noise = is_one_of(next.term, kNoise) || (is_first && is_one_of(next.term, kNoiseAtStart));
    if (is_noise) next.weight = kNoiseWord;
    const bool is_new =
        std::ranges::none_of(topic, [&](const TopicTerm& known) { return known.term == next.term; });
    if (is_new) topic.push_back(std::move(next));
  }
  return topic;
}

std::vector<std::string> topic_terms(std::string_view ask) {
  std::vector<std::string> terms;
  for (TopicTerm& topic : topic_of(ask)) {
    if (topic.weight == 1) terms.push_back(std::move(topic.term));
  }
  return terms;
}

Selection select_answer(const Material& material, std::string_view question, const Ask& ask) {
  const std::vector<std::string> topic = topic_terms(question);
  if (topic.empty() || material.empty()) return {};
  const Scores scores = score_sentences(material, question, ask.kind);
  const std::vector<size_t> order = by_score(scores.score);
  const size_t best = order[0];
  const double coverage_min = scores.has_unknown ? kCoverageMinIfUnknown : kCoverageMin;
  if (scores.score[best] <= 0 || scores.coverage[best] < coverage_min) return {};

  const size_t limit = ask.sentences > 0                     ? ask.sentences
                       : ask.wants_list || ask.wants_bullets ? kListSentences
                                                             : kAnswerSentences;
  const double share = ask.sentences > 0 ? 0 : ask.wants_list ? kFurtherListMin : kFurtherMin;
  Selection selection{pick(material, order, scores.score, ask.wants_brief || ask.wants_span ? 1 : limit,
                           share * scores.score[best]),
                      best, scores.coverage[best]};
  if (ask.sentences == 0 && !ask.wants_span) {
    for (const size_t i : std::vector(selection.sentences)) {
      if (!ask.wants_brief) add_antecedent(material, i, topic, ask.kind, selection.sentences);
      add_list(material, i, selection.sentences);
    }
    if (ask.wants_list) add_siblings(material, best, selection.sentences);
  }
  return selection;
}

Selection select_summary(const Material& material, std::string_view topic_text, const Ask& ask) {
  std::unordered_map<std::string_view, double> frequency;
  for (size_t i = 0; i < material.size(); ++i) {
    for (const std::string& term : material.terms(i)) frequency[term] += 1;
  }
  // A sentence says much when its terms are frequent in the text; its length is held back by a root.
  std::vector<double> score(material.size(), 0.0);
  size_t candidates = 0;
  for (size_t i = 0; i < material.size(); ++i) {
    const SentenceKind kind = material.sentence(i).kind;
    if (!is_candidate(material, i) || kind == SentenceKind::code || kind == SentenceKind::table_row) continue;
    ++candidates;
    double sum = 0;
    std::vector<std::string_view> seen;
    for (const std::string& term : material.terms(i)) {
      if (is_one_of(term, seen)) continue;
      seen.push_back(term);
      sum += std::log(1 + frequency[term]);
    }
    score[i] = sum / std::sqrt(static_cast<double>(std::max<size_t>(seen.size(), 6)));
    const bool opens_paragraph =
        i == 0 || material.sentence(i - 1).paragraph != material.sentence(i).paragraph;
    if (opens_paragraph) score[i] *= 1.25;
    if (candidates == 1) score[i] *= 1.4;
    const std::string plain = material.plain(i);
    if (plain.ends_with('?')) score[i] *= kIsQuestion;
    if (is_one_of(first_word(plain), kPronouns)) score[i] *= 0.7;
  }
  if (!topic_terms(topic_text).empty()) {
    const Scores about = score_sentences(material, topic_text, AnswerKind::any);
    const bool is_spoken_of = std::ranges::any_of(about.coverage, [](double c) { return c >= kCoverageMin; });
    if (is_spoken_of) {
      for (size_t i = 0; i < material.size(); ++i) score[i] *= about.coverage[i];
    }
  }
  const size_t usual = std::clamp<size_t>(candidates / 3, 1, kSummarySentencesMax);
  const size_t limit = ask.sentences > 0 ? ask.sentences
                       : ask.wants_brief ? std::min<size_t>(usual, 2)
                                         : usual;
  Selection selection;
  selection.sentences = pick_spread(material, score, limit);
  if (!selection.sentences.empty()) selection.best = by_score(score)[0];
  selection.coverage = selection.sentences.empty() ? 0 : 1;
  return selection;
}

}  // namespace weir
