#include "codec/openai_deviations.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/anthropic_test_util.h"
#include "codec/openai.h"

namespace weir {
namespace {

using test::openai_chat;

struct Deviation {
  bool Quirks::* quirk;
  std::string_view refused;  // members of a body
  std::string_view taken;
};

constexpr std::string_view kUser = R"("messages":[{"role":"user","content":"a"}])";

const std::vector<Deviation>& deviations() {
  static const std::vector<Deviation> kRows = {
      {&Quirks::no_stream_options, R"("stream_options":{"include_usage":true})", R"("stream_options":null)"},
      {&Quirks::no_metadata, R"("metadata":{"a":"b"})", R"("metadata":null)"},
      {&Quirks::no_store, R"("store":true)", R"("store":false)"},
      {&Quirks::no_parallel_tool_calls, R"("parallel_tool_calls":false)", R"("n":1)"},
      {&Quirks::no_logit_bias, R"("logit_bias":{"5":1})", R"("n":1)"},
      {&Quirks::no_penalties, R"("frequency_penalty":1)", R"("n":1)"},
      {&Quirks::no_penalties, R"("presence_penalty":1)", R"("n":1)"},
      {&Quirks::no_user, R"("user":"u")", R"("n":1)"},
      {&Quirks::no_user, R"("safety_identifier":"u")", R"("n":1)"},
      {&Quirks::seed_is_random_seed, R"("seed":7)", R"("random_seed":7)"},
      {&Quirks::tool_choice_any, R"("tool_choice":"required")", R"("tool_choice":"any")"},
      {&Quirks::no_tool_strict, R"("tools":[{"type":"function","function":{"name":"f","strict":true}}])",
       R"("tools":[{"type":"function","function":{"name":"f"}}])"},
      {&Quirks::system_role_only, R"("messages":[{"role":"developer","content":"a"}])",
       R"("messages":[{"role":"system","content":"a"}])"},
      {&Quirks::no_message_name, R"("messages":[{"role":"user","name":"n","content":"a"}])",
       R"("messages":[{"role":"tool","name":"n","content":"a"}])"},
      {&Quirks::tool_call_id_9, R"("messages":[{"role":"tool","tool_call_id":"call_123","content":"a"}])",
       R"("messages":[{"role":"tool","tool_call_id":"abcDEF123","content":"a"}])"},
      {&Quirks::tool_call_id_9, R"("messages":[{"role":"assistant","tool_calls":[{"id":"call_1234567"}]}])",
       R"("messages":[{"role":"assistant","tool_calls":[{"id":"abcDEF123"}]}])"},
      {&Quirks::strict_alternation,
       R"("messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}])",
       R"("messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}])"},
      {&Quirks::prefill_needs_prefix, R"("messages":[{"role":"assistant","content":"a"}])",
       R"("messages":[{"role":"assistant","content":"a","prefix":true}])"},
  };
  return kRows;
}

bool rewritten(std::string_view members, const Quirks& quirks) {
  const bool has_messages = members.find("\"messages\"") != std::string_view::npos;
  const Result<JsonDoc> doc = JsonDoc::parse(has_messages ? fmt::format("{{{}}}", members)
                                                          : fmt::format("{{{},{}}}", kUser, members));
  EXPECT_TRUE(doc) << members;
  return doc && must_be_rewritten(doc->root(), quirks);
}

TEST(OpenAiDeviations, KeepBodiesOfEmbeddingsFromTheRawWayToo) {
  struct Row {
    bool Quirks::* quirk;
    std::string_view member;
    std::string_view written;  // in its place
  };
  for (const Row& row :
       {Row{&Quirks::no_user, R"("user":"u")", ""},
        Row{&Quirks::dimensions_is_output_dimension, R"("dimensions":8)", R"("output_dimension":8)"}}) {
    Capabilities quirky;
    quirky.quirks.*row.quirk = true;
    const Capabilities usual;
    const ClientCall client =
        test::client_call(Dialect::openai_chat, fmt::format(R"({{"model":"m","input":"a",{}}})", row.member));
    const ProviderCodec& codec = openai_chat_provider();
    EXPECT_TRUE(codec.takes_raw(client, {.model = "m", .capabilities = &usual})) << row.member;
    EXPECT_FALSE(codec.takes_raw(client, {.model = "m", .capabilities = &quirky})) << row.member;
    const auto request = openai_embeddings_client().decode_request(client);
    ASSERT_TRUE(request);
    const auto call = codec.encode_request(*request, {.model = "m", .capabilities = &quirky});
    ASSERT_TRUE(call);
    EXPECT_EQ(call->wire.body.find(row.member), std::string::npos) << call->wire.body;
    EXPECT_NE(call->wire.body.find(row.written), std::string::npos) << call->wire.body;
    EXPECT_EQ(call->notes.fidelity.header_value(), row.written.empty() ? "dropped;/user" : "");
    const ClientCall plain = test::client_call(Dialect::openai_chat, R"({"model":"m","input":"a"})");
    EXPECT_TRUE(codec.takes_raw(plain, {.model = "m", .capabilities = &quirky}))
        << "there is nothing to mend";
  }
}

TEST(OpenAiDeviations, KeepTheRawWayFromWhatTheServerRefuses) {
  for (const Deviation& row : deviations()) {
    Quirks quirks;
    EXPECT_FALSE(rewritten(row.refused, quirks)) << "the usual server takes it: " << row.refused;
    quirks.*row.quirk = true;
    EXPECT_TRUE(rewritten(row.refused, quirks)) << row.refused;
    EXPECT_FALSE(rewritten(row.taken, quirks)) << row.taken;
  }
}

// What Weir told a client of another vendor's thinking comes back in the history.
TEST(OpenAiDeviations, KeepTheRawWayFromReasoningThatTheServerDoesNotTake) {
  const auto with = [](std::string_view member, Quirks quirks) {
    return rewritten(fmt::format(R"("messages":[{{"role":"user","content":"a"}},{{"role":"assistant",{}}},)"
                                 R"({{"role":"user","content":"b"}}])",
                                 member),
                     quirks);
  };
  constexpr std::string_view kContent = R"("reasoning_content":"hm")";
  constexpr std::string_view kField = R"("reasoning":"hm")";
  constexpr std::string_view kSigned = R"("thinking_blocks":[{"type":"thinking","signature":"s"}])";
  EXPECT_TRUE(with(kContent, {}));
  EXPECT_TRUE(with(kField, {}));
  EXPECT_FALSE(with(R"("reasoning_content":null)", {}));
  EXPECT_FALSE(with(kContent, {.reasoning_content = true}));
  EXPECT_FALSE(with(kField, {.reasoning_content = true}));
  EXPECT_TRUE(with(kContent, {.reasoning_field = true}));
  EXPECT_FALSE(with(kField, {.reasoning_field = true}));
  for (const Quirks& quirks : {Quirks{}, Quirks{.reasoning_content = true}, Quirks{.reasoning_field = true}})
    EXPECT_TRUE(with(kSigned, quirks));
  constexpr std::string_view kDetails = R"("reasoning_details":[{"type":"reasoning.text","text":"hm"}])";
  for (const Quirks& quirks : {Quirks{}, Quirks{.reasoning_content = true}, Quirks{.thinking_blocks = true}})
    EXPECT_TRUE(with(kDetails, quirks));
  EXPECT_FALSE(with(kDetails, {.reasoning_details = true}));
}

TEST(OpenAiDeviations, LeaveBodiesOfOtherEndpointsAlone) {
  Quirks quirks;
  for_each_quirk([&](std::string_view, bool Quirks::* quirk) { quirks.*quirk = true; });
  const Result<JsonDoc> doc = JsonDoc::parse(R"({"model":"m","prompt":"a weir","user":"u"})");
  EXPECT_FALSE(must_be_rewritten(doc->root(), quirks));
}

TEST(OpenAiDeviations, AreReportedWhereTheRequestIsWrittenAnew) {
  Capabilities server;
  server.quirks.no_store = server.quirks.no_logit_bias = server.quirks.no_message_name = true;
  const Request request =
      openai_chat(R"({"model":"m","store":true,"metadata":{"a":"b"},"logit_bias":{"5":1},"x":1,)"
                  R"("messages":[{"role":"user","name":"ann","content":"a"}]})");
  const Result<EncodedCall> call =
      openai_chat_provider().encode_request(request, {.model = "up", .capabilities = &server});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(call->wire.body, R"({"model":"up","messages":[{"role":"user","content":"a"}],"x":1})");
  EXPECT_EQ(call->notes.fidelity.header_value(),
            "dropped;/messages/0/name;ann>, dropped;/store, dropped;/logit_bias, dropped;/metadata");
}

TEST(OpenAiDeviations, DecideTheWayOfACall) {
  Capabilities server;
  const ClientCall call = test::client_call(
      Dialect::openai_chat, R"({"model":"m","seed":7,"messages":[{"role":"user","content":"a"}]})");
  EXPECT_TRUE(openai_chat_provider().takes_raw(call, {.model = "m", .capabilities = &server}));
  server.quirks.seed_is_random_seed = true;
  EXPECT_FALSE(openai_chat_provider().takes_raw(call, {.model = "m", .capabilities = &server}));
}

}  // namespace
}  // namespace weir
