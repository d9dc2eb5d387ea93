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

}  // namespace
}  // namespace weir
