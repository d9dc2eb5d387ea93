// Fuzzes Google's dialect. An input that is JSON is a request: what decodes also encodes for this dialect and
// the others, and the first of those decodes again. Any input is a stream and a whole answer too: what the
// stream becomes for clients does not depend on the cut.
#include "codec/anthropic.h"
#include "codec/gemini.h"
#include "codec/openai.h"
#include "codec/test_fuzz.h"

namespace weir {
namespace {

void request(const ClientCodec& codec, std::string_view input, const Capabilities& capabilities) {
  ClientCall call;
  call.dialect = Dialect::gemini;
  call.path_model = "m";
  call.path = "/v1beta/models/m:x";
  call.body = json_of(input);
  if (!call.body) return;
  const Result<Request> decoded = codec.decode_request(call);
  if (!decoded) return;
  const TargetModel target{.model = "m", .capabilities = &capabilities};
  (void)openai_chat_provider().encode_request(*decoded, target);
  (void)anthropic_messages_provider().encode_request(*decoded, target);
  const Result<EncodedCall> spliced = gemini_provider().splice_request(call, *decoded, target);
  if (!spliced || !JsonDoc::parse(spliced->wire.body)) __builtin_trap();
  const Result<EncodedCall> encoded = gemini_provider().encode_request(*decoded, target);
  if (!encoded || operation_of(*decoded) != Operation::chat) return;
  call.body = json_of(encoded->wire.body);
  if (!call.body || !codec.decode_request(call)) __builtin_trap();
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static const Capabilities kPlain;
  static const Capabilities kOld = [] {
    Capabilities capabilities;
    capabilities.openapi_schema = true;
    capabilities.thinking = ThinkingMode::budget;
    return capabilities;
  }();
  for (const Capabilities* capabilities : {&kPlain, &kOld})
    request(gemini_generate_client(), input, *capabilities);
  for (const ClientCodec* codec :
       {&gemini_count_tokens_client(), &gemini_embed_client(), &gemini_batch_embed_client()})
    request(*codec, input, kPlain);
  const Headers headers;
  const WireReply reply{.status = 200, .headers = &headers, .body = input};
  for (const Operation operation : {Operation::chat, Operation::embeddings, Operation::count_tokens}) {
    CallNotes notes;
    notes.operation = operation;
    if (const auto events = gemini_provider().decode_answer(reply, notes))
      (void)written_for_all(*events, true);
  }
  (void)gemini_provider().decode_error(reply, 0);
  expect_same_in_any_cut(gemini_provider(), input);
  return 0;
}
