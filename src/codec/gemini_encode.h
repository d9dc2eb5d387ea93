// Answers in Google's dialect: whole, streamed, and errors.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "llm/codec.h"

namespace weir {

enum class GeminiFraming : uint8_t {
  events,  // alt=sse: one server-sent event for each chunk
  array,   // without it: the chunks are the elements of one JSON array
};

std::unique_ptr<StreamEncoder> make_gemini_stream_encoder(AnswerContext context, GeminiFraming framing);
ClientReply encode_gemini_answer(const Answer& answer, const AnswerContext& context);
ClientReply encode_gemini_error(const Error& error);

// "STOP", "MAX_TOKENS", ...: the provider's own word where it is one of this dialect.
std::string_view gemini_finish_reason(const Finish& finish);
// The `usageMetadata` object: the prompt includes what was cached, the candidates leave the thoughts out.
void write_gemini_usage(JsonWriter& json, const Usage& usage);
// {"code","message","status","details"}
void write_gemini_error(JsonWriter& json, const Error& error);
// The members of a chunk behind its candidates: modelVersion, responseId.
void write_gemini_tail(JsonWriter& json, const Start& start, const AnswerContext& context);
// OpenAI-shaped logprobs as a `logprobsResult` object.
void write_gemini_logprobs(JsonWriter& json, std::span<const std::string> pieces);
// What citations (each in the form that citation_forms gives) say beside the parts: citationMetadata,
// groundingMetadata, urlContextMetadata.
void write_gemini_citations(JsonWriter& json, std::span<const std::string> citations);
// The type of an image or audio block: as it was said, else the usual one.
std::string_view gemini_mime(const AnswerBlock& block);
// A whole part for a tool call. A call without arguments has none; those that are no object are wrapped.
void write_gemini_call(JsonWriter& json, const AnswerBlock& block);

}  // namespace weir
