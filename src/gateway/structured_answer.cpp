#include "gateway/structured_answer.h"

#include <fmt/core.h>

#include "base/limits.h"
#include "base/text.h"
#include "codec/format_words.h"
#include "gateway/metered_part.h"
#include "llm/json_schema.h"

namespace weir {
namespace {

constexpr std::string_view kPointer = "/response_format";

std::string_view name_of(const ResponseFormat& format) {
  return format.kind == FormatKind::json_object ? "json_object" : "json_schema";
}

// The words that ask for the format, for a model that only reads.
std::string instruction_of(const ResponseFormat& format) {
  if (format.kind == FormatKind::json_object)
    return "Answer with one JSON object and nothing else: no explanation, no Markdown.";
  return fmt::format(
      "Answer with one JSON value and nothing else: no explanation, no Markdown. It must follow this JSON "
      "Schema:\n{}",
      format.schema.text);
}

void say(Chat& chat, Role role, std::string text) {
  Message message;
  message.role = role;
  message.content.push_back(
      {.body = TextBlock{chat.arena->keep(std::move(text))}, .cache = {}, .pointer = {}});
  chat.messages.push_back(std::move(message));
}

// The request with the schema as words, after what the operator said and before the conversation.
Chat instructed(const Chat& chat, const Capabilities& capabilities) {
  Chat made = chat;
  made.arena = made.arena.fork();
  size_t at = 0;
  while (at < made.messages.size() &&
         (made.messages[at].role == Role::system || made.messages[at].role == Role::developer)) {
    ++at;
  }
  const Role role = at > 0 ? made.messages[at - 1].role : Role::system;
  say(made, role, instruction_of(chat.format));
  std::rotate(made.messages.begin() + static_cast<std::ptrdiff_t>(at), made.messages.end() - 1,
              made.messages.end());
  made.format = {};
  if (capabilities.json_object == true) made.format.kind = FormatKind::json_object;
  return made;
}

// One try: all its events, and its text.
struct Held {
  std::vector<Event> events;
  std::string text;
  bool calls_tools = false;
  bool is_cut = false;  // by a limit, a filter or a refusal: the same request would end so again
};

// Whether the model ended the answer itself, and may do better when it is told what is wrong.
bool is_of_its_own(StopReason reason) {
  return reason == StopReason::end || reason == StopReason::stop_sequence || reason == StopReason::other;
}

Task<Held> hold_back(Scope& scope, EventSource& source) {
  Held held;
  std::vector<int> texts;  // the indexes of text blocks
  size_t bytes = 0;
  for (bool is_over = false; !is_over;) {
    const EventBatch* batch = CO_TRY(co_await source.next(scope));
    for (const Event& event : batch->events) {
      held.events.push_back(event);
      is_over = is_over || std::holds_alternative<End>(event);
      if (const auto* start = std::get_if<BlockStart>(&event)) {
        if (start->kind == BlockKind::text) texts.push_back(start->index);
        held.calls_tools = held.calls_tools || start->kind == BlockKind::tool_call;
        held.is_cut = held.is_cut || start->kind == BlockKind::refusal;
      }
      if (const auto* finish = std::get_if<Finish>(&event))
        held.is_cut = held.is_cut || !is_of_its_own(finish->reason);
      const auto* delta = std::get_if<Delta>(&event);
      if (!delta) continue;
      bytes += delta->text.size();
      const bool is_text = std::find(texts.begin(), texts.end(), delta->index) != texts.end();
      if (delta->kind == DeltaKind::content && is_text) held.text += delta->text;
    }
    if (bytes > kValidatedAnswerBytesMax) {
      co_return fail(
          ErrorKind::upstream_malformed,
          fmt::format("the answer is larger than the {} bytes that can be checked against a schema",
                      kValidatedAnswerBytesMax));
    }
  }
  co_return held;
}

struct Checked {
  std::string problem;  // empty: it follows the schema
  std::vector<std::string> unchecked;
};

Result<Checked> check(std::string_view text, const ResponseFormat& format) {
  Checked checked;
  Result<JsonDoc> value = JsonDoc::parse(std::string(json_in_answer(text)));
  if (!value) {
    checked.problem = "it is not valid JSON: " + value.error().message;
    return checked;
  }
  if (format.kind == FormatKind::json_object) {
    if (!value->root().is_object()) checked.problem = "it is not a JSON object";
    return checked;
  }
  const JsonDoc schema_doc = TRY(JsonDoc::parse(std::string(format.schema.text)));
  SchemaVerdict verdict = TRY(check_json_schema(value->root(), schema_doc.root()));
  checked.problem = verdict.violation.value_or("");
  checked.unchecked = std::move(verdict.unchecked);
  return checked;
}

// The same events with the JSON alone for text, in the place of the first piece.
std::vector<Event> with_json_alone(Held held) {
  const std::string json(json_in_answer(held.text));
  if (json == held.text) return std::move(held.events);
  std::vector<int> texts;
  std::vector<Event> events;
  bool is_said = false;
  for (Event& event : held.events) {
    if (const auto* start = std::get_if<BlockStart>(&event); start && start->kind == BlockKind::text)
      texts.push_back(start->index);
    if (auto* delta = std::get_if<Delta>(&event);
        delta && delta->kind == DeltaKind::content &&
        std::find(texts.begin(), texts.end(), delta->index) != texts.end()) {
      if (std::exchange(is_said, true)) continue;
      delta->text = json;
    }
    events.push_back(std::move(event));
  }
  return events;
}

Usage usage_of(const std::vector<Event>& events) {
  Usage usage;
  for (const Event& event : events) {
    if (const auto* report = std::get_if<UsageReport>(&event)) usage.set_from(report->usage);
  }
  return usage;
}

// What both tries cost, in place of what the last one did.
void replace_usage(std::vector<Event>& events, const Usage& earlier) {
  Usage sum = usage_of(events);
  sum.add(earlier);
  std::erase_if(events, [](const Event& event) { return std::holds_alternative<UsageReport>(event); });
  events.insert(events.end() - 1, UsageReport{.usage = sum});
}

}  // namespace

std::string_view json_in_answer(std::string_view text) {
  text = trim(text);
  if (!text.starts_with("```")) return text;
  const size_t line = text.find('\n');
  const size_t end = text.rfind("```");
  if (line == std::string_view::npos || end <= line) return text;
  return trim(text.substr(line + 1, end - line - 1));
}

bool needs_validation(const Exchange& exchange) {
  const auto* chat = std::get_if<Chat>(&exchange.request);
  const Candidate& target = *exchange.target;
  const Provider& provider = *target.target->provider;
  // Several choices in one answer are not told apart here; each of a fan-out is.
  return chat && chat->choices.value_or(1) <= 1 && !provider.local &&
         is_format_by_words(*chat, provider.kind.dialect,
                            {.model = target.model, .capabilities = &target.capabilities});
}

Task<std::unique_ptr<EventSource>> validated_answer(Exchange& exchange, Next next) {
  const Chat base = std::get<Chat>(exchange.sent());  // shares the texts
  const std::string format(name_of(base.format));
  Fidelity fidelity = exchange.adapted ? exchange.adapted->fidelity : Fidelity{};
  fidelity.add(Severity::info, LossReason::emulated, std::string(kPointer), format, "instructed");
  Chat chat = instructed(base, exchange.target->capabilities);
  Usage earlier;
  exchange.compose();
  for (bool is_last = false;; is_last = true) {
    exchange.adapted = std::make_unique<Adaptation>(Adaptation{.request = chat, .fidelity = fidelity});
    std::unique_ptr<EventSource> source = metered_part(CO_TRY(co_await next(exchange)), exchange);
    Held held = CO_TRY(co_await hold_back(*exchange.scope, *source));
    source.reset();
    if (held.calls_tools) {
      if (is_last) replace_usage(held.events, earlier);
      co_return std::make_unique<StoredSource>(std::move(held.events));
    }
    const Checked checked = CO_TRY(check(held.text, base.format));
    if (!checked.problem.empty() && !is_last && !held.is_cut) {
      earlier = usage_of(held.events);
      say(chat, Role::assistant, held.text.empty() ? std::string("(nothing)") : held.text);
      say(chat, Role::user,
          fmt::format("That does not follow the format: {}. Answer again with the JSON value alone.",
                      checked.problem));
      fidelity.add(Severity::info, LossReason::emulated, std::string(kPointer), format, "asked twice");
      continue;
    }
    Fidelity found;
    for (const std::string& keyword : checked.unchecked)
      found.add(Severity::info, LossReason::dropped, std::string(kPointer), keyword, "not checked");
    if (!checked.problem.empty())
      found.add(Severity::warning, LossReason::dropped, std::string(kPointer), format, checked.problem);
    CO_TRY(check_strict(exchange, found));
    exchange.fidelity.add(found);
    std::vector<Event> events =
        checked.problem.empty() ? with_json_alone(std::move(held)) : std::move(held.events);
    if (is_last) replace_usage(events, earlier);
    co_return std::make_unique<StoredSource>(std::move(events));
  }
}

}  // namespace weir
