// The tools of the IR as Converse's toolConfig.
#pragma once

#include <string>
#include <string_view>

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

 private:
  bool is_offered(const Tool& tool) const;
  Result<void> write_tool(JsonWriter& json, const Tool& tool);
  void write_stubs(JsonWriter& json, const Conversation& conversation);
  void write_choice(JsonWriter& json, bool has_json_tool);
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
};

}  // namespace weir
