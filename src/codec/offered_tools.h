// What the provider halves share of offering the caller's tools.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "llm/codec.h"

namespace weir {

// The arguments of a tool that says nothing of them, where the target wants a schema.
inline constexpr std::string_view kNoArgumentsSchema = R"({"type":"object","properties":{}})";
// The arguments of a custom tool (free text) that is offered as a function.
inline constexpr std::string_view kCustomToolSchema =
    R"({"type":"object","properties":{"input":{"type":"string"}},"required":["input"]})";

// Whether the target knows custom tools.
enum class CustomTools : uint8_t { native, wrapped };

// Notes for the way back what the target calls the tools, as `legal` makes of their names, and which of them
// are offered as functions. Renamed ones are reported.
void note_tool_names(const Chat& chat, std::string (*legal)(std::string_view name), CustomTools custom,
                     CallNotes& notes);
std::string legal_openai_tool_name(std::string_view name);

// Error: bad_request that names the first function whose arguments would be no object, which no target takes.
// A definition in the target's own dialect is its vendor's to judge.
Result<void> check_arguments(const Chat& chat, Dialect target);

// The schema to offer a tool with that the target knows as a function.
std::string function_schema(const Tool& tool);
// The schema with a root that says that it is an object, as arguments always are: {} and a lone $ref do not,
// and targets insist on it. A root of any other type stays.
std::string object_schema(std::string_view schema);

// Reports that a custom tool (free text) is offered as a function with one string, and the grammar that
// nobody enforces then.
void report_wrapped_tool(const Tool& tool, Fidelity& fidelity);

// Whether the target runs its own tools (a web search) only in requests without functions, and the chat has
// some.
bool has_functions_in_the_way(const Chat& chat, const Capabilities& capabilities);

// The tools that the caller allows, for targets that are offered no others.
class AllowedTools {
 public:
  explicit AllowedTools(const Chat& chat);
  bool has_limit() const { return !names_.empty(); }
  bool allows(std::string_view name) const { return names_.empty() || names_.contains(name); }

 private:
  std::unordered_set<std::string_view> names_;  // empty: all
};

// What kind of tool a name stands for, for choices that have to say it.
class ToolKinds {
 public:
  explicit ToolKinds(const Chat& chat);
  ToolKind of(std::string_view name) const;  // function when no tool has that name

 private:
  std::unordered_map<std::string_view, ToolKind> kinds_;
};

}  // namespace weir
