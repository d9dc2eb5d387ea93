// The provider half of Anthropic's dialect: requests from the IR, or the client's own bytes with a splice.
#include <fmt/core.h>

#include "codec/anthropic.h"
#include "codec/anthropic_decode.h"
#include "codec/anthropic_encode.h"
#include "codec/anthropic_request.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::anthropic_messages;
constexpr std::string_view kVersionHeader = "anthropic-version";
// The version that every server of this dialect knows.
constexpr std::string_view kVersion = "2023-06-01";

EncodedCall new_call(const Request& request) {
  EncodedCall call;
  call.notes.operation = operation_of(request);
  call.notes.is_streamed = is_streamed(request);
  const bool counts = call.notes.operation == Operation::count_tokens;
  call.wire.path = counts ? "/v1/messages/count_tokens" : "/v1/messages";
  call.wire.headers.add("content-type", "application/json");
  call.wire.headers.add("accept", call.notes.is_streamed ? "text/event-stream" : "application/json");
  return call;
}

class AnthropicProvider final : public ProviderCodec {
 public:
  Dialect dialect() const override { return kDialect; }

  Result<EncodedCall> encode_request(const Request& request, const TargetModel& target) const override {
    const Chat* chat = chat_of(request);
    if (!chat) {
      return fail(ErrorKind::unsupported,
                  fmt::format("this provider has no endpoint for {}", to_string(operation_of(request))));
    }
    EncodedCall call = new_call(request);
    call.wire.headers.add(kVersionHeader, kVersion);
    TRY(write_anthropic_request(*chat, target, call));
    return call;
  }

  Result<EncodedCall> splice_request(const ClientCall& client, const Request& request,
                                     const TargetModel& target) const override {
    EncodedCall call = new_call(request);
    for (const HeaderField field : client.headers) {
      if (equals_ignoring_case(field.name, kVersionHeader) ||
          equals_ignoring_case(field.name, kAnthropicBeta))
        call.wire.headers.add(field.name, field.value);
    }
    if (!call.wire.headers.contains(kVersionHeader)) call.wire.headers.add(kVersionHeader, kVersion);
    const JsonValue model = client.body->root()["model"];
    std::vector<JsonEdit> edits;
    std::string name;
    if (model.string_or("") != target.model) {
      append_json_string(name, target.model);
      edits.push_back({.offset = model.offset(), .length = model.raw().size(), .text = name});
    }
    if (edits.empty()) {
      call.wire.client_body = client.body->source();
    } else {
      call.wire.body = splice(client.body->source(), edits);
    }
    return call;
  }

  Result<std::vector<Event>> decode_answer(const WireReply& reply, const CallNotes& notes) const override {
    if (notes.operation == Operation::count_tokens) return decode_anthropic_count(reply);
    return decode_anthropic_answer(reply, notes);
  }
  std::unique_ptr<StreamDecoder> stream_decoder(const CallNotes& notes) const override {
    return make_anthropic_stream_decoder(notes);
  }
  Error decode_error(const WireReply& reply, int64_t wall_ns) const override {
    return decode_anthropic_error(reply, wall_ns);
  }
};

}  // namespace

const ProviderCodec& anthropic_messages_provider() {
  static const AnthropicProvider codec;
  return codec;
}

}  // namespace weir
