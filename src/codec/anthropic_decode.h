// Answers of providers that speak Anthropic's dialect.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "llm/codec.h"

namespace weir {

Result<std::vector<Event>> decode_anthropic_answer(const WireReply& reply, const CallNotes& notes);
// {"input_tokens": n}
Result<std::vector<Event>> decode_anthropic_count(const WireReply& reply);
std::unique_ptr<StreamDecoder> make_anthropic_stream_decoder(const CallNotes& notes);
// An answer with a status other than 2xx.
Error decode_anthropic_error(const WireReply& reply, int64_t wall_ns);
// The `error` object of an answer or of a stream event; `status` 0 for a stream.
Error anthropic_error_of(JsonValue error, int status);

Start decode_anthropic_start(JsonValue message);
// The disjoint buckets of a `usage` object: only those that it states. `before` is what an earlier report of
// the same answer said, which tells how cache writes were split when a later one gives only their sum.
Usage decode_anthropic_usage(JsonValue usage, const Usage& before);
StopReason decode_anthropic_stop(std::string_view reason);
// The start of a content block, without choice and index.
BlockStart decode_anthropic_block(JsonValue block, const CallNotes& notes);

}  // namespace weir
