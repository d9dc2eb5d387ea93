// The provider half of InvokeModel: the body that the model's family reads, in Bedrock's framing.
#include <algorithm>
#include <fmt/core.h>

#include "base/encoding.h"
#include "codec/answer_schema.h"
#include "codec/anthropic_request.h"
#include "codec/bedrock_betas.h"
#include "codec/bedrock_claude_tools.h"
#include "codec/bedrock_converse_decode.h"
#include "codec/bedrock_converse_request.h"
#include "codec/bedrock_invoke.h"
#include "codec/bedrock_invoke_decode.h"
#include "codec/bedrock_invoke_embeddings.h"
#include "codec/bedrock_invoke_encode.h"
#include "codec/bedrock_invoke_prompts.h"
#include "codec/bedrock_models.h"
#include "codec/bedrock_wire.h"
#include "codec/provider_json.h"
#include "codec/raw_limit.h"
#include "codec/raw_metadata.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::bedrock_invoke;

Result<EncodedCall> new_call(const Request& request, const TargetModel& target) {
  EncodedCall call;
  call.notes.operation = operation_of(request);
  call.notes.is_streamed = is_streamed(request);
  if (call.notes.operation == Operation::count_tokens) {
    // The service counts for models, not for profiles of them.
    call.wire.path = TRY(bedrock_path(bedrock_base_model(target.model), "count-tokens"));
  } else {
    call.wire.path =
        TRY(bedrock_path(target.model, call.notes.is_streamed ? "invoke-with-response-stream" : "invoke"));
  }
  call.wire.headers.add("content-type", "application/json");
  call.wire.headers.add("accept", call.notes.is_streamed ? kEventStreamType : "application/json");
  return call;
}

// The value of a header that is kept as a JSON string.
std::string header_value(std::string_view raw) {
  const Result<JsonDoc> parsed = JsonDoc::parse(fmt::format("[{}]", raw));
  return parsed ? std::string(parsed->root().at(0).string_or("")) : std::string();
}

// Extras that are headers of the service leave the chat and become what they were.
Chat take_headers(const Chat& chat, Headers& headers) {
  Chat rest = chat;
  std::erase_if(rest.extras, [&](const ExtraField& extra) {
    if (extra.dialect != kDialect || !extra.key.starts_with(kInvokeHeaderPrefix)) return false;
    headers.add(extra.key, header_value(extra.raw.text));
    return true;
  });
  return rest;
}

Result<void> write_anthropic(const Chat& chat, const TargetModel& target, EncodedCall& call) {
  Capabilities capabilities = *target.capabilities;
  capabilities.image_url = false;  // the service fetches nothing
  if (!capabilities.json_schema) capabilities.json_schema = JsonSchemaSupport::tool;
  const TargetModel model{.model = target.model, .capabilities = &capabilities};
  return write_anthropic_request(chat, model, call,
                                 {.body_version = kInvokeVersion,
                                  .has_model = false,
                                  .has_stream = false,
                                  .betas = &bedrock_betas_of,
                                  .takes_field = &bedrock_takes_field,
                                  .takes_tool = &is_invoke_claude_tool});
}

Result<void> write_body(const Chat& chat, const TargetModel& target, EncodedCall& call) {
  const ModelFamily family = bedrock_family(target);
  switch (family) {
    case ModelFamily::anthropic:
      return write_anthropic(chat, target, call);
    case ModelFamily::nova:
      return write_converse_request(chat, target, ConverseForm::nova_body, call);
    case ModelFamily::titan:
    case ModelFamily::llama:
    case ModelFamily::mistral:
    case ModelFamily::cohere:
      return write_text_request(chat, target, family, call);
    case ModelFamily::other:
      break;
  }
  return fail(ErrorKind::unsupported,
              fmt::format("InvokeModel of {} reads a body that Weir does not know: give its capability row a "
                          "family, or use the dialect bedrock_converse",
                          target.model),
              "model");
}

// Anthropic's API wants the limit above the thinking's budget.
int64_t limit_above_budget(const std::string& body) {
  const Result<JsonDoc> written = JsonDoc::parse(body);
  return written ? written->root()["thinking"]["budget_tokens"].int_or(0) + 1 : 1;
}

// CountTokens takes a body of InvokeModel in base64, which must bound its answer.
Result<void> write_count(const Chat& chat, const TargetModel& target, EncodedCall& call) {
  if (bedrock_family(target) != ModelFamily::anthropic) {
    TRY(write_converse_request(chat, target, ConverseForm::converse, call));
    call.wire.body = fmt::format(R"({{"input":{{"converse":{}}}}})", call.wire.body);
    return {};
  }
  TRY(write_anthropic(chat, target, call));
  std::string body = std::move(call.wire.body);
  const int64_t limit = limit_above_budget(body);
  body.pop_back();
  body += fmt::format(R"(,"max_tokens":{}}})", limit);
  call.wire.body = fmt::format(R"({{"input":{{"invokeModel":{{"body":"{}"}}}}}})", base64_encode(body));
  return {};
}

class InvokeProvider final : public ProviderCodec {
 public:
  Dialect dialect() const override { return kDialect; }

  Result<EncodedCall> encode_request(const Request& request, const TargetModel& target) const override {
    EncodedCall call = TRY(new_call(request, target));
    if (const auto* embed = std::get_if<Embed>(&request)) {
      TRY(write_invoke_embed(*embed, target, call));
      return call;
    }
    const Chat* chat = chat_of(request);
    if (!chat) {
      return fail(ErrorKind::unsupported,
                  fmt::format("this provider has no endpoint for {}", to_string(operation_of(request))));
    }
    const Chat body = take_headers(*chat, call.wire.headers);
    TRY(call.notes.operation == Operation::count_tokens ? write_count(body, target, call)
                                                        : write_body(body, target, call));
    return call;
  }

  // Clients of this dialect write Anthropic's bodies.
  bool takes_raw(const ClientCall&, const TargetModel& target) const override {
    return bedrock_family(target) == ModelFamily::anthropic;
  }

  Result<EncodedCall> splice_request(const ClientCall& client, const Request& request,
                                     const TargetModel& target) const override {
    EncodedCall call = TRY(new_call(request, target));
    if (const Chat* chat = chat_of(request)) take_headers(*chat, call.wire.headers);
    RawLimit limit(request, target);
    std::vector<JsonEdit> edits;
    if (limit.is_over()) limit.clamp(client.body->root()["max_tokens"], edits, call.notes.fidelity);
    RawMetadata metadata(client.body->root()["metadata"]);
    metadata.keep_only("user_id", edits, call.notes.fidelity);
    std::ranges::sort(edits, {}, &JsonEdit::offset);
    call.wire.body = splice(client.body->source(), edits);
    return call;
  }

  Result<std::vector<Event>> decode_answer(const WireReply& reply, const CallNotes& notes) const override {
    if (notes.operation == Operation::embeddings) return decode_invoke_embed(reply);
    if (notes.operation != Operation::count_tokens)
      return with_text_restored(TRY(decode_invoke_answer(reply, notes)), notes);
    JsonScratch scratch;
    const JsonValue root = TRY(parse_answer(scratch, reply.body));
    return decode_converse_count(root);
  }
  std::unique_ptr<StreamDecoder> stream_decoder(const CallNotes& notes) const override {
    return with_text_restored(make_invoke_stream_decoder(notes), notes);
  }
  Error decode_error(const WireReply& reply, int64_t wall_ns) const override {
    return decode_bedrock_error(reply, wall_ns);
  }
};

}  // namespace

const ProviderCodec& bedrock_invoke_provider() {
  static const InvokeProvider codec;
  return codec;
}

}  // namespace weir
