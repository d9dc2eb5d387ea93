#include "codec/repeated_calls.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/anthropic_test_util.h"

namespace weir {
namespace {

Block call(std::string_view id) {
  return {.body = ToolCallBlock{.id = id, .name = "f", .arguments = "{}"}, .cache = {}, .pointer = {}};
}
Block result(std::string_view id) {
  return {.body = ToolResultBlock{.call_id = id, .content = {}}, .cache = {}, .pointer = {}};
}

// Turns of calls ("a b") and of results ("=a =b"), by turns.
Chat history(const std::vector<std::vector<std::string_view>>& turns) {
  Chat chat;
  for (const auto& turn : turns) {
    Message& message = chat.messages.emplace_back();
    for (const std::string_view one : turn) {
      const bool is_result = one.starts_with('=');
      message.role = is_result ? Role::tool : Role::assistant;
      message.content.push_back(is_result ? result(one.substr(1)) : call(one));
    }
  }
  return chat;
}

std::string ids(const std::vector<std::vector<std::string_view>>& turns) {
  const Chat chat = history(turns);
  const std::optional<Chat> distinct = with_distinct_calls(chat);
  if (!distinct) return "as it was";
  std::string told;
  for (const Message& message : distinct->messages) {
    for (const Block& block : message.content) {
      if (!told.empty()) told += ' ';
      if (const auto* one = std::get_if<ToolCallBlock>(&block.body)) told += one->id;
      if (const auto* one = std::get_if<ToolResultBlock>(&block.body))
        told += fmt::format("={}", one->call_id);
    }
  }
  return told;
}

TEST(RepeatedCalls, GetAnIdOfTheirOwnWithTheirResults) {
  EXPECT_EQ(ids({{"a"}, {"=a"}, {"b"}, {"=b"}}), "as it was");
  EXPECT_EQ(ids({{"a"}, {"=a"}, {"a"}, {"=a"}, {"a"}, {"=a"}}), "a =a a_2 =a_2 a_3 =a_3");
  EXPECT_EQ(ids({{"a", "b", "a"}, {"=a", "=a", "=b"}}), "a b a_2 =a =a_2 =b");
  EXPECT_EQ(ids({{"a"}, {"a"}, {"=a"}, {"=a"}}), "a a_2 =a =a_2") << "two messages of one turn";
}

TEST(RepeatedCalls, AreNamedByWhatStandsBeforeThemAlone) {
  EXPECT_EQ(ids({{"a_2"}, {"=a_2"}, {"a"}, {"=a"}, {"a"}, {"=a"}}), "a_2 =a_2 a =a a_3 =a_3");
  EXPECT_EQ(ids({{"a"}, {"=a"}, {"a"}, {"=a"}, {"a_2"}, {"=a_2"}}), "a =a a_2 =a_2 a_2_2 =a_2_2");
}

TEST(RepeatedCalls, LeaveACallWithoutAResultBehind) {
  EXPECT_EQ(ids({{"a"}, {"=b"}, {"a"}, {"=a"}}), "a =b a_2 =a_2");
  EXPECT_EQ(ids({{"a"}, {"=a"}, {"a"}, {"=a", "=a"}}), "a =a a_2 =a_2 =a") << "a result too many";
}

TEST(RepeatedCalls, AreNotThoseThatHaveNoId) {
  EXPECT_EQ(ids({{"", ""}, {"=", "="}}), "as it was");
  EXPECT_EQ(ids({{"", "a"}, {"=a"}, {"", "a"}, {"=a"}}), "a =a  a_2 =a_2");
}

// The older functions' calls have no other id than their names.
TEST(RepeatedCalls, MayBeCallsOfTheOlderFunctions) {
  const Chat chat = test::openai_chat(
      R"({"model":"m","functions":[{"name":"f","parameters":{}}],"messages":[{"role":"user","content":"q"},)"
      R"({"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},)"
      R"({"role":"function","name":"f","content":"1"},)"
      R"({"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},)"
      R"({"role":"function","name":"f","content":"2"}]})");
  const std::optional<Chat> distinct = with_distinct_calls(chat);
  ASSERT_TRUE(distinct);
  EXPECT_EQ(std::get<ToolResultBlock>(distinct->messages.at(2).content.at(0).body).call_id, "f");
  EXPECT_EQ(std::get<ToolCallBlock>(distinct->messages.at(3).content.at(0).body).id, "f_2");
  EXPECT_EQ(std::get<ToolResultBlock>(distinct->messages.at(4).content.at(0).body).call_id, "f_2");
}

}  // namespace
}  // namespace weir
