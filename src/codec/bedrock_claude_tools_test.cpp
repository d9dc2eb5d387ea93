// Tools that Claude's models know without a schema, between Anthropic's dialect and both of Bedrock's.
#include "codec/bedrock_claude_tools.h"

#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

using test::body_of;
using test::records_of;
using test::to_converse;

constexpr std::string_view kBash = R"({"type":"bash_20250124","name":"bash"})";
constexpr std::string_view kScreen =
    R"({"type":"computer_20251124","name":"computer","display_width_px":1024,"display_height_px":768})";
constexpr std::string_view kFunction = R"({"name":"f","input_schema":{"type":"object"}})";
constexpr std::string_view kSpec = R"({"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}})";
constexpr std::string_view kHistory =
    R"({"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"bash",)"
    R"("input":{"command":"ls"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1",)"
    R"("content":"a.txt"}]})";

// A request of Anthropic's dialect.
std::string messages(std::string_view tools, std::string_view more = "", std::string_view turns = "") {
  constexpr std::string_view kTurn = R"({"role":"user","content":"q"})";
  return fmt::format(R"({{"model":"m","max_tokens":9,"messages":[{}],"tools":[{}]{}}})",
                     turns.empty() ? kTurn : turns, tools, more);
}

std::string member(const Result<EncodedCall>& call, std::string_view key) {
  const Result<JsonDoc> doc = JsonDoc::parse(body_of(call));
  return doc ? std::string(doc->root()[key].raw()) : body_of(call);
}
std::string model_fields(const Result<EncodedCall>& call) {
  return member(call, "additionalModelRequestFields");
}

Result<EncodedCall> to_messages(const Request& request) {
  return test::encode_for(anthropic_messages_provider(), request, "claude");
}
Result<EncodedCall> to_invoke(const Request& request, std::string_view model = test::kClaude) {
  return test::encode_for(bedrock_invoke_provider(), request, model);
}

TEST(BedrockClaudeTools, GoAmongTheModelsOwnFieldsOfConverse) {
  const auto call = to_converse(messages(fmt::format("{},{},{}", kBash, kFunction, kScreen)));
  EXPECT_EQ(
      model_fields(call),
      fmt::format(R"({{"anthropic_beta":["computer-use-2025-11-24"],"tools":[{},{}]}})", kBash, kScreen));
  EXPECT_EQ(member(call, "toolConfig"), fmt::format(R"({{"tools":[{}]}})", kSpec));
  EXPECT_EQ(records_of(call), "synthesised;/anthropic-beta;computer_20251124>computer-use-2025-11-24");
}

TEST(BedrockClaudeTools, NeedNoBetaThatTheCallerNames) {
  Headers headers;
  headers.add("anthropic-beta", "computer-use-2025-11-24");
  const Result<Request> request = anthropic_messages_client().decode_request(
      test::client_call(Dialect::anthropic_messages, messages(kBash), std::move(headers)));
  ASSERT_TRUE(request);
  for (const ProviderCodec* codec : {&bedrock_converse_provider(), &bedrock_invoke_provider()}) {
    const auto call = test::encode_for(*codec, *request);
    EXPECT_NE(body_of(call).find(R"("anthropic_beta":["computer-use-2025-11-24"])"), std::string::npos);
    EXPECT_EQ(records_of(call), "");
  }
}

TEST(BedrockClaudeTools, EachIsTakenWithItsBeta) {
  const auto beta_of = [](std::string_view type) {
    const auto call = to_converse(messages(fmt::format(R"({{"type":"{}","name":"n"}})", type)));
    const Result<JsonDoc> doc = JsonDoc::parse(model_fields(call));
    return doc ? std::string(doc->root()["anthropic_beta"].raw()) : body_of(call);
  };
  for (const std::string_view type : {"computer_20241022", "bash_20241022", "text_editor_20241022"})
    EXPECT_EQ(beta_of(type), R"(["computer-use-2024-10-22"])") << type;
  for (const std::string_view type : {"computer_20250124", "bash_20250124", "text_editor_20250124"})
    EXPECT_EQ(beta_of(type), R"(["computer-use-2025-01-24"])") << type;
  EXPECT_EQ(beta_of("computer_20251124"), R"(["computer-use-2025-11-24"])");
  EXPECT_EQ(beta_of("memory_20250818"), R"(["context-management-2025-06-27"])");
  for (const std::string_view type : {"text_editor_20250429", "text_editor_20250728"})
    EXPECT_EQ(beta_of(type), "") << type;
}

TEST(BedrockClaudeTools, OthersAndOtherModelsAreRefused) {
  const auto error = [](const Result<EncodedCall>& call) {
    return call ? call->wire.body : std::string(to_string(call.error().kind)) + " " + call.error().path;
  };
  constexpr std::string_view kSearch = R"({"type":"web_search_20250305","name":"web_search"})";
  EXPECT_EQ(error(to_converse(messages(kSearch))), "unsupported tools");
  EXPECT_EQ(error(to_converse(messages(R"({"type":"tool_search_tool_regex_20251119","name":"s"})"))),
            "unsupported tools");
  EXPECT_EQ(error(to_converse(messages(kBash), "amazon.nova-pro-v1:0")), "unsupported tools");
  for (const std::string_view type :
       {"web_search_20250305", "web_fetch_20250910", "code_execution_20250825", "mcp_toolset"}) {
    const Chat chat = test::messages_chat(messages(fmt::format(R"({{"type":"{}","name":"n"}})", type)));
    EXPECT_EQ(error(to_invoke(chat)), "unsupported tools") << type;
    EXPECT_TRUE(to_messages(chat)) << type;
  }
  EXPECT_TRUE(to_invoke(test::messages_chat(messages(R"({"type":"tool_search_tool_regex","name":"s"})"))));
}

// toolConfig must be there where the history has calls, and may not name such a tool a second time.
TEST(BedrockClaudeTools, AHistoryOfTheirCallsHasAPlaceholder) {
  const auto alone = to_converse(messages(kBash, "", kHistory));
  EXPECT_EQ(
      member(alone, "toolConfig"),
      R"({"tools":[{"toolSpec":{"name":"placeholder","description":"Stands for nothing. Never call it.",)"
      R"("inputSchema":{"json":{"type":"object","properties":{}}}}}]})");
  EXPECT_NE(records_of(alone).find("synthesised;/tools;>a_placeholder"), std::string::npos)
      << records_of(alone);
  EXPECT_NE(body_of(alone).find(R"({"toolUse":{"toolUseId":"t1","name":"bash","input":{"command":"ls"}}})"),
            std::string::npos);
  const auto beside = to_converse(messages(fmt::format("{},{}", kBash, kFunction), "", kHistory));
  EXPECT_EQ(member(beside, "toolConfig"), fmt::format(R"({{"tools":[{}]}})", kSpec));
  const std::string call =
      R"({"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"t0","name":"g",)"
      R"("input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t0","content":"x"}]})";
  EXPECT_EQ(
      member(to_converse(messages(kBash, "", call)), "toolConfig"),
      R"({"tools":[{"toolSpec":{"name":"g","inputSchema":{"json":{"type":"object","properties":{}}}}}]})");
}

TEST(BedrockClaudeTools, AChoiceOfOneIsTheModelsOwnField) {
  const std::string both = fmt::format("{},{}", kBash, kFunction);
  const auto chosen = [](std::string_view tools, std::string_view choice, const Capabilities& caps = {}) {
    const auto call =
        to_converse(messages(tools, fmt::format(R"(,"tool_choice":{})", choice)), test::kClaude, caps);
    const Result<JsonDoc> fields = JsonDoc::parse(model_fields(call));
    const Result<JsonDoc> config = JsonDoc::parse(member(call, "toolConfig"));
    return fmt::format("{} {}", fields ? fields->root()["tool_choice"].raw() : "",
                       config ? config->root()["toolChoice"].raw() : "");
  };
  EXPECT_EQ(chosen(both, R"({"type":"tool","name":"bash"})"), R"({"type":"tool","name":"bash"} )");
  EXPECT_EQ(chosen(both, R"({"type":"tool","name":"f"})"), R"( {"tool":{"name":"f"}})");
  EXPECT_EQ(chosen(both, R"({"type":"any"})"), R"( {"any":{}})");
  EXPECT_EQ(chosen(kBash, R"({"type":"any"})"), R"({"type":"any"} )");
  EXPECT_EQ(chosen(kBash, R"({"type":"auto"})"), " ");
  EXPECT_EQ(chosen(kBash, R"({"type":"any"})", test::caps(&Capabilities::forced_tool, false)), " ");
  const auto single =
      to_converse(messages(kBash, R"(,"tool_choice":{"type":"auto","disable_parallel_tool_use":true})"));
  EXPECT_NE(records_of(single).find("dropped;/parallel_tool_calls;false>"), std::string::npos);
}

TEST(BedrockClaudeTools, AreNotOfferedWhereNoneMayBeCalled) {
  constexpr std::string_view kNone = R"(,"tool_choice":{"type":"none"})";
  const auto call = to_converse(messages(fmt::format("{},{}", kBash, kFunction), kNone));
  EXPECT_EQ(body_of(call).find(R"("tools")"), std::string::npos) << body_of(call);
  const auto later = to_converse(messages(kBash, kNone, kHistory));
  EXPECT_EQ(model_fields(later).find(R"("tools")"), std::string::npos) << model_fields(later);
  EXPECT_EQ(
      member(later, "toolConfig"),
      R"({"tools":[{"toolSpec":{"name":"bash","inputSchema":{"json":{"type":"object","properties":{}}}}}]})");
}

TEST(BedrockClaudeTools, TheirCacheMarkersAreLeftOut) {
  const auto call = to_converse(messages(
      R"({"type":"bash_20250124","name":"bash","cache_control":{"type":"ephemeral"},"max_characters":9.0})"));
  EXPECT_NE(
      model_fields(call).find(R"("tools":[{"type":"bash_20250124","name":"bash","max_characters":9.0}])"),
      std::string::npos)
      << model_fields(call);
  EXPECT_NE(records_of(call).find("cache_dropped;/tools;cache_control>"), std::string::npos);
}

// ---- From clients of Bedrock

std::string converse(std::string_view fields, std::string_view more = "") {
  return fmt::format(
      R"({{"messages":[{{"role":"user","content":[{{"text":"q"}}]}}],"inferenceConfig":{{"maxTokens":9}},)"
      R"("additionalModelRequestFields":{{{}}}{}}})",
      fields, more);
}

TEST(BedrockClaudeTools, OfConversesCallersAreAnthropicsOwn) {
  const std::string tools =
      fmt::format(R"("tools":[{}],"anthropic_beta":["computer-use-2025-01-24"])", kBash);
  const std::string config = fmt::format(R"(,"toolConfig":{{"tools":[{}]}})", kSpec);
  const Chat chat =
      test::converse_chat(converse(tools + R"(,"tool_choice":{"type":"tool","name":"bash"})", config));
  const auto direct = to_messages(chat);
  EXPECT_NE(member(direct, "tools").find(kBash), std::string::npos) << body_of(direct);
  EXPECT_NE(member(direct, "tools").find(R"("name":"f")"), std::string::npos) << body_of(direct);
  EXPECT_EQ(member(direct, "tool_choice"), R"({"type":"tool","name":"bash"})");
  ASSERT_TRUE(direct);
  EXPECT_EQ(direct->wire.headers.get_or("anthropic-beta", ""), "computer-use-2025-01-24");
  EXPECT_EQ(records_of(direct), "");
  const auto invoked = to_invoke(chat);
  EXPECT_NE(member(invoked, "tools").find(kBash), std::string::npos) << body_of(invoked);
  EXPECT_EQ(member(invoked, "anthropic_beta"), R"(["computer-use-2025-01-24"])");
  EXPECT_EQ(records_of(invoked), "");
  // Written anew for Converse itself it says the same.
  EXPECT_EQ(model_fields(test::encode_for(bedrock_converse_provider(), chat)),
            fmt::format(R"({{"anthropic_beta":["computer-use-2025-01-24"],"tools":[{}],)"
                        R"("tool_choice":{{"type":"tool","name":"bash"}}}})",
                        kBash));
  const Chat named = test::converse_chat(
      converse(tools, R"(,"toolConfig":{"tools":[],"toolChoice":{"tool":{"name":"bash"}}})"));
  EXPECT_EQ(member(to_messages(named), "tool_choice"), R"({"type":"tool","name":"bash"})");
}

// What is no tool of Claude's stays as the caller said it, for the model that it was said to.
TEST(BedrockClaudeTools, OtherFieldsOfThatNameStayAsTheyAre) {
  for (const std::string& fields :
       {fmt::format(R"("tools":[{},{{"type":"brand_new_20270101","name":"n"}}])", kBash),
        std::string(R"("tools":[])"), std::string(R"("tools":{"a":1})"),
        std::string(R"("tool_choice":{"type":"auto","disable_parallel_tool_use":true})"),
        std::string(R"("tool_choice":"auto")")}) {
    const Chat chat = test::converse_chat(converse(fields));
    EXPECT_TRUE(chat.tools.empty());
    EXPECT_EQ(model_fields(test::encode_for(bedrock_converse_provider(), chat)), "{" + fields + "}");
    EXPECT_NE(records_of(to_messages(chat)).find("dropped;/additionalModelRequestFields"), std::string::npos);
  }
}

TEST(BedrockClaudeTools, AreAnErrorForOtherVendors) {
  const Chat chat = test::converse_chat(converse(fmt::format(R"("tools":[{}])", kBash)));
  EXPECT_FALSE(test::encode_for(openai_chat_provider(), chat, "gpt"));
  EXPECT_FALSE(to_invoke(chat, "amazon.nova-pro-v1:0"));
}

// ---- Their calls and results

TEST(BedrockClaudeTools, TheirResultsKeepTheirImages) {
  const std::string turns =
      R"({"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"t1",)"
      R"("name":"computer","input":{"action":"screenshot"}}]},{"role":"user","content":[{"type":"tool_result",)"
      R"("tool_use_id":"t1","content":[{"type":"image","source":{"type":"base64","media_type":"image/png",)"
      R"("data":"iVBORw0KGgoAAAANSUhEUg=="}}]}]})";
  const auto call = to_converse(messages(kScreen, "", turns));
  EXPECT_NE(body_of(call).find(R"({"toolResult":{"toolUseId":"t1","content":[{"image":{"format":"png",)"
                               R"("source":{"bytes":"iVBORw0KGgoAAAANSUhEUg=="}}}]}})"),
            std::string::npos)
      << body_of(call);
}

std::string as_messages(const std::vector<Event>& events, const Request& request) {
  AnswerContext context{.exchange_id = "x", .model = "m", .request = &request};
  return anthropic_messages_client().encode_answer(test::fold(events), context).body;
}

TEST(BedrockClaudeTools, TheirCallsAreOrdinaryOnes) {
  const Request asked = test::messages_chat(messages(kBash));
  const auto call = test::encode_for(bedrock_converse_provider(), asked);
  ASSERT_TRUE(call);
  const Headers headers;
  const auto whole = bedrock_converse_provider().decode_answer(
      {.headers = &headers,
       .body = R"({"output":{"message":{"role":"assistant","content":[{"toolUse":{"toolUseId":"t1",)"
               R"("name":"bash","input":{"command":"ls"}}}]}},"stopReason":"tool_use"})"},
      call->notes);
  ASSERT_TRUE(whole);
  constexpr std::string_view kUse = R"({"type":"tool_use","id":"t1","name":"bash","input":{"command":"ls"}})";
  EXPECT_NE(as_messages(*whole, asked).find(kUse), std::string::npos) << as_messages(*whole, asked);
  const auto decoder = bedrock_converse_provider().stream_decoder(call->notes);
  const test::Decoded streamed = test::decode_whole(
      *decoder,
      test::frames({{"messageStart", R"({"role":"assistant"})"},
                    {"contentBlockStart",
                     R"({"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t1","name":"bash"}}})"},
                    {"contentBlockDelta",
                     R"({"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\"command\":\"ls\"}"}}})"},
                    {"contentBlockStop", R"({"contentBlockIndex":0})"},
                    {"messageStop", R"({"stopReason":"tool_use"})"},
                    {"metadata", R"({"usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}})"}}));
  EXPECT_EQ(streamed.error, "");
  EXPECT_NE(as_messages(streamed.events, asked).find(kUse), std::string::npos);
}

TEST(BedrockClaudeTools, TheirCallsAreOrdinaryOnesForClientsOfConverseToo) {
  const Request asked = test::converse_chat(converse(fmt::format(R"("tools":[{}])", kBash)));
  const auto call = to_messages(asked);
  ASSERT_TRUE(call);
  const Headers headers;
  const auto events = anthropic_messages_provider().decode_answer(
      {.headers = &headers,
       .body = R"({"id":"m1","type":"message","role":"assistant","model":"m","content":[{"type":"tool_use",)"
               R"("id":"t1","name":"bash","input":{"command":"ls"}}],"stop_reason":"tool_use",)"
               R"("usage":{"input_tokens":1,"output_tokens":1}})"},
      call->notes);
  ASSERT_TRUE(events);
  AnswerContext context{.exchange_id = "x", .model = "m", .request = &asked};
  const std::string body = bedrock_converse_client().encode_answer(test::fold(*events), context).body;
  EXPECT_NE(body.find(R"({"toolUse":{"toolUseId":"t1","name":"bash","input":{"command":"ls"}}})"),
            std::string::npos)
      << body;
  std::string bytes;
  const auto encoder = bedrock_converse_stream_client().stream_encoder(context);
  for (const Event& event : *events) encoder->encode(event, bytes);
  const std::string told = test::describe_frames(bytes);
  EXPECT_NE(told.find(R"("start":{"toolUse":{"toolUseId":"t1","name":"bash")"), std::string::npos) << told;
  EXPECT_NE(told.find(R"({\"command\":\"ls\"})"), std::string::npos) << told;
}

}  // namespace
}  // namespace weir
