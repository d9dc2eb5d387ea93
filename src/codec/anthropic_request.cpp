#include "codec/anthropic_request.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <set>

#include "base/text.h"
#include "codec/anthropic_encode.h"
#include "codec/anthropic_provider_messages.h"
#include "codec/anthropic_thinking.h"
#include "codec/offered_tools.h"
#include "codec/schema_downlevel.h"
#include "codec/tool_names.h"
#include "codec/unused.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::anthropic_messages;
constexpr std::string_view kOutputConfigPrefix = "output_config.";

// https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
constexpr std::array<std::string_view, 10> kNativeFormats = {"date-time", "time", "date", "duration", "email",
                                                             "hostname",  "uri",  "ipv4", "ipv6",     "uuid"};
constexpr std::array<std::string_view, 1> kNativeBounds = {"minItems"};
constexpr SchemaRules kNativeRules{.refs = SchemaRefs::kept_unless_recursive,
                                   .open_objects = OpenObjects::closed,
                                   .has_any_of_only = true,
                                   .formats = kNativeFormats,
                                   .describes_bounds = true,
                                   .bounds = kNativeBounds,
                                   .min_items_max = 1};

std::string legal_anthropic_tool_name(std::string_view name) {
  return legal_tool_name(name, kAnthropicToolNameMax);
}

// How the answer's format is asked for.
enum class FormatWay : uint8_t { none, native, tool, instruct };

class RequestWriter {
 public:
  RequestWriter(const Chat& chat, const TargetModel& target, EncodedCall& call,
                const AnthropicFraming& framing)
      : chat_(chat),
        framing_(framing),
        target_(target),
        caps_(*target.capabilities),
        call_(call),
        counts_(call.notes.operation == Operation::count_tokens),
        json_(call.wire.body) {}

  Result<void> write() {
    TRY(refuse());
    note_tool_names(chat_, &legal_anthropic_tool_name, CustomTools::wrapped, call_.notes);
    Conversation conversation = TRY(arrange_turns(chat_, {.dialect = kDialect}, call_.notes));
    thinking_ = plan_anthropic_thinking(chat_, conversation, target_, call_.notes.fidelity);
    if (conversation.ends_with_assistant() && caps_.prefill == false) {
      return fail(ErrorKind::unsupported,
                  "this model does not continue a message of the assistant; end with a message of the user",
                  "messages");
    }
    const CacheMarkers markers(chat_, conversation, target_, call_.notes);
    AnthropicMessagesWriter messages(json_, markers, target_, call_.notes);
    choose_format();
    write_head();
    if (!counts_) write_max_tokens();
    if (chat_.is_streamed && framing_.has_stream) json_.key("stream").value(true);
    const std::string instruction = format_instruction();
    if (!conversation.system.empty() || !instruction.empty()) {
      json_.key("system");
      messages.write_system(conversation, instruction);
    }
    json_.key("messages");
    TRY(messages.write_messages(conversation));
    TRY(write_tools(markers, conversation));
    thinking_.write(json_);
    write_output_config();
    if (!counts_) TRY(write_sampling());
    write_extras();
    json_.end_object();
    return {};
  }

 private:
  void lose(Severity severity, LossReason reason, std::string_view field, std::string from = {},
            std::string to = {}) {
    call_.notes.fidelity.add(severity, reason, fmt::format("/{}", field), std::move(from), std::move(to));
  }

  void write_head() {
    json_.begin_object();
    if (!framing_.body_version.empty()) json_.key(kAnthropicVersionField).value(framing_.body_version);
    if (framing_.has_model) json_.key("model").value(target_.model);
  }

  Result<void> refuse() {
    if (chat_.choices.value_or(1) > 1) {
      return fail(ErrorKind::unsupported, "this model gives one answer at a time: n must be 1", "n");
    }
    return {};
  }

  // ---- The answer's format

  void choose_format() {
    if (chat_.format.kind == FormatKind::text || counts_) return;
    way_ = FormatWay::instruct;
    if (chat_.format.kind == FormatKind::json_schema) {
      const JsonSchemaSupport support = caps_.json_schema.value_or(JsonSchemaSupport::native);
      if (support == JsonSchemaSupport::native) {
        way_ = FormatWay::native;
        return;
      }
      // Thinking forbids forced tools; so does a choice of the caller's own that names one.
      const bool is_named = chat_.tool_choice && chat_.tool_choice->mode == ToolChoiceMode::named;
      if (support == JsonSchemaSupport::tool && forces_tools() && !is_named) way_ = FormatWay::tool;
    }
    if (way_ == FormatWay::tool) call_.notes.json_tool = json_tool_name();
    lose(Severity::info, LossReason::emulated, "response_format",
         chat_.format.kind == FormatKind::json_schema ? "json_schema" : "json_object",
         way_ == FormatWay::tool ? "forced tool" : "instruction");
  }

  // A name that no tool of the caller's has.
  std::string json_tool_name() const {
    std::string name = "json_output";
    const auto is_taken = [&](const Tool& tool) { return tool.name == name; };
    while (std::any_of(chat_.tools.begin(), chat_.tools.end(), is_taken)) name += '_';
    return name;
  }

  std::string format_instruction() const {
    if (way_ != FormatWay::instruct) return {};
    std::string text = "Answer with one JSON object and nothing else: no explanation, no code fence.";
    if (chat_.format.schema) {
      text += " It must be valid against this JSON schema:\n";
      text += chat_.format.schema.text;
    }
    return text;
  }

  std::string_view format_schema() const {
    return chat_.format.schema ? chat_.format.schema.text : std::string_view(R"({"type":"object"})");
  }

  // The schema in the form in which the vendor enforces it.
  std::string native_schema(std::string_view schema, std::string_view pointer) {
    return downlevel_schema(schema, kNativeRules, SchemaUse::arguments, pointer, call_.notes.fidelity).text;
  }

  void write_output_config() {
    const bool has_extras =
        std::any_of(chat_.extras.begin(), chat_.extras.end(), [](const ExtraField& extra) {
          return extra.dialect == kDialect && extra.key.starts_with(kOutputConfigPrefix);
        });
    if (way_ != FormatWay::native && !thinking_.effort && !has_extras) return;
    json_.key("output_config").begin_object();
    if (thinking_.effort) json_.key("effort").value(to_string(*thinking_.effort));
    if (way_ == FormatWay::native) {
      json_.key("format").begin_object().key("type").value("json_schema");
      json_.key("schema").raw(native_schema(format_schema(), "/response_format/schema")).end_object();
    }
    for (const ExtraField& extra : chat_.extras) {
      if (extra.dialect == kDialect && extra.key.starts_with(kOutputConfigPrefix))
        json_.key(extra.key.substr(kOutputConfigPrefix.size())).raw(extra.raw.text);
    }
    json_.end_object();
  }

  // ---- Limits and sampling

  void write_max_tokens() {
    constexpr int64_t kDefault = 4096;
    int64_t tokens = chat_.max_tokens.value_or(caps_.output_max.value_or(kDefault));
    if (!chat_.max_tokens)
      lose(Severity::info, LossReason::synthesised, "max_tokens", "", fmt::format("{}", tokens));
    int64_t wanted = tokens;
    if (caps_.output_max) tokens = std::min(tokens, *caps_.output_max);
    tokens = thinking_.fit(tokens, caps_.output_max);
    if (thinking_.was_dropped)
      lose(Severity::warning, LossReason::dropped, "thinking", "a budget that does not fit max_tokens");
    if (tokens != wanted) {
      lose(Severity::info, LossReason::clamped, "max_tokens", fmt::format("{}", wanted),
           fmt::format("{}", tokens));
    }
    json_.key("max_tokens").value(tokens);
  }

  Result<void> write_sampling() {
    write_temperature();
    write_top_p();
    if (chat_.top_k) {
      if (is_sampling_fixed()) {
        lose(Severity::warning, LossReason::dropped, "top_k", fmt::format("{}", *chat_.top_k));
      } else {
        json_.key("top_k").value(*chat_.top_k);
      }
    }
    write_stop();
    if (!chat_.end_user.empty())
      json_.key("metadata").begin_object().key("user_id").value(chat_.end_user).end_object();
    write_service_tier();
    return report_unused(chat_, kDialect,
                         {ChatField::stop, ChatField::top_k, ChatField::reasoning, ChatField::end_user,
                          ChatField::service_tier},
                         call_.notes.fidelity);
  }

  // With thinking the vendor takes no other temperature than 1 and no top_k.
  bool is_sampling_fixed() const { return caps_.allows_sampling == false || thinking_.is_on(); }

  void write_temperature() {
    if (!chat_.temperature) return;
    const double wanted = *chat_.temperature;
    if (is_sampling_fixed()) {
      if (wanted != 1) lose(Severity::warning, LossReason::dropped, "temperature", fmt::format("{}", wanted));
      return;
    }
    const TemperatureRange range = caps_.temperature.value_or(TemperatureRange{.min = 0, .max = 1});
    const double sent = std::clamp(wanted, range.min, range.max);
    if (sent != wanted) {
      lose(Severity::warning, LossReason::clamped, "temperature", fmt::format("{}", wanted),
           fmt::format("{}", sent));
    }
    has_temperature_ = true;
    json_.key("temperature").value(sent);
  }

  void write_top_p() {
    constexpr double kTopPMinWithThinking = 0.95;
    if (!chat_.top_p) return;
    const bool is_alone = caps_.allows_temp_and_top_p != false || !has_temperature_;
    const bool fits =
        caps_.allows_sampling != false && (!thinking_.is_on() || *chat_.top_p >= kTopPMinWithThinking);
    if (is_alone && fits) {
      json_.key("top_p").value(*chat_.top_p);
    } else if (*chat_.top_p != 1) {
      lose(Severity::warning, LossReason::dropped, "top_p", fmt::format("{}", *chat_.top_p));
    }
  }

  void write_stop() {
    std::vector<std::string_view> stops;
    for (const std::string_view stop : chat_.stop) {
      if (!trim(stop).empty()) stops.push_back(stop);
    }
    if (stops.size() < chat_.stop.size()) lose(Severity::warning, LossReason::dropped, "stop", "white space");
    if (stops.empty()) return;
    if (caps_.allows_stop == false) return call_.notes.watch_for(stops);
    json_.key("stop_sequences").begin_array();
    for (const std::string_view stop : stops) json_.value(stop);
    json_.end_array();
  }

  void write_service_tier() {
    const std::string_view tier = chat_.service_tier;
    if (tier.empty()) return;
    if (tier == "auto" || tier == "standard_only") {
      json_.key("service_tier").value(tier);
    } else if (tier != "default") {
      lose(Severity::info, LossReason::dropped, "service_tier", std::string(tier));
    }
  }

  // ---- Tools

  // False: this call cannot demand a tool.
  bool forces_tools() const { return caps_.forced_tool != false && !thinking_.is_on(); }

  Result<void> write_tools(const CacheMarkers& markers, const Conversation& conversation) {
    if (chat_.tools.empty() && way_ != FormatWay::tool) {
      write_stub_tools(conversation);
      return {};
    }
    const AllowedTools allowed(chat_);
    json_.key("tools").begin_array();
    for (const Tool& tool : chat_.tools) {
      if (allowed.allows(tool.name)) TRY(write_tool(tool, markers));
    }
    if (way_ == FormatWay::tool) write_json_tool();
    json_.end_array();
    if (allowed.has_limit())
      lose(Severity::info, LossReason::emulated, "tool_choice", "allowed_tools", "fewer tools");
    write_tool_choice();
    return {};
  }

  Result<void> write_tool(const Tool& tool, const CacheMarkers& markers) {
    if (tool.kind == ToolKind::server && tool.dialect != kDialect) {
      return fail(ErrorKind::unsupported,
                  fmt::format("the tool {} is run by another vendor; this model cannot call it", tool.type),
                  "tools");
    }
    const std::string_view wire = call_.notes.tool_names.wire(tool.name);
    // The definition as it came keeps what the IR has no place for.
    if (tool.dialect == kDialect && tool.raw && wire == tool.name && !markers.drops(tool.cache)) {
      json_.raw(tool.raw.text);
      return {};
    }
    json_.begin_object().key("name").value(wire);
    if (!tool.description.empty()) json_.key("description").value(tool.description);
    if (tool.kind == ToolKind::custom) {
      report_wrapped_tool(tool, call_.notes.fidelity);
      json_.key("input_schema").raw(kCustomToolSchema);
    } else {
      const std::string_view schema = tool.schema ? tool.schema.text : kNoArgumentsSchema;
      const std::string pointer = fmt::format("/tools/{}/input_schema", &tool - chat_.tools.data());
      json_.key("input_schema");
      json_.raw(tool.strict == true ? native_schema(schema, pointer) : std::string(schema));
    }
    if (tool.strict.value_or(false)) json_.key("strict").value(true);
    write_anthropic_cache(json_, markers, tool.cache);
    json_.end_object();
    return {};
  }

  void write_json_tool() {
    json_.begin_object().key("name").value(call_.notes.json_tool).key("description");
    json_.value(chat_.format.description.empty() ? "Gives the answer. Call it once, with the whole answer."
                                                 : chat_.format.description);
    json_.key("input_schema").raw(format_schema()).end_object();
  }

  // A history with calls but no tools is refused by some servers: what it names is declared, not to be
  // called.
  void write_stub_tools(const Conversation& conversation) {
    std::set<std::string> seen;
    std::vector<std::string> names;
    for (const Turn& turn : conversation.turns) {
      for (const Block* block : turn.blocks) {
        const auto* call = std::get_if<ToolCallBlock>(&block->body);
        if (!call) continue;
        std::string name = legal_tool_name(call->name, kAnthropicToolNameMax);
        if (seen.insert(name).second) names.push_back(std::move(name));
      }
    }
    if (names.empty()) return;
    lose(Severity::info, LossReason::synthesised, "tools", "",
         fmt::format("{} of the history", names.size()));
    json_.key("tools").begin_array();
    for (const std::string& name : names)
      json_.begin_object().key("name").value(name).key("input_schema").raw(kNoArgumentsSchema).end_object();
    json_.end_array();
    json_.key("tool_choice").begin_object().key("type").value("none").end_object();
  }

  void write_tool_choice() {
    ToolChoice choice = chat_.tool_choice.value_or(ToolChoice{});
    const bool is_single = chat_.parallel_tools == false;
    if (way_ == FormatWay::tool) {
      // Beside tools of the caller's, either one of them or the answer.
      const bool may_call = !chat_.tools.empty() && choice.mode != ToolChoiceMode::none;
      choice.mode = may_call ? ToolChoiceMode::required : ToolChoiceMode::named;
      choice.name = call_.notes.json_tool;
    }
    const bool is_forced = choice.mode == ToolChoiceMode::required || choice.mode == ToolChoiceMode::named;
    if (is_forced && !forces_tools()) {
      lose(Severity::warning, LossReason::dropped, "tool_choice", "a forced tool", "auto");
      choice.mode = ToolChoiceMode::automatic;
    }
    const bool is_default = choice.mode == ToolChoiceMode::automatic;
    if (is_default && !chat_.tool_choice && !is_single) return;
    json_.key("tool_choice").begin_object().key("type");
    switch (choice.mode) {
      case ToolChoiceMode::automatic:
        json_.value("auto");
        break;
      case ToolChoiceMode::required:
        json_.value("any");
        break;
      case ToolChoiceMode::none:
        json_.value("none");
        break;
      case ToolChoiceMode::named:
        json_.value("tool").key("name").value(call_.notes.tool_names.wire(choice.name));
        break;
    }
    if (is_single && choice.mode != ToolChoiceMode::none) json_.key("disable_parallel_tool_use").value(true);
    json_.end_object();
  }

  // ---- What the IR has no place for

  void write_extras() {
    for (const ExtraField& extra : chat_.extras) {
      if (extra.dialect != kDialect) {
        lose(Severity::warning, LossReason::dropped, extra.key);
      } else if (extra.key == kAnthropicBeta) {
        write_beta(extra.raw.text);
      } else if (!extra.key.starts_with(kOutputConfigPrefix)) {
        json_.key(extra.key).raw(extra.raw.text);
      }
    }
  }

  // The names are letters, digits and dashes: a value that had to be escaped is none of them.
  void write_beta(std::string_view raw) {
    if (raw.size() < 2 || raw.front() != '"' || raw.find('\\') != std::string_view::npos)
      return lose(Severity::warning, LossReason::dropped, kAnthropicBeta);
    const std::string_view names = raw.substr(1, raw.size() - 2);
    if (!framing_.has_betas) {
      call_.wire.headers.add(kAnthropicBeta, names);
      return;
    }
    json_.key("anthropic_beta").begin_array();
    for (const std::string_view name : split(names, ',')) {
      if (!trim(name).empty()) json_.value(trim(name));
    }
    json_.end_array();
  }

  const Chat& chat_;
  const AnthropicFraming& framing_;
  const TargetModel& target_;
  const Capabilities& caps_;
  EncodedCall& call_;
  const bool counts_;
  JsonWriter json_;
  AnthropicThinking thinking_;
  FormatWay way_ = FormatWay::none;
  bool has_temperature_ = false;
};

}  // namespace

const SchemaRules& anthropic_schema_rules() {
  return kNativeRules;
}

Result<void> write_anthropic_request(const Chat& chat, const TargetModel& target, EncodedCall& call,
                                     const AnthropicFraming& framing) {
  return RequestWriter(chat, target, call, framing).write();
}

}  // namespace weir
