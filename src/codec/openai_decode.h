// Answers of providers that speak OpenAI's chat dialect.
#pragma once

#include <memory>
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

// The disjoint buckets of a `usage` object (translation.md 4.6.2). The vendor's counts include what was
// cached.
Usage decode_openai_usage(JsonValue usage);
// "stop" and its kin; a finish reason that only says stop although tools were called is repaired to `tool`.
StopReason decode_openai_finish(std::string_view reason, bool has_tool_calls);

}  // namespace weir
