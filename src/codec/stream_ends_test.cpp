// Streams whose provider ends them in the middle: each client's encoder closes what is open, and large pieces
// are cut to what a message may hold.
#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"
#include "codec/codecs.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

const Request kRequest = Chat{};

std::string encoded(Dialect dialect, const std::vector<Event>& events) {
  const AnswerContext context{.exchange_id = "ex_01J", .created_s = 5, .model = "m", .request = &kRequest};
  const auto encoder = chat_client_codec(dialect, true).stream_encoder(context);
  return test::encode_stream(*encoder, events);
}

// Two blocks that nobody has ended, the second of a call.
std::vector<Event> open_blocks(bool ends_them) {
  std::vector<Event> events = {Start{.id = "id", .model = "m"}, BlockStart{.index = 0},
                               Delta{.index = 0, .text = "so"}};
  if (ends_them) events.push_back(BlockEnd{.index = 0});
  events.push_back(
      BlockStart{.index = 1, .kind = BlockKind::tool_call, .tool_id = "call_1", .tool_name = "find"});
  events.push_back(Delta{.index = 1, .text = "{}"});
  if (ends_them) events.push_back(BlockEnd{.index = 1});
  events.push_back(Finish{.reason = StopReason::tool});
  events.push_back(End{});
  return events;
}

TEST(StreamEncoders, CloseWhatIsOpenAtTheEnd) {
  for (size_t i = 0; i < kDialectCount; ++i) {
    const auto dialect = static_cast<Dialect>(i);
    EXPECT_EQ(encoded(dialect, open_blocks(false)), encoded(dialect, open_blocks(true)))
        << to_string(dialect);
  }
}

TEST(StreamEncoders, PassOverTheEndOfABlockThatNobodyBegan) {
  for (size_t i = 0; i < kDialectCount; ++i) {
    const auto dialect = static_cast<Dialect>(i);
    std::vector<Event> events = open_blocks(true);
    events.insert(events.begin() + 1, BlockEnd{.index = 7});
    EXPECT_EQ(encoded(dialect, events), encoded(dialect, open_blocks(true))) << to_string(dialect);
  }
}

// A message that other items stand behind is done when its own text ends, not with the answer.
TEST(StreamEncoders, FinishAMessageBehindWhichACallHasBegun) {
  const std::string out =
      encoded(Dialect::openai_responses,
              {Start{.id = "id", .model = "m"}, BlockStart{.index = 0}, Delta{.index = 0, .text = "so"},
               BlockStart{.index = 1, .kind = BlockKind::tool_call, .tool_id = "call_1", .tool_name = "find"},
               BlockEnd{.index = 0}, Delta{.index = 1, .text = "{}"}, BlockEnd{.index = 1},
               Finish{.reason = StopReason::tool}, End{}});
  const size_t done = out.find("event: response.output_item.done");
  ASSERT_NE(done, std::string::npos);
  EXPECT_LT(done, out.find("event: response.function_call_arguments.delta")) << out;
}

// The frames of a stream with their payloads.
std::vector<std::string> payloads(std::string_view bytes) {
  EventStreamDecoder decoder;
  std::vector<std::string> found;
  for (;;) {
    const auto message = decoder.next(bytes);
    EXPECT_TRUE(message) << message.error().message;
    if (!message || !*message) return found;
    found.emplace_back((**message).payload);
  }
}

TEST(StreamEncoders, CutPiecesThatAreTooLargeForAMessage) {
  const std::string text(kBedrockDeltaBytesMax * 2 + 5, 'x');
  const std::vector<Event> events = {
      Start{.id = "id", .model = "m"}, BlockStart{}, Delta{.text = text}, BlockEnd{}, Finish{}, End{}};
  for (const Dialect dialect : {Dialect::bedrock_converse, Dialect::bedrock_invoke}) {
    std::string joined;
    size_t deltas = 0;
    for (const std::string& payload : payloads(encoded(dialect, events))) {
      const Result<JsonDoc> frame = JsonDoc::parse(payload);
      ASSERT_TRUE(frame);
      const Result<std::string> inner = base64_decode(frame->root()["bytes"].string_or(""));
      const Result<JsonDoc> event = JsonDoc::parse(inner && !inner->empty() ? *inner : payload);
      ASSERT_TRUE(event);
      const std::string_view piece = event->root()["delta"]["text"].string_or("");
      if (piece.empty()) continue;
      ++deltas;
      EXPECT_LE(piece.size(), kBedrockDeltaBytesMax);
      joined += piece;
    }
    EXPECT_EQ(deltas, 3U) << to_string(dialect);
    EXPECT_TRUE(joined == text) << to_string(dialect);
  }
}

TEST(StreamEncoders, EndAStreamWhoseMessageIsTooLarge) {
  std::string out;
  append_bedrock_event(out, "chunk", std::string(17 * 1024 * 1024, 'x'));
  EXPECT_NE(test::describe_frames(out).find("internalServerException"), std::string::npos);
}

TEST(StreamEncoders, CallsOfTheServicesOwnToolsComeBackAsTheyAre) {
  const std::string raw = R"({"toolUse":{"toolUseId":"s","name":"own","type":"server_tool_use"}})";
  const std::vector<Event> events = {Start{.id = "id", .model = "m"},
                                     BlockStart{.kind = BlockKind::tool_call,
                                                .tool_id = "s",
                                                .tool_name = "own",
                                                .tool_kind = ToolKind::server,
                                                .data = raw,
                                                .dialect = Dialect::bedrock_converse},
                                     BlockEnd{}, Finish{}, End{}};
  const AnswerContext context{.exchange_id = "ex_01J", .created_s = 5, .model = "m", .request = &kRequest};
  const ClientReply reply = bedrock_converse_client().encode_answer(test::fold(events), context);
  EXPECT_NE(reply.body.find("\"content\":[" + raw + "]"), std::string::npos) << reply.body;
}

}  // namespace
}  // namespace weir
