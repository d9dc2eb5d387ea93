#include "codec/bedrock_invoke_mistral.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <utility>

#include "base/crypto.h"
#include "base/text.h"
#include "codec/args.h"
#include "codec/media_source.h"
#include "codec/offered_tools.h"
#include "codec/tool_names.h"
#include "codec/turns.h"

namespace weir {
namespace {

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorKind::unsupported, std::move(message), "messages");
}

// Ids are nine letters or digits; another's are made so, the same way at the call and at its result.
std::string nine_character_id(std::string_view id) {
  constexpr size_t kLength = 9;
  const bool is_legal = id.size() == kLength && std::all_of(id.begin(), id.end(), [](char c) {
                          return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                        });
  return is_legal ? std::string(id) : sha256_hex(id).substr(0, kLength);
}

class MessagesWriter {
 public:
  MessagesWriter(JsonWriter& json, const Capabilities& capabilities, CallNotes& notes)
      : json_(json), caps_(capabilities), notes_(notes) {}

  Result<void> write(const Conversation& conversation, std::string_view instruction) {
    json_.key("messages").begin_array();
    TRY(write_system(conversation, instruction));
    for (const Turn& turn : conversation.turns)
      TRY(turn.role == Role::user ? write_user(turn) : write_assistant(turn));
    json_.end_array();
    return {};
  }

 private:
  Result<void> write_system(const Conversation& conversation, std::string_view instruction) {
    std::string text;
    for (const Block* block : conversation.system) {
      if (!text.empty()) text += "\n\n";
      text += TRY(text_of(*block));
    }
    if (!text.empty() && !instruction.empty()) text += "\n\n";
    text += instruction;
    if (!text.empty()) write_text_message("system", text);
    return {};
  }

  void write_text_message(std::string_view role, std::string_view text) {
    json_.begin_object().key("role").value(role).key("content").value(text).end_object();
  }

  static Result<std::string_view> text_of(const Block& block) {
    if (const auto* text = std::get_if<TextBlock>(&block.body)) return text->text;
    if (const auto* refusal = std::get_if<RefusalBlock>(&block.body)) return refusal->text;
    return refuse("InvokeModel of this model takes text, images and tools only; send the text");
  }

  // Results stand in messages of their own, before what the user says.
  Result<void> write_user(const Turn& turn) {
    std::vector<const Block*> said;
    for (const Block* block : turn.blocks) {
      if (const auto* result = std::get_if<ToolResultBlock>(&block->body)) {
        TRY(write_result(*result));
      } else {
        said.push_back(block);
      }
    }
    if (said.empty()) return {};
    json_.begin_object().key("role").value("user").key("content");
    if (said.size() == 1 && !std::holds_alternative<ImageBlock>(said.front()->body)) {
      json_.value(TRY(text_of(*said.front()))).end_object();
      return {};
    }
    json_.begin_array();
    for (const Block* block : said) {
      if (const auto* image = std::get_if<ImageBlock>(&block->body)) {
        TRY(write_image(*image));
      } else {
        json_.begin_object().key("type").value("text").key("text").value(TRY(text_of(*block))).end_object();
      }
    }
    json_.end_array().end_object();
    return {};
  }

  Result<void> write_image(const ImageBlock& image) {
    if (caps_.vision == false) return refuse("this model takes no images");
    if (image.media.base64.empty()) return refuse("this model cannot fetch an image; send its bytes");
    const std::string_view seen = sniff_media_type(image.media.base64);
    const std::string url =
        fmt::format("data:{};base64,{}", seen.empty() ? image.media.mime : seen, image.media.base64);
    json_.begin_object().key("type").value("image_url").key("image_url").begin_object();
    json_.key("url").value(url).end_object().end_object();
    return {};
  }

  Result<void> write_result(const ToolResultBlock& result) {
    std::string text = result.is_error ? "ERROR: " : "";
    if (result.is_error)
      notes_.fidelity.add(Severity::info, LossReason::emulated, "/messages", "is_error", "a prefix");
    bool is_first = true;
    for (const Block& inner : result.content) {
      if (!std::exchange(is_first, false)) text += '\n';
      text += TRY(text_of(inner));
    }
    json_.begin_object()
        .key("role")
        .value("tool")
        .key("tool_call_id")
        .value(nine_character_id(result.call_id));
    json_.key("content").value(text).end_object();
    return {};
  }

  Result<void> write_assistant(const Turn& turn) {
    std::string text;
    std::vector<const ToolCallBlock*> calls;
    for (const Block* block : turn.blocks) {
      if (const auto* call = std::get_if<ToolCallBlock>(&block->body)) {
        calls.push_back(call);
      } else {
        if (!text.empty()) text += "\n\n";
        text += TRY(text_of(*block));
      }
    }
    json_.begin_object().key("role").value("assistant").key("content").value(text);
    if (!calls.empty()) json_.key("tool_calls").begin_array();
    for (const ToolCallBlock* call : calls) {
      json_.begin_object().key("id").value(nine_character_id(call->id)).key("type").value("function");
      json_.key("function").begin_object().key("name");
      json_.value(legal_tool_name(notes_.tool_names.wire(call->name), kOpenAiToolNameMax)).key("arguments");
      json_.value(arguments_of(*call)).end_object().end_object();
    }
    if (!calls.empty()) json_.end_array();
    json_.end_object();
    return {};
  }

  static std::string arguments_of(const ToolCallBlock& call) {
    std::string text;
    JsonWriter arguments(text);
    if (call.kind == ToolKind::custom) {
      arguments.begin_object().key("input").value(call.arguments).end_object();
    } else {
      write_object_arguments(arguments, call.arguments);
    }
    return text;
  }

  JsonWriter& json_;
  const Capabilities& caps_;
  CallNotes& notes_;
};

bool is_offered(const Chat& chat, const AllowedTools& allowed, const Tool& tool) {
  // One tool cannot be named: it is the only one then.
  if (chat.tool_choice && chat.tool_choice->mode == ToolChoiceMode::named)
    return tool.name == chat.tool_choice->name;
  return allowed.allows(tool.name);
}

std::string_view choice_word(const Chat& chat) {
  if (!chat.tool_choice) return "auto";
  switch (chat.tool_choice->mode) {
    case ToolChoiceMode::required:
    case ToolChoiceMode::named:
      return "any";
    case ToolChoiceMode::none:
      return "none";
    case ToolChoiceMode::automatic:
      break;
  }
  return "auto";
}

}  // namespace

bool is_mistral_chat(std::string_view id) {
  constexpr std::array<std::string_view, 4> kPrompted = {
      "mistral.mistral-7b", "mistral.mixtral", "mistral.mistral-large-2402", "mistral.mistral-small-2402"};
  return std::none_of(kPrompted.begin(), kPrompted.end(),
                      [&](std::string_view start) { return id.starts_with(start); });
}

Result<void> write_mistral_messages(JsonWriter& json, const Chat& chat, const Capabilities& capabilities,
                                    std::string_view instruction, CallNotes& notes) {
  TRY(check_arguments(chat, Dialect::bedrock_invoke));
  note_tool_names(chat, &legal_openai_tool_name, CustomTools::wrapped, notes);
  const TurnRules rules{.dialect = Dialect::bedrock_invoke, .takes_thinking = false};
  const Conversation conversation = TRY(arrange_turns(chat, rules, notes));
  report_cache_markers(conversation, notes.fidelity);
  if (conversation.ends_with_assistant() && capabilities.prefill != true) {
    return fail(ErrorKind::bad_request,
                "this model does not continue a message of the assistant; end with a message of the user",
                "messages");
  }
  return MessagesWriter(json, capabilities, notes).write(conversation, instruction);
}

Result<void> write_mistral_tools(JsonWriter& json, const Chat& chat, CallNotes& notes) {
  if (chat.tools.empty()) return {};
  const AllowedTools allowed(chat);
  json.key("tools").begin_array();
  for (const Tool& tool : chat.tools) {
    if (tool.kind == ToolKind::server)
      return fail(ErrorKind::unsupported,
                  fmt::format("the tool {} is run by another vendor; this model cannot call it", tool.type),
                  "tools");
    if (!is_offered(chat, allowed, tool)) continue;
    json.begin_object().key("type").value("function").key("function").begin_object();
    json.key("name").value(notes.tool_names.wire(tool.name));
    if (!tool.description.empty()) json.key("description").value(tool.description);
    if (tool.kind == ToolKind::custom) report_wrapped_tool(tool, notes.fidelity);
    if (tool.cache) notes.fidelity.add(Severity::info, LossReason::cache_dropped, "/tools", "cache_control");
    if (tool.strict.value_or(false))
      notes.fidelity.add(Severity::info, LossReason::dropped, "/tools", "strict");
    json.key("parameters").raw(function_schema(tool));
    json.end_object().end_object();
  }
  json.end_array().key("tool_choice").value(choice_word(chat));
  if (chat.tool_choice && chat.tool_choice->mode == ToolChoiceMode::named)
    notes.fidelity.add(Severity::info, LossReason::emulated, "/tool_choice",
                       std::string(chat.tool_choice->name), "the only tool");
  if (chat.parallel_tools == false)
    notes.fidelity.add(Severity::warning, LossReason::dropped, "/parallel_tool_calls", "false");
  return {};
}

}  // namespace weir
