// Ranking short texts by BM25, in memory. The formula is that of S. Robertson and H. Zaragoza, "The
// Probabilistic Relevance Framework: BM25 and Beyond" (2009), equation 3.15, with the inverse document
// frequency in the form that cannot be negative (Lucene's):
//
//   score(d, q) = sum over terms t of q:  qtf(t) * idf(t) * tf / (tf + k1 * (1 - b + b * length(d) / mean
//   length)) idf(t) = ln(1 + (N - n(t) + 0.5) / (n(t) + 0.5))
//
// with N texts, n(t) of which hold t; tf is how often t occurs in d, qtf how often in q.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weir {

struct Bm25Options {
  double k1 = 1.2;  // how soon repeating a term stops to count, >= 0
  double b = 0.75;  // how much long texts are held back, 0 to 1
};

struct Bm25Hit {
  uint32_t text = 0;  // in order of add(), from 0
  double score = 0;   // > 0
};

// Not synchronised: add everything, then share it for reading.
class Bm25Index {
 public:
  explicit Bm25Index(Bm25Options options = {}) : options_(options) {}

  // Adds a text given as its terms (search/terms.h) and returns its number. A text without terms counts as
  // one of length 0.
  uint32_t add(std::span<const std::string> terms);

  // The best `hits_max` texts that share a term with the query, best first, equals in order of add(). Linear
  // in the postings of the query's terms.
  std::vector<Bm25Hit> search(std::span<const std::string> query, size_t hits_max) const;

  size_t size() const { return lengths_.size(); }
  // All terms, sorted; views that live as long as the index and until the next add().
  std::vector<std::string_view> terms() const;
  // 0 < idf; the largest for a term that no text holds.
  double idf(std::string_view term) const;

 private:
  struct Posting {
    uint32_t text;
    uint32_t frequency;
  };
  struct TermHash {
    using is_transparent = void;
    size_t operator()(std::string_view term) const { return std::hash<std::string_view>()(term); }
  };

  const std::vector<Posting>* postings_of(std::string_view term) const;

  Bm25Options options_;
  std::unordered_map<std::string, uint32_t, TermHash, std::equal_to<>> term_numbers_;
  std::vector<std::vector<Posting>> postings_;  // by term number, each in order of texts
  std::vector<uint32_t> lengths_;               // in terms, by text
  uint64_t length_sum_ = 0;
};

}  // namespace weir
