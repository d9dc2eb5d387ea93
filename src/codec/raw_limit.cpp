#include "codec/raw_limit.h"

#include <algorithm>

#include "codec/anthropic_encode.h"

namespace weir {
namespace {

// A beta of Anthropic's may raise what the model gives ("output-128k-2025-02-19").
bool has_longer_output(const Chat& chat) {
  return std::ranges::any_of(chat.extras, [](const ExtraField& extra) {
    return extra.key == kAnthropicBeta && extra.raw.text.find("output-") != std::string_view::npos;
  });
}

}  // namespace

RawLimit::RawLimit(const Request& request, const TargetModel& target) {
  const Chat* chat = chat_of(request);
  const std::optional<int64_t>& most = target.capabilities->output_max;
  is_over_ = chat && most && chat->max_tokens && *chat->max_tokens > *most && !has_longer_output(*chat);
  if (is_over_) most_ = *most;
}

void RawLimit::clamp(JsonValue stated, std::vector<JsonEdit>& edits, Fidelity& fidelity) {
  const int64_t asked = stated.int_or(0);
  if (asked <= most_) return;
  if (text_.empty()) text_ = std::to_string(most_);
  edits.push_back({.offset = stated.offset(), .length = stated.raw().size(), .text = text_});
  fidelity.add(Severity::info, LossReason::clamped, "/max_tokens", std::to_string(asked), text_);
}

}  // namespace weir
