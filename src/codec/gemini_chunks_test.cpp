// What one chunk of Google's dialect after the other becomes, and when.
#include <array>
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/gemini_decode.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

// Chunks that come one by one; each call gives the events of its own chunk alone.
class Feed {
 public:
  std::string parts(std::string_view parts, std::string_view rest = {}) {
    return chunk(fmt::format(R"({{"candidates":[{{"content":{{"parts":[{}]}}{}}}]}})", parts, rest));
  }
  std::string chunk(std::string text) {
    const Result<JsonDoc> parsed = JsonDoc::parse(std::move(text));
    EXPECT_TRUE(parsed);
    if (!parsed) return parsed.error().message;
    std::vector<Event> events;
    const Result<void> added = chunks_.add(parsed->root(), events);
    return added ? test::describe(events) : std::string(to_string(added.error().kind));
  }
  std::string conclude() {
    std::vector<Event> events;
    const Result<void> concluded = chunks_.conclude(GeminiChunks::Source::stream, events);
    return concluded ? test::describe(events) : std::string(to_string(concluded.error().kind));
  }

 private:
  GeminiChunks chunks_{CallNotes{}};
};

TEST(GeminiChunks, KnowTheDialectByAnyOfItsFields) {
  for (const std::string member :
       {R"("candidates":[])", R"("promptFeedback":{})", R"("usageMetadata":{})", R"("modelVersion":"m")",
        R"("responseId":"r")", R"("createTime":"2025-05-05T21:30:47Z")"})
    EXPECT_TRUE(Feed().chunk("{" + member + "}").starts_with("start ")) << member;
  for (const std::string other : {"{}", R"({"choices":[]})", "[]", "7"})
    EXPECT_EQ(Feed().chunk(other), "upstream_malformed") << other;
}

constexpr std::string_view kFirst =
    R"({"functionCall":{"id":"i","name":"f","partialArgs":[{"jsonPath":"$.a","stringValue":"x",)"
    R"("willContinue":true}],"willContinue":true}})";
constexpr std::string_view kLast =
    R"({"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"y"}]}})";

TEST(GeminiChunks, TellACallAtOnceWhenItsLastPieceHasCome) {
  Feed feed;
  EXPECT_EQ(feed.parts(kFirst), "start  \n");
  EXPECT_EQ(feed.parts(kLast), "block 0 kind=1 i f 0 \ndelta 0 0 {\"a\":\"xy\"}\nend of block 0\n");
  EXPECT_EQ(feed.parts("", R"(,"finishReason":"STOP")"), "");
  EXPECT_EQ(feed.conclude(), "finish tool  STOP\nend\n");
}

TEST(GeminiChunks, TellACallInPiecesBeforeWhatComesBehindIt) {
  const std::string call = "block 0 kind=1 i f 0 \ndelta 0 0 {\"a\":\"x\"}\nend of block 0\n";
  const std::array<std::string_view, 4> others = {
      R"({"text":"t"})",
      R"({"text":"","thoughtSignature":"S"})",
      R"({"inlineData":{"mimeType":"image/png","data":"aGk="}})",
      R"({"functionCall":{"id":"j","name":"g"}})",
  };
  for (const std::string_view other : others) {
    Feed feed;
    EXPECT_EQ(feed.parts(kFirst), "start  \n");
    EXPECT_TRUE(feed.parts(other).starts_with(call + "block 1 ")) << other;
  }
}

TEST(GeminiChunks, CiteTheTextThatASignatureCameWith) {
  Feed feed;
  EXPECT_EQ(
      feed.parts(R"({"text":"Paris.","thoughtSignature":"S"})",
                 R"(,"groundingMetadata":{"webSearchQueries":["q"]})"),
      "start  \nblock 0 kind=0   0 \ndelta 0 0 Paris.\nblock 1 kind=2   0 \ndelta 1 1 S\nend of block 1\n"
      "delta 0 2 {\"groundingMetadata\":{\"webSearchQueries\":[\"q\"]}}\n");
  EXPECT_TRUE(feed.parts(R"({"text":"More."})").starts_with("end of block 0\nblock 2 ")) << "another part";
}

TEST(GeminiChunks, KeepACallWhoseLastPieceNeverComes) {
  Feed feed;
  EXPECT_EQ(feed.parts(kFirst, R"(,"finishReason":"STOP")"), "start  \n");
  EXPECT_EQ(feed.conclude(),
            "block 0 kind=1 i f 0 \ndelta 0 0 {\"a\":\"x\"}\nend of block 0\nfinish tool  STOP\nend\n");
}

// The first piece of a text may be nothing but its place.
TEST(GeminiChunks, TakeAPieceWithoutAValueForNoValue) {
  Feed feed;
  EXPECT_EQ(feed.parts(R"({"functionCall":{"id":"i","name":"f","willContinue":true,"partialArgs":[)"
                       R"({"jsonPath":"$.a","willContinue":true},{"jsonPath":"$.a","stringValue":"x"},)"
                       R"({"jsonPath":"$.b"},{"jsonPath":"$.c","nullValue":"NULL_VALUE"},)"
                       R"({"jsonPath":"$.d","boolValue":false},{"jsonPath":"$.d","numberValue":2}]}})"),
            "start  \n");
  EXPECT_EQ(feed.parts(R"({"functionCall":{}})"),
            "block 0 kind=1 i f 0 \ndelta 0 0 {\"a\":\"x\",\"b\":null,\"c\":null,\"d\":2}\n"
            "end of block 0\n");
}

TEST(GeminiDecode, KnowsEveryFinish) {
  constexpr std::array<std::pair<std::string_view, StopReason>, 22> kCases = {{
      {"STOP", StopReason::end},
      {"", StopReason::end},
      {"MAX_TOKENS", StopReason::length},
      {"SAFETY", StopReason::filter},
      {"RECITATION", StopReason::filter},
      {"BLOCKLIST", StopReason::filter},
      {"PROHIBITED_CONTENT", StopReason::filter},
      {"SPII", StopReason::filter},
      {"IMAGE_SAFETY", StopReason::filter},
      {"IMAGE_PROHIBITED_CONTENT", StopReason::filter},
      {"IMAGE_RECITATION", StopReason::filter},
      {"MODEL_ARMOR", StopReason::filter},
      {"MALFORMED_FUNCTION_CALL", StopReason::bad_tool},
      {"UNEXPECTED_TOOL_CALL", StopReason::bad_tool},
      {"TOO_MANY_TOOL_CALLS", StopReason::bad_tool},
      {"MISSING_THOUGHT_SIGNATURE", StopReason::bad_tool},
      {"LANGUAGE", StopReason::other},
      {"OTHER", StopReason::other},
      {"IMAGE_OTHER", StopReason::other},
      {"NO_IMAGE", StopReason::other},
      {"FINISH_REASON_UNSPECIFIED", StopReason::other},
      {"SOMETHING_NEW", StopReason::other},
  }};
  for (const auto& [word, reason] : kCases) {
    EXPECT_EQ(decode_gemini_finish(word, false), reason) << word;
    EXPECT_EQ(decode_gemini_finish(word, true), reason == StopReason::end ? StopReason::tool : reason);
  }
}

struct ErrorCase {
  std::string_view word;
  int status;
  ErrorKind kind;
};

TEST(GeminiDecode, KnowsTheStatusOfEveryErrorInsideAStream) {
  constexpr std::array<ErrorCase, 13> kCases = {{
      {"INVALID_ARGUMENT", 400, ErrorKind::bad_request},
      {"FAILED_PRECONDITION", 400, ErrorKind::bad_request},
      {"OUT_OF_RANGE", 400, ErrorKind::bad_request},
      {"UNAUTHENTICATED", 401, ErrorKind::upstream_auth},
      {"PERMISSION_DENIED", 403, ErrorKind::forbidden},
      {"NOT_FOUND", 404, ErrorKind::model_not_found},
      {"ABORTED", 500, ErrorKind::upstream_error},
      {"RESOURCE_EXHAUSTED", 429, ErrorKind::upstream_rate_limited},
      {"CANCELLED", 500, ErrorKind::upstream_error},
      {"INTERNAL", 500, ErrorKind::upstream_error},
      {"UNAVAILABLE", 503, ErrorKind::upstream_overloaded},
      {"DEADLINE_EXCEEDED", 504, ErrorKind::upstream_timeout},
      {"UNKNOWN", 500, ErrorKind::upstream_error},
  }};
  for (const auto& [word, status, kind] : kCases) {
    const auto parsed = JsonDoc::parse(fmt::format(R"({{"error":{{"message":"x","status":"{}"}}}})", word));
    ASSERT_TRUE(parsed);
    const std::optional<Error> error = gemini_error_in(parsed->root(), 0);
    ASSERT_TRUE(error) << word;
    EXPECT_EQ(error->kind, kind) << word;
    EXPECT_EQ(error->upstream_status, status) << word;
  }
  const auto coded = JsonDoc::parse(R"({"error":{"message":"x","code":503}})");
  ASSERT_TRUE(coded);
  EXPECT_EQ(gemini_error_in(coded->root(), 0)->upstream_status, 503);
}

TEST(GeminiDecode, CountsPicturesApartFromText) {
  const auto usage =
      JsonDoc::parse(R"({"promptTokenCount":5,"candidatesTokenCount":1300,"candidatesTokensDetails":[)"
                     R"({"modality":"TEXT","tokenCount":10},{"modality":"IMAGE","tokenCount":1290}]})");
  const Usage counted = decode_gemini_usage(usage->root());
  EXPECT_EQ(counted.out_image, 1290);
  EXPECT_EQ(counted.out_text, 10);
}

}  // namespace
}  // namespace weir
