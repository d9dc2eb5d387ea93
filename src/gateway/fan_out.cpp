#include "gateway/fan_out.h"

#include <fmt/core.h>
#include <optional>

#include "base/limits.h"
#include "gateway/drain.h"
#include "gateway/metered_part.h"

namespace weir {
namespace {

// A call with what its source refers to.
struct Call {
  explicit Call(Scope& parent) : scope(parent) {}
  Scope scope;
  Exchange exchange;
  bool is_started = false;              // it had a place
  std::unique_ptr<EventSource> source;  // goes first
};
using Calls = std::vector<std::unique_ptr<Call>>;

// The places at the target that the calls of one answer take. The answer has one itself, by its exchange;
// more are taken where they are free. None is waited for, so that no answer waits while it keeps a place from
// others: a call that finds none follows when one of the same answer is over.
class Places {
 public:
  explicit Places(const Exchange& exchange) : target_(exchange.target->state) {}

  // Whether a call more may start now.
  bool take() {
    if (is_own_free_) {
      is_own_free_ = false;
      return true;
    }
    if (!target_) return true;
    std::optional<Permits::Permit> permit = Permits::try_acquire(target_->permits());
    if (permit) more_.emplace_back(target_, *std::move(permit));
    return permit.has_value();
  }

  // A call is over. What is not the answer's own goes to whoever waits for it at the target.
  void give_back() {
    if (more_.empty()) {
      is_own_free_ = true;
    } else {
      more_.pop_back();
    }
  }

 private:
  const std::shared_ptr<TargetState> target_;  // null: nobody counts
  std::vector<CallPlace> more_;
  bool is_own_free_ = true;
};

// A call below `parent`. It has no body of the client, so it never takes the raw way.
std::unique_ptr<Call> make_call_below(Exchange& parent, size_t index, Request request) {
  auto call = std::make_unique<Call>(*parent.scope);
  Exchange& child = call->exchange;
  child.id = fmt::format("{}-{}", parent.id, index);
  child.whole = &parent;
  child.scope = &call->scope;
  child.snapshot = parent.snapshot;
  child.principal = parent.principal;
  child.client_codec = parent.client_codec;
  child.call.dialect = parent.call.dialect;
  child.request = std::move(request);
  child.is_strict = parent.is_strict;
  child.user_is_hashed = parent.user_is_hashed;
  child.priority = parent.priority;
  child.session = parent.session;
  child.parent = parent.id;
  child.trace = parent.trace;
  child.plan = parent.plan;
  child.route = parent.route;
  child.target = parent.target;
  return call;
}

// What the client's exchange tells of a call; also when it failed, or the log would not know of it.
void take_over(Exchange& parent, const Exchange& child) {
  parent.is_raw = false;
  parent.attempts.insert(parent.attempts.end(), child.attempts.begin(), child.attempts.end());
  for (const Mark mark : {Mark::sent, Mark::upstream_head}) {
    if (child.timings.has(mark)) parent.timings.mark(mark, child.timings.at(mark));
  }
}

void take_over(Exchange& parent, const Calls& calls) {
  for (const auto& call : calls) {
    if (call) take_over(parent, call->exchange);
  }
}

// What was lost is the same for all calls; what adapting itself had to do comes first.
Fidelity fidelity_of(const Exchange& parent, const Call& first) {
  Fidelity all;
  if (parent.adapted) all = parent.adapted->fidelity;
  all.add(first.exchange.fidelity);
  return all;
}

// The first failure ends the other calls, unless nobody waits for the answer: then they go on, and tell what
// they used.
std::unexpected<Error> end_all(const Exchange& parent, const Calls& calls, Error error) {
  if (parent.drains()) return fail(std::move(error));
  for (const auto& call : calls) {
    if (call) call->scope.cancel(error);
  }
  return fail(std::move(error));
}

// The attempt of a call that was answered stands among the client's by the time its answer breaks off.
void note_failure(Exchange& parent, const Call& call, const Error& error) {
  if (call.exchange.attempts.empty()) return;
  for (Attempt& attempt : parent.attempts) {
    if (attempt.failure || attempt.span_id.view() != call.exchange.attempts.back().span_id.view()) continue;
    attempt.failure = error.kind;
    attempt.upstream_status = error.upstream_status;
  }
}

Task<void> drain_call(Call& call) {
  (void)co_await drain(call.exchange, *call.source);
  call.source.reset();
  co_return {};
}

// Of an answer that will not be: the calls that were answered tell what they used. Of those that a failure
// ended that is what is there already; those that outlast their client are read to their end.
Task<void> give_up(Scope& scope, const Calls& calls) {
  Scope drains(scope);
  for (const auto& call : calls) {
    if (call && call->source) drains.spawn(drain_call(*call));
  }
  co_return co_await drains.join_all();
}

Task<void> start_call(Exchange& parent, const Calls& calls, size_t index, Next next,
                      const MakeCall& make_call) {
  Call& call = *calls[index];
  Result<std::unique_ptr<EventSource>> source = co_await make_call(call.exchange, next);
  if (!source) co_return end_all(parent, calls, std::move(source).error());
  call.source = std::move(*source);
  co_return {};
}

class ChoicesSource final : public EventSource {
 public:
  // Those of the calls that have not started do so when there is a place for them.
  ChoicesSource(Exchange& exchange, Next next, MakeCall make_call, Places places, Calls calls)
      : exchange_(exchange),
        next_(next),
        make_call_(std::move(make_call)),
        places_(std::move(places)),
        head_(calls.front()->source->head()),
        calls_(std::move(calls)),
        pulled_(calls_.size()),
        usages_(calls_.size()) {}

  const AnswerHead& head() const override { return head_; }

  Result<const EventBatch*> take(Scope&) override {
    if (!made_) return nullptr;
    Result<const EventBatch*> batch = *std::move(made_);
    made_.reset();
    return batch;
  }

  Task<void> wait(Scope& scope) override {
    made_ = co_await make(scope);
    co_return {};
  }

 private:
  // A batch of each call that is not over: the slowest sets the pace, and the memory is one batch a call.
  Task<const EventBatch*> make(Scope& scope) {
    if (exchange_.drains()) {
      // In step they would take as long as the slowest, and may not have the time.
      (void)co_await give_up(scope, calls_);
      co_return fail(exchange_.scope->reason());
    }
    Scope pulls(scope);
    for (size_t i = 0; i < calls_.size(); ++i) {
      pulled_[i] = nullptr;
      Call& call = *calls_[i];
      const bool starts = !call.is_started && places_.take();
      call.is_started = call.is_started || starts;
      if (starts || call.source) pulls.spawn(pull(i));
    }
    CO_TRY(co_await pulls.join_all());
    batch_.clear();
    bool has_usage = false;
    bool is_over = true;
    for (size_t i = 0; i < calls_.size(); ++i) {
      if (pulled_[i]) has_usage = merge(i) || has_usage;
      is_over = is_over && calls_[i]->is_started && !calls_[i]->source;
    }
    if (is_over && failure_) co_return fail(*failure_);
    if (has_usage) {
      Usage sum;
      for (const Usage& usage : usages_) sum.add(usage);
      batch_.events.emplace_back(UsageReport{.usage = sum});
    }
    if (is_over) batch_.events.emplace_back(End{});
    co_return &batch_;
  }

  Task<void> pull(size_t index) {
    Call& call = *calls_[index];
    if (!call.source) {
      Result<void> started = co_await start_call(exchange_, calls_, index, next_, make_call_);
      take_over(exchange_, call.exchange);
      if (!started) co_return std::move(started).fail();
    }
    Result<const EventBatch*> batch = co_await call.source->next(call.scope);
    if (!batch) note_failure(exchange_, call, batch.error());
    if (batch) {
      pulled_[index] = *batch;
    } else if (exchange_.drains()) {
      // Nobody waits for the answer: the others go on, and tell what they used.
      failure_ = std::make_unique<Error>(std::move(batch).error());
      call.source.reset();
    } else {
      co_return end_all(exchange_, calls_, std::move(batch).error());
    }
    co_return {};
  }

  // True when the batch reported usage.
  bool merge(size_t index) {
    const int choice = static_cast<int>(index);
    bool has_usage = false;
    bool is_over = false;
    for (Event event : pulled_[index]->events) {
      if (const auto* usage = std::get_if<UsageReport>(&event)) {
        usages_[index].set_from(usage->usage);
        has_usage = true;
        continue;
      }
      if (std::holds_alternative<End>(event)) {
        is_over = true;
        continue;
      }
      // There is one answer with one name: the first call's.
      if (std::holds_alternative<Start>(event) && index > 0) continue;
      std::visit(
          [choice](auto& body) {
            if constexpr (requires { body.choice; }) body.choice = choice;
          },
          event);
      batch_.events.push_back(std::move(event));
    }
    if (is_over) {
      calls_[index]->source.reset();
      places_.give_back();
    }
    return has_usage;
  }

  Exchange& exchange_;
  const Next next_;
  const MakeCall make_call_;
  Places places_;  // goes after the calls
  const AnswerHead head_;
  Calls calls_;
  std::vector<const EventBatch*> pulled_;
  std::vector<Usage> usages_;
  EventBatch batch_;
  std::optional<Result<const EventBatch*>> made_;
  std::unique_ptr<Error> failure_;  // of a call, while the others are read for nobody
};

// One batch of embeddings, from its call to its vectors.
struct Batch {
  std::vector<std::vector<float>> vectors;
  Usage usage;
  std::string model;
};

// The batches of one request, taken up by a few workers in turn.
class Batches {
 public:
  Batches(Exchange& exchange, Next next, const Embed& embed, size_t inputs_max)
      : exchange_(exchange), next_(next), embed_(embed), inputs_max_(inputs_max), places_(exchange) {}

  size_t inputs() const {
    return embed_.token_inputs.empty() ? embed_.inputs.size() : embed_.token_inputs.size();
  }
  size_t count() const { return (inputs() + inputs_max_ - 1) / inputs_max_; }

  Task<std::unique_ptr<EventSource>> run() {
    calls_.resize(count());
    batches_.resize(count());
    Scope scope(*exchange_.scope);
    for (size_t i = 0; i < std::min(kBatchesParallelMax, count()); ++i) scope.spawn(work());
    Result<void> done = co_await scope.join_all();
    take_over(exchange_, calls_);
    if (!done) {
      (void)co_await give_up(*exchange_.scope, calls_);
      co_return std::move(done).fail();
    }
    exchange_.fidelity = fidelity_of(exchange_, *calls_.front());
    exchange_.fidelity.add(Severity::info, LossReason::emulated, "/input", fmt::format("{} inputs", inputs()),
                           fmt::format("{} calls", count()));
    Payload payload{
        .id = std::string(exchange_.id.view()), .model = batches_.front().model, .body = EmbedAnswer{}};
    Usage usage;
    for (Batch& batch : batches_) {
      auto& vectors = std::get<EmbedAnswer>(payload.body).vectors;
      std::move(batch.vectors.begin(), batch.vectors.end(), std::back_inserter(vectors));
      usage.add(batch.usage);
    }
    std::vector<Event> events;
    events.emplace_back(std::move(payload));
    events.emplace_back(UsageReport{.usage = usage});
    events.emplace_back(End{});
    co_return std::make_unique<StoredSource>(std::move(events));
  }

 private:
  Request request_of(size_t index) const {
    Embed part = embed_;
    const size_t from = index * inputs_max_;
    const size_t to = std::min(from + inputs_max_, inputs());
    const auto cut = [&](auto& list) {
      if (list.empty()) return;
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(to), list.end());
      list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(from));
    };
    cut(part.inputs);
    cut(part.token_inputs);
    return part;
  }

  // A worker without a place leaves its work to the others; the exchange's own place keeps one of them.
  Task<void> work() {
    while (taken_ < count() && places_.take()) {
      const size_t index = taken_++;
      calls_[index] = make_call_below(exchange_, index, request_of(index));
      Result<void> done = co_await fill(*calls_[index], batches_[index]);
      places_.give_back();
      if (!done) {
        taken_ = count();
        co_return end_all(exchange_, calls_, std::move(done).error());
      }
    }
    co_return {};
  }

  Task<void> fill(Call& call, Batch& batch) {
    call.source = metered_part(CO_TRY(co_await next_(call.exchange)), call.exchange);
    for (bool is_over = false; !is_over;) {
      const EventBatch* events = CO_TRY(co_await call.source->next(call.scope));
      for (const Event& event : events->events) {
        if (const auto* payload = std::get_if<Payload>(&event)) {
          if (const auto* answer = std::get_if<EmbedAnswer>(&payload->body)) batch.vectors = answer->vectors;
          batch.model = payload->model;
        } else if (const auto* usage = std::get_if<UsageReport>(&event)) {
          batch.usage.set_from(usage->usage);
        }
        is_over = is_over || std::holds_alternative<End>(event);
      }
    }
    call.source.reset();
    const auto& part = std::get<Embed>(call.exchange.request);
    const size_t wanted = part.token_inputs.empty() ? part.inputs.size() : part.token_inputs.size();
    if (batch.vectors.size() == wanted) co_return {};
    co_return fail(ErrorKind::upstream_malformed, fmt::format("the provider gave {} embeddings for {} inputs",
                                                              batch.vectors.size(), wanted));
  }

  Exchange& exchange_;
  const Next next_;
  const Embed& embed_;
  const size_t inputs_max_;
  size_t taken_ = 0;
  Places places_;
  Calls calls_;
  std::vector<Batch> batches_;
};

}  // namespace

Task<std::unique_ptr<EventSource>> call_for_choices(Exchange& exchange, Next next, size_t n,
                                                    MakeCall make_call) {
  if (n > kChoiceCallsMax) {
    co_return fail(ErrorKind::unsupported,
                   fmt::format("this model gives one answer at a time, and at most {} are asked for at once: "
                               "n must be at most {}",
                               kChoiceCallsMax, kChoiceCallsMax),
                   "n");
  }
  exchange.compose();
  Calls calls;
  for (size_t i = 0; i < n; ++i) {
    Chat chat = std::get<Chat>(exchange.sent());
    chat.choices.reset();
    calls.push_back(make_call_below(exchange, i, std::move(chat)));
  }
  Places places(exchange);
  Scope starts(*exchange.scope);
  for (size_t i = 0; i < n && places.take(); ++i) {
    calls[i]->is_started = true;
    starts.spawn(start_call(exchange, calls, i, next, make_call));
  }
  Result<void> started = co_await starts.join_all();
  take_over(exchange, calls);
  if (!started) {
    (void)co_await give_up(*exchange.scope, calls);
    co_return std::move(started).fail();
  }
  exchange.fidelity = fidelity_of(exchange, *calls.front());
  exchange.fidelity.add(Severity::info, LossReason::emulated, "/n", fmt::format("{}", n),
                        fmt::format("{} calls", n));
  co_return std::make_unique<ChoicesSource>(exchange, next, std::move(make_call), std::move(places),
                                            std::move(calls));
}

Task<std::unique_ptr<EventSource>> call_in_batches(Exchange& exchange, Next next, size_t inputs_max) {
  // The workers are coroutines of this object, so it is awaited here.
  Batches batches(exchange, next, std::get<Embed>(exchange.sent()), inputs_max);
  if (batches.count() > kBatchesMax) {
    co_return fail(ErrorKind::unsupported,
                   fmt::format("this model embeds {} inputs at a time: send at most {} in one request",
                               inputs_max, inputs_max * kBatchesMax),
                   "input");
  }
  exchange.compose();
  co_return co_await batches.run();
}

}  // namespace weir
