#include "codec/citations.h"

#include <array>

#include "codec/provider_json.h"

namespace weir {
namespace {

using Reader = void (*)(JsonValue raw, std::vector<Citation>& citations);
using Writer = CitationForm (*)(const Citation& citation, CitedRange range);
struct Vendor {
  Reader read;
  Writer write;
};

// By the order of the enum; InvokeModel passes on what the model behind it says.
constexpr std::array<Vendor, kDialectCount> kVendors = {{
    {&read_openai_chat_citation, &openai_chat_citation},
    {&read_openai_responses_citation, &openai_responses_citation},
    {&read_anthropic_citation, &anthropic_citation},
    {&read_converse_citation, &converse_citation},
    {&read_anthropic_citation, &anthropic_citation},
    {&read_gemini_citation, &gemini_citation},
}};

const Vendor& vendor(Dialect dialect) {
  return kVendors[static_cast<size_t>(dialect)];
}

// The parts in the words of reports, and whether a citation states them.
struct PartRow {
  CitationPart part;
  std::string_view name;
  bool (*is_stated)(const Citation& citation);
};
constexpr std::array<PartRow, 7> kCitationParts = {{
    {CitationPart::url, "url", [](const Citation& c) { return !c.url.empty(); }},
    {CitationPart::title, "title", [](const Citation& c) { return !c.title.empty(); }},
    {CitationPart::quote, "cited_text", [](const Citation& c) { return !c.quote.empty(); }},
    {CitationPart::file, "file_id", [](const Citation& c) { return !c.file_id.empty(); }},
    {CitationPart::index, "index", [](const Citation& c) { return c.document || c.search_result; }},
    {CitationPart::place, "location", [](const Citation& c) { return c.unit != CitedUnit::none; }},
    {CitationPart::range, "range", [](const Citation& c) { return c.start || c.end; }},
}};

std::string_view kind_of(const Citation& citation) {
  if (citation.document) return "document";
  if (citation.search_result) return "search_result";
  if (!citation.url.empty()) return "url";
  return citation.file_id.empty() ? "citation" : "file";
}

void report(const Citation& citation, const CitationForm& form, Fidelity& losses) {
  if (form.raw.empty()) {
    losses.add(Severity::warning, LossReason::dropped, std::string(kAnswerCitations),
               std::string(kind_of(citation)));
    return;
  }
  const auto lose = [&](std::string_view what) {
    losses.add(Severity::info, LossReason::dropped, std::string(kAnswerCitations), std::string(what));
  };
  for (const PartRow& row : kCitationParts) {
    if (row.is_stated(citation) && !form.holds.has(row.part)) lose(row.name);
  }
  for (const std::string_view what : citation.unread) lose(what);
}

}  // namespace

std::vector<Citation> read_citations(Dialect dialect, std::string_view raw) {
  std::vector<Citation> citations;
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(raw), kProviderJson);
  if (parsed && parsed->root().is_object()) vendor(dialect).read(parsed->root(), citations);
  return citations;
}

CitationForms cite(Dialect client, Dialect source, std::string_view raw, CitedRange range) {
  CitationForms forms;
  if (vendor(client).read == vendor(source).read) {
    forms.raw.emplace_back(raw);
    return forms;
  }
  const std::vector<Citation> citations = read_citations(source, raw);
  for (const Citation& citation : citations) {
    CitationForm form = vendor(client).write(citation, range);
    report(citation, form, forms.losses);
    if (!form.raw.empty()) forms.raw.push_back(std::move(form.raw));
  }
  if (citations.empty()) report({}, {}, forms.losses);
  return forms;
}

std::vector<std::string> citation_forms(Dialect client, const AnswerBlock& block, CitedRange range) {
  std::vector<std::string> all;
  for (const std::string& raw : block.citations) {
    for (std::string& form : cite(client, block.dialect, raw, range).raw) all.push_back(std::move(form));
  }
  return all;
}

std::string renumber_citation(JsonValue citation, JsonValue number, const std::vector<int64_t>& documents) {
  std::string raw(citation.raw());
  const int64_t sent = number.int_or(-1);
  if (sent < 0 || sent >= static_cast<int64_t>(documents.size())) return raw;
  return raw.replace(number.offset() - citation.offset(), number.raw().size(),
                     std::to_string(documents[static_cast<size_t>(sent)]));
}

bool has_made_citation(JsonValue citations, bool (*is_made)(JsonValue citation)) {
  for (const JsonValue citation : citations) {
    if (is_made(citation)) return true;
  }
  return false;
}

}  // namespace weir
