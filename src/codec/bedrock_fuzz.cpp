// Fuzzes Bedrock's dialects. An input that is JSON is a request of each kind: what decodes also encodes for
// every dialect, and Converse's form decodes again. Any input is a stream too, as it is and as the payload of
// events that are framed well: events do not depend on the cut, and what they make is written for clients of
// every dialect without a crash.
#include <array>
#include <cstdlib>

#include "base/encoding.h"
#include "codec/bedrock_converse.h"
#include "codec/bedrock_invoke.h"
#include "codec/bedrock_wire.h"
#include "codec/codecs.h"

namespace weir {
namespace {

const Request kAnyRequest = Chat{};
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
    Result<JsonDoc> again = JsonDoc::parse(encoded->wire.body);
    if (!again) __builtin_trap();
    if (encoded->notes.operation == Operation::count_tokens) continue;
    call.body = std::make_shared<const JsonDoc>(std::move(*again));
    if (!bedrock_converse_client().decode_request(call)) __builtin_trap();
  }
}

std::string stream(const ProviderCodec& codec, std::string_view input, size_t step) {
  const auto decoder = codec.stream_decoder({});
  const AnswerContext context{.exchange_id = "ex_1", .model = "m", .request = &kAnyRequest};
  std::vector<Event> events;
  std::string forwarded;
  bool is_well = true;
  for (size_t at = 0; at < input.size() && is_well; at += step) {
    const std::string piece(input.substr(at, step));
    is_well = decoder->feed(piece, events).has_value();
    forwarded += decoder->forwardable();
  }
  if (is_well) is_well = decoder->finish(events).has_value();
  std::string out;
  for (size_t dialect = 0; dialect < kDialectCount; ++dialect) {
    const auto encoder = chat_client_codec(static_cast<Dialect>(dialect), true).stream_encoder(context);
    for (const Event& event : events) encoder->encode(event, out);
  }
  return out + forwarded + (is_well ? "well" : "failed");
}

void expect_same_in_any_cut(const ProviderCodec& codec, const std::string& input, size_t step) {
  if (input.empty()) return;
  const std::string whole = stream(codec, input, input.size());
  if (whole != stream(codec, input, 1) || whole != stream(codec, input, step)) __builtin_trap();
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
  if (Result<JsonDoc> parsed = JsonDoc::parse(std::string(input))) {
    const auto body = std::make_shared<const JsonDoc>(std::move(*parsed));
    for (const ClientCodec* client :
         {&bedrock_converse_client(), &bedrock_invoke_client(), &bedrock_count_tokens_client()})
      request(*client, body);
  }
  const Headers none;
  for (const ProviderCodec* codec : {&bedrock_converse_provider(), &bedrock_invoke_provider()}) {
    const size_t step = 1 + data[0] % 61U;
    expect_same_in_any_cut(*codec, std::string(input), step);
    expect_same_in_any_cut(*codec, framed(input, codec == &bedrock_converse_provider()), step);
    (void)codec->decode_answer({.headers = &none, .body = input}, {});
    (void)codec->decode_error({.status = 400, .headers = &none, .body = input}, 0);
  }
  return 0;
}
