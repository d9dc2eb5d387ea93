#include "codec/call_index.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(CallIndex, FindsTheFirstCallOfAnId) {
  Chat chat;
  chat.messages.push_back({.role = Role::assistant, .content = {}});
  for (const std::string_view name : {"f", "g"}) {
    chat.messages[0].content.push_back(
        {.body = ToolCallBlock{.id = "a", .name = name, .arguments = "{}"}, .cache = {}, .pointer = {}});
  }
  const CallIndex index(chat);
  ASSERT_NE(index.find("a"), nullptr);
  EXPECT_EQ(index.find("a")->name, "f");
  EXPECT_EQ(index.find("b"), nullptr);
}

TEST(OpenCalls, AnswersEachCallOnceAndTheEarlierFirst) {
  OpenCalls calls;
  calls.add("a", "f");
  calls.add("b", "f");
  calls.add("a", "g");
  EXPECT_EQ(calls.answer("c"), std::nullopt);
  EXPECT_EQ(calls.answer("a"), 0u);
  EXPECT_EQ(calls.answer_by_name("f"), 1u) << "the first of that name is answered";
  EXPECT_EQ(calls.answer("b"), std::nullopt);
  EXPECT_EQ(calls.open(), std::vector<std::string_view>{"a"});
  EXPECT_EQ(calls.answer("a"), 2u);
  EXPECT_EQ(calls.answer("a"), std::nullopt);
}

}  // namespace
}  // namespace weir
