// An exchange at a scripted target, for tests of stages.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "gateway/snapshot.h"
#include "gateway/stage.h"
#include "io/test_core.h"
#include "provider/key_ring.h"

namespace weir {

// An answer that breaks off after its events.
class BrokenSource final : public EventSource {
 public:
  BrokenSource(std::vector<Event> events, Error error) : error_(std::move(error)) {
    batch_.events = std::move(events);
  }
  const AnswerHead& head() const override { return head_; }
  Result<const EventBatch*> take(Scope&) override {
    if (std::exchange(is_given_, true)) return fail(error_);
    return &batch_;
  }

 private:
  EventBatch batch_;
  AnswerHead head_;
  Error error_;
  bool is_given_ = false;
};

// An answer whose events come one by one.
class DrippingSource final : public EventSource {
 public:
  explicit DrippingSource(std::vector<Event> events, Headers headers = {}) : events_(std::move(events)) {
    head_.headers = std::move(headers);
  }
  const AnswerHead& head() const override { return head_; }
  Result<const EventBatch*> take(Scope&) override {
    batch_.events.assign(1, events_.at(at_++));
    return &batch_;
  }

 private:
  std::vector<Event> events_;
  size_t at_ = 0;
  EventBatch batch_;
  AnswerHead head_;
};

// The last stage: notes each request and gives what the test has put there.
class ScriptedCall final : public Stage {
 public:
  std::string_view name() const override { return "call"; }
  Task<std::unique_ptr<EventSource>> handle(Exchange& exchange, Next) override {
    requests.push_back(exchange.sent());
    if (exchange.adapted) fidelity.add(exchange.adapted->fidelity);
    exchange.attempts.emplace_back().was_sent = true;
    if (answers.empty()) co_return fail(ErrorKind::upstream_error, "no answer is scripted");
    Result<std::vector<Event>> events = std::move(answers.front());
    answers.pop_front();
    ++running;
    running_max = std::max(running_max, running);
    Result<void> slept;
    if (takes > Duration::zero()) slept = co_await exchange.scope->sleep(takes);
    --running;
    if (!slept) co_return std::move(slept).fail();
    if (!events) co_return std::move(events).fail();
    if (breaks) co_return std::make_unique<BrokenSource>(std::move(*events), *std::exchange(breaks, {}));
    if (drips) co_return std::make_unique<DrippingSource>(std::move(*events));
    co_return std::make_unique<StoredSource>(std::move(*events));
  }
  const Chat& chat(size_t index) const { return std::get<Chat>(requests.at(index)); }

  std::deque<Result<std::vector<Event>>> answers;
  std::vector<Request> requests;
  std::optional<Error> breaks;  // what the next answer ends with, after its events
  Fidelity fidelity;            // what the adapted requests say, of all calls
  bool drips = false;           // answers come one event at a time
  Duration takes{};
  int running = 0;
  int running_max = 0;
};

// A target of the dialect, and exchanges with it.
struct TestGateway {
  explicit TestGateway(std::unique_ptr<Stage> stage) {
    auto scripted = std::make_unique<ScriptedCall>();
    call = scripted.get();
    std::vector<std::unique_ptr<Stage>> stages;
    stages.push_back(std::move(stage));
    stages.push_back(std::move(scripted));
    pipeline = std::make_unique<Pipeline>(std::move(stages));
    provider->name = "p";
    provider->kind.dialect = Dialect::anthropic_messages;
    target.provider = provider;
  }

  std::unique_ptr<Exchange> exchange(Request request) {
    auto made = std::make_unique<Exchange>();
    made->id = "req_1";
    made->scope = &scope;
    made->snapshot = snapshot;
    made->principal = &principal;
    made->request = std::move(request);
    made->call.dialect = Dialect::openai_chat;
    made->route = &route;
    candidate.target = &target;
    candidate.model = "m";
    candidate.capabilities = capabilities;
    made->target = &candidate;
    return made;
  }

  // All events of the answer, in one list.
  Result<std::vector<Event>> events(Exchange& of) { return test.run(gather(*pipeline, of)); }

  static Task<std::vector<Event>> gather(const Pipeline& stages, Exchange& of) {
    std::unique_ptr<EventSource> source = CO_TRY(co_await stages.run(of));
    std::vector<Event> all;
    for (;;) {
      const EventBatch* batch = CO_TRY(co_await source->next(*of.scope));
      all.insert(all.end(), batch->events.begin(), batch->events.end());
      if (!all.empty() && std::holds_alternative<End>(all.back())) co_return all;
    }
  }

  TestCore test;
  Scope scope{test.core};
  const Principal principal{.tenant = "t", .key_id = "k", .key_name = {}, .models = {}};
  std::shared_ptr<Snapshot> snapshot = std::make_shared<Snapshot>();
  std::shared_ptr<Provider> provider = std::make_shared<Provider>();
  RouteTarget target;
  Candidate candidate;  // the target as the last exchange has it
  Route route;
  Capabilities capabilities;
  ScriptedCall* call = nullptr;  // the pipeline's
  std::unique_ptr<Pipeline> pipeline;
};

}  // namespace weir
