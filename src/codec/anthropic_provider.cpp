// The provider half of Anthropic's dialect: requests from the IR, or the client's own bytes with a splice.
#include <algorithm>
#include <fmt/core.h>

#include "base/encoding.h"
#include "codec/answer_schema.h"
#include "codec/anthropic.h"
#include "codec/anthropic_decode.h"
#include "codec/anthropic_encode.h"
#include "codec/anthropic_request.h"
#include "codec/raw_limit.h"
#include "codec/raw_metadata.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::anthropic_messages;
constexpr std::string_view kVersionHeader = "anthropic-version";
// The version that every server of this dialect knows.
constexpr std::string_view kVersion = "2023-06-01";

std::string path_of(const CallNotes& notes, const TargetModel& target) {
  const bool counts = notes.operation == Operation::count_tokens;
  if (!target.capabilities->quirks.vertex_anthropic) {
    return counts ? "/v1/messages/count_tokens" : "/v1/messages";
  }
  if (counts) return "/publishers/anthropic/models/count-tokens:rawPredict";
  return fmt::format("/publishers/anthropic/models/{}:{}", percent_encode(target.model, UrlPart::segment),
                     notes.is_streamed ? "streamRawPredict" : "rawPredict");
}

// Vertex AI takes the model in the path, but for counting, and the version in the body.
AnthropicFraming framing_of(const CallNotes& notes, const TargetModel& target) {
  if (!target.capabilities->quirks.vertex_anthropic) return {};
  return {.body_version = kVertexAnthropicVersion, .has_model = notes.operation == Operation::count_tokens};
}

EncodedCall new_call(const Request& request, const TargetModel& target) {
  EncodedCall call;
  call.notes.operation = operation_of(request);
  call.notes.is_streamed = is_streamed(request);
  call.wire.path = path_of(call.notes, target);
  call.wire.headers.add("content-type", "application/json");
  call.wire.headers.add("accept", call.notes.is_streamed ? "text/event-stream" : "application/json");
  return call;
}

// The member of an object with what separates it from its neighbours. REQUIRES that it is there.
JsonEdit removal_of(JsonValue object, JsonValue member) {
  size_t before = object.offset() + 1;
  for (const JsonValue other : object) {
    if (other.offset() > member.offset()) {
      return {.offset = member.key_offset(), .length = other.key_offset() - member.key_offset(), .text = {}};
    }
    if (other.offset() < member.offset()) before = other.offset() + other.raw().size();
  }
  return {.offset = before, .length = member.offset() + member.raw().size() - before, .text = {}};
}

// The client's body as Vertex AI takes it: with the version, and the model gone into the path.
// `edits`: what else is to change.
std::string splice_for_vertex(const JsonDoc& body, const CallNotes& notes, std::string_view model_text,
                              std::vector<JsonEdit> edits) {
  const JsonValue root = body.root();
  const JsonValue model = root["model"];
  const JsonValue version = root[kAnthropicVersionField];
  const std::string version_text = fmt::format("\"{}\"", kVertexAnthropicVersion);
  const std::string version_member = fmt::format("\"{}\":{}", kAnthropicVersionField, version_text);
  std::string model_member;
  if (version) {
    edits.push_back({.offset = version.offset(), .length = version.raw().size(), .text = version_text});
  }
  const size_t model_end = model.offset() + model.raw().size();
  if (notes.operation == Operation::count_tokens) {
    model_member = version ? std::string(model_text) : fmt::format("{},{}", model_text, version_member);
    edits.push_back({.offset = model.offset(), .length = model.raw().size(), .text = model_member});
  } else if (version) {
    edits.push_back(removal_of(root, model));
  } else {
    edits.push_back(
        {.offset = model.key_offset(), .length = model_end - model.key_offset(), .text = version_member});
  }
  std::ranges::sort(edits, {}, &JsonEdit::offset);
  return splice(body.source(), edits);
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
    EncodedCall call = new_call(request, target);
    call.wire.headers.add(kVersionHeader, kVersion);
    TRY(write_anthropic_request(*chat, target, call, framing_of(call.notes, target)));
    return call;
  }

  Result<EncodedCall> splice_request(const ClientCall& client, const Request& request,
                                     const TargetModel& target) const override {
    EncodedCall call = new_call(request, target);
    for (const HeaderField field : client.headers) {
      if (equals_ignoring_case(field.name, kVersionHeader) ||
          equals_ignoring_case(field.name, kAnthropicBeta))
        call.wire.headers.add(field.name, field.value);
    }
    if (!call.wire.headers.contains(kVersionHeader)) call.wire.headers.add(kVersionHeader, kVersion);
    const JsonValue model = client.body->root()["model"];
    std::vector<JsonEdit> edits;
    RawLimit limit(request, target);
    if (limit.is_over()) limit.clamp(client.body->root()["max_tokens"], edits, call.notes.fidelity);
    RawMetadata metadata(client.body->root()["metadata"]);
    metadata.keep_only("user_id", edits, call.notes.fidelity);
    std::string name;
    append_json_string(name, target.model);
    if (target.capabilities->quirks.vertex_anthropic) {
      call.wire.body = splice_for_vertex(*client.body, call.notes, name, std::move(edits));
      return call;
    }
    if (model.string_or("") != target.model) {
      edits.push_back({.offset = model.offset(), .length = model.raw().size(), .text = name});
    }
    std::ranges::sort(edits, {}, &JsonEdit::offset);
    if (edits.empty()) {
      call.wire.client_body = client.body->source();
    } else {
      call.wire.body = splice(client.body->source(), edits);
    }
    return call;
  }

  Result<std::vector<Event>> decode_answer(const WireReply& reply, const CallNotes& notes) const override {
    if (notes.operation == Operation::count_tokens) return decode_anthropic_count(reply);
    return with_text_restored(TRY(decode_anthropic_answer(reply, notes)), notes);
  }
  std::unique_ptr<StreamDecoder> stream_decoder(const CallNotes& notes) const override {
    return with_text_restored(make_anthropic_stream_decoder(notes), notes);
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
