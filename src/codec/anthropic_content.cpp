#include "codec/anthropic_content.h"

#include <fmt/core.h>

#include "codec/citations.h"
#include "codec/fields.h"
#include "codec/search_results.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::anthropic_messages;

std::unexpected<Error> wrong(JsonValue value, std::string_view what) {
  std::string path = value.path();
  return fail(ErrorKind::bad_request, fmt::format("{} {}", path, what), path);
}

// A member that must be a string, which may be empty.
Result<std::string_view> string_member(JsonValue object, std::string_view key) {
  const JsonValue value = object[key];
  if (!value.is_string()) return wrong(value, "is required and must be a string");
  return value.as_string();
}

Result<std::optional<CacheMarker>> decode_cache(JsonValue holder) {
  const JsonValue control = holder["cache_control"];
  if (control.is_absent()) return std::nullopt;
  TRY(control.expect(JsonType::object));
  std::string_view ttl;
  TRY(read_field(control["ttl"], ttl));
  if (!ttl.empty() && ttl != "5m" && ttl != "1h") return wrong(control["ttl"], "is \"5m\" or \"1h\"");
  return CacheMarker{.ttl = ttl == "1h" ? CacheTtl::one_hour : CacheTtl::standard,
                     .states_ttl = !ttl.empty()};
}

UnknownBlock unknown_block(JsonValue block) {
  return {.dialect = kDialect, .type = block["type"].string_or(""), .raw = {block.raw()}};
}

// The `source` of an image or document. REQUIRES a type of base64, url or file.
Result<Media> decode_media(JsonValue source, std::string_view type) {
  Media media;
  if (type == "base64") {
    media.mime = TRY(required_string(source, "media_type"));
    media.base64 = TRY(required_string(source, "data"));
  } else if (type == "url") {
    media.url = TRY(required_string(source, "url"));
  } else {
    media.file_id = TRY(required_string(source, "file_id"));
    media.store = kDialect;
  }
  return media;
}

bool is_media_type(std::string_view type) {
  return type == "base64" || type == "url" || type == "file";
}

Result<BlockBody> decode_image(JsonValue block) {
  const JsonValue source = block["source"];
  if (!source.is_object()) return wrong(source, "is required: an object with type base64, url or file");
  const std::string_view type = TRY(required_string(source, "type"));
  if (!is_media_type(type)) return unknown_block(block);
  ImageBlock image;
  image.media = TRY(decode_media(source, type));
  return image;
}

// The source of a document that is cited by its parts: a text, or an array of text blocks. False where it has
// images.
Result<bool> decode_parts(JsonValue content, DocumentBlock& document, Arena& arena) {
  if (content.is_string()) {
    document.text = TRY(content.as_string());
    document.parts.push_back(document.text);
    return true;
  }
  if (!content.is_array()) return wrong(content, "is required: a string or an array of content blocks");
  std::string text;
  for (const JsonValue part : content) {
    if (part["type"].string_or("") != "text") return false;
    document.parts.push_back(TRY(string_member(part, "text")));
    if (!text.empty()) text += '\n';
    text += document.parts.back();
  }
  document.text = arena.keep(std::move(text));
  return true;
}

Result<BlockBody> decode_document(JsonValue block, Arena& arena) {
  const JsonValue source = block["source"];
  if (!source.is_object())
    return wrong(source, "is required: an object with type base64, text, url, content or file");
  const std::string_view type = TRY(required_string(source, "type"));
  DocumentBlock document;
  if (type == "text") {
    document.text = TRY(string_member(source, "data"));
  } else if (is_media_type(type)) {
    document.media = TRY(decode_media(source, type));
  } else if (type != "content" || !TRY(decode_parts(source["content"], document, arena))) {
    return unknown_block(block);
  }
  TRY(read_field(block["title"], document.title));
  TRY(read_field(block["context"], document.context));
  const JsonValue citations = block["citations"];
  if (!citations.is_absent()) {
    TRY(citations.expect(JsonType::object));
    TRY(read_field(citations["enabled"], document.wants_citations));
  }
  return document;
}

Result<BlockBody> decode_tool_use(JsonValue block) {
  ToolCallBlock call;
  call.id = TRY(required_string(block, "id"));
  call.name = TRY(required_string(block, "name"));
  const JsonValue input = block["input"];
  if (!input.is_object()) return wrong(input, "is required and must be an object");
  call.arguments = input.raw();
  return call;
}

Result<void> decode_content(JsonValue content, std::vector<Block>& into, Arena& arena);

Result<BlockBody> decode_tool_result(JsonValue block, Arena& arena) {
  ToolResultBlock result;
  result.call_id = TRY(required_string(block, "tool_use_id"));
  TRY(read_field(block["is_error"], result.is_error));
  if (!block["content"].is_absent()) TRY(decode_content(block["content"], result.content, arena));
  return result;
}

Result<BlockBody> decode_body(JsonValue block, Arena& arena) {
  const std::string_view type = TRY(required_string(block, "type"));
  if (type == "text") return TextBlock {
      TRY(string_member(block, "text"))
    };
  if (type == "tool_use") return decode_tool_use(block);
  if (type == "tool_result") return decode_tool_result(block, arena);
  if (type == "image") return decode_image(block);
  if (type == "document") return decode_document(block, arena);
  if (type == "thinking") {
    ThinkingBlock thinking;
    thinking.text = TRY(string_member(block, "thinking"));
    thinking.signature = TRY(string_member(block, "signature"));
    // What Weir showed of another vendor's thinking comes back unsigned.
    if (!thinking.signature.empty()) thinking.issuer = kDialect;
    return thinking;
  }
  if (type == "redacted_thinking") {
    RedactedThinkingBlock redacted;
    redacted.issuer = kDialect;
    redacted.data = TRY(required_string(block, "data"));
    return redacted;
  }
  if (type == kAnthropicSearchResult) {
    if (const auto found = read_search_result(block)) return search_result_text(*found, arena);
  }
  return unknown_block(block);
}

// A string or an array of blocks.
Result<void> decode_content(JsonValue content, std::vector<Block>& into, Arena& arena) {
  if (content.is_string()) {
    const std::string_view text = TRY(content.as_string());
    if (!text.empty()) into.push_back({.body = TextBlock{text}, .cache = {}, .pointer = {}});
    return {};
  }
  if (!content.is_array()) return wrong(content, "is required: a string or an array of content blocks");
  into.reserve(content.size());
  for (const JsonValue source : content) {
    TRY(source.expect(JsonType::object));
    Block& block = into.emplace_back();
    block.body = TRY(decode_body(source, arena));
    block.cache = TRY(decode_cache(source));
    if (!std::holds_alternative<TextBlock>(block.body)) continue;
    if (source["type"].string_or("") == kAnthropicSearchResult) {
      block.own = {.dialect = kDialect, .type = kAnthropicSearchResult, .raw = {source.raw()}};
      continue;
    }
    // An earlier answer with what it cited.
    if (source["citations"].size() == 0) continue;
    block.has_made_citations = has_made_citation(source["citations"], &is_anthropic_citation_made);
    if (!block.has_made_citations)
      block.own = {.dialect = kDialect, .type = "citations", .raw = {source.raw()}};
  }
  return {};
}

// The role of a message as far as Weir knows it; another is the user's to whoever reads only the text.
Result<Role> decode_role(JsonValue message, Chat& chat) {
  const std::string_view role = TRY(required_string(message, "role"));
  if (role == "user") return Role::user;
  if (role == "assistant") return Role::assistant;
  if (role == "system") return Role::system;
  const std::string path = message["role"].path();
  TRY(settle_unknown(
      chat, unknown_value(fmt::format(R"({} must be "user", "assistant" or "system")", path), path)));
  return Role::user;
}

}  // namespace

Result<void> decode_anthropic_system(JsonValue system, Chat& chat) {
  if (system.is_absent()) return {};
  Message message;
  message.role = Role::system;
  TRY(decode_content(system, message.content, *chat.arena));
  for (Block& block : message.content) block.pointer = "/system";
  if (!message.content.empty()) chat.messages.insert(chat.messages.begin(), std::move(message));
  return {};
}

Result<void> decode_anthropic_messages(JsonValue messages, Chat& chat) {
  if (!messages.is_array())
    return fail(ErrorKind::bad_request, "messages is required: an array of messages", "messages");
  chat.messages.reserve(messages.size() + 1);
  for (const JsonValue source : messages) {
    TRY(source.expect(JsonType::object));
    Message& message = chat.messages.emplace_back();
    message.role = TRY(decode_role(source, chat));
    TRY(decode_content(source["content"], message.content, *chat.arena));
  }
  return {};
}

Result<void> decode_anthropic_tools(JsonValue tools, Chat& chat) {
  if (tools.is_absent()) return {};
  TRY(tools.expect(JsonType::array));
  chat.tools.reserve(tools.size());
  for (const JsonValue source : tools) {
    TRY(source.expect(JsonType::object));
    Tool& tool = chat.tools.emplace_back();
    tool.dialect = kDialect;
    tool.raw = {source.raw()};
    TRY(read_field(source["type"], tool.type));
    tool.cache = TRY(decode_cache(source));
    if (!tool.type.empty() && tool.type != "custom") {
      tool.kind = ToolKind::server;
      TRY(read_field(source["name"], tool.name));
      if (tool.name.empty()) tool.name = tool.type;
      continue;
    }
    tool.name = TRY(required_string(source, "name"));
    TRY(read_field(source["description"], tool.description));
    TRY(read_field(source["strict"], tool.strict));
    const JsonValue schema = source["input_schema"];
    if (!schema.is_object()) return wrong(schema, "is required: a JSON schema of type object");
    tool.schema = {schema.raw()};
  }
  return {};
}

Result<void> decode_anthropic_tool_choice(JsonValue choice, Chat& chat) {
  if (choice.is_absent()) return {};
  TRY(choice.expect(JsonType::object));
  const std::string_view type = TRY(required_string(choice, "type"));
  ToolChoice& into = chat.tool_choice.emplace();
  if (type == "any") {
    into.mode = ToolChoiceMode::required;
  } else if (type == "none") {
    into.mode = ToolChoiceMode::none;
  } else if (type == "tool") {
    into.mode = ToolChoiceMode::named;
    into.name = TRY(required_string(choice, "name"));
  } else if (type != "auto") {
    const std::string path = choice["type"].path();
    return unknown_value(fmt::format("{} must be auto, any, tool or none", path), path);
  }
  std::optional<bool> is_single;
  TRY(read_field(choice["disable_parallel_tool_use"], is_single));
  if (is_single) chat.parallel_tools = !*is_single;
  return {};
}

}  // namespace weir
