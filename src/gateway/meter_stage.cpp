#include "gateway/meter_stage.h"

#include <algorithm>

#include "gateway/metered_part.h"

namespace weir {
namespace {

// Whether it carries something of the answer itself; what passes raw is hardly anything else.
bool is_chunk(const EventBatch& batch) {
  if (batch.is_raw) return !batch.raw.empty();
  const auto is_delta = [](const Event& event) { return std::holds_alternative<Delta>(event); };
  return std::ranges::any_of(batch.events, is_delta);
}

// Taps the events on their way and settles the exchange's usage and cost when the answer ends or is given up.
class MeteredSource final : public EventSource {
 public:
  MeteredSource(std::unique_ptr<EventSource> inner, Exchange& exchange)
      : inner_(std::move(inner)), exchange_(exchange), is_streamed_(is_streamed(exchange.request)) {}

  ~MeteredSource() override {
    inner_.reset();  // its parts settle first
    if (!is_settled_) settle(false);
  }

  const AnswerHead& head() const override { return inner_->head(); }

  Result<const EventBatch*> take(Scope& scope) override {
    const MonoTime now = scope.turn_began();
    if (given_at_ != MonoTime{}) away_ += now - std::exchange(given_at_, MonoTime{});
    Result<const EventBatch*> batch = inner_->take(scope);
    if (is_missing(batch)) return batch;
    given_at_ = now;
    if (batch) {
      if ((*batch)->is_raw) raw_bytes_ += (*batch)->raw.size();
      if (is_streamed_ && is_chunk(**batch)) exchange_.chunks.note(given_at_ - away_);
      for (const Event& event : (*batch)->events) tap(event, (*batch)->is_raw);
    } else if (!exchange_.is_composed) {
      exchange_.note_failure(batch.error());
    }
    return batch;
  }

  Task<void> wait(Scope& scope) override { return inner_->wait(scope); }

 private:
  // On the raw way text is not decoded. A streamed chunk of some 200 bytes carries about a token, which is
  // about four bytes of text; a whole answer is mostly text.
  size_t text_bytes_of_raw() const {
    constexpr size_t kRawBytesPerTextByte = 50;
    return is_streamed_ ? (raw_bytes_ + kRawBytesPerTextByte - 1) / kRawBytesPerTextByte : raw_bytes_;
  }

  void tap(const Event& event, bool is_raw) {
    if (const auto* delta = std::get_if<Delta>(&event)) {
      if (!is_raw && delta->kind == DeltaKind::content) exchange_.content_bytes += delta->text.size();
    } else if (const auto* usage = std::get_if<UsageReport>(&event)) {
      exchange_.usage.set_from(usage->usage);
    } else if (const auto* start = std::get_if<Start>(&event)) {
      exchange_.response_model = start->model;
      exchange_.response_id = start->id;
    } else if (const auto* finish = std::get_if<Finish>(&event)) {
      exchange_.finish_reasons.emplace_back(finish->native.empty() ? to_string(finish->reason)
                                                                   : std::string_view(finish->native));
    } else if (std::holds_alternative<End>(event)) {
      settle(true);
    }
  }

  // A composed answer's parts have settled themselves.
  void settle(bool is_complete) {
    is_settled_ = true;
    exchange_.content_bytes += text_bytes_of_raw();
    Usage& usage = exchange_.usage;
    if (!exchange_.is_composed) {
      usage = settled_usage(exchange_, usage, exchange_.content_bytes, is_complete);
      if (exchange_.spent) exchange_.spend(usage);
    }
    if (exchange_.spent) return exchange_.settle_spent();
    if (!usage.empty()) exchange_.cost_nano_usd = exchange_.price(usage);
  }

  std::unique_ptr<EventSource> inner_;
  Exchange& exchange_;
  const bool is_streamed_;
  size_t raw_bytes_ = 0;
  MonoTime given_at_{};  // when the last batch was handed out
  Duration away_{};      // how long nobody waited for a batch since: the client's time, not the provider's
  bool is_settled_ = false;
};

// Whether it means that nobody waited any longer.
bool is_giving_up(ErrorKind kind) {
  return kind == ErrorKind::cancelled || kind == ErrorKind::shutting_down || kind == ErrorKind::timeout ||
         kind == ErrorKind::upstream_timeout;
}

// Whether the provider had a call, and nobody waited for what it would have said: it may work on, and bill
// that. The exchange may have ended behind a call that had failed.
bool was_left(const Exchange& exchange, ErrorKind why) {
  if (exchange.attempts.empty() || !is_giving_up(why)) return false;
  const Attempt& last = exchange.attempts.back();
  return last.was_sent && is_giving_up(last.failure.value_or(why));
}

}  // namespace

Task<std::unique_ptr<EventSource>> MeterStage::handle(Exchange& exchange, Next next) {
  Result<std::unique_ptr<EventSource>> made = co_await next(exchange);
  if (!made) {
    // Nothing came, and the prompt is all that is known. Parts of an answer settle themselves.
    if (!exchange.spent && !exchange.is_composed && was_left(exchange, made.error().kind))
      exchange.spend(settled_usage(exchange, {}, 0, true));
    exchange.settle_spent();
  }
  std::unique_ptr<EventSource> source = CO_TRY(std::move(made));
  co_return std::make_unique<MeteredSource>(std::move(source), exchange);
}

}  // namespace weir
