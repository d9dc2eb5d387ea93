#include "codec/gemini_content.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <unordered_map>

#include "base/text.h"
#include "codec/call_ids.h"
#include "codec/call_index.h"
#include "codec/gemini_fields.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::gemini;
// Files that Google keeps: their addresses are of no use to anyone else.
constexpr std::string_view kFilesHost = "https://generativelanguage.googleapis.com/";

std::unexpected<Error> wrong(JsonValue value, std::string_view what) {
  std::string path = value.path();
  return fail(ErrorKind::bad_request, fmt::format("{} {}", path, what), path);
}

UnknownBlock unknown_part(JsonValue part, std::string_view type) {
  return {.dialect = kDialect, .type = type, .raw = {part.raw()}};
}

Result<Media> decode_media(JsonValue part, JsonValue data, JsonValue file, Arena& arena) {
  Media media;
  const JsonValue holder = data ? data : file;
  TRY(holder.expect(JsonType::object));
  TRY(read_field(gemini_member(holder, "mimeType"), media.mime));
  if (data) {
    if (media.mime.empty()) return wrong(part, "has inlineData without its mimeType");
    media.base64 = gemini_base64(TRY(required_string(data, "data")), arena);
    return media;
  }
  std::string_view uri;
  TRY(read_field(gemini_member(file, "fileUri"), uri));
  if (uri.empty()) return wrong(part, "has fileData without its fileUri");
  (uri.starts_with(kFilesHost) ? media.file_id : media.url) = uri;
  media.store = Dialect::gemini;
  return media;
}

// MEDIA_RESOLUTION_LOW as OpenAI's word for an image's detail.
std::string_view detail_of(JsonValue part) {
  const JsonValue resolution = gemini_member(part, "mediaResolution");
  const std::string_view level =
      resolution.is_object() ? resolution["level"].string_or("") : resolution.string_or("");
  if (level.ends_with("_LOW")) return "low";
  return level.ends_with("_HIGH") ? "high" : "";
}

class ContentsDecoder {
 public:
  explicit ContentsDecoder(Chat& chat) : chat_(chat) {}

  Result<void> decode(JsonValue content, Message& message) {
    if (content.is_string()) {
      add(message, TextBlock { TRY(content.as_string()) });
      return {};
    }
    TRY(content.expect(JsonType::object));
    const JsonValue parts = content["parts"];
    if (parts.is_absent()) return {};
    if (parts.is_object()) return decode_part(parts, message);
    TRY(parts.expect(JsonType::array));
    message.content.reserve(parts.size());
    for (const JsonValue part : parts) TRY(decode_part(part, message));
    return {};
  }

  // Calls of a model's turn wait for their results.
  void begin_turn(Role role) {
    if (role == Role::assistant) open_ = {};
  }

 private:
  static void add(Message& message, BlockBody body) {
    message.content.push_back({.body = std::move(body), .cache = {}, .pointer = {}});
  }

  Result<void> decode_part(JsonValue part, Message& message) {
    if (part.is_string()) {
      add(message, TextBlock { TRY(part.as_string()) });
      return {};
    }
    TRY(part.expect(JsonType::object));
    std::string_view signature;
    TRY(read_field(gemini_member(part, "thoughtSignature"), signature));
    if (!signature.empty()) signature = gemini_base64(signature, *chat_.arena);
    if (part["text"]) return decode_text(part, signature, message);
    if (const JsonValue call = gemini_member(part, "functionCall"); !call.is_absent()) {
      add(message, TRY(decode_call(call, signature)));
      return {};
    }
    const JsonValue response = gemini_member(part, "functionResponse");
    const JsonValue data = gemini_member(part, "inlineData");
    const JsonValue file = gemini_member(part, "fileData");
    if (!response.is_absent()) {
      add(message, TRY(decode_response(response)));
    } else if (gemini_member(part, "videoMetadata")) {
      add(message, unknown_part(part, "videoMetadata"));
    } else if (!data.is_absent() || !file.is_absent()) {
      add(message, TRY(decode_media_part(part, data, file)));
    } else {
      return decode_other(part, message);
    }
    // A signature of a part that has no place for it stands alone behind it.
    if (!signature.empty()) add(message, ThinkingBlock{.signature = signature, .issuer = kDialect});
    return {};
  }

  Result<void> decode_text(JsonValue part, std::string_view signature, Message& message) {
    const std::string_view text = TRY(part["text"].as_string());
    bool is_thought = false;
    TRY(read_field(part["thought"], is_thought));
    if (is_thought) {
      ThinkingBlock thinking{.text = text, .signature = signature};
      if (!signature.empty()) thinking.issuer = kDialect;
      if (!text.empty() || !signature.empty()) add(message, thinking);
      return {};
    }
    if (!text.empty()) add(message, TextBlock{text});
    if (!signature.empty()) add(message, ThinkingBlock{.signature = signature, .issuer = kDialect});
    return {};
  }

  // executableCode, codeExecutionResult and what is yet to come; an empty part says nothing.
  Result<void> decode_other(JsonValue part, Message& message) {
    for (const JsonValue member : part) {
      if (member.is_object()) {
        add(message, unknown_part(part, member.key()));
        return {};
      }
    }
    if (part.size() == 0) return {};
    const std::string path = part.path();
    TRY(settle_unknown(
        chat_,
        unknown_value(
            fmt::format("{} must hold text, inlineData, fileData, functionCall or functionResponse", path),
            path)));
    add(message, unknown_part(part, (*part.begin()).key()));
    return {};
  }

  Result<BlockBody> decode_media_part(JsonValue part, JsonValue data, JsonValue file) {
    const JsonValue inline_data = data.is_absent() ? JsonValue() : data;
    const Media media = TRY(decode_media(part, inline_data, file, *chat_.arena));
    std::string_view name;
    TRY(read_field(gemini_member(inline_data ? data : file, "displayName"), name));
    BlockBody body = gemini_media_block(media, name);
    if (auto* image = std::get_if<ImageBlock>(&body)) image->detail = detail_of(part);
    return body;
  }

  Result<BlockBody> decode_call(JsonValue call, std::string_view signature) {
    TRY(call.expect(JsonType::object));
    ToolCallBlock block;
    block.signature = signature;
    block.name = TRY(required_string(call, "name"));
    TRY(read_field(call["id"], block.id));
    const JsonValue args = call["args"];
    if (!args.is_absent()) {
      TRY(args.expect(JsonType::object));
      block.arguments = args.raw();
    } else {
      block.arguments = "{}";
    }
    if (block.id.empty()) make_id(block);
    open_.add(block.id, block.name);
    return block;
  }

  void make_id(ToolCallBlock& call) {
    const std::string id = said_call_id(call.name, call.arguments, 0);
    const size_t before = made_ids_[id]++;
    call.id = chat_.arena->keep(before == 0 ? id : said_call_id(call.name, call.arguments, before));
    call.has_made_id = true;
  }

  // The call that a result answers.
  std::string_view answered_call(std::string_view id, std::string_view name) {
    std::optional<size_t> found;
    if (!id.empty()) found = open_.answer(id);
    if (!found) found = open_.answer_by_name(name);
    if (!found) return id.empty() ? name : id;
    return open_.id(*found);
  }

  Result<BlockBody> decode_response(JsonValue response) {
    TRY(response.expect(JsonType::object));
    ToolResultBlock result;
    result.tool_name = TRY(required_string(response, "name"));
    std::string_view id;
    TRY(read_field(response["id"], id));
    result.call_id = answered_call(id, result.tool_name);
    const JsonValue body = response["response"];
    if (!body.is_absent()) {
      TRY(body.expect(JsonType::object));
      add_result_text(body, result);
    }
    if (!response["parts"].is_absent()) {
      Message media;
      for (const JsonValue part : response["parts"]) TRY(decode_part(part, media));
      for (Block& block : media.content) result.content.push_back(std::move(block));
    }
    return result;
  }

  // Google's own words for what a function gave: {"output": ...} or {"error": ...}; any other object is it.
  static void add_result_text(JsonValue body, ToolResultBlock& result) {
    JsonValue value = body;
    if (body.size() == 1 && (body["output"] || body["error"])) {
      result.is_error = static_cast<bool>(body["error"]);
      value = result.is_error ? body["error"] : body["output"];
    }
    const std::string_view text = value.is_string() ? value.string_or("") : value.raw();
    if (!text.empty()) result.content.push_back({.body = TextBlock{text}, .cache = {}, .pointer = {}});
  }

  Chat& chat_;
  OpenCalls open_;
  std::unordered_map<std::string, size_t> made_ids_;  // how often each
};

// The role of a turn as far as Weir knows it; another is the user's to whoever reads only the text.
Result<Role> decode_role(JsonValue content, Chat& chat) {
  const std::string_view role = content["role"].string_or("user");
  if (role == "user" || role == "function" || role == "tool" || role.empty()) return Role::user;
  if (role == "model" || role == "assistant") return Role::assistant;
  if (role == "system") return Role::system;
  const std::string path = content["role"].path();
  TRY(settle_unknown(chat, unknown_value(fmt::format(R"({} must be "user" or "model")", path), path)));
  return Role::user;
}

Result<Tool> decode_function(JsonValue source, Arena& arena) {
  TRY(source.expect(JsonType::object));
  Tool tool{.dialect = kDialect, .type = "functionDeclarations", .raw = {source.raw()}};
  tool.name = TRY(required_string(source, "name"));
  TRY(read_field(source["description"], tool.description));
  JsonValue schema = gemini_member(source, "parametersJsonSchema");
  if (schema.is_absent()) schema = source["parameters"];
  if (!schema.is_absent()) {
    TRY(schema.expect(JsonType::object));
    tool.schema = gemini_json_schema(schema, arena);
  }
  return tool;
}

}  // namespace

BlockBody gemini_media_block(const Media& media, std::string_view name) {
  std::string_view mime = media.mime;
  const std::string_view address = media.url.empty() ? media.file_id : media.url;
  if (mime.empty()) {
    const auto ends = [&](std::string_view ending) { return to_lower(address).ends_with(ending); };
    if (ends(".png") || ends(".jpg") || ends(".jpeg") || ends(".gif") || ends(".webp")) mime = "image/";
    if (ends(".mp4") || ends(".mov") || ends(".webm") ||
        address.find("youtube.com/") != std::string_view::npos ||
        address.find("youtu.be/") != std::string_view::npos)
      mime = "video/";
    if (ends(".mp3") || ends(".wav")) mime = "audio/";
  }
  if (mime.starts_with("image/")) return ImageBlock{.media = media};
  if (mime.starts_with("video/")) return VideoBlock{.media = media};
  if (mime.starts_with("audio/")) {
    std::string_view format = media.mime.empty() ? std::string_view() : media.mime.substr(6);
    if (format == "mpeg") format = "mp3";
    if (format == "x-wav" || format == "wave") format = "wav";
    return AudioBlock{.media = media, .format = format};
  }
  return DocumentBlock{.media = media, .title = name};
}

Result<void> decode_gemini_system(JsonValue system, Chat& chat) {
  if (system.is_absent()) return {};
  Message message;
  message.role = Role::system;
  TRY(ContentsDecoder(chat).decode(system, message));
  for (Block& block : message.content) block.pointer = "/systemInstruction";
  if (!message.content.empty()) chat.messages.insert(chat.messages.begin(), std::move(message));
  return {};
}

Result<void> decode_gemini_contents(JsonValue contents, Chat& chat) {
  ContentsDecoder decoder(chat);
  const auto decode = [&](JsonValue content) -> Result<void> {
    Message message;
    if (content.is_object()) message.role = TRY(decode_role(content, chat));
    decoder.begin_turn(message.role);
    TRY(decoder.decode(content, message));
    chat.messages.push_back(std::move(message));
    return {};
  };
  if (contents.is_object() || contents.is_string()) return decode(contents);
  if (!contents.is_array())
    return fail(ErrorKind::bad_request, "contents is required: an array of turns with parts", "contents");
  chat.messages.reserve(contents.size() + 1);
  for (const JsonValue content : contents) TRY(decode(content));
  return {};
}

Result<void> decode_gemini_tools(JsonValue tools, Chat& chat) {
  if (tools.is_absent()) return {};
  TRY(tools.expect(JsonType::array));
  for (const JsonValue source : tools) {
    TRY(source.expect(JsonType::object));
    for (const JsonValue member : source) {
      const std::string key = gemini_camel(member.key());
      if (member.is_null()) continue;
      if (key == "functionDeclarations") {
        TRY(member.expect(JsonType::array));
        for (const JsonValue function : member)
          chat.tools.push_back(TRY(decode_function(function, *chat.arena)));
        continue;
      }
      const std::string_view name = chat.arena->keep(key);
      const std::string_view raw = chat.arena->keep(fmt::format("{{\"{}\":{}}}", key, member.raw()));
      chat.tools.push_back(
          {.kind = ToolKind::server, .name = name, .dialect = kDialect, .type = name, .raw = {raw}});
    }
  }
  return {};
}

Result<void> decode_gemini_tool_config(JsonValue config, Chat& chat) {
  if (config.is_absent()) return {};
  TRY(config.expect(JsonType::object));
  for (const JsonValue member : config) {
    const std::string key = gemini_camel(member.key());
    if (key != "functionCallingConfig") {
      chat.extras.push_back(
          {.dialect = kDialect, .key = chat.arena->keep("toolConfig." + key), .raw = {member.raw()}});
      continue;
    }
    if (member.is_null()) continue;
    TRY(member.expect(JsonType::object));
    ToolChoice& choice = chat.tool_choice.emplace();
    const std::string_view mode = member["mode"].string_or("AUTO");
    if (equals_ignore_case(mode, "NONE")) choice.mode = ToolChoiceMode::none;
    if (equals_ignore_case(mode, "ANY")) choice.mode = ToolChoiceMode::required;
    for (const JsonValue name : gemini_member(member, "allowedFunctionNames"))
      choice.allowed.push_back(TRY(name.as_string()));
    if (choice.mode == ToolChoiceMode::required && choice.allowed.size() == 1) {
      choice.mode = ToolChoiceMode::named;
      choice.name = choice.allowed[0];
      choice.allowed.clear();
    }
  }
  return {};
}

}  // namespace weir
