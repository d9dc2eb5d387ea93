#include "codec/anthropic_request.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>

#include "base/text.h"
#include "codec/answer_schema.h"
#include "codec/anthropic_encode.h"
#include "codec/anthropic_provider_messages.h"
#include "codec/anthropic_thinking.h"
#include "codec/file_ids.h"
#include "codec/offered_tools.h"
#include "codec/schema_downlevel.h"
#include "codec/tool_names.h"
#include "codec/turn_settings.h"
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
                                   .wraps_root = true,
                                   .formats = kNativeFormats,
                                   .describes_bounds = true,
                                   .bounds = kNativeBounds,
                                   .min_items_max = 1};

std::string legal_anthropic_tool_name(std::string_view name) {
  return legal_tool_name(name, kAnthropicToolNameMax);
}

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
    // Bedrock, which wants the betas in the body, has no store.
    TRY(framing_.betas ? check_files(chat_, {}) : check_files(chat_, {kDialect}));
    TRY(check_arguments(chat_, kDialect));
    note_tool_names(chat_, &legal_anthropic_tool_name, CustomTools::wrapped, call_.notes);
    Conversation conversation = TRY(arrange_turns(chat_, {.dialect = kDialect}, call_.notes));
    thinking_ = plan_anthropic_thinking(chat_, conversation, target_, call_.notes.fidelity);
    if (conversation.ends_with_assistant() && caps_.prefill == false) {
      return fail(ErrorKind::unsupported,
                  "this model does not continue a message of the assistant; end with a message of the user",
                  "messages");
    }
    const CacheMarkers markers(chat_, conversation, target_, ResultMarkers::within, call_.notes);
    AnthropicMessagesWriter messages(json_, markers, target_, call_.notes);
    if (!counts_) way_ = choose_format_way(chat_, caps_, {.forces_tools = forces_tools()}, call_.notes);
    write_head();
    if (!counts_) write_max_tokens();
    if (chat_.is_streamed && framing_.has_stream) json_.key("stream").value(true);
    std::string instruction;
    if (way_ == FormatWay::instruct) instruction = format_instruction(chat_.format);
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
    // A limit of nothing means something to other vendors, and is not the same as none.
    if (!counts_ && chat_.max_tokens == 0) {
      return fail(ErrorKind::unsupported, "max_tokens must be at least 1 for this model", "max_tokens");
    }
    return {};
  }

  // ---- The answer's format

  // The arguments' schema in the form in which the vendor enforces it.
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
      if (!chat_.format.description.empty())
        lose(Severity::info, LossReason::dropped, "response_format/description");
      json_.key("format").begin_object().key("type").value("json_schema");
      json_.key("schema")
          .raw(answer_schema(format_schema(chat_.format), kNativeRules, call_.notes))
          .end_object();
    }
    for (const ExtraField& extra : chat_.extras) {
      if (extra.dialect == kDialect && extra.key.starts_with(kOutputConfigPrefix))
        json_.key(extra.key.substr(kOutputConfigPrefix.size())).raw(extra.raw.text);
    }
    json_.end_object();
  }

  // ---- Limits and sampling

  void write_max_tokens() {
    const int64_t tokens = fit_max_tokens(chat_, caps_, thinking_, call_.notes.fidelity);
    if (!chat_.max_tokens)
      lose(Severity::info, LossReason::synthesised, "max_tokens", "", fmt::format("{}", tokens));
    json_.key("max_tokens").value(tokens);
  }

  Result<void> write_sampling() {
    Fidelity& fidelity = call_.notes.fidelity;
    const std::optional<double> temperature = fit_temperature(chat_, caps_, is_sampling_fixed(), fidelity);
    if (temperature) json_.key("temperature").value(*temperature);
    if (const auto top_p = fit_top_p(chat_, caps_, thinking_.is_on(), temperature.has_value(), fidelity))
      json_.key("top_p").value(*top_p);
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

  void write_stop() {
    const std::vector<std::string_view> stops = fit_stops(chat_, caps_, false, call_.notes);
    if (stops.empty()) return;
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
    const bool is_taken =
        tool.dialect == kDialect && (!framing_.takes_tool || framing_.takes_tool(tool.type));
    if (tool.kind == ToolKind::server && !is_taken) {
      return fail(ErrorKind::unsupported,
                  fmt::format("the tool {} is run by another vendor; this model cannot call it", tool.type),
                  "tools");
    }
    const std::string_view wire = call_.notes.tool_names.wire(tool.name);
    // The definition as it came keeps what the IR has no place for.
    if (tool.dialect == kDialect && tool.raw && wire == tool.name && !markers.drops(tool.cache)) {
      write_own_tool(tool, markers);
      return {};
    }
    json_.begin_object().key("name").value(wire);
    if (!tool.description.empty()) json_.key("description").value(tool.description);
    if (tool.kind == ToolKind::custom) {
      report_wrapped_tool(tool, call_.notes.fidelity);
      json_.key("input_schema").raw(kCustomToolSchema);
    } else {
      const std::string schema = function_schema(tool);
      const std::string pointer = fmt::format("/tools/{}/input_schema", &tool - chat_.tools.data());
      json_.key("input_schema");
      json_.raw(tool.strict == true ? native_schema(schema, pointer) : schema);
    }
    if (tool.strict.value_or(false)) json_.key("strict").value(true);
    write_anthropic_cache(json_, markers, tool.cache);
    json_.end_object();
    return {};
  }

  // The marker may be one that the definition does not have: then it is put in front of its members.
  void write_own_tool(const Tool& tool, const CacheMarkers& markers) {
    const std::string_view raw = tool.raw.text;
    if (!markers.keeps(tool.cache) || raw.find(R"("cache_control")") != std::string_view::npos) {
      json_.raw(raw);
    } else {
      json_.raw(fmt::format(R"({{"cache_control":{{"type":"ephemeral"}},{})", raw.substr(1)));
    }
  }

  void write_json_tool() {
    json_.begin_object().key("name").value(call_.notes.json_tool).key("description");
    json_.value(json_tool_description(chat_.format));
    json_.key("input_schema").raw(json_tool_schema(chat_.format, call_.notes)).end_object();
  }

  // A history with calls but no tools is refused by some servers: what it names is declared, not to be
  // called.
  void write_stub_tools(const Conversation& conversation) {
    const std::vector<std::string> names = called_tool_names(conversation, kAnthropicToolNameMax);
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
    ToolChoice choice = choice_with_json_tool(chat_, call_.notes.json_tool);
    const bool is_single = chat_.parallel_tools == false;
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
      const bool is_beta = extra.dialect == kDialect && extra.key == kAnthropicBeta;
      const bool is_output = extra.key.starts_with(kOutputConfigPrefix);
      const bool is_taken = is_beta || is_output || !framing_.takes_field || framing_.takes_field(extra.key);
      if (extra.dialect != kDialect || !is_taken) {
        lose(Severity::warning, LossReason::dropped, extra.key);
      } else if (is_beta) {
        if (!framing_.betas) write_beta_header(extra.raw.text);
      } else if (!is_output) {
        json_.key(extra.key).raw(extra.raw.text);
      }
    }
    if (framing_.betas) write_betas_in_body();
  }

  void write_betas_in_body() {
    const std::vector<std::string_view> names = framing_.betas(chat_, call_.notes.fidelity);
    if (names.empty()) return;
    json_.key("anthropic_beta").begin_array();
    for (const std::string_view name : names) json_.value(name);
    json_.end_array();
  }

  // The names are letters, digits and dashes: a value that had to be escaped is none of them.
  void write_beta_header(std::string_view raw) {
    if (raw.size() < 2 || raw.front() != '"' || raw.find('\\') != std::string_view::npos)
      return lose(Severity::warning, LossReason::dropped, kAnthropicBeta);
    call_.wire.headers.add(kAnthropicBeta, raw.substr(1, raw.size() - 2));
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
