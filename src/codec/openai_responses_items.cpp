#include "codec/openai_responses_items.h"

#include <algorithm>
#include <fmt/core.h>

#include "codec/args.h"
#include "codec/call_ids.h"
#include "codec/call_index.h"
#include "codec/offered_tools.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::openai_responses;

const TextBlock* only_text(const Message& message) {
  if (message.content.size() != 1 || message.content[0].cache) return nullptr;
  return std::get_if<TextBlock>(&message.content[0].body);
}

class ItemsWriter {
 public:
  ItemsWriter(JsonWriter& json, const Chat& chat, const TargetModel& target, CallNotes& notes)
      : json_(json), chat_(chat), calls_(chat), caps_(*target.capabilities), notes_(notes) {}

  Result<void> write() {
    const TextBlock* instructions = instructions_of();
    if (instructions) json_.key("instructions").value(instructions->text);
    json_.key("input").begin_array();
    for (at_ = instructions ? 1 : 0; at_ < chat_.messages.size(); ++at_) {
      const Message& message = chat_.messages[at_];
      if (!message.name.empty())
        lose(Severity::info, LossReason::dropped, "/name", std::string(message.name));
      switch (message.role) {
        case Role::system:
        case Role::developer:
        case Role::user:
        case Role::tool:
          TRY(write_callers(message));
          break;
        case Role::assistant:
          TRY(write_assistant(message));
          break;
      }
    }
    json_.end_array();
    return {};
  }

 private:
  void lose(Severity severity, LossReason reason, std::string_view rest, std::string from = {},
            std::string to = {}) {
    notes_.fidelity.add(severity, reason, pointer(rest), std::move(from), std::move(to));
  }
  std::string pointer(std::string_view rest = {}) const { return fmt::format("/messages/{}{}", at_, rest); }

  // A dialect's own field for instructions comes as a first message of role system.
  const TextBlock* instructions_of() const {
    if (chat_.messages.empty() || chat_.messages[0].role != Role::system) return nullptr;
    // An input must not be empty: what stood there alone stays there.
    const std::vector<Block>& content = chat_.messages[0].content;
    if (chat_.messages.size() == 1 && (content.empty() || content[0].pointer != "/instructions"))
      return nullptr;
    return only_text(chat_.messages[0]);
  }

  std::string_view role_of(const Message& message) const {
    switch (message.role) {
      case Role::system:
        return caps_.system_role == SystemRole::developer ? "developer" : "system";
      case Role::developer:
        return caps_.quirks.system_role_only ? "system" : "developer";
      default:
        return "user";
    }
  }

  void report_cache(const Block& block) {
    if (block.cache) lose(Severity::info, LossReason::cache_dropped, "/content", "cache_control");
  }

  // ---- The caller's side

  // An item for each result, and one message of what was said beside them.
  Result<void> write_callers(const Message& message) {
    std::vector<const Block*> said;
    bool has_items = false;
    for (const Block& block : message.content) {
      report_cache(block);
      if (const auto* result = std::get_if<ToolResultBlock>(&block.body)) {
        has_items = true;
        TRY(write_result(*result));
      } else if (const auto* unknown = std::get_if<UnknownBlock>(&block.body);
                 unknown && message.role == Role::tool) {
        has_items = true;
        write_unknown(*unknown);
      } else if (!drops(block)) {
        said.push_back(&block);
      }
    }
    if (said.empty() && has_items) return {};
    json_.begin_object().key("type").value("message").key("role").value(role_of(message)).key("content");
    if (said.empty()) {
      json_.value("").end_object();
      return {};
    }
    if (const auto* text = said.size() == 1 ? std::get_if<TextBlock>(&said[0]->body) : nullptr) {
      json_.value(text->text).end_object();
      return {};
    }
    json_.begin_array();
    for (const Block* block : said) TRY(write_part(*block));
    json_.end_array().end_object();
    return {};
  }

  Result<void> write_part(const Block& block) {
    if (const auto* text = std::get_if<TextBlock>(&block.body)) {
      write_input_text(text->text);
    } else if (const auto* image = std::get_if<ImageBlock>(&block.body)) {
      TRY(write_image(*image));
    } else if (const auto* document = std::get_if<DocumentBlock>(&block.body)) {
      TRY(write_document(*document));
    } else if (const auto* refusal = std::get_if<RefusalBlock>(&block.body)) {
      write_input_text(refusal->text);
    } else if (const auto* unknown = std::get_if<UnknownBlock>(&block.body)) {
      write_unknown(*unknown);
    } else {
      const bool is_audio = std::holds_alternative<AudioBlock>(block.body);
      return fail(ErrorKind::unsupported,
                  fmt::format("this provider takes no {} here; send text, images or documents",
                              is_audio ? "audio" : "such content"),
                  pointer("/content"));
    }
    return {};
  }

  void write_input_text(std::string_view text) {
    json_.begin_object().key("type").value("input_text").key("text").value(text).end_object();
  }

  Result<void> write_image(const ImageBlock& image) {
    if (caps_.vision == false)
      return fail(ErrorKind::unsupported, "this model takes no images", pointer("/content"));
    json_.begin_object().key("type").value("input_image");
    if (!image.media.file_id.empty()) {
      json_.key("file_id").value(image.media.file_id);
    } else {
      json_.key("image_url");
      if (image.media.base64.empty()) {
        json_.value(image.media.url);
      } else {
        json_.value(fmt::format("data:{};base64,{}", image.media.mime, image.media.base64));
      }
    }
    json_.key("detail").value(image.detail.empty() ? "auto" : image.detail).end_object();
    return {};
  }

  Result<void> write_document(const DocumentBlock& document) {
    if (document.wants_citations) lose(Severity::warning, LossReason::dropped, "/content", "citations");
    if (!document.context.empty()) lose(Severity::warning, LossReason::dropped, "/content", "context");
    const bool has_file_name = document.text.empty() && !document.media.base64.empty();
    if (!document.title.empty() && !has_file_name)
      lose(Severity::info, LossReason::dropped, "/content", "title");
    if (!document.text.empty()) {
      lose(Severity::info, LossReason::coerced_string, "/content", "document", "text");
      write_input_text(document.text);
      return {};
    }
    const Media& media = document.media;
    const bool is_pdf = media.mime.empty() || media.mime == "application/pdf";
    if (is_pdf && caps_.pdf == false) {
      return fail(ErrorKind::unsupported, "this model takes no PDF documents; send their text",
                  pointer("/content"));
    }
    json_.begin_object().key("type").value("input_file");
    if (!media.file_id.empty()) {
      json_.key("file_id").value(media.file_id);
    } else if (!media.url.empty()) {
      json_.key("file_url").value(media.url);
    } else {
      const std::string_view mime = media.mime.empty() ? "application/pdf" : media.mime;
      json_.key("filename").value(document.title.empty() ? "document.pdf" : document.title);
      json_.key("file_data").value(fmt::format("data:{};base64,{}", mime, media.base64));
    }
    json_.end_object();
    return {};
  }

  void write_unknown(const UnknownBlock& unknown) {
    if (unknown.dialect == kDialect) {
      json_.raw(unknown.raw.text);
    } else {
      lose(Severity::warning, LossReason::unsupported_block, "/content", std::string(unknown.type));
    }
  }

  // Whether the block is of another dialect, and has no form here: an empty list would be refused, so it goes
  // before what is left is looked at.
  bool drops(const Block& block) {
    const auto* unknown = std::get_if<UnknownBlock>(&block.body);
    if (!unknown || unknown->dialect == kDialect) return false;
    write_unknown(*unknown);
    return true;
  }

  Result<void> write_result(const ToolResultBlock& result) {
    const ToolCallBlock* call = calls_.find(result.call_id);
    const bool is_custom = call && call->kind == ToolKind::custom;
    json_.begin_object().key("type").value(is_custom ? "custom_tool_call_output" : "function_call_output");
    json_.key("call_id").value(short_call_id(result.call_id)).key("output");
    std::vector<const Block*> said;
    for (const Block& block : result.content) {
      report_cache(block);
      if (!drops(block)) said.push_back(&block);
    }
    const auto* text = said.size() == 1 ? std::get_if<TextBlock>(&said[0]->body) : nullptr;
    if (said.empty() || text) {
      json_.value(text ? text->text : std::string_view());
    } else {
      json_.begin_array();
      for (const Block* block : said) TRY(write_part(*block));
      json_.end_array();
    }
    if (result.is_error) json_.key("status").value("incomplete");
    json_.end_object();
    return {};
  }

  // ---- The model's side

  Result<void> write_assistant(const Message& message) {
    std::vector<const Block*> said;
    if (message.content.empty())
      json_.begin_object()
          .key("type")
          .value("message")
          .key("role")
          .value("assistant")
          .key("content")
          .value("")
          .end_object();
    for (const Block& block : message.content) {
      report_cache(block);
      const bool is_said =
          std::holds_alternative<TextBlock>(block.body) || std::holds_alternative<RefusalBlock>(block.body);
      if (is_said) {
        said.push_back(&block);
        continue;
      }
      write_said(said);
      TRY(write_item(block));
    }
    write_said(said);
    return {};
  }

  // A plain text in the short form, which needs no id. Ids of other messages are made up: the vendor wants
  // one that begins so, and looks up none whose content is there.
  void write_said(std::vector<const Block*>& said) {
    if (said.empty()) return;
    json_.begin_object().key("type").value("message").key("role").value("assistant");
    const auto* text = said.size() == 1 ? std::get_if<TextBlock>(&said[0]->body) : nullptr;
    if (text) {
      json_.key("content").value(text->text).end_object();
      said.clear();
      return;
    }
    json_.key("id").value(fmt::format("msg_{}_{}", at_, messages_++)).key("status").value("completed");
    json_.key("content").begin_array();
    for (const Block* block : said) {
      json_.begin_object().key("type");
      if (const auto* part = std::get_if<TextBlock>(&block->body)) {
        json_.value("output_text").key("text").value(part->text);
        json_.key("annotations").begin_array().end_array().key("logprobs").begin_array().end_array();
      } else {
        json_.value("refusal").key("refusal").value(std::get<RefusalBlock>(block->body).text);
      }
      json_.end_object();
    }
    json_.end_array().end_object();
    said.clear();
  }

  Result<void> write_item(const Block& block) {
    if (const auto* call = std::get_if<ToolCallBlock>(&block.body)) {
      write_call(*call);
    } else if (const auto* thinking = std::get_if<ThinkingBlock>(&block.body)) {
      write_thinking(*thinking);
    } else if (std::holds_alternative<RedactedThinkingBlock>(block.body)) {
      lose(Severity::info, LossReason::thinking_dropped, "/content", "redacted_thinking");
    } else if (const auto* unknown = std::get_if<UnknownBlock>(&block.body)) {
      write_unknown(*unknown);
    } else if (const auto* result = std::get_if<ToolResultBlock>(&block.body)) {
      return write_result(*result);
    } else {
      // A picture that a model made: the dialect knows it as the result of a tool of the vendor's.
      lose(Severity::warning, LossReason::unsupported_block, "/content", "media of the assistant");
    }
    return {};
  }

  void write_call(const ToolCallBlock& call) {
    if (call.kind == ToolKind::server) {
      lose(Severity::warning, LossReason::unsupported_block, "/content", std::string(call.name));
      return;
    }
    const bool is_custom = call.kind == ToolKind::custom;
    json_.begin_object().key("type").value(is_custom ? "custom_tool_call" : "function_call");
    json_.key("call_id").value(short_call_id(call.id));
    // A tool of the history that is no longer offered has no entry in the map.
    json_.key("name").value(legal_openai_tool_name(notes_.tool_names.wire(call.name)));
    if (is_custom) {
      json_.key("input").value(call.arguments);
    } else {
      json_.key("arguments").value(object_arguments(call));
    }
    json_.end_object();
  }

  // The text of a JSON object: servers parse it for their chat template, and an answer that was cut off left
  // half of one.
  std::string object_arguments(const ToolCallBlock& call) {
    std::string text;
    JsonWriter json(text);
    const ArgumentsRepair repair = write_object_arguments(json, call.arguments);
    if (repair != ArgumentsRepair::none) {
      lose(Severity::info, LossReason::emulated, "/tool_calls", "arguments",
           repair == ArgumentsRepair::wrapped_text ? "_raw" : "value");
    }
    return text;
  }

  // The vendor takes its own reasoning back by what it encrypted; without that it looks for the id in its
  // store, where nothing is. Open servers take plain text.
  void write_thinking(const ThinkingBlock& thinking) {
    const bool is_own = thinking.issuer == kDialect && !thinking.signature.empty();
    if (!is_own && !(caps_.quirks.reasoning_content && !thinking.text.empty())) {
      const bool is_signed = !thinking.signature.empty();
      lose(Severity::info, is_signed ? LossReason::signature_dropped : LossReason::thinking_dropped,
           "/content", "thinking");
      return;
    }
    if (!is_own && !thinking.signature.empty())
      lose(Severity::info, LossReason::signature_dropped, "/content", "thinking", "its text");
    json_.begin_object().key("type").value("reasoning");
    if (!thinking.id.empty()) json_.key("id").value(thinking.id);
    json_.key("summary").begin_array();
    if (is_own && !thinking.text.empty())
      json_.begin_object().key("type").value("summary_text").key("text").value(thinking.text).end_object();
    json_.end_array();
    if (is_own) {
      json_.key("encrypted_content").value(thinking.signature);
    } else {
      json_.key("content").begin_array().begin_object().key("type").value("reasoning_text");
      json_.key("text").value(thinking.text).end_object().end_array();
    }
    json_.end_object();
  }

  JsonWriter& json_;
  const Chat& chat_;
  const CallIndex calls_;
  const Capabilities& caps_;
  CallNotes& notes_;
  size_t at_ = 0;
  size_t messages_ = 0;
};

}  // namespace

Result<void> write_responses_input(JsonWriter& json, const Chat& chat, const TargetModel& target,
                                   CallNotes& notes) {
  return ItemsWriter(json, chat, target, notes).write();
}

}  // namespace weir
