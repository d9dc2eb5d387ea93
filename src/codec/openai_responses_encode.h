// Answers in the Responses dialect: whole and streamed.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "llm/codec.h"

namespace weir {

std::unique_ptr<StreamEncoder> make_responses_stream_encoder(AnswerContext context);
ClientReply encode_responses_answer(const Answer& answer, const AnswerContext& context);

// ---- The parts that both are made of

// A part of a message: a block of kind text or refusal, and the logprobs (an array) of its text.
struct ResponsesPart {
  AnswerBlock block;
  std::string logprobs = "[]";
  int64_t starts_at = 0;  // in all of the answer's text, in characters
};

// Where an answer stands, and how it ended. translation.md 4.6.1.
struct ResponsesStatus {
  std::string_view status = "in_progress";
  std::string_view incomplete_reason{};  // status incomplete; empty: the dialect has no word for it
  std::string_view error_code{};         // status failed
  std::string_view error_message{};
};
ResponsesStatus responses_status(StopReason reason);
// The code of response.error, out of the vendor's closed list.
std::string_view responses_error_code(const Error& error);

// What a refusal says when the provider gave no words for it: the dialect knows refusals only as a part.
inline constexpr std::string_view kResponsesRefusal = "The model refused to answer.";

// The response object, with the settings of the request that it repeats. `output`: the items, an array.
// `usage`: null leaves it out.
void write_response(JsonWriter& json, const AnswerContext& context, const Start& start,
                    const ResponsesStatus& status, std::string_view output, const Usage* usage);

// An id of that kind for the item at that place, made of the exchange's: "msg_..._0".
std::string responses_item_id(std::string_view prefix, std::string_view exchange_id, size_t place);
// Whether it is such an id: a vendor's ends without a place.
bool is_responses_item_id(std::string_view id);

// What it cites, in this dialect's form.
std::vector<std::string> responses_citations(const ResponsesPart& part);
void write_responses_part(JsonWriter& json, const ResponsesPart& part);
void write_responses_message(JsonWriter& json, std::string_view id, std::string_view status,
                             std::span<const ResponsesPart> parts);
void write_responses_call(JsonWriter& json, std::string_view id, std::string_view status,
                          const AnswerBlock& call);
void write_responses_reasoning(JsonWriter& json, std::string_view id, const AnswerBlock& thinking);
// `image.raw`: its mime type, where that is known.
void write_responses_image(JsonWriter& json, std::string_view id, std::string_view status,
                           const AnswerBlock& image);

// "msg", "fc", "ctc", "rs" or "ig".
std::string_view responses_id_prefix(BlockKind kind, ToolKind tool_kind);

}  // namespace weir
