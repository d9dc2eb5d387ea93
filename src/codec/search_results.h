// Results of a search that the caller made, which a model may cite: blocks of two dialects, and a text of
// title, source and words for all others. In the IR they are that text, with the block as their own form.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "llm/chat.h"

namespace weir {

struct SearchResult {
  std::string title{};
  std::string source{};
  std::vector<std::string> texts{};
  bool wants_citations = false;
};

// What the members of both dialects' blocks say; nothing where one is missing, or holds more than text.
std::optional<SearchResult> read_search_result(JsonValue body);
// The text that stands for it.
TextBlock search_result_text(const SearchResult& result, Arena& arena);

inline constexpr std::string_view kAnthropicSearchResult = "search_result";
inline constexpr std::string_view kConverseSearchResult = "searchResult";

// Whether the block is one, by its own form.
bool is_search_result(const Block& block);
// What it said. Nothing for other blocks.
std::optional<SearchResult> search_result_of(const Block& block);

}  // namespace weir
