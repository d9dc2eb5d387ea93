// Fuzzes OpenAI's chat dialect. An input that is JSON is a request: what decodes is spliced and encoded for
// this dialect, plainly and with every quirk, to a body that decodes again, and for Anthropic's. Any input is
// a stream too: what it becomes for clients does not depend on the cut.
#include "codec/anthropic.h"
#include "codec/openai.h"
#include "codec/test_fuzz.h"

namespace weir {
namespace {

const Capabilities kPlain;

Capabilities with_every_quirk() {
  Capabilities made;
  for_each_quirk([&](std::string_view, bool Quirks::* quirk) { made.quirks.*quirk = true; });
  return made;
}

void expect_decodes(const std::string& body) {
  ClientCall call;
  call.body = json_of(body);
  if (!call.body || !openai_chat_client().decode_request(call)) __builtin_trap();
}

void request(std::string_view input) {
  static const Capabilities kQuirky = with_every_quirk();
  ClientCall call;
  call.body = json_of(input);
  if (!call.body) return;
  (void)openai_completions_client().decode_request(call);
  (void)openai_embeddings_client().decode_request(call);
  const Result<Request> decoded = openai_chat_client().decode_request(call);
  if (!decoded) return;
  const TargetModel plain{.model = "m", .capabilities = &kPlain};
  const TargetModel quirky{.model = "m", .capabilities = &kQuirky};
  const Result<EncodedCall> spliced = openai_chat_provider().splice_request(call, *decoded, plain);
  if (!spliced) __builtin_trap();
  expect_decodes(std::string(spliced->wire.bytes()));
  if (const Result<EncodedCall> encoded = openai_chat_provider().encode_request(*decoded, plain)) {
    expect_decodes(encoded->wire.body);
  }
  if (const Result<EncodedCall> encoded = openai_chat_provider().encode_request(*decoded, quirky)) {
    if (!JsonDoc::parse(encoded->wire.body)) __builtin_trap();
  }
  (void)anthropic_messages_provider().encode_request(*decoded, plain);
}

void whole(std::string_view input) {
  const Headers headers;
  (void)openai_chat_provider().decode_answer({.headers = &headers, .body = input}, {});
  (void)openai_chat_provider().decode_error({.status = 400, .headers = &headers, .body = input}, 0);
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  request(input);
  whole(input);
  expect_same_in_any_cut(openai_chat_provider(), input, {&openai_completions_client()});
  return 0;
}
