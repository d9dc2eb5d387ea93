// Citations of OpenAI are annotations: the same fields, nested in Chat Completions and flat in Responses,
// which has some for files too.
// https://platform.openai.com/docs/api-reference/responses/object#responses/object-output
#include "codec/citations.h"
#include "codec/openai_decode.h"

namespace weir {
namespace {

constexpr std::string_view kUrlCitation = "url_citation";
constexpr std::string_view kFileCitation = "file_citation";

void read_page(JsonValue fields, std::vector<Citation>& citations) {
  Citation& citation = citations.emplace_back();
  citation.url = fields["url"].string_or("");
  citation.title = fields["title"].string_or("");
  if (fields["start_index"]) citation.start = fields["start_index"].int_or(0);
  if (fields["end_index"]) citation.end = fields["end_index"].int_or(0);
}

void write_page(JsonWriter& json, const Citation& citation, CitedRange range) {
  json.key("url").value(citation.url).key("title").value(citation.title);
  json.key("start_index").value(citation.start.value_or(range.start));
  json.key("end_index").value(citation.end.value_or(range.end));
}

constexpr CitationParts kOfPages = {CitationPart::url, CitationPart::title, CitationPart::range};
constexpr CitationParts kOfFiles = {CitationPart::title, CitationPart::file, CitationPart::range};

}  // namespace

std::vector<std::string> openai_pages_beside(JsonValue root) {
  const bool has_titles = root["search_results"].size() > 0;
  std::vector<std::string> pages;
  for (const JsonValue page : has_titles ? root["search_results"] : root["citations"]) {
    const std::string_view url = has_titles ? page["url"].string_or("") : page.string_or("");
    if (url.empty()) continue;
    JsonWriter json(pages.emplace_back());
    json.begin_object().key("type").value(kUrlCitation).key(kUrlCitation).begin_object();
    json.key("url").value(url).key("title").value(page["title"].string_or("")).end_object().end_object();
  }
  return pages;
}

void read_openai_chat_citation(JsonValue raw, std::vector<Citation>& citations) {
  if (raw[kUrlCitation].is_object()) read_page(raw[kUrlCitation], citations);
}

void read_openai_responses_citation(JsonValue raw, std::vector<Citation>& citations) {
  if (raw["type"].string_or("") == kUrlCitation) return read_page(raw, citations);
  if (!raw["file_id"].is_string()) return;
  Citation& citation = citations.emplace_back();
  citation.file_id = raw["file_id"].string_or("");
  citation.title = raw["filename"].string_or("");
  const JsonValue place = raw["index"] ? raw["index"] : raw["start_index"];
  if (place) citation.start = place.int_or(0);
  if (place) citation.end = raw["end_index"] ? raw["end_index"].int_or(0) : place.int_or(0);
  if (raw["container_id"]) citation.unread.emplace_back("container_id");
}

CitationForm openai_chat_citation(const Citation& citation, CitedRange range) {
  if (citation.url.empty()) return {};
  CitationForm form{.holds = kOfPages};
  JsonWriter json(form.raw);
  json.begin_object().key("type").value(kUrlCitation).key(kUrlCitation).begin_object();
  write_page(json, citation, range);
  json.end_object().end_object();
  return form;
}

CitationForm openai_responses_citation(const Citation& citation, CitedRange range) {
  CitationForm form{.holds = citation.url.empty() ? kOfFiles : kOfPages};
  JsonWriter json(form.raw);
  if (!citation.url.empty()) {
    json.begin_object().key("type").value(kUrlCitation);
    write_page(json, citation, range);
    json.end_object();
  } else if (!citation.file_id.empty()) {
    json.begin_object().key("type").value(kFileCitation).key("file_id").value(citation.file_id);
    json.key("filename").value(citation.title);
    json.key("index").value(citation.end.value_or(range.end)).end_object();
  }
  return form;
}

}  // namespace weir
