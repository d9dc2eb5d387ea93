// Tools that Claude's models know without a schema and that the caller runs (a shell, an editor, a screen, a
// memory): which of them Bedrock takes, and the beta that each needs there.
#pragma once

#include <string_view>
#include <vector>

#include "llm/chat.h"
#include "llm/dialect.h"
#include "llm/fidelity.h"
#include "llm/model_family.h"

namespace weir {

// Whether Converse takes a tool of this type, among the model's own fields.
bool is_bedrock_claude_tool(std::string_view type);

// Whether a body of InvokeModel for Claude's models may hold a tool of this type: not those that are run by
// Anthropic's own API.
bool is_invoke_claude_tool(std::string_view type);

// Whether a model of that family takes the tool, asked by that dialect of Bedrock.
bool bedrock_takes_tool(const Tool& tool, Dialect dialect, ModelFamily family);

// Adds to the names of betas those that the tools need and that are not among them.
void add_betas_of_tools(const std::vector<Tool>& tools, std::vector<std::string_view>& names,
                        Fidelity& fidelity);

}  // namespace weir
