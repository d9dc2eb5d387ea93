// The client half of OpenAI's chat dialect: requests into the IR.
#include <array>
#include <fmt/core.h>

#include "codec/body_shape.h"
#include "codec/fields.h"
#include "codec/openai.h"
#include "codec/openai_content.h"
#include "codec/openai_encode.h"

namespace weir {
namespace {

using Row = FieldRow<Chat>;

Result<void> read_stop(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  if (value.is_string()) {
    chat.stop.push_back(TRY(value.as_string()));
    return {};
  }
  if (!value.is_array())
    return fail(ErrorKind::bad_request, "stop is a string or an array of strings", "stop");
  for (const JsonValue text : value) chat.stop.push_back(TRY(text.as_string()));
  return {};
}

Result<void> read_stream_options(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  return read_field(value["include_usage"], chat.includes_usage);
}

Result<void> read_format(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  const std::string_view type = TRY(required_string(value, "type"));
  ResponseFormat& format = chat.format;
  if (type == "text") return {};
  if (type == "json_object") return format.kind = FormatKind::json_object, Result<void>{};
  if (type != "json_schema") {
    return unknown_value(
        fmt::format("{} is not a response_format; use text, json_object or json_schema", type),
        "response_format.type");
  }
  const JsonValue schema = value["json_schema"];
  if (!schema.is_object()) {
    return fail(ErrorKind::bad_request, "response_format.json_schema is an object with name and schema",
                "response_format.json_schema");
  }
  format.kind = FormatKind::json_schema;
  format.name = TRY(required_string(schema, "name"));
  TRY(read_field(schema["description"], format.description));
  TRY(read_field(schema["strict"], format.strict));
  if (!schema["schema"].is_absent()) {
    TRY(schema["schema"].expect(JsonType::object));
    format.schema = {schema["schema"].raw()};
  }
  return {};
}

Result<void> read_effort(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  std::string_view name = TRY(value.as_string());
  if (name == "none") return chat.reasoning.is_disabled = true, Result<void>{};
  chat.reasoning.effort = from_string<EffortLevel>(name);
  if (chat.reasoning.effort) return {};
  return unknown_value(
      fmt::format("{} is not a reasoning_effort; use none, minimal, low, medium, high, xhigh or max", name),
      "reasoning_effort");
}

Result<void> read_metadata(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  for (const JsonValue entry : value) {
    // Not only strings: other gateways' clients send any map here. Those become tags by their text.
    chat.metadata.push_back({
      .key = entry.key(), .value = entry.is_string() ? TRY(entry.as_string()) : entry.raw()
    });
  }
  return {};
}

// The older form of tools: functions and function_call.
Result<void> read_functions(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::array));
  if (value.size() > 0) chat.parallel_tools = false;  // a message has one function_call
  for (const JsonValue function : value) {
    Tool tool;
    tool.name = TRY(required_string(function, "name"));
    TRY(read_field(function["description"], tool.description));
    if (function["parameters"].is_object()) tool.schema = {function["parameters"].raw()};
    chat.tools.push_back(tool);
  }
  return {};
}

Result<void> read_function_call(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  ToolChoice& choice = chat.tool_choice.emplace();
  if (value.is_object()) {
    choice.mode = ToolChoiceMode::named;
    choice.name = TRY(required_string(value, "name"));
  } else if (value.string_or("") == "none") {
    choice.mode = ToolChoiceMode::none;
  }
  return {};
}

Result<void> read_max_tokens(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  const int64_t tokens = TRY(value.as_int());
  if (tokens < 0) {
    return fail(ErrorKind::bad_request, fmt::format("{} must not be below 0", value.key()),
                std::string(value.key()));
  }
  // max_completion_tokens is the newer name; given both, it is the one that counts.
  if (!chat.max_tokens || value.key() == "max_completion_tokens") chat.max_tokens = tokens;
  return {};
}

Result<void> read_choices(Chat& chat, JsonValue value) {
  TRY(read_field(value, chat.choices));
  if (chat.choices && *chat.choices < 1) return fail(ErrorKind::bad_request, "n is at least 1", "n");
  return {};
}

constexpr std::array kRows = {
    Row{"model", [](Chat& chat, JsonValue value) { return read_field(value, chat.model); }},
    Row{"messages", [](Chat& chat, JsonValue value) { return decode_openai_messages(value, chat); }},
    Row{"stream", [](Chat& chat, JsonValue value) { return read_field(value, chat.is_streamed); }},
    Row{"stream_options", &read_stream_options},
    Row{"max_tokens", &read_max_tokens},
    Row{"max_completion_tokens", &read_max_tokens},
    Row{"temperature", [](Chat& chat, JsonValue value) { return read_field(value, chat.temperature); }},
    Row{"top_p", [](Chat& chat, JsonValue value) { return read_field(value, chat.top_p); }},
    Row{"top_k", [](Chat& chat, JsonValue value) { return read_field(value, chat.top_k); }},
    Row{"frequency_penalty",
        [](Chat& chat, JsonValue value) { return read_field(value, chat.frequency_penalty); }},
    Row{"presence_penalty",
        [](Chat& chat, JsonValue value) { return read_field(value, chat.presence_penalty); }},
    Row{"seed", [](Chat& chat, JsonValue value) { return read_field(value, chat.seed); }},
    Row{"n", &read_choices},
    Row{"logprobs", [](Chat& chat, JsonValue value) { return read_field(value, chat.logprobs); }},
    Row{"top_logprobs", [](Chat& chat, JsonValue value) { return read_field(value, chat.top_logprobs); }},
    Row{"stop", &read_stop},
    Row{"tools", [](Chat& chat, JsonValue value) { return decode_openai_tools(value, chat); }},
    Row{"tool_choice", [](Chat& chat, JsonValue value) { return decode_openai_tool_choice(value, chat); }},
    Row{"parallel_tool_calls",
        [](Chat& chat, JsonValue value) { return read_field(value, chat.parallel_tools); }},
    Row{"functions", &read_functions},
    Row{"function_call", &read_function_call},
    Row{"response_format", &read_format},
    Row{"reasoning_effort", &read_effort},
    Row{"user", [](Chat& chat, JsonValue value) { return read_field(value, chat.end_user); }},
    Row{"safety_identifier", [](Chat& chat, JsonValue value) { return read_field(value, chat.end_user); }},
    Row{"service_tier", [](Chat& chat, JsonValue value) { return read_field(value, chat.service_tier); }},
    Row{"metadata", &read_metadata},
    Row{"verbosity", [](Chat& chat, JsonValue value) { return read_field(value, chat.verbosity); }},
    Row{"prompt_cache_key",
        [](Chat& chat, JsonValue value) { return read_field(value, chat.prompt_cache_key); }},
};

Result<void> read_chat(const ClientCall& call, Chat& chat) {
  const JsonValue root = call.body->root();
  TRY(root.expect(JsonType::object));
  chat.arena->hold(call.body);
  chat.body = {.root = root, .shape = &kOpenAiChatShape};
  chat.includes_usage = false;
  TRY(read_fields<Chat>(kRows, root, Dialect::openai_chat, chat));
  if (chat.model.empty())
    return fail(ErrorKind::bad_request, "model is missing: name the model to use", "model");
  if (!root["messages"])
    return fail(ErrorKind::bad_request, "messages is missing: an array of messages", "messages");
  if (chat.messages.empty()) return fail(ErrorKind::bad_request, "messages must not be empty", "messages");
  return {};
}

class OpenAiChatClient final : public ClientCodec {
 public:
  explicit OpenAiChatClient(ReasoningFields fields) : reasoning_fields_(fields) {}
  Dialect dialect() const override { return Dialect::openai_chat; }

  Result<Request> decode_request(const ClientCall& call) const override {
    Result<Request> request;  // of a Chat, which is large: filled where it is returned
    if (Result<void> read = read_chat(call, std::get<Chat>(*request)); !read)
      request = std::move(read).fail();
    return request;
  }

  std::unique_ptr<StreamEncoder> stream_encoder(AnswerContext context) const override {
    return make_openai_stream_encoder(std::move(context), reasoning_fields_);
  }
  ClientReply encode_answer(const Answer& answer, const AnswerContext& context) const override {
    return encode_openai_answer(answer, context, reasoning_fields_);
  }
  ClientReply encode_error(const Error& error, std::string_view request_id) const override {
    return encode_openai_error(error, request_id);
  }

 private:
  const ReasoningFields reasoning_fields_;
};

}  // namespace

const ClientCodec& openai_chat_client() {
  static const OpenAiChatClient codec(ReasoningFields::content);
  return codec;
}

const ClientCodec& openai_chat_client_with_reasoning() {
  static const OpenAiChatClient codec(ReasoningFields::both);
  return codec;
}

}  // namespace weir
