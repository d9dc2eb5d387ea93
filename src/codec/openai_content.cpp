#include "codec/openai_content.h"

#include <fmt/core.h>

#include "codec/data_url.h"
#include "codec/fields.h"
#include "codec/openai_reasoning.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::openai_chat;

// The role of a message as far as Weir knows it; another is the user's to whoever reads only the text.
Result<Role> decode_role(JsonValue message, Chat& chat) {
  const std::string_view role = TRY(required_string(message, "role"));
  if (role == "user") return Role::user;
  if (role == "assistant") return Role::assistant;
  if (role == "system") return Role::system;
  if (role == "developer") return Role::developer;
  if (role == "tool" || role == "function") return Role::tool;
  TRY(settle_unknown(
      chat,
      unknown_value(fmt::format("{} is not a role; use system, developer, user, assistant or tool", role),
                    message["role"].path())));
  return Role::user;
}

// Extension: prompt-cache markers on content parts and tools, as several vendors take them.
Result<std::optional<CacheMarker>> decode_cache(JsonValue holder) {
  const JsonValue control = holder["cache_control"];
  if (control.is_absent()) return std::nullopt;
  TRY(control.expect(JsonType::object));
  std::string_view ttl;
  TRY(read_field(control["ttl"], ttl));
  return CacheMarker{.ttl = ttl == "1h" ? CacheTtl::one_hour : CacheTtl::standard,
                     .states_ttl = !ttl.empty()};
}

Result<BlockBody> decode_image(JsonValue part) {
  const JsonValue image = part["image_url"];
  ImageBlock block;
  if (image.is_string()) {
    const std::string_view url = TRY(image.as_string());
    block.media = TRY(media_of_data_url(url, image));
    return block;
  }
  if (!image.is_object()) {
    return fail(ErrorKind::bad_request, "image_url is an object with a url", part.path() + ".image_url");
  }
  const std::string_view url = TRY(required_string(image, "url"));
  block.media = TRY(media_of_data_url(url, image));
  TRY(read_field(image["detail"], block.detail));
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

Result<BlockBody> decode_file(JsonValue part) {
  const JsonValue file = part["file"];
  TRY(file.expect(JsonType::object));
  DocumentBlock block;
  std::string_view data;
  TRY(read_field(file["file_data"], data));
  const JsonValue holder = file["file_data"];
  if (data.starts_with("data:")) {
    block.media = TRY(media_of_data_url(data, holder));
  } else if (!data.empty()) {
    block.media.base64 = TRY(require_base64(data, holder));
  }
  TRY(read_field(file["file_id"], block.media.file_id));
  TRY(read_field(file["filename"], block.title));
  if (data.empty() && block.media.file_id.empty()) {
    return fail(ErrorKind::bad_request, "a file needs file_data or file_id", file.path());
  }
  return block;
}

Result<BlockBody> decode_part(JsonValue part) {
  TRY(part.expect(JsonType::object));
  const std::string_view type = TRY(required_string(part, "type"));
  if (type == "text") {
    const JsonValue text = part["text"];
    if (!text.is_string())
      return fail(ErrorKind::bad_request, "a text part needs a text", part.path() + ".text");
    return TextBlock {
      TRY(text.as_string())
    };
  }
  if (type == "image_url") return decode_image(part);
  if (type == "input_audio") return decode_audio(part);
  if (type == "file") return decode_file(part);
  if (type == "refusal") return RefusalBlock {
      TRY(required_string(part, "refusal"))
    };
  return UnknownBlock{.dialect = kDialect, .type = type, .raw = {part.raw()}};
}

// A string or an array of parts.
Result<void> decode_content(JsonValue content, std::vector<Block>& into) {
  if (content.is_absent()) return {};
  if (content.is_string()) {
    const std::string_view text = TRY(content.as_string());
    // A new block is an empty text: filled in its place, as it is large.
    if (!text.empty()) std::get<TextBlock>(into.emplace_back().body).text = text;
    return {};
  }
  if (!content.is_array()) {
    return fail(ErrorKind::bad_request, "content is a string or an array of parts", content.path());
  }
  for (const JsonValue part : content) {
    Block block {
      .body = TRY(decode_part(part))
      , .cache = {}, .pointer = {}
    };
    block.cache = TRY(decode_cache(part));
    into.push_back(std::move(block));
  }
  return {};
}

Result<BlockBody> decode_tool_call(JsonValue call) {
  TRY(call.expect(JsonType::object));
  ToolCallBlock block;
  TRY(read_field(call["id"], block.id));
  const JsonValue custom = call["custom"];
  const JsonValue body = custom.is_absent() ? call["function"] : custom;
  if (!body.is_object()) {
    return fail(ErrorKind::bad_request, "a tool call needs `function` with name and arguments", call.path());
  }
  block.name = TRY(required_string(body, "name"));
  if (!custom.is_absent()) {
    block.kind = ToolKind::custom;
    TRY(read_field(body["input"], block.arguments));
  } else if (body["arguments"].is_object()) {
    block.arguments = body["arguments"].raw();  // some clients forget to encode them
  } else {
    TRY(read_field(body["arguments"], block.arguments));
  }
  return block;
}

// The first block has the whole list, for servers that take it back as it was.
void decode_reasoning_details(JsonValue list, std::vector<Block>& into, Arena& arena) {
  OwnForm own{.dialect = kDialect, .type = kReasoningDetails, .raw = {list.raw()}};
  std::vector<ReasoningDetail> details = read_reasoning_details(list);
  if (details.empty()) details.emplace_back();
  for (ReasoningDetail& detail : details) {
    Block block;
    if (detail.text.empty() && detail.signature.empty()) {
      block.body =
          RedactedThinkingBlock{.data = arena.keep(std::move(detail.sealed)), .issuer = detail.issuer};
    } else {
      ThinkingBlock thinking{.text = arena.keep(std::move(detail.text)),
                             .signature = arena.keep(std::move(detail.signature))};
      if (!thinking.signature.empty()) thinking.issuer = detail.issuer;
      block.body = thinking;
    }
    block.own = std::exchange(own, OwnForm{.dialect = kDialect, .type = kReasoningDetails});
    into.push_back(std::move(block));
  }
}

// Reasoning that an earlier answer carried: `thinking_blocks` or `reasoning_details` with signatures, else
// the plain `reasoning_content`.
Result<void> decode_reasoning(JsonValue message, std::vector<Block>& into, Arena& arena) {
  const JsonValue blocks = message["thinking_blocks"];
  if (blocks.is_array() && blocks.size() > 0) {
    for (const JsonValue block : blocks) {
      TRY(block.expect(JsonType::object));
      if (block["type"].string_or("") == "redacted_thinking") {
        RedactedThinkingBlock redacted{.data = {}, .issuer = Dialect::anthropic_messages};
        TRY(read_field(block["data"], redacted.data));
        into.push_back({.body = redacted, .cache = {}, .pointer = {}});
        continue;
      }
      ThinkingBlock thinking;
      TRY(read_field(block["thinking"], thinking.text));
      TRY(read_field(block["signature"], thinking.signature));
      if (!thinking.signature.empty()) thinking.issuer = Dialect::anthropic_messages;
      into.push_back({.body = thinking, .cache = {}, .pointer = {}});
    }
    return {};
  }
  if (const JsonValue details = message[kReasoningDetails]; details.is_array() && details.size() > 0) {
    decode_reasoning_details(details, into, arena);
    return {};
  }
  ThinkingBlock thinking;
  for (const std::string_view key : {"reasoning_content", "reasoning"}) {
    if (thinking.text.empty() && message[key].is_string()) TRY(read_field(message[key], thinking.text));
  }
  if (!thinking.text.empty()) into.push_back({.body = thinking, .cache = {}, .pointer = {}});
  return {};
}

// What an earlier answer cited: nothing that any vendor reads again.
void note_citations(JsonValue source, std::vector<Block>& content) {
  if (content.empty() || (source["annotations"].size() == 0 && source["provider_metadata"].size() == 0))
    return;
  content.back().own = OwnForm{.dialect = kDialect, .type = "annotations"};
}

Result<void> decode_assistant(JsonValue source, Message& message, Arena& arena) {
  TRY(decode_reasoning(source, message.content, arena));
  TRY(decode_content(source["content"], message.content));
  note_citations(source, message.content);
  std::string_view refusal;
  TRY(read_field(source["refusal"], refusal));
  if (!refusal.empty())
    message.content.push_back({.body = RefusalBlock{refusal}, .cache = {}, .pointer = {}});
  const JsonValue calls = source["tool_calls"];
  if (!calls.is_absent()) {
    TRY(calls.expect(JsonType::array));
    for (const JsonValue call : calls) {
      message.content.push_back({
        .body = TRY(decode_tool_call(call))
        , .cache = {}, .pointer = {}
      });
    }
  }
  // Before tools there were functions: one call, no id.
  const JsonValue function = source["function_call"];
  if (!function.is_absent()) {
    ToolCallBlock block;
    block.name = TRY(required_string(function, "name"));
    block.id = block.name;
    TRY(read_field(function["arguments"], block.arguments));
    message.content.push_back({.body = block, .cache = {}, .pointer = {}});
  }
  return {};
}

Result<void> decode_tool_result(JsonValue source, Message& message) {
  ToolResultBlock result;
  TRY(read_field(source["tool_call_id"], result.call_id));
  TRY(read_field(source["name"], result.tool_name));
  if (result.call_id.empty() && source["role"].string_or("") == "function") result.call_id = result.tool_name;
  if (result.call_id.empty()) {
    const std::string path = source.path() + ".tool_call_id";
    return fail(ErrorKind::bad_request,
                fmt::format("{} is missing: the id of the call that this answers", path), path);
  }
  TRY(decode_content(source["content"], result.content));
  message.content.push_back({.body = std::move(result), .cache = {}, .pointer = {}});
  return {};
}

}  // namespace

Result<void> decode_openai_messages(JsonValue messages, Chat& chat) {
  if (!messages.is_array())
    return fail(ErrorKind::bad_request, "messages is an array of messages", "messages");
  chat.messages.reserve(messages.size());
  for (const JsonValue source : messages) {
    TRY(source.expect(JsonType::object));
    Message message;
    message.role = TRY(decode_role(source, chat));
    if (message.role != Role::tool) TRY(read_field(source["name"], message.name));
    if (message.role == Role::assistant) {
      TRY(decode_assistant(source, message, *chat.arena));
    } else if (message.role == Role::tool) {
      TRY(decode_tool_result(source, message));
    } else {
      const JsonValue content = source["content"];
      if (content.is_absent()) {
        const std::string path = source.path() + ".content";
        return fail(ErrorKind::bad_request, fmt::format("{} is missing", path), path);
      }
      TRY(decode_content(content, message.content));
    }
    chat.messages.push_back(std::move(message));
  }
  return {};
}

Result<void> decode_openai_tools(JsonValue tools, Chat& chat) {
  if (tools.is_absent()) return {};
  TRY(tools.expect(JsonType::array));
  for (const JsonValue source : tools) {
    TRY(source.expect(JsonType::object));
    // Some servers read functions without it.
    const bool is_bare = source["type"].is_absent() && source["function"].is_object();
    const std::string_view type = is_bare ? "function" : TRY(required_string(source, "type"));
    Tool tool{.dialect = kDialect, .type = type, .raw = {source.raw()}};
    tool.cache = TRY(decode_cache(source));
    if (type == "function") {
      const JsonValue function = source["function"];
      TRY(function.expect(JsonType::object));
      tool.name = TRY(required_string(function, "name"));
      TRY(read_field(function["description"], tool.description));
      TRY(read_field(function["strict"], tool.strict));
      const JsonValue parameters = function["parameters"];
      if (!parameters.is_absent()) {
        TRY(parameters.expect(JsonType::object));
        tool.schema = {parameters.raw()};
      }
    } else if (type == "custom") {
      tool.kind = ToolKind::custom;
      tool.name = TRY(required_string(source["custom"], "name"));
      TRY(read_field(source["custom"]["description"], tool.description));
      const JsonValue grammar = source["custom"]["format"]["grammar"];
      if (grammar.is_object()) {
        tool.grammar_syntax = TRY(required_string(grammar, "syntax"));
        tool.grammar = TRY(required_string(grammar, "definition"));
      }
    } else {
      tool.kind = ToolKind::server;
      tool.name = type;
    }
    chat.tools.push_back(tool);
  }
  return {};
}

Result<void> decode_openai_tool_choice(JsonValue choice, Chat& chat) {
  if (choice.is_absent()) return {};
  ToolChoice& into = chat.tool_choice.emplace();
  if (choice.is_string()) {
    const std::string_view mode = TRY(choice.as_string());
    if (mode == "auto") return {};
    if (mode == "required" || mode == "any")  // Mistral's word
      return into.mode = ToolChoiceMode::required, Result<void>{};
    if (mode == "none") return into.mode = ToolChoiceMode::none, Result<void>{};
    return unknown_value(
        fmt::format("{} is not a tool_choice; use auto, none, required or an object that names a tool", mode),
        "tool_choice");
  }
  TRY(choice.expect(JsonType::object));
  const std::string_view type = choice["type"].string_or("function");
  if (type == "allowed_tools") {
    const JsonValue allowed = choice["allowed_tools"];
    if (allowed["mode"].string_or("auto") == "required") into.mode = ToolChoiceMode::required;
    for (const JsonValue tool : allowed["tools"]) {
      const JsonValue body = tool["function"].is_object() ? tool["function"] : tool;
      into.allowed.push_back(TRY(required_string(body, "name")));
    }
    return {};
  }
  if (type != "function" && type != "custom")
    return unknown_value(
        fmt::format("{} is no type of a tool_choice; use function, custom or allowed_tools", type),
        "tool_choice.type");
  into.mode = ToolChoiceMode::named;
  into.name = TRY(required_string(type == "custom" ? choice["custom"] : choice["function"], "name"));
  return {};
}

}  // namespace weir
