#include "provider/extract_target.h"

#include <fmt/core.h>

#include "codec/unused.h"
#include "provider/extract_model.h"

namespace weir {
namespace {

std::string text_of(const std::vector<Block>& blocks) {
  std::string text;
  for (const Block& block : blocks) {
    std::string_view piece;
    std::string inner;
    if (const auto* words = std::get_if<TextBlock>(&block.body)) {
      piece = words->text;
    } else if (const auto* document = std::get_if<DocumentBlock>(&block.body)) {
      piece = document->text;
    } else if (const auto* refusal = std::get_if<RefusalBlock>(&block.body)) {
      piece = refusal->text;
    } else if (const auto* result = std::get_if<ToolResultBlock>(&block.body)) {
      inner = text_of(result->content);
      piece = inner;
    }
    if (piece.empty()) continue;
    if (!text.empty()) text += "\n\n";
    text += piece;
  }
  return text;
}

void append_paragraph(std::string& to, std::string text) {
  if (text.empty()) return;
  if (!to.empty()) to += "\n\n";
  to += text;
}

ExtractFormat format_of(FormatKind kind) {
  switch (kind) {
    case FormatKind::json_object:
      return ExtractFormat::json_object;
    case FormatKind::json_schema:
      return ExtractFormat::json_schema;
    case FormatKind::text:
      break;
  }
  return ExtractFormat::text;
}

// The last user message asks; what came before is its context.
ExtractRequest request_of(const Chat& chat) {
  ExtractRequest request;
  size_t last = chat.messages.size();
  for (size_t i = 0; i < chat.messages.size(); ++i) {
    if (chat.messages[i].role == Role::user) last = i;
  }
  for (size_t i = 0; i < chat.messages.size(); ++i) {
    const Message& message = chat.messages[i];
    std::string text = text_of(message.content);
    if (i == last) {
      request.question = std::move(text);
    } else if (message.role == Role::system || message.role == Role::developer) {
      append_paragraph(request.instructions, std::move(text));
    } else {
      append_paragraph(request.context, std::move(text));
    }
  }
  request.format = format_of(chat.format.kind);
  request.json_schema = chat.format.schema.text;
  request.max_tokens = chat.max_tokens;
  for (const std::string_view stop : chat.stop) request.stop_sequences.emplace_back(stop);
  return request;
}

Finish finish_of(const ExtractAnswer& answer) {
  Finish finish;
  switch (answer.stop_reason) {
    case ExtractStop::end_turn:
      finish.reason = StopReason::end;
      break;
    case ExtractStop::max_tokens:
      finish.reason = StopReason::length;
      break;
    case ExtractStop::refusal:
      finish.reason = StopReason::refusal;
      break;
    case ExtractStop::stop_sequence:
      finish.reason = StopReason::stop_sequence;
      finish.stop_sequence = answer.stop_sequence;
      break;
  }
  return finish;
}

std::vector<Event> events_of(const ExtractAnswer& answer) {
  std::vector<Event> events;
  Start start;
  start.model = kExtractModel;
  events.push_back(std::move(start));
  const bool is_refusal = answer.stop_reason == ExtractStop::refusal;
  events.push_back(BlockStart{.kind = is_refusal ? BlockKind::refusal : BlockKind::text});
  for (const std::string_view chunk : stream_chunks(answer.text))
    events.push_back(Delta{.text = std::string(chunk)});
  events.push_back(BlockEnd{});
  events.push_back(finish_of(answer));
  Usage usage;
  usage.in_uncached = answer.input_tokens;
  usage.out_text = answer.output_tokens;
  events.push_back(UsageReport{usage});
  events.push_back(End{});
  return events;
}

// What this model does not look at, or refuses because an answer without it would be another one.
class Losses {
 public:
  Result<Fidelity> of(const Chat& chat) {
    if (chat.choices.value_or(1) > 1)
      return fail(ErrorKind::unsupported, "weir/extract gives one answer at a time: n must be 1", "n");
    TRY(look_at_tools(chat));
    for (size_t at = 0; at < chat.messages.size(); ++at) {
      if (!chat.messages[at].name.empty()) lose(fmt::format("/messages/{}/name", at));
      TRY(look_at(chat.messages[at].content, at));
    }
    if (chat.temperature) lose("/temperature", fmt::format("{}", *chat.temperature));
    if (chat.top_p) lose("/top_p", fmt::format("{}", *chat.top_p));
    for (const ExtraField& extra : chat.extras) lose(fmt::format("/{}", extra.key));
    // As another model that reads nothing but text: no dialect's own forms mean more to it.
    TRY(report_unused(chat, Dialect::bedrock_invoke, {ChatField::stop}, fidelity_));
    return std::move(fidelity_);
  }

 private:
  void lose(std::string pointer, std::string from = {}) {
    fidelity_.add(Severity::warning, LossReason::dropped, std::move(pointer), std::move(from));
  }

  Result<void> look_at_tools(const Chat& chat) {
    const ToolChoiceMode mode = chat.tool_choice ? chat.tool_choice->mode : ToolChoiceMode::automatic;
    if (mode == ToolChoiceMode::required || mode == ToolChoiceMode::named)
      return fail(ErrorKind::unsupported, "weir/extract calls no tools: leave tool_choice out",
                  "tool_choice");
    if (!chat.tools.empty() && mode != ToolChoiceMode::none) lose("/tools");
    return {};
  }

  Result<void> look_at(const std::vector<Block>& blocks, size_t message) {
    for (const Block& block : blocks) {
      const std::string place = fmt::format("/messages/{}/content", message);
      const auto* document = std::get_if<DocumentBlock>(&block.body);
      const auto* unknown = std::get_if<UnknownBlock>(&block.body);
      if (std::holds_alternative<ImageBlock>(block.body) || std::holds_alternative<AudioBlock>(block.body) ||
          std::holds_alternative<VideoBlock>(block.body) || (document && document->text.empty()) ||
          (unknown && unknown->is_reference))
        return fail(ErrorKind::unsupported, "weir/extract reads text only, and documents of plain text",
                    fmt::format("messages[{}].content", message));
      if (const auto* result = std::get_if<ToolResultBlock>(&block.body))
        TRY(look_at(result->content, message));
      if (document && document->wants_citations) lose(place, "citations");
      if (unknown)
        fidelity_.add(Severity::warning, LossReason::unsupported_block, place, std::string(unknown->type));
      if (std::holds_alternative<ToolCallBlock>(block.body))
        fidelity_.add(Severity::warning, LossReason::unsupported_block, place, "tool call");
      if (std::holds_alternative<ThinkingBlock>(block.body) ||
          std::holds_alternative<RedactedThinkingBlock>(block.body))
        fidelity_.add(Severity::info, LossReason::thinking_dropped, place);
      if (block.cache) fidelity_.add(Severity::info, LossReason::cache_dropped, place);
    }
    return {};
  }

  Fidelity fidelity_;
};

class ExtractTarget final : public LocalModel {
 public:
  explicit ExtractTarget(Pool& cpu) : cpu_(cpu) {}

  Result<Fidelity> losses(const Request& request) const override {
    const Chat* chat = chat_of(request);
    return chat ? Losses().of(*chat) : Fidelity();
  }

  Task<std::unique_ptr<EventSource>> answer(Scope& scope, const Request& request) override {
    if (const auto* count = std::get_if<CountTokens>(&request)) {
      const Chat chat = count->chat;  // shares its arena
      const int64_t tokens = CO_TRY(co_await cpu_.run(
          scope, [chat]() -> Result<int64_t> { return count_input_tokens(request_of(chat)); }));
      Usage usage;
      usage.in_uncached = tokens;
      co_return std::make_unique<StoredSource>(std::vector<Event>{UsageReport{usage}, End{}});
    }
    const auto* chat = std::get_if<Chat>(&request);
    if (!chat) co_return fail(ErrorKind::unsupported, "weir/extract answers chat requests only", "model");
    const ExtractRequest asked = request_of(*chat);
    ExtractAnswer answer =
        CO_TRY(co_await cpu_.run(scope, [asked]() -> Result<ExtractAnswer> { return extract(asked); }));
    co_return std::make_unique<StoredSource>(events_of(answer));
  }

 private:
  Pool& cpu_;
};

}  // namespace

std::shared_ptr<LocalModel> make_extract_target(Pool& cpu) {
  return std::make_shared<ExtractTarget>(cpu);
}

}  // namespace weir
