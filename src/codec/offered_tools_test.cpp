#include "codec/offered_tools.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

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

}  // namespace
}  // namespace weir
