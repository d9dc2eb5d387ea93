#include "codec/openai_provider_messages.h"

#include <algorithm>
#include <fmt/core.h>

#include "base/crypto.h"
#include "codec/args.h"
#include "codec/call_ids.h"
#include "codec/offered_tools.h"
#include "codec/openai_reasoning.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::openai_chat;

bool is_tool_result(const Block& block) {
  return std::holds_alternative<ToolResultBlock>(block.body);
}

bool has_results(const Message& message) {
  return std::any_of(message.content.begin(), message.content.end(), is_tool_result);
}

constexpr size_t kShortIdLength = 9;

// Mistral takes ids of nine letters and digits only. The same id gives the same nine, so a call and its
// result still meet; ids of new calls are the provider's own, so nothing is mapped back.
std::string nine_characters(std::string_view id) {
  return is_nine_characters(id) ? std::string(id) : sha256_hex(id).substr(0, kShortIdLength);
}

// A message and where it stood in the request.
struct Turn {
  const Message* message = nullptr;
  size_t at = 0;
};

class MessagesWriter {
 public:
  MessagesWriter(JsonWriter& json, const Chat& chat, const TargetModel& target, CallNotes& notes)
      : json_(json),
        chat_(chat),
        quirks_(target.capabilities->quirks),
        caps_(*target.capabilities),
        notes_(notes) {}

  Result<void> write() {
    json_.begin_array();
    const std::vector<Turn> turns = quirks_.strict_alternation ? alternating_turns() : turns_as_they_are();
    for (const Turn& turn : turns) {
      const Message& message = *turn.message;
      at_ = turn.at;
      is_last_ = &turn == &turns.back();
      is_answered_on_ = !is_last_ && has_results(*(&turn + 1)->message);
      switch (message.role) {
        case Role::system:
        case Role::developer:
          TRY(write_system(message));
          break;
        case Role::assistant:
          TRY(write_assistant(message));
          break;
        case Role::tool:
        case Role::user:
          TRY(write_user(message));
          break;
      }
    }
    json_.end_array();
    return {};
  }

 private:
  std::vector<Turn> turns_as_they_are() const {
    std::vector<Turn> turns;
    turns.reserve(chat_.messages.size());
    for (size_t at = 0; at < chat_.messages.size(); ++at) turns.push_back({&chat_.messages[at], at});
    return turns;
  }

  // After the system messages the user and the assistant take turns: instructions that come later are the
  // user's, and neighbours of one side become one. Tool results stay as they are.
  std::vector<Turn> alternating_turns() {
    std::vector<Turn> turns;
    merged_.reserve(chat_.messages.size());  // turns point into it
    for (at_ = 0; at_ < chat_.messages.size(); ++at_) {
      const Message& message = chat_.messages[at_];
      const bool is_instruction = message.role == Role::system || message.role == Role::developer;
      const bool is_late = is_instruction && !is_leading_;
      is_leading_ = is_leading_ && is_instruction;
      if (is_late) {
        notes_.fidelity.add(Severity::warning, LossReason::emulated, pointer("/role"), "system", "user");
      }
      const Role role = is_late ? Role::user : message.role;
      const bool takes_turns = (role == Role::user || role == Role::assistant) && !has_results(message);
      if (takes_turns && !merged_.empty() && turns.back().message == &merged_.back() &&
          merged_.back().role == role) {
        notes_.fidelity.add(Severity::info, LossReason::merged, pointer(), {},
                            fmt::format("/messages/{}", turns.back().at));
        std::vector<Block>& content = merged_.back().content;
        content.insert(content.end(), message.content.begin(), message.content.end());
      } else if (takes_turns) {
        merged_.push_back(message);
        merged_.back().role = role;
        turns.push_back({&merged_.back(), at_});
      } else {
        turns.push_back({&message, at_});
      }
    }
    return turns;
  }

  std::string pointer(std::string_view rest = {}) const { return fmt::format("/messages/{}{}", at_, rest); }

  std::string_view system_role() const {
    if (quirks_.system_role_only) return "system";
    return caps_.system_role == SystemRole::developer ? "developer" : "system";
  }

  // Whether the block is of another dialect, and has no form here: an empty list would be refused, so it goes
  // before what is left is looked at.
  bool drops(const Block& block) {
    const auto* unknown = std::get_if<UnknownBlock>(&block.body);
    if (!unknown || unknown->dialect == kDialect) return false;
    notes_.fidelity.add(Severity::warning, LossReason::unsupported_block, pointer("/content"),
                        std::string(unknown->type));
    return true;
  }

  Result<void> write_system(const Message& message) {
    std::vector<Block> carried;
    for (const Block& block : message.content) {
      if (!drops(block)) carried.push_back(block);
    }
    return write_parts(system_role(), message, carried);
  }

  void write_name(const Message& message) {
    if (message.name.empty()) return;
    if (!quirks_.no_message_name) {
      json_.key("name").value(message.name);
    } else {
      notes_.fidelity.add(Severity::info, LossReason::dropped, pointer("/name"), std::string(message.name));
    }
  }

  // One message with text (a plain string when it is one text block without a marker) and parts.
  Result<void> write_parts(std::string_view role, const Message& message, std::span<const Block> blocks) {
    json_.begin_object().key("role").value(role);
    write_name(message);
    json_.key("content");
    TRY(write_content(blocks));
    json_.end_object();
    return {};
  }

  Result<void> write_content(std::span<const Block> blocks) {
    if (blocks.empty()) {
      json_.value("");
      return {};
    }
    if (blocks.size() == 1 && !(blocks[0].cache && takes_markers())) {
      if (const auto* text = std::get_if<TextBlock>(&blocks[0].body)) {
        report_cache(blocks[0]);
        json_.value(text->text);
        return {};
      }
    }
    json_.begin_array();
    for (const Block& block : blocks) TRY(write_part(block));
    json_.end_array();
    return {};
  }

  bool takes_markers() const { return caps_.cache_control == CacheControl::markers; }

  void report_cache(const Block& block) {
    if (block.cache)
      notes_.fidelity.add(Severity::info, LossReason::cache_dropped, pointer(), "cache_control");
  }

  void write_text(const TextBlock& text, const Block& block) {
    json_.begin_object().key("type").value("text").key("text").value(text.text);
    if (block.cache && takes_markers()) {
      json_.key("cache_control").begin_object().key("type").value("ephemeral");
      if (block.cache->ttl == CacheTtl::one_hour && caps_.cache_ttl_1h != false) json_.key("ttl").value("1h");
      json_.end_object();
    } else {
      report_cache(block);
    }
    json_.end_object();
  }

  Result<void> write_part(const Block& block) {
    if (const auto* text = std::get_if<TextBlock>(&block.body)) {
      write_text(*text, block);
      return {};
    }
    report_cache(block);
    if (const auto* image = std::get_if<ImageBlock>(&block.body)) {
      TRY(write_image(*image));
    } else if (const auto* document = std::get_if<DocumentBlock>(&block.body)) {
      TRY(write_document(*document));
    } else if (const auto* audio = std::get_if<AudioBlock>(&block.body)) {
      TRY(write_audio(*audio));
    } else if (std::holds_alternative<VideoBlock>(block.body)) {
      return fail(ErrorKind::unsupported, "this provider takes no video; send images of it",
                  pointer("/content"));
    } else if (const auto* refusal = std::get_if<RefusalBlock>(&block.body)) {
      json_.begin_object().key("type").value("text").key("text").value(refusal->text).end_object();
    } else if (const auto* unknown = std::get_if<UnknownBlock>(&block.body)) {
      json_.raw(unknown->raw.text);
    }
    return {};
  }

  std::unexpected<Error> refuse(std::string message) const {
    return fail(ErrorKind::unsupported, std::move(message), pointer("/content"));
  }

  Result<void> write_audio(const AudioBlock& audio) {
    if (caps_.audio_in == false) return refuse("this model takes no audio; send its text");
    json_.begin_object().key("type").value("input_audio").key("input_audio").begin_object();
    json_.key("data").value(audio.media.base64).key("format").value(audio.format);
    json_.end_object().end_object();
    return {};
  }

  Result<void> write_image(const ImageBlock& image) {
    if (caps_.vision == false) return refuse("this model takes no images");
    if (!image.media.file_id.empty()) {
      return fail(ErrorKind::unsupported,
                  "this provider takes images by their bytes or their URL, not by a file's id",
                  pointer("/content"));
    }
    json_.begin_object().key("type").value("image_url").key("image_url").begin_object().key("url");
    if (image.media.base64.empty()) {
      json_.value(image.media.url);
    } else {
      json_.value(fmt::format("data:{};base64,{}", image.media.mime, image.media.base64));
    }
    if (!image.detail.empty()) json_.key("detail").value(image.detail);
    json_.end_object().end_object();
    return {};
  }

  Result<void> write_document(const DocumentBlock& document) {
    if (document.wants_citations) {
      notes_.fidelity.add(Severity::warning, LossReason::dropped, pointer("/content"), "citations");
    }
    const bool has_file_name = document.text.empty() && document.media.file_id.empty();
    if (!document.title.empty() && !has_file_name)
      notes_.fidelity.add(Severity::info, LossReason::dropped, pointer("/content"), "title");
    if (!document.context.empty())
      notes_.fidelity.add(Severity::warning, LossReason::dropped, pointer("/content"), "context");
    if (!document.text.empty()) {
      notes_.fidelity.add(Severity::info, LossReason::coerced_string, pointer("/content"), "document",
                          "text");
      json_.begin_object().key("type").value("text").key("text").value(document.text).end_object();
      return {};
    }
    const bool is_pdf = document.media.mime.empty() || document.media.mime == "application/pdf";
    if (is_pdf && caps_.pdf == false) return refuse("this model takes no PDF documents; send their text");
    if (!document.media.url.empty()) {
      return fail(ErrorKind::unsupported, "this model takes documents by their bytes, not by URL",
                  pointer("/content"));
    }
    json_.begin_object().key("type").value("file").key("file").begin_object();
    if (!document.media.file_id.empty()) {
      json_.key("file_id").value(document.media.file_id);
    } else {
      const std::string_view mime = document.media.mime.empty() ? "application/pdf" : document.media.mime;
      json_.key("filename").value(document.title.empty() ? "document.pdf" : document.title);
      json_.key("file_data").value(fmt::format("data:{};base64,{}", mime, document.media.base64));
    }
    json_.end_object().end_object();
    return {};
  }

  // A user turn: first a tool message for each result, then images that results held, then what the user
  // said. The vendor wants all the tool messages of a turn together: images wait while more of them follow.
  Result<void> write_user(const Message& message) {
    std::vector<Block> rest;
    for (const Block& block : message.content) {
      if (const auto* result = std::get_if<ToolResultBlock>(&block.body)) {
        report_cache(block);
        TRY(write_tool_result(*result));
      } else if (!drops(block)) {
        rest.push_back(block);
      }
    }
    if (rest.empty() && is_answered_on_ && has_results(message)) return {};
    rest.insert(rest.begin(), attached_.begin(), attached_.end());
    attached_.clear();
    if (!rest.empty() || !has_results(message)) TRY(write_parts("user", message, rest));
    return {};
  }

  Result<void> write_tool_result(const ToolResultBlock& result) {
    std::string text;
    for (const Block& block : result.content) {
      if (const auto* words = std::get_if<TextBlock>(&block.body)) {
        report_cache(block);
        if (!text.empty()) text += '\n';
        text += words->text;
      } else if (const auto* unknown = std::get_if<UnknownBlock>(&block.body)) {
        notes_.fidelity.add(Severity::warning, LossReason::coerced_string, pointer("/content"),
                            std::string(unknown->type), "text");
        text += unknown->raw.text;
      } else {
        // Tool messages are text only: the media follows in a user message.
        if (!text.empty()) text += '\n';
        text += "[attachment below]";
        attached_.push_back(block);
        notes_.fidelity.add(Severity::info, LossReason::reordered, pointer("/content"), "tool_result",
                            "user message");
      }
    }
    if (result.is_error) {
      text = "ERROR: " + text;
      notes_.fidelity.add(Severity::info, LossReason::emulated, pointer("/content"), "is_error", "prefix");
    }
    json_.begin_object().key("role").value("tool").key("tool_call_id").value(call_id(result.call_id));
    json_.key("content").value(text).end_object();
    return {};
  }

  Result<void> write_assistant(const Message& message) {
    std::vector<Block> spoken;
    std::string thinking;
    bool loses_signature = false;
    std::vector<const Block*> sealed;
    std::string_view details;
    std::vector<const ToolCallBlock*> calls;
    std::string refusal;
    bool is_reordered = false;
    for (const Block& block : message.content) {
      if (const auto* call = std::get_if<ToolCallBlock>(&block.body)) {
        report_cache(block);
        calls.push_back(call);
      } else if (quirks_.reasoning_details && is_details(block)) {
        if (block.own->raw) details = block.own->raw.text;
      } else if (is_sealed(block)) {
        sealed.push_back(&block);
      } else if (const auto* thought = std::get_if<ThinkingBlock>(&block.body)) {
        thinking += thought->text;
        loses_signature = loses_signature || !thought->signature.empty();
      } else if (std::holds_alternative<RedactedThinkingBlock>(block.body)) {
        notes_.fidelity.add(Severity::info, LossReason::thinking_dropped, pointer("/content"),
                            "redacted_thinking");
      } else if (const auto* refused = std::get_if<RefusalBlock>(&block.body)) {
        if (!refusal.empty()) refusal += '\n';
        refusal += refused->text;
      } else if (!is_tool_result(block) && !drops(block)) {
        is_reordered = is_reordered || !calls.empty();
        spoken.push_back(block);
      }
    }
    // A message has its text before its calls.
    if (is_reordered)
      notes_.fidelity.add(Severity::info, LossReason::reordered, pointer("/content"), "text",
                          "before_the_calls");
    json_.begin_object().key("role").value("assistant");
    write_name(message);
    json_.key("content");
    if (quirks_.thinking_parts && !thinking.empty()) {
      TRY(write_thinking_parts(thinking, spoken));
    } else if (spoken.empty() && calls.empty() && refusal.empty()) {
      json_.value("");  // nothing else says anything: the vendor wants a text then
    } else if (spoken.empty()) {
      json_.null();
    } else {
      TRY(write_content(spoken));
    }
    if (!refusal.empty()) json_.key("refusal").value(refusal);
    if (details.empty()) {
      write_sealed(sealed);
    } else {
      json_.key(kReasoningDetails).raw(details);
    }
    write_thinking(thinking);
    if (loses_signature && (thinking.empty() || says_thinking())) {
      notes_.fidelity.add(Severity::info, LossReason::signature_dropped, pointer("/content"), "thinking",
                          thinking.empty() ? "" : "its text");
    }
    write_calls(calls);
    if (quirks_.prefill_needs_prefix && is_last_ && calls.empty()) json_.key("prefix").value(true);
    json_.end_object();
    return {};
  }

  // Mistral's form: reasoning is the first part of the content.
  Result<void> write_thinking_parts(std::string_view thinking, std::span<const Block> spoken) {
    json_.begin_array().begin_object().key("type").value("thinking").key("thinking").begin_array();
    json_.begin_object().key("type").value("text").key("text").value(thinking).end_object();
    json_.end_array().end_object();
    for (const Block& block : spoken) TRY(write_part(block));
    json_.end_array();
    return {};
  }

  // One of a list that the server, or one like it, has given.
  static bool is_details(const Block& block) {
    return block.own && block.own->dialect == kDialect && block.own->type == kReasoningDetails;
  }

  // Thinking that the vendor behind the server has signed or encrypted, where the server hands that on.
  bool is_sealed(const Block& block) const {
    if (!quirks_.thinking_blocks && !quirks_.reasoning_details) return false;
    const auto is_its = [](const std::optional<Dialect>& issuer) {
      return issuer && shares_signatures(*issuer, Dialect::openai_chat);
    };
    if (const auto* thought = std::get_if<ThinkingBlock>(&block.body))
      return is_its(thought->issuer) && !thought->signature.empty();
    const auto* redacted = std::get_if<RedactedThinkingBlock>(&block.body);
    return redacted && is_its(redacted->issuer);
  }

  void write_sealed(std::span<const Block* const> blocks) {
    if (blocks.empty()) return;
    if (quirks_.reasoning_details) {
      json_.key(kReasoningDetails);
      return write_reasoning_details(json_, blocks);
    }
    json_.key("thinking_blocks").begin_array();
    for (const Block* block : blocks) {
      json_.begin_object().key("type");
      if (const auto* redacted = std::get_if<RedactedThinkingBlock>(&block->body)) {
        json_.value("redacted_thinking").key("data").value(redacted->data);
      } else {
        const auto& thought = std::get<ThinkingBlock>(block->body);
        json_.value("thinking").key("thinking").value(thought.text);
        json_.key("signature").value(thought.signature);
      }
      json_.end_object();
    }
    json_.end_array();
  }

  bool says_thinking() const {
    return quirks_.thinking_parts || quirks_.reasoning_content || quirks_.reasoning_field;
  }

  void write_thinking(std::string_view thinking) {
    if (thinking.empty() || quirks_.thinking_parts) return;
    if (quirks_.reasoning_content) {
      json_.key("reasoning_content").value(thinking);
    } else if (quirks_.reasoning_field) {
      json_.key("reasoning").value(thinking);
    } else {
      notes_.fidelity.add(Severity::info, LossReason::thinking_dropped, pointer("/content"), "thinking");
    }
  }

  void write_calls(const std::vector<const ToolCallBlock*>& calls) {
    if (calls.empty()) return;
    json_.key("tool_calls").begin_array();
    for (const ToolCallBlock* call : calls) {
      const bool is_custom = call->kind == ToolKind::custom;
      json_.begin_object().key("id").value(call_id(call->id));
      json_.key("type")
          .value(is_custom ? "custom" : "function")
          .key(is_custom ? "custom" : "function")
          .begin_object();
      // A tool of the history that is no longer offered has no entry in the map.
      json_.key("name").value(legal_openai_tool_name(notes_.tool_names.wire(call->name)));
      if (is_custom) {
        json_.key("input").value(call->arguments);
      } else {
        json_.key("arguments").value(object_arguments(*call));
      }
      json_.end_object().end_object();
    }
    json_.end_array();
  }

  // The text of a JSON object: servers parse it for their chat template, and an answer that was cut off left
  // half of one.
  std::string object_arguments(const ToolCallBlock& call) {
    std::string text;
    JsonWriter json(text);
    const ArgumentsRepair repair = write_object_arguments(json, call.arguments);
    if (repair != ArgumentsRepair::none) {
      notes_.fidelity.add(Severity::info, LossReason::emulated, pointer("/tool_calls"), "arguments",
                          repair == ArgumentsRepair::wrapped_text ? "_raw" : "value");
    }
    return text;
  }

  std::string call_id(std::string_view id) const {
    return quirks_.tool_call_id_9 ? nine_characters(id) : short_call_id(id);
  }

  JsonWriter& json_;
  const Chat& chat_;
  const Quirks& quirks_;
  const Capabilities& caps_;
  CallNotes& notes_;
  size_t at_ = 0;
  bool is_last_ = false;
  bool is_answered_on_ = false;    // tool results stand in the next turn too
  std::vector<Block> attached_{};  // media of results, which a user's message is to carry
  bool is_leading_ = true;         // no turn has come before: alternating_turns
  std::vector<Message> merged_{};  // of alternating_turns
};

}  // namespace

bool is_nine_characters(std::string_view id) {
  const auto is_legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return id.size() == kShortIdLength && std::all_of(id.begin(), id.end(), is_legal);
}

Result<void> write_openai_messages(JsonWriter& json, const Chat& chat, const TargetModel& target,
                                   CallNotes& notes) {
  return MessagesWriter(json, chat, target, notes).write();
}

}  // namespace weir
