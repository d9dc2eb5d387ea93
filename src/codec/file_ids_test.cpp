#include "codec/file_ids.h"

#include <gtest/gtest.h>

#include "codec/gemini_test_util.h"

namespace weir {
namespace {

TEST(FileIds, OfEveryKindAreForTheirOwnStoreAlone) {
  for (const std::string_view mime : {"image/png", "application/pdf", "audio/wav", "video/mp4"}) {
    const Chat chat = test::gemini_chat(
        fmt::format(R"({{"contents":[{{"parts":[{{"text":"look"}},{{"fileData":{{"mimeType":"{}",)"
                    R"("fileUri":"https://generativelanguage.googleapis.com/v1beta/files/a"}}}}]}}]}})",
                    mime));
    EXPECT_TRUE(check_files(chat, {Dialect::gemini})) << mime;
    const Result<void> checked = check_files(chat, {Dialect::openai_chat});
    ASSERT_FALSE(checked) << mime;
    EXPECT_EQ(checked.error().kind, ErrorKind::unsupported) << mime;
    EXPECT_EQ(checked.error().path, "messages[0].content[1]") << mime;
  }
}

}  // namespace
}  // namespace weir
