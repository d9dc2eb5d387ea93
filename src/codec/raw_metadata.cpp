#include "codec/raw_metadata.h"

#include <fmt/core.h>

namespace weir {

void RawMetadata::keep_only(std::string_view name, std::vector<JsonEdit>& edits, Fidelity& fidelity) {
  if (!metadata_.is_object()) return;
  bool takes_out = false;
  for (const JsonValue member : metadata_) {
    if (member.key() == name) continue;
    takes_out = true;
    fidelity.add(Severity::info, LossReason::dropped, fmt::format("/metadata/{}", member.key()),
                 std::string(member.string_or(member.raw())));
  }
  if (!takes_out) return;
  std::string& text = texts_.emplace_front("{");
  if (const JsonValue kept = metadata_[name]) {
    append_json_string(text, name);
    text.append(":").append(kept.raw());
  }
  text += '}';
  edits.push_back({.offset = metadata_.offset(), .length = metadata_.raw().size(), .text = text});
}

void RawMetadata::make_texts(std::vector<JsonEdit>& edits, Fidelity& fidelity) {
  if (!metadata_.is_object()) return;
  for (const JsonValue member : metadata_) {
    if (member.is_string()) continue;
    append_json_string(texts_.emplace_front(), member.raw());
    edits.push_back({.offset = member.offset(), .length = member.raw().size(), .text = texts_.front()});
    fidelity.add(Severity::info, LossReason::coerced_string, fmt::format("/metadata/{}", member.key()),
                 std::string(member.raw()));
  }
}

}  // namespace weir
