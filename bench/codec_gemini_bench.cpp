// The hot path of Google's dialect. Targets (release, one core): a text chunk decoded 1.5 µs, encoded 0.5 µs;
// a request of 2 KB decoded 2 µs (its JSON parsed before), encoded 4 µs.
#include <benchmark/benchmark.h>
#include <cstdlib>

#include "codec/gemini.h"
#include "codec/gemini_request.h"

namespace weir {
namespace {

std::string request_body(size_t bytes, bool has_tools) {
  std::string body;
  JsonWriter w(body);
  w.begin_object().key("contents").begin_array();
  for (int i = 0; body.size() < bytes; ++i) {
    w.begin_object()
        .key("role")
        .value(i % 2 == 0 ? "user" : "model")
        .key("parts")
        .begin_array()
        .begin_object();
    w.key("text").value(
        "The river rises in the hills and the weir holds its level steady for the mill, day and night.");
    w.end_object().end_array().end_object();
  }
  w.end_array();
  if (has_tools) {
    w.key("tools").begin_array().begin_object().key("functionDeclarations").begin_array();
    for (const char* name : {"level", "gate", "flow"}) {
      w.begin_object().key("name").value(name).key("description").value("Reads a sensor.").key("parameters");
      w.raw(R"({"type":"OBJECT","properties":{"at":{"type":"STRING"},"unit":{"type":"STRING",)"
            R"("enum":["m","cm"]}}})");
      w.end_object();
    }
    w.end_array().end_object().end_array();
  }
  w.end_object();
  return body;
}

ClientCall client_call(size_t bytes, bool has_tools) {
  ClientCall call;
  call.dialect = Dialect::gemini;
  call.path = "/v1beta/models/gemini-x:generateContent";
  call.path_model = "gemini-x";
  Result<JsonDoc> parsed = JsonDoc::parse(request_body(bytes, has_tools));
  if (!parsed) std::abort();
  call.body = std::make_shared<const JsonDoc>(std::move(*parsed));
  return call;
}

void decode_request(benchmark::State& state, size_t bytes, bool has_tools) {
  const ClientCall call = client_call(bytes, has_tools);
  for (auto _ : state) benchmark::DoNotOptimize(gemini_generate_client().decode_request(call));
}
BENCHMARK_CAPTURE(decode_request, gemini_2K, 2000, false);
BENCHMARK_CAPTURE(decode_request, gemini_100K, 100'000, false);
BENCHMARK_CAPTURE(decode_request, gemini_tools, 2000, true);

void encode_request(benchmark::State& state, size_t bytes, bool has_tools) {
  const Result<Request> request = gemini_generate_client().decode_request(client_call(bytes, has_tools));
  const Capabilities capabilities;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        gemini_provider().encode_request(*request, {.model = "gemini-y", .capabilities = &capabilities}));
  }
}
BENCHMARK_CAPTURE(encode_request, gemini_2K, 2000, false);
BENCHMARK_CAPTURE(encode_request, gemini_100K, 100'000, false);
BENCHMARK_CAPTURE(encode_request, gemini_tools, 2000, true);

void splice_request(benchmark::State& state) {
  const ClientCall call = client_call(2000, false);
  const Result<Request> request = gemini_generate_client().decode_request(call);
  const Capabilities capabilities;
  for (auto _ : state) {
    benchmark::DoNotOptimize(gemini_provider().splice_request(
        call, *request, {.model = "gemini-y", .capabilities = &capabilities}));
  }
}
BENCHMARK(splice_request)->Name("splice_request/gemini_2K");

constexpr std::string_view kChunk =
    "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \" steady river\"}],\"role\": "
    "\"model\"},\"index\": "
    "0}],\"usageMetadata\": {\"promptTokenCount\": 9,\"candidatesTokenCount\": 5,\"totalTokenCount\": 14},"
    "\"modelVersion\": \"gemini-x\",\"responseId\": \"bH6LaZW8Fp_3nsEPqtaSwQ4\"}\r\n\r\n";

void BM_GeminiDecodeTextChunk(benchmark::State& state) {
  const auto decoder = gemini_provider().stream_decoder({});
  std::vector<Event> events;
  for (auto _ : state) {
    events.clear();
    if (!decoder->feed(kChunk, events)) std::abort();
    benchmark::DoNotOptimize(decoder->forwardable());
  }
}
BENCHMARK(BM_GeminiDecodeTextChunk);

void BM_GeminiEncodeTextChunk(benchmark::State& state) {
  const Request request = Chat{};
  const AnswerContext context{.exchange_id = "ex_1", .model = "m", .request = &request};
  const auto encoder = gemini_stream_client().stream_encoder(context);
  std::string out;
  encoder->encode(Start{}, out);
  encoder->encode(BlockStart{}, out);
  const Event delta = Delta{.text = " steady river"};
  for (auto _ : state) {
    out.clear();
    encoder->encode(delta, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(BM_GeminiEncodeTextChunk);

void BM_SchemaDownlevel(benchmark::State& state) {
  constexpr std::string_view kSchema =
      R"({"type":"object","title":"Order","properties":{"id":{"type":"integer"},)"
      R"("items":{"type":"array","items":)"
      R"({"$ref":"#/$defs/Item"}},"note":{"anyOf":[{"type":"string"},{"type":"null"}]}},"required":["id"],)"
      R"("additionalProperties":false,"$defs":{"Item":{"type":"object",)"
      R"("properties":{"size":{"enum":[1,2,3]}}}}})";
  Capabilities capabilities;
  capabilities.openapi_schema = true;
  for (auto _ : state) {
    Fidelity fidelity;
    benchmark::DoNotOptimize(
        downlevel_schema(kSchema, gemini_schema_rules(capabilities), SchemaUse::answer, "/s", fidelity));
  }
}
BENCHMARK(BM_SchemaDownlevel);

}  // namespace
}  // namespace weir
