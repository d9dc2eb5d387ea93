#include "gateway/stored_responses.h"

#include <gtest/gtest.h>

#include "codec/openai_responses.h"
#include "codec/responses_history.h"
#include "gateway/adapt_stage.h"
#include "gateway/answer_writer.h"
#include "gateway/test_kept.h"
#include "gateway/test_scripted_target.h"
#include "security/api_keys.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::openai_responses;

// A client of a dialect that keeps answers, as small as it can be: items are texts of the user.
class ItemCodec final : public ClientCodec {
 public:
  Dialect dialect() const override { return kDialect; }
  Result<Request> decode_request(const ClientCall& call) const override {
    Chat chat;
    chat.arena->hold(call.body);
    const JsonValue root = call.body->root();
    chat.model = "m";
    chat.previous_response_id = root["previous_response_id"].string_or("");
    if (const JsonValue store = root["store"]) chat.is_stored = store.bool_or(true);
    const JsonValue input = root["input"];
    for (const JsonValue item : input) {
      add(chat, item["content"].string_or(item.raw()));
      if (item["id"].is_string())
        chat.messages.back().content.front() = {
            .body =
                UnknownBlock{
                    .dialect = kDialect, .type = "item_reference", .raw = {item.raw()}, .is_reference = true},
            .cache = {},
            .pointer = "input[0]"};
    }
    if (input.is_string()) add(chat, input.string_or(""));
    if (root["is_counted"]) return CountTokens{std::move(chat)};
    return chat;
  }
  std::unique_ptr<StreamEncoder> stream_encoder(AnswerContext) const override { return nullptr; }
  ClientReply encode_answer(const Answer& answer, const AnswerContext& context) const override {
    ClientReply reply;
    reply.body = fmt::format(R"({{"id":"resp_{}","output":[{{"content":"{}"}}]}})", context.exchange_id,
                             answer.choices.at(0).blocks.at(0).text);
    return reply;
  }
  ClientReply encode_error(const Error&, std::string_view) const override { return {}; }

 private:
  static void add(Chat& chat, std::string_view text) {
    Message message;
    message.content.push_back({.body = TextBlock{text}, .cache = {}, .pointer = {}});
    chat.messages.push_back(std::move(message));
  }
};

class StoredResponsesTest : public testing::Test {
 protected:
  AdaptParts parts() {
    return {.media = {.client = nullptr, .cpu = &cpu_, .fetches = fetch_counter(metrics_)},
            .turns = nullptr,
            .responses = &responses_};
  }
  std::unique_ptr<Exchange> ask(std::string id, std::string body) {
    auto exchange = gateway_.exchange(Chat{});
    exchange->id = std::move(id);
    exchange->client_codec = &codec_;
    exchange->call.dialect = kDialect;
    exchange->call.body = std::make_shared<const JsonDoc>(JsonDoc::parse(std::move(body)).value());
    exchange->request = codec_.decode_request(exchange->call).value();
    return exchange;
  }
  Result<std::vector<Event>> answer(Exchange& exchange, std::string text) {
    call_.answers.push_back(std::vector<Event>{Start{}, BlockStart{}, Delta{.text = std::move(text)},
                                               BlockEnd{}, Finish{}, End{}});
    return gateway_.events(exchange);
  }
  std::vector<std::string> sent(size_t index) {
    std::vector<std::string> texts;
    for (const Message& message : chat_of(call_.requests.at(index))->messages)
      texts.emplace_back(std::get<TextBlock>(message.content[0].body).text);
    return texts;
  }

  ItemCodec codec_;
  MetricsRegistry metrics_;
  Pool cpu_{"cpu", 1, 16};
  ManualClock clock_;
  KeptTexts responses_{"response", small_limits(), nullptr, clock_, metrics_};
  TestGateway gateway_{std::make_unique<AdaptStage>(parts())};
  ScriptedCall& call_ = *gateway_.call;
};

TEST_F(StoredResponsesTest, AConversationGoesOnAtAnyTarget) {
  ASSERT_TRUE(answer(*ask("1", R"({"input":"one"})"), "first"));
  gateway_.provider->kind.dialect = Dialect::gemini;
  ASSERT_TRUE(answer(*ask("2", R"({"input":"two","previous_response_id":"resp_1"})"), "second"));
  EXPECT_EQ(sent(1), (std::vector<std::string>{"one", "first", "two"}));
  gateway_.provider->kind.dialect = Dialect::openai_chat;
  ASSERT_TRUE(answer(*ask("3", R"({"input":"three","previous_response_id":"resp_2"})"), "third"));
  EXPECT_EQ(sent(2), (std::vector<std::string>{"one", "first", "two", "second", "three"}));
}

TEST_F(StoredResponsesTest, AnAnswerIsKeptUnderTheIdThatItsClientSees) {
  const ClientCodec& codec = openai_responses_client();
  const auto id_of = [](const Result<JsonDoc>& doc) { return std::string(doc->root()["id"].string_or("")); };
  for (const char* provider_id : {"", "msg_01", "resp_77", "chatcmpl-9"}) {
    const auto exchange = ask("req_0190", R"({"model":"m","input":"one"})");
    exchange->client_codec = &codec;
    exchange->request = codec.decode_request(exchange->call).value();
    call_.answers.push_back(std::vector<Event>{Start{.id = provider_id, .model = "m"}, BlockStart{},
                                               Delta{.text = "hi"}, BlockEnd{}, Finish{}, End{}});
    const auto events = gateway_.events(*exchange);
    ASSERT_TRUE(events);
    const AnswerContext context = answer_context(*exchange);
    AnswerFolder folder;
    std::string stream;
    const auto encoder = codec.stream_encoder(context);
    for (const Event& event : *events) {
      folder.add(event);
      encoder->encode(event, stream);
    }
    const std::string whole = id_of(JsonDoc::parse(codec.encode_answer(folder.answer(), context).body));
    EXPECT_EQ(id_of(JsonDoc::parse(response_of_stream(stream))), whole);
    EXPECT_NE(responses_.find_in_memory(*exchange->principal, whole), nullptr) << whole;
  }
}

TEST_F(StoredResponsesTest, AnUnknownIdIsNotFoundAndNamesTheField) {
  const auto events = answer(*ask("1", R"({"input":"x","previous_response_id":"resp_9"})"), "never");
  ASSERT_FALSE(events);
  EXPECT_EQ(events.error().kind, ErrorKind::not_found);
  EXPECT_EQ(events.error().path, "previous_response_id");
  EXPECT_TRUE(call_.requests.empty());
}

TEST_F(StoredResponsesTest, AConversationIsCountedAsItWouldBeSent) {
  ASSERT_TRUE(answer(*ask("1", R"({"input":"one"})"), "first"));
  const auto counted = ask("2", R"({"input":"two","previous_response_id":"resp_1","is_counted":true})");
  call_.answers.push_back(std::vector<Event>{UsageReport{}, End{}});
  ASSERT_TRUE(gateway_.events(*counted));
  EXPECT_EQ(operation_of(call_.requests.at(1)), Operation::count_tokens);
  EXPECT_EQ(sent(1), (std::vector<std::string>{"one", "first", "two"}));
  const auto unknown = ask("3", R"({"input":"x","previous_response_id":"resp_2","is_counted":true})");
  EXPECT_EQ(gateway_.events(*unknown).error().kind, ErrorKind::not_found);
}

TEST_F(StoredResponsesTest, WhatIsNotToBeStoredCannotBeContinued) {
  ASSERT_TRUE(answer(*ask("1", R"({"input":"one","store":false})"), "first"));
  EXPECT_EQ(responses_.bytes_in_memory(), 0U);
  EXPECT_FALSE(answer(*ask("2", R"({"input":"two","previous_response_id":"resp_1"})"), "never"));
}

TEST_F(StoredResponsesTest, AnotherCallerCannotContinueIt) {
  ASSERT_TRUE(answer(*ask("1", R"({"input":"one"})"), "first"));
  const auto other = ask("2", R"({"input":"two","previous_response_id":"resp_1"})");
  const Principal caller{.tenant = "t", .key_id = "other", .key_name = {}, .models = {}};
  other->principal = &caller;
  EXPECT_EQ(answer(*other, "never").error().kind, ErrorKind::not_found);
}

// A target that speaks the dialect and kept the answer itself: the request goes as it came.
TEST_F(StoredResponsesTest, TheTargetThatKeptTheAnswerGetsItsId) {
  gateway_.provider->kind.dialect = kDialect;
  responses_.keep({.tenant = "t", .key_id = "k", .key_name = {}, .models = {}}, "resp_up",
                  R"({"provider":"p","is_raw":true,"input":[{"content":"one"}],)"
                  R"("response":{"id":"resp_up","output":[{"content":"first"}]}})");
  const auto same = ask("2", R"({"input":"two","previous_response_id":"resp_up"})");
  ASSERT_TRUE(answer(*same, "second"));
  EXPECT_EQ(same->adapted, nullptr);
  EXPECT_EQ(sent(0), std::vector<std::string>{"two"});
  // What came of it can go on elsewhere.
  gateway_.provider->kind.dialect = Dialect::gemini;
  ASSERT_TRUE(answer(*ask("3", R"({"input":"three","previous_response_id":"resp_2"})"), "third"));
  EXPECT_EQ(sent(1), (std::vector<std::string>{"one", "first", "two", "second", "three"}));
  // Another provider of the dialect does not know it.
  gateway_.provider->kind.dialect = kDialect;
  gateway_.provider->name = "q";
  ASSERT_TRUE(answer(*ask("4", R"({"input":"two","previous_response_id":"resp_up"})"), "x"));
  EXPECT_EQ(sent(2), (std::vector<std::string>{"one", "first", "two"}));
}

// Weir's key at the provider is shared, so that one caller's ids are good in the mouth of another.
class ProviderIds : public StoredResponsesTest {
 protected:
  ProviderIds() {
    gateway_.provider->kind.dialect = kDialect;
    gateway_.provider->name = "p";
    set_keys({"k", "other"});
    store_raw_response(*ask("1", R"({"input":"one"})"), responses_,
                       R"({"id":"resp_up","output":[{"type":"message","id":"msg_up"}]})");
  }
  void set_keys(const std::vector<std::string>& names) {
    std::vector<ApiKey> keys;
    for (const std::string& name : names) keys.push_back({.hash = hash_api_key(name), .principal = {}});
    gateway_.snapshot->keys = ApiKeys::make(std::move(keys)).value();
  }
  // "passes", or the field that is refused.
  std::string outcome(std::string body, std::string key_id = "k") {
    const auto exchange = ask("2", std::move(body));
    const Principal caller{.tenant = "t", .key_id = std::move(key_id), .key_name = {}, .models = {}};
    exchange->principal = &caller;
    call_.requests.clear();
    const auto events = answer(*exchange, "x");
    if (events) return exchange->adapted ? "is written anew" : "passes";
    EXPECT_TRUE(call_.requests.empty());
    EXPECT_EQ(events.error().kind, ErrorKind::bad_request);
    call_.answers.clear();
    return events.error().path;
  }
  static constexpr const char* kItem = R"({"input":[{"type":"item_reference","id":"msg_up"}]})";
  static constexpr const char* kConversation = R"({"input":"a","conversation":"conv_1"})";
};

TEST_F(ProviderIds, OfItemsAreGoodForTheCallerThatGotThem) {
  EXPECT_EQ(outcome(kItem), "passes");
  EXPECT_EQ(outcome(R"({"input":[{"type":"item_reference","id":"msg_other"}]})"), "input[0]");
  EXPECT_EQ(outcome(kItem, "other"), "input[0]");
  gateway_.provider->name = "q";
  EXPECT_EQ(outcome(kItem), "input[0]") << "another provider's";
}

TEST_F(ProviderIds, OfConversationsAreRefusedSinceWeirMakesNone) {
  EXPECT_EQ(outcome(kConversation), "conversation");
  EXPECT_EQ(outcome(R"({"input":"a","conversation":null})"), "passes");
}

TEST_F(ProviderIds, PassWhereNobodyElseCouldHaveMadeThem) {
  EXPECT_EQ(outcome(kItem, ""), "passes") << "without keys there is but one caller";
  EXPECT_EQ(outcome(kConversation, ""), "passes");
  set_keys({"k"});
  EXPECT_EQ(outcome(R"({"input":[{"type":"item_reference","id":"msg_other"}]})"), "passes");
  EXPECT_EQ(outcome(kConversation), "passes");
}

TEST_F(ProviderIds, AreNoAnswersThatCouldBeContinued) {
  const auto exchange = ask("3", R"({"input":"two","previous_response_id":"item msg_up"})");
  EXPECT_EQ(answer(*exchange, "never").error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace weir
