// The steps over a chat, and what targets are sent of it then.
#include "codec/chat_policies.h"

#include "codec/bedrock_test_util.h"
#include "codec/codecs.h"
#include "codec/gemini_test_util.h"

namespace weir {
namespace {

// The body that the target is sent, or the error.
std::string sent(Dialect target, const Chat& chat, const Capabilities& caps = {}) {
  const Request request = chat;
  const auto call = provider_codec(target).encode_request(
      request, {.model = target == Dialect::bedrock_converse ? test::kClaude : "m", .capabilities = &caps});
  return call ? call->wire.body : call.error().path + ": " + call.error().message;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Three calls, of which the second alone has a result, and a call at the end.
Chat with_gaps() {
  return test::openai_chat(R"({"model":"m","messages":[{"role":"user","content":"q"},
    {"role":"assistant","content":null,"tool_calls":[
      {"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}},
      {"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}},
      {"id":"c3","type":"function","function":{"name":"f","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"c2","content":"two"},
    {"role":"user","content":"and?"},
    {"role":"assistant","content":"","tool_calls":[
      {"id":"c4","type":"function","function":{"name":"f","arguments":"{}"}}]}]})");
}

TEST(ChatPolicies, CallsWithoutResultsGetErrorsInTheirPlaces) {
  Chat chat = with_gaps();
  ASSERT_TRUE(lacks_results(chat));
  for (const Dialect target : {Dialect::anthropic_messages, Dialect::bedrock_converse, Dialect::gemini}) {
    const std::string refused = sent(target, chat);
    EXPECT_TRUE(has(refused, "messages: the tool calls c1, c3 have no result")) << refused;
  }
  Fidelity fidelity;
  add_missing_results(chat, fidelity);
  EXPECT_FALSE(lacks_results(chat));
  EXPECT_EQ(fidelity.header_value(),
            "synthesised;/messages/1;no_result_of_c1>tool_call_was_not_completed, "
            "synthesised;/messages/1;no_result_of_c3>tool_call_was_not_completed, "
            "synthesised;/messages/4;no_result_of_c4>tool_call_was_not_completed");
  EXPECT_TRUE(fidelity.has_warnings());
  const std::string anthropic = sent(Dialect::anthropic_messages, chat);
  const std::string failed = R"("content":"tool call was not completed","is_error":true)";
  EXPECT_TRUE(has(anthropic, R"({"type":"tool_result","tool_use_id":"c1",)" + failed)) << anthropic;
  EXPECT_TRUE(has(anthropic, R"({"type":"tool_result","tool_use_id":"c2","content":"two")")) << anthropic;
  EXPECT_TRUE(has(anthropic, R"({"type":"tool_result","tool_use_id":"c4",)" + failed)) << anthropic;
  for (const Dialect target : {Dialect::bedrock_converse, Dialect::gemini, Dialect::openai_chat})
    EXPECT_TRUE(has(sent(target, chat), "tool call was not completed")) << sent(target, chat);
}

TEST(ChatPolicies, AnsweredCallsAreLeftAlone) {
  EXPECT_FALSE(lacks_results(test::messages_chat(R"({"model":"m","max_tokens":9,"messages":[
    {"role":"user","content":"q"},
    {"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}},
                                   {"type":"tool_use","id":"b","name":"f","input":{}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"b"},
                              {"type":"tool_result","tool_use_id":"a"}]}]})")));
}

TEST(ChatPolicies, TheUserBeginsWithAFullStop) {
  Chat chat = test::openai_chat(R"({"model":"m","messages":[{"role":"system","content":"s"},
    {"role":"assistant","content":"hello"},{"role":"user","content":"q"}]})");
  ASSERT_TRUE(begins_with_assistant(chat));
  const std::string refused = sent(Dialect::bedrock_converse, chat);
  EXPECT_TRUE(refused.starts_with("messages: this model wants the user to begin")) << refused;
  Fidelity fidelity;
  pad_beginning(chat, fidelity);
  EXPECT_FALSE(begins_with_assistant(chat));
  EXPECT_EQ(fidelity.header_value(), "synthesised;/messages/1;assistant>a_user_before_it");
  EXPECT_TRUE(
      has(sent(Dialect::bedrock_converse, chat), R"("messages":[{"role":"user","content":[{"text":"."}]})"));
  EXPECT_TRUE(has(sent(Dialect::gemini, chat), R"("contents":[{"role":"user","parts":[{"text":"."}]})"));
}

TEST(ChatPolicies, NamesOfUsersGoBeforeTheirWords) {
  Chat chat = test::openai_chat(R"({"model":"m","messages":[{"role":"user","name":"Ada","content":"hi"},
    {"role":"assistant","name":"bot","content":"yes"},
    {"role":"user","name":"Bo","content":[
      {"type":"image_url","image_url":{"url":"https://a.example/x.png"}}]}]})");
  ASSERT_TRUE(has_user_names(chat));
  Fidelity fidelity;
  prefix_user_names(chat, fidelity);
  EXPECT_FALSE(has_user_names(chat));
  EXPECT_EQ(std::get<TextBlock>(chat.messages[0].content[0].body).text, "Ada: hi");
  EXPECT_EQ(chat.messages[1].name, "bot") << "the assistant is no user";
  EXPECT_EQ(std::get<TextBlock>(chat.messages[2].content[0].body).text, "Bo:");
  EXPECT_EQ(fidelity.header_value(),
            "emulated;/messages/0/name;Ada>prefix, emulated;/messages/2/name;Bo>prefix");
  EXPECT_FALSE(fidelity.has_warnings());
}

// ---- Cache markers

constexpr std::string_view kMarker = R"("cache_control":{"type":"ephemeral"})";

size_t count(std::string_view text, std::string_view part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

Chat long_chat() {
  return test::openai_chat(
      R"({"model":"m","messages":[
    {"role":"system","content":"s1"},{"role":"system","content":"s2"},
    {"role":"user","content":"u1"},{"role":"assistant","content":"a1"},
    {"role":"user","content":"u2"},{"role":"assistant","content":"a2"},
    {"role":"user","content":"u3"},{"role":"user","content":"u4"}],
    "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}},
             {"type":"function","function":{"name":"g","parameters":{"type":"object"}}}]})");
}

TEST(ChatPolicies, MarksWhatTheNextPromptShares) {
  Chat chat = long_chat();
  ASSERT_FALSE(has_cache_markers(chat));
  Fidelity fidelity;
  mark_prefixes(chat, fidelity);
  EXPECT_TRUE(has_cache_markers(chat));
  EXPECT_EQ(fidelity.header_value(),
            "synthesised;/tools/1;>cache_marker, synthesised;/messages/1;>cache_marker, "
            "synthesised;/messages/7;>cache_marker, synthesised;/messages/4;>cache_marker");
  EXPECT_FALSE(fidelity.has_warnings());
  const std::string body = sent(Dialect::anthropic_messages, chat);
  EXPECT_EQ(count(body, kMarker), 4U) << body;
  for (const std::string_view text : {"s2", "u2", "u4"})
    EXPECT_TRUE(has(body, fmt::format(R"({{"type":"text","text":"{}",{}}})", text, kMarker))) << body;
  Chat again = long_chat();
  mark_prefixes(again, fidelity);
  EXPECT_EQ(sent(Dialect::anthropic_messages, again), body) << "a byte that differs misses the cache";
  Capabilities caps;
  caps.cache_control = CacheControl::markers;
  EXPECT_EQ(count(sent(Dialect::bedrock_converse, chat, caps), "cachePoint"), 4U);
}

TEST(ChatPolicies, MarksTheEndOfAToolLoop) {
  Chat chat = test::openai_chat(R"({"model":"m","messages":[{"role":"user","content":"q"},
    {"role":"assistant","tool_calls":[
      {"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"c1","content":"one"}]})");
  Fidelity fidelity;
  mark_prefixes(chat, fidelity);
  const std::string body = sent(Dialect::anthropic_messages, chat);
  EXPECT_EQ(count(body, kMarker), 2U) << body;
  EXPECT_TRUE(has(body, fmt::format(R"("content":"one",{}}})", kMarker))) << body;
}

TEST(ChatPolicies, AToolOfTheTargetsOwnDialectKeepsItsWordsBesideTheMarker) {
  Chat chat = test::messages_chat(R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}],
    "tools":[{"name":"f","input_schema":{"type":"object"},"input_examples":[{"a":1.0}]}]})");
  Fidelity fidelity;
  mark_prefixes(chat, fidelity);
  const std::string body = sent(Dialect::anthropic_messages, chat);
  EXPECT_TRUE(has(
      body,
      fmt::format(R"([{{{},"name":"f","input_schema":{{"type":"object"}},"input_examples":[{{"a":1.0}}]}}])",
                  kMarker)))
      << body;
}

TEST(ChatPolicies, SeesEveryMarkerOfTheCallers) {
  for (
      const std::string_view part :
      {R"("cache_control":{"type":"ephemeral"},"messages":[{"role":"user","content":"q"}])",
       R"("messages":[{"role":"user","content":[{"type":"text","text":"q","cache_control":{"type":"ephemeral"}}]}])",
       R"("messages":[{"role":"user","content":"q"}],"tools":[{"name":"f","input_schema":{"type":"object"},)"
       R"("cache_control":{"type":"ephemeral"}}])"}) {
    EXPECT_TRUE(
        has_cache_markers(test::messages_chat(fmt::format(R"({{"model":"m","max_tokens":9,{}}})", part))))
        << part;
  }
}

// ---- Tools that a vendor runs

TEST(ChatPolicies, ForeignToolsGoWithAChoiceThatNamesThem) {
  const auto chat_with = [](std::string_view choice) {
    return test::messages_chat(fmt::format(
        R"({{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"q"}}],"tools":[
          {{"type":"bash_20250124","name":"bash"}},{{"name":"f","input_schema":{{"type":"object"}}}}]{}}})",
        choice));
  };
  const Capabilities any;
  const TargetModel model{.model = test::kClaude, .capabilities = &any};
  const TargetModel nova{.model = "amazon.nova-pro-v1:0", .capabilities = &any};
  Chat chat = chat_with("");
  for (const Dialect bedrock : {Dialect::bedrock_converse, Dialect::bedrock_invoke}) {
    EXPECT_FALSE(has_foreign_tools(chat, bedrock, model));
    EXPECT_TRUE(has_foreign_tools(chat, bedrock, nova));
  }
  EXPECT_FALSE(has_foreign_tools(chat, Dialect::anthropic_messages, model));
  ASSERT_TRUE(has_foreign_tools(chat, Dialect::openai_chat, model));
  EXPECT_TRUE(has(sent(Dialect::openai_chat, chat), "is run by another vendor"));
  Fidelity fidelity;
  drop_foreign_tools(chat, Dialect::openai_chat, model, fidelity);
  EXPECT_EQ(fidelity.header_value(), "dropped;/tools/0;bash_20250124>");
  EXPECT_TRUE(fidelity.has_warnings());
  EXPECT_FALSE(has(sent(Dialect::openai_chat, chat), "bash"));

  Chat named = chat_with(R"(,"tool_choice":{"type":"tool","name":"bash"})");
  drop_foreign_tools(named, Dialect::openai_chat, model, fidelity);
  EXPECT_FALSE(named.tool_choice);
  Chat other = chat_with(R"(,"tool_choice":{"type":"tool","name":"f"})");
  drop_foreign_tools(other, Dialect::openai_chat, model, fidelity);
  EXPECT_TRUE(other.tool_choice);
}

// A model may run its own tools only where no function is offered.
TEST(ChatPolicies, OwnToolsOfATargetGoWhereFunctionsAreInTheirWay) {
  const std::string search = R"({"googleSearch":{}})";
  const std::string function = R"({"functionDeclarations":[{"name":"f"}]})";
  const auto chat_with = [](const std::string& tools) {
    return test::gemini_chat(R"({"contents":[{"parts":[{"text":"q"}]}],"tools":[)" + tools + "]}");
  };
  const auto is_left = [](Chat chat, std::optional<bool> combines) {
    Capabilities capabilities;
    capabilities.own_tools_with_functions = combines;
    const TargetModel model{.model = "m", .capabilities = &capabilities};
    if (!has_foreign_tools(chat, Dialect::gemini, model)) return std::string("all");
    Fidelity fidelity;
    drop_foreign_tools(chat, Dialect::gemini, model, fidelity);
    EXPECT_EQ(chat.tools.size(), 1U);
    return std::string(chat.tools.at(0).name) + " " + fidelity.header_value();
  };
  const Chat both = chat_with(function + "," + search);
  EXPECT_EQ(is_left(both, false), "f dropped;/tools/1;googleSearch>");
  EXPECT_EQ(is_left(both, true), "all");
  EXPECT_EQ(is_left(both, std::nullopt), "all");
  EXPECT_EQ(is_left(chat_with(search), false), "all");
  EXPECT_EQ(is_left(chat_with(function), false), "all");
}

TEST(ChatPolicies, InstructionsBehindCallsAreNoPartOfTheirTurn) {
  Chat chat = test::openai_chat(R"({"model":"m","messages":[{"role":"user","content":"q"},
    {"role":"assistant","content":"I look.","tool_calls":[
      {"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},
    {"role":"system","content":"Be brief."},{"role":"user","content":"well?"}]})");
  Fidelity fidelity;
  add_missing_results(chat, fidelity);
  EXPECT_EQ(fidelity.header_value(), "synthesised;/messages/1;no_result_of_c1>tool_call_was_not_completed");
  ASSERT_EQ(chat.messages.size(), 4U);
  EXPECT_TRUE(std::holds_alternative<ToolResultBlock>(chat.messages[3].content.at(0).body));
}

TEST(ChatPolicies, CallsThatTheVendorAnsweredNeedNoResult) {
  EXPECT_FALSE(lacks_results(test::messages_chat(R"({"model":"m","max_tokens":9,"messages":[
    {"role":"user","content":"q"},
    {"role":"assistant","content":[{"type":"text","text":"I look."},
      {"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"q"}}]},
    {"role":"user","content":"go on"}]})")));
}

TEST(ChatPolicies, NothingIsMarkedWhereNothingIsSaid) {
  Chat chat = test::openai_chat(R"({"model":"m","messages":[
    {"role":"system","content":"s"},{"role":"system","content":" "},
    {"role":"user","content":"u1"},{"role":"assistant","content":"a1"},
    {"role":"user","content":""}]})");
  Fidelity fidelity;
  mark_prefixes(chat, fidelity);
  EXPECT_EQ(fidelity.header_value(),
            "synthesised;/messages/0;>cache_marker, synthesised;/messages/2;>cache_marker");
}

}  // namespace
}  // namespace weir
