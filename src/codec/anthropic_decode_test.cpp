#include <gtest/gtest.h>

#include "codec/anthropic.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

using test::describe;

std::string whole(std::string_view body, const CallNotes& notes = {}) {
  const Headers headers;
  const auto events = anthropic_messages_provider().decode_answer({.headers = &headers, .body = body}, notes);
  return events ? describe(*events)
                : fmt::format("{}: {}", to_string(events.error().kind), events.error().message);
}

// A stream from the data of its events.
std::string stream_of(const std::vector<std::string_view>& datas) {
  std::string body;
  for (const std::string_view data : datas) {
    const size_t from = data.find("\"type\":\"") + 8;
    body += fmt::format("event: {}\ndata: {}\n\n", data.substr(from, data.find('"', from) - from), data);
  }
  return body;
}

test::Decoded streamed(std::string_view body, const CallNotes& notes = {}) {
  const auto decoder = anthropic_messages_provider().stream_decoder(notes);
  const auto fresh = decoder->clone();
  test::Decoded decoded = test::decode_whole(*decoder, body);
  test::expect_same_however_cut(*fresh, body, decoded);
  return decoded;
}

constexpr std::string_view kStart =
    R"({"type":"message_start","message":{"id":"msg_1","model":"claude","usage":{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":3,"cache_creation":{"ephemeral_5m_input_tokens":1,"ephemeral_1h_input_tokens":4},"output_tokens":2}}})";
constexpr std::string_view kStop = R"({"type":"message_stop"})";

TEST(AnthropicDecode, ReadsAWholeAnswer) {
  EXPECT_EQ(
      whole(R"({"id":"msg_1","model":"claude","type":"message","content":[
      {"type":"thinking","thinking":"hm","signature":"s"},{"type":"redacted_thinking","data":"d"},
      {"type":"text","text":"Hi","citations":[{"type":"char_location"}]},
      {"type":"server_tool_use","id":"srv_1","name":"web_search","input":{"q":1}},
      {"type":"web_search_tool_result","tool_use_id":"srv_1","content":[]},
      {"type":"tool_use","id":"toolu_1","name":"f","input":{"a": 1.0}}],
      "stop_reason":"tool_use","stop_sequence":null,
      "usage":{"input_tokens":10,"output_tokens":9,"output_tokens_details":{"thinking_tokens":4},
               "server_tool_use":{"web_search_requests":1}}})"),
      "start msg_1 claude\n"
      "block 0 kind=2   0 \ndelta 0 0 hm\ndelta 0 1 s\nend of block 0\n"
      "block 1 kind=3   0 d\nend of block 1\n"
      "block 2 kind=0   0 \ndelta 2 0 Hi\ndelta 2 2 {\"type\":\"char_location\"}\nend of block 2\n"
      "block 3 kind=1 srv_1 web_search 2 "
      "{\"type\":\"server_tool_use\",\"id\":\"srv_1\",\"name\":\"web_search\",\"input\":{\"q\":1}}\n"
      "delta 3 0 {\"q\":1}\nend of block 3\n"
      "block 4 kind=7   0 {\"type\":\"web_search_tool_result\",\"tool_use_id\":\"srv_1\",\"content\":[]}\n"
      "end of block 4\n"
      "block 5 kind=1 toolu_1 f 0 \ndelta 5 0 {\"a\": 1.0}\nend of block 5\n"
      "finish tool  tool_use\n"
      "usage in=10 out=5 reasoning=4 searches=1\nend\n");
}

TEST(AnthropicDecode, KnowsEveryStopReasonAndTakesNewOnes) {
  const auto reason = [](std::string_view word) {
    const std::string text = whole(fmt::format(R"({{"content":[],"stop_reason":"{}"}})", word));
    const size_t from = text.find("finish ") + 7;
    return text.substr(from, text.find(' ', from) - from);
  };
  EXPECT_EQ(reason("end_turn"), "end");
  EXPECT_EQ(reason("max_tokens"), "length");
  EXPECT_EQ(reason("stop_sequence"), "stop_sequence");
  EXPECT_EQ(reason("tool_use"), "tool");
  EXPECT_EQ(reason("pause_turn"), "pause");
  EXPECT_EQ(reason("refusal"), "refusal");
  EXPECT_EQ(reason("model_context_window_exceeded"), "context_full");
  EXPECT_EQ(reason("something_new"), "other");
}

TEST(AnthropicDecode, UnwrapsTheToolThatStandsForASchema) {
  CallNotes notes;
  notes.json_tool = "json_output";
  EXPECT_EQ(whole(R"({"content":[{"type":"tool_use","id":"t","name":"json_output","input":{"a":1}}],)"
                  R"("stop_reason":"tool_use"})",
                  notes),
            "start  \nblock 0 kind=0   0 \ndelta 0 0 {\"a\":1}\nend of block 0\nfinish end  tool_use\nend\n");
  const test::Decoded decoded = streamed(
      stream_of(
          {R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"json_output","input":{}}})",
           R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\""}})",
           R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":":1}"}})",
           R"({"type":"content_block_stop","index":0})",
           R"({"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":1}})",
           kStop}),
      notes);
  const Answer answer = test::fold(decoded.events);
  EXPECT_EQ(answer.choices.at(0).blocks.at(0).kind, BlockKind::text);
  EXPECT_EQ(answer.choices.at(0).blocks.at(0).text, "{\"a\":1}");
  EXPECT_EQ(answer.choices.at(0).finish.reason, StopReason::end);
}

TEST(AnthropicDecode, LeavesOutWhatIsSaidBesideTheToolThatStandsForASchema) {
  CallNotes notes;
  notes.json_tool = "json_output";
  const std::string said = R"({"type":"text","text":"Let me answer."})";
  const std::string call = R"({"type":"tool_use","id":"t","name":"json_output","input":{"a":1}})";
  const std::string end = R"("stop_reason":"tool_use"})";
  EXPECT_EQ(whole(R"({"content":[)" + said + "," + call + "," + said + "]," + end, notes),
            "start  \nblock 0 kind=0   0 \ndelta 0 0 {\"a\":1}\nend of block 0\nfinish end  tool_use\nend\n");
  // Without the call it is all that there is.
  EXPECT_EQ(whole(R"({"content":[)" + said + R"(],"stop_reason":"max_tokens"})", notes),
            "start  \nblock 0 kind=0   0 \ndelta 0 0 Let me answer.\nend of block 0\n"
            "finish length  max_tokens\nend\n");
  // Beside a call of the caller's it is what the model says to that.
  const std::string other = R"({"type":"tool_use","id":"u","name":"f","input":{}})";
  EXPECT_EQ(whole(R"({"content":[)" + said + "," + other + "]," + end, notes),
            "start  \nblock 0 kind=0   0 \ndelta 0 0 Let me answer.\nend of block 0\n"
            "block 1 kind=1 u f 0 \ndelta 1 0 {}\nend of block 1\nfinish tool  tool_use\nend\n");
  const test::Decoded decoded = streamed(
      stream_of(
          {R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":"Let "}})",
           R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"me answer."}})",
           R"({"type":"content_block_stop","index":0})",
           R"({"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"json_output","input":{}}})",
           R"({"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}})",
           R"({"type":"content_block_stop","index":1})",
           R"({"type":"message_delta","delta":{"stop_reason":"tool_use"}})", kStop}),
      notes);
  EXPECT_EQ(describe(decoded.events),
            "block 0 kind=0   0 \ndelta 0 0 {\"a\":1}\nend of block 0\nfinish end  tool_use\nend\n");
}

TEST(AnthropicDecode, GivesRenamedAndCustomToolsTheirOwnNamesAndInput) {
  CallNotes notes;
  notes.tool_names.add("srv_tool_1", "srv.tool");
  notes.custom_tools.make() = {"patch"};
  const std::string text = whole(
      R"({"content":[{"type":"tool_use","id":"1","name":"srv_tool_1","input":{}},)"
      R"({"type":"tool_use","id":"2","name":"patch","input":{"input":"*** Begin"}}],"stop_reason":"tool_use"})",
      notes);
  EXPECT_NE(text.find("block 0 kind=1 1 srv.tool 0"), std::string::npos) << text;
  EXPECT_NE(text.find("block 1 kind=1 2 patch 1 \ndelta 1 0 *** Begin\n"), std::string::npos) << text;
  const test::Decoded decoded = streamed(
      stream_of(
          {R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"2","name":"patch","input":{}}})",
           R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"input\":\"*** "}})",
           R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"Begin\"}"}})",
           R"({"type":"content_block_stop","index":0})",
           R"({"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":1}})",
           kStop}),
      notes);
  EXPECT_EQ(test::fold(decoded.events).choices.at(0).blocks.at(0).text, "*** Begin");
}

TEST(AnthropicDecode, ReadsAStreamAndSetsItsCumulativeUsage) {
  const test::Decoded decoded = streamed(stream_of(
      {kStart,
       R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}})",
       R"({"type":"ping"})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"s"}})",
       R"({"type":"content_block_stop","index":0})",
       R"({"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}})",
       R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hi \ud83d\ude00"}})",
       R"({"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{"type":"c"}}})",
       R"({"type":"content_block_stop","index":1})",
       R"({"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t1","name":"f","input":{}}})",
       R"({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}})",
       R"({"type":"content_block_stop","index":2})",
       R"({"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"END"},"usage":{"input_tokens":10,"cache_creation_input_tokens":5,"output_tokens":30}})",
       kStop}));
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(describe(decoded.events),
            "start msg_1 claude\nusage in=10 read=3 write5m=1 write1h=4 out=2\n"
            "block 0 kind=2   0 \nping\ndelta 0 0 hm\ndelta 0 1 s\nend of block 0\n"
            "block 1 kind=0   0 \ndelta 1 0 Hi 😀\ndelta 1 2 {\"type\":\"c\"}\nend of block 1\n"
            "block 2 kind=1 t1 f 0 \ndelta 2 0 {}\nend of block 2\n"
            "usage in=10 write5m=1 out=30\nfinish stop_sequence END stop_sequence\nend\n");
}

TEST(AnthropicDecode, ForwardsAStreamByteForByteUpToItsEnd) {
  const std::string open = stream_of(
      {kStart, R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})",
       R"({"type":"something_new","x":1})",
       R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}})"});
  const std::string body = open + stream_of({kStop});
  const test::Decoded twice = streamed(body + stream_of({kStop}));
  EXPECT_EQ(twice.error, "");
  EXPECT_EQ(twice.forwarded, body);
  // The SDK's helper throws without message_stop: where the provider leaves it out it is put there.
  EXPECT_EQ(streamed(open).forwarded, body);
}

TEST(AnthropicDecode, KeepsBlocksItDoesNotKnowWithTheirDeltas) {
  const test::Decoded decoded = streamed(stream_of(
      {kStart,
       R"({"type":"content_block_start","index":0,"content_block":{"type":"compaction","content":null}})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"compaction_delta","content":"x"}})",
       R"({"type":"content_block_stop","index":0})",
       R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}})", kStop}));
  Request request = Chat{};
  const auto encoder = anthropic_messages_client().stream_encoder({.request = &request});
  const std::string out = test::encode_stream(*encoder, decoded.events);
  EXPECT_NE(out.find(R"("content_block":{"type":"compaction","content":null})"), std::string::npos) << out;
  EXPECT_NE(out.find(R"("index":0,"delta":{"type":"compaction_delta","content":"x"}})"), std::string::npos)
      << out;
}

TEST(AnthropicDecode, EndsWellOnlyAfterAStopReason) {
  const std::string begun = stream_of(
      {kStart, R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"});
  EXPECT_EQ(streamed(begun).error.substr(0, 19), "upstream_truncated:");
  EXPECT_EQ(streamed("").error.substr(0, 19), "upstream_truncated:");
  EXPECT_EQ(streamed(begun + stream_of({kStop})).error.substr(0, 19), "upstream_truncated:");
  const test::Decoded stopped = streamed(
      begun +
      stream_of(
          {R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}})"}));
  EXPECT_EQ(stopped.error, "");
  EXPECT_TRUE(test::fold(stopped.events).is_complete);
}

TEST(AnthropicDecode, FailsOnAnErrorEventAndForwardsNothingOfIt) {
  const std::string begun = stream_of({kStart});
  const test::Decoded decoded = streamed(
      begun + stream_of({R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})"}));
  EXPECT_EQ(decoded.error, "upstream_overloaded: Overloaded");
  EXPECT_EQ(decoded.forwarded, begun);
  EXPECT_EQ(streamed("data: <html>\n\n").error.substr(0, 19), "upstream_malformed:");
}

TEST(AnthropicDecode, FailsWhenASecondAnswerBeginsInsideTheFirst) {
  const std::string begun =
      stream_of({kStart, kStart,
                 R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"});
  EXPECT_EQ(streamed(begun).error.substr(0, 19), "upstream_truncated:");  // the same one twice does no harm
  EXPECT_EQ(streamed(begun + stream_of({R"({"type":"message_start","message":{"id":"msg_2"}})"}))
                .error.substr(0, 19),
            "upstream_malformed:");
}

TEST(AnthropicDecode, TellsErrorsByStatusTypeAndWords) {
  const auto error = [](int status, std::string_view body, Headers headers = {}) {
    return anthropic_messages_provider().decode_error({.status = status, .headers = &headers, .body = body},
                                                      1'763'640'000'000'000'000);
  };
  const auto kind = [&](int status, std::string_view type, std::string_view message) {
    return error(status,
                 fmt::format(R"({{"type":"error","error":{{"type":"{}","message":"{}"}},"request_id":"r"}})",
                             type, message))
        .kind;
  };
  EXPECT_EQ(kind(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
            ErrorKind::context_too_long);
  EXPECT_EQ(kind(400, "invalid_request_error", "max_tokens: Field required"), ErrorKind::bad_request);
  EXPECT_EQ(kind(400, "invalid_request_error", "Your credit balance is too low to access the API"),
            ErrorKind::upstream_quota);
  EXPECT_EQ(kind(401, "authentication_error", "invalid x-api-key"), ErrorKind::upstream_auth);
  EXPECT_EQ(kind(404, "not_found_error", "model: claude-9"), ErrorKind::model_not_found);
  EXPECT_EQ(kind(413, "request_too_large", "too large"), ErrorKind::body_too_large);
  EXPECT_EQ(kind(429, "rate_limit_error", "slow down"), ErrorKind::upstream_rate_limited);
  EXPECT_EQ(kind(500, "api_error", "oops"), ErrorKind::upstream_error);
  EXPECT_EQ(kind(529, "overloaded_error", "Overloaded"), ErrorKind::upstream_overloaded);
  EXPECT_EQ(error(502, "<html>bad gateway</html>").kind, ErrorKind::upstream_error);
  EXPECT_EQ(error(529, "").kind, ErrorKind::upstream_overloaded);
  EXPECT_EQ(error(429, "{}", {{"retry-after", "7"}}).retry_after_ms, 7000);
  EXPECT_EQ(error(429, "{}").upstream_status, 429);
}

TEST(AnthropicDecode, ReadsTheCountOfTokens) {
  CallNotes notes;
  notes.operation = Operation::count_tokens;
  EXPECT_EQ(whole(R"({"input_tokens":14})", notes), "usage in=14\nend\n");
  EXPECT_EQ(whole(R"({})", notes).substr(0, 19), "upstream_malformed:");
  EXPECT_EQ(whole("no", {}).substr(0, 19), "upstream_malformed:");
  EXPECT_EQ(whole(R"({"id":"x"})", {}).substr(0, 19), "upstream_malformed:");
}

TEST(AnthropicDecode, ShowsTheOperatorABodyThatIsNoMessage) {
  const Headers headers;
  for (const std::string_view body : {"<html>oops</html>", "[1]", "{\"a\":"}) {
    const auto events = anthropic_messages_provider().decode_answer({.headers = &headers, .body = body}, {});
    ASSERT_FALSE(events) << body;
    EXPECT_EQ(events.error().kind, ErrorKind::upstream_malformed);
    EXPECT_EQ(events.error().provider_body, body);
  }
}

}  // namespace
}  // namespace weir
