#include "codec/unused.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <optional>
#include <string>

#include "codec/body_shape.h"
#include "codec/search_results.h"

namespace weir {
namespace {

// Nothing when the chat does not state the field; else what it states, in short.
using Stated = std::optional<std::string>;

Stated number(const std::optional<double>& value) {
  return value.value_or(0) != 0 ? Stated(fmt::format("{}", *value)) : std::nullopt;
}

Stated count(const std::optional<int64_t>& value) {
  return value ? Stated(fmt::format("{}", *value)) : std::nullopt;
}

Stated word(std::string_view text) {
  return text.empty() ? std::nullopt : Stated(text);
}

// For what is somebody's own: that it was there, not what it was.
Stated mark(bool is_stated) {
  return is_stated ? Stated("") : std::nullopt;
}

bool is_usual_tier(std::string_view tier) {
  return tier == "auto" || tier == "default" || tier == "standard_only";
}

struct Row {
  ChatField field;
  std::string_view pointer;
  Severity severity;
  Stated (*stated)(const Chat& chat);
};

constexpr std::array<Row, kChatFieldCount> kRows = {{
    {ChatField::stop, "/stop", Severity::warning, [](const Chat& c) { return mark(!c.stop.empty()); }},
    {ChatField::top_k, "/top_k", Severity::warning, [](const Chat& c) { return count(c.top_k); }},
    {ChatField::frequency_penalty, "/frequency_penalty", Severity::warning,
     [](const Chat& c) { return number(c.frequency_penalty); }},
    {ChatField::presence_penalty, "/presence_penalty", Severity::warning,
     [](const Chat& c) { return number(c.presence_penalty); }},
    {ChatField::seed, "/seed", Severity::warning, [](const Chat& c) { return count(c.seed); }},
    {ChatField::logprobs, "/logprobs", Severity::warning,
     [](const Chat& c) { return mark(c.logprobs.value_or(false) || c.top_logprobs.value_or(0) > 0); }},
    {ChatField::verbosity, "/verbosity", Severity::warning, [](const Chat& c) { return word(c.verbosity); }},
    {ChatField::reasoning, "/reasoning", Severity::info,
     [](const Chat& c) { return mark(c.reasoning.is_set() && !c.reasoning.is_disabled); }},
    {ChatField::reasoning_display, "/reasoning/summary", Severity::info,
     [](const Chat& c) {
       const bool asks = !c.reasoning.is_set() && c.reasoning.display != "omitted";
       return asks ? word(c.reasoning.display) : std::nullopt;
     }},
    {ChatField::end_user, "/user", Severity::info, [](const Chat& c) { return mark(!c.end_user.empty()); }},
    {ChatField::service_tier, "/service_tier", Severity::info,
     [](const Chat& c) { return is_usual_tier(c.service_tier) ? std::nullopt : word(c.service_tier); }},
    {ChatField::prompt_cache_key, "/prompt_cache_key", Severity::info,
     [](const Chat& c) { return mark(!c.prompt_cache_key.empty()); }},
    {ChatField::metadata, "/metadata", Severity::info,
     [](const Chat& c) { return mark(!c.metadata.empty()); }},
}};

// Whether the dialect has search results itself: whoever writes it reports what the model does not take.
bool has_search_results(Dialect dialect) {
  return dialect == Dialect::anthropic_messages || dialect == Dialect::bedrock_converse;
}

void report_own_forms(const std::vector<Block>& blocks, size_t message, Dialect target, Fidelity& fidelity) {
  for (const Block& block : blocks) {
    const bool has_counterpart = is_search_result(block) && has_search_results(target);
    // Whoever writes thinking reports what is lost of it.
    const bool is_thinking = std::holds_alternative<ThinkingBlock>(block.body) ||
                             std::holds_alternative<RedactedThinkingBlock>(block.body);
    if (block.own && !has_counterpart && !is_thinking && (block.own->dialect != target || !block.own->raw))
      fidelity.add(block.own->raw ? Severity::warning : Severity::info, LossReason::coerced_string,
                   fmt::format("/messages/{}/content", message), std::string(block.own->type), "plain");
    if (const auto* result = std::get_if<ToolResultBlock>(&block.body))
      report_own_forms(result->content, message, target, fidelity);
  }
}

}  // namespace

Result<void> refuse_truncation(const Chat& chat) {
  const bool wants = std::any_of(chat.extras.begin(), chat.extras.end(), [](const ExtraField& extra) {
    return extra.dialect == Dialect::openai_responses && extra.key == "truncation";
  });
  if (!wants) return {};
  return fail(ErrorKind::unsupported,
              "this model's provider does not shorten a history: leave truncation out, or say \"disabled\"",
              "truncation");
}

Result<void> refuse_unknown_values(const Chat& chat) {
  if (chat.only_raw) return fail(*chat.only_raw);
  return {};
}

Result<void> report_unused(const Chat& chat, Dialect target, const std::vector<ChatField>& taken,
                           Fidelity& fidelity) {
  if (target != Dialect::openai_responses) TRY(refuse_truncation(chat));
  for (const Row& row : kRows) {
    if (std::find(taken.begin(), taken.end(), row.field) != taken.end()) continue;
    if (Stated stated = row.stated(chat))
      fidelity.add(row.severity, LossReason::dropped, std::string(row.pointer), std::move(*stated));
  }
  for (size_t at = 0; at < chat.messages.size(); ++at)
    report_own_forms(chat.messages[at].content, at, target, fidelity);
  report_unread(chat.body, target, fidelity);
  return {};
}

}  // namespace weir
