// What Amazon Bedrock's operations have in common on the wire: errors, and messages of its event stream.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "io/event_stream.h"
#include "llm/codec.h"

namespace weir {

inline constexpr std::string_view kEventStreamType = "application/vnd.amazon.eventstream";

// Text of a delta is sent in pieces of at most this many bytes: a message of the stream has a limit.
inline constexpr size_t kBedrockDeltaBytesMax = 256 * 1024;

// Appends an event; an exception in its place when the payload is over the stream's limit.
void append_bedrock_event(std::string& out, std::string_view type, std::string_view payload);
// Appends the exception that ends a stream.
void append_bedrock_exception(std::string& out, const Error& error);
// An error answer: the header x-amzn-errortype and {"message"}.
ClientReply encode_bedrock_error(const Error& error, std::string_view request_id);

// An answer with a status other than 2xx.
Error decode_bedrock_error(const WireReply& reply, int64_t wall_ns);
// The event of a message, or the error that an exception is. The name is empty for messages without one.
Result<std::string_view> bedrock_event_type(const EventStreamMessage& message);

}  // namespace weir
