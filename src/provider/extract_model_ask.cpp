#include "provider/extract_model_ask.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "base/text.h"
#include "search/sentences.h"
#include "search/unicode.h"

namespace weir {
namespace {

// A paragraph longer than this is text, whatever it starts with.
constexpr size_t kAskBytesMax = 600;
// A message that asks nothing is a question up to this size and material above.
constexpr size_t kBareAskBytesMax = 240;

using Words = std::vector<std::string>;

Words folded_words(std::string_view text) {
  Words words;
  WordScanner scanner(text);
  while (const auto word = scanner.next()) words.push_back(fold(text.substr(word->offset, word->size)));
  return words;
}

template <size_t N>
bool is_one_of(std::string_view word, const std::string_view (&list)[N]) {
  return std::ranges::find(list, word) != std::end(list);
}

constexpr std::string_view kQuestionWords[] = {
    "what", "who",  "whom", "whose", "when", "where", "why",  "how",   "which",  "is",  "are",  "was",
    "were", "does", "do",   "did",   "can",  "could", "will", "would", "should", "has", "have", "had"};
constexpr std::string_view kImperatives[] = {
    "summarize", "summarise", "list",     "name",    "give", "tell",   "explain",  "describe",
    "find",      "extract",   "identify", "quote",   "show", "state",  "write",    "answer",
    "define",    "compare",   "outline",  "provide", "tldr", "recap",  "condense", "shorten",
    "fill",      "return",    "create",   "make",    "pick", "select", "count",    "say",
    "help",      "translate", "classify", "rewrite", "sum"};

std::string_view without_end(std::string_view text) {
  text = trim(text);
  while (!text.empty() &&
         (text.back() == '"' || text.back() == ')' || text.back() == '\'' || text.back() == '*')) {
    text.remove_suffix(1);
  }
  return text;
}

bool ends_with_question_mark(std::string_view text) {
  text = without_end(text);
  return text.ends_with('?') || text.ends_with("\uff1f") || text.ends_with("\u061f");
}

// The first word that tells: "please" and "can you" are passed over.
std::string leading_word(std::string_view text) {
  const Words words = folded_words(text.substr(0, 120));
  size_t at = 0;
  while (at < words.size() && (words[at] == "please" || words[at] == "now" || words[at] == "kindly")) ++at;
  return at < words.size() ? words[at] : std::string();
}

bool is_imperative(std::string_view text) {
  const std::string word = leading_word(text);
  if (is_one_of(word, kImperatives)) return true;
  const std::string folded = fold(text.substr(0, 40));
  return folded.starts_with("in one sentence") || folded.starts_with("tl;dr") ||
         folded.starts_with("in a sentence") || folded.starts_with("in your own words") ||
         folded.starts_with("based on") || folded.starts_with("according to");
}

bool is_ask(std::string_view text) {
  return text.size() <= kAskBytesMax && (ends_with_question_mark(text) || is_imperative(text));
}

// Tags.

constexpr std::string_view kMaterialTags[] = {"document",
                                              "documents",
                                              "doc",
                                              "docs",
                                              "context",
                                              "text",
                                              "article",
                                              "passage",
                                              "source",
                                              "sources",
                                              "content",
                                              "data",
                                              "file",
                                              "transcript",
                                              "email",
                                              "report",
                                              "page",
                                              "search_results",
                                              "document_content"};

struct Tag {
  size_t start = 0;
  size_t end = 0;
  std::string_view name;
};

std::optional<Tag> next_material_tag(std::string_view text, size_t from) {
  for (size_t at = text.find('<', from); at != text.npos; at = text.find('<', at + 1)) {
    size_t end = at + 1;
    while (end < text.size() &&
           (to_lower(text[end]) != text[end] || text[end] == '_' || (text[end] >= 'a' && text[end] <= 'z'))) {
      ++end;
    }
    const std::string name = to_lower(text.substr(at + 1, end - at - 1));
    if (!is_one_of(name, kMaterialTags)) continue;
    const size_t close = text.find('>', end);
    if (close == text.npos) return std::nullopt;
    return Tag{at, close + 1, text.substr(at + 1, end - at - 1)};
  }
  return std::nullopt;
}

// Markup inside documents (<title>, <source>...) parts paragraphs and is no text.
std::string without_tags(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t open = std::min(text.find('<'), text.size());
    out += text.substr(0, open);
    text.remove_prefix(open);
    if (text.empty()) break;
    const char next = text.size() > 1 ? text[1] : ' ';
    const size_t close = text.substr(0, 80).find('>');
    const bool is_tag =
        close != text.npos && (next == '/' || next == '!' || is_lower(static_cast<uint8_t>(next)));
    if (is_tag) out += "\n\n";
    if (!is_tag) out += '<';
    text.remove_prefix(is_tag ? close + 1 : 1);
  }
  return out;
}

std::optional<Prompt> split_by_tags(std::string_view text) {
  Prompt prompt;
  size_t at = 0;
  while (const auto tag = next_material_tag(text, at)) {
    const std::string closing = "</" + std::string(tag->name) + ">";
    const size_t end = text.rfind(closing) >= tag->end ? text.find(closing, tag->end) : text.npos;
    if (end == text.npos) break;
    prompt.ask += std::string(text.substr(at, tag->start - at)) + "\n";
    prompt.material += without_tags(text.substr(tag->end, end - tag->end)) + "\n\n";
    at = end + closing.size();
  }
  if (at == 0) return std::nullopt;
  prompt.ask += text.substr(at);
  prompt.ask = trim(without_tags(prompt.ask));
  return prompt;
}

// Labels.

constexpr std::string_view kMaterialLabels[] = {
    "context", "document", "documents", "text",  "passage", "article", "background", "information",
    "source",  "sources",  "material",  "input", "content", "excerpt", "story",      "notes"};
constexpr std::string_view kAskLabels[] = {
    "question", "q", "query", "task", "instruction", "instructions", "user question", "request"};
constexpr std::string_view kEndLabels[] = {"answer",         "a",           "response", "output",
                                           "helpful answer", "final answer"};

enum class LabelKind : uint8_t { none, material, ask, end };

struct Label {
  LabelKind kind = LabelKind::none;
  size_t size = 0;  // with the colon
};

Label label_of(std::string_view line) {
  std::string_view name = line.substr(0, line.find(':'));
  if (name.size() == line.size() || name.size() > 24) return {};
  const size_t size = name.size() + 1;
  while (!name.empty() && (name.front() == '#' || name.front() == '*' || name.front() == ' '))
    name.remove_prefix(1);
  while (!name.empty() && (name.back() == '*' || name.back() == ' ')) name.remove_suffix(1);
  const std::string folded = to_lower(name);
  if (is_one_of(folded, kMaterialLabels)) return {LabelKind::material, size};
  if (is_one_of(folded, kAskLabels)) return {LabelKind::ask, size};
  if (is_one_of(folded, kEndLabels)) return {LabelKind::end, size};
  return {};
}

// "Context: ... Question: ...?" on one line gets a line for each label.
std::string with_labels_on_lines(std::string_view text) {
  std::string lines(text);
  if (label_of(text).kind == LabelKind::none) return lines;
  for (const std::string_view label : {" Question: ", " Q: ", " Answer:", " Context: ", " Text: "}) {
    for (size_t at = lines.find(label); at != lines.npos; at = lines.find(label, at + 1)) lines[at] = '\n';
  }
  return lines;
}

std::optional<Prompt> split_by_labels(std::string_view message) {
  const std::string text = with_labels_on_lines(message);
  Prompt prompt;
  std::string before;  // text ahead of the first label
  bool has_ask = false;
  bool has_material = false;
  std::string* target = &before;
  std::string dropped;
  for (const std::string_view raw : split(text, '\n')) {
    std::string_view line = trim(raw);
    const Label label = label_of(line);
    if (label.kind != LabelKind::none) {
      line.remove_prefix(label.size);
      has_ask = has_ask || label.kind == LabelKind::ask;
      has_material = has_material || label.kind == LabelKind::material;
      target = label.kind == LabelKind::ask        ? &prompt.ask
               : label.kind == LabelKind::material ? &prompt.material
                                                   : &dropped;
    }
    *target += std::string(label.kind != LabelKind::none ? line : raw) + "\n";
  }
  if (!has_ask && !has_material) return std::nullopt;
  if (has_ask && has_material) {
    // What stands ahead of both says how to answer.
    prompt.ask = std::string(trim(before)) + "\n" + std::string(trim(prompt.ask));
  } else if (has_ask) {
    prompt.material = before;
  } else {
    Prompt inner = split_prompt(prompt.material);
    prompt.material = inner.ask == trim(prompt.material) ? prompt.material : inner.material;
    prompt.ask = before + (inner.material.empty() ? std::string() : inner.ask);
  }
  prompt.ask = trim(prompt.ask);
  return prompt;
}

std::optional<Prompt> split_by_quotes(std::string_view text) {
  constexpr std::string_view kMark = "\"\"\"";
  const size_t open = text.find(kMark);
  const size_t close = open == text.npos ? text.npos : text.find(kMark, open + kMark.size());
  if (close == text.npos) return std::nullopt;
  const size_t inner = open + kMark.size();
  return Prompt{std::string(text.substr(inner, close - inner)),
                std::string(trim(std::string(text.substr(0, open)) + "\n" +
                                 std::string(text.substr(close + kMark.size()))))};
}

// Sentences.

// "Summarise this in one sentence: The lock ..." with everything on one line.
std::optional<Prompt> split_by_colon(std::string_view text) {
  const size_t colon = text.substr(0, 200).find(": ");
  if (colon == text.npos || text.size() - colon < 24) return std::nullopt;
  const std::string_view head = text.substr(0, colon);
  if (!is_imperative(head) && !is_one_of(leading_word(head), kQuestionWords)) return std::nullopt;
  const std::string_view rest = trim(text.substr(colon + 1));
  if (is_ask(rest)) return std::nullopt;  // "Tell me: who built it?"
  return Prompt{std::string(rest), std::string(head)};
}

Prompt split_by_sentences(std::string_view text) {
  const std::vector<Sentence> sentences = split_sentences(text);
  if (sentences.empty()) return {};
  const auto offset = [&](size_t i) { return i < sentences.size() ? sentences[i].offset : text.size(); };
  // The questions and wishes at the end.
  size_t first = sentences.size();
  while (first > 0 && is_ask(sentences[first - 1].in(text))) --first;
  if (first < sentences.size() && first > 0) {
    // A wish ahead of the text too ("Answer in one sentence. <text> Who ...?") belongs to the ask.
    const bool has_head =
        first > 1 && is_imperative(sentences[0].in(text)) && sentences[0].size <= kAskBytesMax;
    const size_t from = has_head ? offset(1) : 0;
    return {
        std::string(trim(text.substr(from, offset(first) - from))),
        std::string(trim(std::string(text.substr(0, from)) + " " + std::string(text.substr(offset(first)))))};
  }
  size_t head = 0;
  while (head < sentences.size() && is_ask(sentences[head].in(text))) ++head;
  if (head > 0 && head < sentences.size()) {
    return {std::string(trim(text.substr(offset(head)))), std::string(trim(text.substr(0, offset(head))))};
  }
  const bool is_all_ask = head == sentences.size() || text.size() <= kBareAskBytesMax;
  return is_all_ask ? Prompt{{}, std::string(text)} : Prompt{std::string(text), {}};
}

}  // namespace

Prompt split_prompt(std::string_view message) {
  message = trim(message);
  if (auto prompt = split_by_tags(message)) return *prompt;
  if (auto prompt = split_by_labels(message)) return *prompt;
  if (auto prompt = split_by_quotes(message)) return *prompt;
  if (auto prompt = split_by_colon(message)) return *prompt;
  return split_by_sentences(message);
}

namespace {

// "You are a helpful assistant.", "Never guess.", "If the user asks for prices, ...".
bool is_directive(std::string_view sentence) {
  constexpr std::string_view kStarts[] = {"you",    "your", "always",   "never",   "do",     "don't",
                                          "be",     "use",  "keep",     "respond", "reply",  "act",
                                          "avoid",  "only", "remember", "ensure",  "please", "output",
                                          "format", "cite", "respect",  "follow",  "speak",  "stay"};
  const std::string word = leading_word(sentence);
  if (is_one_of(word, kStarts) || is_imperative(sentence)) return true;
  const std::string folded = fold(sentence);
  return folded.contains("the user") || folded.contains("the assistant") || folded.contains("your answer");
}

}  // namespace

Prompt split_instructions(std::string_view instructions) {
  if (auto prompt = split_by_tags(instructions)) return *prompt;
  if (auto prompt = split_by_labels(instructions)) return *prompt;
  Prompt prompt;
  uint32_t paragraph = 0;
  for (const Sentence& sentence : split_sentences(instructions)) {
    const std::string_view text = sentence.in(instructions);
    std::string& part =
        sentence.kind == SentenceKind::prose && is_directive(text) ? prompt.ask : prompt.material;
    if (!part.empty()) part += sentence.paragraph == paragraph ? " " : "\n\n";
    part += text;
    paragraph = sentence.paragraph;
  }
  return prompt;
}

// The ask.

namespace {

constexpr std::string_view kNumbers[] = {"zero", "one",   "two",   "three", "four", "five",
                                         "six",  "seven", "eight", "nine",  "ten"};

std::optional<size_t> number_of(std::string_view word) {
  if (word == "single" || word == "a") return 1;
  for (size_t i = 1; i < std::size(kNumbers); ++i) {
    if (word == kNumbers[i]) return i;
  }
  size_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size() || number == 0) return std::nullopt;
  return number;
}

// The number in the three words before words[at]: "three short sentences".
std::optional<size_t> number_before(const Words& words, size_t at) {
  for (size_t back = 1; back <= 3 && back <= at; ++back) {
    if (const auto number = number_of(words[at - back])) return number;
  }
  return std::nullopt;
}

bool has_phrase(const Words& words, std::initializer_list<std::string_view> phrase) {
  return std::ranges::search(words, phrase).size() == phrase.size();
}

void read_form(const Words& words, Ask& ask) {
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const auto number = number_before(words, i);
    if ((word == "sentence" || word == "sentences") && number) ask.sentences = *number;
    const bool is_bullet =
        word == "bullet" || word == "bullets" || word == "bulleted" || word == "bulletpoints";
    if (is_bullet || (word == "points" && number && !ask.wants_bullets)) {
      ask.wants_bullets = true;
      if (number && *number > 1) ask.sentences = *number;
    }
    const bool is_piece =
        word == "facts" || word == "examples" || word == "reasons" || word == "things" || word == "ways";
    if (is_piece && number && *number > 1) ask.sentences = *number;
    if ((word == "words" || word == "word") && number) {
      if (*number == 1)
        ask.wants_span = true;
      else
        ask.words_max = *number;
    }
    if (word == "briefly" || word == "brief" || word == "concise" || word == "concisely" || word == "short") {
      ask.wants_brief = true;
    }
    const bool is_only = word == "only" || word == "just";
    const std::string_view next = i + 1 < words.size() ? std::string_view(words[i + 1]) : "";
    const std::string_view after = i + 2 < words.size() ? std::string_view(words[i + 2]) : "";
    if (is_only && (next == "the" || (next == "with" && after == "the"))) ask.wants_span = true;
  }
  if (has_phrase(words, {"as", "a", "list"}) || has_phrase(words, {"bullet", "list"}))
    ask.wants_bullets = true;
}

bool asks_for_summary(const Words& words) {
  for (const std::string& word : words) {
    if (word.starts_with("summar") || word == "tldr" || word == "gist" || word == "overview" ||
        word == "recap" || word == "takeaways" || word == "condense" || word == "shorten") {
      return true;
    }
  }
  const bool points = has_phrase(words, {"key", "points"}) || has_phrase(words, {"main", "points"}) ||
                      has_phrase(words, {"main", "idea"}) || has_phrase(words, {"main", "ideas"}) ||
                      has_phrase(words, {"tl", "dr"}) || has_phrase(words, {"sum", "up"});
  const bool about =
      !words.empty() && words.back() == "about" &&
      (has_phrase(words, {"this"}) || has_phrase(words, {"text"}) || has_phrase(words, {"document"}) ||
       has_phrase(words, {"article"}) || has_phrase(words, {"it"}));
  return points || about;
}

bool asks_for_introduction(const Words& words) {
  constexpr std::string_view kGreetings[] = {"hello", "hi",   "hey",     "ping", "test",
                                             "hallo", "moin", "bonjour", "hola", "thanks"};
  if (words.size() <= 4 && !words.empty() && is_one_of(words[0], kGreetings)) return true;
  return has_phrase(words, {"who", "are", "you"}) || has_phrase(words, {"what", "are", "you"}) ||
         has_phrase(words, {"what", "can", "you", "do"}) || has_phrase(words, {"are", "you", "a"}) ||
         has_phrase(words, {"which", "model", "are", "you"}) || has_phrase(words, {"your", "name"}) ||
         has_phrase(words, {"introduce", "yourself"});
}

AnswerKind kind_after_how(std::string_view next) {
  constexpr std::string_view kQuantities[] = {"many",  "long", "far",     "old",   "tall", "high",  "big",
                                              "large", "fast", "often",   "deep",  "wide", "heavy", "large",
                                              "hot",   "cold", "quickly", "young", "late", "early", "soon"};
  if (next == "much") return AnswerKind::quantity;
  return is_one_of(next, kQuantities) ? AnswerKind::quantity : AnswerKind::manner;
}

bool asks_for_money(const Words& words) {
  constexpr std::string_view kMoney[] = {"cost",   "costs", "price",   "prices", "pay",
                                         "paid",   "fee",   "fees",    "charge", "salary",
                                         "budget", "worth", "revenue", "euros",  "dollars"};
  return std::ranges::any_of(words, [&](const std::string& word) { return is_one_of(word, kMoney); });
}

// "What is the email address?", "Is there a phone number?"
AnswerKind kind_of_address(const Words& words) {
  for (const std::string& word : words) {
    if (word == "email" || word == "mail") return AnswerKind::email;
    if (word == "phone" || word == "telephone" || word == "call") return AnswerKind::phone;
    if (word == "url" || word == "website" || word == "link") return AnswerKind::url;
  }
  return AnswerKind::any;
}

AnswerKind kind_of(const Words& words) {
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const std::string_view next = i + 1 < words.size() ? std::string_view(words[i + 1]) : "";
    if (word == "who" || word == "whom" || word == "whose") return AnswerKind::person;
    if (word == "when") return AnswerKind::time;
    if (word == "where") return AnswerKind::place;
    if (word == "why") return AnswerKind::reason;
    if (word == "how") {
      const AnswerKind kind = kind_after_how(next);
      return kind == AnswerKind::quantity && asks_for_money(words) ? AnswerKind::money : kind;
    }
    if (word == "what" || word == "which" || word == "in") {
      if (next == "year" || next == "date" || next == "day" || next == "month" || next == "time")
        return AnswerKind::time;
      if (next == "city" || next == "country" || next == "place" || next == "town" || next == "river")
        return AnswerKind::place;
    }
    if (word == "what" && next == "causes") return AnswerKind::reason;
    if ((word == "what" && (next == "is" || next == "are" || next == "does")) || word == "define") {
      if (asks_for_money(words)) return AnswerKind::money;
      const AnswerKind address = kind_of_address(words);
      return address == AnswerKind::any ? AnswerKind::definition : address;
    }
    if (word == "explain" && next == "why") return AnswerKind::reason;
  }
  return asks_for_money(words) ? AnswerKind::money : AnswerKind::any;
}

bool asks_for_list(const Words& words) {
  if (words.empty()) return false;
  if (words[0] == "list" || words[0] == "name" || words[0] == "enumerate") return true;
  return has_phrase(words, {"what", "are", "the"}) || has_phrase(words, {"which", "are"}) ||
         has_phrase(words, {"what", "steps"}) || has_phrase(words, {"all", "the"});
}

}  // namespace

std::string question_in(std::string_view ask) {
  std::string questions;
  for (const Sentence& sentence : split_sentences(ask)) {
    if (ends_with_question_mark(sentence.in(ask))) questions += plain_text(ask, sentence) + " ";
  }
  return questions.empty() ? std::string(ask) : questions;
}

Ask read_ask(std::string_view text, std::string_view directives) {
  const Words words = folded_words(text);
  Ask ask;
  read_form(folded_words(directives), ask);
  const Ask general = ask;
  ask.sentences = 0;
  read_form(words, ask);
  if (ask.sentences == 0) ask.sentences = general.sentences;
  ask.kind = kind_of(words);
  ask.wants_list = asks_for_list(words);
  if (words.empty() || asks_for_summary(words)) {
    ask.task = AskTask::summarise;
  } else if (asks_for_introduction(words)) {
    ask.task = AskTask::introduce;
  }
  return ask;
}

}  // namespace weir
