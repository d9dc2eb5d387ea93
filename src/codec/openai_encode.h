// Answers in OpenAI's chat dialect: whole, streamed, and errors.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "codec/citations.h"
#include "llm/codec.h"

namespace weir {

// The fields of a message or a delta that its thinking stands in: `reasoning_content`, and for clients that
// look for that name `reasoning` too.
enum class ReasoningFields : uint8_t { content, both };

std::unique_ptr<StreamEncoder> make_openai_stream_encoder(AnswerContext context,
                                                          ReasoningFields fields = ReasoningFields::content);
ClientReply encode_openai_answer(const Answer& answer, const AnswerContext& context,
                                 ReasoningFields fields = ReasoningFields::content);
// An element of `images` of a message or a delta: the extension that servers of the dialect give pictures in.
void write_openai_image(JsonWriter& json, const AnswerBlock& block);
// What a message, or a delta of a stream, cites: `annotations`, and in `provider_metadata` a copy of each
// citation that they do not hold all of, in the vendor's own words and under its dialect's name:
// {"anthropic_messages":{"citations":[...]}}.
struct OpenAiCitations {
  std::vector<std::string> annotations{};
  std::vector<std::string> copies{};
  Dialect copied_from = Dialect::openai_chat;  // an answer has citations of one vendor

  void add(Dialect source, std::string_view raw, CitedRange range);
  bool empty() const { return annotations.empty() && copies.empty(); }
};
void write_openai_citations(JsonWriter& json, const OpenAiCitations& citations);
ClientReply encode_openai_error(const Error& error, std::string_view request_id);

// "stop", "length", "tool_calls" or "content_filter". `has_refusal`: the message says the refusal in its own
// field, and then the vendor calls it an ordinary stop, which its SDKs rely on.
std::string_view openai_finish_reason(StopReason reason, bool has_refusal);
// Whether the request said `functions`, from before there were tools: its answers say function_call.
bool has_legacy_functions(const AnswerContext& context);
// The member `stop_reason` of a choice, by which servers of the dialect name the stop sequence that matched.
// Nothing where the target did not say which one. And the member `error`, where the model did not get its
// call of a tool right: the dialect has no reason for that, and "stop" alone looks like an ordinary end.
void write_openai_stop(JsonWriter& json, const Finish& finish);
// {"prompt_tokens":...}: prompt tokens include what was cached (translation.md 4.6.2).
void write_openai_usage(JsonWriter& json, const Usage& usage);
// {"message","type","param","code"}: all four keys, as the vendor's schema requires.
void write_openai_error(JsonWriter& json, const Error& error);
// The provider's id when it has the vendor's form, else one made of the exchange's: "chatcmpl-...".
std::string openai_answer_id(std::string_view prefix, std::string_view provider_id,
                             std::string_view exchange_id);

}  // namespace weir
