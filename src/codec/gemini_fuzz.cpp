// Fuzzes Google's dialect. An input that is JSON is a request: what decodes also encodes for this dialect and
// the others, and the first of those decodes again. Any input is a stream and a whole answer too: events do
// not depend on the cut, and what they make is written for clients without a crash.
#include <cstdlib>

#include "codec/anthropic.h"
#include "codec/gemini.h"
#include "codec/openai.h"

namespace weir {
namespace {

const Request kAnyRequest = Chat{};

void request(const ClientCodec& codec, std::string_view input, const Capabilities& capabilities) {
  Result<JsonDoc> parsed = JsonDoc::parse(std::string(input));
  if (!parsed) return;
  ClientCall call;
  call.dialect = Dialect::gemini;
  call.path_model = "m";
  call.path = "/v1beta/models/m:x";
  call.body = std::make_shared<const JsonDoc>(std::move(*parsed));
  const Result<Request> decoded = codec.decode_request(call);
  if (!decoded) return;
  const TargetModel target{.model = "m", .capabilities = &capabilities};
  (void)openai_chat_provider().encode_request(*decoded, target);
  (void)anthropic_messages_provider().encode_request(*decoded, target);
  const Result<EncodedCall> spliced = gemini_provider().splice_request(call, *decoded, target);
  if (!spliced || !JsonDoc::parse(spliced->wire.body)) __builtin_trap();
  const Result<EncodedCall> encoded = gemini_provider().encode_request(*decoded, target);
  if (!encoded || operation_of(*decoded) != Operation::chat) return;
  Result<JsonDoc> again = JsonDoc::parse(encoded->wire.body);
  if (!again) __builtin_trap();
  call.body = std::make_shared<const JsonDoc>(std::move(*again));
  if (!codec.decode_request(call)) __builtin_trap();
}

// The events as text: their encoding for clients of three dialects.
std::string written(const std::vector<Event>& events) {
  const AnswerContext context{.exchange_id = "ex_1", .model = "m", .request = &kAnyRequest};
  std::string out;
  for (const ClientCodec* codec :
       {&gemini_stream_client(), &openai_chat_client(), &anthropic_messages_client()}) {
    const auto encoder = codec->stream_encoder(context);
    AnswerFolder folder;
    for (const Event& event : events) {
      encoder->encode(event, out);
      folder.add(event);
    }
    out += codec->encode_answer(folder.answer(), context).body;
  }
  return out;
}

std::string stream(std::string_view input, size_t step) {
  const auto decoder = gemini_provider().stream_decoder({});
  std::vector<Event> events;
  std::string forwarded;
  bool is_well = true;
  for (size_t at = 0; at < input.size() && is_well; at += step) {
    const std::string piece(input.substr(at, step));
    is_well = decoder->feed(piece, events).has_value();
    forwarded += decoder->forwardable();
  }
  if (is_well) is_well = decoder->finish(events).has_value();
  return written(events) + forwarded + (is_well ? "well" : "failed");
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
    if (const auto events = gemini_provider().decode_answer(reply, notes)) written(*events);
  }
  (void)gemini_provider().decode_error(reply, 0);
  if (size > 0) {
    const std::string whole = stream(input, size);
    if (whole != stream(input, 1) || whole != stream(input, 1 + data[0] % 61U)) __builtin_trap();
  }
  return 0;
}
