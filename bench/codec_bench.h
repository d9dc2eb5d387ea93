// What the benchmarks of the dialects share: JSON as a client's call, and one text delta of a stream read or
// written again and again.
#pragma once

#include <benchmark/benchmark.h>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "llm/codec.h"

namespace weir {

inline ClientCall call_with_body(Dialect dialect, std::string body) {
  ClientCall call;
  call.dialect = dialect;
  Result<JsonDoc> parsed = JsonDoc::parse(std::move(body));
  if (!parsed) std::abort();
  call.body = std::make_shared<const JsonDoc>(std::move(*parsed));
  return call;
}

// `opening`: what a stream begins with, so that the delta belongs to something.
inline void decode_delta(benchmark::State& state, const ProviderCodec& codec, std::string_view opening,
                         std::string_view delta, bool is_raw = false) {
  CallNotes notes;
  notes.is_raw = is_raw;
  const auto decoder = codec.stream_decoder(notes);
  std::vector<Event> events;
  if (!decoder->feed(opening, events)) std::abort();
  for (auto _ : state) {
    events.clear();
    if (!decoder->feed(delta, events)) std::abort();
    benchmark::DoNotOptimize(decoder->forwardable());
  }
}

inline void encode_delta(benchmark::State& state, const ClientCodec& codec) {
  const Request request = Chat{};
  const AnswerContext context{.exchange_id = "ex_1", .model = "m", .request = &request};
  const Event delta = Delta{.text = " steady river"};
  std::unique_ptr<StreamEncoder> encoder;
  std::string out;
  int64_t count = 0;
  for (auto _ : state) {
    // A new answer now and then: some encoders keep what they have said.
    if (count++ % 1000 == 0) {
      encoder = codec.stream_encoder(context);
      encoder->encode(Start{}, out);
      encoder->encode(BlockStart{}, out);
    }
    out.clear();
    encoder->encode(delta, out);
    benchmark::DoNotOptimize(out.data());
  }
}

}  // namespace weir
