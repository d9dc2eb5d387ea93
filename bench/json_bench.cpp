// The JSON of the hot path: a chat body is parsed once, a stream chunk once per event, strings are written
// back. Targets (release, one core): body of 1 KB 1.2 µs, body of 100 KB of few long strings 25 µs, chunk of
// 200 B 0.3 µs.
#include <benchmark/benchmark.h>
#include <cstdlib>

#include "base/json.h"

namespace weir {
namespace {

std::string sentence(size_t size) {
  std::string text;
  while (text.size() < size)
    text += "The river rises in the hills and the weir holds its level steady for the mill. ";
  text.resize(size);
  return text;
}

// A chat request with some options and short turns, `size` bytes in all, spread over `turns` messages.
std::string chat_body(size_t size, size_t turns) {
  std::string body;
  JsonWriter w(body);
  w.begin_object().key("model").value("gpt-4o").key("temperature").value(0.7).key("max_tokens").value(512);
  w.key("stream")
      .value(true)
      .key("user")
      .value("u-1234567890")
      .key("stop")
      .begin_array()
      .value("END")
      .end_array();
  w.key("messages").begin_array();
  for (size_t i = 0; i < turns; ++i) {
    w.begin_object().key("role").value(i % 2 == 0 ? "user" : "assistant").key("content");
    w.value(sentence(size / turns - 40)).end_object();
  }
  w.end_array().end_object();
  return body;
}

constexpr std::string_view kChunk =
    R"({"id":"chatcmpl-AbCdEfGhIjKlMnOp","object":"chat.completion.chunk","created":1763632800,)"
    R"("model":"gpt-4o","choices":[{"index":0,"delta":{"content":" river"},"logprobs":null,"finish_reason":null}]})";

void parse_all(benchmark::State& state, const std::string& body) {
  for (auto _ : state) {
    auto doc = JsonDoc::parse(body);  // the copy of the body is part of the figure
    if (!doc) std::abort();
    benchmark::DoNotOptimize(doc->root());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(body.size()));
}

void BM_JsonParseBody1K(benchmark::State& state) {
  parse_all(state, chat_body(1024, 6));
}
void BM_JsonParseBody100K(benchmark::State& state) {
  parse_all(state, chat_body(100 * 1024, 4));
}
void BM_JsonParseBody100KShortTurns(benchmark::State& state) {
  parse_all(state, chat_body(100 * 1024, 500));
}

// Source code in a prompt: an escape about every 30 bytes.
void BM_JsonParseBody100KEscapes(benchmark::State& state) {
  std::string code;
  while (code.size() < 95'000) code += "    int value = table[\"index\"];\n";
  std::string body;
  JsonWriter(body).begin_object().key("model").value("m").key("prompt").value(code).end_object();
  parse_all(state, body);
}

void BM_JsonReadFields(benchmark::State& state) {
  const auto doc = JsonDoc::parse(chat_body(1024, 6));
  for (auto _ : state) {
    const JsonValue root = doc->root();
    benchmark::DoNotOptimize(root["model"].as_string());
    benchmark::DoNotOptimize(root["stream"].bool_or(false));
    for (const JsonValue message : root["messages"])
      benchmark::DoNotOptimize(message["content"].string_or(""));
  }
}

void BM_JsonReparseChunk(benchmark::State& state) {
  JsonDoc doc;
  for (auto _ : state) {
    if (!doc.reparse(kChunk)) std::abort();
    benchmark::DoNotOptimize(doc.root());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kChunk.size()));
}

void BM_JsonReparseFloats(benchmark::State& state) {
  std::string text;
  JsonWriter w(text);
  w.begin_array();
  for (int i = 0; i < 1536; ++i) w.value(i * 0.000123456789 - 0.09);
  w.end_array();
  JsonDoc doc;
  for (auto _ : state) {
    if (!doc.reparse(text)) std::abort();
    double sum = 0;
    for (const JsonValue value : doc.root()) sum += value.double_or(0);
    benchmark::DoNotOptimize(sum);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}

void BM_JsonWriteChunk(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    JsonWriter w(out);
    w.begin_object()
        .key("id")
        .value("chatcmpl-AbCdEfGhIjKlMnOp")
        .key("object")
        .value("chat.completion.chunk");
    w.key("created")
        .value(1'763'632'800)
        .key("model")
        .value("gpt-4o")
        .key("choices")
        .begin_array()
        .begin_object();
    w.key("index").value(0).key("delta").begin_object().key("content").value(" river").end_object();
    w.key("finish_reason").null().end_object().end_array().end_object();
    benchmark::DoNotOptimize(out.data());
  }
}

void BM_JsonWriteString100K(benchmark::State& state) {
  const std::string text = sentence(100 * 1024);
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_json_string(out, text);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}

void BM_JsonSpliceModel(benchmark::State& state) {
  const auto doc = JsonDoc::parse(chat_body(1024, 6));
  const JsonValue model = doc->root()["model"];
  for (auto _ : state) {
    const std::string out = splice(doc->source(), {{model.offset(), model.raw().size(), R"("gpt-4o-mini")"}});
    benchmark::DoNotOptimize(out.data());
  }
}

BENCHMARK(BM_JsonParseBody1K);
BENCHMARK(BM_JsonParseBody100K);
BENCHMARK(BM_JsonParseBody100KShortTurns);
BENCHMARK(BM_JsonParseBody100KEscapes);
BENCHMARK(BM_JsonReadFields);
BENCHMARK(BM_JsonReparseChunk);
BENCHMARK(BM_JsonReparseFloats);
BENCHMARK(BM_JsonWriteChunk);
BENCHMARK(BM_JsonWriteString100K);
BENCHMARK(BM_JsonSpliceModel);

}  // namespace
}  // namespace weir
