// The provider half of OpenAI's chat dialect: requests from the IR, or the client's own bytes with a splice.
#include <algorithm>
#include <fmt/core.h>

#include "codec/answer_schema.h"
#include "codec/effort.h"
#include "codec/end_user.h"
#include "codec/file_ids.h"
#include "codec/logprobs_wish.h"
#include "codec/offered_tools.h"
#include "codec/openai.h"
#include "codec/openai_decode.h"
#include "codec/openai_deviations.h"
#include "codec/openai_embeddings.h"
#include "codec/openai_opaque.h"
#include "codec/openai_provider_messages.h"
#include "codec/openai_strict.h"
#include "codec/raw_limit.h"
#include "codec/raw_metadata.h"
#include "codec/rerank.h"
#include "codec/service_tier.h"
#include "codec/tool_names.h"
#include "codec/turn_settings.h"
#include "codec/unused.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::openai_chat;
// https://platform.openai.com/docs/api-reference/chat/create: at most four stop sequences, 64 characters of
// `user`.
constexpr size_t kStopMax = 4;
constexpr size_t kUserMax = 64;

class ChatWriter {
 public:
  ChatWriter(const Chat& chat, const TargetModel& target, EncodedCall& call)
      : chat_(chat),
        target_(target),
        caps_(*target.capabilities),
        quirks_(target.capabilities->quirks),
        call_(call),
        json_(call.wire.body) {}

  Result<void> write() {
    TRY(check_files(chat_, {Dialect::openai_chat, Dialect::openai_responses}));
    TRY(check_arguments(chat_, kDialect));
    note_tool_names(chat_, &legal_openai_tool_name, CustomTools::native, call_.notes);
    json_.begin_object().key("model").value(target_.model).key("messages");
    TRY(write_openai_messages(json_, chat_, target_, call_.notes));
    if (chat_.is_streamed) {
      json_.key("stream").value(true);
      if (!quirks_.no_stream_options) json_.key("stream_options").raw(R"({"include_usage":true})");
    }
    write_limits();
    write_sampling();
    TRY(write_tools());
    write_format();
    write_reasoning();
    write_identity();
    write_extras();
    TRY(report_rest());
    json_.end_object();
    return {};
  }

 private:
  void lose(Severity severity, LossReason reason, std::string_view field, std::string from = {},
            std::string to = {}) {
    call_.notes.fidelity.add(severity, reason, fmt::format("/{}", field), std::move(from), std::move(to));
  }

  void write_limits() {
    if (chat_.max_tokens) {
      int64_t tokens = *chat_.max_tokens;
      if (caps_.output_max && tokens > *caps_.output_max) {
        lose(Severity::info, LossReason::clamped, "max_tokens", fmt::format("{}", tokens),
             fmt::format("{}", *caps_.output_max));
        tokens = *caps_.output_max;
      }
      const bool is_new_name = caps_.max_tokens_field == MaxTokensField::max_completion_tokens;
      json_.key(is_new_name ? "max_completion_tokens" : "max_tokens").value(tokens);
    }
    if (chat_.stop.empty()) return;
    if (caps_.allows_stop == false) return call_.notes.watch_for(chat_.stop);
    const size_t count = std::min(chat_.stop.size(), static_cast<size_t>(caps_.stop_max.value_or(kStopMax)));
    if (count < chat_.stop.size()) {
      lose(Severity::warning, LossReason::clamped, "stop", fmt::format("{}", chat_.stop.size()),
           fmt::format("{}", count));
    }
    json_.key("stop").begin_array();
    for (size_t i = 0; i < count; ++i) {
      json_.value(chat_.stop[i]);
      call_.notes.sent_stops.emplace_back(chat_.stop[i]);
    }
    json_.end_array();
  }

  void write_number(std::string_view key, const std::optional<double>& value) {
    if (value) json_.key(key).value(*value);
  }
  void write_number(std::string_view key, const std::optional<int64_t>& value) {
    if (value) json_.key(key).value(*value);
  }

  void write_temperature() {
    std::optional<double> sent = chat_.temperature;
    if (sent && caps_.temperature) sent = clamp_temperature(*sent, *caps_.temperature, call_.notes.fidelity);
    write_number("temperature", sent);
  }

  void write_sampling() {
    const bool fixed = caps_.allows_sampling == false;
    if (fixed && chat_.temperature.value_or(1) != 1) {
      lose(Severity::warning, LossReason::dropped, "temperature", fmt::format("{}", *chat_.temperature));
    } else {
      write_temperature();
    }
    if (fixed && chat_.top_p.value_or(1) != 1) {
      lose(Severity::warning, LossReason::dropped, "top_p", fmt::format("{}", *chat_.top_p));
    } else {
      write_number("top_p", chat_.top_p);
    }
    if (!quirks_.no_penalties) {
      write_number("frequency_penalty", chat_.frequency_penalty);
      write_number("presence_penalty", chat_.presence_penalty);
    }
    write_number(quirks_.seed_is_random_seed ? "random_seed" : "seed", chat_.seed);
    write_number("n", chat_.choices);
    if (const std::optional<LogprobsWish> wish = logprobs_wish(chat_, caps_, call_.notes.fidelity)) {
      json_.key("logprobs").value(true);
      write_number("top_logprobs", wish->top);
    }
  }

  Result<void> write_tools() {
    if (chat_.tools.empty()) return {};
    json_.key("tools").begin_array();
    for (const Tool& tool : chat_.tools) TRY(write_tool(tool));
    json_.end_array();
    if (chat_.tool_choice) write_tool_choice(*chat_.tool_choice);
    if (chat_.parallel_tools) {
      if (quirks_.no_parallel_tool_calls) {
        lose(Severity::warning, LossReason::dropped, "parallel_tool_calls");
      } else {
        json_.key("parallel_tool_calls").value(*chat_.parallel_tools);
      }
    }
    return {};
  }

  void write_custom_tool(const Tool& tool) {
    json_.begin_object().key("type").value("custom").key("custom").begin_object();
    json_.key("name").value(call_.notes.tool_names.wire(tool.name));
    if (!tool.description.empty()) json_.key("description").value(tool.description);
    if (!tool.grammar.empty()) {
      json_.key("format").begin_object().key("type").value("grammar").key("grammar").begin_object();
      json_.key("syntax").value(tool.grammar_syntax).key("definition").value(tool.grammar);
      json_.end_object().end_object();
    }
    json_.end_object().end_object();
  }

  Result<void> write_tool(const Tool& tool) {
    if (tool.kind != ToolKind::function) {
      if (tool.dialect == kDialect && tool.raw) {
        json_.raw(tool.raw.text);
        return {};
      }
      if (tool.kind == ToolKind::custom) return write_custom_tool(tool), Result<void>{};
      return fail(ErrorKind::unsupported,
                  fmt::format("the tool {} is run by another vendor; this model cannot call it", tool.type),
                  "tools");
    }
    if (tool.cache) lose(Severity::info, LossReason::cache_dropped, "tools", "cache_control");
    json_.begin_object().key("type").value("function").key("function").begin_object();
    json_.key("name").value(call_.notes.tool_names.wire(tool.name));
    if (!tool.description.empty()) json_.key("description").value(tool.description);
    std::optional<bool> strict = quirks_.no_tool_strict ? std::nullopt : tool.strict;
    if (quirks_.no_tool_strict && tool.strict.value_or(false))
      lose(Severity::info, LossReason::dropped, "tools", "strict");
    if (tool.schema) {
      const std::string pointer = fmt::format("/tools/{}/parameters", &tool - chat_.tools.data());
      const OpenAiSchema schema =
          openai_arguments_schema(tool.schema.text, strict, pointer, call_.notes.fidelity);
      json_.key("parameters").raw(schema.text);
      strict = schema.strict;
    }
    if (strict) json_.key("strict").value(*strict);
    json_.end_object().end_object();
    return {};
  }

  // {"type": "function", "function": {"name"}}
  void write_tool_reference(const ToolKinds& kinds, std::string_view name) {
    const std::string_view kind = kinds.of(name) == ToolKind::custom ? "custom" : "function";
    json_.begin_object().key("type").value(kind).key(kind).begin_object();
    json_.key("name").value(call_.notes.tool_names.wire(name)).end_object().end_object();
  }

  void write_allowed_tools(const ToolChoice& choice) {
    json_.begin_object().key("type").value("allowed_tools").key("allowed_tools").begin_object().key("mode");
    json_.value(choice.mode == ToolChoiceMode::required ? "required" : "auto").key("tools").begin_array();
    const ToolKinds kinds(chat_);
    for (const std::string_view name : choice.allowed) write_tool_reference(kinds, name);
    json_.end_array().end_object().end_object();
  }

  void write_tool_choice(const ToolChoice& choice) {
    json_.key("tool_choice");
    if (!choice.allowed.empty()) return write_allowed_tools(choice);
    switch (choice.mode) {
      case ToolChoiceMode::automatic:
        json_.value("auto");
        return;
      case ToolChoiceMode::required:
        json_.value(quirks_.tool_choice_any ? "any" : "required");
        return;
      case ToolChoiceMode::none:
        json_.value("none");
        return;
      case ToolChoiceMode::named:
        write_tool_reference(ToolKinds(chat_), choice.name);
    }
  }

  void write_format() {
    const ResponseFormat& format = chat_.format;
    if (format.kind == FormatKind::text) return;
    const bool has_schema =
        format.kind == FormatKind::json_schema && caps_.json_schema != JsonSchemaSupport::none;
    json_.key("response_format").begin_object();
    if (has_schema) {
      json_.key("type").value("json_schema").key("json_schema").begin_object();
      json_.key("name").value(format.name.empty() ? "structured_output" : format.name);
      if (!format.description.empty()) json_.key("description").value(format.description);
      std::optional<bool> strict = format.strict;
      if (format.is_enforced && caps_.quirks.strict_on_some_models) {
        // Who says the word itself knows the model.
        strict.reset();
        lose(Severity::warning, LossReason::schema_downleveled, "response_format/schema", "strict",
             "not strict");
      }
      if (format.schema) {
        const OpenAiSchema schema = openai_answer_schema(format.schema.text, strict, call_.notes);
        json_.key("schema").raw(schema.text);
        strict = schema.strict;
      }
      if (strict) json_.key("strict").value(*strict);
      json_.end_object();
    } else {
      if (format.kind == FormatKind::json_schema) {
        lose(Severity::warning, LossReason::emulated, "response_format", "json_schema", "json_object");
      }
      json_.key("type").value("json_object");
    }
    json_.end_object();
  }

  void write_reasoning() {
    const Reasoning& reasoning = chat_.reasoning;
    if (!reasoning.is_set()) return;
    if (caps_.thinking == ThinkingMode::none) {
      if (!reasoning.is_disabled) lose(Severity::info, LossReason::dropped, "reasoning_effort");
      return;
    }
    if (reasoning.is_disabled) {
      if (caps_.effort_levels && caps_.effort_levels->contains(EffortLevel::off)) {
        json_.key("reasoning_effort").value("none");
      } else if (caps_.thinking) {
        lose(Severity::info, LossReason::dropped, "reasoning_effort", "disabled");
      }
      return;
    }
    // How much is left to the model: what it does when nothing is said.
    if (!reasoning.effort && !reasoning.budget_tokens) return;
    EffortLevel effort = asked_effort(reasoning);
    if (caps_.effort_levels && !caps_.effort_levels->empty()) effort = caps_.effort_levels->nearest(effort);
    if (!reasoning.effort) {
      lose(Severity::info, LossReason::emulated, "thinking", "budget", std::string(to_string(effort)));
    } else if (*reasoning.effort != effort) {
      lose(Severity::info, LossReason::clamped, "reasoning_effort", std::string(to_string(*reasoning.effort)),
           std::string(to_string(effort)));
    }
    json_.key("reasoning_effort").value(to_string(effort));
  }

  void write_identity() {
    if (!chat_.end_user.empty() && !quirks_.no_user) {
      json_.key("user").value(fitting_end_user(chat_.end_user, kUserMax, call_.notes.fidelity));
    }
    write_service_tier();
    if (!chat_.verbosity.empty()) json_.key("verbosity").value(chat_.verbosity);
    if (!chat_.prompt_cache_key.empty()) json_.key("prompt_cache_key").value(chat_.prompt_cache_key);
    if (keeps_answer()) write_metadata();
  }

  // Whether the caller wants the provider to keep the answer, and it can; metadata is taken for no other.
  bool keeps_answer() const {
    if (quirks_.no_metadata || quirks_.no_store) return false;
    return std::any_of(chat_.extras.begin(), chat_.extras.end(), [](const ExtraField& extra) {
      return extra.dialect == kDialect && extra.key == "store" && extra.raw.text == "true";
    });
  }

  void write_metadata() {
    if (chat_.metadata.empty()) return;
    json_.key("metadata").begin_object();
    for (const MetadataEntry& entry : chat_.metadata) json_.key(entry.key).value(entry.value);
    json_.end_object();
  }

  Result<void> report_rest() {
    std::vector<ChatField> taken = {
        ChatField::stop,      ChatField::seed,         ChatField::logprobs,        ChatField::verbosity,
        ChatField::reasoning, ChatField::service_tier, ChatField::prompt_cache_key};
    if (!quirks_.no_penalties)
      taken.insert(taken.end(), {ChatField::frequency_penalty, ChatField::presence_penalty});
    if (!quirks_.no_user) taken.push_back(ChatField::end_user);
    if (keeps_answer()) taken.push_back(ChatField::metadata);
    return report_unused(chat_, kDialect, taken, call_.notes.fidelity);
  }

  // Anthropic's standard_only is the ordinary lane and nothing else; `auto` means the same to both.
  void write_service_tier() {
    if (chat_.service_tier.empty()) return;
    const std::string_view tier =
        chat_.service_tier == "standard_only" ? "default" : openai_service_tier(chat_.service_tier);
    if (tier.empty()) {
      lose(Severity::info, LossReason::dropped, "service_tier", std::string(chat_.service_tier));
    } else {
      json_.key("service_tier").value(tier);
    }
  }

  bool is_refused(std::string_view key) const {
    return (key == "store" && quirks_.no_store) || (key == "logit_bias" && quirks_.no_logit_bias);
  }

  void write_extras() {
    for (const ExtraField& extra : chat_.extras) {
      if (extra.dialect == kDialect && !is_refused(extra.key)) {
        json_.key(extra.key).raw(extra.raw.text);
      } else {
        lose(Severity::warning, LossReason::dropped, extra.key);
      }
    }
  }

  const Chat& chat_;
  const TargetModel& target_;
  const Capabilities& caps_;
  const Quirks& quirks_;
  EncodedCall& call_;
  JsonWriter json_;
};

void begin_call(EncodedCall& call, const Request& request, const TargetModel& target) {
  call.notes.operation = operation_of(request);
  call.notes.is_streamed = is_streamed(request);
  call.notes.counts_reasoning_apart = target.capabilities->quirks.reasoning_not_in_completion;
  call.wire.headers.add("content-type", "application/json");
  call.wire.headers.add("accept", call.notes.is_streamed ? "text/event-stream" : "application/json");
}

// The edits that make the client's own body fit the target: the model's name, and the usage that billing
// needs.
class Splice {
 public:
  Splice(JsonValue root, const TargetModel& target) : root_(root), target_(target) {}

  void model() {
    const JsonValue model = root_["model"];
    if (model.string_or("") == target_.model) return;
    append_json_string(model_text_, target_.model);
    edits_.push_back({.offset = model.offset(), .length = model.raw().size(), .text = model_text_});
  }

  // Returns whether the client will see a usage event that it did not ask for.
  bool usage() {
    const JsonValue options = root_["stream_options"];
    if (options["include_usage"].bool_or(false)) return false;
    const JsonValue include = options["include_usage"];
    if (include) {
      edits_.push_back({.offset = include.offset(), .length = include.raw().size(), .text = "true"});
    } else if (options.is_object()) {
      const std::string_view text =
          options.size() > 0 ? R"("include_usage":true,)" : R"("include_usage":true)";
      edits_.push_back({.offset = options.offset() + 1, .length = 0, .text = text});
    } else if (options) {
      edits_.push_back(
          {.offset = options.offset(), .length = options.raw().size(), .text = R"({"include_usage":true})"});
    } else {
      edits_.push_back(
          {.offset = root_.offset() + 1, .length = 0, .text = R"("stream_options":{"include_usage":true},)"});
    }
    return true;
  }

  // The newer models take the newer name only, and the older servers the older one.
  void max_tokens() {
    if (!target_.capabilities->max_tokens_field) return;
    const bool wants_new = *target_.capabilities->max_tokens_field == MaxTokensField::max_completion_tokens;
    const std::string_view from = wants_new ? "max_tokens" : "max_completion_tokens";
    const std::string_view to = wants_new ? R"("max_completion_tokens")" : R"("max_tokens")";
    const JsonValue value = root_[from];
    if (!value || root_[wants_new ? "max_completion_tokens" : "max_tokens"]) return;
    edits_.push_back({.offset = value.key_offset(), .length = from.size() + 2, .text = to});
  }

  // Both names at once are the client's mistake, which the vendor tells.
  void clamp(RawLimit& limit, Fidelity& fidelity) {
    for (const std::string_view name : {"max_tokens", "max_completion_tokens"})
      limit.clamp(root_[name], edits_, fidelity);
  }

  void metadata(Fidelity& fidelity) { metadata_.make_texts(edits_, fidelity); }

  void apply(std::string_view source, WireRequest& wire) {
    if (edits_.empty()) {
      wire.client_body = source;
      return;
    }
    std::sort(edits_.begin(), edits_.end(),
              [](const JsonEdit& a, const JsonEdit& b) { return a.offset < b.offset; });
    wire.body = splice(source, edits_);
  }

 private:
  const JsonValue root_;
  const TargetModel& target_;
  std::string model_text_;
  RawMetadata metadata_{root_["metadata"]};
  std::vector<JsonEdit> edits_;
};

class OpenAiChatProvider final : public ProviderCodec {
 public:
  Dialect dialect() const override { return kDialect; }

  Result<EncodedCall> encode_request(const Request& request, const TargetModel& target) const override {
    EncodedCall call;
    begin_call(call, request, target);
    if (const auto* embed = std::get_if<Embed>(&request)) {
      call.wire.path = "/embeddings";
      TRY(encode_openai_embed(*embed, target, call));
      return call;
    }
    if (const auto* rerank = std::get_if<Rerank>(&request)) {
      encode_rerank(*rerank, target, call);
      return call;
    }
    const auto* chat = std::get_if<Chat>(&request);
    if (!chat) {
      return fail(ErrorKind::unsupported,
                  fmt::format("this provider has no endpoint for {}", to_string(operation_of(request))));
    }
    call.wire.path = "/chat/completions";
    TRY(ChatWriter(*chat, target, call).write());
    return call;
  }

  bool takes_raw(const ClientCall& client, const TargetModel& target) const override {
    return !client.body || !must_be_rewritten(client.body->root(), target.capabilities->quirks);
  }

  Result<EncodedCall> splice_request(const ClientCall& client, const Request& request,
                                     const TargetModel& target) const override {
    if (const auto* opaque = std::get_if<Opaque>(&request)) return splice_opaque(client, *opaque, target);
    Result<EncodedCall> made;  // large: filled where it is returned
    EncodedCall& call = *made;
    begin_call(call, request, target);
    const JsonValue root = client.body->root();
    RawLimit limit(request, target);
    Splice edits(root, target);
    edits.model();
    if (limit.is_over()) edits.clamp(limit, call.notes.fidelity);
    if (std::holds_alternative<Chat>(request)) {
      const bool is_chat = operation_of(request) == Operation::chat;
      call.wire.path = is_chat ? "/chat/completions" : "/completions";
      if (call.notes.is_streamed && !target.capabilities->quirks.no_stream_options)
        call.notes.strips_usage = edits.usage();
      // The older endpoint knows one name of the limit, whatever the model.
      if (is_chat) edits.max_tokens();
      edits.metadata(call.notes.fidelity);
    } else {
      call.wire.path = "/embeddings";
    }
    edits.apply(client.body->source(), call.wire);
    return made;
  }

  Result<std::vector<Event>> decode_answer(const WireReply& reply, const CallNotes& notes) const override {
    if (notes.operation == Operation::embeddings) return decode_openai_embed(reply, notes);
    if (notes.operation == Operation::rerank) return decode_rerank(reply);
    return with_text_restored(TRY(decode_openai_answer(reply, notes)), notes);
  }
  std::unique_ptr<StreamDecoder> stream_decoder(const CallNotes& notes) const override {
    if (notes.operation == Operation::opaque) return make_opaque_meter(notes);
    return with_text_restored(make_openai_stream_decoder(notes), notes);
  }
  Error decode_error(const WireReply& reply, int64_t wall_ns) const override {
    return decode_openai_error(reply, wall_ns);
  }
};

}  // namespace

const ProviderCodec& openai_chat_provider() {
  static const OpenAiChatProvider codec;
  return codec;
}

}  // namespace weir
