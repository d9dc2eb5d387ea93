// Fuzzes Bedrock's dialects. An input that is JSON is a request of each kind: what decodes also encodes for
// every dialect, and Converse's form decodes again. Any input is a stream too, as it is and as the payload of
// events that are framed well: what it becomes for clients does not depend on the cut.
#include <array>

#include "base/encoding.h"
#include "codec/bedrock_converse.h"
#include "codec/bedrock_invoke.h"
#include "codec/bedrock_wire.h"
#include "codec/test_fuzz.h"

namespace weir {
namespace {

const Capabilities kCapabilities;
constexpr std::array kOthers = {Dialect::openai_chat, Dialect::openai_responses, Dialect::anthropic_messages,
                                Dialect::gemini};
constexpr std::array<std::string_view, 6> kModels = {"anthropic.claude-x",         "amazon.nova-x",
                                                     "amazon.titan-text-x",        "us.meta.llama3-x",
                                                     "mistral.mistral-large-2407", "cohere.command-r"};

void request(const ClientCodec& client, const std::shared_ptr<const JsonDoc>& body) {
  ClientCall call;
  call.dialect = client.dialect();
  call.path_model = "anthropic.claude-x";
  call.body = body;
  const Result<Request> decoded = client.decode_request(call);
  if (!decoded) return;
  const TargetModel plain{.model = "m", .capabilities = &kCapabilities};
  for (const Dialect dialect : kOthers) {
    const Result<EncodedCall> encoded = provider_codec(dialect).encode_request(*decoded, plain);
    if (encoded && !JsonDoc::parse(encoded->wire.body)) __builtin_trap();
  }
  for (const std::string_view model : kModels) {
    const TargetModel target{.model = model, .capabilities = &kCapabilities};
    const Result<EncodedCall> invoke = bedrock_invoke_provider().encode_request(*decoded, target);
    if (invoke && !JsonDoc::parse(invoke->wire.body)) __builtin_trap();
    const Result<EncodedCall> encoded = bedrock_converse_provider().encode_request(*decoded, target);
    if (!encoded) continue;
    call.body = json_of(encoded->wire.body);
    if (!call.body) __builtin_trap();
    if (encoded->notes.operation == Operation::count_tokens) continue;
    if (!bedrock_converse_client().decode_request(call)) __builtin_trap();
  }
}

// Each line of the input is one event: its name, a space, its payload; for InvokeModel its bytes.
std::string framed(std::string_view input, bool is_converse) {
  std::string out;
  while (!input.empty()) {
    const std::string_view line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(input.size(), line.size() + 1));
    const size_t space = line.find(' ');
    if (!is_converse) {
      append_bedrock_event(out, "chunk", R"({"bytes":")" + base64_encode(line) + R"("})");
    } else if (space != std::string_view::npos && space > 0 && space < 64) {
      append_bedrock_event(out, line.substr(0, space), line.substr(space + 1));
    }
  }
  return out;
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir;
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const std::shared_ptr<const JsonDoc> body = json_of(input)) {
    for (const ClientCodec* client :
         {&bedrock_converse_client(), &bedrock_invoke_client(), &bedrock_count_tokens_client()})
      request(*client, body);
  }
  const Headers none;
  for (const ProviderCodec* codec : {&bedrock_converse_provider(), &bedrock_invoke_provider()}) {
    expect_same_in_any_cut(*codec, input);
    expect_same_in_any_cut(*codec, framed(input, codec == &bedrock_converse_provider()));
    (void)codec->decode_answer({.headers = &none, .body = input}, {});
    (void)codec->decode_error({.status = 400, .headers = &none, .body = input}, 0);
  }
  return 0;
}
