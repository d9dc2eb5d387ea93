// The tools of the IR as Converse's toolConfig, and those that Claude's models know by themselves as fields
// of the model's own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/bedrock_converse_messages.h"
#include "codec/offered_tools.h"
#include "llm/codec.h"

namespace weir {

// A tool of Weir's own, whose arguments are the answer.
struct ConverseJsonTool {
  std::string_view description;
  std::string schema;
};

class ConverseToolsWriter {
 public:
  // `forces`: this call may demand a tool (with thinking it may not). REQUIRES noted names of tools.
  ConverseToolsWriter(const Chat& chat, ModelFamily family, bool forces, EncodedCall& call)
      : chat_(chat), family_(family), forces_(forces), call_(call), allowed_(chat) {}

  // Whether tools go out although none may be called: the history holds calls.
  bool forbids_by_words(const Conversation& conversation) const;
  // The member toolConfig, if there is one; a name in notes.json_tool needs `json_tool`. Errors: unsupported
  // for tools that another vendor runs.
  Result<void> write(JsonWriter& json, ConverseMessagesWriter& messages, const Conversation& conversation,
                     const ConverseJsonTool* json_tool);
  // The members of the model's own fields that the tools need; their keys. REQUIRES write().
  std::vector<std::string_view> write_model_fields(JsonWriter& fields);

 private:
  bool is_offered(const Tool& tool) const;
  Result<void> write_tool(JsonWriter& json, const Tool& tool);
  void sort_tools();
  void write_stubs(JsonWriter& json, const Conversation& conversation);
  void write_choice(JsonWriter& json, bool has_json_tool, bool has_config);
  void write_model_tool(JsonWriter& fields, const Tool& tool);
  bool is_model_tool(std::string_view name) const;
  void lose(Severity severity, LossReason reason, std::string_view field, std::string from = {},
            std::string to = {}) {
    call_.notes.fidelity.add(severity, reason, std::string("/").append(field), std::move(from),
                             std::move(to));
  }
  // Only these take one tool by its name; for others the choice is `any` with that tool alone.
  bool takes_names() const { return family_ == ModelFamily::anthropic || family_ == ModelFamily::nova; }

  const Chat& chat_;
  const ModelFamily family_;
  const bool forces_;
  EncodedCall& call_;
  const AllowedTools allowed_;
  std::vector<const Tool*> specs_{};        // that are offered in toolConfig
  std::vector<const Tool*> model_tools_{};  // and among the model's own fields
  std::optional<ToolChoice> model_choice_{};
};

}  // namespace weir
