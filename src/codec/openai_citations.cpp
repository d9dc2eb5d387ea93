#include "codec/openai_citations.h"

#include "codec/citations.h"

namespace weir {
namespace {

constexpr std::string_view kUrlCitation = "url_citation";

void write_fields(JsonWriter& json, const Citation& citation, CitedRange range) {
  json.key("url").value(citation.url).key("title").value(citation.title);
  json.key("start_index").value(citation.start.value_or(range.start));
  json.key("end_index").value(citation.end.value_or(range.end));
}

void read_fields(JsonValue fields, std::vector<Citation>& citations) {
  Citation& citation = citations.emplace_back();
  citation.url = fields["url"].string_or("");
  citation.title = fields["title"].string_or("");
  if (fields["start_index"]) citation.start = fields["start_index"].int_or(0);
  if (fields["end_index"]) citation.end = fields["end_index"].int_or(0);
}

}  // namespace

void read_openai_chat_citation(JsonValue raw, std::vector<Citation>& citations) {
  read_fields(raw[kUrlCitation], citations);
}

void read_openai_responses_citation(JsonValue raw, std::vector<Citation>& citations) {
  if (raw["type"].string_or("") == kUrlCitation) read_fields(raw, citations);
}

std::vector<std::string> openai_chat_citations(Dialect dialect, std::string_view raw, CitedRange range) {
  std::vector<std::string> annotations;
  if (dialect == Dialect::openai_chat) return {std::string(raw)};
  for (const Citation& citation : read_citations(dialect, raw)) {
    JsonWriter json(annotations.emplace_back());
    json.begin_object().key("type").value(kUrlCitation).key(kUrlCitation).begin_object();
    write_fields(json, citation, range);
    json.end_object().end_object();
  }
  return annotations;
}

std::vector<std::string> openai_responses_citations(Dialect dialect, std::string_view raw, CitedRange range) {
  std::vector<std::string> annotations;
  if (dialect == Dialect::openai_responses) return {std::string(raw)};
  for (const Citation& citation : read_citations(dialect, raw)) {
    JsonWriter json(annotations.emplace_back());
    json.begin_object().key("type").value(kUrlCitation);
    write_fields(json, citation, range);
    json.end_object();
  }
  return annotations;
}

}  // namespace weir
