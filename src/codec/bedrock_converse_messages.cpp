#include "codec/bedrock_converse_messages.h"

#include <algorithm>
#include <fmt/core.h>

#include "base/encoding.h"
#include "base/text.h"
#include "codec/args.h"
#include "codec/bedrock_converse_content.h"
#include "codec/bedrock_converse_encode.h"
#include "codec/media_source.h"
#include "codec/tool_names.h"

namespace weir {
namespace {

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorKind::unsupported, std::move(message), "messages");
}

std::string_view without_trailing_space(std::string_view text) {
  const size_t last = text.find_last_not_of(" \t\r\n");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::string_view seen_or_declared(const Media& media) {
  const std::string_view seen = sniff_media_type(media.base64);
  return seen.empty() ? media.mime.substr(0, media.mime.find(';')) : seen;
}

// The service takes bytes only; URLs were replaced by the stage before where that could be done.
Result<void> check_inline(const Media& media, std::string_view what) {
  if (!media.base64.empty()) return {};
  return refuse(fmt::format("this model cannot fetch the URL of that {}; send its bytes", what));
}

bool is_name_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ' ' || c == '-' ||
         c == '(' || c == ')' || c == '[' || c == ']';
}

}  // namespace

bool has_tool_history(const Conversation& conversation) {
  for (const Turn& turn : conversation.turns) {
    for (const Block* block : turn.blocks) {
      if (std::holds_alternative<ToolCallBlock>(block->body) ||
          std::holds_alternative<ToolResultBlock>(block->body))
        return true;
    }
  }
  return false;
}

void ConverseMessagesWriter::write_system(const Conversation& conversation,
                                          const std::vector<std::string>& instructions) {
  json_.begin_array();
  for (const Block* block : conversation.system) {
    if (takes_own_form(*block)) {
      json_.raw(block->own->raw.text);
    } else if (const auto* unknown = std::get_if<UnknownBlock>(&block->body)) {
      json_.raw(unknown->raw.text);
    } else {
      write_text(std::get<TextBlock>(block->body).text);
    }
    write_cache_point(block->cache);
  }
  for (const std::string& instruction : instructions) write_text(instruction);
  json_.end_array();
}

void ConverseMessagesWriter::write_cache_point(const std::optional<CacheMarker>& marker) {
  if (!markers_.keeps(marker)) return;
  json_.begin_object().key("cachePoint").begin_object().key("type").value("default");
  if (marker->states_ttl && markers_.ttl_of(*marker) == CacheTtl::one_hour) json_.key("ttl").value("1h");
  json_.end_object().end_object();
}

Result<void> ConverseMessagesWriter::write_messages(const Conversation& conversation) {
  conversation_ = &conversation;
  json_.begin_array();
  for (const Turn& turn : conversation.turns) {
    const bool is_prefill = &turn == &conversation.turns.back() && turn.role == Role::assistant;
    TRY(write_turn(turn, is_prefill));
  }
  json_.end_array();
  settle_documents(notes_);
  return {};
}

Result<void> ConverseMessagesWriter::write_turn(const Turn& turn, bool is_prefill) {
  json_.begin_object().key("role").value(turn.role == Role::assistant ? "assistant" : "user");
  json_.key("content").begin_array();
  bool has_text = false;
  bool has_document = false;
  for (const Block* block : turn.blocks) {
    const auto* text = std::get_if<TextBlock>(&block->body);
    has_text = has_text || (text && !(takes_search_results() && is_search_result(*block)));
    has_document = has_document || std::holds_alternative<DocumentBlock>(block->body);
    if (takes_own_form(*block)) {
      json_.raw(block->own->raw.text);
    } else if (text && is_prefill && block == turn.blocks.back()) {
      write_text(without_trailing_space(text->text));
    } else {
      TRY(write_block(*block));
    }
    if (const auto* result = std::get_if<ToolResultBlock>(&block->body)) {
      write_point_behind(*block, *result);
    } else {
      write_cache_point(block->cache);
    }
  }
  if (has_document && !has_text) {
    // The service takes documents only beside a text.
    write_text("See the document.");
    lose(Severity::info, LossReason::synthesised, "", "a text beside the document");
  }
  json_.end_array().end_object();
  return {};
}

Result<void> ConverseMessagesWriter::write_block(const Block& block) {
  note_document(*conversation_, block, notes_);
  const std::optional<SearchResult> found = search_result_of(block);
  if (found && takes_search_results()) {
    write_search_result(*found);
  } else if (const auto* text = std::get_if<TextBlock>(&block.body)) {
    if (found && own_ == Dialect::bedrock_converse)
      lose(Severity::warning, LossReason::coerced_string, std::string(block.own->type), "plain");
    write_text(text->text);
  } else if (const auto* refusal = std::get_if<RefusalBlock>(&block.body)) {
    write_text(refusal->text);
  } else if (const auto* image = std::get_if<ImageBlock>(&block.body)) {
    TRY(write_image(*image));
  } else if (const auto* document = std::get_if<DocumentBlock>(&block.body)) {
    TRY(write_document(*document));
  } else if (const auto* video = std::get_if<VideoBlock>(&block.body)) {
    TRY(write_video(*video));
  } else if (const auto* call = std::get_if<ToolCallBlock>(&block.body)) {
    write_call(*call);
  } else if (const auto* result = std::get_if<ToolResultBlock>(&block.body)) {
    TRY(write_result(*result));
  } else if (const auto* thinking = std::get_if<ThinkingBlock>(&block.body)) {
    write_thinking(*thinking);
  } else if (const auto* redacted = std::get_if<RedactedThinkingBlock>(&block.body)) {
    json_.begin_object().key("reasoningContent").begin_object();
    json_.key("redactedContent").value(converse_blob(redacted->data)).end_object().end_object();
  } else if (const auto* unknown = std::get_if<UnknownBlock>(&block.body)) {
    json_.raw(unknown->raw.text);
  } else {
    return refuse("this model takes no audio; send its text");
  }
  return {};
}

void ConverseMessagesWriter::write_text(std::string_view text) {
  json_.begin_object().key("text").value(text).end_object();
}

bool ConverseMessagesWriter::takes_search_results() const {
  return own_ == Dialect::bedrock_converse && caps_.family == ModelFamily::anthropic;
}

void ConverseMessagesWriter::write_search_result(const SearchResult& result) {
  json_.begin_object().key(kConverseSearchResult).begin_object();
  json_.key("source").value(result.source).key("title").value(result.title).key("content").begin_array();
  for (const std::string& text : result.texts) write_text(text);
  json_.end_array();
  if (result.wants_citations) json_.key("citations").begin_object().key("enabled").value(true).end_object();
  json_.end_object().end_object();
}

Result<void> ConverseMessagesWriter::write_image(const ImageBlock& image) {
  if (caps_.vision == false) return refuse("this model takes no images");
  TRY(check_inline(image.media, "image"));
  if (!image.detail.empty() && image.detail != "auto")
    lose(Severity::info, LossReason::dropped, fmt::format("image detail {}", image.detail));
  const std::string_view mime = seen_or_declared(image.media);
  if (mime == "application/pdf") return write_document({.media = image.media});
  const std::string_view format = converse_format("image", mime);
  if (format.empty()) {
    return refuse(fmt::format("an image of type {} cannot be read by this model; use JPEG, PNG, GIF or WebP",
                              mime.empty() ? "unknown" : mime));
  }
  json_.begin_object().key("image").begin_object().key("format").value(format).key("source").begin_object();
  json_.key("bytes").value(image.media.base64).end_object().end_object().end_object();
  return {};
}

Result<void> ConverseMessagesWriter::write_document(const DocumentBlock& document) {
  const bool is_text =
      document.media.base64.empty() && document.media.url.empty() && document.media.file_id.empty();
  std::string_view format = "txt";
  if (!is_text) {
    TRY(check_inline(document.media, "document"));
    const std::string_view mime = seen_or_declared(document.media);
    if (mime == "application/pdf" && caps_.pdf == false)
      return refuse("this model takes no PDF documents; send their text");
    format = converse_format("document", mime);
    if (format.empty() && mime.starts_with("text/")) format = "txt";
    if (format.empty()) {
      return refuse(fmt::format("a document of type {} cannot be read by this model; use PDF, text or Office",
                                mime.empty() ? "unknown" : mime));
    }
  }
  json_.begin_object().key("document").begin_object().key("format").value(format);
  json_.key("name").value(document_name(document.title)).key("source").begin_object();
  // Every model that reads documents takes bytes; sources of text are newer, and models that cite take them.
  if (!document.parts.empty() && document.wants_citations) {
    json_.key("content").begin_array();
    for (const std::string_view part : document.parts) write_text(part);
    json_.end_array();
  } else if (is_text) {
    json_.key("bytes").value(base64_encode(document.text));
  } else {
    json_.key("bytes").value(document.media.base64);
  }
  json_.end_object();
  if (!document.context.empty()) json_.key("context").value(document.context);
  if (document.wants_citations) json_.key("citations").begin_object().key("enabled").value(true).end_object();
  json_.end_object().end_object();
  return {};
}

std::string ConverseMessagesWriter::document_name(std::string_view title) {
  constexpr size_t kNameMax = 190;
  std::string name;
  for (const char c : title) {
    const char legal = is_name_char(c) ? c : c == '\t' ? ' ' : '-';
    if (legal == ' ' && (name.empty() || name.back() == ' ')) continue;
    if (name.size() < kNameMax) name += legal;
  }
  while (!name.empty() && name.back() == ' ') name.pop_back();
  if (name.empty()) name = "document";
  std::string unique = name;
  // Where the last document of that name left off: a thousand of one name are a thousand steps.
  int& number = document_numbers_.try_emplace(name, 2).first->second;
  while (!document_names_.insert(unique).second) unique = fmt::format("{} ({})", name, number++);
  if (!title.empty() && unique != title)
    lose(Severity::info, LossReason::renamed, std::string(title), unique);
  return unique;
}

Result<void> ConverseMessagesWriter::write_video(const VideoBlock& video) {
  TRY(check_inline(video.media, "video"));
  const std::string_view format = converse_format("video", seen_or_declared(video.media));
  if (format.empty()) return refuse("this model cannot read a video of that type; use MP4, MOV, MKV or WebM");
  json_.begin_object().key("video").begin_object().key("format").value(format).key("source").begin_object();
  json_.key("bytes").value(video.media.base64).end_object().end_object().end_object();
  return {};
}

void ConverseMessagesWriter::write_thinking(const ThinkingBlock& thinking) {
  json_.begin_object().key("reasoningContent").begin_object().key("reasoningText").begin_object();
  json_.key("text").value(thinking.text).key("signature").value(thinking.signature);
  json_.end_object().end_object().end_object();
}

void ConverseMessagesWriter::write_call(const ToolCallBlock& call) {
  json_.begin_object().key("toolUse").begin_object().key("toolUseId").value(converse_call_id(call.id));
  // A tool of the history that is no longer offered has no entry in the map.
  json_.key("name").value(legal_tool_name(notes_.tool_names.wire(call.name), kOpenAiToolNameMax));
  json_.key("input");
  if (call.kind == ToolKind::custom) {
    json_.begin_object().key("input").value(call.arguments).end_object();
  } else if (const auto repair = write_object_arguments(json_, call.arguments);
             repair != ArgumentsRepair::none) {
    lose(Severity::info, LossReason::coerced_string, fmt::format("arguments of {}", call.name),
         repair == ArgumentsRepair::wrapped_text ? "_raw" : "value");
  }
  json_.end_object().end_object();
}

Result<void> ConverseMessagesWriter::write_result(const ToolResultBlock& result) {
  json_.begin_object().key("toolResult").begin_object();
  json_.key("toolUseId").value(converse_call_id(result.call_id)).key("content").begin_array();
  for (const Block& inner : result.content) {
    const auto* text = std::get_if<TextBlock>(&inner.body);
    const auto* unknown = std::get_if<UnknownBlock>(&inner.body);
    if (text && trim(text->text).empty()) {  // the service refuses it; an empty list it takes
      if (!text->text.empty()) lose(Severity::info, LossReason::dropped, "white space");
      continue;
    }
    if (unknown && unknown->dialect != Dialect::bedrock_converse) {
      lose(Severity::warning, LossReason::unsupported_block, std::string(unknown->type));
      continue;
    }
    TRY(write_block(inner));
  }
  json_.end_array();
  if (result.is_error) json_.key("status").value("error");
  json_.end_object().end_object();
  return {};
}

// The service knows no point inside a result: the one that is kept stands behind it.
void ConverseMessagesWriter::write_point_behind(const Block& block, const ToolResultBlock& result) {
  const auto& marker = marker_behind(block, result);
  write_cache_point(marker);
  const auto count = static_cast<size_t>(std::ranges::count_if(
                         result.content, [](const Block& inner) { return inner.cache.has_value(); })) +
                     (block.cache ? 1U : 0U);
  if (count > 1 && markers_.keeps(marker))
    lose(Severity::info, LossReason::cache_dropped, fmt::format("{} markers at a result", count), "1");
}

}  // namespace weir
