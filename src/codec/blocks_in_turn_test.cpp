#include "codec/blocks_in_turn.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/codecs.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

struct Recorder {
  std::string log;
  void open(const BlockStart& started) { log += fmt::format("({} ", started.index); }
  void write(const BlockStart& started, const Delta& delta) {
    log += fmt::format("{}{} ", started.index, delta.text);
  }
  void close(const BlockStart& started) { log += fmt::format("{}) ", started.index); }
};

Delta delta(int index, std::string text, int choice = 0) {
  return {.choice = choice, .index = index, .text = std::move(text)};
}

TEST(BlocksInTurn, LetsTheEventsOfLaterBlocksWait) {
  BlocksInTurn blocks;
  Recorder to;
  blocks.on(BlockStart{.index = 0}, to);
  blocks.on(BlockStart{.index = 1}, to);
  blocks.on(delta(1, "x"), to);
  blocks.on(delta(0, "a"), to);
  blocks.on(BlockEnd{.index = 1}, to);
  EXPECT_EQ(to.log, "(0 0a ");
  blocks.on(BlockEnd{.index = 0}, to);
  EXPECT_EQ(to.log, "(0 0a 0) (1 1x 1) ");
}

TEST(BlocksInTurn, OpensATextForADeltaThatHasNoBlockAndEndsAllWithTheAnswer) {
  BlocksInTurn blocks;
  Recorder to;
  blocks.on(delta(3, "a"), to);
  blocks.on(BlockStart{.index = 4}, to);
  blocks.on(delta(4, "b"), to);
  blocks.on(BlockEnd{.index = 9}, to);
  blocks.end(to);
  EXPECT_EQ(to.log, "(3 3a 3) (4 4b 4) ");
}

TEST(BlocksInTurn, PassesOverOtherChoices) {
  BlocksInTurn blocks;
  Recorder to;
  blocks.on(BlockStart{.choice = 1, .index = 0}, to);
  blocks.on(delta(0, "x", 1), to);
  blocks.on(BlockEnd{.choice = 1, .index = 0}, to);
  blocks.end(to);
  EXPECT_EQ(to.log, "");
}

// Readers of these dialects append each piece of arguments to the last call that was begun.
TEST(BlocksInTurn, KeepsParallelCallsApartInEachDialectWithoutIndexes) {
  const auto call = [](int index) {
    return BlockStart{.index = index,
                      .kind = BlockKind::tool_call,
                      .tool_id = fmt::format("call_{}", index),
                      .tool_name = "f"};
  };
  const std::vector<Event> events = {Start{.id = "a", .model = "m"},
                                     call(0),
                                     call(1),
                                     delta(0, "{\"first\":"),
                                     delta(1, "{\"second\":"),
                                     delta(0, "1}"),
                                     delta(1, "2}"),
                                     BlockEnd{.index = 0},
                                     BlockEnd{.index = 1},
                                     Finish{.reason = StopReason::tool},
                                     End{}};
  for (const Dialect dialect :
       {Dialect::anthropic_messages, Dialect::openai_responses, Dialect::bedrock_converse}) {
    const Request request = Chat{};
    AnswerContext context;
    context.exchange_id = "ex_1";
    context.request = &request;
    const auto encoder = chat_client_codec(dialect, true).stream_encoder(context);
    const std::string stream = test::encode_stream(*encoder, events);
    const size_t first = stream.find("1}");
    const size_t second = stream.find("second");
    ASSERT_NE(first, std::string::npos) << to_string(dialect);
    ASSERT_NE(second, std::string::npos) << to_string(dialect);
    EXPECT_LT(first, second) << to_string(dialect);
  }
}

}  // namespace
}  // namespace weir
