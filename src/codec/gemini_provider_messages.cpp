// Turns as Google's `contents`.
#include <algorithm>
#include <fmt/core.h>

#include "base/text.h"
#include "codec/args.h"
#include "codec/call_index.h"
#include "codec/gemini_fields.h"
#include "codec/gemini_request.h"
#include "codec/media_source.h"
#include "codec/tool_names.h"

namespace weir {
namespace {

// https://ai.google.dev/gemini-api/docs/thought-signatures: takes the place of a signature that another
// model's call never had.
constexpr std::string_view kNoSignature = "skip_thought_signature_validator";

class ContentsWriter {
 public:
  ContentsWriter(JsonWriter& json, const TargetModel& target, const Chat& chat, CallNotes& notes)
      : json_(json), caps_(*target.capabilities), calls_(chat), notes_(notes) {}

  Result<void> write(const GeminiConversation& conversation) {
    json_.begin_array();
    for (const GeminiTurn& turn : conversation.turns) {
      at_ = turn.message;
      json_.begin_object().key("role").value(turn.kind == GeminiTurnKind::model ? "model" : "user");
      json_.key("parts").begin_array();
      bool needs_signature = turn.is_current && turn.kind == GeminiTurnKind::model && wants_signatures();
      for (const Block* block : turn.blocks) TRY(write_block(*block, needs_signature));
      if (is_image_alone(turn)) {
        write_text(" ");
        lose(Severity::info, LossReason::synthesised, "", "a space beside the image");
      }
      json_.end_array().end_object();
    }
    json_.end_array();
    return {};
  }

 private:
  // Some models refuse images without a word (translation.md 4.2).
  static bool is_image_alone(const GeminiTurn& turn) {
    return turn.kind == GeminiTurnKind::user && !turn.blocks.empty() &&
           std::ranges::all_of(turn.blocks, [](const Block* block) {
             return std::holds_alternative<ImageBlock>(block->body);
           });
  }

  void lose(Severity severity, LossReason reason, std::string from, std::string to = {}) {
    notes_.fidelity.add(severity, reason, fmt::format("/messages/{}/content", at_), std::move(from),
                        std::move(to));
  }

  std::unexpected<Error> refuse(std::string message) const {
    return fail(ErrorKind::unsupported, std::move(message), fmt::format("messages[{}].content", at_));
  }

  // Models that think by budget do not insist on signatures.
  bool wants_signatures() const {
    return caps_.thinking != ThinkingMode::none && caps_.thinking != ThinkingMode::budget;
  }

  Result<void> write_block(const Block& block, bool& needs_signature) {
    if (const auto* text = std::get_if<TextBlock>(&block.body)) {
      write_text(text->text);
    } else if (const auto* refusal = std::get_if<RefusalBlock>(&block.body)) {
      write_text(refusal->text);
    } else if (const auto* thinking = std::get_if<ThinkingBlock>(&block.body)) {
      json_.begin_object().key("text").value(thinking->text);
      if (!thinking->text.empty()) json_.key("thought").value(true);
      json_.key("thoughtSignature").value(thinking->signature).end_object();
    } else if (const auto* call = std::get_if<ToolCallBlock>(&block.body)) {
      write_call(*call, std::exchange(needs_signature, false));
    } else if (const auto* result = std::get_if<ToolResultBlock>(&block.body)) {
      write_result(*result);
    } else if (const auto* unknown = std::get_if<UnknownBlock>(&block.body)) {
      json_.raw(unknown->raw.text);
    } else if (const auto* image = std::get_if<ImageBlock>(&block.body)) {
      if (caps_.vision == false) return refuse("this model takes no images");
      return write_media(image->media, "image/jpeg");
    } else if (const auto* document = std::get_if<DocumentBlock>(&block.body)) {
      return write_document(*document);
    } else if (const auto* audio = std::get_if<AudioBlock>(&block.body)) {
      if (caps_.audio_in == false) return refuse("this model takes no audio; send its text");
      return write_media(audio->media,
                         fmt::format("audio/{}", audio->format.empty() ? "wav" : audio->format));
    } else if (const auto* video = std::get_if<VideoBlock>(&block.body)) {
      return write_media(video->media, "video/mp4");
    }
    return {};
  }

  void write_text(std::string_view text) { json_.begin_object().key("text").value(text).end_object(); }

  Result<void> write_media(const Media& media, std::string_view usual_mime) {
    json_.begin_object();
    if (!media.base64.empty()) {
      const std::string_view seen = sniff_media_type(media.base64);
      const std::string_view mime = !seen.empty() ? seen : media.mime.empty() ? usual_mime : media.mime;
      json_.key("inlineData").begin_object().key("mimeType").value(mime).key("data").value(media.base64);
    } else if (!media.url.empty()) {
      const bool is_stored = media.url.starts_with("gs://");
      if (!is_stored && caps_.image_url == false)
        return refuse("this model cannot fetch that URL; send the bytes as a data URL");
      json_.key("fileData")
          .begin_object()
          .key("mimeType")
          .value(media.mime.empty() ? usual_mime : media.mime);
      json_.key("fileUri").value(media.url);
    } else {
      json_.key("fileData").begin_object();
      if (!media.mime.empty()) json_.key("mimeType").value(media.mime);
      json_.key("fileUri").value(media.file_id);
    }
    json_.end_object().end_object();
    return {};
  }

  Result<void> write_document(const DocumentBlock& document) {
    if (document.wants_citations) lose(Severity::warning, LossReason::dropped, "citations");
    if (!document.title.empty()) lose(Severity::info, LossReason::dropped, "title");
    if (!document.context.empty()) {
      lose(Severity::info, LossReason::coerced_string, "context", "text");
      write_text(document.context);
    }
    const Media& media = document.media;
    if (media.base64.empty() && media.url.empty() && media.file_id.empty()) {
      lose(Severity::info, LossReason::coerced_string, "document", "text");
      write_text(document.text);
      return {};
    }
    const bool is_pdf = media.mime.empty() || media.mime == "application/pdf";
    if (is_pdf && caps_.pdf == false) return refuse("this model takes no PDF documents; send their text");
    return write_media(media, "application/pdf");
  }

  void write_call(const ToolCallBlock& call, bool needs_signature) {
    json_.begin_object().key("functionCall").begin_object();
    if (!call.id.empty()) json_.key("id").value(call.id);
    const std::string_view known = notes_.tool_names.wire(call.name);
    // A tool of the history that is no longer offered has no entry in the map.
    json_.key("name").value(legal_gemini_tool_name(known)).key("args");
    if (call.kind == ToolKind::custom) {
      json_.begin_object().key("input").value(call.arguments).end_object();
    } else {
      const ArgumentsRepair repair = write_object_arguments(json_, call.arguments);
      if (repair != ArgumentsRepair::none) {
        lose(Severity::info, LossReason::coerced_string, fmt::format("arguments of {}", call.name),
             repair == ArgumentsRepair::wrapped_text ? "_raw" : "value");
      }
    }
    json_.end_object();
    if (!call.signature.empty()) {
      json_.key("thoughtSignature").value(call.signature);
    } else if (needs_signature) {
      json_.key("thoughtSignature").value(kNoSignature);
      lose(Severity::info, LossReason::synthesised, fmt::format("signature of {}", call.name),
           std::string(kNoSignature));
    }
    json_.end_object();
  }

  std::string_view name_of_call(const ToolResultBlock& result) const {
    const ToolCallBlock* call = calls_.find(result.call_id);
    return call ? call->name : result.tool_name;
  }

  void write_result(const ToolResultBlock& result) {
    json_.begin_object().key("functionResponse").begin_object();
    if (!result.call_id.empty()) json_.key("id").value(result.call_id);
    const std::string_view known = notes_.tool_names.wire(name_of_call(result));
    json_.key("name").value(legal_gemini_tool_name(known)).key("response");
    std::string text;
    for (const Block& inner : result.content) {
      if (!text.empty()) text += '\n';
      if (const auto* words = std::get_if<TextBlock>(&inner.body)) {
        text += words->text;
      } else if (const auto* unknown = std::get_if<UnknownBlock>(&inner.body)) {
        lose(Severity::warning, LossReason::coerced_string, std::string(unknown->type), "text");
        text += unknown->raw.text;
      } else {
        text += "[attachment below]";
      }
    }
    write_response(text, result.is_error);
    json_.end_object().end_object();
  }

  // It must be an object; one that would read as Google's own words for a plain result is one, as a text.
  void write_response(std::string_view text, bool is_error) {
    const std::string_view trimmed = trim(text);
    if (!is_error && trimmed.starts_with('{')) {
      const Result<JsonDoc> parsed = JsonDoc::parse(std::string(trimmed));
      if (parsed && parsed->root().is_object()) {
        const JsonValue root = parsed->root();
        const bool is_wrapper = root.size() == 1 && (root["output"] || root["error"]);
        if (!is_wrapper) {
          json_.raw(trimmed);
          return;
        }
      }
    }
    json_.begin_object().key(is_error ? "error" : "output").value(text).end_object();
  }

  JsonWriter& json_;
  const Capabilities& caps_;
  const CallIndex calls_;
  CallNotes& notes_;
  size_t at_ = 0;
};

}  // namespace

Result<void> write_gemini_contents(JsonWriter& json, const GeminiConversation& conversation, const Chat& chat,
                                   const TargetModel& target, CallNotes& notes) {
  return ContentsWriter(json, target, chat, notes).write(conversation);
}

void write_gemini_system(JsonWriter& json, const GeminiConversation& conversation) {
  json.begin_object().key("parts").begin_array();
  for (const Block* block : conversation.system) {
    if (const auto* text = std::get_if<TextBlock>(&block->body))
      json.begin_object().key("text").value(text->text).end_object();
  }
  json.end_array().end_object();
}

std::string legal_gemini_tool_name(std::string_view name) {
  constexpr size_t kLengthMax = 64;
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto is_legal = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == ':' || c == '-';
  };
  const bool begins_well = !name.empty() && is_letter(name[0]);
  if (begins_well && name.size() <= kLengthMax && std::all_of(name.begin(), name.end(), is_legal))
    return std::string(name);
  std::string legal = legal_tool_name(name, 0);
  if (!is_letter(legal[0])) legal[0] = '_';
  return legal;
}

}  // namespace weir
