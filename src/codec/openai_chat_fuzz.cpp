// Fuzzes OpenAI's chat dialect. An input that is JSON is a request: what decodes is spliced and encoded for
// this dialect, plainly and with every quirk, to a body that decodes again, and for Anthropic's. Any input is
// a stream too: events do not depend on the cut, and what they make is written for clients without a crash.
#include <cstdlib>

#include "codec/anthropic.h"
#include "codec/openai.h"

namespace weir {
namespace {

const Request kAnyRequest = Chat{};
const Capabilities kPlain;

Capabilities with_every_quirk() {
  Capabilities made;
  for_each_quirk([&](std::string_view, bool Quirks::* quirk) { made.quirks.*quirk = true; });
  return made;
}

void expect_decodes(const std::string& body) {
  Result<JsonDoc> parsed = JsonDoc::parse(body);
  if (!parsed) __builtin_trap();
  ClientCall call;
  call.body = std::make_shared<const JsonDoc>(std::move(*parsed));
  if (!openai_chat_client().decode_request(call)) __builtin_trap();
}

void request(std::string_view input) {
  static const Capabilities kQuirky = with_every_quirk();
  Result<JsonDoc> parsed = JsonDoc::parse(std::string(input));
  if (!parsed) return;
  ClientCall call;
  call.body = std::make_shared<const JsonDoc>(std::move(*parsed));
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

// What the stream makes, as text: its encodings for clients of both dialects, and what the raw way forwards.
std::string stream(std::string_view input, size_t step) {
  const auto decoder = openai_chat_provider().stream_decoder({});
  const AnswerContext context{.exchange_id = "ex_1", .model = "m", .request = &kAnyRequest};
  const auto openai = openai_chat_client().stream_encoder(context);
  const auto completions = openai_completions_client().stream_encoder(context);
  const auto anthropic = anthropic_messages_client().stream_encoder(context);
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
  AnswerFolder folder;
  for (const Event& event : events) {
    openai->encode(event, out);
    completions->encode(event, out);
    anthropic->encode(event, out);
    folder.add(event);
  }
  out += openai_chat_client().encode_answer(folder.answer(), context).body;
  // A cut inside CR LF puts the LF into the next event's bytes, which a failure or a drop then takes along; a
  // reader of events sees no difference.
  std::erase_if(forwarded, [](char c) { return c == '\r' || c == '\n'; });
  return out + forwarded + (is_well ? "well" : "failed");
}

void whole(std::string_view input) {
  const Headers headers;
  (void)openai_chat_provider().decode_answer({.headers = &headers, .body = input}, {});
  (void)openai_chat_provider().decode_error({.status = 400, .headers = &headers, .body = input}, 0);
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  weir::request(input);
  weir::whole(input);
  if (size > 0) {
    const std::string all = weir::stream(input, size);
    if (all != weir::stream(input, 1) || all != weir::stream(input, 1 + data[0] % 61U)) __builtin_trap();
  }
  return 0;
}
