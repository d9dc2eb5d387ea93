#include <gtest/gtest.h>

#include "codec/anthropic_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

const Request kRequest = Chat{};

std::string streamed(const std::vector<Event>& events) {
  return test::encode_stream(*anthropic_messages_client().stream_encoder(test::answer_context(kRequest)),
                             events);
}

// What a client of the dialect reads in that stream, folded.
Answer read_back(const std::vector<Event>& events) {
  const auto decoder = anthropic_messages_provider().stream_decoder({});
  const test::Decoded decoded = test::decode_whole(*decoder, streamed(events));
  EXPECT_EQ(decoded.error, "");
  return test::fold(decoded.events);
}

UsageReport usage(int64_t in, int64_t out) {
  UsageReport report;
  report.usage.in_uncached = in;
  report.usage.out_text = out;
  return report;
}

TEST(AnthropicEncode, WritesTheEventsOfATextAnswer) {
  EXPECT_EQ(
      streamed({Start{.id = "msg_9", .model = "claude-x"}, usage(11, 2), BlockStart{}, Delta{.text = "Hi\n"},
                Ping{}, BlockEnd{}, Finish{.reason = StopReason::stop_sequence, .stop_sequence = "END"},
                usage(11, 7), End{}}),
      "event: message_start\ndata: "
      "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_9\",\"type\":\"message\","
      "\"role\":\"assistant\",\"model\":\"claude-x\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":"
      "null,"
      "\"usage\":{\"input_tokens\":11,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,"
      "\"cache_creation\":{\"ephemeral_5m_input_tokens\":0,\"ephemeral_1h_input_tokens\":0},"
      "\"output_tokens\":0}}}\n\n"
      "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":"
      "{\"type\":\"text\",\"text\":\"\"}}\n\n"
      "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
      "{\"type\":\"text_delta\",\"text\":\"Hi\\n\"}}\n\n"
      "event: ping\ndata: {\"type\": \"ping\"}\n\n"
      "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
      "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"stop_sequence\","
      "\"stop_sequence\":\"END\"},\"usage\":{\"input_tokens\":11,\"cache_creation_input_tokens\":0,"
      "\"cache_read_input_tokens\":0,\"output_tokens\":7}}\n\n"
      "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
}

TEST(AnthropicEncode, StatesTheEstimateInWholeAnswersWhoseProviderStatesNoUsage) {
  const auto body = [](const std::vector<Event>& events) {
    return anthropic_messages_client().encode_answer(test::fold(events), test::answer_context(kRequest)).body;
  };
  const std::vector<Event> silent = {Start{}, BlockStart{}, Delta{.text = "a"}, BlockEnd{}, Finish{}, End{}};
  EXPECT_NE(body(silent).find(R"("usage":{"input_tokens":33,)"), std::string::npos) << body(silent);
  std::vector<Event> stated = silent;
  stated.insert(stated.end() - 1, usage(5, 1));
  EXPECT_NE(body(stated).find(R"("usage":{"input_tokens":5,)"), std::string::npos) << body(stated);
}

TEST(AnthropicEncode, StatesTheEstimateWhenTheProviderStatesNoInputYet) {
  const std::string out = streamed({Start{.id = "chatcmpl-1"}, BlockStart{}, Delta{.text = "a"}});
  EXPECT_NE(out.find("\"id\":\"msg_01J\""), std::string::npos) << out;
  EXPECT_NE(out.find("\"model\":\"claude\""), std::string::npos);
  EXPECT_NE(out.find("\"usage\":{\"input_tokens\":33,"), std::string::npos);
}

TEST(AnthropicEncode, StatesTheEstimateAgainWhenTheProviderNeverStatesInput) {
  constexpr std::string_view kDelta = R"("stop_sequence":null},"usage":{"input_tokens":)";
  const std::vector<Event> silent = {Start{}, BlockStart{}, Delta{.text = "a"}, BlockEnd{}, Finish{}, End{}};
  EXPECT_NE(streamed(silent).find(fmt::format("{}33,", kDelta)), std::string::npos) << streamed(silent);
  std::vector<Event> late = silent;
  late.insert(late.end() - 1, usage(11, 7));
  EXPECT_NE(streamed(late).find(fmt::format("{}11,", kDelta)), std::string::npos) << streamed(late);
}

TEST(AnthropicEncode, NeverInterleavesBlocks) {
  const std::vector<Event> events = {
      Start{},
      BlockStart{.index = 0, .kind = BlockKind::tool_call, .tool_id = "a", .tool_name = "f"},
      BlockStart{.index = 1, .kind = BlockKind::tool_call, .tool_id = "b", .tool_name = "g"},
      Delta{.index = 1, .text = "{\"x\""},
      Delta{.index = 0, .text = "{\"y\":2}"},
      Delta{.index = 1, .text = ":1}"},
      BlockEnd{.index = 1},
      BlockStart{.index = 2},
      Delta{.index = 2, .text = "after"},
      BlockEnd{.index = 0},
      BlockEnd{.index = 2},
      Finish{.reason = StopReason::tool},
      End{}};
  const std::string out = streamed(events);
  int open = -1;
  int next = 0;
  for (const std::string_view event : test::split_on(out, '\n')) {
    if (event.starts_with("event: content_block_start")) {
      EXPECT_EQ(open, -1) << "a block began inside another";
      open = next++;
    } else if (event.starts_with("event: content_block_stop")) {
      open = -1;
    } else if (event.starts_with("data: {\"type\":\"content_block_")) {
      EXPECT_NE(event.find(fmt::format("\"index\":{}", next - 1)), std::string_view::npos) << event;
    }
  }
  const Answer answer = read_back(events);
  const auto& blocks = answer.choices.at(0).blocks;
  ASSERT_EQ(blocks.size(), 3u);
  EXPECT_EQ(blocks[0].text, "{\"y\":2}");
  EXPECT_EQ(blocks[1].text, "{\"x\":1}");
  EXPECT_EQ(blocks[1].tool_id, "b");
  EXPECT_EQ(blocks[2].text, "after");
  EXPECT_EQ(answer.choices.at(0).finish.reason, StopReason::tool);
}

TEST(AnthropicEncode, ClosesBlocksThatNobodyClosed) {
  const Answer answer =
      read_back({Start{}, BlockStart{.index = 0}, Delta{.index = 0, .text = "a"},
                 BlockStart{.index = 1, .kind = BlockKind::thinking}, Delta{.index = 1, .text = "t"},
                 Delta{.index = 1, .kind = DeltaKind::signature, .text = "s"}, Finish{}, End{}});
  ASSERT_EQ(answer.choices.at(0).blocks.size(), 2u);
  EXPECT_EQ(answer.choices[0].blocks[1].text, "t");
  EXPECT_EQ(answer.choices[0].blocks[1].signature, "s");
}

TEST(AnthropicEncode, LeavesOutBlocksOfOtherDialectsWithoutAGapInTheIndexes) {
  const std::string out = streamed(
      {Start{}, BlockStart{.index = 0, .kind = BlockKind::unknown, .data = "{}", .dialect = Dialect::gemini},
       BlockEnd{.index = 0}, BlockStart{.index = 1, .kind = BlockKind::audio},
       Delta{.index = 1, .text = "AAAA"}, BlockEnd{.index = 1}, BlockStart{.index = 2},
       Delta{.index = 2, .text = "x"}, BlockEnd{.index = 2}, Finish{}, End{}});
  EXPECT_EQ(out.find("AAAA"), std::string::npos);
  EXPECT_NE(out.find("\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\""),
            std::string::npos)
      << out;
}

TEST(AnthropicEncode, EndsAFailedStreamWithAnErrorEvent) {
  const auto encoder = anthropic_messages_client().stream_encoder(test::answer_context(kRequest));
  std::string out;
  encoder->fail(make_error(ErrorKind::upstream_overloaded, "busy"), out);
  EXPECT_EQ(out,
            "event: error\ndata: "
            "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n");
}

TEST(AnthropicEncode, WritesAWholeAnswer) {
  Answer answer;
  answer.start = {.id = "msg_1", .model = "claude-x", .service_tier = "standard"};
  answer.usage.in_uncached = 10;
  answer.usage.cache_read = 3;
  answer.usage.cache_write_1h = 4;
  answer.usage.out_text = 5;
  answer.usage.out_reasoning = 2;
  AnswerChoice& choice = answer.choices.emplace_back();
  choice.blocks = {{.kind = BlockKind::thinking, .text = "hm", .signature = "s"},
                   {.kind = BlockKind::text, .text = ""},
                   {.kind = BlockKind::text,
                    .text = "Hi",
                    .citations = {"{\"c\":1}"},
                    .dialect = Dialect::anthropic_messages},
                   {.kind = BlockKind::tool_call, .text = "", .tool_id = "a", .tool_name = "f"},
                   {.kind = BlockKind::tool_call, .text = "{\"cut", .tool_id = "b", .tool_name = "f"},
                   {.kind = BlockKind::tool_call, .text = "[1]", .tool_id = "c", .tool_name = "f"}};
  choice.finish.reason = StopReason::tool;
  const ClientReply reply = anthropic_messages_client().encode_answer(answer, test::answer_context(kRequest));
  EXPECT_EQ(
      reply.body,
      R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[)"
      R"({"type":"thinking","thinking":"hm","signature":"s"},)"
      R"({"type":"text","text":"Hi","citations":[{"c":1}]},)"
      R"({"type":"tool_use","id":"a","name":"f","input":{}},)"
      R"({"type":"tool_use","id":"b","name":"f","input":{"_raw":"{\"cut"}},)"
      R"({"type":"tool_use","id":"c","name":"f","input":{"value":[1]}}],)"
      R"("stop_reason":"tool_use","stop_sequence":null,"stop_details":null,"container":null,)"
      R"("usage":{"input_tokens":10,"cache_creation_input_tokens":4,"cache_read_input_tokens":3,)"
      R"("cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":4},"output_tokens":7,)"
      R"("output_tokens_details":{"thinking_tokens":2},"service_tier":"standard"}})");
}

TEST(AnthropicEncode, TellsEveryErrorInTheDialectsWords) {
  const auto said = [](ErrorKind kind, std::optional<int64_t> wait_ms = {}) {
    Error error = make_error(kind, "m");
    error.retry_after_ms = wait_ms;
    const ClientReply reply = anthropic_messages_client().encode_error(error, "req_1");
    const size_t from = reply.body.find("\"error\":{\"type\":\"") + 17;
    return fmt::format("{} {} {} {}", reply.status,
                       reply.body.substr(from, reply.body.find('"', from) - from),
                       reply.headers.get_or("retry-after", "-"), reply.headers.get_or("x-should-retry", "-"));
  };
  EXPECT_EQ(said(ErrorKind::bad_request), "400 invalid_request_error - -");
  EXPECT_EQ(said(ErrorKind::context_too_long), "400 invalid_request_error - -");
  EXPECT_EQ(said(ErrorKind::unauthenticated), "401 authentication_error - -");
  EXPECT_EQ(said(ErrorKind::forbidden), "403 permission_error - -");
  EXPECT_EQ(said(ErrorKind::model_not_found), "404 not_found_error - -");
  EXPECT_EQ(said(ErrorKind::body_too_large), "413 request_too_large - -");
  EXPECT_EQ(said(ErrorKind::rate_limited, 2500), "429 rate_limit_error 3 -");
  EXPECT_EQ(said(ErrorKind::upstream_rate_limited, 90'000), "429 rate_limit_error 90 false");
  EXPECT_EQ(said(ErrorKind::budget_exceeded), "402 billing_error - false");
  EXPECT_EQ(said(ErrorKind::upstream_overloaded), "529 overloaded_error - -");
  EXPECT_EQ(said(ErrorKind::overloaded), "529 overloaded_error - -");
  EXPECT_EQ(said(ErrorKind::upstream_timeout), "504 timeout_error - -");
  EXPECT_EQ(said(ErrorKind::upstream_auth), "502 api_error - -");
  EXPECT_EQ(said(ErrorKind::internal), "500 api_error - -");
}

TEST(AnthropicEncode, CitesNothingInThoughts) {
  const std::string out = streamed(
      {Start{}, BlockStart{.kind = BlockKind::thinking}, Delta{.text = "hm"},
       Delta{.kind = DeltaKind::citation, .text = R"({"type":"x"})", .dialect = Dialect::anthropic_messages},
       BlockEnd{}, Finish{}, End{}});
  EXPECT_NE(out.find("hm"), std::string::npos) << out;
  EXPECT_EQ(out.find("citations_delta"), std::string::npos) << out;
}

// Some clients add what the first event states to what the last one does.
TEST(AnthropicEncode, StatesNoOutputAtTheStart) {
  UsageReport early = usage(11, 2);
  early.usage.out_reasoning = 3;
  early.usage.out_audio = 5;
  early.usage.out_image = 7;
  const std::string stream =
      streamed({Start{}, early, BlockStart{}, Delta{.text = "a"}, BlockEnd{}, Finish{}, End{}});
  EXPECT_NE(stream.substr(0, stream.find("\n\n")).find(R"("output_tokens":0})"), std::string::npos) << stream;
}

}  // namespace
}  // namespace weir
