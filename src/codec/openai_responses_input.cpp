#include "codec/openai_responses_input.h"

#include <fmt/core.h>

#include "codec/data_url.h"
#include "codec/fields.h"
#include "codec/openai_responses_encode.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::openai_responses;

// The role of a message as far as Weir knows it; another is the user's to whoever reads only the text.
Result<Role> decode_role(JsonValue message, Chat& chat) {
  const std::string_view role = TRY(required_string(message, "role"));
  if (role == "user") return Role::user;
  if (role == "assistant") return Role::assistant;
  if (role == "system") return Role::system;
  if (role == "developer") return Role::developer;
  TRY(settle_unknown(
      chat, unknown_value(fmt::format("{} is not a role; use system, developer, user or assistant", role),
                          message["role"].path())));
  return Role::user;
}

Result<BlockBody> decode_image(JsonValue part) {
  ImageBlock block;
  std::string_view url;
  TRY(read_field(part["image_url"], url));
  if (!url.empty()) block.media = TRY(media_of_data_url(url, part["image_url"]));
  TRY(read_field(part["file_id"], block.media.file_id));
  TRY(read_field(part["detail"], block.detail));
  if (url.empty() && block.media.file_id.empty()) {
    return fail(ErrorKind::bad_request, "an input_image needs image_url or file_id", part.path());
  }
  return block;
}

Result<BlockBody> decode_file(JsonValue part) {
  DocumentBlock block;
  std::string_view data;
  TRY(read_field(part["file_data"], data));
  if (data.starts_with("data:")) {
    block.media = TRY(media_of_data_url(data, part["file_data"]));
  } else if (!data.empty()) {
    block.media.base64 = TRY(require_base64(data, part["file_data"]));
  }
  if (data.empty()) {
    TRY(read_field(part["file_id"], block.media.file_id));
    if (block.media.file_id.empty()) TRY(read_field(part["file_url"], block.media.url));
  }
  TRY(read_field(part["filename"], block.title));
  if (data.empty() && block.media.file_id.empty() && block.media.url.empty()) {
    return fail(ErrorKind::bad_request, "an input_file needs file_data, file_url or file_id", part.path());
  }
  return block;
}

Result<BlockBody> decode_audio(JsonValue part) {
  const JsonValue audio = part["input_audio"];
  TRY(audio.expect(JsonType::object));
  AudioBlock block;
  const std::string_view data = TRY(required_string(audio, "data"));
  block.media.base64 = TRY(require_base64(data, audio["data"]));
  block.format = TRY(required_string(audio, "format"));
  return block;
}

Result<BlockBody> decode_part(JsonValue part) {
  TRY(part.expect(JsonType::object));
  const std::string_view type = TRY(required_string(part, "type"));
  if (type == "input_text" || type == "output_text" || type == "text") {
    const JsonValue text = part["text"];
    if (!text.is_string()) {
      return fail(ErrorKind::bad_request, fmt::format("an {} needs a text", type), part.path() + ".text");
    }
    return TextBlock{text.string_or("")};
  }
  if (type == "input_image") return decode_image(part);
  if (type == "input_file") return decode_file(part);
  if (type == "input_audio") return decode_audio(part);
  if (type == "refusal") return RefusalBlock {
      TRY(required_string(part, "refusal"))
    };
  return UnknownBlock{.dialect = kDialect, .type = type, .raw = {part.raw()}};
}

// A string or an array of parts.
Result<void> decode_content(JsonValue content, std::string_view pointer, std::vector<Block>& into) {
  if (content.is_string()) {
    if (const std::string_view text = content.string_or(""); !text.empty())
      into.push_back({.body = TextBlock{text}, .cache = {}, .pointer = pointer});
    return {};
  }
  if (!content.is_array()) {
    const std::string path = content.path();
    return fail(ErrorKind::bad_request, fmt::format("{} is a string or an array of parts", path), path);
  }
  for (const JsonValue part : content) {
    into.push_back({
      .body = TRY(decode_part(part))
      , .cache = {}, .pointer = pointer
    });
    // What an earlier answer cited: nothing that any vendor reads again.
    if (part["annotations"].size() > 0) into.back().own = OwnForm{.dialect = kDialect, .type = "annotations"};
  }
  return {};
}

// The items of an input, one after the other.
class InputDecoder {
 public:
  explicit InputDecoder(Chat& chat) : chat_(chat) {}

  Result<void> item(JsonValue source) {
    TRY(source.expect(JsonType::object));
    std::string_view type;
    TRY(read_field(source["type"], type));
    // The short forms leave the type out.
    if (type.empty()) type = source["role"] ? "message" : source["id"] ? "item_reference" : "";
    if (type.empty()) {
      const std::string path = source.path() + ".type";
      return fail(ErrorKind::bad_request, fmt::format("{} is missing: what kind of item this is", path),
                  path);
    }
    if (type == "message") return message(source);
    if (type == "reasoning") return reasoning(source);
    if (type == "function_call" || type == "custom_tool_call") return call(source, type);
    if (type == "function_call_output" || type == "custom_tool_call_output") return output(source);
    // What answers a call is the caller's; every other item was the model's. Only this dialect knows more.
    const bool is_callers = type.ends_with("_output") || type == "mcp_approval_response";
    add(is_callers ? Role::tool : Role::assistant, UnknownBlock{.dialect = kDialect,
                                                                .type = type,
                                                                .raw = {source.raw()},
                                                                .is_reference = type == "item_reference"});
    blocks().back().pointer = chat_.arena->keep(json_pointer(source));
    return {};
  }

 private:
  std::vector<Block>& blocks() { return chat_.messages.back().content; }

  void add(Role role, BlockBody body) {
    if (role != Role::assistant || chat_.messages.empty() || chat_.messages.back().role != role)
      chat_.messages.push_back({.role = role, .content = {}, .name = {}});
    blocks().push_back({.body = std::move(body), .cache = {}, .pointer = {}});
  }

  Result<void> message(JsonValue source) {
    const Role role = TRY(decode_role(source, chat_));
    if (role != Role::assistant || chat_.messages.empty() || chat_.messages.back().role != role)
      chat_.messages.push_back({.role = role, .content = {}, .name = {}});
    return decode_content(source["content"], {}, blocks());
  }

  Result<void> reasoning(JsonValue source) {
    ThinkingBlock block;
    TRY(read_field(source["id"], block.id));
    TRY(read_field(source["encrypted_content"], block.signature));
    // The vendor finds its own by the id alone; what Weir showed of another's it would not.
    if (!block.signature.empty() || !is_responses_item_id(block.id)) block.issuer = kDialect;
    std::string joined;
    for (const std::string_view key : {"summary", "content"}) {
      const JsonValue parts = source[key];
      if (parts.is_absent()) continue;
      TRY(parts.expect(JsonType::array));
      for (const JsonValue part : parts) {
        const std::string_view text = part["text"].string_or("");
        if (text.empty()) continue;
        if (!block.text.empty() && joined.empty()) joined = block.text;
        block.text = text;
        if (!joined.empty()) joined.append("\n\n").append(text);
      }
    }
    if (!joined.empty()) block.text = chat_.arena->keep(std::move(joined));
    add(Role::assistant, block);
    return {};
  }

  Result<void> call(JsonValue source, std::string_view type) {
    ToolCallBlock block;
    block.id = TRY(required_string(source, "call_id"));
    block.name = TRY(required_string(source, "name"));
    if (type == "custom_tool_call") {
      block.kind = ToolKind::custom;
      TRY(read_field(source["input"], block.arguments));
    } else if (source["arguments"].is_object()) {
      block.arguments = source["arguments"].raw();  // some clients forget to encode them
    } else {
      TRY(read_field(source["arguments"], block.arguments));
    }
    add(Role::assistant, block);
    return {};
  }

  Result<void> output(JsonValue source) {
    ToolResultBlock result;
    result.call_id = TRY(required_string(source, "call_id"));
    TRY(read_field(source["name"], result.tool_name));
    result.is_error = source["status"].string_or("") == "incomplete";
    TRY(decode_content(source["output"], {}, result.content));
    add(Role::tool, std::move(result));
    return {};
  }

  Chat& chat_;
};

Result<void> decode_function(JsonValue source, Tool& tool) {
  tool.name = TRY(required_string(source, "name"));
  TRY(read_field(source["description"], tool.description));
  TRY(read_field(source["strict"], tool.strict));
  const JsonValue parameters = source["parameters"];
  if (parameters.is_absent()) return {};
  TRY(parameters.expect(JsonType::object));
  tool.schema = {parameters.raw()};
  return {};
}

Result<void> decode_custom(JsonValue source, Tool& tool) {
  tool.kind = ToolKind::custom;
  tool.name = TRY(required_string(source, "name"));
  TRY(read_field(source["description"], tool.description));
  const JsonValue format = source["format"];
  if (format["type"].string_or("") != "grammar") return {};
  tool.grammar_syntax = TRY(required_string(format, "syntax"));
  tool.grammar = TRY(required_string(format, "definition"));
  return {};
}

}  // namespace

Result<void> decode_responses_input(JsonValue input, Chat& chat) {
  if (input.is_absent()) return {};
  if (input.is_string()) {
    Message& message = chat.messages.emplace_back();
    return decode_content(input, {}, message.content);
  }
  if (!input.is_array())
    return fail(ErrorKind::bad_request, "input is a string or an array of items", "input");
  InputDecoder decoder(chat);
  for (const JsonValue item : input) TRY(decoder.item(item));
  return {};
}

Result<void> decode_responses_instructions(JsonValue instructions, Chat& chat) {
  if (instructions.is_absent()) return {};
  if (instructions.is_array())
    return unknown_value("instructions is a string here: send its messages in input", "instructions");
  const std::string_view text = TRY(instructions.as_string());
  if (text.empty()) return {};
  Message message{.role = Role::system, .content = {}, .name = {}};
  message.content.push_back({.body = TextBlock{text}, .cache = {}, .pointer = "/instructions"});
  chat.messages.insert(chat.messages.begin(), std::move(message));
  return {};
}

Result<void> decode_responses_tools(JsonValue tools, Chat& chat) {
  if (tools.is_absent()) return {};
  TRY(tools.expect(JsonType::array));
  for (const JsonValue source : tools) {
    TRY(source.expect(JsonType::object));
    const std::string_view type = TRY(required_string(source, "type"));
    Tool tool;
    tool.dialect = kDialect;
    tool.type = type;
    tool.raw = {source.raw()};
    if (type == "function") {
      TRY(decode_function(source, tool));
    } else if (type == "custom") {
      TRY(decode_custom(source, tool));
    } else {
      tool.kind = ToolKind::server;
      tool.name = type;
    }
    chat.tools.push_back(tool);
  }
  return {};
}

Result<void> decode_responses_tool_choice(JsonValue choice, Chat& chat) {
  if (choice.is_absent()) return {};
  ToolChoice& into = chat.tool_choice.emplace();
  if (choice.is_string()) {
    const std::string_view mode = TRY(choice.as_string());
    if (mode == "auto") return {};
    if (mode == "required") return into.mode = ToolChoiceMode::required, Result<void>{};
    if (mode == "none") return into.mode = ToolChoiceMode::none, Result<void>{};
    return unknown_value(
        fmt::format("{} is not a tool_choice; use auto, none, required or an object that names a tool", mode),
        "tool_choice");
  }
  TRY(choice.expect(JsonType::object));
  const std::string_view type = TRY(required_string(choice, "type"));
  if (type == "allowed_tools") {
    if (choice["mode"].string_or("auto") == "required") into.mode = ToolChoiceMode::required;
    for (const JsonValue tool : choice["tools"]) {
      // Tools that the provider runs have no name but their type.
      const std::string_view kind = TRY(required_string(tool, "type"));
      const bool has_name = kind == "function" || kind == "custom";
      into.allowed.push_back(has_name ? TRY(required_string(tool, "name")) : kind);
    }
    return {};
  }
  into.mode = ToolChoiceMode::named;
  const bool has_name = type == "function" || type == "custom";
  into.name = has_name ? TRY(required_string(choice, "name")) : type;
  return {};
}

}  // namespace weir
