#include "codec/openai_reasoning.h"

namespace weir {
namespace {

// Whose signatures and seals a format means. Those of other formats are tied to the account of the server
// between, or to calls.
constexpr std::string_view kSignedFormat = "anthropic-claude-v1";
constexpr Dialect kSigner = Dialect::anthropic_messages;

// Whether the element goes on with the text of the one before it: streams that a client has put together
// without joining their pieces.
bool continues(JsonValue element, JsonValue before, const ReasoningDetail& last) {
  if (!last.sealed.empty() || !last.signature.empty()) return false;
  if (element["type"].string_or("") != before["type"].string_or("")) return false;
  const bool has_index = element["index"].is_number() && before["index"].is_number();
  return has_index ? element["index"].int_or(0) == before["index"].int_or(0)
                   : element["text"].string_or("").empty() && !element["signature"].string_or("").empty();
}

}  // namespace

ReasoningDetail reasoning_detail(JsonValue element) {
  ReasoningDetail detail{.raw = element.raw()};
  const std::string_view type = element["type"].string_or("");
  if (type == "reasoning.text") {
    detail.text = element["text"].string_or("");
    detail.signature = element["signature"].string_or("");
  } else if (type == "reasoning.summary") {
    detail.text = element["summary"].string_or("");
  } else if (type == "reasoning.encrypted") {
    detail.sealed = element["data"].string_or("");
  }
  if (element["format"].string_or("") == kSignedFormat) detail.issuer = kSigner;
  return detail;
}

std::vector<ReasoningDetail> read_reasoning_details(JsonValue list) {
  std::vector<ReasoningDetail> details;
  JsonValue before;
  for (const JsonValue element : list) {
    ReasoningDetail detail = reasoning_detail(element);
    if (detail.text.empty() && detail.signature.empty() && detail.sealed.empty()) continue;
    if (!details.empty() && continues(element, before, details.back())) {
      details.back().text += detail.text;
      details.back().signature = std::move(detail.signature);
      if (detail.issuer) details.back().issuer = detail.issuer;
    } else {
      details.push_back(std::move(detail));
    }
    before = element;
  }
  return details;
}

BlockStart sealed_reasoning(const ReasoningDetail& detail) {
  if (detail.issuer) return {.kind = BlockKind::redacted_thinking, .data = detail.sealed};
  return {.kind = BlockKind::unknown, .data = std::string(detail.raw)};
}

void write_reasoning_details(JsonWriter& json, std::span<const Block* const> blocks) {
  json.begin_array();
  int64_t index = 0;
  for (const Block* block : blocks) {
    json.begin_object().key("type");
    if (const auto* redacted = std::get_if<RedactedThinkingBlock>(&block->body)) {
      json.value("reasoning.encrypted").key("data").value(redacted->data);
    } else {
      const auto& thought = std::get<ThinkingBlock>(block->body);
      json.value("reasoning.text").key("text").value(thought.text);
      json.key("signature").value(thought.signature);
    }
    json.key("format").value(kSignedFormat).key("index").value(index++).end_object();
  }
  json.end_array();
}

}  // namespace weir
