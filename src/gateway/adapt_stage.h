// The adapt stage: between route and call. Supplies what the chosen target needs of a request and what needs
// I/O or more than one call: bytes for URLs, thinking that a plain client did not send back, the conversation
// behind a response id, several choices, batches, answers that follow a schema. What it changes is a copy,
// made anew for each attempt; a request that needs nothing passes with one look at it.
#pragma once

#include "gateway/adapt_media.h"
#include "gateway/kept_answer.h"
#include "gateway/stage.h"

namespace weir {

struct AdaptParts {
  MediaFetcher media;
  // Shared by the cores; null: nothing is kept (a pipeline from inside).
  KeptTexts* turns = nullptr;
  KeptTexts* responses = nullptr;
};

class AdaptStage final : public Stage {
 public:
  explicit AdaptStage(AdaptParts parts) : parts_(std::move(parts)) {}
  std::string_view name() const override { return "adapt"; }
  // Errors: bad_request for a URL that cannot be fetched, not_found for an unknown previous_response_id,
  // unsupported in strict mode for what adapting loses, those of next.
  Task<std::unique_ptr<EventSource>> handle(Exchange& exchange, Next next) override;

 private:
  Task<std::unique_ptr<EventSource>> adapt(Exchange& exchange, Next next);
  AnswerKeepers keepers_of(const Exchange& exchange) const;
  Task<void> hash_user(Exchange& exchange);
  Task<void> adapt_chat(Exchange& exchange);
  Task<void> restore_turns(Exchange& exchange);
  Task<std::unique_ptr<EventSource>> call(Exchange& exchange, Next next);

  const AdaptParts parts_;
};

}  // namespace weir
