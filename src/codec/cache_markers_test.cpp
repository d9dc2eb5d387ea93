#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"

namespace weir {
namespace {

TEST(CacheMarkers, KeepNoHourBehindFiveMinutes) {
  const Result<Request> request = test::decode_with(
      anthropic_messages_client(),
      R"({"model":"m","max_tokens":9,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral",)"
      R"("ttl":"5m"}}],"messages":[{"role":"user","content":[{"type":"text","text":"q","cache_control":)"
      R"({"type":"ephemeral","ttl":"1h"}}]}]})");
  ASSERT_TRUE(request);
  const Capabilities any;
  const auto call =
      anthropic_messages_provider().encode_request(*request, {.model = "claude", .capabilities = &any});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(call->wire.body.find("1h"), std::string::npos) << call->wire.body;
  EXPECT_EQ(call->notes.fidelity.header_value(), "clamped;/messages;cache_ttl_1h>5m");
}

TEST(CacheMarkers, KeepAnHourBeforeFiveMinutes) {
  const Result<Request> request = test::decode_with(
      anthropic_messages_client(),
      R"({"model":"m","max_tokens":9,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral",)"
      R"("ttl":"1h"}}],"messages":[{"role":"user","content":[{"type":"text","text":"q","cache_control":)"
      R"({"type":"ephemeral"}}]}]})");
  ASSERT_TRUE(request);
  const Capabilities any;
  const auto call =
      anthropic_messages_provider().encode_request(*request, {.model = "claude", .capabilities = &any});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_NE(call->wire.body.find(R"("ttl":"1h")"), std::string::npos) << call->wire.body;
  EXPECT_TRUE(call->notes.fidelity.empty()) << call->notes.fidelity.header_value();
}

TEST(CacheMarkers, KeepAnHourBehindFiveMinutesThatWereDropped) {
  constexpr std::string_view kShort = R"("cache_control":{"type":"ephemeral"})";
  const Result<Request> request = test::decode_with(
      anthropic_messages_client(),
      fmt::format(
          R"({{"model":"m","max_tokens":9,"tools":[{{"name":"f","input_schema":{{"type":"object"}},{0}}},)"
          R"({{"name":"g","input_schema":{{"type":"object"}},"cache_control":{{"type":"ephemeral","ttl":"1h"}}}}],)"
          R"("messages":[{{"role":"user","content":[{{"type":"text","text":"a",{0}}},)"
          R"({{"type":"text","text":"b",{0}}},{{"type":"text","text":"c",{0}}}]}}]}})",
          kShort));
  ASSERT_TRUE(request);
  const Capabilities any;
  const auto call =
      anthropic_messages_provider().encode_request(*request, {.model = "claude", .capabilities = &any});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_NE(call->wire.body.find(R"("ttl":"1h")"), std::string::npos) << call->wire.body;
  EXPECT_EQ(call->notes.fidelity.header_value(), "cache_dropped;/messages;5_cache_markers>4");
}

// A turn with a result that is marked on itself and inside, and with as many marked texts behind it.
std::string marked_results(size_t texts) {
  constexpr std::string_view kMark = R"("cache_control":{"type":"ephemeral"})";
  std::string body = fmt::format(
      R"({{"model":"m","max_tokens":9,"tools":[{{"name":"f","input_schema":{{"type":"object"}}}}],"messages":)"
      R"([{{"role":"user","content":"q"}},)"
      R"({{"role":"assistant","content":[{{"type":"tool_use","id":"t","name":"f","input":{{}}}}]}},)"
      R"({{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t","content":)"
      R"([{{"type":"text","text":"r",{}}},{{"type":"text","text":"s",{}}}],{}}})",
      kMark, kMark, kMark);
  for (size_t i = 0; i < texts; ++i) body += fmt::format(R"(,{{"type":"text","text":"more",{}}})", kMark);
  return body + "]}]}";
}

size_t count_of(std::string_view text, std::string_view what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(CacheMarkers, OfAResultAreOnePointBehindItWhereNoneMayStandWithin) {
  for (const size_t texts : {size_t{0}, size_t{3}}) {
    const Result<Request> request = test::decode_with(anthropic_messages_client(), marked_results(texts));
    ASSERT_TRUE(request);
    const Capabilities any;
    const auto call = bedrock_converse_provider().encode_request(
        *request, {.model = "anthropic.claude-sonnet-4-5-20250929-v1:0", .capabilities = &any});
    ASSERT_TRUE(call) << call.error().message;
    EXPECT_EQ(count_of(call->wire.body, "cachePoint"), 1 + texts) << "none of the four is used up";
    EXPECT_EQ(call->wire.body.find(R"({"cachePoint":{"type":"default"}},{"cachePoint")"), std::string::npos)
        << call->wire.body;
    EXPECT_EQ(call->notes.fidelity.header_value(), "cache_dropped;/messages;3_markers_at_a_result>1");
    const auto own =
        anthropic_messages_provider().encode_request(*request, {.model = "claude", .capabilities = &any});
    ASSERT_TRUE(own);
    EXPECT_EQ(count_of(own->wire.body, "cache_control"), texts == 0 ? 3U : 4U) << "there they may";
  }
}

TEST(CacheMarkers, OfAResultIsItsOwnBeforeThoseWithinIt) {
  std::string body = marked_results(0);
  constexpr std::string_view kEphemeral = R"({"type":"ephemeral"})";
  body.replace(body.rfind(kEphemeral), kEphemeral.size(), R"({"type":"ephemeral","ttl":"1h"})");
  const Result<Request> request = test::decode_with(anthropic_messages_client(), std::move(body));
  ASSERT_TRUE(request);
  const Capabilities any;
  const auto call = bedrock_converse_provider().encode_request(
      *request, {.model = "anthropic.claude-sonnet-4-5-20250929-v1:0", .capabilities = &any});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(count_of(call->wire.body, R"("cachePoint":{"type":"default","ttl":"1h"})"), 1U)
      << call->wire.body;
}

TEST(CacheMarkers, OfAResultAreReportedWhereNoneAreTaken) {
  const Result<Request> request = test::decode_with(anthropic_messages_client(), marked_results(0));
  ASSERT_TRUE(request);
  const Capabilities any;
  const auto call = openai_chat_provider().encode_request(*request, {.model = "gpt", .capabilities = &any});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(call->notes.fidelity.records().size(), 3U) << call->notes.fidelity.header_value();
}

}  // namespace
}  // namespace weir
