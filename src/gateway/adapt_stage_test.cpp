#include "gateway/adapt_stage.h"

#include <gtest/gtest.h>
#include <thread>

#include "base/encoding.h"
#include "gateway/test_adapt.h"

namespace weir {
namespace {

TEST_F(AdaptStageTest, ARequestThatNeedsNothingPassesAsItIs) {
  call_.answers.push_back(answer("hi"));
  const auto exchange = gateway_.exchange(with_image("https://a.test/x.png"));
  ASSERT_TRUE(gateway_.events(*exchange));
  EXPECT_EQ(exchange->adapted, nullptr);
  EXPECT_EQ(web_.asked, 0);
}

// ---- Media

TEST_F(AdaptStageTest, FetchesImagesForATargetThatTakesNoUrls) {
  gateway_.capabilities.image_url = false;
  call_.answers.push_back(answer("hi"));
  const auto exchange = gateway_.exchange(with_image("https://a.test/x.png"));
  ASSERT_TRUE(gateway_.events(*exchange));
  const auto& image = std::get<ImageBlock>(call_.chat(0).messages[0].content[1].body);
  EXPECT_EQ(image.media.base64, base64_encode(web_.body));
  EXPECT_EQ(image.media.mime, "image/png");
  EXPECT_EQ(image.media.url, "");
  ASSERT_EQ(call_.fidelity.records().size(), 1U);
  EXPECT_EQ(call_.fidelity.records()[0].pointer, "/messages/0/content/1");
  // The client's own request is untouched.
  EXPECT_EQ(std::get<ImageBlock>(exchange->chat()->messages[0].content[1].body).media.url,
            "https://a.test/x.png");
}

TEST_F(AdaptStageTest, AnUrlThatCannotBeFetchedNamesItsField) {
  gateway_.capabilities.image_url = false;
  for (const char* url : {"https://10.0.0.1/x.png", "https://a.test/page"}) {
    if (std::string_view(url).ends_with("page")) web_.body = "<html>";
    const auto exchange = gateway_.exchange(with_image(url));
    const auto events = gateway_.events(*exchange);
    ASSERT_FALSE(events);
    EXPECT_EQ(events.error().kind, ErrorKind::bad_request);
    EXPECT_EQ(events.error().path, "messages[0].content[1]");
    EXPECT_NE(events.error().message.find(url), std::string::npos);
  }
  EXPECT_TRUE(call_.requests.empty());
}

TEST_F(AdaptStageTest, DocumentsAreFetchedWhereTheDialectHasNoUrlsForThem) {
  gateway_.provider->kind.dialect = Dialect::bedrock_converse;
  web_.body = "plain words";
  call_.answers.push_back(answer("hi"));
  ToolResultBlock holds{.call_id = "c", .content = {}};
  holds.content.push_back(
      {.body = DocumentBlock{.media = {.url = "http://a.test/d"}}, .cache = {}, .pointer = {}});
  const auto exchange = gateway_.exchange(chat({message(Role::tool, {holds})}));
  ASSERT_TRUE(gateway_.events(*exchange));
  const auto& result = std::get<ToolResultBlock>(call_.chat(0).messages[0].content[0].body);
  EXPECT_EQ(std::get<DocumentBlock>(result.content[0].body).media.mime, "text/plain");
}

TEST_F(AdaptStageTest, TooManyUrlsAreRefusedBeforeAnyIsFetched) {
  gateway_.capabilities.image_url = false;
  std::vector<BlockBody> images(kFetchesPerRequestMax + 1, ImageBlock{.media = {.url = "https://a.test/x"}});
  const auto exchange = gateway_.exchange(chat({message(Role::user, images)}));
  ASSERT_FALSE(gateway_.events(*exchange));
  EXPECT_EQ(web_.asked, 0);
}

// ---- Turns

TEST_F(AdaptStageTest, ThinkingThatAPlainClientDropsIsPutBack) {
  call_.answers.push_back(thinking_answer("call_1"));
  call_.answers.push_back(answer("done"));
  const auto first = gateway_.exchange([] {
    Chat asks = chat({message(Role::user, {TextBlock{"q"}})});
    asks.tools.push_back({.name = "f"});
    return asks;
  }());
  ASSERT_TRUE(gateway_.events(*first));
  const auto second = gateway_.exchange(tool_loop("call_1"));
  ASSERT_TRUE(gateway_.events(*second));
  const auto& content = call_.chat(1).messages[1].content;
  ASSERT_EQ(content.size(), 2U);
  EXPECT_EQ(std::get<ThinkingBlock>(content[0].body).text, "hm");
  EXPECT_EQ(std::get<ThinkingBlock>(content[0].body).signature, "sig");
}

// Its dialect has a field that carries them, and some of its clients send it back.
TEST_F(AdaptStageTest, ThinkingThatAClientSendsBackIsNotPutBackTwice) {
  call_.answers.push_back(thinking_answer("call_1"));
  call_.answers.push_back(answer("done"));
  ASSERT_TRUE(gateway_.events(*gateway_.exchange(tool_loop("call_0"))));
  Chat loop = tool_loop("call_1");
  auto& content = loop.messages[1].content;
  content.insert(
      content.begin(),
      {.body = ThinkingBlock{.text = "own", .signature = "own", .issuer = Dialect::anthropic_messages},
       .cache = {},
       .pointer = {}});
  const auto second = gateway_.exchange(std::move(loop));
  ASSERT_TRUE(gateway_.events(*second));
  EXPECT_EQ(second->adapted, nullptr);
  EXPECT_EQ(std::get<ThinkingBlock>(call_.chat(1).messages[1].content[0].body).text, "own");
}

class CallsWithoutIds : public AdaptStageTest {
 protected:
  // What a client of a dialect with optional ids sends after the answer: none of them.
  Chat loop_of(std::string_view question) {
    Chat loop = tool_loop("call_of_weir");
    std::get<TextBlock>(loop.messages[0].content[0].body).text = question;
    std::get<ToolCallBlock>(loop.messages[1].content[0].body).has_made_id = true;
    return loop;
  }
  std::unique_ptr<Exchange> exchange(Chat asks) {
    auto made = gateway_.exchange(std::move(asks));
    made->call.dialect = Dialect::gemini;
    return made;
  }
  // The blocks of the model's turn as the target gets them, when the answer was one to `asked`.
  size_t blocks_sent(Chat asked, Chat loop) {
    asked.messages.resize(loop.messages.size() - 2);
    call_.answers.push_back(thinking_answer("toolu_1"));
    EXPECT_TRUE(gateway_.events(*exchange(std::move(asked))));
    call_.answers.push_back(answer("done"));
    EXPECT_TRUE(gateway_.events(*exchange(std::move(loop))));
    const Chat& sent = call_.chat(call_.requests.size() - 1);
    return sent.messages[sent.messages.size() - 2].content.size();
  }
};

TEST_F(CallsWithoutIds, GetTheirThinkingBackByWhatWasSaid) {
  EXPECT_EQ(blocks_sent(loop_of("q"), loop_of("q")), 2U);
  const auto& content = call_.chat(1).messages[1].content;
  EXPECT_EQ(std::get<ThinkingBlock>(content[0].body).signature, "sig");
  EXPECT_EQ(std::get<ToolCallBlock>(content[1].body).id, "call_of_weir") << "its result has that too";
}

TEST_F(CallsWithoutIds, GetNothingOfAnotherConversation) {
  EXPECT_EQ(blocks_sent(loop_of("p"), loop_of("q")), 1U);
  Chat longer = loop_of("q");
  const std::vector<Message> first = longer.messages;
  longer.messages.insert(longer.messages.end(), first.begin() + 1, first.end());
  EXPECT_EQ(blocks_sent(loop_of("other"), std::move(longer)), 1U) << "the same call, later";
}

TEST_F(CallsWithoutIds, AreFoundBehindATurnThatAPolicyPutBeforeThem) {
  gateway_.route.translation.first_assistant = "pad";
  const auto begun = [this] {
    Chat loop = loop_of("q");
    loop.messages.insert(loop.messages.begin(), message(Role::assistant, {TextBlock{"hello"}}));
    return loop;
  };
  EXPECT_EQ(blocks_sent(begun(), begun()), 2U);
  EXPECT_EQ(call_.chat(1).messages.size(), 5U);
}

TEST_F(AdaptStageTest, AnotherCallersTurnIsNotFound) {
  call_.answers.push_back(thinking_answer("call_1"));
  call_.answers.push_back(answer("done"));
  const auto first = gateway_.exchange(tool_loop("call_0"));
  ASSERT_TRUE(gateway_.events(*first));
  const auto second = gateway_.exchange(tool_loop("call_1"));
  const Principal other{.tenant = "t", .key_id = "other", .key_name = {}, .models = {}};
  second->principal = &other;
  ASSERT_TRUE(gateway_.events(*second));
  EXPECT_EQ(second->adapted, nullptr);
  EXPECT_EQ(call_.chat(1).messages[1].content.size(), 1U);
}

TEST_F(AdaptStageTest, AnotherIssuersTurnStaysAwayAndIsRecorded) {
  call_.answers.push_back(thinking_answer("call_1"));
  call_.answers.push_back(answer("done"));
  const auto first = gateway_.exchange(tool_loop("call_0"));
  ASSERT_TRUE(gateway_.events(*first));
  gateway_.provider->kind.dialect = Dialect::gemini;
  const auto second = gateway_.exchange(tool_loop("call_1"));
  ASSERT_TRUE(gateway_.events(*second));
  EXPECT_EQ(call_.chat(1).messages[1].content.size(), 1U);
  ASSERT_EQ(call_.fidelity.records().size(), 1U);
  EXPECT_EQ(call_.fidelity.records()[0].reason, LossReason::signature_dropped);
}

TEST_F(AdaptStageTest, TheSameVendorBehindAnotherDialectGetsItsThinkingBack) {
  call_.answers.push_back(thinking_answer("call_1"));
  call_.answers.push_back(answer("done"));
  const auto first = gateway_.exchange(tool_loop("call_0"));
  ASSERT_TRUE(gateway_.events(*first));
  gateway_.provider->kind.dialect = Dialect::bedrock_converse;
  const auto second = gateway_.exchange(tool_loop("call_1"));
  ASSERT_TRUE(gateway_.events(*second));
  EXPECT_EQ(std::get<ThinkingBlock>(call_.chat(1).messages[1].content[0].body).issuer,
            Dialect::bedrock_converse);
}

TEST_F(AdaptStageTest, AClientWhoseDialectCarriesSignaturesIsLeftAlone) {
  call_.answers.push_back(thinking_answer("call_1"));
  const auto exchange = gateway_.exchange(tool_loop("call_0"));
  exchange->call.dialect = Dialect::anthropic_messages;
  ASSERT_TRUE(gateway_.events(*exchange));
  EXPECT_EQ(turns_.bytes_in_memory(), 0U);
}

class SignedThinkingTest : public AdaptStageTest {
 protected:
  // To the target that gave it, from a client whose dialect has no place for it.
  void expect_signature_comes_back() {
    call_.answers.push_back(thinking_answer("call_1"));
    call_.answers.push_back(answer("done"));
    for (const std::string_view id : {"call_0", "call_1"}) {
      const auto exchange = gateway_.exchange(tool_loop(id));
      exchange->call.dialect = Dialect::openai_responses;
      ASSERT_TRUE(gateway_.events(*exchange));
    }
    EXPECT_EQ(std::get<ThinkingBlock>(call_.chat(1).messages[1].content[0].body).signature, "sig");
  }
};

TEST_F(SignedThinkingTest, ComesBackToAServerThatSaysItInDetails) {
  gateway_.provider->kind.dialect = Dialect::openai_chat;
  gateway_.capabilities.quirks.reasoning_details = true;
  expect_signature_comes_back();
}

TEST_F(SignedThinkingTest, ComesBackToAServerThatHandsItOn) {
  gateway_.provider->kind.dialect = Dialect::openai_chat;
  gateway_.capabilities.quirks.thinking_blocks = true;
  expect_signature_comes_back();
  // A client of the server's own dialect has the field itself.
  call_.answers.push_back(answer("done"));
  ASSERT_TRUE(gateway_.events(*gateway_.exchange(tool_loop("call_1"))));
  EXPECT_EQ(call_.chat(2).messages[1].content.size(), 1U);
}

// ---- Choices

TEST_F(AdaptStageTest, SeveralChoicesAreSeveralCallsWhereTheRouteSaysSo) {
  gateway_.route.choices = "fanout";
  call_.takes = std::chrono::seconds(1);
  for (const char* text : {"one", "two", "three"}) call_.answers.push_back(answer(text));
  Chat asks = chat();
  asks.choices = 3;
  const auto exchange = gateway_.exchange(std::move(asks));
  const auto events = gateway_.events(*exchange);
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_EQ(call_.running_max, 3);
  const Answer folded = fold(*events);
  ASSERT_EQ(folded.choices.size(), 3U);
  std::set<std::string> texts;
  for (const AnswerChoice& choice : folded.choices) texts.insert(choice.blocks.at(0).text);
  EXPECT_EQ(texts, (std::set<std::string>{"one", "two", "three"}));
  EXPECT_EQ(folded.usage.in_uncached, 30);
  EXPECT_EQ(folded.usage.out_text, 15);
  EXPECT_EQ(exchange->attempts.size(), 3U);
  EXPECT_EQ(call_.chat(0).choices, std::nullopt);
  EXPECT_EQ(exchange->fidelity.records().back().reason, LossReason::emulated);
  const auto starts = std::count_if(events->begin(), events->end(),
                                    [](const Event& event) { return std::holds_alternative<Start>(event); });
  EXPECT_EQ(starts, 1);
}

TEST_F(AdaptStageTest, ChoicesTakeNoMorePlacesThanTheTargetHas) {
  gateway_.route.choices = "fanout";
  call_.takes = std::chrono::seconds(1);
  for (const size_t concurrency : {1U, 2U}) {
    call_.running_max = 0;
    gateway_.candidate.state =
        std::make_shared<TargetState>("p/m", BreakerSettings{}, concurrency, kTargetWaitersMax);
    const std::shared_ptr<Permits>& permits = gateway_.candidate.state->permits();
    auto own = Permits::try_acquire(permits);
    for (const char* text : {"one", "two", "three"}) call_.answers.push_back(answer(text));
    Chat asks = chat();
    asks.choices = 3;
    const auto exchange = gateway_.exchange(std::move(asks));
    const auto events = gateway_.events(*exchange);
    ASSERT_TRUE(events) << events.error().message;
    EXPECT_EQ(call_.running_max, static_cast<int>(concurrency));
    const Answer folded = fold(*events);
    ASSERT_EQ(folded.choices.size(), 3U);
    EXPECT_EQ(folded.usage.in_uncached, 30) << "also of those that came later";
    EXPECT_EQ(exchange->attempts.size(), 3U);
    EXPECT_EQ(permits->in_use(), 1U) << "the answer's own place is its route's";
    EXPECT_EQ(gateway_.candidate.state->in_flight(), 0);
  }
}

TEST_F(AdaptStageTest, WithoutThePolicyTheRequestPassesAndTheCodecRefuses) {
  call_.answers.push_back(answer("one"));
  Chat asks = chat();
  asks.choices = 3;
  const auto exchange = gateway_.exchange(asks);
  ASSERT_TRUE(gateway_.events(*exchange));
  EXPECT_EQ(call_.requests.size(), 1U);
  EXPECT_EQ(call_.chat(0).choices, 3);
  // The caller's own wish wins over the route's.
  gateway_.route.choices = "error";
  call_.answers.push_back(answer("one"));
  call_.answers.push_back(answer("two"));
  asks.choices = 2;
  const auto wished = gateway_.exchange(asks);
  wished->call.headers.set("x-weir-choices", "fanout");
  ASSERT_TRUE(gateway_.events(*wished));
  EXPECT_EQ(call_.requests.size(), 3U);
}

TEST_F(AdaptStageTest, OneCallThatFailsEndsTheOthers) {
  gateway_.snapshot->settings.choices = "fanout";
  call_.answers.push_back(answer("one"));
  call_.answers.push_back(fail(ErrorKind::upstream_overloaded, "busy"));
  Chat asks = chat();
  asks.choices = 2;
  const auto exchange = gateway_.exchange(asks);
  const auto events = gateway_.events(*exchange);
  ASSERT_FALSE(events);
  EXPECT_EQ(events.error().kind, ErrorKind::upstream_overloaded);
  EXPECT_EQ(exchange->attempts.size(), 2U);
  asks.choices = kChoiceCallsMax + 1;
  EXPECT_EQ(gateway_.events(*gateway_.exchange(asks)).error().path, "n");
}

// ---- Embeddings

TEST_F(AdaptStageTest, InputsPastTheLimitAreSentInBatchesAndComeBackInOrder) {
  gateway_.capabilities.inputs_max = 3;
  call_.takes = std::chrono::seconds(1);
  std::vector<std::string> texts;
  Embed embed;
  for (int i = 0; i < 20; ++i) texts.push_back(fmt::format("{}", i));
  for (const std::string& text : texts) embed.inputs.push_back(text);
  // Answers are given in the order of the calls, which is that of the inputs.
  for (int i = 0; i < 20; i += 3) {
    EmbedAnswer vectors;
    for (int j = i; j < std::min(20, i + 3); ++j) vectors.vectors.push_back({static_cast<float>(j)});
    Usage usage;
    usage.in_uncached = 2;
    call_.answers.push_back(
        std::vector<Event>{Payload{.body = std::move(vectors)}, UsageReport{usage}, End{}});
  }
  const auto exchange = gateway_.exchange(std::move(embed));
  const auto events = gateway_.events(*exchange);
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_EQ(call_.requests.size(), 7U);
  EXPECT_EQ(call_.running_max, static_cast<int>(kBatchesParallelMax));
  EXPECT_EQ(std::get<Embed>(call_.requests[6]).inputs.size(), 2U);
  const Answer folded = fold(*events);
  const auto& vectors = std::get<EmbedAnswer>(folded.payload->body).vectors;
  ASSERT_EQ(vectors.size(), 20U);
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(vectors[i][0], static_cast<float>(i));
  EXPECT_EQ(folded.usage.in_uncached, 14);
}

TEST_F(AdaptStageTest, BatchesTakeNoMorePlacesThanTheTargetHas) {
  gateway_.capabilities.inputs_max = 1;
  call_.takes = std::chrono::seconds(1);
  for (const size_t concurrency : {1U, 3U}) {
    call_.running_max = 0;
    gateway_.candidate.state =
        std::make_shared<TargetState>("p/m", BreakerSettings{}, concurrency, kTargetWaitersMax);
    auto own = Permits::try_acquire(gateway_.candidate.state->permits());
    Embed embed;
    embed.inputs = {"a", "b", "c", "d", "e", "f", "g"};
    for (size_t i = 0; i < embed.inputs.size(); ++i)
      call_.answers.push_back(std::vector<Event>{Payload{.body = EmbedAnswer{.vectors = {{1}}}}, End{}});
    const auto exchange = gateway_.exchange(std::move(embed));
    ASSERT_TRUE(gateway_.events(*exchange));
    EXPECT_EQ(call_.running_max, static_cast<int>(concurrency));
    EXPECT_EQ(gateway_.candidate.state->permits()->in_use(), 1U);
  }
}

TEST_F(AdaptStageTest, ABatchWithVectorsMissingIsTheProvidersFault) {
  gateway_.capabilities.inputs_max = 1;
  Embed embed;
  embed.inputs = {"a", "b"};
  for (int i = 0; i < 2; ++i)
    call_.answers.push_back(std::vector<Event>{Payload{.body = EmbedAnswer{}}, End{}});
  const auto exchange = gateway_.exchange(std::move(embed));
  EXPECT_EQ(gateway_.events(*exchange).error().kind, ErrorKind::upstream_malformed);
}

}  // namespace
}  // namespace weir
