// Citations of OpenAI are annotations: the same fields, nested in Chat Completions and flat in Responses,
// which has some for files too. Chat Completions counts in the content, which is all texts joined; Responses
// in each part. https://platform.openai.com/docs/api-reference/responses/object#responses/object-output
#include <algorithm>

#include "codec/citations.h"

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

// What it cites: of all texts joined, if `range` says where its block stands in them.
CitedRange cited_text(const Citation& citation, CitedRange range) {
  const int64_t from = citation.counts_all_text ? 0 : range.start;
  if (citation.end) range.end = from + *citation.end;
  if (citation.start) range.start = from + *citation.start;
  return range;
}

// The same within its part. One that came late, with a later text than it cites, is at the beginning.
CitedRange cited_of_part(const Citation& citation, CitedRange range) {
  const CitedRange cited = cited_text(citation, range);
  return {.start = std::max<int64_t>(0, cited.start - range.part_start),
          .end = std::max<int64_t>(0, cited.end - range.part_start)};
}

void write_page(JsonWriter& json, const Citation& citation, CitedRange cited) {
  json.key("url").value(citation.url).key("title").value(citation.title);
  json.key("start_index").value(cited.start).key("end_index").value(cited.end);
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
  if (!raw[kUrlCitation].is_object()) return;
  read_page(raw[kUrlCitation], citations);
  citations.back().counts_all_text = true;
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
  write_page(json, citation, cited_text(citation, range));
  json.end_object().end_object();
  return form;
}

CitationForm openai_responses_citation(const Citation& citation, CitedRange range) {
  CitationForm form{.holds = citation.url.empty() ? kOfFiles : kOfPages};
  JsonWriter json(form.raw);
  if (!citation.url.empty()) {
    json.begin_object().key("type").value(kUrlCitation);
    write_page(json, citation, cited_of_part(citation, range));
    json.end_object();
  } else if (!citation.file_id.empty()) {
    json.begin_object().key("type").value(kFileCitation).key("file_id").value(citation.file_id);
    json.key("filename").value(citation.title);
    json.key("index").value(cited_of_part(citation, range).end).end_object();
  }
  return form;
}

}  // namespace weir
