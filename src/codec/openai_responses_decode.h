// Answers of providers that speak the Responses dialect.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "llm/codec.h"

namespace weir {

Result<std::vector<Event>> decode_responses_answer(const WireReply& reply, const CallNotes& notes);
// The answer of /responses/input_tokens.
Result<std::vector<Event>> decode_responses_count(const WireReply& reply);
std::unique_ptr<StreamDecoder> make_responses_stream_decoder(const CallNotes& notes);

// ---- The parts that both are made of

// What the output items were seen to hold, which tells more than the status does.
struct ResponsesSeen {
  bool has_tool_calls = false;
  bool has_refusal = false;
  int64_t web_searches = 0;
};

Start decode_responses_start(JsonValue response);
// Completed and incomplete answers. REQUIRES a response that has not failed.
Finish decode_responses_finish(JsonValue response, const ResponsesSeen& seen);
// The disjoint buckets (translation.md 4.6.2); `response` is the whole object.
Usage decode_responses_usage(JsonValue response, const ResponsesSeen& seen);
// The `error` of a response, of a body or of a stream event; `status` 0 for the first and the last.
Error responses_error_of(JsonValue error, int status);
// The text of a reasoning item: its summaries, else its content.
std::string responses_reasoning_text(JsonValue item);

// Writes output items as events of whole blocks.
class ResponsesItemDecoder {
 public:
  // `answer_id`: of the response, for calls that are given no id. `next_index`: of the next block; it rises.
  // All of them outlive the decoder.
  ResponsesItemDecoder(std::string_view answer_id, std::vector<Event>& events, int& next_index,
                       ResponsesSeen& seen, const CallNotes& notes)
      : answer_id_(answer_id), events_(events), next_index_(next_index), seen_(seen), notes_(notes) {}

  void decode(JsonValue item);
  // One part of a message's content.
  void part(JsonValue part);

 private:
  void call(JsonValue item, bool is_custom);
  void reasoning(JsonValue item);
  void image(JsonValue item);
  void unknown(JsonValue item);
  void start(BlockStart started);
  void delta(DeltaKind kind, std::string_view text);
  void end();

  const std::string_view answer_id_;
  std::vector<Event>& events_;
  int& next_index_;
  ResponsesSeen& seen_;
  const CallNotes& notes_;
};

// The id of a call: its own, else one that is made of the answer's id and the block's place.
std::string responses_call_id(JsonValue item, std::string_view answer_id, int block);
// Counts what the item tells of the end, without events.
void look_at_responses_item(JsonValue item, ResponsesSeen& seen);
// The mime type of an image_generation_call's result.
std::string responses_image_mime(JsonValue item);

}  // namespace weir
