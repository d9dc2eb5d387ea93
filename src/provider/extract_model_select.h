// Choosing the sentences of a text that answer a question, or that say what it is about.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "provider/extract_model_ask.h"
#include "search/bm25.h"
#include "search/sentences.h"

namespace weir {

// A text with what choosing needs: sentences, their terms, an index over them. Linear in the text to build.
class Material {
 public:
  explicit Material(std::string text);
  Material(const Material&) = delete;

  size_t size() const { return sentences_.size(); }
  bool empty() const { return sentences_.empty(); }
  const Sentence& sentence(size_t i) const { return sentences_[i]; }
  // As one would quote it, on one line (code and tables excepted).
  std::string plain(size_t i) const { return plain_text(text_, sentences_[i]); }
  const std::vector<std::string>& terms(size_t i) const { return terms_[i]; }
  const Bm25Index& index() const { return index_; }
  // The heading over a sentence; size() when there is none.
  size_t heading(size_t i) const { return headings_[i]; }
  // All terms of the text, sorted, each once.
  const std::vector<std::string_view>& vocabulary() const { return vocabulary_; }

 private:
  std::string text_;
  std::vector<Sentence> sentences_;
  std::vector<std::vector<std::string>> terms_;
  std::vector<size_t> headings_;
  Bm25Index index_;
  std::vector<std::string_view> vocabulary_;  // of index_
};

// Sentence numbers in the order of the text.
struct Selection {
  std::vector<size_t> sentences;
  size_t best = 0;      // the one that fits best; REQUIRES sentences not empty
  double coverage = 0;  // how much of the question the best sentence and its surroundings hold, 0 to 1
};

struct TopicTerm {
  std::string term;
  double weight = 1;  // less than 1: a word about asking ("tell", "text") or measuring ("how long")
};

// The terms of a question, each once, in order.
std::vector<TopicTerm> topic_of(std::string_view ask);
// Those of full weight: what the question is about.
std::vector<std::string> topic_terms(std::string_view ask);

// The sentences that answer; none when the text does not speak of what is asked.
Selection select_answer(const Material& material, std::string_view question, const Ask& ask);

// The sentences that say most of the text, or of what `topic` names if the text holds it.
Selection select_summary(const Material& material, std::string_view topic, const Ask& ask);

}  // namespace weir
