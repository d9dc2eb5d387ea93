// Answers of providers that speak OpenAI's chat dialect.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "llm/codec.h"

namespace weir {

Result<std::vector<Event>> decode_openai_answer(const WireReply& reply, const CallNotes& notes);
std::unique_ptr<StreamDecoder> make_openai_stream_decoder(const CallNotes& notes);
// An answer with a status other than 2xx.
Error decode_openai_error(const WireReply& reply, int64_t wall_ns);
// The `error` object of an answer or of a stream event; `status` 0 for a stream.
Error openai_error_of(JsonValue error, int status);
// Whether a choice ended in an error (OpenRouter's finish_reason).
inline bool is_openai_choice_error(std::string_view finish_reason) {
  return finish_reason == "error";
}
// That error: the choice's own, or the one `beside` the choices.
Error openai_choice_error(JsonValue choice, JsonValue beside, int status);

// What an answer, or the first chunk of a stream, says of itself.
Start decode_openai_start(JsonValue root);
// The disjoint buckets of a `usage` object (translation.md 4.6.2). The vendor's counts include what was
// cached, and reasoning unless the notes say otherwise.
Usage decode_openai_usage(JsonValue usage, const CallNotes& notes);

// What a choice was seen to hold, which tells more than its finish reason.
struct SeenBlocks {
  bool has_tool_calls = false;
  bool has_refusal = false;
};
// "stop" and its kin. A reason that only says stop is repaired to `tool` when tools were called, and to
// `refusal` when the model refused: the vendor reports a refusal as an ordinary end.
StopReason decode_openai_finish(std::string_view reason, const SeenBlocks& seen);
// The same with the stop sequence that matched, where the server says it: `stop_reason` as a choice has it, a
// sequence or the number of a token.
Finish openai_finish(int choice, std::string_view reason, std::string_view stop_reason,
                     const SeenBlocks& seen, const CallNotes& notes);

}  // namespace weir
