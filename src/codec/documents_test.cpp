// Documents between vendors: those that are cited by their parts, and the numbers by which they are cited.
#include <gtest/gtest.h>

#include "codec/bedrock_converse_content.h"
#include "codec/bedrock_test_util.h"
#include "codec/citations.h"
#include "codec/codecs.h"
#include "codec/openai_responses_test_util.h"

namespace weir {
namespace {

using test::body_of;
using test::records_of;

// A Messages request of Anthropic's dialect whose user says these blocks.
Result<EncodedCall> to(Dialect target, std::string_view blocks) {
  const Chat chat = test::messages_chat(
      fmt::format(R"({{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":[{},)"
                  R"({{"type":"text","text":"q"}}]}}]}})",
                  blocks));
  const Capabilities any;
  return provider_codec(target).encode_request(chat, {.model = test::kClaude, .capabilities = &any});
}

constexpr std::string_view kInParts =
    R"({"type":"document","title":"T","citations":{"enabled":true},"source":{"type":"content","content":[)"
    R"({"type":"text","text":"One."},{"type":"text","text":"Two."}]}})";
// Only its vendor knows documents with pictures among their parts.
constexpr std::string_view kPictured =
    R"({"type":"document","source":{"type":"content","content":[{"type":"image","source":)"
    R"({"type":"url","url":"https://a.example/i.png"}}]}})";

void expect_sent(Dialect target, std::string_view block, std::string_view wanted) {
  const std::string body = body_of(to(target, block));
  EXPECT_NE(body.find(wanted), std::string::npos) << to_string(target) << ": " << body;
}

TEST(Documents, InPartsReachVendorsThatCiteByPartsAsTheyAreAndOthersAsText) {
  constexpr std::string_view kContent =
      R"("source":{"type":"content","content":[{"type":"text","text":"One."},{"type":"text","text":"Two."}]})";
  expect_sent(Dialect::anthropic_messages, kInParts, kContent);
  expect_sent(Dialect::bedrock_invoke, kInParts, kContent);
  expect_sent(Dialect::bedrock_converse, kInParts,
              R"("source":{"content":[{"text":"One."},{"text":"Two."}]},"citations":{"enabled":true})");
  for (const Dialect target : {Dialect::openai_chat, Dialect::openai_responses, Dialect::gemini})
    expect_sent(target, kInParts, R"("text":"One.\nTwo.")");
}

TEST(Documents, OfOneTextAreOnePart) {
  expect_sent(Dialect::anthropic_messages,
              R"({"type":"document","source":{"type":"content","content":"All."}})",
              R"("source":{"type":"content","content":[{"type":"text","text":"All."}]})");
  // Nobody will cite it, and every model that reads documents takes bytes.
  expect_sent(Dialect::bedrock_converse,
              R"({"type":"document","source":{"type":"content","content":"All."}})",
              R"("source":{"bytes":"QWxsLg=="})");
}

TEST(Documents, WithPicturesAmongTheirPartsStayWithTheirVendor) {
  expect_sent(Dialect::anthropic_messages, kPictured, kPictured);
  const auto call = to(Dialect::bedrock_converse, kPictured);
  EXPECT_NE(records_of(call).find("unsupported_block;/messages/0/content;document"), std::string::npos)
      << records_of(call);
}

TEST(Documents, OfConverseInPartsReachTheOtherVendor) {
  Chat chat;
  const auto doc = JsonDoc::parse(
      R"({"messages":[{"role":"user","content":[{"document":{"format":"txt","name":"D","source":{"content":)"
      R"([{"text":"One."},{"text":"Two."}]}}},{"text":"q"}]}]})");
  ASSERT_TRUE(decode_converse_messages(doc->root()["messages"], chat));
  const Capabilities any;
  const auto call =
      anthropic_messages_provider().encode_request(chat, {.model = "claude", .capabilities = &any});
  EXPECT_NE(body_of(call).find(R"({"type":"content","content":[{"type":"text","text":"One."})"),
            std::string::npos)
      << body_of(call);
}

// The target has two documents, of which the client's are the second and the third.
TEST(Documents, AreCitedByTheNumbersOfTheClient) {
  const auto call = to(Dialect::bedrock_converse, fmt::format("{},{},{}", kPictured, kInParts, kInParts));
  ASSERT_TRUE(call);
  EXPECT_EQ(call->notes.documents, (std::vector<int64_t>{1, 2}));
  constexpr std::string_view kAnswer =
      R"({"output":{"message":{"role":"assistant","content":[{"citationsContent":{"content":[{"text":"a"}],)"
      R"("citations":[{"location":{"documentChunk":{"documentIndex":1,"start":0,"end":1}}}]}}]}},)"
      R"("stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}})";
  const Headers none;
  const auto events =
      bedrock_converse_provider().decode_answer({.headers = &none, .body = kAnswer}, call->notes);
  ASSERT_TRUE(events);
  const std::vector<std::string> citations = test::fold(*events).choices.at(0).blocks.at(0).citations;
  ASSERT_EQ(citations.size(), 1U);
  EXPECT_EQ(citations[0], R"({"location":{"documentChunk":{"documentIndex":2,"start":0,"end":1}}})");
}

TEST(Documents, KeepTheirNumbersWhereAllAreSent) {
  for (const Dialect target : {Dialect::anthropic_messages, Dialect::bedrock_converse})
    EXPECT_TRUE(to(target, fmt::format("{},{}", kInParts, kInParts))->notes.documents.empty());
}

TEST(Documents, OfAnthropicAreRenumberedWholeAndStreamed) {
  CallNotes notes;
  notes.documents = {3, 12};
  constexpr std::string_view kCited =
      R"({"type":"char_location","cited_text":"1","document_index":1,"start_char_index":0,"end_char_index":1})";
  const std::string_view wanted =
      R"({"type":"char_location","cited_text":"1","document_index":12,"start_char_index":0,"end_char_index":1})";
  const std::string answer =
      fmt::format(R"({{"type":"message","content":[{{"type":"text","text":"a","citations":[{}]}}],)"
                  R"("stop_reason":"end_turn","usage":{{"input_tokens":1,"output_tokens":1}}}})",
                  kCited);
  const Headers none;
  const auto whole = anthropic_messages_provider().decode_answer({.headers = &none, .body = answer}, notes);
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(test::fold(*whole).choices.at(0).blocks.at(0).citations,
            std::vector<std::string>{std::string(wanted)});
  const std::string stream = fmt::format(
      "event: message_start\ndata: {{\"type\":\"message_start\",\"message\":{{\"id\":\"m\"}}}}\n\n"
      "event: content_block_start\ndata: {{\"type\":\"content_block_start\",\"index\":0,"
      "\"content_block\":{{\"type\":\"text\",\"text\":\"\"}}}}\n\n"
      "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,"
      "\"delta\":{{\"type\":\"citations_delta\",\"citation\":{}}}}}\n\n"
      "event: content_block_stop\ndata: {{\"type\":\"content_block_stop\",\"index\":0}}\n\n"
      "event: message_delta\ndata: "
      "{{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"end_turn\"}}}}\n\n"
      "event: message_stop\ndata: {{\"type\":\"message_stop\"}}\n\n",
      kCited);
  const auto decoder = anthropic_messages_provider().stream_decoder(notes);
  const test::Decoded decoded = test::decode_whole(*decoder, stream);
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(test::fold(decoded.events).choices.at(0).blocks.at(0).citations,
            std::vector<std::string>{std::string(wanted)});
}

TEST(Documents, ThatTheTargetMakesUpKeepTheirNumbers) {
  const auto doc = JsonDoc::parse(R"({"document_index":7})");
  EXPECT_EQ(renumber_anthropic_citation(doc->root(), {1, 2}), R"({"document_index":7})");
  EXPECT_EQ(renumber_converse_citation(doc->root(), {1, 2}), R"({"document_index":7})");
}

// Models of such vendors take media in the user's turns only.
TEST(Turns, GiveTheAssistantsMediaToTheUser) {
  Chat chat;
  chat.model = "m";
  const auto say = [&](Role role, std::vector<BlockBody> bodies) {
    Message& message = chat.messages.emplace_back();
    message.role = role;
    for (BlockBody& body : bodies)
      message.content.push_back({.body = std::move(body), .cache = {}, .pointer = {}});
  };
  const ImageBlock image{.media = {.base64 = "iVBORw0KGgo=", .mime = "image/png"}};
  say(Role::user, {TextBlock{"draw"}});
  say(Role::assistant, {TextBlock{"here"}, image});
  say(Role::user, {TextBlock{"again"}});
  const Capabilities any;
  const auto call =
      anthropic_messages_provider().encode_request(chat, {.model = "claude", .capabilities = &any});
  EXPECT_NE(
      body_of(call).find(
          R"({"role":"assistant","content":[{"type":"text","text":"here"}]},{"role":"user","content":[)"
          R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}},)"
          R"({"type":"text","text":"again"}]})"),
      std::string::npos)
      << body_of(call);
  EXPECT_NE(records_of(call).find("reordered;/messages/1/content;media_of_the_assistant>user_turn"),
            std::string::npos)
      << records_of(call);
  chat.messages.pop_back();
  const auto prefill =
      anthropic_messages_provider().encode_request(chat, {.model = "claude", .capabilities = &any});
  EXPECT_NE(records_of(prefill).find("dropped;/messages;media_of_the_last_message"), std::string::npos);
}

// Anthropic wants results first in a turn: a document before them goes behind that of a result.
TEST(Documents, KeepTheClientsNumbersWhereResultsComeFirst) {
  constexpr std::string_view kDocument =
      R"({{"type":"document","citations":{{"enabled":true}},"source":{{"type":"text","media_type":"text/plain","data":"{}"}}}})";
  const Chat chat = test::messages_chat(fmt::format(
      R"({{"model":"m","max_tokens":9,"tools":[{{"name":"f","input_schema":{{"type":"object"}}}}],"messages":)"
      R"([{{"role":"user","content":"q"}},{{"role":"assistant","content":[{{"type":"tool_use","id":"t","name":"f",)"
      R"("input":{{}}}}]}},{{"role":"user","content":[{},{{"type":"tool_result","tool_use_id":"t","content":[{}]}}]}}]}})",
      fmt::format(kDocument, "one"), fmt::format(kDocument, "two")));
  const Capabilities any;
  const auto call =
      anthropic_messages_provider().encode_request(chat, {.model = "claude", .capabilities = &any});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(call->notes.documents, (std::vector<int64_t>{1, 0})) << call->wire.body;
}

}  // namespace
}  // namespace weir
