// Fuzzes the Responses dialect. An input that is JSON is a request: what decodes is spliced and encoded for
// this dialect to a body that decodes again, and for the others. Any input is a stream too: events do not
// depend on the cut, and what they make is written for clients of every dialect without a crash.
#include <cstdlib>

#include "codec/anthropic.h"
#include "codec/openai.h"
#include "codec/openai_responses.h"

namespace weir {
namespace {

const Request kAnyRequest = Chat{};
const Capabilities kPlain;
// Raw JSON of models stands deeper in what is written than it came, and keeps its faults.
constexpr JsonLimits kWritten{
    .depth_max = 256, .rejects_duplicate_keys = false, .replaces_lone_surrogates = true};

void expect_decodes(const std::string& body) {
  Result<JsonDoc> parsed = JsonDoc::parse(body);
  if (!parsed) __builtin_trap();
  ClientCall call;
  call.body = std::make_shared<const JsonDoc>(std::move(*parsed));
  if (!openai_responses_client().decode_request(call)) __builtin_trap();
}

void request(std::string_view input) {
  Result<JsonDoc> parsed = JsonDoc::parse(std::string(input));
  if (!parsed) return;
  ClientCall call;
  call.body = std::make_shared<const JsonDoc>(std::move(*parsed));
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
    if (encoded && !JsonDoc::parse(encoded->wire.body, kWritten)) __builtin_trap();
  }
}

// What the stream makes, as text: its encodings for clients, and what the raw way forwards.
std::string stream(std::string_view input, size_t step) {
  const auto decoder = openai_responses_provider().stream_decoder({});
  const AnswerContext context{.exchange_id = "ex_1", .model = "m", .request = &kAnyRequest};
  const auto own = openai_responses_client().stream_encoder(context);
  const auto openai = openai_chat_client().stream_encoder(context);
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
    own->encode(event, out);
    openai->encode(event, out);
    anthropic->encode(event, out);
    folder.add(event);
  }
  if (!is_well) own->fail(make_error(ErrorKind::upstream_error, "failed"), out);
  out += openai_responses_client().encode_answer(folder.answer(), context).body;
  // A cut inside CR LF puts the LF into the next event's bytes, which a failure or a drop then takes along; a
  // reader of events sees no difference.
  std::erase_if(forwarded, [](char c) { return c == '\r' || c == '\n'; });
  return out + forwarded + (is_well ? "well" : "failed");
}

void whole(std::string_view input) {
  const Headers headers;
  const WireReply reply{.headers = &headers, .body = input};
  if (const auto events = openai_responses_provider().decode_answer(reply, {})) {
    const AnswerContext context{.exchange_id = "ex_1", .model = "m", .request = &kAnyRequest};
    AnswerFolder folder;
    for (const Event& event : *events) folder.add(event);
    if (!JsonDoc::parse(openai_responses_client().encode_answer(folder.answer(), context).body, kWritten))
      __builtin_trap();
  }
  (void)openai_responses_provider().decode_error({.status = 400, .headers = &headers, .body = input}, 0);
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
