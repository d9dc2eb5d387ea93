// Writes an answer to the client: whole or streamed, encoded or the provider's own bytes, with keep-alives
// while the provider is silent. It owns the two points of a streamed answer: the head point (status and
// headers leave) and the failures after it.
#pragma once

#include <optional>

#include "codec/answer_losses.h"
#include "gateway/exchange.h"
#include "gateway/observer.h"
#include "io/http.h"
#include "llm/event_source.h"

namespace weir {

// The headers that every answer to an exchange carries: x-request-id, x-weir-model, x-weir-provider,
// x-weir-attempts, x-weir-cost-usd (whole answers), x-weir-usage-source (counts), x-weir-fidelity,
// x-weir-fidelity-severity, server-timing. REQUIRES that `headers` has none of them yet.
void add_exchange_headers(const Exchange& exchange, Headers& headers);

// What the client's encoder is told of the exchange.
AnswerContext answer_context(const Exchange& exchange);

class AnswerWriter {
 public:
  // All outlive the writer. `cors` are extra headers for the response (may be empty).
  AnswerWriter(Exchange& exchange, ResponseWriter& response, const Headers& extra);
  ~AnswerWriter();

  // Starts the clock of the head point: from now on, when nothing has left within head_wait, the head of a
  // streamed answer leaves with a keep-alive. No effect for whole answers.
  void watch_silence();

  // Pulls the answer to its end and writes it. What the client saw is outcome(); the error in it is also
  // returned to the server as an Error when the connection must be broken off.
  Task<void> write(EventSource& source);
  // When the client left during write() and the exchange drains: pulls what is left of the answer, within the
  // bounds that are set, so that the source tells what was used. Gives nothing: an end is as good as another.
  Task<void> drain(EventSource& source);
  // Writes the failure: the dialect's error response, or after the head its error event.
  Task<void> fail_with(const Error& error);

  // `written`: what write() or fail_with() gave.
  const ExchangeOutcome& outcome(const Result<void>& written);

 private:
  class SilenceTimer;
  // Takes note of what was pulled: an end and a failure have nothing behind them.
  void note(const Result<const EventBatch*>& pulled);
  // Error: cancelled, when the client is gone: nothing leaves for it, and no status was seen.
  Result<void> check_client() const;
  Task<void> write_streamed(EventSource& source);
  Task<void> write_whole(EventSource& source);
  Task<void> write_through(EventSource& source);
  Task<void> fold_whole(EventSource& source, Result<const EventBatch*> pulled);
  Task<void> send_raw(EventSource& source, std::string_view bytes);
  // A whole answer has left, its first bytes and its last in one piece.
  void note_sent();
  // Of an answer that is written anew; null: nothing came yet.
  Task<void> start_stream(const AnswerHead* upstream);
  Task<void> start_raw_stream(const AnswerHead& upstream);
  Task<void> start_with(Headers headers);
  Task<void> send_bytes(std::string_view bytes);
  void note_losses(const EventBatch& batch);
  // What is to be told before the event: at the end of an answer whose provider did not say what it used, the
  // estimate that the exchange was settled by.
  std::optional<UsageReport> estimate_before(const Event& event);
  Task<void> finish_with(std::string_view last_bytes);
  Task<void> keep_alive();
  // Rings when nothing has been written for keep_alive.
  void await_silence();
  // Before anything else is written. True: a keep-alive is under way, and settle_keep_alive() must be
  // awaited.
  bool stop_silence();
  Task<void> settle_keep_alive();
  AnswerContext context_with_estimate() const;
  StreamEncoder& encoder();

  Exchange& exchange_;
  ResponseWriter& response_;
  const Headers& extra_;
  ExchangeOutcome outcome_;
  std::unique_ptr<StreamEncoder> encoder_;  // the raw way needs none
  std::unique_ptr<SilenceTimer> silence_;
  std::unique_ptr<Scope> keep_alive_scope_;
  std::optional<AnswerLosses> losses_;  // of answers that are encoded
  std::string out_;
  MonoTime silent_since_{};
  bool is_writing_keep_alive_ = false;
  bool states_output_ = false;  // the provider said how many tokens its answer has
  bool is_over_ = false;        // the source gave its end or its failure
};

}  // namespace weir
