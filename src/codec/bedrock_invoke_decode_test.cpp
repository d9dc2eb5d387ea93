#include "codec/bedrock_invoke_decode.h"

#include <array>
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/replay_test_util.h"

namespace weir {
namespace {

InvokeShape shape_of(std::string body) {
  const Result<JsonDoc> parsed = JsonDoc::parse(std::move(body));
  EXPECT_TRUE(parsed);
  return parsed ? invoke_shape(parsed->root()) : InvokeShape::unknown;
}

TEST(InvokeDecode, KnowsTheShapeByAnyOfItsMembers) {
  for (const std::string_view key : {"output", "messageStart", "contentBlockStart", "contentBlockDelta",
                                     "contentBlockStop", "messageStop"})
    EXPECT_EQ(shape_of(fmt::format(R"({{"{}":{{}}}})", key)), InvokeShape::nova) << key;
  for (const std::string_view key :
       {"results", "outputText", "generation", "outputs", "choices", "generations", "text", "event_type"})
    EXPECT_EQ(shape_of(fmt::format(R"({{"{}":""}})", key)), InvokeShape::text) << key;
  EXPECT_EQ(shape_of(R"({"type":"message"})"), InvokeShape::anthropic);
  for (const std::string body : {"{}", "[]", "7", R"({"type":7})", R"(["text"])", R"("text")"})
    EXPECT_EQ(shape_of(body), InvokeShape::unknown) << body;
}

TEST(InvokeDecode, KnowsEveryFamilysWordForTheEnd) {
  constexpr std::array<std::pair<std::string_view, StopReason>, 18> kCases = {{
      {"FINISH", StopReason::end},
      {"finished", StopReason::end},
      {"stop", StopReason::end},
      {"COMPLETE", StopReason::end},
      {"end_turn", StopReason::end},
      {"stop_sequence", StopReason::stop_sequence},
      {"STOP_CRITERIA_MET", StopReason::stop_sequence},
      {"LENGTH", StopReason::length},
      {"max_tokens", StopReason::length},
      {"ERROR_LIMIT", StopReason::context_full},
      {"CONTENT_FILTERED", StopReason::filter},
      {"content_filter", StopReason::filter},
      {"ERROR_TOXIC", StopReason::filter},
      {"tool_calls", StopReason::tool},
      {"RAG_QUERY_WHEN_RAG_DISABLED", StopReason::other},
      {"ERROR", StopReason::other},
      {"", StopReason::other},
      {"stops", StopReason::other},
  }};
  for (const auto& [word, reason] : kCases) EXPECT_EQ(text_stop_reason(word), reason) << word;
}

TextStep step_of(const Result<JsonDoc>& parsed) {
  EXPECT_TRUE(parsed);
  return parsed ? read_text_step(parsed->root()) : TextStep{};
}

// Some of the models say "stop" of an answer that ends with a call.
TEST(InvokeDecode, AnswersWithCallsWaitForTheirResults) {
  const auto parsed =
      JsonDoc::parse(R"({"choices":[{"message":{"content":"","tool_calls":[{"id":"c","function":{"name":"f",)"
                     R"("arguments":{"a":1}}},{"function":{}}]},"finish_reason":"stop"}]})");
  TextEvents answer;
  std::vector<Event> events;
  answer.read(step_of(parsed), {}, events);
  EXPECT_TRUE(answer.conclude(events));
  EXPECT_EQ(test::describe(events),
            "start  \nblock 0 kind=1 c f 0 \ndelta 0 0 {\"a\":1}\nend of block 0\nfinish tool  stop\nend\n");
}

TEST(InvokeDecode, NothingFollowsTheEnd) {
  const auto parsed = JsonDoc::parse(R"({"generation":"a","stop_reason":"stop"})");
  TextEvents answer;
  std::vector<Event> events;
  EXPECT_FALSE(answer.conclude(events));
  answer.read(step_of(parsed), {}, events);
  EXPECT_TRUE(answer.conclude(events));
  const std::string whole = test::describe(events);
  answer.read(step_of(parsed), {}, events);
  EXPECT_TRUE(answer.conclude(events));
  EXPECT_EQ(test::describe(events), whole);
}

}  // namespace
}  // namespace weir
