#include "llm/stop_matcher.h"

#include <gtest/gtest.h>

#include "llm/answer.h"

namespace weir {
namespace {

struct Heard {
  std::string text;
  std::string stopped_by;
  bool is_over = false;
  size_t ends = 0;  // of blocks
};

Heard hear(const std::vector<std::string>& stops, const std::vector<std::string>& pieces) {
  StopMatcher matcher(stops);
  std::vector<Event> events = {Start{.id = "a"}, BlockStart{.index = 0, .kind = BlockKind::text}};
  for (const std::string& piece : pieces) events.push_back(Delta{.index = 0, .text = piece});
  events.push_back(BlockEnd{.index = 0});
  events.push_back(Finish{.reason = StopReason::end});
  events.push_back(End{});
  std::vector<Event> out;
  Heard heard;
  for (const Event& event : events) {
    heard.is_over = matcher.feed(event, out);
    if (heard.is_over) break;
  }
  if (heard.is_over) {
    EXPECT_TRUE(std::holds_alternative<Finish>(out.back()));
    out.push_back(End{});
  }
  AnswerFolder folder;
  for (const Event& event : out) {
    folder.add(event);
    if (std::holds_alternative<BlockEnd>(event)) ++heard.ends;
  }
  const Answer answer = folder.take();
  heard.text = answer.choices.at(0).blocks.at(0).text;
  heard.stopped_by = answer.choices.at(0).finish.stop_sequence;
  EXPECT_TRUE(answer.is_complete);
  return heard;
}

TEST(StopMatcher, EndsTheAnswerWhereASequenceAppearsInAnyCut) {
  const std::string text = "one two three STOP four";
  for (size_t first = 0; first <= text.size(); ++first) {
    for (size_t second = first; second <= text.size(); ++second) {
      const Heard heard =
          hear({"STOP"}, {text.substr(0, first), text.substr(first, second - first), text.substr(second)});
      ASSERT_EQ(heard.text, "one two three ") << first << ' ' << second;
      ASSERT_EQ(heard.stopped_by, "STOP");
      ASSERT_TRUE(heard.is_over);
      ASSERT_EQ(heard.ends, 1U);
    }
  }
}

TEST(StopMatcher, TellsAllOfATextThatOnlyLooksLikeASequence) {
  const Heard heard = hear({"STOP", "STEP"}, {"a ST", "O ST", "EX ST"});
  EXPECT_EQ(heard.text, "a STO STEX ST");
  EXPECT_EQ(heard.stopped_by, "");
  EXPECT_FALSE(heard.is_over);
}

TEST(StopMatcher, TakesTheFirstSequenceAndTheLongestThatBeginsThere) {
  EXPECT_EQ(hear({"b", "ab", "abc"}, {"xabcd"}).stopped_by, "abc");
  EXPECT_EQ(hear({"d", "c"}, {"abcd"}).text, "ab");
}

TEST(StopMatcher, LooksAtTextAloneAndAtEachChoiceForItself) {
  StopMatcher matcher({"X"});
  std::vector<Event> out;
  matcher.feed(BlockStart{.choice = 0, .index = 0, .kind = BlockKind::thinking}, out);
  matcher.feed(Delta{.choice = 0, .index = 0, .text = "an X"}, out);
  matcher.feed(BlockStart{.choice = 1, .index = 0, .kind = BlockKind::text}, out);
  EXPECT_FALSE(matcher.feed(Delta{.choice = 1, .index = 0, .text = "b X"}, out));
  EXPECT_FALSE(matcher.feed(Delta{.choice = 1, .index = 0, .text = "more"}, out));
  matcher.feed(BlockStart{.choice = 0, .index = 1, .kind = BlockKind::text}, out);
  EXPECT_TRUE(matcher.feed(Delta{.choice = 0, .index = 1, .text = "c X"}, out));
  AnswerFolder folder;
  for (const Event& event : out) folder.add(event);
  const Answer answer = folder.take();
  EXPECT_EQ(answer.choices.at(0).blocks.at(0).text, "an X");
  EXPECT_EQ(answer.choices.at(0).blocks.at(1).text, "c ");
  EXPECT_EQ(answer.choices.at(1).blocks.at(0).text, "b ");
}

}  // namespace
}  // namespace weir
