#include "codec/citations.h"

#include <algorithm>
#include <array>

#include "codec/openai_decode.h"
#include "codec/provider_json.h"

namespace weir {
namespace {

using Reader = void (*)(JsonValue raw, std::vector<Citation>& citations);

// By the order of the enum; InvokeModel passes on what the model behind it says.
constexpr std::array<Reader, kDialectCount> kReaders = {
    &read_openai_chat_citation, &read_openai_responses_citation, &read_anthropic_citation,
    &read_converse_citation,    &read_anthropic_citation,        &read_gemini_citation,
};

}  // namespace

std::vector<Citation> read_citations(Dialect dialect, std::string_view raw) {
  std::vector<Citation> citations;
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(raw), kProviderJson);
  if (parsed && parsed->root().is_object()) kReaders[static_cast<size_t>(dialect)](parsed->root(), citations);
  std::erase_if(citations, [](const Citation& citation) { return citation.url.empty(); });
  return citations;
}

int64_t characters(std::string_view utf8) {
  return std::ranges::count_if(utf8, [](char byte) { return (byte & 0xC0) != 0x80; });
}

// https://platform.claude.com/docs/en/build-with-claude/citations, and of web search and search results
void read_anthropic_citation(JsonValue raw, std::vector<Citation>& citations) {
  const JsonValue url = raw["url"] ? raw["url"] : raw["source"];
  citations.push_back(
      {.url = std::string(url.string_or("")), .title = std::string(raw["title"].string_or(""))});
}

// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Citation.html
void read_converse_citation(JsonValue raw, std::vector<Citation>& citations) {
  citations.push_back({.url = std::string(raw["location"]["web"]["url"].string_or("")),
                       .title = std::string(raw["title"].string_or(""))});
}

// https://ai.google.dev/api/generate-content: CitationSource and GroundingMetadata. Segments are counted in
// bytes of UTF-8, so only their text could be found again: they name no place here.
void read_gemini_citation(JsonValue raw, std::vector<Citation>& citations) {
  if (const JsonValue source = raw["citationSource"]) {
    citations.push_back({.url = std::string(source["uri"].string_or("")),
                         .title = std::string(source["title"].string_or(""))});
  }
  for (const JsonValue chunk : raw["groundingMetadata"]["groundingChunks"]) {
    for (const std::string_view kind : {"web", "retrievedContext", "maps"}) {
      if (const JsonValue from = chunk[kind]; from.is_object()) {
        citations.push_back({.url = std::string(from["uri"].string_or("")),
                             .title = std::string(from["title"].string_or(""))});
      }
    }
  }
}

}  // namespace weir
