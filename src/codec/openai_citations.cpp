#include "codec/openai_citations.h"

#include <array>

#include "codec/openai_decode.h"

namespace weir {
namespace {

constexpr std::string_view kUrlCitation = "url_citation";
constexpr std::array<std::string_view, 4> kFields = {"url", "title", "start_index", "end_index"};

void write_fields(JsonWriter& json, JsonValue citation) {
  for (const std::string_view field : kFields) {
    if (const JsonValue value = citation[field]) json.key(field).raw(value.raw());
  }
}

}  // namespace

std::string openai_chat_citation(Dialect dialect, std::string_view raw) {
  if (dialect == Dialect::openai_chat) return std::string(raw);
  if (dialect != Dialect::openai_responses) return {};
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(raw), kProviderJson);
  if (!parsed || parsed->root()["type"].string_or("") != kUrlCitation) return {};
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("type").value(kUrlCitation).key(kUrlCitation).begin_object();
  write_fields(json, parsed->root());
  json.end_object().end_object();
  return out;
}

std::string openai_responses_citation(Dialect dialect, std::string_view raw) {
  if (dialect == Dialect::openai_responses) return std::string(raw);
  if (dialect != Dialect::openai_chat) return {};
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(raw), kProviderJson);
  if (!parsed || !parsed->root()[kUrlCitation].is_object()) return {};
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("type").value(kUrlCitation);
  write_fields(json, parsed->root()[kUrlCitation]);
  json.end_object();
  return out;
}

}  // namespace weir
