// Fuzzes the Anthropic dialect. An input that is JSON is a request: what decodes also encodes for this
// dialect and OpenAI's, and the first of those decodes again. Any input is a stream too: what it becomes for
// clients does not depend on the cut.
#include "codec/anthropic.h"
#include "codec/openai.h"
#include "codec/test_fuzz.h"

namespace weir {
namespace {

const Capabilities kCapabilities;

void request(std::string_view input) {
  ClientCall call;
  call.dialect = Dialect::anthropic_messages;
  call.body = json_of(input);
  if (!call.body) return;
  const Result<Request> decoded = anthropic_messages_client().decode_request(call);
  if (!decoded) return;
  const TargetModel target{.model = "m", .capabilities = &kCapabilities};
  (void)openai_chat_provider().encode_request(*decoded, target);
  if (!anthropic_messages_provider().splice_request(call, *decoded, target)) __builtin_trap();
  const Result<EncodedCall> encoded = anthropic_messages_provider().encode_request(*decoded, target);
  if (!encoded) return;
  call.body = json_of(encoded->wire.body);
  if (!call.body || !anthropic_messages_client().decode_request(call)) __builtin_trap();
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  request(input);
  expect_same_in_any_cut(anthropic_messages_provider(), input);
  return 0;
}
