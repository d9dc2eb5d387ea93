// What the dialects' fuzzers share: JSON as a client's call, and what a provider's stream becomes for the
// clients of every dialect, which must not depend on how its bytes are cut.
#pragma once

#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/codecs.h"

namespace weir {

// Raw JSON of models stands deeper in what is written than it came, and keeps its faults.
inline constexpr JsonLimits kWrittenJson{
    .depth_max = 256, .rejects_duplicate_keys = false, .replaces_lone_surrogates = true};

using ClientCodecs = std::initializer_list<const ClientCodec*>;

// Null: the input is no JSON that a client may send.
inline std::shared_ptr<const JsonDoc> json_of(std::string_view input) {
  Result<JsonDoc> parsed = JsonDoc::parse(std::string(input));
  return parsed ? std::make_shared<const JsonDoc>(std::move(*parsed)) : nullptr;
}

// The bytes that clients of every dialect get for these events, streamed and whole; those of `others` too.
inline std::string written_for_all(const std::vector<Event>& events, bool is_well, ClientCodecs others = {}) {
  static const Request kAnyRequest = Chat{};
  const AnswerContext context{.exchange_id = "ex_1", .model = "m", .request = &kAnyRequest};
  std::string out;
  const auto stream = [&](const ClientCodec& codec) {
    const auto encoder = codec.stream_encoder(context);
    for (const Event& event : events) encoder->encode(event, out);
    if (!is_well) encoder->fail(make_error(ErrorKind::upstream_error, "failed"), out);
  };
  AnswerFolder folder;
  for (const Event& event : events) folder.add(event);
  const Answer answer = folder.answer();
  for (size_t dialect = 0; dialect < kDialectCount; ++dialect) {
    stream(chat_client_codec(static_cast<Dialect>(dialect), true));
    const ClientReply whole =
        chat_client_codec(static_cast<Dialect>(dialect), false).encode_answer(answer, context);
    if (!JsonDoc::parse(whole.body, kWrittenJson)) __builtin_trap();
    out += whole.body;
  }
  for (const ClientCodec* codec : others) stream(*codec);
  return out;
}

// The same for a provider's stream that comes in pieces of `step` bytes, and what the raw way forwards of it.
inline std::string read_in_pieces(const ProviderCodec& provider, std::string_view input, size_t step,
                                  ClientCodecs others) {
  const auto decoder = provider.stream_decoder({});
  std::vector<Event> events;
  std::string forwarded;
  bool is_well = true;
  for (size_t at = 0; at < input.size() && is_well; at += step) {
    const std::string piece(input.substr(at, step));
    is_well = decoder->feed(piece, events).has_value();
    forwarded += decoder->forwardable();
  }
  if (is_well) is_well = decoder->finish(events).has_value();
  // A cut inside CR LF puts the LF into the next event's bytes, which a failure or a drop then takes along; a
  // reader of events sees no difference.
  std::erase_if(forwarded, [](char c) { return c == '\r' || c == '\n'; });
  return written_for_all(events, is_well, others) + forwarded + (is_well ? "well" : "failed");
}

inline void expect_same_in_any_cut(const ProviderCodec& provider, std::string_view input,
                                   ClientCodecs others = {}) {
  if (input.empty()) return;
  const std::string whole = read_in_pieces(provider, input, input.size(), others);
  for (const size_t step : {size_t{1}, size_t{1} + static_cast<uint8_t>(input[0]) % 61U}) {
    if (read_in_pieces(provider, input, step, others) != whole) __builtin_trap();
  }
}

}  // namespace weir
