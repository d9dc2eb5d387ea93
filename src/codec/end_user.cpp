#include "codec/end_user.h"

#include <algorithm>
#include <vector>

#include "base/crypto.h"
#include "base/encoding.h"

namespace weir {
namespace {

std::vector<JsonValue> end_users(Dialect dialect, JsonValue body) {
  switch (dialect) {
    case Dialect::openai_chat:
    case Dialect::openai_responses:
      return {body["user"], body["safety_identifier"]};
    case Dialect::anthropic_messages:
    case Dialect::bedrock_invoke:
      return {body["metadata"]["user_id"]};
    case Dialect::bedrock_converse:  // has none: what a caller puts into requestMetadata is the caller's own
    case Dialect::gemini:
      break;
  }
  return {};
}

}  // namespace

std::string fitting_end_user(std::string_view id, size_t length_max, Fidelity& fidelity) {
  if (id.size() <= length_max) return std::string(id);
  fidelity.add(Severity::info, LossReason::emulated, "/user", "", "sha256");
  return sha256_hex(id);
}

std::string hidden_end_user(std::string_view id, const Secret& key) {
  return hex_encode(as_text(hmac_sha256(key.reveal(), id)));
}

void report_hidden_end_user(Fidelity& fidelity) {
  fidelity.add(Severity::info, LossReason::emulated, "/user", "", "hmac_sha256");
}

std::optional<std::string> with_hidden_end_user(Dialect dialect, const JsonDoc& body, const Secret& key) {
  std::vector<JsonValue> ids = end_users(dialect, body.root());
  std::erase_if(ids, [](const JsonValue& id) { return id.string_or("").empty(); });
  if (ids.empty()) return std::nullopt;
  std::ranges::sort(ids, {}, &JsonValue::offset);
  std::vector<std::string> texts;
  texts.reserve(ids.size());  // the edits point into it
  std::vector<JsonEdit> edits;
  for (const JsonValue& id : ids) {
    texts.push_back('"' + hidden_end_user(id.string_or(""), key) + '"');
    edits.push_back({.offset = id.offset(), .length = id.raw().size(), .text = texts.back()});
  }
  return splice(body.source(), edits);
}

}  // namespace weir
