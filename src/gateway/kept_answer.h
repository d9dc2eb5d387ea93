// Reads along an answer and keeps what the next request of its caller may need: the turn with its signatures,
// and the whole answer where it can be continued by its id.
#pragma once

#include "gateway/exchange.h"
#include "gateway/kept_texts.h"
#include "llm/event_source.h"

namespace weir {

struct AnswerKeepers {
  KeptTexts* turns = nullptr;      // null: turns are not kept
  KeptTexts* responses = nullptr;  // the same
  bool empty() const { return !turns && !responses; }
};

// The source itself when nothing of it has to be kept. What is kept is there before the client sees the end
// of the answer.
std::unique_ptr<EventSource> keep_answer(Exchange& exchange, std::unique_ptr<EventSource> source,
                                         AnswerKeepers keepers);

}  // namespace weir
