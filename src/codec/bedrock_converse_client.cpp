// The client half of Bedrock's Converse dialect: requests into the IR.
#include <array>
#include <fmt/core.h>

#include "codec/anthropic_content.h"
#include "codec/anthropic_encode.h"
#include "codec/bedrock_claude_tools.h"
#include "codec/bedrock_converse.h"
#include "codec/bedrock_converse_content.h"
#include "codec/bedrock_converse_encode.h"
#include "codec/bedrock_wire.h"
#include "codec/body_shape.h"
#include "codec/fields.h"

namespace weir {
namespace {

using Row = FieldRow<Chat>;
constexpr Dialect kDialect = Dialect::bedrock_converse;

void keep_extra(Chat& chat, std::string_view group, JsonValue member) {
  chat.extras.push_back({.dialect = kDialect,
                         .key = chat.arena->keep(fmt::format("{}.{}", group, member.key())),
                         .raw = {member.raw()}});
}

Result<void> read_stop(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::array));
  for (const JsonValue text : value) chat.stop.push_back(TRY(text.as_string()));
  return {};
}

Result<void> read_inference(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  for (const JsonValue member : value) {
    const std::string_view key = member.key();
    if (key == "maxTokens") {
      TRY(read_field(member, chat.max_tokens));
      if (chat.max_tokens && *chat.max_tokens < 0)
        return fail(ErrorKind::bad_request, "inferenceConfig.maxTokens must not be below 0",
                    "inferenceConfig.maxTokens");
    } else if (key == "temperature") {
      TRY(read_field(member, chat.temperature));
    } else if (key == "topP") {
      TRY(read_field(member, chat.top_p));
    } else if (key == "stopSequences") {
      TRY(read_stop(chat, member));
    } else {
      keep_extra(chat, "inferenceConfig", member);
    }
  }
  return {};
}

// `thinking` as Claude's models read it; unknown forms stay as they are.
Result<bool> read_thinking(Chat& chat, JsonValue value) {
  const std::string_view type = value["type"].string_or("");
  if (type == "enabled" && value["budget_tokens"].is_number()) {
    chat.reasoning.budget_tokens = TRY(value["budget_tokens"].as_int());
  } else if (type == "adaptive") {
    chat.reasoning.is_adaptive = true;
  } else if (type == "disabled") {
    chat.reasoning.is_disabled = true;
  } else {
    return false;
  }
  TRY(read_field(value["display"], chat.reasoning.display));
  return true;
}

bool read_effort(Chat& chat, JsonValue value) {
  const auto effort = from_string<EffortLevel>(value.string_or(""));
  if (!effort) return false;
  chat.reasoning.effort = effort;
  return true;
}

// `reasoningConfig` of the Nova models.
bool read_reasoning_config(Chat& chat, JsonValue value) {
  const std::string_view type = value["type"].string_or("");
  if (type == "disabled") return chat.reasoning.is_disabled = true;
  return type == "enabled" && read_effort(chat, value["maxReasoningEffort"]);
}

// The names of betas, joined as the header that Anthropic's dialect has for them.
bool read_betas(Chat& chat, JsonValue value) {
  std::string joined;
  for (const JsonValue name : value) {
    if (!name.is_string()) return false;
    if (!joined.empty()) joined += ',';
    joined += name.string_or("");
  }
  if (joined.empty()) return false;
  std::string raw;
  append_json_string(raw, joined);
  chat.extras.push_back({.dialect = Dialect::anthropic_messages,
                         .key = kAnthropicBeta,
                         .raw = {chat.arena->keep(std::move(raw))}});
  return true;
}

// Tools that Claude's models know by themselves, when all are known here.
Result<bool> read_model_tools(Chat& chat, JsonValue tools) {
  if (!tools.is_array() || tools.size() == 0) return false;
  for (const JsonValue tool : tools) {
    if (!is_bedrock_claude_tool(tool["type"].string_or(""))) return false;
  }
  TRY(decode_anthropic_tools(tools, chat));
  return true;
}

// A choice among them in their vendor's words.
Result<bool> read_model_choice(Chat& chat, JsonValue choice) {
  const std::string_view type = choice["type"].string_or("");
  const bool is_named = type == "tool" && choice["name"].is_string() && choice.size() == 2;
  const bool is_plain = (type == "any" || type == "auto" || type == "none") && choice.size() == 1;
  if (!is_named && !is_plain) return false;
  TRY(decode_anthropic_tool_choice(choice, chat));
  return true;
}

// What of the models' own fields the IR knows: the same names mean the same with every family that has them.
Result<bool> read_model_field(Chat& chat, JsonValue member) {
  const std::string_view key = member.key();
  if (key == "thinking") return read_thinking(chat, member);
  if (key == "top_k" && member.is_number()) return chat.top_k = TRY(member.as_int())
  , true;
  if (key == "reasoning_effort") return read_effort(chat, member);
  if (key == "reasoningConfig") return read_reasoning_config(chat, member);
  if (key == "anthropic_beta") return read_betas(chat, member);
  if (key == "tools") return read_model_tools(chat, member);
  if (key == "tool_choice") return read_model_choice(chat, member);
  const bool is_single = member.size() == 1;
  if (key == "inferenceConfig" && is_single && member["topK"].is_number())
    return chat.top_k = TRY(member["topK"].as_int())
  , true;
  if (key == "output_config" && is_single && member["effort"]) return read_effort(chat, member["effort"]);
  return false;
}

Result<void> read_model_fields(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  for (const JsonValue member : value) {
    if (!TRY(read_model_field(chat, member))) keep_extra(chat, "additionalModelRequestFields", member);
  }
  return {};
}

Result<void> read_output_config(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  const JsonValue format = value["textFormat"];
  if (format.is_absent()) return {};
  const std::string_view type = TRY(required_string(format, "type"));
  if (type != "json_schema")
    return unknown_value("outputConfig.textFormat.type must be json_schema", "outputConfig.textFormat.type");
  const JsonValue schema = format["structure"]["jsonSchema"];
  chat.format.kind = FormatKind::json_schema;
  const std::string_view text = TRY(required_string(schema, "schema"));
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(text));
  if (!parsed || !parsed->root().is_object()) {
    constexpr std::string_view kPath = "outputConfig.textFormat.structure.jsonSchema.schema";
    return fail(ErrorKind::bad_request, fmt::format("{} must be a JSON schema, written as a string", kPath),
                std::string(kPath));
  }
  chat.format.schema = {text};
  chat.format.strict = true;
  chat.format.is_enforced = true;
  TRY(read_field(schema["name"], chat.format.name));
  return read_field(schema["description"], chat.format.description);
}

Result<void> read_request_metadata(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  for (const JsonValue member : value)
    chat.metadata.push_back({ .key = member.key(), .value = TRY(member.as_string()) });
  return {};
}

Result<void> read_tier(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  chat.service_tier = TRY(required_string(value, "type"));
  return {};
}

constexpr std::array kRows = {
    Row{"messages", [](Chat& chat, JsonValue value) { return decode_converse_messages(value, chat); }},
    Row{"inferenceConfig", &read_inference},
    Row{"toolConfig", [](Chat& chat, JsonValue value) { return decode_converse_tools(value, chat); }},
    Row{"additionalModelRequestFields", &read_model_fields},
    Row{"outputConfig", &read_output_config},
    Row{"requestMetadata", &read_request_metadata},
    Row{"serviceTier", &read_tier},
    // Read after the rest: it becomes the first message.
    Row{"system", [](Chat&, JsonValue) { return Result<void>{}; }},
};

class ConverseClient final : public ClientCodec {
 public:
  explicit ConverseClient(bool is_streamed) : is_streamed_(is_streamed) {}
  Dialect dialect() const override { return kDialect; }

  Result<Request> decode_request(const ClientCall& call) const override {
    Chat chat;
    chat.arena->hold(call.body);
    chat.model = chat.arena->copy(call.path_model);
    chat.is_streamed = is_streamed_;
    TRY(decode_converse_body(call.body->root(), chat));
    // A prompt that Bedrock keeps holds its own messages.
    const bool is_prompt = chat.model.find(":prompt/") != std::string_view::npos;
    if (call.body->root()["messages"].size() == 0 && !is_prompt)
      return fail(ErrorKind::bad_request, "messages is missing: an array of messages", "messages");
    return chat;
  }

  std::string_view stream_content_type() const override { return kEventStreamType; }
  std::unique_ptr<StreamEncoder> stream_encoder(AnswerContext context) const override {
    return make_converse_stream_encoder(std::move(context));
  }
  ClientReply encode_answer(const Answer& answer, const AnswerContext& context) const override {
    return encode_converse_answer(answer, context);
  }
  ClientReply encode_error(const Error& error, std::string_view request_id) const override {
    return encode_bedrock_error(error, request_id);
  }

 private:
  const bool is_streamed_;
};

}  // namespace

Result<void> decode_converse_body(JsonValue body, Chat& chat) {
  chat.body = {.root = body, .shape = &kConverseShape};
  TRY(body.expect(JsonType::object));
  TRY(read_fields<Chat>(kRows, body, kDialect, chat));
  return decode_converse_system(body["system"], chat);
}

const ClientCodec& bedrock_converse_client() {
  static const ConverseClient codec(false);
  return codec;
}

const ClientCodec& bedrock_converse_stream_client() {
  static const ConverseClient codec(true);
  return codec;
}

}  // namespace weir
