// The provider half of the Responses dialect: requests from the IR, or the client's own bytes with a splice.
#include <algorithm>
#include <fmt/core.h>

#include "codec/answer_schema.h"
#include "codec/openai_decode.h"
#include "codec/openai_responses.h"
#include "codec/openai_responses_decode.h"
#include "codec/openai_responses_request.h"
#include "codec/raw_limit.h"
#include "codec/raw_metadata.h"

namespace weir {
namespace {

EncodedCall new_call(const Request& request) {
  EncodedCall call;
  call.notes.operation = operation_of(request);
  call.notes.is_streamed = is_streamed(request);
  const bool counts = call.notes.operation == Operation::count_tokens;
  call.wire.path = counts ? "/responses/input_tokens" : "/responses";
  call.wire.headers.add("content-type", "application/json");
  call.wire.headers.add("accept", call.notes.is_streamed ? "text/event-stream" : "application/json");
  return call;
}

class ResponsesProvider final : public ProviderCodec {
 public:
  Dialect dialect() const override { return Dialect::openai_responses; }

  Result<EncodedCall> encode_request(const Request& request, const TargetModel& target) const override {
    const Chat* chat = chat_of(request);
    if (!chat) {
      return fail(ErrorKind::unsupported,
                  fmt::format("this provider has no endpoint for {}", to_string(operation_of(request))));
    }
    EncodedCall call = new_call(request);
    TRY(write_responses_request(*chat, target, call));
    return call;
  }

  Result<EncodedCall> splice_request(const ClientCall& client, const Request& request,
                                     const TargetModel& target) const override {
    EncodedCall call = new_call(request);
    const JsonValue model = client.body->root()["model"];
    std::vector<JsonEdit> edits;
    RawLimit limit(request, target);
    if (limit.is_over()) limit.clamp(client.body->root()["max_output_tokens"], edits, call.notes.fidelity);
    RawMetadata metadata(client.body->root()["metadata"]);
    metadata.make_texts(edits, call.notes.fidelity);
    std::string name;
    if (model.string_or("") != target.model) {
      append_json_string(name, target.model);
      edits.push_back({.offset = model.offset(), .length = model.raw().size(), .text = name});
    }
    std::ranges::sort(edits, {}, &JsonEdit::offset);
    call.wire.body = splice(client.body->source(), edits);
    return call;
  }

  Result<std::vector<Event>> decode_answer(const WireReply& reply, const CallNotes& notes) const override {
    if (notes.operation == Operation::count_tokens) return decode_responses_count(reply);
    return with_text_restored(TRY(decode_responses_answer(reply, notes)), notes);
  }
  std::unique_ptr<StreamDecoder> stream_decoder(const CallNotes& notes) const override {
    return with_text_restored(make_responses_stream_decoder(notes), notes);
  }
  Error decode_error(const WireReply& reply, int64_t wall_ns) const override {
    return decode_openai_error(reply, wall_ns);
  }
};

}  // namespace

const ProviderCodec& openai_responses_provider() {
  static const ResponsesProvider codec;
  return codec;
}

}  // namespace weir
