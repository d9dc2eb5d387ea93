// What a call to a provider is made of, before it is sent.
#include "provider/upstream.h"

#include <gtest/gtest.h>

#include "codec/codecs.h"
#include "codec/openai.h"
#include "io/pool.h"
#include "io/test_core.h"

namespace weir {
namespace {

// A request whose second message stands for an item that OpenAI keeps.
Request request_with_reference() {
  Chat chat;
  chat.model = "m";
  Message& user = chat.messages.emplace_back();
  user.content.emplace_back().body = TextBlock{"go on"};
  Message& assistant = chat.messages.emplace_back();
  assistant.role = Role::assistant;
  Block& reference = assistant.content.emplace_back();
  reference.body = UnknownBlock{.dialect = Dialect::openai_responses,
                                .type = "item_reference",
                                .raw = {R"({"type":"item_reference","id":"msg_1"})"},
                                .is_reference = true};
  reference.pointer = "/input/1";
  return chat;
}

Result<std::unique_ptr<EncodedCall>> encode_for(Dialect dialect, const Request& request,
                                                const ClientCall* raw = nullptr) {
  Provider provider;
  provider.codec = &provider_codec(dialect);
  provider.kind.served.set(static_cast<size_t>(Endpoint::chat));
  provider.kind.dialect = dialect;
  const Capabilities capabilities;
  UpstreamCall call;
  call.provider = &provider;
  call.model = "m";
  call.capabilities = &capabilities;
  call.request = &request;
  call.raw = raw;
  return encode_call(call);
}

TEST(EncodeCall, RefusesAReferenceThatOnlyAnotherVendorCanLookUp) {
  const Request request = request_with_reference();
  for (const Dialect dialect : {Dialect::openai_chat, Dialect::anthropic_messages}) {
    const auto call = encode_for(dialect, request);
    ASSERT_FALSE(call) << to_string(dialect);
    EXPECT_EQ(call.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(call.error().path, "/input/1");
    EXPECT_NE(call.error().message.find("send the item itself"), std::string::npos);
  }
}

// Vendors refuse a second call with the id of another one.
TEST(EncodeCall, GivesEachCallAnIdOfItsOwnWhereTheRequestIsWrittenAnew) {
  Chat chat;
  chat.model = "m";
  chat.max_tokens = 9;
  chat.messages.emplace_back().content.emplace_back().body = TextBlock{"q"};
  for (int turn = 0; turn < 2; ++turn) {
    Message& asks = chat.messages.emplace_back();
    asks.role = Role::assistant;
    asks.content.emplace_back().body = ToolCallBlock{.id = "c", .name = "f", .arguments = "{}"};
    Message& told = chat.messages.emplace_back();
    told.role = Role::tool;
    told.content.emplace_back().body = ToolResultBlock{.call_id = "c", .content = {}};
  }
  const Request request = chat;
  const Request counted = CountTokens{.chat = chat};
  for (const auto& [dialect, one] :
       {std::pair(Dialect::anthropic_messages, &request), std::pair(Dialect::anthropic_messages, &counted),
        std::pair(Dialect::bedrock_converse, &request), std::pair(Dialect::openai_responses, &request)}) {
    const auto call = encode_for(dialect, *one);
    ASSERT_TRUE(call) << call.error().message;
    const std::string_view body = (*call)->wire.bytes();
    const auto count = [&](std::string_view id) {
      size_t found = 0;
      for (size_t at = body.find(id); at != std::string_view::npos; at = body.find(id, at + 1)) ++found;
      return found;
    };
    EXPECT_EQ(count("\"c\""), 2U) << body;
    EXPECT_EQ(count("\"c_2\""), 2U) << body;
  }
}

TEST(EncodeCall, SendsAReferenceToTheVendorThatKeepsTheItem) {
  const auto call = encode_for(Dialect::openai_responses, request_with_reference());
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_NE((*call)->wire.body.find(R"({"type":"item_reference","id":"msg_1"})"), std::string::npos);
}

TEST(EncodeCall, PassesWhatOnlyTheClientsVendorKnowsAndRefusesToSayItAnew) {
  ClientCall client;
  client.body = std::make_shared<const JsonDoc>(
      JsonDoc::parse(
          R"({"model":"a","messages":[{"role":"user","content":"hi"}],"reasoning_effort":"default"})")
          .value());
  const Request request = openai_chat_client().decode_request(client).value();
  for (const Dialect dialect : {Dialect::openai_chat, Dialect::anthropic_messages}) {
    const auto call = encode_for(dialect, request);
    ASSERT_FALSE(call) << to_string(dialect);
    EXPECT_EQ(call.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(call.error().path, "reasoning_effort");
  }
  const auto raw = encode_for(Dialect::openai_chat, request, &client);
  ASSERT_TRUE(raw) << raw.error().message;
  EXPECT_EQ((*raw)->wire.bytes(),
            R"({"model":"m","messages":[{"role":"user","content":"hi"}],"reasoning_effort":"default"})");
}

TEST(EncodeCall, RefusesToCountAPromptThatWouldBeShortened) {
  Chat chat;
  chat.messages.push_back(
      {.role = Role::user, .content = {{.body = TextBlock{"hi"}, .cache = {}, .pointer = {}}}, .name = {}});
  chat.extras.push_back({.dialect = Dialect::openai_responses, .key = "truncation", .raw = {R"("auto")"}});
  const Request request = CountTokens{chat};
  for (const Dialect dialect : {Dialect::anthropic_messages, Dialect::gemini, Dialect::bedrock_converse}) {
    const auto call = encode_for(dialect, request);
    ASSERT_FALSE(call) << to_string(dialect);
    EXPECT_EQ(call.error().kind, ErrorKind::unsupported) << to_string(dialect);
    EXPECT_EQ(call.error().path, "truncation") << to_string(dialect);
  }
  EXPECT_TRUE(encode_for(Dialect::openai_responses, request)) << "it shortens, and counts what is left";
}

Result<std::unique_ptr<EncodedCall>> encode_opaque(std::initializer_list<Endpoint> served) {
  Provider provider;
  provider.name = "p";
  provider.base_path = "/v1";
  provider.codec = &provider_codec(Dialect::openai_chat);
  for (const Endpoint endpoint : served) provider.kind.served.set(static_cast<size_t>(endpoint));
  ClientCall client;
  client.body = std::make_shared<const JsonDoc>(JsonDoc::parse(R"({"model":"a","prompt":"a weir"})").value());
  Opaque opaque;
  opaque.task = OpaqueTask::image_generation;
  opaque.model = "a";
  const Request request = opaque;
  const Capabilities capabilities;
  UpstreamCall call;
  call.provider = &provider;
  call.model = "gpt-image-1";
  call.capabilities = &capabilities;
  call.request = &request;
  call.raw = &client;
  return encode_call(call);
}

TEST(EncodeCall, SendsAnOpaqueCallToTheEndpointOfItsTask) {
  const auto call = encode_opaque({Endpoint::chat, Endpoint::image_generation});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ((*call)->wire.path, "/v1/images/generations");
  EXPECT_EQ((*call)->wire.bytes(), R"({"model":"gpt-image-1","prompt":"a weir"})");
}

TEST(EncodeCall, NamesProviderEndpointAndModelWhereThereIsNoSuchEndpoint) {
  const auto call = encode_opaque({Endpoint::chat, Endpoint::image_edit});
  ASSERT_FALSE(call);
  EXPECT_EQ(call.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(call.error().message,
            "the provider p has no endpoint for image_generation, so it cannot serve gpt-image-1 that way: "
            "name a model of a provider that has one");
}

// A provider that sends these pieces and then keeps the connection of a stream open.
class SilentProvider final : public HttpClient {
 public:
  SilentProvider(std::vector<std::string> pieces, std::string_view type)
      : pieces_(std::move(pieces)), type_(type) {}
  Task<std::unique_ptr<ClientResponse>> send(Scope&, const ClientRequest&) override {
    auto response = std::make_unique<Response>(pieces_, type_ == "application/json");
    response->status = 200;
    response->headers.add("content-type", type_);
    co_return std::unique_ptr<ClientResponse>(std::move(response));
  }

 private:
  class Response final : public ClientResponse {
   public:
    Response(const std::vector<std::string>& pieces, bool ends) : pieces_(pieces), ends_(ends) {}
    Result<std::optional<std::string_view>> take() override {
      if (next_ < pieces_.size()) return pieces_[next_++];
      if (ends_) return std::string_view();
      return std::nullopt;
    }
    Task<void> wait(Scope& scope) override { return scope.sleep(std::chrono::hours(1)); }
    bool is_complete() const override { return ends_; }

   private:
    const std::vector<std::string>& pieces_;
    const bool ends_;
    size_t next_ = 0;
  };
  const std::vector<std::string> pieces_;
  const std::string type_;
};

struct Heard {
  std::string ending;  // "end", or the error
  Duration took{};
  std::vector<Event> events;
};

// Reads the stream of a chat with so many choices to its end, or to a sequence that Weir watches for.
Heard listen(std::vector<std::string> pieces, int64_t choices, std::vector<std::string> stops = {},
             std::string_view type = "text/event-stream") {
  TestCore test;
  SilentProvider client(std::move(pieces), type);
  Pool cpu("cpu", 1, 1);
  Provider provider;
  provider.codec = &provider_codec(Dialect::openai_chat);
  const Capabilities capabilities;
  Chat chat;
  chat.model = "m";
  chat.is_streamed = true;
  chat.choices = choices;
  const Request request = chat;
  UpstreamCall call;
  call.provider = &provider;
  call.model = "m";
  call.capabilities = &capabilities;
  call.request = &request;
  call.first_event = std::chrono::minutes(2);
  call.idle = std::chrono::minutes(1);
  const std::unique_ptr<EncodedCall> encoded = encode_call(call).value();
  encoded->notes.stops = std::move(stops);
  std::vector<Event> heard;
  struct Reader {
    static Task<bool> run(Scope& scope, HttpClient& client, Pool& cpu, const UpstreamCall& call,
                          EncodedCall& encoded, std::vector<Event>& heard) {
      const UpstreamAnswer answer = CO_TRY(co_await call_upstream(scope, client, cpu, call, encoded));
      for (;;) {
        const EventBatch* batch = CO_TRY(co_await answer.source->next(scope));
        heard.insert(heard.end(), batch->events.begin(), batch->events.end());
        if (!batch->events.empty() && std::holds_alternative<End>(batch->events.back())) co_return true;
      }
    }
  };
  const MonoTime started = test.core.now();
  Scope scope(test.core);
  const Result<bool> ended = test.run(Reader::run(scope, client, cpu, call, *encoded, heard));
  return {ended ? "end" : std::string(to_string(ended.error().kind)), test.core.now() - started,
          std::move(heard)};
}

constexpr const char* kHello =
    "data: "
    "{\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":null}]}\n\n";
constexpr const char* kStop =
    "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

TEST(CallUpstream, WaitsTwoSecondsForWhatMayComeBehindAFinishedAnswer) {
  const Heard heard = listen({kHello, kStop}, 1);
  EXPECT_EQ(heard.ending, "end");
  EXPECT_NEAR(std::chrono::duration<double>(heard.took).count(), 2, 0.1);
}

TEST(CallUpstream, WaitsForAnAnswerThatHasNotFinishedAsLongAsAlways) {
  Heard heard = listen({kHello}, 1);
  EXPECT_EQ(heard.ending, "upstream_timeout");
  EXPECT_NEAR(std::chrono::duration<double>(heard.took).count(), 60, 0.1);
  heard = listen({kHello, kStop}, 2);
  EXPECT_EQ(heard.ending, "upstream_timeout") << "the other choice may still come";
}

// What was used of an answer that Weir ended at a sequence.
Usage usage_of(const std::vector<Event>& events) {
  Usage usage;
  for (const Event& event : events) {
    if (const auto* report = std::get_if<UsageReport>(&event)) usage.set_from(report->usage);
  }
  return usage;
}

constexpr const char* kUsage =
    "data: {\"id\":\"1\",\"choices\":[],\"usage\":{\"prompt_tokens\":50,\"completion_tokens\":900}}\n\n";

TEST(CallUpstream, TellsTheUsageOfAWholeAnswerThatItEndsAtASequence) {
  const Heard heard =
      listen({R"({"choices":[{"index":0,"message":{"content":"one hi two"},"finish_reason":"stop"}],)"
              R"("usage":{"prompt_tokens":50,"completion_tokens":900}})"},
             1, {"hi"}, "application/json");
  EXPECT_EQ(heard.ending, "end");
  EXPECT_EQ(usage_of(heard.events).out_text, 900);
  EXPECT_EQ(usage_of(heard.events).source, UsageSource::provider);
}

TEST(CallUpstream, TellsTheUsageThatCameAlongWithASequence) {
  const Heard heard = listen({std::string(kHello) + kStop + kUsage}, 1, {"hi"});
  EXPECT_EQ(heard.ending, "end");
  EXPECT_EQ(usage_of(heard.events).out_text, 900);
  EXPECT_EQ(usage_of(heard.events).source, UsageSource::provider);
}

TEST(CallUpstream, LeavesTheUsageOfAStreamThatItLeavesToAnEstimate) {
  const Heard heard = listen({std::string(kUsage) + kHello, kUsage}, 1, {"hi"});
  EXPECT_EQ(heard.ending, "end");
  EXPECT_EQ(heard.took, Duration::zero());
  EXPECT_EQ(usage_of(heard.events).source, UsageSource::estimated);
}

}  // namespace
}  // namespace weir
