#include "gateway/kept_answer.h"

#include "base/limits.h"
#include "gateway/kept_turns.h"
#include "gateway/stored_responses.h"
#include "gateway/turn_keys.h"
#include "llm/answer.h"

namespace weir {
namespace {

class KeptSource final : public EventSource {
 public:
  KeptSource(Exchange& exchange, std::unique_ptr<EventSource> inner, AnswerKeepers keepers)
      : exchange_(exchange), inner_(std::move(inner)), keepers_(keepers) {}

  const AnswerHead& head() const override { return inner_->head(); }

  Result<const EventBatch*> take(Scope& scope) override {
    const EventBatch* batch = TRY(inner_->take(scope));
    if (!batch) return nullptr;
    if (keepers_.responses && batch->is_raw) add_raw(batch->raw);
    for (const Event& event : batch->events) {
      if (keepers_.turns) turns_.add(event);
      if (keepers_.responses && !batch->is_raw) add_to_answer(event);
      if (std::holds_alternative<End>(event)) keep();
    }
    return batch;
  }

  Task<void> wait(Scope& scope) override { return inner_->wait(scope); }

 private:
  void add_raw(std::string_view bytes) {
    if (raw_.size() + bytes.size() > kStoredResponseBytesMax) keepers_.responses = nullptr;
    raw_ += bytes;
  }

  void add_to_answer(const Event& event) {
    if (const auto* delta = std::get_if<Delta>(&event)) bytes_ += delta->text.size();
    if (bytes_ > kStoredResponseBytesMax) keepers_.responses = nullptr;
    answer_.add(event);
  }

  void keep() {
    if (keepers_.turns) {
      for (const TurnFolder::Kept& kept : turns_.take()) keep_turn(kept);
    }
    if (!keepers_.responses) return;
    if (raw_.empty()) {
      store_response(exchange_, *keepers_.responses, answer_.take());
    } else {
      store_raw_response(exchange_, *keepers_.responses, raw_);
    }
  }

  void keep_turn(const TurnFolder::Kept& kept) {
    const std::string text = to_json(kept.turn);
    keepers_.turns->keep(*exchange_.principal, kept.call_id, text);
    if (!traits(exchange_.call.dialect).may_lack_call_ids) return;
    const std::vector<std::string_view> tools(kept.tools.begin(), kept.tools.end());
    if (!keys_) keys_.emplace(exchange_.chat()->messages);
    keepers_.turns->keep(*exchange_.principal, keys_->last(tools), text);
  }

  Exchange& exchange_;
  std::unique_ptr<EventSource> inner_;
  AnswerKeepers keepers_;
  TurnFolder turns_;
  std::optional<TurnKeys> keys_;  // made when a turn is kept
  AnswerFolder answer_;
  size_t bytes_ = 0;
  std::string raw_;
};

}  // namespace

std::unique_ptr<EventSource> keep_answer(Exchange& exchange, std::unique_ptr<EventSource> source,
                                         AnswerKeepers keepers) {
  if (keepers.empty()) return source;
  return std::make_unique<KeptSource>(exchange, std::move(source), keepers);
}

}  // namespace weir
