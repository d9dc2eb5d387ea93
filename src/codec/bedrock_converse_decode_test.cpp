// Answers of Converse, whole, streamed and failing.
#include "codec/bedrock_converse_decode.h"

#include <array>
#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

using test::frames;

std::string whole(std::string body, const CallNotes& notes = {}) {
  const Headers headers;
  const auto events = bedrock_converse_provider().decode_answer({.headers = &headers, .body = body}, notes);
  return events ? test::describe(*events) : fmt::format("{}", to_string(events.error().kind));
}

std::string streamed(const std::string& bytes, const CallNotes& notes = {}) {
  const auto decoder = bedrock_converse_provider().stream_decoder(notes);
  const test::Decoded decoded = test::decode_whole(*decoder, bytes);
  return test::describe(decoded.events) + decoded.error;
}

TEST(ConverseDecode, ReadsAWholeAnswer) {
  EXPECT_EQ(whole(R"({"output":{"message":{"role":"assistant","content":[
      {"reasoningContent":{"reasoningText":{"text":"hmm","signature":"s"}}},)"
                  R"({"reasoningContent":{"redactedContent":"QUJD"}},
      {"text":"Hi"},{"citationsContent":{"content":[{"text":"cited"}],)"
                  R"("citations":[{"title":"t"}]}},
      {"toolUse":{"toolUseId":"t1","name":"f","input":{"a":1.0}}}]}},
      "stopReason":"tool_use","usage":{"inputTokens":5,"outputTokens":6,)"
                  R"("totalTokens":14,"cacheReadInputTokens":1,
      "cacheWriteInputTokens":2,"cacheDetails":[{"ttl":"1h","inputTokens":2}]}})"),
            "start  \nblock 0 kind=2   0 \ndelta 0 0 hmm\ndelta 0 1 s\nend of block 0\n"
            "block 1 kind=3   0 QUJD\nend of block 1\nblock 2 kind=0   0 \ndelta 2 0 Hi\nend of block 2\n"
            "block 3 kind=0   0 \ndelta 3 0 cited\ndelta 3 2 {\"title\":\"t\"}\nend of block 3\n"
            "block 4 kind=1 t1 f 0 \ndelta 4 0 {\"a\":1.0}\nend of block 4\n"
            "finish tool  tool_use\nusage in=5 read=1 write5m=0 write1h=2 out=6\nend\n");
}

TEST(ConverseDecode, RefusesAnAnswerWithoutOutput) {
  EXPECT_EQ(whole(R"({"stopReason":"end_turn"})"), "upstream_malformed");
  EXPECT_EQ(whole("<html>"), "upstream_malformed");
}

TEST(ConverseDecode, UnwrapsTheForcedTool) {
  CallNotes notes;
  notes.json_tool = "json_output";
  EXPECT_EQ(whole(R"({"output":{"message":{"content":[{"toolUse":{"toolUseId":"t","name":"json_output",)"
                  R"("input":{"a":1}}}]}},
      "stopReason":"tool_use"})",
                  notes),
            "start  \nblock 0 kind=0   0 \ndelta 0 0 {\"a\":1}\nend of block 0\nfinish end  tool_use\nend\n");
  EXPECT_EQ(
      streamed(
          frames(
              {{"messageStart", R"({"role":"assistant"})"},
               {"contentBlockStart",
                R"({"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t","name":"json_output"}}})"},
               {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\"a\":1}"}}})"},
               {"contentBlockStop", R"({"contentBlockIndex":0})"},
               {"messageStop", R"({"stopReason":"tool_use"})"}}),
          notes),
      "start  \nblock 0 kind=0   0 \ndelta 0 0 {\"a\":1}\nend of block 0\nfinish end  tool_use\nend\n");
}

std::vector<test::Frame> rich_stream() {
  return {
      {"messageStart", R"({"role":"assistant","p":"abc"})"},
      {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hmm"}}})"},
      {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"s"}}})"},
      {"contentBlockStop", R"({"contentBlockIndex":0})"},
      {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"text":"Hi"}})"},
      {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"citation":{"title":"t"}}})"},
      {"contentBlockStop", R"({"contentBlockIndex":1})"},
      {"somethingNew", R"({"x":1})"},
      {"contentBlockStart", R"({"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"t1","name":"f"}}})"},
      {"contentBlockStop", R"({"contentBlockIndex":2})"},
      {"messageStop",
       R"({"stopReason":"stop_sequence","additionalModelResponseFields":{"delta":{"stop_sequence":"x"}}})"},
      {"metadata",
       R"({"usage":{"inputTokens":5,"outputTokens":6,"totalTokens":11},"metrics":{"latencyMs":9}})"}};
}

TEST(ConverseDecode, StartsBlocksThatHaveNoStartAndHoldsTheFinish) {
  EXPECT_EQ(streamed(frames(rich_stream())),
            "start  \nblock 0 kind=2   0 \ndelta 0 0 hmm\ndelta 0 1 s\nend of block 0\n"
            "block 1 kind=0   0 \ndelta 1 0 Hi\ndelta 1 2 {\"title\":\"t\"}\nend of block 1\n"
            "block 2 kind=1 t1 f 0 \ndelta 2 0 {}\nend of block 2\n"
            "usage in=5 out=6\nfinish stop_sequence x stop_sequence\nend\n");
}

TEST(ConverseDecode, ReadsTheSameHoweverCutAndPassesItOn) {
  const std::string bytes = frames(rich_stream());
  const auto fresh = bedrock_converse_provider().stream_decoder({});
  const auto decoder = fresh->clone();
  const test::Decoded decoded = test::decode_whole(*decoder, bytes);
  EXPECT_EQ(decoded.forwarded, bytes);
  test::expect_same_however_cut(*fresh, bytes, decoded);
}

// An answer of every kind of block, as events.
std::vector<Event> every_block() {
  const Dialect own = Dialect::bedrock_converse;
  std::vector<Event> events = {Start{}};
  int index = 0;
  const auto add = [&](BlockStart started, std::vector<Delta> deltas) {
    started.index = index;
    started.dialect = own;
    events.emplace_back(std::move(started));
    for (Delta& delta : deltas) {
      delta.index = index;
      delta.dialect = own;
      events.emplace_back(std::move(delta));
    }
    events.emplace_back(BlockEnd{.index = index++});
  };
  add({.kind = BlockKind::thinking}, {{.text = "hm"}, {.kind = DeltaKind::signature, .text = "c2ln"}});
  add({.kind = BlockKind::redacted_thinking, .data = "cmVk"}, {});
  add({}, {{.text = "cited"}, {.kind = DeltaKind::citation, .text = R"({"title":"t"})"}});
  add({.kind = BlockKind::tool_call, .tool_id = "t1", .tool_name = "f"}, {{.text = R"({"a":1})"}});
  add({.kind = BlockKind::image, .data = "image/png"}, {{.text = "iVBORw0K"}, {.text = "Ggo="}});
  add({.kind = BlockKind::unknown,
       .data = R"({"toolUse":{"toolUseId":"s1","name":"web","type":"server_tool_use","input":{"q":"x"}}})"},
      {});
  add({.kind = BlockKind::unknown,
       .data = R"({"toolResult":{"toolUseId":"s1","type":"r","content":[{"text":"a"},{"json":{"b":2}}]}})"},
      {});
  add({.kind = BlockKind::unknown, .data = R"({"yetToCome":{"x":1}})"}, {});
  add({.kind = BlockKind::audio, .data = "audio/wav"}, {{.text = "AAAA"}});
  events.emplace_back(Finish{.reason = StopReason::tool});
  events.emplace_back(test::usage_report(3, 4));
  events.emplace_back(End{});
  return events;
}

std::string blocks_of(const Answer& answer) {
  std::string out;
  for (const AnswerBlock& block : answer.choices.at(0).blocks) {
    out += fmt::format("{} [{}] sig={} id={} name={} raw={}", static_cast<int>(block.kind), block.text,
                       block.signature, block.tool_id, block.tool_name, block.raw);
    for (const std::string& citation : block.citations) out += " cites " + citation;
    out += '\n';
  }
  return out;
}

TEST(ConverseDecode, StreamsSayWhatWholeAnswersSay) {
  const Request request = Chat{};
  const AnswerContext context{.exchange_id = "x", .request = &request};
  const ClientReply whole = bedrock_converse_client().encode_answer(test::fold(every_block()), context);
  std::string stream;
  const auto encoder = bedrock_converse_stream_client().stream_encoder(context);
  for (const Event& event : every_block()) encoder->encode(event, stream);

  const auto once =
      bedrock_converse_provider().decode_answer({.headers = &whole.headers, .body = whole.body}, {});
  ASSERT_TRUE(once);
  std::vector<Event> pieces;
  const auto decoder = bedrock_converse_provider().stream_decoder({});
  ASSERT_TRUE(decoder->feed(stream, pieces));
  ASSERT_TRUE(decoder->finish(pieces));
  const std::string said = blocks_of(test::fold(*once));
  EXPECT_EQ(said, blocks_of(test::fold(pieces)));
  // All but the audio, which the dialect has no form for.
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 8) << said;
  EXPECT_NE(said.find("[iVBORw0KGgo=]"), std::string::npos) << said;
  EXPECT_NE(said.find(R"("input":{"q":"x"})"), std::string::npos) << said;
  EXPECT_NE(said.find(R"("content":[{"text":"a"},{"json":{"b":2}}])"), std::string::npos) << said;
}

TEST(ConverseDecode, EndsWellWithoutMetadataAndBadlyWithoutAStop) {
  std::vector<test::Frame> list = rich_stream();
  list.pop_back();
  EXPECT_TRUE(streamed(frames(list)).ends_with("finish stop_sequence x stop_sequence\nend\n"));
  list.pop_back();
  EXPECT_TRUE(
      streamed(frames(list))
          .ends_with("upstream_truncated: the provider's stream ended before its answer was finished"));
}

TEST(ConverseDecode, TurnsExceptionsIntoErrors) {
  std::string bytes = frames({{"messageStart", R"({"role":"assistant"})"}});
  const size_t good = bytes.size();
  append_bedrock_exception(bytes,
                           make_error(ErrorKind::upstream_rate_limited, "Too many tokens, please wait"));
  const auto decoder = bedrock_converse_provider().stream_decoder({});
  const test::Decoded decoded = test::decode_whole(*decoder, bytes);
  EXPECT_EQ(decoded.error, "upstream_rate_limited: Too many tokens, please wait");
  EXPECT_EQ(decoded.forwarded.size(), good);
}

TEST(ConverseDecode, RefusesAFlippedBit) {
  std::string bytes = frames(rich_stream());
  bytes[bytes.size() / 2] ^= 1;
  EXPECT_NE(streamed(bytes).find("upstream_malformed"), std::string::npos);
}

TEST(ConverseDecode, ReadsErrorAnswers) {
  struct Row {
    int status;
    std::string_view type;
    std::string_view message;
    ErrorKind kind;
  };
  for (const Row& row :
       {Row{429, "ThrottlingException:http://internal/", "slow down", ErrorKind::upstream_rate_limited},
        Row{429, "ModelNotReadyException", "not ready", ErrorKind::upstream_rate_limited},
        Row{408, "ModelTimeoutException", "late", ErrorKind::upstream_timeout},
        Row{424, "ModelErrorException", "it broke", ErrorKind::upstream_error},
        Row{503, "ServiceUnavailableException", "busy", ErrorKind::upstream_overloaded},
        Row{400, "ValidationException", "bad", ErrorKind::bad_request},
        Row{400, "ValidationException", "Input is too long for requested model.",
            ErrorKind::context_too_long},
        Row{400, "ValidationException", "The provided model identifier is invalid.",
            ErrorKind::model_not_found},
        Row{403, "AccessDeniedException", "You don't have access to the model with the specified model ID.",
            ErrorKind::model_not_found},
        Row{403, "UnrecognizedClientException", "The security token is invalid", ErrorKind::upstream_auth},
        Row{404, "ResourceNotFoundException", "no such model", ErrorKind::model_not_found}}) {
    Headers headers;
    headers.add("x-amzn-errortype", row.type);
    headers.add("retry-after", "3");
    std::string body;
    JsonWriter(body).begin_object().key("message").value(row.message).end_object();
    const Error error = bedrock_converse_provider().decode_error(
        {.status = row.status, .headers = &headers, .body = body}, 0);
    EXPECT_EQ(to_string(error.kind), to_string(row.kind)) << row.type << row.message;
    EXPECT_EQ(error.upstream_status, row.status);
    EXPECT_EQ(error.retry_after_ms, 3000);
  }
  const Headers none;
  EXPECT_EQ(
      bedrock_converse_provider().decode_error({.status = 502, .headers = &none, .body = "<html>"}, 0).kind,
      ErrorKind::upstream_error);
}

TEST(ConverseDecode, ReadsAPicture) {
  EXPECT_EQ(
      whole(R"({"output":{"message":{"content":[{"image":{"format":"webp","source":{"bytes":"aGk="}}}]}},)"
            R"("stopReason":"end_turn"})"),
      "start  \nblock 0 kind=6   0 image/webp\ndelta 0 0 aGk=\nend of block 0\n"
      "finish end  end_turn\nend\n");
}

// The usage is the last that comes: nobody waits for the connection's end, and nothing follows.
TEST(ConverseDecode, EndsAStreamWithTheUsage) {
  const auto decoder = bedrock_converse_provider().stream_decoder({});
  test::Decoded decoded;
  test::feed(*decoder,
             frames({{"messageStart", R"({"role":"assistant"})"},
                     {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"a"}})"},
                     {"contentBlockStop", R"({"contentBlockIndex":0})"},
                     {"messageStop", R"({"stopReason":"end_turn"})"}}),
             decoded);
  EXPECT_EQ(test::describe(decoded.events).find("finish"), std::string::npos);
  test::feed(*decoder, frames({{"metadata", R"({"usage":{"inputTokens":1,"outputTokens":2}})"}}), decoded);
  const std::string ended = test::describe(decoded.events);
  EXPECT_TRUE(ended.ends_with("usage in=1 out=2\nfinish end  end_turn\nend\n")) << ended;
  test::feed(*decoder, frames({{"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"text":"b"}})"}}),
             decoded);
  test::finish(*decoder, decoded);
  EXPECT_EQ(test::describe(decoded.events) + decoded.error, ended);
}

struct ExceptionCase {
  std::string_view type;
  ErrorKind kind;
};

// The status is that of a bad request: the name alone says what it is.
TEST(ConverseDecode, KnowsEveryExceptionByItsName) {
  constexpr std::array<ExceptionCase, 13> kCases = {{
      {"ThrottlingException", ErrorKind::upstream_rate_limited},
      {"ModelNotReadyException", ErrorKind::upstream_rate_limited},
      {"ServiceQuotaExceededException", ErrorKind::upstream_rate_limited},
      {"ModelTimeoutException", ErrorKind::upstream_timeout},
      {"ModelErrorException", ErrorKind::upstream_error},
      {"ModelStreamErrorException", ErrorKind::upstream_error},
      {"InternalServerException", ErrorKind::upstream_error},
      {"ServiceUnavailableException", ErrorKind::upstream_overloaded},
      {"ValidationException", ErrorKind::bad_request},
      {"AccessDeniedException", ErrorKind::forbidden},
      {"UnrecognizedClientException", ErrorKind::upstream_auth},
      {"ExpiredTokenException", ErrorKind::upstream_auth},
      {"ResourceNotFoundException", ErrorKind::model_not_found},
  }};
  const auto kind = [](std::string_view type, std::string_view message) {
    Headers headers;
    headers.add("x-amzn-errortype", type);
    return bedrock_converse_provider()
        .decode_error(
            {.status = 418, .headers = &headers, .body = fmt::format(R"({{"message":"{}"}})", message)}, 0)
        .kind;
  };
  for (const auto& [type, expected] : kCases) {
    EXPECT_EQ(kind(type, "x"), expected) << type;
    EXPECT_EQ(kind(fmt::format("com.amazon.x#{}:http://y", type), "x"), expected) << type;
  }
  for (const std::string_view words :
       {"The provided model identifier is invalid.", "You don't have access to the model with that id.",
        "The model ID is not supported in your account: model id is not supported"})
    EXPECT_EQ(kind("ValidationException", words), ErrorKind::model_not_found) << words;
}

// A client of the dialect gets the vendor's own name of what is wrong with a model.
TEST(ConverseDecode, KeepsTheNamesOfWhatIsWrongWithAModel) {
  const auto passed_on = [](std::string_view type) {
    Headers headers;
    headers.add("x-amzn-errortype", type);
    const Error error = bedrock_converse_provider().decode_error(
        {.status = 424, .headers = &headers, .body = R"({"message":"x"})"}, 0);
    std::string stream;
    bedrock_converse_client().stream_encoder({})->fail(error, stream);
    const ClientReply reply = bedrock_converse_client().encode_error(error, "");
    return fmt::format("{} {}", reply.headers.get_or("x-amzn-errortype", ""),
                       stream.find("modelStreamErrorException") != std::string::npos ? "model" : "other");
  };
  EXPECT_EQ(passed_on("ModelStreamErrorException"), "ModelStreamErrorException model");
  EXPECT_EQ(passed_on("modelStreamErrorException"), "ModelStreamErrorException model");
  EXPECT_EQ(passed_on("ModelErrorException"), "ModelErrorException model") << "a stream has but that one";
  EXPECT_EQ(passed_on("InternalServerException"), "InternalServerException other");
  EXPECT_EQ(passed_on("UnrecognizedClientException"), "InternalServerException other") << "Weir's key";
}

TEST(ConverseDecode, ComparesATotalWithOrWithoutTheCache) {
  const auto differs = [](int total) {
    const auto usage = JsonDoc::parse(fmt::format(
        R"({{"inputTokens":10,"outputTokens":7,"cacheReadInputTokens":5,"totalTokens":{}}})", total));
    return decode_converse_usage(usage->root()).total_differs();
  };
  EXPECT_FALSE(differs(17));
  EXPECT_FALSE(differs(22));
  EXPECT_TRUE(differs(18));
}

TEST(ConverseDecode, ComparesNoTotalWithCountsThatAreMissing) {
  for (const std::string_view usage :
       {R"({"inputTokens":10,"totalTokens":17})", R"({"outputTokens":7,"totalTokens":17})"})
    EXPECT_FALSE(decode_converse_usage(JsonDoc::parse(std::string(usage))->root()).stated_total) << usage;
}

}  // namespace
}  // namespace weir
