#include "codec/openai_responses_request.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <set>

#include "codec/effort.h"
#include "codec/end_user.h"
#include "codec/file_ids.h"
#include "codec/logprobs_wish.h"
#include "codec/offered_tools.h"
#include "codec/openai_responses_items.h"
#include "codec/openai_responses_tools.h"
#include "codec/openai_strict.h"
#include "codec/service_tier.h"
#include "codec/tool_names.h"
#include "codec/turn_settings.h"
#include "codec/unused.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::openai_responses;
// OpenAI's OpenAPI document, schemas CreateResponse and ModelResponseProperties.
constexpr int64_t kMaxTokensMin = 16;
constexpr size_t kUserMax = 64;

class RequestWriter {
 public:
  RequestWriter(const Chat& chat, const TargetModel& target, EncodedCall& call)
      : chat_(chat),
        target_(target),
        caps_(*target.capabilities),
        quirks_(target.capabilities->quirks),
        call_(call),
        counts_(call.notes.operation == Operation::count_tokens),
        json_(call.wire.body) {}

  Result<void> write() {
    if (chat_.choices.value_or(1) > 1)
      return fail(ErrorKind::unsupported, "this model gives one answer at a time: n must be 1", "n");
    TRY(check_files(chat_, {Dialect::openai_chat, Dialect::openai_responses}));
    TRY(check_arguments(chat_, kDialect));
    note_tool_names(chat_, &legal_openai_tool_name, CustomTools::native, call_.notes);
    json_.begin_object().key("model").value(target_.model);
    TRY(write_responses_input(json_, chat_, target_, call_.notes));
    TRY(write_tools());
    write_text();
    write_reasoning();
    if (!chat_.previous_response_id.empty())
      json_.key("previous_response_id").value(chat_.previous_response_id);
    if (!counts_) {
      if (chat_.is_streamed) json_.key("stream").value(true);
      write_limits();
      write_sampling();
      write_storage();
      write_identity();
      write_extras();
      TRY(report_rest());
    }
    json_.end_object();
    return {};
  }

 private:
  void lose(Severity severity, LossReason reason, std::string_view field, std::string from = {},
            std::string to = {}) {
    call_.notes.fidelity.add(severity, reason, fmt::format("/{}", field), std::move(from), std::move(to));
  }

  // ---- Tools

  Result<void> write_tools() {
    if (chat_.tools.empty()) return {};
    json_.key("tools").begin_array();
    for (const Tool& tool : chat_.tools) TRY(write_tool(tool));
    json_.end_array();
    if (chat_.tool_choice) {
      json_.key("tool_choice");
      write_responses_tool_choice(json_, *chat_.tool_choice, chat_, call_.notes.tool_names);
    }
    if (!chat_.parallel_tools) return {};
    if (quirks_.no_parallel_tool_calls) {
      lose(Severity::warning, LossReason::dropped, "parallel_tool_calls");
    } else {
      json_.key("parallel_tool_calls").value(*chat_.parallel_tools);
    }
    return {};
  }

  Result<void> write_tool(const Tool& tool) {
    const std::string_view wire = call_.notes.tool_names.wire(tool.name);
    if (tool.cache) lose(Severity::info, LossReason::cache_dropped, "tools", "cache_control");
    // The definition as it came keeps what the IR has no place for.
    if (tool.dialect == kDialect && tool.raw && (tool.kind == ToolKind::server || wire == tool.name)) {
      json_.raw(tool.raw.text);
      return {};
    }
    if (tool.kind == ToolKind::server) {
      return fail(ErrorKind::unsupported,
                  fmt::format("the tool {} is run by another vendor; this model cannot call it", tool.type),
                  "tools");
    }
    const bool is_custom = tool.kind == ToolKind::custom;
    json_.begin_object().key("type").value(is_custom ? "custom" : "function").key("name").value(wire);
    if (!tool.description.empty()) json_.key("description").value(tool.description);
    if (is_custom) {
      if (!tool.grammar.empty()) write_grammar(tool);
    } else {
      // Here a tool is strict unless it says otherwise, elsewhere it is not.
      const bool is_strict = tool.strict.value_or(false);
      const OpenAiSchema schema = openai_arguments_schema(
          function_schema(tool), is_strict && !quirks_.no_tool_strict,
          fmt::format("/tools/{}/parameters", &tool - chat_.tools.data()), call_.notes.fidelity);
      json_.key("parameters").raw(schema.text);
      if (!quirks_.no_tool_strict) {
        json_.key("strict").value(schema.strict.value_or(false));
      } else if (is_strict) {
        lose(Severity::info, LossReason::dropped, "tools", "strict");
      }
    }
    json_.end_object();
    return {};
  }

  void write_grammar(const Tool& tool) {
    json_.key("format").begin_object().key("type").value("grammar");
    json_.key("syntax").value(tool.grammar_syntax).key("definition").value(tool.grammar).end_object();
  }

  // ---- The answer's form

  void write_text() {
    const ResponseFormat& format = chat_.format;
    if (format.kind == FormatKind::text && chat_.verbosity.empty()) return;
    json_.key("text").begin_object();
    if (format.kind != FormatKind::text) write_format(format);
    if (!chat_.verbosity.empty()) json_.key("verbosity").value(chat_.verbosity);
    json_.end_object();
  }

  void write_format(const ResponseFormat& format) {
    json_.key("format").begin_object();
    if (format.kind == FormatKind::json_schema && caps_.json_schema != JsonSchemaSupport::none) {
      json_.key("type").value("json_schema");
      json_.key("name").value(format.name.empty() ? "structured_output" : format.name);
      if (!format.description.empty()) json_.key("description").value(format.description);
      const OpenAiSchema schema = openai_answer_schema(format_schema(format), format.strict, call_.notes);
      json_.key("schema").raw(schema.text);
      if (schema.strict) json_.key("strict").value(*schema.strict);
    } else {
      if (format.kind == FormatKind::json_schema)
        lose(Severity::warning, LossReason::emulated, "response_format", "json_schema", "json_object");
      json_.key("type").value("json_object");
    }
    json_.end_object();
  }

  // The vendor's words for how much of the reasoning is shown; "" for none. Callers who give a budget speak a
  // dialect that shows thinking unless it is told not to.
  static std::string_view summary_of(const Reasoning& reasoning) {
    constexpr std::array<std::string_view, 3> kOwn = {"auto", "concise", "detailed"};
    const std::string_view display = reasoning.display;
    if (std::find(kOwn.begin(), kOwn.end(), display) != kOwn.end()) return display;
    const bool is_usual = display.empty() && reasoning.budget_tokens && !reasoning.is_disabled;
    return is_usual || display == "summarized" ? "auto" : "";
  }

  void write_reasoning() {
    const Reasoning& reasoning = chat_.reasoning;
    const std::string_view summary = summary_of(reasoning);
    if (!reasoning.is_set() && summary.empty()) return;
    if (caps_.thinking == ThinkingMode::none) {
      if (!reasoning.is_disabled) lose(Severity::info, LossReason::dropped, "reasoning");
      return;
    }
    // What is left to the model is as when nothing is said.
    const bool says_much = reasoning.is_disabled || reasoning.effort || reasoning.budget_tokens;
    if (!says_much && summary.empty()) return;
    json_.key("reasoning").begin_object();
    if (reasoning.is_disabled) {
      if (caps_.effort_levels && caps_.effort_levels->contains(EffortLevel::off)) {
        json_.key("effort").value("none");
      } else {
        lose(Severity::info, LossReason::dropped, "reasoning", "disabled");
      }
    } else if (reasoning.effort || reasoning.budget_tokens) {
      EffortLevel effort = asked_effort(reasoning);
      if (caps_.effort_levels && !caps_.effort_levels->empty()) effort = caps_.effort_levels->nearest(effort);
      if (!reasoning.effort) {
        lose(Severity::info, LossReason::emulated, "thinking", "budget", std::string(to_string(effort)));
      } else if (*reasoning.effort != effort) {
        lose(Severity::info, LossReason::clamped, "reasoning", std::string(to_string(*reasoning.effort)),
             std::string(to_string(effort)));
      }
      json_.key("effort").value(to_string(effort));
    }
    if (!summary.empty()) json_.key("summary").value(summary);
    json_.end_object();
  }

  // ---- Limits and sampling

  void write_limits() {
    if (chat_.max_tokens) {
      int64_t tokens = std::max(*chat_.max_tokens, kMaxTokensMin);
      if (caps_.output_max) tokens = std::min(tokens, *caps_.output_max);
      if (tokens != *chat_.max_tokens) {
        lose(Severity::info, LossReason::clamped, "max_tokens", fmt::format("{}", *chat_.max_tokens),
             fmt::format("{}", tokens));
      }
      json_.key("max_output_tokens").value(tokens);
    }
    call_.notes.watch_for(chat_.stop);
  }

  void write_sampling() {
    std::optional<double> temperature = chat_.temperature;
    if (temperature && caps_.temperature)
      temperature = clamp_temperature(*temperature, *caps_.temperature, call_.notes.fidelity);
    write_fraction("temperature", temperature);
    write_fraction("top_p", chat_.top_p);
    write_logprobs();
  }

  // Here the number of alternatives is a setting of its own: without `include` none are shown.
  void write_logprobs() {
    std::optional<int64_t> top = chat_.top_logprobs;
    if (chat_.logprobs.value_or(false) || caps_.logprobs_max == 0) {
      logprobs_ = logprobs_wish(chat_, caps_, call_.notes.fidelity);
      top = logprobs_ ? logprobs_->top : std::nullopt;
    }
    if (top) json_.key("top_logprobs").value(*top);
  }

  void write_fraction(std::string_view key, const std::optional<double>& value) {
    if (!value) return;
    if (caps_.allows_sampling == false && *value != 1) {
      lose(Severity::warning, LossReason::dropped, key, fmt::format("{}", *value));
    } else {
      json_.key(key).value(*value);
    }
  }

  // ---- What is kept, and whose it is

  bool reasons() const {
    if (caps_.thinking) return *caps_.thinking != ThinkingMode::none;
    return chat_.reasoning.is_set() && !chat_.reasoning.is_disabled;
  }

  // Weir keeps the turns itself, so that the next one may go to any vendor: this one need not keep them, and
  // gives its reasoning along.
  void write_storage() {
    if (!quirks_.no_store) json_.key("store").value(chat_.is_stored.value_or(false));
    std::vector<std::string> wanted;
    if (reasons()) wanted.emplace_back("reasoning.encrypted_content");
    if (logprobs_) wanted.emplace_back("message.output_text.logprobs");
    std::set<std::string> seen(wanted.begin(), wanted.end());
    for (const ExtraField& extra : chat_.extras) {
      if (extra.key != "include" || extra.dialect != kDialect) continue;
      const Result<JsonDoc> parsed = JsonDoc::parse(std::string(extra.raw.text));
      if (!parsed) continue;
      for (const JsonValue entry : parsed->root()) {
        std::string name(entry.string_or(""));
        if (seen.insert(name).second) wanted.push_back(std::move(name));
      }
    }
    if (wanted.empty()) return;
    json_.key("include").begin_array();
    for (const std::string& name : wanted) json_.value(name);
    json_.end_array();
  }

  void write_identity() {
    if (!chat_.end_user.empty() && !quirks_.no_user) {
      json_.key("safety_identifier").value(fitting_end_user(chat_.end_user, kUserMax, call_.notes.fidelity));
    }
    if (!chat_.prompt_cache_key.empty()) json_.key("prompt_cache_key").value(chat_.prompt_cache_key);
    if (!chat_.service_tier.empty()) {
      const std::string_view tier =
          chat_.service_tier == "standard_only" ? "default" : openai_service_tier(chat_.service_tier);
      if (tier.empty()) {
        lose(Severity::info, LossReason::dropped, "service_tier", std::string(chat_.service_tier));
      } else {
        json_.key("service_tier").value(tier);
      }
    }
  }

  // Metadata is for answers that the vendor keeps.
  Result<void> report_rest() {
    std::vector<ChatField> taken = {ChatField::stop,         ChatField::logprobs,
                                    ChatField::verbosity,    ChatField::reasoning,
                                    ChatField::service_tier, ChatField::prompt_cache_key};
    taken.push_back(ChatField::reasoning_display);
    if (!quirks_.no_user) taken.push_back(ChatField::end_user);
    return report_unused(chat_, kDialect, taken, call_.notes.fidelity);
  }

  void write_extras() {
    for (const ExtraField& extra : chat_.extras) {
      if (extra.dialect != kDialect) {
        lose(Severity::warning, LossReason::dropped, extra.key);
      } else if (extra.key != "include") {
        json_.key(extra.key).raw(extra.raw.text);
      }
    }
  }

  const Chat& chat_;
  const TargetModel& target_;
  const Capabilities& caps_;
  const Quirks& quirks_;
  EncodedCall& call_;
  const bool counts_;
  std::optional<LogprobsWish> logprobs_;
  JsonWriter json_;
};

}  // namespace

Result<void> write_responses_request(const Chat& chat, const TargetModel& target, EncodedCall& call) {
  return RequestWriter(chat, target, call).write();
}

}  // namespace weir
