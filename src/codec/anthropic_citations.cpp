// Citations of Anthropic: https://platform.claude.com/docs/en/build-with-claude/citations, of web search and
// of search results. They belong to the whole of their text block.
#include "codec/citations.h"

namespace weir {
namespace {

constexpr std::string_view kWebPage = "web_search_result_location";
constexpr std::string_view kSearchResult = "search_result_location";
constexpr std::string_view kEncryptedIndex = "encrypted_index";

// The forms of documents, and their members.
struct PlaceRow {
  CitedUnit unit;
  std::string_view type;
  std::string_view from;
  std::string_view to;
};
constexpr PlaceRow kPlaces[] = {
    {CitedUnit::characters, "char_location", "start_char_index", "end_char_index"},
    {CitedUnit::pages, "page_location", "start_page_number", "end_page_number"},
    {CitedUnit::blocks, "content_block_location", "start_block_index", "end_block_index"},
};
constexpr PlaceRow kResultPlace = {CitedUnit::blocks, kSearchResult, "start_block_index", "end_block_index"};

void read_place(JsonValue raw, const PlaceRow& row, Citation& citation) {
  citation.unit = row.unit;
  citation.from = raw[row.from].int_or(0);
  citation.to = raw[row.to].int_or(citation.from);
}

void write_title(JsonWriter& json, std::string_view key, const std::string& title) {
  json.key(key);
  title.empty() ? json.null() : json.value(title);
}

void write_place(JsonWriter& json, const PlaceRow& row, const Citation& citation) {
  json.key(row.from).value(citation.from).key(row.to).value(citation.to);
}

CitationForm document_form(const Citation& citation, const PlaceRow& row) {
  CitationForm form{.holds = {CitationPart::title, CitationPart::quote, CitationPart::file,
                              CitationPart::index, CitationPart::place}};
  JsonWriter json(form.raw);
  json.begin_object().key("type").value(row.type).key("cited_text").value(citation.quote);
  json.key("document_index").value(*citation.document);
  write_title(json, "document_title", citation.title);
  json.key("file_id");
  citation.file_id.empty() ? json.null() : json.value(citation.file_id);
  write_place(json, row, citation);
  json.end_object();
  return form;
}

CitationForm result_form(const Citation& citation) {
  CitationForm form{.holds = {CitationPart::url, CitationPart::title, CitationPart::quote,
                              CitationPart::index, CitationPart::place}};
  JsonWriter json(form.raw);
  json.begin_object().key("type").value(kSearchResult).key("cited_text").value(citation.quote);
  json.key("search_result_index").value(*citation.search_result).key("source").value(citation.url);
  write_title(json, "title", citation.title);
  write_place(json, kResultPlace, citation);
  json.end_object();
  return form;
}

CitationForm page_form(const Citation& citation) {
  CitationForm form{.holds = {CitationPart::url, CitationPart::title, CitationPart::quote}};
  JsonWriter json(form.raw);
  json.begin_object().key("type").value(kWebPage).key("cited_text").value(citation.quote);
  json.key(kEncryptedIndex).value(kMadeByWeir);
  write_title(json, "title", citation.title);
  json.key("url").value(citation.url).end_object();
  return form;
}

}  // namespace

void read_anthropic_citation(JsonValue raw, std::vector<Citation>& citations) {
  Citation& citation = citations.emplace_back();
  const std::string_view type = raw["type"].string_or("");
  citation.quote = raw["cited_text"].string_or("");
  for (const PlaceRow& row : kPlaces) {
    if (type != row.type) continue;
    citation.title = raw["document_title"].string_or("");
    citation.file_id = raw["file_id"].string_or("");
    citation.document = raw["document_index"].int_or(0);
    read_place(raw, row, citation);
    return;
  }
  citation.title = raw["title"].string_or("");
  citation.url = raw["url"] ? raw["url"].string_or("") : raw["source"].string_or("");
  if (type != kSearchResult) return;
  citation.search_result = raw["search_result_index"].int_or(0);
  read_place(raw, kResultPlace, citation);
}

CitationForm anthropic_citation(const Citation& citation, CitedRange) {
  if (citation.document) {
    for (const PlaceRow& row : kPlaces) {
      if (row.unit == citation.unit) return document_form(citation, row);
    }
    return {};
  }
  if (citation.url.empty()) return {};
  return citation.search_result ? result_form(citation) : page_form(citation);
}

std::string renumber_anthropic_citation(JsonValue citation, const std::vector<int64_t>& documents) {
  return renumber_citation(citation, citation["document_index"], documents);
}

bool is_anthropic_citation_made(JsonValue citation) {
  return citation[kEncryptedIndex].string_or("") == kMadeByWeir;
}

}  // namespace weir
