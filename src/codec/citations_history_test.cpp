// Citations of earlier answers, which clients send back as they got them.
#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"

namespace weir {
namespace {

// The client sends the answer back as it got it, and the vendor must not take the citation for its own.
TEST(CitationsInHistories, OfWeirsMakingAreNotSentToTheVendor) {
  const Chat messages = test::messages_chat(
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[)"
      R"({"type":"text","text":"a","citations":[{"type":"web_search_result_location","cited_text":"",)"
      R"("encrypted_index":"weir","title":null,"url":"https://a.example"}]}]},{"role":"user","content":"r"}]})");
  const Block& text = messages.messages[1].content[0];
  EXPECT_TRUE(text.has_made_citations);
  EXPECT_FALSE(text.own);
  const Capabilities any;
  const auto sent =
      anthropic_messages_provider().encode_request(messages, {.model = "m", .capabilities = &any});
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->wire.body.find("citations"), std::string::npos);
  EXPECT_TRUE(sent->notes.fidelity.empty());

  const Chat converse = test::converse_chat(
      R"({"messages":[{"role":"user","content":[{"text":"q"}]},{"role":"assistant","content":[)"
      R"({"citationsContent":{"content":[{"text":"a"}],"citations":[{"title":"f","source":"weir:file-1"}]}}]},)"
      R"({"role":"user","content":[{"text":"r"}]}]})");
  EXPECT_TRUE(converse.messages[1].content[0].has_made_citations);
  const auto said = test::encode_for(bedrock_converse_provider(), converse);
  ASSERT_TRUE(said);
  EXPECT_NE(said->wire.body.find(R"({"text":"a"})"), std::string::npos);
  EXPECT_EQ(said->wire.body.find("citationsContent"), std::string::npos);
}

TEST(CitationsInHistories, OfTheVendorsMakingAreItsOwn) {
  const Chat messages = test::messages_chat(
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[)"
      R"({"type":"text","text":"a","citations":[{"type":"web_search_result_location","cited_text":"",)"
      R"("encrypted_index":"Eo8","title":null,"url":"https://a.example"}]}]},{"role":"user","content":"r"}]})");
  EXPECT_FALSE(messages.messages[1].content[0].has_made_citations);
  EXPECT_TRUE(messages.messages[1].content[0].own);
}

}  // namespace
}  // namespace weir
