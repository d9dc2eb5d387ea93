// Citations of Bedrock's Converse:
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Citation.html The deltas of a stream
// have the same members. They belong to the whole of their text block.
#include <fmt/core.h>

#include "codec/citations.h"

namespace weir {
namespace {

struct PlaceRow {
  CitedUnit unit;
  std::string_view member;
};
constexpr PlaceRow kPlaces[] = {
    {CitedUnit::characters, "documentChar"},
    {CitedUnit::pages, "documentPage"},
    {CitedUnit::blocks, "documentChunk"},
};
constexpr std::string_view kDocument = "documentIndex";
constexpr std::string_view kResultPlace = "searchResultLocation";
constexpr std::string_view kResult = "searchResultIndex";

void read_place(JsonValue place, CitedUnit unit, Citation& citation) {
  citation.unit = unit;
  citation.from = place["start"].int_or(0);
  citation.to = place["end"].int_or(citation.from);
}

void write_place(JsonWriter& json, std::string_view member, std::string_view index, int64_t at,
                 const Citation& citation) {
  json.key("location").begin_object().key(member).begin_object().key(index).value(at);
  json.key("start").value(citation.from).key("end").value(citation.to).end_object().end_object();
}

void write_location(JsonWriter& json, const Citation& citation) {
  if (citation.search_result) {
    json.key("source").value(citation.url);
    return write_place(json, kResultPlace, kResult, *citation.search_result, citation);
  }
  if (citation.document) {
    for (const PlaceRow& row : kPlaces) {
      if (row.unit == citation.unit) write_place(json, row.member, kDocument, *citation.document, citation);
    }
    return;
  }
  if (citation.url.empty()) {
    json.key("source").value(fmt::format("{}:{}", kMadeByWeir, citation.file_id));
    return;
  }
  json.key("source").value(kMadeByWeir);
  json.key("location").begin_object().key("web").begin_object();
  json.key("url").value(citation.url).end_object().end_object();
}

CitationParts parts_of(const Citation& citation) {
  if (citation.document) {
    if (citation.unit == CitedUnit::none) return {CitationPart::title, CitationPart::quote};
    return {CitationPart::title, CitationPart::quote, CitationPart::index, CitationPart::place};
  }
  if (citation.search_result)
    return {CitationPart::url, CitationPart::title, CitationPart::quote, CitationPart::index,
            CitationPart::place};
  if (citation.url.empty()) return {CitationPart::title, CitationPart::quote, CitationPart::file};
  return {CitationPart::url, CitationPart::title, CitationPart::quote};
}

}  // namespace

void read_converse_citation(JsonValue raw, std::vector<Citation>& citations) {
  Citation& citation = citations.emplace_back();
  citation.title = raw["title"].string_or("");
  for (const JsonValue part : raw["sourceContent"]) citation.quote += part["text"].string_or("");
  const JsonValue location = raw["location"];
  if (const JsonValue result = location[kResultPlace]) {
    citation.search_result = result[kResult].int_or(0);
    read_place(result, CitedUnit::blocks, citation);
    citation.url = raw["source"].string_or("");
    return;
  }
  citation.url = location["web"]["url"].string_or("");
  for (const PlaceRow& row : kPlaces) {
    const JsonValue place = location[row.member];
    if (!place) continue;
    citation.document = place[kDocument].int_or(0);
    read_place(place, row.unit, citation);
  }
}

CitationForm converse_citation(const Citation& citation, CitedRange) {
  const bool says_nothing = citation.url.empty() && citation.title.empty() && citation.quote.empty() &&
                            citation.file_id.empty() && !citation.document;
  if (says_nothing) return {};
  CitationForm form{.holds = parts_of(citation)};
  JsonWriter json(form.raw);
  json.begin_object();
  if (!citation.title.empty()) json.key("title").value(citation.title);
  if (!citation.quote.empty()) {
    json.key("sourceContent").begin_array().begin_object().key("text").value(citation.quote);
    json.end_object().end_array();
  }
  write_location(json, citation);
  json.end_object();
  return form;
}

std::string renumber_converse_citation(JsonValue citation, const std::vector<int64_t>& documents) {
  JsonValue number;
  for (const PlaceRow& row : kPlaces) {
    if (const JsonValue place = citation["location"][row.member]) number = place[kDocument];
  }
  return renumber_citation(citation, number, documents);
}

bool is_converse_citation_made(JsonValue citation) {
  const std::string_view source = citation["source"].string_or("");
  return source == kMadeByWeir || source.starts_with(fmt::format("{}:", kMadeByWeir));
}

}  // namespace weir
