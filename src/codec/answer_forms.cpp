#include "codec/answer_forms.h"

#include <array>
#include <optional>

#include "codec/bedrock_converse_content.h"

namespace weir {
namespace {

bool any_image(std::string_view) {
  return true;
}

// What a dialect has a form for beside texts, thoughts and calls of the client's tools.
struct Forms {
  bool (*takes_image)(std::string_view mime) = nullptr;  // null: no image at all
  bool audio = false;
  bool redacted_thinking = true;
  // Whose unknown blocks, and calls of tools that the vendor runs, it has as they are.
  std::optional<Dialect> blocks_of{};
};
// By the order of the enum. InvokeModel's blocks are those of the model behind it.
constexpr std::array<Forms, kDialectCount> kForms = {{
    {.takes_image = &any_image},
    {.takes_image = &any_image, .redacted_thinking = false, .blocks_of = Dialect::openai_responses},
    {.blocks_of = Dialect::anthropic_messages},
    {.takes_image = &is_converse_image, .blocks_of = Dialect::bedrock_converse},
    {.blocks_of = Dialect::anthropic_messages},
    {.takes_image = &any_image, .audio = true, .redacted_thinking = false, .blocks_of = Dialect::gemini},
}};

}  // namespace

bool has_answer_form(Dialect client, const BlockStart& started) {
  const Forms& forms = kForms[static_cast<size_t>(client)];
  switch (started.kind) {
    case BlockKind::image:
      return forms.takes_image && forms.takes_image(started.data);
    case BlockKind::audio:
      return forms.audio;
    case BlockKind::redacted_thinking:
      return forms.redacted_thinking;
    case BlockKind::tool_call:
      if (started.tool_kind != ToolKind::server) return true;
      [[fallthrough]];
    case BlockKind::unknown:
      return forms.blocks_of == started.dialect;
    case BlockKind::thinking:
      return !started.is_signature_only || shares_signatures(started.dialect, client);
    case BlockKind::text:
    case BlockKind::refusal:
      break;
  }
  return true;
}

bool is_empty_thought(Dialect client, const AnswerBlock& block) {
  if (block.kind != BlockKind::thinking || !block.text.empty() || !block.id.empty()) return false;
  return block.signature.empty() || !shares_signatures(block.dialect, client);
}

}  // namespace weir
