#include "codec/search_results.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace weir {

std::optional<SearchResult> read_search_result(JsonValue body) {
  if (!body["title"].is_string() || !body["source"].is_string() || !body["content"].is_array()) return {};
  SearchResult result{.title = std::string(body["title"].string_or("")),
                      .source = std::string(body["source"].string_or("")),
                      .texts = {},
                      .wants_citations = body["citations"]["enabled"].bool_or(false)};
  for (const JsonValue part : body["content"]) {
    if (!part["text"].is_string()) return {};
    result.texts.emplace_back(part["text"].string_or(""));
  }
  if (result.texts.empty()) return {};
  return result;
}

TextBlock search_result_text(const SearchResult& result, Arena& arena) {
  return {
      arena.keep(fmt::format("{}\n{}\n\n{}", result.title, result.source, fmt::join(result.texts, "\n")))};
}

bool is_search_result(const Block& block) {
  return block.own && (block.own->type == kAnthropicSearchResult || block.own->type == kConverseSearchResult);
}

std::optional<SearchResult> search_result_of(const Block& block) {
  if (!is_search_result(block)) return {};
  const Result<JsonDoc> doc = JsonDoc::parse(std::string(block.own->raw.text));
  if (!doc) return {};
  const JsonValue nested = doc->root()[kConverseSearchResult];
  return read_search_result(nested ? nested : doc->root());
}

}  // namespace weir
