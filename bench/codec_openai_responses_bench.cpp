// The hot path of the Responses dialect: requests of 2 KB, 100 KB and with tools decoded (their JSON parsed
// before), spliced and encoded for the same and for another dialect; the events of a stream decoded, passed
// on the raw way, and encoded. Target (release, one core): a text delta decoded or encoded below 1 µs.
#include "codec/anthropic.h"
#include "codec/openai_responses.h"
#include "codec_bench.h"

namespace weir {
namespace {

std::string request_body(size_t size, bool has_tools) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("model").value("gpt-5").key("max_output_tokens").value(1024);
  json.key("stream").value(true).key("instructions").value("Answer briefly.");
  if (has_tools) {
    json.key("tools").begin_array();
    for (int i = 0; i < 16; ++i) {
      json.begin_object().key("type").value("function").key("name").value(fmt::format("gauge_{}", i));
      json.key("description").value("Reads the level of the river at one gauge.").key("parameters");
      json.raw(R"({"type":"object","properties":{"at":{"type":"string"},"unit":{"enum":["m","ft"]}},)"
               R"("required":["at"],"additionalProperties":false})");
      json.key("strict").value(true).end_object();
    }
    json.end_array();
  }
  json.key("input").begin_array();
  for (int i = 0; body.size() < size; ++i) {
    if (has_tools && i % 4 == 2) {
      json.begin_object().key("type").value("function_call").key("call_id").value(fmt::format("call_{}", i));
      json.key("name")
          .value("gauge_3")
          .key("arguments")
          .value(R"({"at":"the mill","unit":"m"})")
          .end_object();
      json.begin_object().key("type").value("function_call_output");
      json.key("call_id").value(fmt::format("call_{}", i)).key("output").value("1.27 m, rising").end_object();
    }
    json.begin_object().key("type").value("message").key("role").value(i % 2 == 0 ? "user" : "assistant");
    json.key("content").begin_array().begin_object();
    json.key("type").value(i % 2 == 0 ? "input_text" : "output_text").key("text");
    json.value(
        "The river rises in the hills and the weir holds its level steady for the mill, day and night.");
    json.end_object().end_array().end_object();
  }
  json.end_array().end_object();
  return body;
}

// The sizes that the arguments of a benchmark stand for: bytes, and whether there are tools.
ClientCall call_of(const benchmark::State& state) {
  return call_with_body(Dialect::openai_responses,
                        request_body(static_cast<size_t>(state.range(0)), state.range(1) != 0));
}

void BM_ResponsesDecodeRequest(benchmark::State& state) {
  const ClientCall call = call_of(state);
  for (auto _ : state) {
    const Result<Request> decoded = openai_responses_client().decode_request(call);
    if (!decoded) std::abort();
  }
}

void encode_with(benchmark::State& state, const ProviderCodec& provider) {
  const Result<Request> request = openai_responses_client().decode_request(call_of(state));
  const Capabilities capabilities;
  for (auto _ : state) {
    const auto encoded = provider.encode_request(*request, {.model = "m", .capabilities = &capabilities});
    if (!encoded) std::abort();
  }
}

void BM_ResponsesEncodeRequest(benchmark::State& state) {
  encode_with(state, openai_responses_provider());
}
void BM_ResponsesEncodeRequestForAnthropic(benchmark::State& state) {
  encode_with(state, anthropic_messages_provider());
}

void BM_ResponsesSplice(benchmark::State& state) {
  const ClientCall call = call_of(state);
  const Result<Request> request = openai_responses_client().decode_request(call);
  const Capabilities capabilities;
  for (auto _ : state) {
    benchmark::DoNotOptimize(openai_responses_provider().splice_request(
        call, *request, {.model = "gpt-x", .capabilities = &capabilities}));
  }
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"bytes", "tools"})
      ->Args({2048, 0})
      ->Args({8192, 0})
      ->Args({102'400, 0})
      ->Args({8192, 1});
}
BENCHMARK(BM_ResponsesDecodeRequest)->Apply(sizes);
BENCHMARK(BM_ResponsesEncodeRequest)->Apply(sizes);
BENCHMARK(BM_ResponsesEncodeRequestForAnthropic)->Apply(sizes);
BENCHMARK(BM_ResponsesSplice)->Apply(sizes);

constexpr std::string_view kDelta =
    "event: response.output_text.delta\n"
    "data: {\"type\":\"response.output_text.delta\",\"sequence_number\":14,\"item_id\":"
    "\"msg_0b30b4ef00a1cd2e00693c32183a488190a612c410a0a39823\",\"output_index\":0,\"content_index\":0,"
    "\"delta\":\" steady river\",\"logprobs\":[],\"obfuscation\":\"o6siFnnjP\"}\n\n";

void BM_ResponsesDecodeTextDelta(benchmark::State& state) {
  decode_delta(state, openai_responses_provider(), kDelta, kDelta);
}
BENCHMARK(BM_ResponsesDecodeTextDelta);

void BM_ResponsesPassTextDelta(benchmark::State& state) {
  decode_delta(state, openai_responses_provider(), kDelta, kDelta, true);
}
BENCHMARK(BM_ResponsesPassTextDelta);

void BM_ResponsesEncodeTextDelta(benchmark::State& state) {
  encode_delta(state, openai_responses_client());
}
BENCHMARK(BM_ResponsesEncodeTextDelta);

}  // namespace
}  // namespace weir
