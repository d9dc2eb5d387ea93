// The client half of the Responses dialect: requests into the IR.
#include <array>
#include <fmt/core.h>

#include "codec/body_shape.h"
#include "codec/fields.h"
#include "codec/openai_encode.h"
#include "codec/openai_responses.h"
#include "codec/openai_responses_encode.h"
#include "codec/openai_responses_input.h"

namespace weir {
namespace {

using Row = FieldRow<Chat>;

constexpr Dialect kDialect = Dialect::openai_responses;

Result<void> read_format(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  const std::string_view type = TRY(required_string(value, "type"));
  ResponseFormat& format = chat.format;
  if (type == "text") return {};
  if (type == "json_object") return format.kind = FormatKind::json_object, Result<void>{};
  if (type != "json_schema") {
    return unknown_value(fmt::format("{} is not a format; use text, json_object or json_schema", type),
                         "text.format.type");
  }
  format.kind = FormatKind::json_schema;
  format.name = TRY(required_string(value, "name"));
  TRY(read_field(value["description"], format.description));
  TRY(read_field(value["strict"], format.strict));
  TRY(value["schema"].expect(JsonType::object));
  format.schema = {value["schema"].raw()};
  return {};
}

Result<void> read_text(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  TRY(read_field(value["verbosity"], chat.verbosity));
  return read_format(chat, value["format"]);
}

Result<void> read_reasoning(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  TRY(read_field(value["generate_summary"], chat.reasoning.display));  // the older name
  TRY(read_field(value["summary"], chat.reasoning.display));
  std::string_view name;
  TRY(read_field(value["effort"], name));
  if (name.empty()) return {};
  if (name == "none") return chat.reasoning.is_disabled = true, Result<void>{};
  chat.reasoning.effort = from_string<EffortLevel>(name);
  if (chat.reasoning.effort) return {};
  return unknown_value(
      fmt::format("{} is not a reasoning effort; use none, minimal, low, medium, high, xhigh or max", name),
      "reasoning.effort");
}

Result<void> read_metadata(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  for (const JsonValue entry : value) {
    // Not only strings: other gateways' clients send any map here. Those become tags by their text.
    chat.metadata.push_back({.key = entry.key(), .value = entry.string_or(entry.raw())});
  }
  return {};
}

Result<void> read_max_tokens(Chat& chat, JsonValue value) {
  TRY(read_field(value, chat.max_tokens));
  if (chat.max_tokens && *chat.max_tokens < 0)
    return fail(ErrorKind::bad_request, "max_output_tokens must not be below 0", "max_output_tokens");
  return {};
}

// Encrypted reasoning is always given where there is some, and logprobs have their place in the IR; the rest
// concerns tools that the vendor runs.
Result<void> read_include(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::array));
  bool has_more = false;
  for (const JsonValue entry : value) {
    const std::string_view name = TRY(entry.as_string());
    if (name == "message.output_text.logprobs") {
      chat.logprobs = true;
    } else if (name != "reasoning.encrypted_content") {
      has_more = true;
    }
  }
  if (has_more) chat.extras.push_back({.dialect = kDialect, .key = "include", .raw = {value.raw()}});
  return {};
}

Result<void> refuse_background(Chat&, JsonValue value) {
  bool is_background = false;
  TRY(read_field(value, is_background));
  if (!is_background) return {};
  return fail(ErrorKind::bad_request,
              "background is not supported here: leave it out, and wait for the answer or stream it",
              "background");
}

// A conversation lives in the vendor's account; Weir keeps single answers.
Result<void> leave_conversation(Chat&, JsonValue value) {
  if (value.is_absent()) return {};
  return unknown_value(
      "conversation is not supported by this model's provider: continue with previous_response_id, or send "
      "the whole history in input",
      "conversation");
}

Result<void> read_truncation(Chat& chat, JsonValue value) {
  std::string_view mode;
  TRY(read_field(value, mode));
  if (mode.empty() || mode == "disabled") return {};
  chat.extras.push_back({.dialect = kDialect, .key = "truncation", .raw = {value.raw()}});
  return {};
}

// Padding that hides the lengths of pieces: Weir adds none, so that there is nothing to switch.
Result<void> read_stream_options(Chat&, JsonValue value) {
  if (value.is_absent()) return {};
  return value.expect(JsonType::object);
}

// Read after the rest: they become messages, in that order.
Result<void> leave(Chat&, JsonValue) {
  return {};
}

constexpr std::array kRows = {
    Row{"model", [](Chat& chat, JsonValue value) { return read_field(value, chat.model); }},
    Row{"input", &leave},
    Row{"instructions", &leave},
    Row{"stream", [](Chat& chat, JsonValue value) { return read_field(value, chat.is_streamed); }},
    Row{"stream_options", &read_stream_options},
    Row{"max_output_tokens", &read_max_tokens},
    Row{"temperature", [](Chat& chat, JsonValue value) { return read_field(value, chat.temperature); }},
    Row{"top_p", [](Chat& chat, JsonValue value) { return read_field(value, chat.top_p); }},
    Row{"top_logprobs", [](Chat& chat, JsonValue value) { return read_field(value, chat.top_logprobs); }},
    Row{"tools", [](Chat& chat, JsonValue value) { return decode_responses_tools(value, chat); }},
    Row{"tool_choice", [](Chat& chat, JsonValue value) { return decode_responses_tool_choice(value, chat); }},
    Row{"parallel_tool_calls",
        [](Chat& chat, JsonValue value) { return read_field(value, chat.parallel_tools); }},
    Row{"text", &read_text},
    Row{"reasoning", &read_reasoning},
    Row{"include", &read_include},
    Row{"user", [](Chat& chat, JsonValue value) { return read_field(value, chat.end_user); }},
    Row{"safety_identifier", [](Chat& chat, JsonValue value) { return read_field(value, chat.end_user); }},
    Row{"service_tier", [](Chat& chat, JsonValue value) { return read_field(value, chat.service_tier); }},
    Row{"prompt_cache_key",
        [](Chat& chat, JsonValue value) { return read_field(value, chat.prompt_cache_key); }},
    Row{"metadata", &read_metadata},
    Row{"previous_response_id",
        [](Chat& chat, JsonValue value) { return read_field(value, chat.previous_response_id); }},
    Row{"store", [](Chat& chat, JsonValue value) { return read_field(value, chat.is_stored); }},
    Row{"background", &refuse_background},
    Row{"conversation", &leave_conversation},
    Row{"truncation", &read_truncation},
};

Result<Chat> decode_chat(const ClientCall& call) {
  const JsonValue root = call.body->root();
  TRY(root.expect(JsonType::object));
  Chat chat;
  chat.arena->hold(call.body);
  chat.body = {.root = root, .shape = &kResponsesShape};
  TRY(read_fields<Chat>(kRows, root, kDialect, chat));
  if (chat.model.empty())
    return fail(ErrorKind::bad_request, "model is missing: name the model to use", "model");
  TRY(decode_responses_input(root["input"], chat));
  const bool continues =
      !chat.previous_response_id.empty() || !root["prompt"].is_absent() || !root["conversation"].is_absent();
  if (chat.messages.empty() && !continues) {
    const std::string_view problem =
        root["input"].is_absent() ? "input is missing" : "input must not be empty";
    return fail(ErrorKind::bad_request, fmt::format("{}: a text or an array of items", problem), "input");
  }
  TRY(settle_unknown(chat, decode_responses_instructions(root["instructions"], chat)));
  return chat;
}

class ResponsesClient final : public ClientCodec {
 public:
  Dialect dialect() const override { return kDialect; }

  Result<Request> decode_request(const ClientCall& call) const override { return TRY(decode_chat(call)); }

  std::unique_ptr<StreamEncoder> stream_encoder(AnswerContext context) const override {
    return make_responses_stream_encoder(std::move(context));
  }
  ClientReply encode_answer(const Answer& answer, const AnswerContext& context) const override {
    return encode_responses_answer(answer, context);
  }
  ClientReply encode_error(const Error& error, std::string_view request_id) const override {
    return encode_openai_error(error, request_id);
  }
};

class InputTokensClient final : public ClientCodec {
 public:
  Dialect dialect() const override { return kDialect; }

  Result<Request> decode_request(const ClientCall& call) const override {
    Chat chat = TRY(decode_chat(call));
    chat.is_streamed = false;
    return CountTokens{std::move(chat)};
  }

  // A count is never streamed; the encoder is there for the port's sake.
  std::unique_ptr<StreamEncoder> stream_encoder(AnswerContext context) const override {
    return make_responses_stream_encoder(std::move(context));
  }
  ClientReply encode_answer(const Answer& answer, const AnswerContext&) const override {
    ClientReply reply;
    reply.headers.add("content-type", "application/json");
    JsonWriter json(reply.body);
    json.begin_object().key("object").value("response.input_tokens");
    json.key("input_tokens").value(answer.usage.input_total()).end_object();
    return reply;
  }
  ClientReply encode_error(const Error& error, std::string_view request_id) const override {
    return encode_openai_error(error, request_id);
  }
};

}  // namespace

const ClientCodec& openai_responses_client() {
  static const ResponsesClient codec;
  return codec;
}

const ClientCodec& openai_responses_input_tokens_client() {
  static const InputTokensClient codec;
  return codec;
}

}  // namespace weir
