#include "search/bm25.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace weir {

uint32_t Bm25Index::add(std::span<const std::string> terms) {
  const auto text = static_cast<uint32_t>(lengths_.size());
  lengths_.push_back(static_cast<uint32_t>(terms.size()));
  length_sum_ += terms.size();
  for (const std::string& term : terms) {
    const auto number =
        term_numbers_.try_emplace(term, static_cast<uint32_t>(postings_.size())).first->second;
    if (number == postings_.size()) postings_.emplace_back();
    std::vector<Posting>& postings = postings_[number];
    if (postings.empty() || postings.back().text != text) postings.push_back({text, 0});
    ++postings.back().frequency;
  }
  return text;
}

const std::vector<Bm25Index::Posting>* Bm25Index::postings_of(std::string_view term) const {
  const auto found = term_numbers_.find(term);
  return found == term_numbers_.end() ? nullptr : &postings_[found->second];
}

std::vector<std::string_view> Bm25Index::terms() const {
  std::vector<std::string_view> sorted;
  sorted.reserve(term_numbers_.size());
  for (const auto& [term, number] : term_numbers_) sorted.push_back(term);
  std::ranges::sort(sorted);
  return sorted;
}

double Bm25Index::idf(std::string_view term) const {
  const auto* postings = postings_of(term);
  const auto holders = postings == nullptr ? 0.0 : static_cast<double>(postings->size());
  return std::log(1 + (static_cast<double>(size()) - holders + 0.5) / (holders + 0.5));
}

std::vector<Bm25Hit> Bm25Index::search(std::span<const std::string> query, size_t hits_max) const {
  std::map<std::string_view, uint32_t> query_frequency;  // ordered, so that sums do not depend on hashing
  for (const std::string& term : query) ++query_frequency[term];
  std::vector<double> scores(size(), 0.0);
  const double mean =
      std::max(1.0, static_cast<double>(length_sum_) / std::max<double>(1, static_cast<double>(size())));
  for (const auto& [term, frequency] : query_frequency) {
    const auto* postings = postings_of(term);
    if (postings == nullptr) continue;
    const double weight = frequency * idf(term);
    for (const Posting& posting : *postings) {
      const double norm = 1 - options_.b + options_.b * lengths_[posting.text] / mean;
      scores[posting.text] += weight * posting.frequency / (posting.frequency + options_.k1 * norm);
    }
  }
  std::vector<Bm25Hit> hits;
  for (uint32_t text = 0; text < scores.size(); ++text) {
    if (scores[text] > 0) hits.push_back({text, scores[text]});
  }
  const auto better = [](const Bm25Hit& x, const Bm25Hit& y) {
    return x.score != y.score ? x.score > y.score : x.text < y.text;
  };
  const size_t kept = std::min(hits_max, hits.size());
  std::partial_sort(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(kept), hits.end(), better);
  hits.resize(kept);
  return hits;
}

}  // namespace weir
