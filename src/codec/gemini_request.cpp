#include "codec/gemini_request.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <set>

#include "base/text.h"
#include "codec/file_ids.h"
#include "codec/logprobs_wish.h"
#include "codec/offered_tools.h"
#include "codec/unused.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::gemini;
constexpr std::string_view kConfigPrefix = "generationConfig.";
constexpr std::string_view kToolPrefix = "toolConfig.";
constexpr std::string_view kCombinesKey = "toolConfig.includeServerSideToolInvocations";
constexpr size_t kStopMax = 5;
constexpr double kTemperatureMax = 2;

// https://ai.google.dev/api/caching#Schema
constexpr std::array<std::string_view, 6> kOpenApiFormats = {"enum",  "date-time", "int32",
                                                             "int64", "float",     "double"};
constexpr std::array<std::string_view, 9> kOpenApiBounds = {"minItems",  "maxItems",      "minLength",
                                                            "maxLength", "pattern",       "minimum",
                                                            "maximum",   "minProperties", "maxProperties"};
constexpr std::array<std::string_view, 11> kOpenApiDropped = {
    "$schema", "$id",     "$anchor",    "$comment", "title",    "examples",
    "example", "default", "deprecated", "readOnly", "writeOnly"};
// https://ai.google.dev/api/generate-content#FIELDS.response_json_schema
constexpr std::array<std::string_view, 4> kJsonBounds = {"minItems", "maxItems", "minimum", "maximum"};
constexpr std::array<std::string_view, 8> kJsonDropped = {"$schema", "$comment",   "examples", "example",
                                                          "default", "deprecated", "readOnly", "writeOnly"};

constexpr SchemaRules kOpenApiRules{.refs = SchemaRefs::inlined,
                                    .open_objects = OpenObjects::dropped,
                                    .has_any_of_only = true,
                                    .has_const = false,
                                    .has_null_type = false,
                                    .has_string_enums_only = true,
                                    .needs_items = true,
                                    .omits_empty_properties = true,
                                    .wraps_root = true,
                                    .drops_unknown = true,
                                    .formats = kOpenApiFormats,
                                    .describes_bounds = true,
                                    .bounds = kOpenApiBounds,
                                    .dropped = kOpenApiDropped};
constexpr SchemaRules kJsonRules{.refs = SchemaRefs::kept,
                                 .ref_stands_alone = true,
                                 .has_any_of_only = true,
                                 .wraps_root = true,
                                 .drops_unknown = true,
                                 .describes_bounds = true,
                                 .bounds = kJsonBounds,
                                 .dropped = kJsonDropped};

class RequestWriter {
 public:
  RequestWriter(const Chat& chat, const TargetModel& target, EncodedCall& call)
      : chat_(chat),
        target_(target),
        caps_(*target.capabilities),
        call_(call),
        counts_(call.notes.operation == Operation::count_tokens),
        json_(call.wire.body) {}

  Result<void> write() {
    TRY(refuse());
    TRY(check_files(chat_, {kDialect}));
    TRY(check_arguments(chat_, kDialect));
    note_tool_names(chat_, &legal_gemini_tool_name, CustomTools::wrapped, call_.notes);
    const GeminiConversation conversation = TRY(arrange_gemini_turns(chat_, call_.notes));
    thinking_ = plan_gemini_thinking(chat_.reasoning, caps_, call_.notes.fidelity);
    json_.begin_object();
    const bool is_nested = counts_ && !caps_.quirks.vertex_shapes;
    if (is_nested) {
      json_.key("generateContentRequest").begin_object();
      json_.key("model").value(fmt::format("models/{}", target_.model));
    }
    if (!conversation.system.empty()) {
      json_.key("systemInstruction");
      write_gemini_system(json_, conversation);
    }
    json_.key("contents");
    TRY(write_gemini_contents(json_, conversation, chat_, target_, call_.notes));
    TRY(write_tools());
    if (!counts_) {
      write_config();
      write_labels();
      write_extras();
      TRY(report_rest());
    }
    if (is_nested) json_.end_object();
    json_.end_object();
    return {};
  }

 private:
  void lose(Severity severity, LossReason reason, std::string_view field, std::string from = {},
            std::string to = {}) {
    call_.notes.fidelity.add(severity, reason, fmt::format("/{}", field), std::move(from), std::move(to));
  }

  Result<void> refuse() {
    const int64_t choices = chat_.choices.value_or(1);
    if (caps_.n_max && choices > *caps_.n_max) {
      return fail(ErrorKind::unsupported,
                  fmt::format("this model gives at most {} answers at a time", *caps_.n_max), "n");
    }
    const auto own = std::ranges::find_if(chat_.tools, &is_own_tool);
    if (own != chat_.tools.end() && has_functions_in_the_way(chat_, caps_)) {
      return fail(ErrorKind::unsupported,
                  fmt::format("this model runs its own tools ({}) only in a request without functions: leave "
                              "one of the two out, or let the route drop such tools (server_tools: drop)",
                              own->type),
                  "tools");
    }
    return {};
  }

  // ---- Tools

  static bool is_own_tool(const Tool& tool) {
    return tool.kind == ToolKind::server && tool.dialect == kDialect;
  }

  // Beside functions the vendor's own tools want a switch, with which each step of theirs is told; Vertex AI
  // has no such switch and needs none.
  // https://ai.google.dev/gemini-api/docs/tool-combination
  bool combines_tools(bool has_functions) const {
    return has_functions && !caps_.quirks.vertex_shapes && std::ranges::any_of(chat_.tools, &is_own_tool);
  }

  Result<void> write_tools() {
    const bool has_functions = std::any_of(chat_.tools.begin(), chat_.tools.end(),
                                           [](const Tool& tool) { return tool.kind != ToolKind::server; });
    if (!chat_.tools.empty()) {
      json_.key("tools").begin_array();
      if (has_functions) {
        json_.begin_object().key("functionDeclarations").begin_array();
        for (size_t i = 0; i < chat_.tools.size(); ++i) write_function(chat_.tools[i], i);
        json_.end_array().end_object();
      }
      for (const Tool& tool : chat_.tools) TRY(write_server_tool(tool));
      json_.end_array();
    }
    write_tool_config(has_functions);
    return {};
  }

  Result<void> write_server_tool(const Tool& tool) {
    if (tool.kind != ToolKind::server) return {};
    if (tool.dialect != kDialect) {
      return fail(ErrorKind::unsupported,
                  fmt::format("the tool {} is run by another vendor; this model cannot call it", tool.type),
                  "tools");
    }
    json_.raw(tool.raw.text);
    return {};
  }

  void write_function(const Tool& tool, size_t at) {
    if (tool.kind == ToolKind::server) return;
    if (tool.cache)
      lose(Severity::info, LossReason::cache_dropped, fmt::format("tools/{}", at), "cache_control");
    const std::string_view wire = call_.notes.tool_names.wire(tool.name);
    // The definition as it came keeps what the IR has no place for.
    if (tool.dialect == kDialect && tool.raw && wire == tool.name) {
      json_.raw(tool.raw.text);
      return;
    }
    json_.begin_object().key("name").value(wire);
    if (!tool.description.empty()) json_.key("description").value(tool.description);
    if (tool.strict.value_or(false))
      lose(Severity::info, LossReason::dropped, fmt::format("tools/{}", at), "strict");
    const std::string_view field = is_openapi() ? "parameters" : "parametersJsonSchema";
    if (tool.kind == ToolKind::custom) {
      report_wrapped_tool(tool, call_.notes.fidelity);
      json_.key(field).raw(kCustomToolSchema);
    } else if (tool.schema && !takes_nothing(tool.schema)) {
      DownleveledSchema schema =
          downlevel_schema(tool.schema.text, gemini_schema_rules(caps_), SchemaUse::arguments,
                           fmt::format("/tools/{}/parameters", at), call_.notes.fidelity);
      json_.key(field).raw(schema.text);
      if (schema.needs_restore()) call_.notes.restores.make().emplace(tool.name, std::move(schema.restore));
    }
    json_.end_object();
  }

  // An object without properties: servers of the older kind reject it, and leaving it out says the same.
  static bool takes_nothing(RawJson schema) {
    constexpr size_t kLongest = 128;
    if (schema.text.size() > kLongest) return false;
    const Result<JsonDoc> parsed = JsonDoc::parse(std::string(schema.text));
    if (!parsed || !parsed->root().is_object()) return false;
    const JsonValue root = parsed->root();
    return root["type"].string_or("object") == "object" && root["properties"].size() == 0 && !root["$ref"] &&
           !root["anyOf"] && !root["oneOf"] && !root["allOf"] && !root["additionalProperties"].is_object();
  }

  void write_tool_config(bool has_functions) {
    const bool has_choice = chat_.tool_choice && has_functions;
    const bool has_extras = has_own_extras(kToolPrefix);
    const bool combines = combines_tools(has_functions);
    if (chat_.parallel_tools == false && has_functions)
      lose(Severity::warning, LossReason::dropped, "parallel_tool_calls", "false");
    // A choice is among functions: the vendor's own tools take none.
    const bool chooses = chat_.tool_choice && chat_.tool_choice->mode != ToolChoiceMode::automatic;
    if (chooses && !has_functions && !chat_.tools.empty())
      lose(Severity::warning, LossReason::dropped, "tool_choice", "a choice among tools of the vendor");
    if (!has_choice && !has_extras && !combines) return;
    json_.key("toolConfig").begin_object();
    if (has_choice) {
      json_.key("functionCallingConfig").begin_object();
      write_mode(*chat_.tool_choice, combines);
      json_.end_object();
    }
    if (combines && !has_own_extra(kCombinesKey)) {
      lose(Severity::info, LossReason::synthesised, "tools", "", "steps of the vendor's tools");
      json_.key("includeServerSideToolInvocations").value(true);
    }
    write_own_extras(kToolPrefix);
    json_.end_object();
  }

  void write_mode(const ToolChoice& choice, bool combines) {
    std::vector<std::string_view> allowed = choice.allowed;
    switch (choice.mode) {
      case ToolChoiceMode::automatic:
        // Names are for demanded calls only: the nearest for calls that are free is to validate against them.
        // So it is beside the vendor's own tools, where AUTO is not taken.
        json_.key("mode").value(allowed.empty() && !combines ? "AUTO" : "VALIDATED");
        break;
      case ToolChoiceMode::required:
        json_.key("mode").value("ANY");
        break;
      case ToolChoiceMode::none:
        json_.key("mode").value("NONE");
        return;
      case ToolChoiceMode::named:
        json_.key("mode").value("ANY");
        allowed = {choice.name};
        break;
    }
    if (allowed.empty()) return;
    json_.key("allowedFunctionNames").begin_array();
    for (const std::string_view name : allowed) json_.value(call_.notes.tool_names.wire(name));
    json_.end_array();
  }

  // ---- generationConfig

  bool is_openapi() const { return caps_.openapi_schema == true; }

  void write_config() {
    json_.key("generationConfig").begin_object();
    write_limits();
    write_sampling();
    write_format();
    thinking_.write(json_);
    write_resolution();
    write_own_extras(kConfigPrefix);
    json_.end_object();
  }

  // The vendor counts thoughts in: a bound of which they may take more than half makes room for them.
  void write_limits() {
    if (chat_.max_tokens) {
      int64_t tokens = *chat_.max_tokens;
      if (thinking_.tokens > tokens / 2) tokens += thinking_.tokens;
      if (caps_.output_max) tokens = std::min(tokens, *caps_.output_max);
      if (tokens != *chat_.max_tokens) {
        lose(Severity::info, LossReason::clamped, "max_tokens", fmt::format("{}", *chat_.max_tokens),
             fmt::format("{}", tokens));
      }
      json_.key("maxOutputTokens").value(tokens);
    }
    if (chat_.choices) json_.key("candidateCount").value(*chat_.choices);
    if (chat_.stop.empty()) return;
    if (caps_.allows_stop == false) return call_.notes.watch_for(chat_.stop);
    const size_t count = std::min(chat_.stop.size(), static_cast<size_t>(caps_.stop_max.value_or(kStopMax)));
    if (count < chat_.stop.size()) {
      lose(Severity::warning, LossReason::clamped, "stop", fmt::format("{}", chat_.stop.size()),
           fmt::format("{}", count));
    }
    json_.key("stopSequences").begin_array();
    for (size_t i = 0; i < count; ++i) json_.value(chat_.stop[i]);
    json_.end_array();
  }

  void write_sampling() {
    if (chat_.temperature) {
      const TemperatureRange range =
          caps_.temperature.value_or(TemperatureRange{.min = 0, .max = kTemperatureMax});
      const double sent = std::clamp(*chat_.temperature, range.min, range.max);
      if (sent != *chat_.temperature) {
        lose(Severity::warning, LossReason::clamped, "temperature", fmt::format("{}", *chat_.temperature),
             fmt::format("{}", sent));
      }
      json_.key("temperature").value(sent);
    }
    if (chat_.top_p) json_.key("topP").value(*chat_.top_p);
    if (chat_.top_k) json_.key("topK").value(*chat_.top_k);
    if (chat_.frequency_penalty) json_.key("frequencyPenalty").value(*chat_.frequency_penalty);
    if (chat_.presence_penalty) json_.key("presencePenalty").value(*chat_.presence_penalty);
    write_seed();
    write_logprobs();
  }

  // A number of 32 bits.
  void write_seed() {
    if (!chat_.seed) return;
    const auto sent = static_cast<int32_t>(static_cast<uint32_t>(*chat_.seed));
    if (sent != *chat_.seed)
      lose(Severity::info, LossReason::clamped, "seed", fmt::format("{}", *chat_.seed),
           fmt::format("{}", sent));
    json_.key("seed").value(sent);
  }

  void write_logprobs() {
    const std::optional<LogprobsWish> wish = logprobs_wish(chat_, caps_, call_.notes.fidelity);
    if (!wish) return;
    json_.key("responseLogprobs").value(true);
    if (wish->top) json_.key("logprobs").value(*wish->top);
  }

  void write_format() {
    const ResponseFormat& format = chat_.format;
    if (format.kind == FormatKind::text) return;
    // A form of the dialect's own (text/x.enum) is among the extras; its answer is no JSON to be unwrapped.
    const bool has_own_form = has_own_extra("generationConfig.responseMimeType");
    if (!has_own_form) json_.key("responseMimeType").value("application/json");
    if (!format.name.empty()) lose(Severity::info, LossReason::dropped, "response_format/name");
    if (!format.description.empty()) lose(Severity::info, LossReason::dropped, "response_format/description");
    if (format.kind != FormatKind::json_schema || !format.schema) return;
    DownleveledSchema schema = downlevel_schema(format.schema.text, gemini_schema_rules(caps_),
                                                has_own_form ? SchemaUse::arguments : SchemaUse::answer,
                                                "/response_format/schema", call_.notes.fidelity);
    json_.key(is_openapi() ? "responseSchema" : "responseJsonSchema").raw(schema.text);
    if (schema.needs_restore()) call_.notes.restores.make().emplace("", std::move(schema.restore));
  }

  // One resolution for all media: that of the images that ask for one.
  void write_resolution() {
    std::string_view detail;
    bool differs = false;
    for (const Message& message : chat_.messages) {
      for (const Block& block : message.content) {
        const auto* image = std::get_if<ImageBlock>(&block.body);
        if (!image || image->detail.empty() || image->detail == "auto") continue;
        differs = differs || (!detail.empty() && detail != image->detail);
        if (detail != "high") detail = image->detail;
      }
    }
    if (differs)
      lose(Severity::info, LossReason::clamped, "messages", "details that differ", std::string(detail));
    if (detail.empty() || has_own_extra("generationConfig.mediaResolution")) return;
    json_.key("mediaResolution").value(detail == "low" ? "MEDIA_RESOLUTION_LOW" : "MEDIA_RESOLUTION_HIGH");
  }

  // ---- The rest

  // https://cloud.google.com/resource-manager/docs/labels-overview: lower case, 63 characters.
  static std::string label(std::string_view text) {
    constexpr size_t kLengthMax = 63;
    std::string out;
    for (const char c : text.substr(0, kLengthMax)) {
      const char low = to_lower(c);
      const bool is_legal =
          (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9') || low == '-' || low == '_';
      out += is_legal ? low : '_';
    }
    return out;
  }

  void write_labels() {
    const bool has_labels = caps_.quirks.vertex_shapes;
    if (!has_labels || (chat_.end_user.empty() && chat_.metadata.empty())) return;
    json_.key("labels").begin_object();
    std::set<std::string> written;
    const auto write = [&](std::string_view key, std::string_view value) {
      std::string name = label(key);
      if (name.empty() || name[0] < 'a' || name[0] > 'z') name = label("k_" + name);
      if (!written.insert(name).second) {
        lose(Severity::info, LossReason::dropped, key == "user" ? "user" : "metadata", std::string(key));
        return;
      }
      if (name != key) lose(Severity::info, LossReason::renamed, "metadata", std::string(key), name);
      if (label(value) != value)
        lose(Severity::info, LossReason::coerced_string, "metadata", std::string(key), "a label");
      json_.key(name).value(label(value));
    };
    for (const MetadataEntry& entry : chat_.metadata) write(entry.key, entry.value);
    if (!chat_.end_user.empty()) write("user", chat_.end_user);
    json_.end_object();
  }

  bool has_own_extra(std::string_view key) const {
    return std::any_of(chat_.extras.begin(), chat_.extras.end(), [&](const ExtraField& extra) {
      return extra.dialect == kDialect && extra.key == key;
    });
  }
  bool has_own_extras(std::string_view prefix) const {
    return std::any_of(chat_.extras.begin(), chat_.extras.end(), [&](const ExtraField& extra) {
      return extra.dialect == kDialect && extra.key.starts_with(prefix);
    });
  }

  void write_own_extras(std::string_view prefix) {
    for (const ExtraField& extra : chat_.extras) {
      if (extra.dialect == kDialect && extra.key.starts_with(prefix) && written_.insert(extra.key).second)
        json_.key(extra.key.substr(prefix.size())).raw(extra.raw.text);
    }
  }

  void write_extras() {
    for (const ExtraField& extra : chat_.extras) {
      if (extra.dialect != kDialect) {
        lose(Severity::warning, LossReason::dropped, extra.key);
      } else if (!extra.key.starts_with(kConfigPrefix) && !extra.key.starts_with(kToolPrefix) &&
                 written_.insert(extra.key).second) {
        json_.key(extra.key).raw(extra.raw.text);
      }
    }
  }

  Result<void> report_rest() {
    std::vector<ChatField> taken = {
        ChatField::stop, ChatField::top_k,    ChatField::frequency_penalty, ChatField::presence_penalty,
        ChatField::seed, ChatField::logprobs, ChatField::reasoning};
    if (caps_.quirks.vertex_shapes) taken.insert(taken.end(), {ChatField::end_user, ChatField::metadata});
    return report_unused(chat_, kDialect, taken, call_.notes.fidelity);
  }

  const Chat& chat_;
  const TargetModel& target_;
  const Capabilities& caps_;
  EncodedCall& call_;
  const bool counts_;
  JsonWriter json_;
  GeminiThinking thinking_;
  std::set<std::string_view> written_;  // keys of extras: one may have come in both spellings
};

}  // namespace

const SchemaRules& gemini_schema_rules(const Capabilities& capabilities) {
  return capabilities.openapi_schema == true ? kOpenApiRules : kJsonRules;
}

Result<void> write_gemini_request(const Chat& chat, const TargetModel& target, EncodedCall& call) {
  return RequestWriter(chat, target, call).write();
}

}  // namespace weir
