// The provider half of Bedrock's Converse dialect: requests from the IR, or the client's own bytes.
#include <fmt/core.h>

#include "codec/answer_schema.h"
#include "codec/bedrock_converse.h"
#include "codec/bedrock_converse_decode.h"
#include "codec/bedrock_converse_request.h"
#include "codec/bedrock_models.h"
#include "codec/bedrock_wire.h"
#include "codec/provider_json.h"
#include "codec/raw_limit.h"

namespace weir {
namespace {

Result<EncodedCall> new_call(const Request& request, const TargetModel& target) {
  EncodedCall call;
  call.notes.operation = operation_of(request);
  call.notes.is_streamed = is_streamed(request);
  if (call.notes.operation == Operation::count_tokens) {
    // The service counts for models, not for profiles of them.
    call.wire.path = TRY(bedrock_path(bedrock_base_model(target.model), "count-tokens"));
  } else {
    call.wire.path = TRY(bedrock_path(target.model, call.notes.is_streamed ? "converse-stream" : "converse"));
  }
  call.wire.headers.add("content-type", "application/json");
  call.wire.headers.add("accept", call.notes.is_streamed ? kEventStreamType : "application/json");
  return call;
}

class ConverseProvider final : public ProviderCodec {
 public:
  Dialect dialect() const override { return Dialect::bedrock_converse; }

  Result<EncodedCall> encode_request(const Request& request, const TargetModel& target) const override {
    const Chat* chat = chat_of(request);
    if (!chat) {
      return fail(ErrorKind::unsupported,
                  fmt::format("this provider has no endpoint for {}", to_string(operation_of(request))));
    }
    EncodedCall call = TRY(new_call(request, target));
    TRY(write_converse_request(*chat, target, ConverseForm::converse, call));
    if (call.notes.operation == Operation::count_tokens)
      call.wire.body = fmt::format(R"({{"input":{{"converse":{}}}}})", call.wire.body);
    return call;
  }

  // A request in the words of one family's models says little to another's.
  bool takes_raw(const ClientCall& call, const TargetModel& target) const override {
    static const Capabilities kUnknown;
    const ModelFamily asked = bedrock_family({.model = call.path_model, .capabilities = &kUnknown});
    return asked == ModelFamily::other || asked == bedrock_family(target);
  }

  Result<EncodedCall> splice_request(const ClientCall& client, const Request& request,
                                     const TargetModel& target) const override {
    EncodedCall call = TRY(new_call(request, target));
    RawLimit limit(request, target);
    std::vector<JsonEdit> edits;
    if (limit.is_over()) {
      limit.clamp(client.body->root()["inferenceConfig"]["maxTokens"], edits, call.notes.fidelity);
    }
    call.wire.body = splice(client.body->source(), edits);
    return call;
  }

  Result<std::vector<Event>> decode_answer(const WireReply& reply, const CallNotes& notes) const override {
    JsonScratch scratch;
    const JsonValue root = TRY(parse_answer(scratch, reply.body));
    if (notes.operation == Operation::count_tokens) return decode_converse_count(root);
    return with_text_restored(TRY(decode_converse_answer(root, notes)), notes);
  }
  std::unique_ptr<StreamDecoder> stream_decoder(const CallNotes& notes) const override {
    return with_text_restored(make_converse_stream_decoder(notes), notes);
  }
  Error decode_error(const WireReply& reply, int64_t wall_ns) const override {
    return decode_bedrock_error(reply, wall_ns);
  }
};

}  // namespace

const ProviderCodec& bedrock_converse_provider() {
  static const ConverseProvider codec;
  return codec;
}

}  // namespace weir
