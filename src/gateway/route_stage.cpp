#include "gateway/route_stage.h"

#include <algorithm>
#include <fmt/ranges.h>
#include <optional>
#include <span>

#include "base/log.h"
#include "codec/codecs.h"
#include "gateway/committed_source.h"
#include "gateway/drain.h"
#include "gateway/metered_part.h"
#include "gateway/snapshot.h"
#include "llm/prompt_tokens.h"
#include "provider/key_ring.h"

namespace weir {
namespace {

// A target that was silent for less may be well.
constexpr Duration kHungMin = std::chrono::seconds(10);

bool falls_back(const FallbackRules& rules, const Error& error) {
  if (error.kind == ErrorKind::content_policy) return rules.on_content_policy;
  if (error.kind == ErrorKind::upstream_rate_limited) return rules.on_rate_limit;
  if (error.kind == ErrorKind::upstream_auth) return rules.on_auth;
  return error_row(error.kind).falls_back;
}

// A prompt that was too long for one target is tried only where more fits.
bool could_fit_better(const Candidate& next, const Candidate& failed) {
  const auto limit = failed.capabilities.context;
  const auto other = next.capabilities.context;
  return !limit || !other || *other > *limit;
}

// One walk over the candidates: the state of run(), split so that each decision reads alone.
class Attempts {
 public:
  // Tries the candidates of the exchange's plan in that order, by their indexes. One frame for all of it:
  // each coroutine between the client and the provider takes memory for as long as the provider thinks.
  static Task<std::unique_ptr<EventSource>> run(Exchange& exchange, std::vector<size_t> order, Next next) {
    const std::vector<Candidate>& candidates = exchange.plan->candidates;
    Attempts walk(exchange, next);
    for (size_t i = 0; i < order.size() && walk.may_call(); ++i) {
      const Candidate& candidate = candidates[order[i]];
      if (walk.is_passed_over(candidate)) continue;
      const Rest rest{.candidates = candidates, .order = std::span(order).subspan(i + 1)};
      for (int tries = 1;; ++tries) {
        const MonoTime now = exchange.now();
        const BreakerPass pass = candidate.state->breaker().try_pass(now);
        // No attempt is spent on a target that is put aside, and what a provider said before stays the
        // reason.
        if (pass == BreakerPass::refused) break;
        walk.begin_attempt(candidate, now);
        Result<std::unique_ptr<CommittedSource>> source = co_await walk.call(candidate, now);
        walk.end_attempt(candidate, pass, source);
        if (source && walk.asks_again(candidate, **source)) {
          CO_TRY(co_await walk.give_up(*std::move(source)));
          CO_TRY(exchange.scope->check());
          continue;
        }
        if (source) co_return *std::move(source);
        if (exchange.scope->is_cancelled()) co_return fail(exchange.scope->reason());
        const std::optional<Duration> pause =
            walk.pause_before_retry(candidate, tries, rest, std::move(source).error());
        if (!pause) break;
        CO_TRY(co_await exchange.scope->sleep(*pause));
      }
      if (walk.ends_here()) break;
    }
    co_return fail(walk.reason(candidates, order));
  }

 private:
  // What follows the target that is being tried.
  struct Rest {
    const std::vector<Candidate>& candidates;
    std::span<const size_t> order;
    int count_ready(MonoTime now) const {
      return static_cast<int>(
          std::ranges::count_if(order, [&](size_t index) { return candidates[index].is_ready(now); }));
    }
  };

  Attempts(Exchange& exchange, Next next) : exchange_(exchange), route_(*exchange.route), next_(next) {}

  bool may_call() const { return calls_ < route_.retry.attempts_max; }

  // Whether no other target is asked after what the last one said.
  bool ends_here() {
    if (last_error_ && !falls_back(route_.fallback, *last_error_)) return true;
    if (exchange_.is_repeatable()) return false;
    last_error_->message += "; no other attempt was made, since the upload was under way already";
    return true;
  }

  // Why there is no answer: what the last target that was asked said.
  Error reason(const std::vector<Candidate>& candidates, std::span<const size_t> order) {
    Error error =
        last_error_
            ? std::move(*last_error_)
            : make_error(ErrorKind::upstream_overloaded,
                         "every target of this model is put aside after repeated failures; try again later");
    say_when_free(error, candidates, order);
    return error;
  }

  // Where waiting helps: how long, until the first of the targets is free. Which of them spoke last says
  // nothing of the others.
  void say_when_free(Error& error, const std::vector<Candidate>& candidates,
                     std::span<const size_t> order) const {
    if (error.kind != ErrorKind::upstream_rate_limited && error.kind != ErrorKind::upstream_overloaded)
      return;
    const MonoTime now = exchange_.now();
    MonoTime free_at = MonoTime::max();
    for (const size_t index : order) {
      MonoTime ready_at = candidates[index].ready_at(now);
      for (const auto& [candidate, until] : told_to_wait_) {
        if (candidate == &candidates[index]) ready_at = std::max(ready_at, until);
      }
      free_at = std::min(free_at, ready_at);
    }
    error.retry_after_ms.reset();
    if (free_at <= now) return;
    error.retry_after_ms =
        std::max<int64_t>(1, std::chrono::ceil<std::chrono::milliseconds>(free_at - now).count());
  }

  // What a provider said stays the reason, and a prompt that was too long is not sent where no more fits.
  bool is_passed_over(const Candidate& candidate) const {
    if (calls_ > 0 && !candidate.is_ready(exchange_.now())) return true;
    return last_error_ && last_error_->kind == ErrorKind::context_too_long &&
           !could_fit_better(candidate, *exchange_.target);
  }

  // How long to wait before the target that failed is tried again; nullopt: it is not.
  std::optional<Duration> pause_before_retry(const Candidate& candidate, int tries, const Rest& rest,
                                             Error error) {
    last_error_ = std::make_unique<Error>(std::move(error));
    note_pause(candidate);
    if (!may_retry(tries, rest)) return std::nullopt;
    const auto pause = retry_pause(route_.retry, *last_error_, tries, exchange_.scope->core().rng());
    if (!pause || !candidate.is_ready(exchange_.now() + *pause)) return std::nullopt;
    if (!candidate.target->provider->retry_budget->try_spend()) return std::nullopt;
    if (exchange_.scope->remaining(*pause + Duration(1)) <= *pause) return std::nullopt;
    return pause;
  }

  // Of a rate limit the keys know themselves.
  void note_pause(const Candidate& candidate) {
    const KeyRing* keys = candidate.target->provider->keys.get();
    const bool is_known = last_error_->kind == ErrorKind::upstream_rate_limited && keys && keys->size() > 0;
    if (!last_error_->retry_after_ms || is_known) return;
    told_to_wait_.emplace_back(&candidate,
                               exchange_.now() + std::chrono::milliseconds(*last_error_->retry_after_ms));
  }

  // Once. Of several choices the others may be good.
  bool asks_again(const Candidate& candidate, const CommittedSource& source) {
    const std::string_view policy = route_.translation.malformed_calls;
    if (has_asked_again_ || policy != "retry" || !source.ends_in_bad_call()) return false;
    // An answer with a bad call is more than none, which is what a target gives that is put aside meanwhile.
    if (!candidate.is_ready(exchange_.now())) return false;
    const Chat* chat = exchange_.chat();
    has_asked_again_ = chat && chat->choices.value_or(1) <= 1 && calls_ < route_.retry.attempts_max &&
                       candidate.target->provider->retry_budget->try_spend();
    return has_asked_again_;
  }

  // What it used is paid for; parts of an answer have told that themselves.
  [[gnu::noinline]] Task<void> give_up(std::unique_ptr<CommittedSource> source) {
    if (exchange_.is_composed) co_return {};
    const std::unique_ptr<EventSource> part = metered_part(std::move(source), exchange_);
    co_return co_await drain(exchange_, *part);
  }

  // Whether the target may be tried again after last_error_. What ended here would end here again; a call is
  // kept for each target that is left; and the time that a provider names is not waited for while another
  // target could answer.
  bool may_retry(int tries, const Rest& rest) const {
    if (!was_called_ || !error_row(last_error_->kind).retries_same_target || !exchange_.is_repeatable())
      return false;
    const int others = falls_back(route_.fallback, *last_error_) ? rest.count_ready(exchange_.now()) : 0;
    return tries < route_.retry.attempts_per_target_max && calls_ + others < route_.retry.attempts_max &&
           (!last_error_->retry_after_ms || others == 0);
  }

  void begin_attempt(const Candidate& candidate, MonoTime now) {
    exchange_.target = &candidate;
    if (made_++ == 0) {
      exchange_.timings.mark(Mark::picked, now);
    } else {
      exchange_.timings.try_again(now);
    }
    candidate.target->provider->retry_budget->on_call();
    called_at_.reset();
    attempts_before_ = exchange_.attempts.size();
  }

  void end_attempt(const Candidate& candidate, BreakerPass pass,
                   const Result<std::unique_ptr<CommittedSource>>& source) {
    Breaker& breaker = candidate.state->breaker();
    // A local model answers without an attempt.
    was_called_ = candidate.target->provider->local ||
                  std::any_of(exchange_.attempts.begin() + static_cast<ptrdiff_t>(attempts_before_),
                              exchange_.attempts.end(), [](const Attempt& one) { return one.was_sent; });
    if (was_called_) ++calls_;
    if (!source) tell(candidate, source.error());
    if (source) {
      breaker.report(exchange_.timings.at(Mark::first_event), pass, true);
    } else if (has_failed(source.error())) {
      breaker.report(exchange_.now(), pass, false);
      note_wait(candidate, source.error());
    } else {
      breaker.abandon(pass);
    }
  }

  // For whoever asks why a call went where it did.
  void tell(const Candidate& candidate, const Error& error) const {
    log_debug("an attempt failed", {{"request_id", exchange_.id.view()},
                                    {"provider", candidate.target->provider->name},
                                    {"model", candidate.target->model},
                                    {"was_called", was_called_},
                                    {"error", to_string(error.kind)},
                                    {"message", error.message}});
  }

  // Whether the attempt says something about its target.
  bool has_failed(const Error& error) const {
    return exchange_.scope->is_cancelled() ? has_hung() : error_row(error.kind).trips_breaker;
  }

  // The exchange's own time ran out at a target that had most of it, and long enough for any provider to say
  // something. What a client was still uploading is not the target's to answer.
  bool has_hung() const {
    const bool is_late = exchange_.scope->reason().kind == ErrorKind::timeout;
    // A model of our own counts as called while it still waits for its place.
    if (!is_late || !was_called_ || !called_at_ || exchange_.form) return false;
    const Duration waited = exchange_.now() - *called_at_;
    return waited >= kHungMin && 2 * waited >= exchange_.now() - exchange_.timings.at(Mark::picked);
  }

  // Who waits in vain has measured something too.
  void note_wait(const Candidate& candidate, const Error& error) {
    const bool has_run_out = exchange_.scope->is_cancelled();
    if (has_run_out && !exchange_.attempts.empty() && exchange_.attempts.back().failure)
      exchange_.attempts.back().failure = ErrorKind::upstream_timeout;
    if (called_at_ && (has_run_out || error.kind == ErrorKind::upstream_timeout))
      candidate.state->observe_first_event(exchange_.now() - *called_at_);
  }

  Task<std::unique_ptr<CommittedSource>> call(const Candidate& candidate, MonoTime now) {
    const std::shared_ptr<TargetState>& state = candidate.state;
    std::optional<Permits::Permit> permit = Permits::try_acquire(state->permits());
    if (!permit) {
      exchange_.timings.mark(Mark::queued, now);
      permit = CO_TRY(co_await Permits::acquire(*exchange_.scope, state->permits(), exchange_.priority,
                                                exchange_.principal->key_id));
      now = exchange_.now();
    }
    called_at_ = now;
    exchange_.timings.mark(Mark::admitted, now);
    CallPlace place(state, *std::move(permit));
    std::unique_ptr<EventSource> source = CO_TRY(co_await next_(exchange_));
    auto committed = std::make_unique<CommittedSource>(std::move(source), std::move(place));
    Result<void> began = co_await committed->commit(*exchange_.scope);
    if (!began) {
      // What the provider said it had used is paid for, although its answer is not taken. Parts of an answer
      // have told both themselves.
      if (!exchange_.is_composed) {
        exchange_.note_failure(began.error());
        exchange_.spend(committed->reported());
      }
      co_return fail(std::move(began).error());
    }
    const MonoTime began_at = exchange_.now();
    Timings& timings = exchange_.timings;
    // Of a whole answer the bytes were there with the head.
    if (timings.has(Mark::upstream_head))
      timings.mark(Mark::answered, std::max(exchange_.scope->turn_began(), timings.at(Mark::upstream_head)));
    timings.mark(Mark::first_event, began_at);
    state->observe_first_event(began_at - *called_at_);
    co_return committed;
  }

  Exchange& exchange_;
  const Route& route_;
  const Next next_;
  std::optional<MonoTime> called_at_;  // the last attempt, once it had its place
  int made_ = 0;                       // attempts
  size_t attempts_before_ = 0;         // of the exchange, before the last of them
  int calls_ = 0;                      // those of them that did not end here, which are limited
  bool was_called_ = false;            // the last one is one of these
  bool has_asked_again_ = false;
  std::unique_ptr<Error> last_error_;                                // null: none of the targets was asked
  std::vector<std::pair<const Candidate*, MonoTime>> told_to_wait_;  // by their providers, until then
};

// Only what a strategy asks for is estimated: the walk over a long prompt is not free.
int64_t expected_input_tokens(const Exchange& exchange) {
  const Chat* chat = exchange.chat();
  if (!chat || exchange.route->strategy != Strategy::least_cost) return 0;
  return estimate_prompt_tokens(*chat, TokenizerKind::estimate);
}

int64_t expected_output_tokens(const Exchange& exchange) {
  constexpr int64_t kUsual = 256;
  const Chat* chat = exchange.chat();
  return chat && chat->max_tokens ? std::min(*chat->max_tokens, kUsual) : kUsual;
}

const std::string& region_of(const RouteTarget& target) {
  return target.region.empty() ? target.provider->region : target.region;
}

// What answers in this process leaves no region.
bool may_go_to(const Exchange& exchange, const RouteTarget& target) {
  const auto is_allowed = [&](const std::vector<std::string>& regions) {
    return regions.empty() || is_within(regions, region_of(target));
  };
  return target.provider->local || (is_allowed(exchange.principal->regions) && is_allowed(exchange.regions));
}

// Takes the targets out that this caller, or this request, keeps its data away from. Error: forbidden when
// none is left.
Result<void> keep_within_regions(const Exchange& exchange, std::vector<size_t>& order) {
  if (exchange.principal->regions.empty() && exchange.regions.empty()) return {};
  const std::vector<Candidate>& candidates = exchange.plan->candidates;
  std::erase_if(order, [&](size_t index) { return !may_go_to(exchange, *candidates[index].target); });
  if (!order.empty()) return {};
  std::string where;
  for (const Candidate& candidate : candidates) {
    const std::string& region = region_of(*candidate.target);
    where += fmt::format("{}{} in {}", where.empty() ? "" : ", ", candidate.target->provider->name,
                         region.empty() ? "a region that is not stated" : region);
  }
  const auto& asked = exchange.regions.empty() ? exchange.principal->regions : exchange.regions;
  return fail(
      ErrorKind::forbidden,
      fmt::format("no target of this model is in {} ({}); choose another model, or state the `region` of "
                  "a target or provider",
                  fmt::join(asked, ", "), where),
      exchange.regions.empty() ? "model" : "x-weir-region");
}

// What a sticky route keeps together: what the client says of its session, else the prompts that share a
// cache, whether or not a target has a field for that.
std::string_view session_of(const Exchange& exchange) {
  const Chat* chat = exchange.chat();
  return exchange.session.empty() && chat ? chat->prompt_cache_key : std::string_view(exchange.session);
}

// Where the exchange may go, as the route's strategy ranks it. Error: forbidden.
[[gnu::noinline]] Result<std::vector<size_t>> ordered_targets(const Exchange& exchange) {
  const PickContext context{.now = exchange.lately(Mark::decoded),
                            .session = session_of(exchange),
                            .input_tokens = expected_input_tokens(exchange),
                            .output_tokens = expected_output_tokens(exchange)};
  std::vector<size_t> order =
      order_candidates(*exchange.route, exchange.plan->candidates, context, exchange.scope->core().rng());
  TRY(keep_within_regions(exchange, order));
  return order;
}

// The route's own limit, where that is nearer than what the client and the settings allow.
void tighten_deadline(Exchange& exchange) {
  if (!exchange.route->timeout) return;
  const Timings& timings = exchange.timings;
  const MonoTime began = timings.has(Mark::first_byte) ? timings.at(Mark::first_byte) : exchange.now();
  const MonoTime due = began + *exchange.route->timeout;
  const std::optional<MonoTime> known = exchange.scope->deadline();
  if (!known || due < *known) exchange.scope->set_deadline(due);
}

}  // namespace

Result<std::vector<size_t>> RouteStage::choose(Exchange& exchange) {
  exchange.plan = TRY(plans_.find(exchange.snapshot, model_of(exchange.request)));
  exchange.route = exchange.plan->route;
  exchange.is_strict = exchange.is_strict || exchange.route->translation.strict;
  if (exchange.route->translation.reasoning_field && exchange.client_codec)
    exchange.client_codec = &with_reasoning_field(*exchange.client_codec);
  tighten_deadline(exchange);
  return ordered_targets(exchange);
}

// Not a coroutine: its work is done when the first call is made, and a frame would stay until the last has
// ended.
Task<std::unique_ptr<EventSource>> RouteStage::handle(Exchange& exchange, Next next) {
  return Attempts::run(exchange, TRY(choose(exchange)), next);
}

}  // namespace weir
