#include "codec/anthropic_provider_messages.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>

#include "base/encoding.h"
#include "base/text.h"
#include "codec/args.h"
#include "codec/media_source.h"
#include "codec/tool_names.h"

namespace weir {
namespace {

// The vendor's ids are ^[a-zA-Z0-9_-]+$; another's are made so, the same way at the call and at its result.
std::string legal_call_id(std::string_view id) {
  return legal_tool_name(id, kAnthropicToolNameMax);
}

bool is_image_type(std::string_view mime) {
  constexpr std::array<std::string_view, 4> kTypes = {"image/jpeg", "image/png", "image/gif", "image/webp"};
  return std::find(kTypes.begin(), kTypes.end(), mime) != kTypes.end();
}

std::string_view without_trailing_space(std::string_view text) {
  const size_t last = text.find_last_not_of(" \t\r\n");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorKind::unsupported, std::move(message), "messages");
}

}  // namespace

void write_anthropic_cache(JsonWriter& json, const CacheMarkers& markers,
                           const std::optional<CacheMarker>& marker) {
  if (!markers.keeps(marker)) return;
  json.key("cache_control").begin_object().key("type").value("ephemeral");
  if (marker->states_ttl) json.key("ttl").value(markers.ttl_of(*marker) == CacheTtl::one_hour ? "1h" : "5m");
  json.end_object();
}

void AnthropicMessagesWriter::write_system(const Conversation& conversation, std::string_view instruction) {
  json_.begin_array();
  for (const Block* block : conversation.system) write_text(std::get<TextBlock>(block->body).text, *block);
  if (!instruction.empty())
    json_.begin_object().key("type").value("text").key("text").value(instruction).end_object();
  json_.end_array();
}

Result<void> AnthropicMessagesWriter::write_messages(const Conversation& conversation) {
  conversation_ = &conversation;
  json_.begin_array();
  for (const Turn& turn : conversation.turns) {
    json_.begin_object().key("role").value(turn.role == Role::assistant ? "assistant" : "user");
    json_.key("content").begin_array();
    const bool is_prefill = &turn == &conversation.turns.back() && turn.role == Role::assistant;
    for (const Block* block : turn.blocks)
      TRY(write_block(*block, is_prefill && block == turn.blocks.back()));
    json_.end_array().end_object();
  }
  json_.end_array();
  settle_documents(notes_);
  return {};
}

Result<void> AnthropicMessagesWriter::write_block(const Block& block, bool is_last_of_prefill) {
  note_document(*conversation_, block, notes_);
  const bool is_own = block.own && block.own->dialect == Dialect::anthropic_messages;
  if (is_own && !is_last_of_prefill && !markers_.drops(block.cache)) {
    json_.raw(block.own->raw.text);
    return {};
  }
  if (const auto found = search_result_of(block)) {
    write_search_result(*found, block);
  } else if (const auto* text = std::get_if<TextBlock>(&block.body)) {
    // The vendor refuses a last turn of the assistant that ends with white space.
    write_text(is_last_of_prefill ? without_trailing_space(text->text) : text->text, block);
  } else if (const auto* refusal = std::get_if<RefusalBlock>(&block.body)) {
    write_text(refusal->text, block);
  } else if (const auto* image = std::get_if<ImageBlock>(&block.body)) {
    TRY(write_image(*image, block));
  } else if (const auto* document = std::get_if<DocumentBlock>(&block.body)) {
    TRY(write_document(*document, block));
  } else if (const auto* call = std::get_if<ToolCallBlock>(&block.body)) {
    write_call(*call, block);
  } else if (const auto* result = std::get_if<ToolResultBlock>(&block.body)) {
    TRY(write_result(*result, block));
  } else if (const auto* thinking = std::get_if<ThinkingBlock>(&block.body)) {
    begin("thinking");
    json_.key("thinking").value(thinking->text).key("signature").value(thinking->signature).end_object();
  } else if (const auto* redacted = std::get_if<RedactedThinkingBlock>(&block.body)) {
    begin("redacted_thinking");
    json_.key("data").value(redacted->data).end_object();
  } else if (const auto* unknown = std::get_if<UnknownBlock>(&block.body)) {
    json_.raw(unknown->raw.text);
  } else {
    return refuse("this model takes no audio; send its text");
  }
  return {};
}

void AnthropicMessagesWriter::write_text(std::string_view text, const Block& block) {
  begin("text");
  json_.key("text").value(text);
  end(block);
}

void AnthropicMessagesWriter::write_search_result(const SearchResult& result, const Block& block) {
  begin(kAnthropicSearchResult);
  json_.key("source").value(result.source).key("title").value(result.title).key("content").begin_array();
  for (const std::string& text : result.texts)
    json_.begin_object().key("type").value("text").key("text").value(text).end_object();
  json_.end_array();
  if (result.wants_citations) json_.key("citations").begin_object().key("enabled").value(true).end_object();
  end(block);
}

Result<void> AnthropicMessagesWriter::write_image(const ImageBlock& image, const Block& block) {
  if (caps_.vision == false) return refuse("this model takes no images");
  const Media& media = image.media;
  if (!image.detail.empty() && image.detail != "auto")
    lose(Severity::info, LossReason::dropped, fmt::format("image detail {}", image.detail));
  const std::string_view seen = media.base64.empty() ? std::string_view{} : sniff_media_type(media.base64);
  const std::string_view mime = seen.empty() ? media.mime : seen;
  if (mime == "application/pdf" || (media.base64.empty() && is_pdf_url(media.url))) {
    return write_document({.media = {.base64 = media.base64, .url = media.url, .mime = mime}}, block);
  }
  begin("image");
  json_.key("source").begin_object();
  if (!media.base64.empty()) {
    if (!is_image_type(mime)) {
      return refuse(
          fmt::format("an image of type {} cannot be read by this model; use JPEG, PNG, GIF or WebP",
                      mime.empty() ? "unknown" : mime));
    }
    json_.key("type").value("base64").key("media_type").value(mime).key("data").value(media.base64);
  } else if (!media.url.empty()) {
    if (!is_web_url(media.url) || caps_.image_url == false)
      return refuse("this model cannot fetch that image URL; send the image's bytes as a data URL");
    json_.key("type").value("url").key("url").value(media.url);
  } else {
    json_.key("type").value("file").key("file_id").value(media.file_id);
  }
  json_.end_object();
  end(block);
  return {};
}

Result<void> AnthropicMessagesWriter::write_document(const DocumentBlock& document, const Block& block) {
  const Media& media = document.media;
  begin("document");
  json_.key("source").begin_object();
  if (!media.base64.empty()) {
    const std::string_view seen = sniff_media_type(media.base64);
    const std::string_view mime = seen.empty() ? media.mime : seen;
    if (mime.starts_with("text/")) {
      const Result<std::string> text = base64_decode(media.base64, Base64Padding::optional);
      if (!text || !is_utf8(*text)) return refuse("a text document must be UTF-8 in base64");
      json_.key("type").value("text").key("media_type").value("text/plain").key("data").value(*text);
    } else if (mime == "application/pdf") {
      if (caps_.pdf == false) return refuse("this model takes no PDF documents; send their text");
      json_.key("type").value("base64").key("media_type").value(mime).key("data").value(media.base64);
    } else {
      return refuse(fmt::format("a document of type {} cannot be read by this model; use PDF or plain text",
                                mime.empty() ? "unknown" : mime));
    }
  } else if (!media.url.empty()) {
    if (!is_web_url(media.url)) return refuse("this model cannot fetch that document URL; send its bytes");
    json_.key("type").value("url").key("url").value(media.url);
  } else if (!media.file_id.empty()) {
    json_.key("type").value("file").key("file_id").value(media.file_id);
  } else if (!document.parts.empty()) {
    json_.key("type").value("content").key("content").begin_array();
    for (const std::string_view part : document.parts)
      json_.begin_object().key("type").value("text").key("text").value(part).end_object();
    json_.end_array();
  } else {
    json_.key("type").value("text").key("media_type").value("text/plain").key("data").value(document.text);
  }
  json_.end_object();
  if (!document.title.empty()) json_.key("title").value(document.title);
  if (!document.context.empty()) json_.key("context").value(document.context);
  if (document.wants_citations) json_.key("citations").begin_object().key("enabled").value(true).end_object();
  end(block);
  return {};
}

Result<void> AnthropicMessagesWriter::write_result(const ToolResultBlock& result, const Block& block) {
  begin("tool_result");
  json_.key("tool_use_id").value(legal_call_id(result.call_id));
  std::vector<const Block*> blocks;
  for (const Block& inner : result.content) {
    const auto* text = std::get_if<TextBlock>(&inner.body);
    const auto* unknown = std::get_if<UnknownBlock>(&inner.body);
    if (text && trim(text->text).empty()) {
      if (!text->text.empty()) lose(Severity::info, LossReason::dropped, "white space");
      continue;
    }
    if (unknown && unknown->dialect != Dialect::anthropic_messages) {
      lose(Severity::warning, LossReason::unsupported_block, std::string(unknown->type));
      continue;
    }
    blocks.push_back(&inner);
  }
  const auto* only = blocks.size() == 1 ? std::get_if<TextBlock>(&blocks.front()->body) : nullptr;
  if (only && !blocks.front()->cache && !blocks.front()->own) {
    json_.key("content").value(only->text);
  } else if (!blocks.empty()) {
    json_.key("content").begin_array();
    for (const Block* inner : blocks) TRY(write_block(*inner, false));
    json_.end_array();
  }
  if (result.is_error) json_.key("is_error").value(true);
  end(block);
  return {};
}

void AnthropicMessagesWriter::write_call(const ToolCallBlock& call, const Block& block) {
  begin("tool_use");
  json_.key("id").value(legal_call_id(call.id));
  const std::string_view known = notes_.tool_names.wire(call.name);
  // A tool of the history that is no longer offered has no entry in the map.
  json_.key("name").value(legal_tool_name(known, kAnthropicToolNameMax)).key("input");
  if (call.kind == ToolKind::custom) {
    json_.begin_object().key("input").value(call.arguments).end_object();
  } else {
    const ArgumentsRepair repair = write_object_arguments(json_, call.arguments);
    if (repair != ArgumentsRepair::none) {
      lose(Severity::info, LossReason::coerced_string, fmt::format("arguments of {}", call.name),
           repair == ArgumentsRepair::wrapped_text ? "_raw" : "value");
    }
  }
  end(block);
}

}  // namespace weir
