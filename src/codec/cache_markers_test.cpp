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

}  // namespace
}  // namespace weir
