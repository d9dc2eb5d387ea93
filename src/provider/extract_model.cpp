#include "provider/extract_model.h"

#include <algorithm>

#include "base/text.h"
#include "llm/tokens.h"
#include "provider/extract_model_ask.h"
#include "provider/extract_model_json.h"
#include "provider/extract_model_phrases.h"
#include "provider/extract_model_select.h"
#include "provider/extract_model_spans.h"
#include "search/sentences.h"
#include "search/unicode.h"

namespace weir {
namespace {

constexpr Tokenizer kTokenizer = Tokenizer::o200k_base;
constexpr std::string_view kEllipsis = "\u2026";

size_t count_words(std::string_view text) {
  size_t count = 0;
  WordScanner words(text);
  while (words.next()) ++count;
  return count;
}

// The first `words_max` words, ended at a comma or semicolon if there is one in the second half.
std::string cut_to_words(std::string_view text, size_t words_max) {
  WordScanner words(text);
  size_t end = 0;
  for (size_t i = 0; i < words_max; ++i) {
    const auto word = words.next();
    if (!word) return std::string(text);
    end = word->offset + word->size;
  }
  if (!words.next()) return std::string(text);
  const std::string_view kept = text.substr(0, end);
  const size_t clause = kept.find_last_of(",;");
  return std::string(clause != kept.npos && clause >= end / 2 ? kept.substr(0, clause) : kept) +
         std::string(kEllipsis);
}

bool keeps_its_lines(SentenceKind kind) {
  return kind == SentenceKind::code || kind == SentenceKind::table_row;
}

// The sentences of one list item stand on one line behind one dash.
bool goes_on(const Material& material, size_t i, size_t before) {
  return material.sentence(i).kind == SentenceKind::list_item && i == before + 1 &&
         material.sentence(i).paragraph == material.sentence(before).paragraph;
}

std::string render_bullets(const Material& material, const Selection& selection) {
  std::string out;
  size_t before = material.size();
  for (const size_t i : selection.sentences) {
    const bool is_same_item = before < i && goes_on(material, i, before);
    if (!out.empty()) out += is_same_item ? ' ' : '\n';
    if (!is_same_item && !keeps_its_lines(material.sentence(i).kind)) out += "- ";
    out += material.plain(i);
    before = i;
  }
  return out;
}

bool ends_like_a_sentence(std::string_view text) {
  return static_cast<uint8_t>(text.back()) >= 0x80 || std::string_view(".!?:\"')").contains(text.back());
}

// Sentences one after the other; list items, code and what has no full stop on lines of their own.
std::string render_prose(const Material& material, const Selection& selection) {
  const auto is_item = [&](size_t i) { return material.sentence(i).kind == SentenceKind::list_item; };
  const bool has_items = std::ranges::count_if(selection.sentences, is_item) > 1;
  std::string out;
  bool needs_line = false;
  size_t before = material.size();
  for (const size_t i : selection.sentences) {
    const std::string text = material.plain(i);
    const bool is_same_item = before < i && goes_on(material, i, before);
    const bool is_bullet = has_items && is_item(i) && !is_same_item;
    const bool on_own_line = is_bullet || keeps_its_lines(material.sentence(i).kind);
    if (!out.empty()) out += on_own_line || (needs_line && !is_same_item) ? "\n" : " ";
    out += (is_bullet ? "- " : "") + text;
    needs_line = on_own_line || is_same_item || !ends_like_a_sentence(text);
    before = i;
  }
  return out;
}

std::string render(const Material& material, Selection selection, const Ask& ask) {
  if (ask.words_max > 0) {
    // Whole sentences while they fit; the best one, cut, if not even that does.
    std::vector<size_t> fitting;
    size_t words = count_words(material.plain(selection.best));
    if (words > ask.words_max) return cut_to_words(material.plain(selection.best), ask.words_max);
    for (const size_t i : selection.sentences) {
      const size_t more = i == selection.best ? 0 : count_words(material.plain(i));
      if (words + more > ask.words_max) continue;
      words += more;
      fitting.push_back(i);
    }
    selection.sentences = std::move(fitting);
  }
  return ask.wants_bullets ? render_bullets(material, selection) : render_prose(material, selection);
}

std::string join_paragraphs(std::initializer_list<std::string_view> parts) {
  std::string joined;
  for (const std::string_view part : parts) {
    if (trim(part).empty()) continue;
    if (!joined.empty()) joined += "\n\n";
    joined += part;
  }
  return joined;
}

// The last question of the turns before, which "And why?" goes on with.
std::string last_question(std::string_view context) {
  const std::vector<Sentence> sentences = split_sentences(context);
  for (auto at = sentences.rbegin(); at != sentences.rend(); ++at) {
    if (at->in(context).ends_with('?')) return plain_text(context, *at);
  }
  return {};
}

std::string introduction_for(const Ask& ask) {
  if (ask.task == AskTask::introduce) return std::string(kIntroduction);
  return std::string(kNoMaterial) + " " + std::string(kIntroduction);
}

// Text first, quotes beside it for the JSON form.
ExtractFindings find_answer(const Material& material, const std::string& question, const Ask& ask) {
  if (ask.task == AskTask::introduce || material.empty()) return {introduction_for(ask), {}, false};
  // "What does it say?" and "Explain this." name no topic: the whole text is meant. "Why?" means what nobody
  // can know.
  const bool is_about_all = topic_terms(question).empty() && ask.kind != AnswerKind::reason;
  const Selection selection = ask.task == AskTask::summarise || is_about_all
                                  ? select_summary(material, question, ask)
                                  : select_answer(material, question, ask);
  if (selection.sentences.empty()) return {std::string(kNotFound), {}, false};
  ExtractFindings findings{{}, {}, true};
  for (const size_t i : selection.sentences) findings.quotes.push_back(material.plain(i));
  const auto span_kind = ask.wants_span ? span_kind_of(ask.kind) : std::nullopt;
  if (span_kind) {
    const std::string best = material.plain(selection.best);
    if (const auto span = find_span(best, *span_kind, topic_terms(question))) {
      findings.text = *span;
      return findings;
    }
  }
  findings.text = render(material, selection, ask);
  return findings;
}

// Ends the answer before the first stop sequence in it.
void apply_stop_sequences(const ExtractRequest& request, ExtractAnswer& answer) {
  size_t first = answer.text.npos;
  for (const std::string& stop : request.stop_sequences) {
    const size_t at = stop.empty() ? answer.text.npos : answer.text.find(stop);
    if (at >= first) continue;
    first = at;
    answer.stop_sequence = stop;
  }
  if (first == answer.text.npos) return;
  answer.text.resize(first);
  answer.stop_reason = ExtractStop::stop_sequence;
}

// The longest prefix of whole characters with at most `tokens_max` tokens.
std::string_view cut_to_tokens(std::string_view text, int64_t tokens_max) {
  size_t end = 0;
  for (const std::string_view piece : split_pieces(kTokenizer, text)) {
    const auto tokens = encode_tokens(kTokenizer, piece);
    if (static_cast<int64_t>(tokens.size()) <= tokens_max) {
      tokens_max -= static_cast<int64_t>(tokens.size());
      end += piece.size();
      continue;
    }
    const std::span<const uint32_t> kept(tokens.data(),
                                         static_cast<size_t>(std::max<int64_t>(tokens_max, 0)));
    size_t inside = decode_tokens(kTokenizer, kept).size();
    while (inside > 0 && (static_cast<uint8_t>(piece[inside]) & 0xc0) == 0x80) --inside;
    return text.substr(0, end + inside);
  }
  return text;
}

void apply_max_tokens(const ExtractRequest& request, ExtractAnswer& answer) {
  if (!request.max_tokens) return;
  const std::string_view kept = cut_to_tokens(answer.text, *request.max_tokens);
  if (kept.size() == answer.text.size()) return;
  answer.text.resize(kept.size());
  answer.stop_reason = ExtractStop::max_tokens;
  answer.stop_sequence.clear();
}

}  // namespace

ExtractAnswer extract(const ExtractRequest& request) {
  const Prompt prompt = split_prompt(request.question);
  const Prompt instructions = split_instructions(request.instructions);
  Ask ask = read_ask(prompt.ask, instructions.ask);
  const std::string given = join_paragraphs({request.context, prompt.material});
  // What instructions state may answer a question, but is not what is to be summed up when there is something
  // else.
  const bool is_summary_of_given = ask.task == AskTask::summarise && !given.empty();
  const Material material(is_summary_of_given ? given : join_paragraphs({instructions.material, given}));

  std::string question = question_in(prompt.ask);
  if (topic_terms(question).empty() && ask.kind != AnswerKind::any) {
    question = last_question(request.context) + " " + question;
  }
  ExtractFindings findings = find_answer(material, question, ask);
  if (ask.task == AskTask::introduce && !material.empty()) {
    // "What can you do with a lock?" may be about the text after all.
    ask.task = AskTask::answer;
    ExtractFindings about_text = find_answer(material, question, ask);
    if (about_text.is_found) findings = std::move(about_text);
  }
  if (!findings.is_found && given.empty()) findings.text = introduction_for(ask);

  ExtractAnswer answer;
  switch (request.format) {
    case ExtractFormat::text:
      answer.text = std::move(findings.text);
      break;
    case ExtractFormat::json_object:
      answer.text = write_findings_json(findings);
      break;
    case ExtractFormat::json_schema: {
      auto filled = fill_schema(request.json_schema, material, findings);
      if (!filled) answer.stop_reason = ExtractStop::refusal;
      answer.text = filled ? *std::move(filled) : filled.error().message;
      break;
    }
  }
  apply_stop_sequences(request, answer);
  apply_max_tokens(request, answer);
  answer.input_tokens = count_input_tokens(request);
  answer.output_tokens = count_tokens(kTokenizer, answer.text);
  return answer;
}

int64_t count_input_tokens(const ExtractRequest& request) {
  int64_t tokens = 0;
  for (const std::string* part : {&request.instructions, &request.context, &request.question})
    tokens += count_tokens(kTokenizer, *part);
  return tokens;
}

std::vector<std::string_view> stream_chunks(std::string_view text) {
  return split_pieces(kTokenizer, text);
}

}  // namespace weir
