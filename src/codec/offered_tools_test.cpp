#include "codec/offered_tools.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/codecs.h"

namespace weir {
namespace {

constexpr std::array kDialects = {Dialect::openai_chat,        Dialect::openai_responses,
                                  Dialect::anthropic_messages, Dialect::bedrock_converse,
                                  Dialect::bedrock_invoke,     Dialect::gemini};

Chat chat_with(ToolKind kind, std::initializer_list<std::string_view> names) {
  Chat chat;
  for (const std::string_view name : names) {
    Tool& tool = chat.tools.emplace_back();
    tool.kind = kind;
    tool.name = name;
  }
  return chat;
}

TEST(OfferedTools, NamesAreNotedForTheWayBack) {
  CallNotes notes;
  const Chat chat = chat_with(ToolKind::custom, {"a.b", "c"});
  note_tool_names(chat, &legal_openai_tool_name, CustomTools::wrapped, notes);
  const std::string_view wire = notes.tool_names.wire("a.b");
  EXPECT_NE(wire, "a.b");
  EXPECT_EQ(notes.tool_names.original(wire), "a.b");
  EXPECT_EQ(notes.tool_names.wire("c"), "c");
  EXPECT_TRUE(notes.custom_tools->contains("a.b"));
  EXPECT_EQ(notes.fidelity.header_value(), fmt::format("renamed;/tools;a.b>{}", wire));
  CallNotes native;
  note_tool_names(chat, &legal_openai_tool_name, CustomTools::native, native);
  EXPECT_TRUE(native.custom_tools->empty());
}

TEST(OfferedTools, ChoicesKnowWhatIsAllowedAndOfWhichKind) {
  Chat chat = chat_with(ToolKind::server, {"search"});
  EXPECT_EQ(ToolKinds(chat).of("search"), ToolKind::server);
  EXPECT_EQ(ToolKinds(chat).of("other"), ToolKind::function);
  EXPECT_FALSE(AllowedTools(chat).has_limit());
  EXPECT_TRUE(AllowedTools(chat).allows("search"));
  chat.tool_choice = ToolChoice{.allowed = {"f"}};
  EXPECT_TRUE(AllowedTools(chat).has_limit());
  EXPECT_FALSE(AllowedTools(chat).allows("search"));
  EXPECT_TRUE(AllowedTools(chat).allows("f"));
}

// Tens of thousands of tools, each renamed: looking each up among all would take minutes.
TEST(OfferedTools, ManyNamesAreFoundAtOnce) {
  constexpr int kCount = 50'000;
  Chat chat;
  for (int i = 0; i < kCount; ++i) chat.tools.emplace_back().name = chat.arena->keep(fmt::format("t.{}", i));
  CallNotes notes;
  note_tool_names(chat, &legal_openai_tool_name, CustomTools::wrapped, notes);
  int renamed = 0;
  for (const Tool& tool : chat.tools) renamed += notes.tool_names.wire(tool.name) != tool.name ? 1 : 0;
  EXPECT_EQ(renamed, kCount);
}

TEST(OfferedTools, SchemasOfToolsWithoutOne) {
  EXPECT_EQ(function_schema({}), kNoArgumentsSchema);
  EXPECT_EQ(function_schema({.kind = ToolKind::custom}), kCustomToolSchema);
  EXPECT_EQ(function_schema({.schema = {"{}"}}), kNoArgumentsSchema);
  EXPECT_EQ(function_schema({.schema = {R"( { "properties":{"a":{}}})"}}),
            R"({"type":"object", "properties":{"a":{}}})");
  EXPECT_EQ(function_schema({.schema = {R"({"$ref":"#/$defs/A"})"}}),
            R"({"type":"object","properties":{},"$ref":"#/$defs/A"})");
  // What says something else is the caller's mistake, which the target tells.
  for (const std::string_view own :
       {R"({"type":"object"})", R"({"a":1,"type":["object"]})", R"({"type":"array"})"})
    EXPECT_EQ(function_schema({.schema = {own}}), own);
}

// Of a tool with these arguments: where the error says that it is, or "".
std::string refused_at(std::string_view schema, Dialect owner, Dialect target) {
  Chat chat;
  chat.tools.push_back({.name = "good", .schema = {R"({"type":"object"})"}});
  chat.tools.push_back({.name = "f", .schema = {schema}, .dialect = owner, .raw = {R"({"name":"f"})"}});
  const Result<void> checked = check_arguments(chat, target);
  if (checked) return "";
  EXPECT_EQ(checked.error().kind, ErrorKind::bad_request);
  EXPECT_NE(checked.error().message.find("the tool f"), std::string::npos);
  return checked.error().path;
}

TEST(OfferedTools, HaveArgumentsThatAreObjects) {
  const auto foreign = [](std::string_view schema) {
    return refused_at(schema, Dialect::gemini, Dialect::openai_chat);
  };
  for (const std::string_view schema : {R"({"type":"array","items":{"type":"string"}})",
                                        R"({"type":"string"})", R"({"type":["array","null"]})", "true"}) {
    EXPECT_EQ(foreign(schema), "tools[1].parameters") << schema;
  }
  for (const std::string_view schema :
       {R"({"properties":{}})", R"({"$ref":"#/$defs/a"})", "{}", "", R"({"type":["object","null"]})",
        R"({"title":"t","type":"object"})"}) {
    EXPECT_EQ(foreign(schema), "") << schema;
  }
  EXPECT_EQ(refused_at(R"({"type":"array"})", Dialect::gemini, Dialect::gemini), "")
      << "its own vendor may know better";
}

TEST(OfferedTools, AreRefusedByEveryTargetWhereTheyTakeNoObject) {
  Chat chat;
  chat.model = "m";
  chat.max_tokens = 9;
  chat.messages.push_back(
      {.role = Role::user, .content = {{.body = TextBlock{"q"}, .cache = {}, .pointer = {}}}, .name = {}});
  chat.tools.push_back({.name = "f", .schema = {R"({"type":"array"})"}});
  const Capabilities any;
  for (const Dialect dialect : kDialects) {
    for (const std::string_view model : {"anthropic.claude-3", "mistral.mistral-large-2407-v1:0"}) {
      const auto call = provider_codec(dialect).encode_request(chat, {.model = model, .capabilities = &any});
      ASSERT_FALSE(call) << to_string(dialect) << " " << model << ": " << call->wire.body;
      EXPECT_EQ(call.error().path, "tools[0].parameters") << to_string(dialect) << " " << model;
    }
  }
}

}  // namespace
}  // namespace weir
