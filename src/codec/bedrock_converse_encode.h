// Answers in Bedrock's Converse dialect, whole and streamed.
#pragma once

#include <memory>
#include <string_view>

#include "base/json.h"
#include "llm/codec.h"

namespace weir {

std::unique_ptr<StreamEncoder> make_converse_stream_encoder(AnswerContext context);
ClientReply encode_converse_answer(const Answer& answer, const AnswerContext& context);

// A stop reason of the service model.
std::string_view converse_stop_reason(StopReason reason);
// The `usage` object: inputTokens without what the cache gave or took (translation.md 4.6.2).
void write_converse_usage(JsonWriter& json, const Usage& usage);
// The member `additionalModelResponseFields`, when there is something to say and the caller asked for it.
void write_converse_response_fields(JsonWriter& json, const Finish& finish, const AnswerContext& context);
// {"latencyMs"}
void write_converse_metrics(JsonWriter& json, const AnswerContext& context);
// Base64 for a blob: the data itself where it is base64, else its encoding.
std::string converse_blob(std::string_view data);
// An id that the SDKs' model takes: [a-zA-Z0-9_-]{1,64}.
std::string converse_call_id(std::string_view id);

}  // namespace weir
