#include "gateway/metered_part.h"

#include <algorithm>

#include "llm/prompt_tokens.h"
#include "llm/tokens.h"

namespace weir {
namespace {

class MeteredPart final : public EventSource {
 public:
  MeteredPart(std::unique_ptr<EventSource> inner, Exchange& call) : inner_(std::move(inner)), call_(call) {}
  ~MeteredPart() override {
    if (!is_settled_) settle(false);
  }

  const AnswerHead& head() const override { return inner_->head(); }

  Result<const EventBatch*> take(Scope& scope) override {
    Result<const EventBatch*> batch = inner_->take(scope);
    if (is_missing(batch)) return batch;
    if (batch) {
      for (const Event& event : (*batch)->events) tap(event);
    } else {
      call_.note_failure(batch.error());
    }
    return batch;
  }

  Task<void> wait(Scope& scope) override { return inner_->wait(scope); }

 private:
  void tap(const Event& event) {
    has_content_ = has_content_ || is_content(event);
    if (const auto* delta = std::get_if<Delta>(&event)) {
      if (delta->kind == DeltaKind::content) content_bytes_ += delta->text.size();
    } else if (const auto* usage = std::get_if<UsageReport>(&event)) {
      reported_.set_from(usage->usage);
    } else if (std::holds_alternative<End>(event) && !is_settled_) {
      settle(true);
    }
  }

  // Of a call that said nothing nobody knows whether it did anything.
  void settle(bool is_complete) {
    is_settled_ = true;
    if (has_content_ || !reported_.empty())
      call_.spend(settled_usage(call_, reported_, content_bytes_, is_complete));
  }

  std::unique_ptr<EventSource> inner_;
  Exchange& call_;
  Usage reported_;
  size_t content_bytes_ = 0;
  bool has_content_ = false;
  bool is_settled_ = false;
};

// Anthropic's streams begin with a count of 1, and only their end tells the rest: of what broke off before it
// the text that came says more. Who told why the answer ended has counted to its end.
bool is_counted_to_its_end(const Exchange& exchange, const Usage& reported) {
  return !exchange.finish_reasons.empty() || reported.out_audio || reported.out_image;
}

// Texts to embed, where the provider does not count them (Gemini's API).
int64_t estimated_inputs(const Embed& embed) {
  int64_t sum = 0;
  for (const std::string_view text : embed.inputs) sum += estimate_tokens(text);
  for (const std::vector<int64_t>& ids : embed.token_inputs) sum += static_cast<int64_t>(ids.size());
  return sum;
}

}  // namespace

Usage settled_usage(const Exchange& exchange, Usage reported, size_t content_bytes, bool is_complete) {
  const Chat* chat = chat_of(exchange.sent());  // with the conversation before it
  const bool reports_output = reported.out_text || reported.out_reasoning;
  const int64_t estimate = estimate_tokens_of_bytes(content_bytes);
  const int64_t reasoning = reported.out_reasoning.value_or(0);
  // A stream that Weir left at a stop sequence may have reported its first tokens only.
  const bool is_early =
      reported.source == UsageSource::estimated && reported.out_text.value_or(0) + reasoning < estimate;
  if (chat && (!reports_output || is_early) && operation_of(exchange.request) != Operation::count_tokens) {
    if (!reported.in_uncached) reported.in_uncached = estimate_prompt_tokens(*chat, TokenizerKind::estimate);
    reported.out_text = estimate - reasoning;
    reported.source = is_complete ? UsageSource::estimated : UsageSource::partial;
  } else if (const auto* embed = std::get_if<Embed>(&exchange.sent());
             embed && is_complete && reported.empty()) {
    reported.in_uncached = estimated_inputs(*embed);
    reported.source = UsageSource::estimated;
  } else if (!is_complete && !reported.empty()) {
    if (chat && reports_output && !is_counted_to_its_end(exchange, reported)) {
      reported.out_text = std::max(reported.out_text.value_or(0), estimate - reasoning);
    }
    reported.source = UsageSource::partial;
  }
  return reported;
}

std::unique_ptr<EventSource> metered_part(std::unique_ptr<EventSource> inner, Exchange& call) {
  return std::make_unique<MeteredPart>(std::move(inner), call);
}

}  // namespace weir
