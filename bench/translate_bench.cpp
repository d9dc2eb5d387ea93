// What a translation costs, for every pair of dialects and both directions: the request (decoded from the
// client's, encoded for the provider's), the whole answer and the event of a stream (the other way round).
// JSON of requests is parsed before, as it is on the raw way, which is measured beside. bench/translate.py
// prints it as tables; the names are read there: "request/8k/CLIENT/TARGET", "raw/8k/CLIENT".
#include <benchmark/benchmark.h>
#include <cstdlib>
#include <fmt/core.h>

#include "dialects.h"
#include "llm/answer.h"

namespace weir {
namespace {

using conformance::dialects_under_test;
using conformance::DialectUnderTest;

constexpr std::string_view kSentence =
    "The river rises in the hills, and the weir holds its level steady for the mill, day and night. ";
constexpr int kStreamEvents = 200;

struct Size {
  std::string_view name;
  size_t bytes;
  int tools;
};
constexpr std::array<Size, 4> kSizes = {
    {{"2k", 2'000, 0}, {"8k", 8'000, 0}, {"100k", 100'000, 0}, {"tools", 8'000, 10}}};

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().message);
  std::abort();
}

Block text(std::string_view words) {
  return {.body = TextBlock{words}, .cache = {}, .pointer = {}};
}

// A conversation of about so many bytes; with tools: they are offered, and every other turn calls one.
Chat conversation(const Size& size, bool is_streamed) {
  Chat chat;
  chat.model = "the-model";
  chat.is_streamed = is_streamed;
  chat.max_tokens = 1024;
  chat.temperature = 0.5;
  Message instructions{.role = Role::system, .content = {}, .name = {}};
  instructions.content.push_back(text("You keep the mill and its weir."));
  chat.messages.push_back(std::move(instructions));
  for (int i = 0; i < size.tools; ++i) {
    Tool tool;
    tool.name = chat.arena->keep(fmt::format("open_gate_{}", i));
    tool.description = "Opens a gate of the weir by so many centimetres.";
    tool.schema.text = R"({"type":"object","properties":{"gate":{"type":"string","enum":["left","right"]},)"
                       R"("height":{"type":"integer","minimum":0}},"required":["gate"]})";
    chat.tools.push_back(std::move(tool));
  }
  size_t bytes = 0;
  for (int turn = 0; bytes < size.bytes; ++turn, bytes += 4 * kSentence.size()) {
    const std::string_view words =
        chat.arena->keep(fmt::format("{}: {}{}{}{}", turn, kSentence, kSentence, kSentence, kSentence));
    const bool calls = size.tools > 0 && turn % 2 == 1;
    Message message{.role = turn % 2 == 0 ? Role::user : Role::assistant, .content = {}, .name = {}};
    if (!calls) message.content.push_back(text(words));
    const std::string_view id = chat.arena->keep(fmt::format("call_{}", turn));
    if (calls) {
      message.content.push_back(
          {.body =
               ToolCallBlock{.id = id, .name = "open_gate_0", .arguments = R"({"gate":"left","height":12})"},
           .cache = {},
           .pointer = {}});
    }
    chat.messages.push_back(std::move(message));
    if (!calls) continue;
    ToolResultBlock result;
    result.call_id = id;
    result.tool_name = "open_gate_0";
    result.content.push_back(text(words));
    Message answer{.role = Role::user, .content = {}, .name = {}};
    answer.content.push_back({.body = std::move(result), .cache = {}, .pointer = {}});
    chat.messages.push_back(std::move(answer));
  }
  return chat;
}

std::vector<Event> answer_events() {
  std::vector<Event> events = {Start{.id = "1", .model = "the-model"},
                               BlockStart{.index = 0, .kind = BlockKind::text}};
  for (int i = 0; i < kStreamEvents; ++i)
    events.push_back(Delta{.index = 0, .text = fmt::format("word {} and on ", i)});
  Usage usage;
  usage.in_uncached = 2'000;
  usage.out_text = kStreamEvents;
  usage.source = UsageSource::provider;
  events.push_back(BlockEnd{.index = 0});
  events.push_back(Finish{.reason = StopReason::end});
  events.push_back(UsageReport{usage});
  events.push_back(End{});
  return events;
}

AnswerContext context_for(const Request& request) {
  AnswerContext context;
  context.exchange_id = "req_0190";
  context.created_s = 1'760'000'000;
  context.model = "the-model";
  context.request = &request;
  return context;
}

// What a client of the dialect sends: its provider half writes it.
ClientCall call_of(const DialectUnderTest& client, const Chat& chat) {
  EncodedCall encoded = must(
      client.provider->encode_request(chat, {.model = client.model, .capabilities = &client.capabilities}));
  ClientCall call;
  call.dialect = client.dialect;
  call.path = encoded.wire.path;
  call.path_model = "the-model";
  call.body = std::make_shared<const JsonDoc>(must(JsonDoc::parse(std::string(encoded.wire.bytes()))));
  return call;
}

// What a provider of the dialect answers: its client half writes it.
std::string whole_answer(const DialectUnderTest& target, const Request& request) {
  AnswerFolder folder;
  for (const Event& event : answer_events()) folder.add(event);
  return target.client(false).encode_answer(folder.answer(), context_for(request)).body;
}

std::string streamed_answer(const DialectUnderTest& target, const Request& request) {
  std::string out;
  const AnswerContext context = context_for(request);  // outlives the encoder
  const auto encoder = target.client(true).stream_encoder(context);
  for (const Event& event : answer_events()) encoder->encode(event, out);
  return out;
}

void request_cost(benchmark::State& state, const DialectUnderTest& client, const DialectUnderTest& target,
                  const Size& size) {
  const ClientCall call = call_of(client, conversation(size, false));
  const TargetModel model{.model = target.model, .capabilities = &target.capabilities};
  for (auto _ : state) {
    const Request request = must(client.client(false).decode_request(call));
    benchmark::DoNotOptimize(must(target.provider->encode_request(request, model)));
  }
}

void raw_cost(benchmark::State& state, const DialectUnderTest& client, const Size& size) {
  const ClientCall call = call_of(client, conversation(size, false));
  const TargetModel model{.model = client.model, .capabilities = &client.capabilities};
  const Request sample = must(client.client(false).decode_request(call));
  const std::string body = whole_answer(client, sample);
  const Headers headers = {{"content-type", "application/json"}};
  for (auto _ : state) {
    const Request request = must(client.client(false).decode_request(call));
    EncodedCall encoded = must(client.provider->splice_request(call, request, model));
    encoded.notes.is_raw = true;
    benchmark::DoNotOptimize(must(
        client.provider->decode_answer({.status = 200, .headers = &headers, .body = body}, encoded.notes)));
  }
}

void answer_cost(benchmark::State& state, const DialectUnderTest& client, const DialectUnderTest& target) {
  const Request request = conversation(kSizes[0], false);
  const TargetModel model{.model = target.model, .capabilities = &target.capabilities};
  const EncodedCall encoded = must(target.provider->encode_request(request, model));
  const std::string body = whole_answer(target, request);
  const Headers headers = {{"content-type", "application/json"}};
  const AnswerContext context = context_for(request);
  for (auto _ : state) {
    AnswerFolder folder;
    for (const Event& event : must(target.provider->decode_answer(
             {.status = 200, .headers = &headers, .body = body}, encoded.notes)))
      folder.add(event);
    benchmark::DoNotOptimize(client.client(false).encode_answer(folder.answer(), context));
  }
}

void event_cost(benchmark::State& state, const DialectUnderTest& client, const DialectUnderTest& target) {
  const Request request = conversation(kSizes[0], true);
  const TargetModel model{.model = target.model, .capabilities = &target.capabilities};
  EncodedCall encoded = must(target.provider->encode_request(request, model));
  encoded.notes.is_streamed = true;
  const std::string body = streamed_answer(target, request);
  const AnswerContext context = context_for(request);
  std::vector<Event> events;
  std::string out;
  for (auto _ : state) {
    const auto decoder = target.provider->stream_decoder(encoded.notes);
    const auto encoder = client.client(true).stream_encoder(context);
    // As the socket gives it: a few events at a time.
    constexpr size_t kPiece = 1'000;
    for (std::string_view left = body; !left.empty(); left.remove_prefix(std::min(kPiece, left.size()))) {
      events.clear();
      out.clear();
      if (!decoder->feed(left.substr(0, kPiece), events)) std::abort();
      for (const Event& event : events) encoder->encode(event, out);
      benchmark::DoNotOptimize(out.data());
    }
  }
  state.SetItemsProcessed(state.iterations() * kStreamEvents);
}

// Called before main, as BENCHMARK does: nothing but names may be asked for yet.
const bool is_registered = [] {
  const auto add = [](std::string name, auto function) {
    benchmark::RegisterBenchmark(name.c_str(), std::move(function));
  };
  const auto dialect = [](size_t index) -> const DialectUnderTest& { return dialects_under_test()[index]; };
  for (size_t c = 0; c < kDialectCount; ++c) {
    const std::string_view from = to_string(static_cast<Dialect>(c));
    for (const Size& size : kSizes) {
      add(fmt::format("translate/raw/{}/{}", size.name, from),
          [=, &size](benchmark::State& state) { raw_cost(state, dialect(c), size); });
    }
    for (size_t t = 0; t < kDialectCount; ++t) {
      const std::string pair = fmt::format("{}/{}", from, to_string(static_cast<Dialect>(t)));
      for (const Size& size : kSizes) {
        add(fmt::format("translate/request/{}/{}", size.name, pair),
            [=, &size](benchmark::State& state) { request_cost(state, dialect(c), dialect(t), size); });
      }
      add("translate/answer/whole/" + pair,
          [=](benchmark::State& state) { answer_cost(state, dialect(c), dialect(t)); });
      add("translate/event/stream/" + pair,
          [=](benchmark::State& state) { event_cost(state, dialect(c), dialect(t)); });
    }
  }
  return true;
}();

}  // namespace
}  // namespace weir
