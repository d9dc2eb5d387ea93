// Fuzzes the Responses dialect. An input that is JSON is a request: what decodes is spliced and encoded for
// this dialect to a body that decodes again, and for the others. Any input is a stream too: what
// it becomes for clients does not depend on the cut.
#include "codec/anthropic.h"
#include "codec/openai.h"
#include "codec/openai_responses.h"
#include "codec/test_fuzz.h"

namespace weir {
namespace {

const Capabilities kPlain;

void expect_decodes(const std::string& body) {
  ClientCall call;
  call.body = json_of(body);
  if (!call.body || !openai_responses_client().decode_request(call)) __builtin_trap();
}

void request(std::string_view input) {
  ClientCall call;
  call.body = json_of(input);
  if (!call.body) return;
  const TargetModel plain{.model = "m", .capabilities = &kPlain};
  if (const Result<Request> count = openai_responses_input_tokens_client().decode_request(call)) {
    (void)openai_responses_provider().encode_request(*count, plain);
  }
  const Result<Request> decoded = openai_responses_client().decode_request(call);
  if (!decoded) return;
  const Result<EncodedCall> spliced = openai_responses_provider().splice_request(call, *decoded, plain);
  if (!spliced) __builtin_trap();
  expect_decodes(spliced->wire.body);
  if (const Result<EncodedCall> encoded = openai_responses_provider().encode_request(*decoded, plain)) {
    if (encoded->notes.fidelity.empty()) expect_decodes(encoded->wire.body);
  }
  for (const ProviderCodec* other : {&openai_chat_provider(), &anthropic_messages_provider()}) {
    const Result<EncodedCall> encoded = other->encode_request(*decoded, plain);
    if (encoded && !JsonDoc::parse(encoded->wire.body, kWrittenJson)) __builtin_trap();
  }
}

void whole(std::string_view input) {
  const Headers headers;
  const WireReply reply{.headers = &headers, .body = input};
  if (const auto events = openai_responses_provider().decode_answer(reply, {}))
    (void)written_for_all(*events, true);
  (void)openai_responses_provider().decode_error({.status = 400, .headers = &headers, .body = input}, 0);
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  request(input);
  whole(input);
  expect_same_in_any_cut(openai_responses_provider(), input);
  return 0;
}
