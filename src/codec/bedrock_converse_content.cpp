#include "codec/bedrock_converse_content.h"

#include <array>
#include <fmt/core.h>

#include "codec/citations.h"
#include "codec/fields.h"
#include "codec/search_results.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::bedrock_converse;

// Formats of the service model's ImageFormat, DocumentFormat, VideoFormat and AudioFormat.
struct FormatRow {
  std::string_view kind;
  std::string_view format;
  std::string_view mime;
};
constexpr std::array<FormatRow, 28> kFormats = {{
    {"image", "png", "image/png"},
    {"image", "jpeg", "image/jpeg"},
    {"image", "gif", "image/gif"},
    {"image", "webp", "image/webp"},
    {"image", "jpeg", "image/jpg"},
    {"document", "pdf", "application/pdf"},
    {"document", "txt", "text/plain"},
    {"document", "md", "text/markdown"},
    {"document", "csv", "text/csv"},
    {"document", "html", "text/html"},
    {"document", "doc", "application/msword"},
    {"document", "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"document", "xls", "application/vnd.ms-excel"},
    {"document", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"video", "mp4", "video/mp4"},
    {"video", "mov", "video/quicktime"},
    {"video", "mkv", "video/x-matroska"},
    {"video", "webm", "video/webm"},
    {"video", "flv", "video/x-flv"},
    {"video", "mpeg", "video/mpeg"},
    {"video", "mpg", "video/mpeg"},
    {"video", "wmv", "video/x-ms-wmv"},
    {"video", "three_gp", "video/3gpp"},
    {"audio", "mp3", "audio/mpeg"},
    {"audio", "wav", "audio/wav"},
    {"audio", "flac", "audio/flac"},
    {"audio", "ogg", "audio/ogg"},
    {"audio", "m4a", "audio/mp4"},
}};

std::unexpected<Error> wrong(JsonValue value, std::string_view what) {
  std::string path = value.path();
  return fail(ErrorKind::bad_request, fmt::format("{} {}", path, what), path);
}

UnknownBlock unknown_block(JsonValue block, std::string_view kind) {
  return {.dialect = kDialect, .type = kind, .raw = {block.raw()}};
}

// The one member of a union.
Result<JsonValue> only_member(JsonValue value, std::string_view choices) {
  if (!value.is_object() || value.size() != 1)
    return wrong(value, fmt::format("must be an object with one member: {}", choices));
  return *value.begin();
}

// `format` and `source.bytes`. REQUIRES source.bytes.
Result<Media> decode_media(JsonValue body, std::string_view kind) {
  const std::string_view format = TRY(required_string(body, "format"));
  Media media;
  media.mime = converse_media_type(kind, format);
  if (media.mime.empty())
    return unknown_value(fmt::format("{} '{}' is no known {} format", body["format"].path(), format, kind),
                         body["format"].path());
  media.base64 = TRY(required_string(body["source"], "bytes"));
  return media;
}

// A source that is cited by its parts.
Result<void> decode_parts(JsonValue content, DocumentBlock& document, Arena& arena) {
  TRY(content.expect(JsonType::array));
  std::string text;
  for (const JsonValue part : content) {
    document.parts.push_back(TRY(required_string(part, "text")));
    if (!text.empty()) text += '\n';
    text += document.parts.back();
  }
  document.text = arena.keep(std::move(text));
  return {};
}

Result<BlockBody> decode_document(JsonValue block, JsonValue body, Arena& arena) {
  DocumentBlock document;
  const JsonValue source = body["source"];
  if (!source.is_object())
    return wrong(source, "is required: an object with bytes, text, content or s3Location");
  if (source["bytes"]) {
    document.media = TRY(decode_media(body, "document"));
  } else if (source["text"]) {
    document.text = TRY(source["text"].as_string());
  } else if (source["content"]) {
    TRY(decode_parts(source["content"], document, arena));
  } else {
    return unknown_block(block, "document");
  }
  TRY(read_field(body["name"], document.title));
  TRY(read_field(body["context"], document.context));
  TRY(read_field(body["citations"]["enabled"], document.wants_citations));
  return document;
}

// Media in a bucket can only be read by Bedrock itself.
Result<BlockBody> decode_file(JsonValue block, JsonValue body, std::string_view kind, Arena& arena) {
  TRY(body.expect(JsonType::object));
  if (kind == "document") return decode_document(block, body, arena);
  if (!body["source"].is_object()) return wrong(body["source"], "is required: an object with bytes");
  if (!body["source"]["bytes"]) return unknown_block(block, kind);
  const Media media = TRY(decode_media(body, kind));
  if (kind == "image") return ImageBlock{.media = media};
  if (kind == "video") return VideoBlock{.media = media};
  return AudioBlock{.media = media, .format = body["format"].string_or("")};
}

Result<BlockBody> decode_reasoning(JsonValue block, JsonValue body) {
  TRY(body.expect(JsonType::object));
  if (const JsonValue text = body["reasoningText"]; text.is_object()) {
    ThinkingBlock thinking;
    TRY(read_field(text["text"], thinking.text));
    TRY(read_field(text["signature"], thinking.signature));
    if (!thinking.signature.empty()) thinking.issuer = kDialect;
    return thinking;
  }
  if (body["redactedContent"].is_string()) {
    return RedactedThinkingBlock {
      .data = TRY(body["redactedContent"].as_string())
      , .issuer = kDialect
    };
  }
  return unknown_block(block, "reasoningContent");
}

// What the guardrails look at is content like any other for who has none; that it was marked is kept apart.
Result<BlockBody> decode_guarded(JsonValue block, JsonValue body, Arena& arena) {
  TRY(body.expect(JsonType::object));
  if (body["text"].is_object()) return TextBlock {
      TRY(required_string(body["text"], "text"))
    };
  if (body["image"].is_object()) return decode_file(block, body["image"], "image", arena);
  return unknown_block(block, "guardContent");
}

// An earlier answer with citations: its text. The citations are kept apart.
Result<BlockBody> decode_cited(JsonValue body, Chat& chat) {
  TRY(body.expect(JsonType::object));
  std::string text;
  for (const JsonValue part : body["content"]) text += part["text"].string_or("");
  return TextBlock{chat.arena->keep(std::move(text))};
}

Result<void> decode_blocks(JsonValue content, Chat& chat, std::vector<Block>& into);

Result<BlockBody> decode_tool_use(JsonValue block, JsonValue body) {
  TRY(body.expect(JsonType::object));
  if (!body["type"].is_absent()) return unknown_block(block, "toolUse");  // run by Bedrock itself
  ToolCallBlock call;
  call.id = TRY(required_string(body, "toolUseId"));
  call.name = TRY(required_string(body, "name"));
  const JsonValue input = body["input"];
  if (input.is_absent()) {
    call.arguments = "{}";
  } else if (input.is_object()) {
    call.arguments = input.raw();
  } else {
    return wrong(input, "must be an object");
  }
  return call;
}

Result<BlockBody> decode_tool_result(JsonValue block, JsonValue body, Chat& chat) {
  TRY(body.expect(JsonType::object));
  if (!body["type"].is_absent()) return unknown_block(block, "toolResult");
  ToolResultBlock result;
  result.call_id = TRY(required_string(body, "toolUseId"));
  const std::string_view status = body["status"].string_or("success");
  if (status != "success" && status != "error") return wrong(body["status"], "is success or error");
  result.is_error = status == "error";
  if (!body["content"].is_array()) return wrong(body["content"], "is required: an array of blocks");
  TRY(decode_blocks(body["content"], chat, result.content));
  return result;
}

Result<BlockBody> decode_body(JsonValue block, Chat& chat) {
  const JsonValue body = TRY(only_member(block, "text, image, document, toolUse, toolResult, ..."));
  const std::string_view kind = body.key();
  if (kind == "text") return TextBlock {
      TRY(body.as_string())
    };
  if (kind == "json") return TextBlock{body.raw()};
  if (kind == "image" || kind == "document" || kind == "video" || kind == "audio")
    return decode_file(block, body, kind, *chat.arena);
  if (kind == "toolUse") return decode_tool_use(block, body);
  if (kind == "toolResult") return decode_tool_result(block, body, chat);
  if (kind == "reasoningContent") return decode_reasoning(block, body);
  if (kind == "guardContent") return decode_guarded(block, body, *chat.arena);
  if (kind == "citationsContent") return decode_cited(body, chat);
  if (kind == kConverseSearchResult) {
    if (const auto found = read_search_result(body)) return search_result_text(*found, *chat.arena);
  }
  return unknown_block(block, kind);
}

Result<CacheMarker> decode_cache_point(JsonValue point) {
  TRY(point.expect(JsonType::object));
  std::string_view ttl;
  TRY(read_field(point["ttl"], ttl));
  if (!ttl.empty() && ttl != "5m" && ttl != "1h") return wrong(point["ttl"], "is \"5m\" or \"1h\"");
  return CacheMarker{.ttl = ttl == "1h" ? CacheTtl::one_hour : CacheTtl::standard,
                     .states_ttl = !ttl.empty()};
}

// A cache point marks what stands before it; before everything there is nothing to keep.
Result<void> decode_blocks(JsonValue content, Chat& chat, std::vector<Block>& into) {
  into.reserve(content.size());
  for (const JsonValue source : content) {
    TRY(source.expect(JsonType::object));
    if (const JsonValue point = source["cachePoint"]) {
      const CacheMarker marker = TRY(decode_cache_point(point));
      if (!into.empty()) into.back().cache = marker;
      continue;
    }
    Block block;
    if (Result<BlockBody> body = decode_body(source, chat)) {
      block.body = std::move(*body);
    } else {
      TRY(settle_unknown(chat, fail(std::move(body).error())));
      block.body = unknown_block(source, (*source.begin()).key());
    }
    const bool is_plain = !std::holds_alternative<UnknownBlock>(block.body);
    const std::string_view kind = (*source.begin()).key();
    if (kind == "citationsContent")
      block.has_made_citations = has_made_citation(source[kind]["citations"], &is_converse_citation_made);
    const bool has_own_form =
        kind == "guardContent" || kind == "citationsContent" || kind == kConverseSearchResult;
    if (is_plain && !block.has_made_citations && has_own_form)
      block.own = {.dialect = kDialect, .type = kind, .raw = {source.raw()}};
    into.push_back(std::move(block));
  }
  return {};
}

Result<void> decode_tool_choice(JsonValue choice, Chat& chat) {
  if (choice.is_absent()) return {};
  const JsonValue mode = TRY(only_member(choice, "auto, any or tool"));
  ToolChoice& into = chat.tool_choice.emplace();
  if (mode.key() == "any") {
    into.mode = ToolChoiceMode::required;
  } else if (mode.key() == "tool") {
    into.mode = ToolChoiceMode::named;
    into.name = TRY(required_string(mode, "name"));
  } else if (mode.key() != "auto") {
    return unknown_value(fmt::format("{} must be auto, any or tool", choice.path()), choice.path());
  }
  return {};
}

Result<void> decode_tool(JsonValue source, Chat& chat) {
  const JsonValue body = TRY(only_member(source, "toolSpec, cachePoint or systemTool"));
  if (body.key() == "cachePoint") {
    const CacheMarker marker = TRY(decode_cache_point(body));
    if (!chat.tools.empty()) chat.tools.back().cache = marker;
    return {};
  }
  Tool& tool = chat.tools.emplace_back();
  tool.dialect = kDialect;
  tool.raw = {source.raw()};
  if (body.key() != "toolSpec") {
    tool.kind = ToolKind::server;
    tool.type = body.key();
    tool.name = body["name"].string_or(body.key());
    return {};
  }
  tool.name = TRY(required_string(body, "name"));
  TRY(read_field(body["description"], tool.description));
  TRY(read_field(body["strict"], tool.strict));
  const JsonValue schema = body["inputSchema"]["json"];
  if (!schema.is_object()) return wrong(schema, "is required: a JSON schema of type object");
  tool.schema = {schema.raw()};
  return {};
}

}  // namespace

std::string_view converse_media_type(std::string_view kind, std::string_view format) {
  for (const FormatRow& row : kFormats) {
    if (row.kind == kind && row.format == format) return row.mime;
  }
  return {};
}

std::string_view converse_format(std::string_view kind, std::string_view media_type) {
  for (const FormatRow& row : kFormats) {
    if (row.kind == kind && row.mime == media_type) return row.format;
  }
  return {};
}

bool is_converse_image(std::string_view media_type) {
  return !converse_format("image", media_type).empty();
}

Result<void> decode_converse_system(JsonValue system, Chat& chat) {
  if (system.is_absent()) return {};
  TRY(system.expect(JsonType::array));
  Message message;
  message.role = Role::system;
  TRY(decode_blocks(system, chat, message.content));
  for (Block& block : message.content) block.pointer = "/system";
  if (!message.content.empty()) chat.messages.insert(chat.messages.begin(), std::move(message));
  return {};
}

Result<void> decode_converse_messages(JsonValue messages, Chat& chat) {
  if (messages.is_absent()) return {};
  TRY(messages.expect(JsonType::array));
  chat.messages.reserve(messages.size() + 1);
  for (const JsonValue source : messages) {
    TRY(source.expect(JsonType::object));
    Message& message = chat.messages.emplace_back();
    const std::string_view role = TRY(required_string(source, "role"));
    if (role != "user" && role != "assistant") {
      const std::string path = source["role"].path();
      TRY(settle_unknown(chat, unknown_value(fmt::format("{} must be user or assistant", path), path)));
    }
    message.role = role == "assistant" ? Role::assistant : Role::user;
    const JsonValue content = source["content"];
    if (!content.is_array()) return wrong(content, "is required: an array of content blocks");
    TRY(decode_blocks(content, chat, message.content));
  }
  return {};
}

Result<void> decode_converse_tools(JsonValue config, Chat& chat) {
  if (config.is_absent()) return {};
  TRY(config.expect(JsonType::object));
  const JsonValue tools = config["tools"];
  if (!tools.is_array()) return wrong(tools, "is required: an array of tools");
  chat.tools.reserve(tools.size());
  for (const JsonValue source : tools) TRY(decode_tool(source, chat));
  return decode_tool_choice(config["toolChoice"], chat);
}

}  // namespace weir
