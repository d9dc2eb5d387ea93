#include "llm/prompt_tokens.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

Chat one_message(std::string_view text) {
  Chat chat;
  Message message;
  message.content.push_back({.body = TextBlock{text}, .cache = {}, .pointer = {}});
  chat.messages.push_back(message);
  return chat;
}

TEST(PromptTokens, CountsTextExactlyAndAddsTheOverheadOfMessages) {
  // "hello world" is two tokens in both vocabularies.
  EXPECT_EQ(estimate_prompt_tokens(one_message("hello world"), TokenizerKind::o200k_base), 2 + 3 + 3);
  EXPECT_EQ(estimate_prompt_tokens(one_message("hello world"), TokenizerKind::cl100k_base), 2 + 3 + 3);
}

TEST(PromptTokens, CountsToolsAndToolResults) {
  Chat chat = one_message("hello");
  const int64_t bare = estimate_prompt_tokens(chat, TokenizerKind::o200k_base);
  chat.tools.push_back({.name = "get_weather", .schema = {R"({"type":"object"})"}, .type = {}, .raw = {}});
  const int64_t with_tool = estimate_prompt_tokens(chat, TokenizerKind::o200k_base);
  EXPECT_GT(with_tool, bare);
  ToolResultBlock result;
  result.content.push_back({.body = TextBlock{"sunny and warm"}, .cache = {}, .pointer = {}});
  chat.messages[0].content.push_back({.body = result, .cache = {}, .pointer = {}});
  EXPECT_GT(estimate_prompt_tokens(chat, TokenizerKind::o200k_base), with_tool);
}

}  // namespace
}  // namespace weir
