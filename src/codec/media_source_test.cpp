#include "codec/media_source.h"

#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"
#include "codec/openai.h"

namespace weir {
namespace {

TEST(MediaType, KnowsThePathOfAPdf) {
  EXPECT_TRUE(is_pdf_url("https://a.example/b/C.PDF?x=1#p"));
  EXPECT_FALSE(is_pdf_url("https://a.example/b.png?of=c.pdf"));
}

TEST(MediaType, SendsAnImageThatIsAPdfAsADocument) {
  const Result<Request> request = test::decode_with(
      openai_chat_client(),
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"image_url",)"
      R"("image_url":{"url":"https://a.example/b.pdf"}}]}]})");
  ASSERT_TRUE(request);
  const Capabilities any;
  const auto call =
      anthropic_messages_provider().encode_request(*request, {.model = "claude", .capabilities = &any});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_NE(
      call->wire.body.find(R"({"type":"document","source":{"type":"url","url":"https://a.example/b.pdf"})"),
      std::string::npos)
      << call->wire.body;
}

TEST(MediaType, IsUnknownOfWhatIsNoBase64) {
  EXPECT_EQ(sniff_media_type("iVBORw0KGgo="), "image/png");
  EXPECT_EQ(sniff_media_type("!iVBORw0KGgo="), "");
}

}  // namespace
}  // namespace weir
