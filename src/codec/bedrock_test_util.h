// For tests of Bedrock's dialects: calls, targets, and messages of an event stream as text.
#pragma once

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "codec/anthropic_test_util.h"
#include "codec/bedrock_converse.h"
#include "codec/bedrock_invoke.h"
#include "codec/bedrock_wire.h"

namespace weir::test {

inline constexpr std::string_view kClaude = "anthropic.claude-3-5-sonnet-20241022-v2:0";

inline ClientCall model_call(const ClientCodec& codec, std::string body, std::string_view model = kClaude,
                             Headers headers = {}) {
  ClientCall call = client_call(codec.dialect(), std::move(body), std::move(headers));
  call.path_model = model;
  return call;
}

inline Result<Request> decode_with(const ClientCodec& codec, std::string body,
                                   std::string_view model = kClaude, Headers headers = {}) {
  return codec.decode_request(model_call(codec, std::move(body), model, std::move(headers)));
}

// The chat of a Converse request that must decode.
inline Chat converse_chat(std::string body) {
  Result<Request> request = decode_with(bedrock_converse_client(), std::move(body));
  EXPECT_TRUE(request) << (request ? "" : request.error().message);
  return request ? std::get<Chat>(*request) : Chat{};
}

inline Result<EncodedCall> encode_for(const ProviderCodec& codec, const Request& request,
                                      std::string_view model = kClaude, const Capabilities& caps = {}) {
  return codec.encode_request(request, {.model = model, .capabilities = &caps});
}

// A request of Anthropic's dialect as Converse gets it.
inline Result<EncodedCall> to_converse(std::string anthropic_body, std::string_view model = kClaude,
                                       const Capabilities& caps = {}) {
  return encode_for(bedrock_converse_provider(), messages_chat(std::move(anthropic_body)), model, caps);
}

// "field: value" of a wrong request.
inline std::string error_of(const Result<Request>& request) {
  return request ? "no error" : request.error().path + ": " + request.error().message;
}

inline UsageReport usage_report(int64_t input, int64_t output, std::optional<int64_t> read = {},
                                std::optional<int64_t> written = {}) {
  UsageReport report;
  report.usage.in_uncached = input;
  report.usage.cache_read = read;
  report.usage.cache_write_5m = written;
  report.usage.out_text = output;
  return report;
}

struct Frame {
  std::string type;
  std::string payload;
};

inline std::string frames(const std::vector<Frame>& list) {
  std::string out;
  for (const Frame& frame : list) append_bedrock_event(out, frame.type, frame.payload);
  return out;
}

// Events of InvokeModel: each text is one event of the model's vendor.
inline std::string chunks(const std::vector<std::string>& events) {
  std::string out;
  for (const std::string& event : events)
    append_bedrock_event(out, "chunk", R"({"bytes":")" + base64_encode(event) + R"("})");
  return out;
}

// One line for each message: its type and payload; what is in `bytes` decoded.
inline std::string describe_frames(std::string_view bytes) {
  EventStreamDecoder decoder;
  std::string out;
  for (;;) {
    const auto message = decoder.next(bytes);
    if (!message) return out + "broken: " + message.error().message;
    if (!*message) return decoder.is_at_boundary() ? out : out + "cut";
    const EventStreamMessage& frame = **message;
    const std::string_view exception = frame.header(":exception-type").value_or("");
    out += frame.header(":event-type").value_or(exception);
    const Result<JsonDoc> parsed = JsonDoc::parse(std::string(frame.payload));
    const std::string_view inner = parsed ? parsed->root()["bytes"].string_or("") : "";
    out += " " + (inner.empty() ? std::string(frame.payload) : base64_decode(inner).value_or("?")) + "\n";
  }
}

}  // namespace weir::test
