#include "codec/bedrock_converse_request.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>

#include "base/text.h"
#include "codec/answer_schema.h"
#include "codec/anthropic_encode.h"
#include "codec/anthropic_thinking.h"
#include "codec/bedrock_betas.h"
#include "codec/bedrock_converse_messages.h"
#include "codec/bedrock_converse_tools.h"
#include "codec/bedrock_models.h"
#include "codec/effort.h"
#include "codec/file_ids.h"
#include "codec/offered_tools.h"
#include "codec/turn_settings.h"
#include "codec/unused.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::bedrock_converse;
constexpr std::string_view kInferencePrefix = "inferenceConfig.";
constexpr std::string_view kModelFieldsPrefix = "additionalModelRequestFields.";

// translation.md 4.9: the models with a prompt cache. A profile's ARN does not tell; assume yes.
bool has_prompt_cache(std::string_view model, ModelFamily family) {
  const std::string_view id = bedrock_base_model(model);
  if (family == ModelFamily::nova) return true;
  if (family == ModelFamily::anthropic) {
    return id.find("claude-instant") == std::string_view::npos &&
           id.find("claude-v") == std::string_view::npos;
  }
  return family == ModelFamily::other && model.starts_with("arn:");
}

// The service's RequestMetadata: keys and values of this charset.
bool is_metadata_text(std::string_view text, size_t least) {
  constexpr std::string_view kMarks = " :_@$#=/+,-.";
  return text.size() >= least && text.size() <= 256 && std::all_of(text.begin(), text.end(), [&](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  kMarks.find(c) != std::string_view::npos;
         });
}

class RequestWriter {
 public:
  RequestWriter(const Chat& chat, const TargetModel& target, ConverseForm form, EncodedCall& call)
      : chat_(chat),
        family_(bedrock_family(target)),
        caps_(*target.capabilities),
        target_{.model = target.model, .capabilities = &caps_},
        form_(form),
        call_(call),
        counts_(call.notes.operation == Operation::count_tokens),
        json_(call.wire.body) {
    if (!caps_.cache_control && !has_prompt_cache(target.model, family_))
      caps_.cache_control = CacheControl::none;
    caps_.family = family_;
  }

  Result<void> write() {
    TRY(check_files(chat_, {}));
    const TurnRules rules{.dialect = kDialect,
                          .takes_thinking = family_ == ModelFamily::anthropic,
                          .takes_own_in_system = true,
                          .needs_user_first = true};
    const Conversation conversation = TRY(arrange_turns(chat_, rules, call_.notes));
    TRY(refuse(conversation));
    if (family_ == ModelFamily::anthropic)
      thinking_ = plan_anthropic_thinking(chat_, conversation, target_, call_.notes.fidelity);
    const CacheMarkers markers(chat_, conversation, target_, ResultMarkers::behind, call_.notes);
    ConverseMessagesWriter messages(json_, markers, caps_, own_dialect(), call_.notes);
    ConverseToolsWriter tools(chat_, family_, forces_tools(), call_);
    TRY(check_arguments(chat_, own_dialect()));
    note_tool_names(chat_, &legal_openai_tool_name, CustomTools::wrapped, call_.notes);
    if (!counts_) way_ = choose_format_way(chat_, caps_, format_rules(), call_.notes);
    json_.begin_object();
    if (form_ == ConverseForm::nova_body) json_.key("schemaVersion").value("messages-v1");
    std::vector<std::string> instructions;
    if (way_ == FormatWay::instruct) instructions.push_back(format_instruction(chat_.format));
    if (tools.forbids_by_words(conversation) && call_.notes.json_tool.empty())
      instructions.push_back("Do not call any tool. Answer in text.");
    if (!conversation.system.empty() || !instructions.empty()) {
      json_.key("system");
      messages.write_system(conversation, instructions);
    }
    json_.key("messages");
    TRY(messages.write_messages(conversation));
    if (!counts_) write_inference();
    std::optional<ConverseJsonTool> json_tool;
    if (way_ == FormatWay::tool) json_tool = make_json_tool();
    TRY(tools.write(json_, messages, conversation, json_tool ? &*json_tool : nullptr));
    write_model_fields(tools);
    if (form_ == ConverseForm::converse && !counts_) write_converse_members();
    if (!counts_) TRY(report_rest());
    json_.end_object();
    return {};
  }

 private:
  void lose(Severity severity, LossReason reason, std::string_view field, std::string from = {},
            std::string to = {}) {
    call_.notes.fidelity.add(severity, reason, fmt::format("/{}", field), std::move(from), std::move(to));
  }

  Result<void> refuse(const Conversation& conversation) {
    if (chat_.choices.value_or(1) > 1)
      return fail(ErrorKind::unsupported, "this model gives one answer at a time: n must be 1", "n");
    if (conversation.turns.front().role == Role::assistant) {
      return fail(ErrorKind::bad_request, "this model wants the first message to be the user's", "messages");
    }
    if (conversation.ends_with_assistant() && caps_.prefill == false) {
      return fail(ErrorKind::unsupported,
                  "this model does not continue a message of the assistant; end with a message of the user",
                  "messages");
    }
    return {};
  }

  // A model's own body knows none of what only the service reads.
  Dialect own_dialect() const { return form_ == ConverseForm::converse ? kDialect : Dialect::bedrock_invoke; }

  bool forces_tools() const { return caps_.forced_tool != false && !thinking_.is_on(); }

  FormatRules format_rules() const {
    return {.usual = caps_.tools == false ? JsonSchemaSupport::none : JsonSchemaSupport::tool,
            .has_native = form_ == ConverseForm::converse,
            .forces_tools = forces_tools(),
            .has_name = true};
  }

  ConverseJsonTool make_json_tool() {
    return {.description = json_tool_description(chat_.format),
            .schema = json_tool_schema(chat_.format, call_.notes)};
  }

  // ---- Limits and sampling

  void write_inference() {
    const std::optional<int64_t> tokens = max_tokens();
    Fidelity& fidelity = call_.notes.fidelity;
    const std::optional<double> temperature = fit_temperature(chat_, caps_, is_sampling_fixed(), fidelity);
    const std::optional<double> top_p =
        fit_top_p(chat_, caps_, thinking_.is_on(), temperature.has_value(), fidelity);
    // Only Claude's models refuse white space.
    const std::vector<std::string_view> stops =
        fit_stops(chat_, caps_, family_ != ModelFamily::anthropic, call_.notes);
    const bool has_extras = has_extra(kInferencePrefix);
    const bool has_top_k = form_ == ConverseForm::nova_body && chat_.top_k;
    if (!tokens && !temperature && !top_p && stops.empty() && !has_extras && !has_top_k) return;
    json_.key("inferenceConfig").begin_object();
    if (tokens) json_.key("maxTokens").value(*tokens);
    if (temperature) json_.key("temperature").value(*temperature);
    if (top_p) json_.key("topP").value(*top_p);
    if (has_top_k) json_.key("topK").value(*chat_.top_k);
    if (!stops.empty()) {
      json_.key("stopSequences").begin_array();
      for (const std::string_view stop : stops) json_.value(stop);
      json_.end_array();
    }
    write_inference_extras(has_top_k);
    json_.end_object();
  }

  std::optional<int64_t> max_tokens() {
    const bool needs_room = thinking_.type == AnthropicThinkingType::enabled;
    if (!chat_.max_tokens && !needs_room) return std::nullopt;
    return fit_max_tokens(chat_, caps_, thinking_, call_.notes.fidelity);
  }

  // With thinking Claude's models take no other temperature than 1 and no top_k.
  bool is_sampling_fixed() const { return caps_.allows_sampling == false || thinking_.is_on(); }

  // ---- Fields of the models' own

  // Written apart, since the object is left out when nothing is in it.
  void write_model_fields(ConverseToolsWriter& tools) {
    std::string text;
    JsonWriter fields(text);
    fields.begin_object();
    write_top_k(fields);
    write_reasoning(fields);
    write_betas(fields);
    for (const std::string_view key : tools.write_model_fields(fields)) written_.push_back(key);
    for (const ExtraField& extra : chat_.extras) {
      if (extra.dialect != kDialect || !extra.key.starts_with(kModelFieldsPrefix)) continue;
      const std::string_view key = extra.key.substr(kModelFieldsPrefix.size());
      if (is_written(key)) {
        lose(Severity::warning, LossReason::dropped, extra.key);
      } else {
        fields.key(key).raw(extra.raw.text);
      }
    }
    fields.end_object();
    if (text == "{}") return;
    if (form_ == ConverseForm::converse) {
      json_.key("additionalModelRequestFields").raw(text);
    } else {
      merge_model_fields(std::move(text));
    }
  }

  // The service merges these into the model's body, which is what is written here.
  void merge_model_fields(std::string text) {
    constexpr std::array<std::string_view, 5> kOwn = {"schemaVersion", "system", "messages",
                                                      "inferenceConfig", "toolConfig"};
    const Result<JsonDoc> parsed = JsonDoc::parse(std::move(text));
    if (!parsed) return;
    for (const JsonValue field : parsed->root()) {
      if (std::find(kOwn.begin(), kOwn.end(), field.key()) == kOwn.end()) {
        json_.key(field.key()).raw(field.raw());
      } else {
        lose(Severity::warning, LossReason::dropped, fmt::format("{}{}", kModelFieldsPrefix, field.key()));
      }
    }
  }

  // The key of a field that is written once, whatever the extras hold.
  JsonWriter& field(JsonWriter& fields, std::string_view key) {
    written_.push_back(key);
    return fields.key(key);
  }
  bool is_written(std::string_view key) const {
    return std::find(written_.begin(), written_.end(), key) != written_.end();
  }

  void write_top_k(JsonWriter& fields) {
    if (!chat_.top_k || form_ == ConverseForm::nova_body) return;
    const bool has_field = family_ != ModelFamily::titan && family_ != ModelFamily::llama;
    if (is_sampling_fixed() || !has_field) {
      lose(Severity::warning, LossReason::dropped, "top_k", fmt::format("{}", *chat_.top_k));
    } else if (family_ == ModelFamily::nova) {
      field(fields, "inferenceConfig").begin_object().key("topK").value(*chat_.top_k).end_object();
    } else {
      field(fields, family_ == ModelFamily::cohere ? "k" : "top_k").value(*chat_.top_k);
    }
  }

  void write_reasoning(JsonWriter& fields) {
    if (family_ == ModelFamily::anthropic) {
      thinking_.write(fields);
      if (thinking_.type != AnthropicThinkingType::unsaid) written_.push_back("thinking");
      if (thinking_.effort) {
        field(fields, "output_config").begin_object();
        fields.key("effort").value(to_string(*thinking_.effort)).end_object();
      }
      return;
    }
    const Reasoning& asked = chat_.reasoning;
    if (!asked.is_set()) return;
    const bool is_off = asked.is_disabled || asked.effort == EffortLevel::off;
    const bool is_nova = family_ == ModelFamily::nova;
    const bool is_effort = caps_.thinking == ThinkingMode::effort;
    if (!is_effort || (is_off && !is_nova)) {
      if (!is_off) lose(Severity::info, LossReason::dropped, "reasoning");
      return;
    }
    const EffortLevel effort = is_off ? EffortLevel::off : sent_effort(asked);
    if (!is_nova) {
      field(fields, "reasoning_effort").value(to_string(effort));
      return;
    }
    // https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
    field(fields, "reasoningConfig").begin_object().key("type").value(is_off ? "disabled" : "enabled");
    if (!is_off) fields.key("maxReasoningEffort").value(to_string(effort));
    fields.end_object();
  }

  // Models that reason by effort take three words for it.
  EffortLevel sent_effort(const Reasoning& asked) {
    const EffortLevel wanted = asked_effort(asked);
    const EffortLevel sent = std::clamp(wanted, EffortLevel::low, EffortLevel::high);
    if (!asked.effort && asked.budget_tokens) {
      lose(Severity::info, LossReason::emulated, "reasoning", fmt::format("budget {}", *asked.budget_tokens),
           std::string(to_string(sent)));
    } else if (sent != wanted) {
      lose(Severity::info, LossReason::clamped, "reasoning", std::string(to_string(wanted)),
           std::string(to_string(sent)));
    }
    return sent;
  }

  void write_betas(JsonWriter& fields) {
    if (family_ != ModelFamily::anthropic) {
      if (std::ranges::find(chat_.extras, kAnthropicBeta, &ExtraField::key) != chat_.extras.end())
        lose(Severity::warning, LossReason::dropped, kAnthropicBeta);
      return;
    }
    const std::vector<std::string_view> names = bedrock_betas_of(chat_, call_.notes.fidelity);
    if (names.empty()) return;
    field(fields, "anthropic_beta").begin_array();
    for (const std::string_view name : names) fields.value(name);
    fields.end_array();
  }

  // ---- Members that only the operation Converse has

  void write_converse_members() {
    if (way_ == FormatWay::native) write_output_config();
    write_request_metadata();
    if (has_tier())
      json_.key("serviceTier").begin_object().key("type").value(chat_.service_tier).end_object();
    for (const ExtraField& extra : chat_.extras) {
      if (is_top_level(extra)) json_.key(extra.key).raw(extra.raw.text);
    }
  }

  bool has_tier() const {
    const std::string_view tier = chat_.service_tier;
    return tier == "priority" || tier == "flex" || tier == "reserved";
  }

  // The schema goes as a string that holds JSON.
  void write_output_config() {
    json_.key("outputConfig").begin_object().key("textFormat").begin_object();
    json_.key("type").value("json_schema").key("structure").begin_object().key("jsonSchema").begin_object();
    json_.key("schema").value(answer_schema(format_schema(chat_.format), kObjectRootRules, call_.notes));
    if (!chat_.format.name.empty()) json_.key("name").value(chat_.format.name);
    if (!chat_.format.description.empty()) json_.key("description").value(chat_.format.description);
    json_.end_object().end_object().end_object().end_object();
  }

  void write_request_metadata() {
    constexpr size_t kEntriesMax = 16;
    std::vector<MetadataEntry> entries;
    const auto add = [&](MetadataEntry entry, std::string_view field) {
      const bool fits = is_metadata_text(entry.key, 1) && is_metadata_text(entry.value, 0);
      if (fits && entries.size() < kEntriesMax) {
        entries.push_back(entry);
      } else {
        lose(Severity::info, LossReason::dropped, field, std::string(entry.key));
      }
    };
    for (const MetadataEntry& entry : chat_.metadata) add(entry, "metadata");
    const bool has_user = std::any_of(entries.begin(), entries.end(),
                                      [](const MetadataEntry& entry) { return entry.key == "user"; });
    if (!chat_.end_user.empty() && !has_user) add({.key = "user", .value = chat_.end_user}, "user");
    if (entries.empty()) return;
    json_.key("requestMetadata").begin_object();
    for (const MetadataEntry& entry : entries) json_.key(entry.key).value(entry.value);
    json_.end_object();
  }

  // ---- What has no place here

  Result<void> report_rest() {
    std::vector<ChatField> taken = {ChatField::stop, ChatField::top_k, ChatField::reasoning};
    if (form_ == ConverseForm::converse) {
      taken.insert(taken.end(), {ChatField::end_user, ChatField::metadata});
      if (has_tier()) taken.push_back(ChatField::service_tier);
    }
    for (const ExtraField& extra : chat_.extras) {
      const bool is_own =
          extra.dialect == kDialect && (form_ == ConverseForm::converse || !is_top_level(extra));
      if (!is_own && extra.key != kAnthropicBeta) lose(Severity::warning, LossReason::dropped, extra.key);
    }
    return report_unused(chat_, own_dialect(), taken, call_.notes.fidelity);
  }

  static bool is_top_level(const ExtraField& extra) {
    return extra.dialect == kDialect && !extra.key.starts_with(kInferencePrefix) &&
           !extra.key.starts_with(kModelFieldsPrefix);
  }

  bool has_extra(std::string_view prefix) const {
    return std::any_of(chat_.extras.begin(), chat_.extras.end(), [&](const ExtraField& extra) {
      return extra.dialect == kDialect && extra.key.starts_with(prefix);
    });
  }

  void write_inference_extras(bool has_top_k) {
    for (const ExtraField& extra : chat_.extras) {
      if (extra.dialect != kDialect || !extra.key.starts_with(kInferencePrefix)) continue;
      const std::string_view key = extra.key.substr(kInferencePrefix.size());
      // Said twice, once here and once among the model's own fields.
      if (key != "topK" || !has_top_k) json_.key(key).raw(extra.raw.text);
    }
  }

  const Chat& chat_;
  const ModelFamily family_;
  Capabilities caps_;
  const TargetModel target_;
  const ConverseForm form_;
  EncodedCall& call_;
  const bool counts_;
  JsonWriter json_;
  AnthropicThinking thinking_;
  FormatWay way_ = FormatWay::none;
  std::vector<std::string_view> written_;  // keys among the model's own fields
};

}  // namespace

Result<void> write_converse_request(const Chat& chat, const TargetModel& target, ConverseForm form,
                                    EncodedCall& call) {
  return RequestWriter(chat, target, form, call).write();
}

}  // namespace weir
