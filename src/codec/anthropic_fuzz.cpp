// Fuzzes the Anthropic dialect. An input that is JSON is a request: what decodes also encodes for this
// dialect and OpenAI's, and the first of those decodes again. Any input is a stream too: events do not depend
// on the cut, and what they make is written for clients without a crash.
#include <cstdlib>

#include "codec/anthropic.h"
#include "codec/openai.h"

namespace weir {
namespace {

const Request kAnyRequest = Chat{};
const Capabilities kCapabilities;

void request(std::string_view input) {
  Result<JsonDoc> parsed = JsonDoc::parse(std::string(input));
  if (!parsed) return;
  ClientCall call;
  call.dialect = Dialect::anthropic_messages;
  call.body = std::make_shared<const JsonDoc>(std::move(*parsed));
  const Result<Request> decoded = anthropic_messages_client().decode_request(call);
  if (!decoded) return;
  const TargetModel target{.model = "m", .capabilities = &kCapabilities};
  (void)openai_chat_provider().encode_request(*decoded, target);
  if (!anthropic_messages_provider().splice_request(call, *decoded, target)) __builtin_trap();
  const Result<EncodedCall> encoded = anthropic_messages_provider().encode_request(*decoded, target);
  if (!encoded) return;
  Result<JsonDoc> again = JsonDoc::parse(encoded->wire.body);
  if (!again) __builtin_trap();
  call.body = std::make_shared<const JsonDoc>(std::move(*again));
  if (!anthropic_messages_client().decode_request(call)) __builtin_trap();
}

// The events as another dialect-free text: their encoding for a client of this dialect.
std::string stream(std::string_view input, size_t step) {
  const auto decoder = anthropic_messages_provider().stream_decoder({});
  const AnswerContext context{.exchange_id = "ex_1", .model = "m", .request = &kAnyRequest};
  const auto anthropic = anthropic_messages_client().stream_encoder(context);
  const auto openai = openai_chat_client().stream_encoder(context);
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
  std::string other;
  for (const Event& event : events) {
    anthropic->encode(event, out);
    openai->encode(event, other);
  }
  return out + other + forwarded + (is_well ? "well" : "failed");
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  weir::request(input);
  if (size > 0) {
    const std::string whole = weir::stream(input, size);
    if (whole != weir::stream(input, 1) || whole != weir::stream(input, 1 + data[0] % 61U)) __builtin_trap();
  }
  return 0;
}
