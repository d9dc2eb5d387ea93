// Citations of Gemini: https://ai.google.dev/api/generate-content, CitationSource and GroundingMetadata, in
// the form that the decoder of answers gives them: {"citationSource"}, {"groundingMetadata"},
// {"urlContextMetadata"}. One made for another vendor's document is a chunk with its support,
// {"groundingChunk", "segment"}, of which gemini_encode.cpp makes one groundingMetadata.
#include <algorithm>
#include <array>

#include "codec/citations.h"
#include "codec/provider_json.h"

namespace weir {
namespace {

// The kinds of GroundingChunk that name a source.
constexpr std::array<std::string_view, 3> kChunkKinds = {"web", "retrievedContext", "maps"};

void read_source(JsonValue source, std::vector<Citation>& citations) {
  Citation& citation = citations.emplace_back();
  citation.url = source["uri"].string_or("");
  citation.title = source["title"].string_or("");
  // Segments are counted in bytes of UTF-8: only who has the text could find the characters.
  if (source["endIndex"]) citation.unread.emplace_back("range");
  if (source["license"].is_string()) citation.unread.emplace_back("license");
}

void read_chunk(JsonValue from, JsonValue grounding, std::vector<Citation>& citations) {
  Citation& citation = citations.emplace_back();
  citation.url = from["uri"].string_or("");
  citation.title = from["title"].string_or("");
  citation.quote = from["text"].string_or("");
  if (grounding["groundingSupports"].size() > 0) citation.unread.emplace_back("range");
  for (const std::string_view key : {"webSearchQueries", "searchEntryPoint"}) {
    if (grounding[key]) citation.unread.push_back(key);
  }
  const JsonValue rag = from["ragChunk"];
  if (citation.quote.empty()) citation.quote = rag["text"].string_or("");
  const JsonValue pages = rag["pageSpan"];
  if (!pages) return;
  citation.unit = CitedUnit::pages;
  citation.from = count_of(pages["firstPage"]).value_or(1);
  citation.to = count_of(pages["lastPage"]).value_or(citation.from) + 1;
}

CitationForm page_form(const Citation& citation, CitedRange range) {
  CitationForm form{.holds = {CitationPart::url, CitationPart::title}};
  JsonWriter json(form.raw);
  json.begin_object().key("citationSource").begin_object();
  if (range.end > range.start) json.key("startIndex").value(range.start).key("endIndex").value(range.end);
  json.key("uri").value(citation.url);
  if (!citation.title.empty()) json.key("title").value(citation.title);
  json.end_object().end_object();
  return form;
}

void write_segment(JsonWriter& json, CitedRange range) {
  json.key("segment").begin_object();
  if (range.part) json.key("partIndex").value(*range.part);
  json.key("startIndex").value(range.start - range.part_start);
  json.key("endIndex").value(range.end - range.part_start).end_object();
}

CitationForm document_form(const Citation& citation, CitedRange range) {
  const bool has_pages = citation.unit == CitedUnit::pages;
  CitationForm form{.holds = {CitationPart::url, CitationPart::title, CitationPart::quote}};
  if (has_pages)
    form.holds = {CitationPart::url, CitationPart::title, CitationPart::quote, CitationPart::place};
  JsonWriter json(form.raw);
  json.begin_object().key("groundingChunk").begin_object().key("retrievedContext").begin_object();
  if (!citation.url.empty()) json.key("uri").value(citation.url);
  if (!citation.title.empty()) json.key("title").value(citation.title);
  json.key("text").value(citation.quote);
  if (has_pages) {
    json.key("ragChunk").begin_object().key("text").value(citation.quote);
    json.key("pageSpan").begin_object().key("firstPage").value(citation.from);
    // Here the last page is one of them.
    json.key("lastPage").value(std::max(citation.from, citation.to - 1)).end_object().end_object();
  }
  json.end_object().end_object();
  write_segment(json, range);
  json.end_object();
  return form;
}

}  // namespace

void read_gemini_citation(JsonValue raw, std::vector<Citation>& citations) {
  if (const JsonValue source = raw["citationSource"]) read_source(source, citations);
  const JsonValue grounding = raw["groundingMetadata"];
  for (const JsonValue chunk : grounding["groundingChunks"]) {
    for (const std::string_view kind : kChunkKinds) {
      if (const JsonValue from = chunk[kind]; from.is_object()) read_chunk(from, grounding, citations);
    }
  }
}

CitationForm gemini_citation(const Citation& citation, CitedRange range) {
  const bool is_page = !citation.url.empty() && !citation.search_result;
  if (is_page) return page_form(citation, range);
  const bool says_what = !citation.title.empty() || !citation.quote.empty() || !citation.url.empty();
  return says_what ? document_form(citation, range) : CitationForm{};
}

}  // namespace weir
