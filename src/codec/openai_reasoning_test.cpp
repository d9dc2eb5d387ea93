// reasoning_details: from and to clients, to and from servers.
#include "codec/openai_reasoning.h"

#include <gtest/gtest.h>

#include "codec/answer_losses.h"
#include "codec/anthropic_test_util.h"
#include "codec/openai.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

using test::body_of;
using test::records_of;

constexpr std::string_view kSigned =
    R"({"type":"reasoning.text","text":"hm","signature":"s","format":"anthropic-claude-v1","index":0})";
constexpr std::string_view kHidden =
    R"({"type":"reasoning.encrypted","data":"d","format":"anthropic-claude-v1","index":1})";
constexpr std::string_view kSealed =
    R"({"type":"reasoning.encrypted","data":"x","id":"rs_1","format":"openai-responses-v1","index":1})";
constexpr std::string_view kSummary =
    R"({"type":"reasoning.summary","summary":"so","format":"openai-responses-v1","index":0})";

Chat history(std::string_view details, std::string_view more = "") {
  return test::openai_chat(
      fmt::format(R"({{"model":"m","messages":[{{"role":"user","content":"q"}},{{"role":"assistant",)"
                  R"("content":"a"{},"reasoning_details":[{}]}},{{"role":"user","content":"r"}}]}})",
                  more, details));
}

Result<EncodedCall> sent(const ProviderCodec& codec, const Request& request, const Quirks& quirks = {}) {
  Capabilities capabilities;
  capabilities.quirks = quirks;
  return codec.encode_request(request, {.model = "m", .capabilities = &capabilities});
}

std::string told(const std::vector<Event>& events) {
  std::string text;
  for (const AnswerBlock& block : test::fold(events).choices.at(0).blocks)
    text += fmt::format("{} {}{}/{} ", static_cast<int>(block.kind), block.text,
                        block.kind == BlockKind::unknown ? block.raw : "", block.signature);
  return text;
}

std::string whole(std::string_view message) {
  const Headers headers;
  const std::string body = fmt::format(
      R"({{"id":"c","choices":[{{"index":0,"finish_reason":"stop","message":{{"role":"assistant",{}}}}}]}})",
      message);
  const auto events = openai_chat_provider().decode_answer({.headers = &headers, .body = body}, {});
  return events ? told(*events) : events.error().message;
}

std::string streamed(const std::vector<std::string>& deltas) {
  std::string bytes;
  for (const std::string& delta : deltas)
    bytes += fmt::format("data: {{\"id\":\"c\",\"choices\":[{{\"index\":0,\"delta\":{}}}]}}\n\n", delta);
  bytes +=
      "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
      "data: [DONE]\n\n";
  const auto decoder = openai_chat_provider().stream_decoder({});
  const auto fresh = decoder->clone();
  const test::Decoded decoded = test::decode_whole(*decoder, bytes);
  test::expect_same_however_cut(*fresh, bytes, decoded);
  return decoded.error.empty() ? told(decoded.events) : decoded.error;
}

// ---- Histories

TEST(OpenAiReasoning, OfAHistoryKeepsTextAndSignature) {
  const Chat chat = history(fmt::format("{},{},{},{}", kSigned, kHidden, kSummary, kSealed));
  const auto& blocks = chat.messages.at(1).content;
  ASSERT_EQ(blocks.size(), 5U);
  const auto& thought = std::get<ThinkingBlock>(blocks[0].body);
  EXPECT_EQ(thought.text, "hm");
  EXPECT_EQ(thought.signature, "s");
  EXPECT_EQ(thought.issuer, Dialect::anthropic_messages);
  const auto& hidden = std::get<RedactedThinkingBlock>(blocks[1].body);
  EXPECT_EQ(hidden.data, "d");
  EXPECT_EQ(hidden.issuer, Dialect::anthropic_messages);
  EXPECT_EQ(std::get<ThinkingBlock>(blocks[2].body).text, "so");
  EXPECT_EQ(std::get<RedactedThinkingBlock>(blocks[3].body).issuer, std::nullopt);
}

TEST(OpenAiReasoning, PiecesOfOneTextAreOne) {
  const Chat chat = history(
      R"({"type":"reasoning.text","text":"h","format":"anthropic-claude-v1","index":0},)"
      R"({"type":"reasoning.text","text":"m","index":0},)"
      R"({"type":"reasoning.text","text":"","signature":"s","format":"anthropic-claude-v1","index":0},)"
      R"({"type":"reasoning.text","text":"n","index":0},{"type":"reasoning.text","text":"o"},)"
      R"({"type":"reasoning.text","signature":"t"},{"type":"reasoning.text","text":"p"},{"type":"new"})");
  std::string texts;
  for (const Block& block : chat.messages.at(1).content) {
    if (const auto* thought = std::get_if<ThinkingBlock>(&block.body))
      texts += fmt::format("{}/{} ", thought->text, thought->signature);
  }
  EXPECT_EQ(texts, "hm/s n/ o/t p/ ");
  const Chat one = history(std::string(kSigned) + R"(,{"type":"reasoning.encrypted","data":""})");
  EXPECT_EQ(one.messages.at(1).content.size(), 2U) << "what says nothing is no thought";
}

TEST(OpenAiReasoning, GoesBackAsItWasToServersThatSayIt) {
  const std::string details = fmt::format("{},{},{{\"type\":\"new\"}}", kSigned, kSealed);
  const auto call = sent(openai_chat_provider(), history(details, R"(,"reasoning":"hm")"),
                         {.reasoning_field = true, .reasoning_details = true});
  EXPECT_NE(body_of(call).find(fmt::format(R"("content":"a","reasoning_details":[{}]}})", details)),
            std::string::npos)
      << body_of(call);
  EXPECT_EQ(records_of(call), "");
  const auto unread = sent(openai_chat_provider(), history(R"({"type":"new"})"), {.reasoning_details = true});
  EXPECT_NE(body_of(unread).find(R"("reasoning_details":[{"type":"new"}])"), std::string::npos);
}

TEST(OpenAiReasoning, GoesToNoServerThatDoesNotSayIt) {
  const Chat chat = history(fmt::format("{},{}", kSigned, kSealed));
  const auto plain = sent(openai_chat_provider(), chat, {.reasoning_content = true});
  EXPECT_NE(body_of(plain).find(R"("content":"a","reasoning_content":"hm"})"), std::string::npos)
      << body_of(plain);
  EXPECT_EQ(records_of(plain),
            "thinking_dropped;/messages/1/content;redacted_thinking>, "
            "signature_dropped;/messages/1/content;thinking>its_text");
  const auto usual = sent(openai_chat_provider(), chat);
  EXPECT_EQ(body_of(usual).find("hm"), std::string::npos) << body_of(usual);
  EXPECT_EQ(records_of(usual),
            "thinking_dropped;/messages/1/content;redacted_thinking>, "
            "thinking_dropped;/messages/1/content;thinking>");
  EXPECT_NE(records_of(sent(openai_chat_provider(), history(R"({"type":"new"})"))).find("thinking_dropped"),
            std::string::npos);
}

TEST(OpenAiReasoning, GoesToWhoSignedIt) {
  Chat chat = history(fmt::format("{},{},{}", kSigned, kHidden, kSealed));
  chat.max_tokens = 9;
  const auto call = sent(anthropic_messages_provider(), chat);
  EXPECT_NE(body_of(call).find(R"({"type":"thinking","thinking":"hm","signature":"s"},)"
                               R"({"type":"redacted_thinking","data":"d"},{"type":"text","text":"a"}])"),
            std::string::npos)
      << body_of(call);
  EXPECT_EQ(records_of(call), "thinking_dropped;/messages/1/content;redacted_thinking>");
  const auto blocks = sent(openai_chat_provider(), chat, {.thinking_blocks = true});
  EXPECT_NE(
      body_of(blocks).find(R"("thinking_blocks":[{"type":"thinking","thinking":"hm","signature":"s"},)"),
      std::string::npos)
      << body_of(blocks);
}

// What an Anthropic client sends back, for a server that hands it on in this form.
TEST(OpenAiReasoning, IsWrittenOfSignedThinking) {
  const Chat chat = test::messages_chat(
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[)"
      R"({"type":"thinking","thinking":"hm","signature":"s"},{"type":"redacted_thinking","data":"d"},)"
      R"({"type":"text","text":"a"}]},{"role":"user","content":"r"}]})");
  const auto call = sent(openai_chat_provider(), chat, {.reasoning_field = true, .reasoning_details = true});
  EXPECT_NE(
      body_of(call).find(fmt::format(R"("content":"a","reasoning_details":[{},{}]}})", kSigned, kHidden)),
      std::string::npos)
      << body_of(call);
  EXPECT_EQ(records_of(call), "");
}

// ---- Answers

TEST(OpenAiReasoning, OfAnAnswerKeepsTextAndSignature) {
  const std::string list = fmt::format(R"("reasoning":"hm","reasoning_details":[{},{}])", kSigned, kHidden);
  EXPECT_EQ(whole(R"("content":"a",)" + list), "2 hm/s 3 d/ 0 a/ ");
  EXPECT_EQ(
      whole(fmt::format(R"("content":"a","reasoning":"so","reasoning_details":[{},{}])", kSummary, kSealed)),
      fmt::format("2 so/ 7 {}/ 0 a/ ", kSealed));
  EXPECT_EQ(whole(fmt::format(R"("content":"a","reasoning":"so","reasoning_details":[{}])", kHidden)),
            "3 d/ 2 so/ 0 a/ ");
  EXPECT_EQ(whole(R"("content":"a","reasoning_details":[{"type":"reasoning.text","text":"t","signature":"g",)"
                  R"("format":"google-gemini-v1"}])"),
            "2 t/ 0 a/ ")
      << "another vendor's signature is nothing for this dialect's kin";
}

TEST(OpenAiReasoning, OfAStreamKeepsTextAndSignature) {
  const auto piece = [](std::string_view reasoning, std::string_view text) {
    return fmt::format(
        R"({{"reasoning":{},"reasoning_details":[{{"type":"reasoning.text","text":"{}","index":0,)"
        R"("format":"anthropic-claude-v1"}}]}})",
        reasoning, text);
  };
  const std::string signs =
      R"({"reasoning_details":[{"type":"reasoning.text","signature":"s","index":0,"format":"anthropic-claude-v1"}]})";
  EXPECT_EQ(streamed({piece(R"("h")", "h"), piece(R"("m")", "m"), signs, R"({"content":"a"})"}),
            "2 hm/s 0 a/ ");
  EXPECT_EQ(streamed({piece("null", "h"), piece("null", "m"), signs, R"({"content":"a"})"}), "2 hm/s 0 a/ ");
  EXPECT_EQ(streamed({piece(R"("h")", "h"), signs, fmt::format(R"({{"reasoning_details":[{}]}})", kHidden),
                      R"({"content":"a"})"}),
            "2 h/s 3 d/ 0 a/ ");
  EXPECT_EQ(streamed({piece(R"("h")", "h"), signs, piece(R"("i")", "i"), R"({"content":"a"})"}),
            "2 h/s 2 i/ 0 a/ ");
  EXPECT_EQ(streamed({fmt::format(R"({{"reasoning":"so","reasoning_details":[{}]}})", kSummary),
                      fmt::format(R"({{"reasoning_details":[{}]}})", kSealed), R"({"content":"a"})"}),
            fmt::format("2 so/ 7 {}/ 0 a/ ", kSealed));
}

TEST(OpenAiReasoning, WhatNobodyElseCanReadIsReported) {
  const Request request = Chat{};
  for (const Dialect client : {Dialect::openai_chat, Dialect::anthropic_messages, Dialect::gemini}) {
    AnswerLosses losses(client, request);
    const Fidelity lost = losses.of(BlockStart{.kind = BlockKind::unknown, .data = std::string(kSealed)});
    EXPECT_EQ(lost.header_value(), "thinking_dropped;answer/content;sealed_reasoning>");
    EXPECT_FALSE(lost.has_warnings());
  }
}

}  // namespace
}  // namespace weir
