// Answers in Anthropic's dialect: whole, streamed, and errors.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "llm/codec.h"

namespace weir {

inline constexpr std::string_view kAnthropicBeta = "anthropic-beta";  // the header, and its ExtraField

std::unique_ptr<StreamEncoder> make_anthropic_stream_encoder(AnswerContext context);
ClientReply encode_anthropic_answer(const Answer& answer, const AnswerContext& context);
ClientReply encode_anthropic_error(const Error& error, std::string_view request_id);

// "end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal" or
// "model_context_window_exceeded".
std::string_view anthropic_stop_reason(StopReason reason);
// With the estimate where the provider states no input.
Usage with_estimate(Usage usage, const AnswerContext& context);
// The `usage` object: input_tokens without what the cache gave or took (translation.md 4.6.2).
void write_anthropic_usage(JsonWriter& json, const Usage& usage, std::string_view service_tier);
// That of a message_delta, which has neither the split of what the cache took nor a tier.
void write_anthropic_delta_usage(JsonWriter& json, const Usage& usage);
// {"type","message","details"?}
void write_anthropic_error(JsonWriter& json, const Error& error);
// The provider's id when it has the vendor's form, else one made of the exchange's: "msg_...".
std::string anthropic_answer_id(std::string_view provider_id, std::string_view exchange_id);
// The members of a message before `content`: id, type, role, model.
void write_anthropic_message_head(JsonWriter& json, const Start& start, const AnswerContext& context);
// A call that the vendor ran itself (server_tool_use, mcp_tool_use): `raw` as it was, with this input.
void write_anthropic_server_call(JsonWriter& json, std::string_view raw, std::string_view input);

}  // namespace weir
