// The client half of Anthropic's dialect: requests into the IR.
#include <array>
#include <fmt/core.h>

#include "codec/anthropic.h"
#include "codec/anthropic_content.h"
#include "codec/anthropic_encode.h"
#include "codec/body_shape.h"
#include "codec/fields.h"

namespace weir {
namespace {

using Row = FieldRow<Chat>;
constexpr Dialect kDialect = Dialect::anthropic_messages;

Result<void> read_max_tokens(Chat& chat, JsonValue value) {
  TRY(read_field(value, chat.max_tokens));
  if (chat.max_tokens && *chat.max_tokens < 0)
    return fail(ErrorKind::bad_request, "max_tokens must not be below 0", "max_tokens");
  return {};
}

Result<void> read_stop(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::array));
  chat.stop.reserve(value.size());
  for (const JsonValue text : value) chat.stop.push_back(TRY(text.as_string()));
  return {};
}

Result<void> read_thinking(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  Reasoning& reasoning = chat.reasoning;
  const std::string_view type = TRY(required_string(value, "type"));
  TRY(read_field(value["display"], reasoning.display));
  if (type == "disabled") {
    reasoning.is_disabled = true;
  } else if (type == "adaptive") {
    reasoning.is_adaptive = true;
  } else if (type == "enabled") {
    reasoning.budget_tokens = TRY(value["budget_tokens"].as_int());
  } else {
    return unknown_value("thinking.type must be enabled, adaptive or disabled", "thinking.type");
  }
  return {};
}

Result<void> read_format(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  const std::string_view type = TRY(required_string(value, "type"));
  if (type != "json_schema") {
    const std::string path = value.path() + ".type";
    return unknown_value(fmt::format("{} must be json_schema", path), path);
  }
  TRY(value["schema"].expect(JsonType::object));
  chat.format.kind = FormatKind::json_schema;
  chat.format.schema = {value["schema"].raw()};
  chat.format.strict = true;
  chat.format.is_enforced = true;
  return {};
}

Result<void> read_output_config(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  for (const JsonValue member : value) {
    if (member.key() == "format") {
      TRY(settle_unknown(chat, read_format(chat, member)));
    } else if (member.key() == "effort") {
      if (member.is_null()) continue;
      chat.reasoning.effort = from_string<EffortLevel>(TRY(member.as_string()));
      if (!chat.reasoning.effort) {
        TRY(settle_unknown(chat, unknown_value("output_config.effort must be low, medium, high, xhigh or max",
                                               "output_config.effort")));
      }
    } else {
      chat.extras.push_back({.dialect = kDialect,
                             .key = chat.arena->keep(fmt::format("output_config.{}", member.key())),
                             .raw = {member.raw()}});
    }
  }
  return {};
}

Result<void> read_metadata(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  for (const JsonValue member : value) {
    // Other gateways' clients send any map here.
    if (member.key() != "user_id")
      chat.metadata.push_back({.key = member.key(), .value = member.string_or(member.raw())});
  }
  return read_field(value["user_id"], chat.end_user);
}

// The SDK's tool runner sends only the last turn of a conversation that the vendor keeps; on this code it
// resends the whole history. Ignoring the field would silently lose the conversation.
Result<void> refuse_thread(Chat&, JsonValue value) {
  if (value.is_absent()) return {};
  Error error = make_error(ErrorKind::bad_request,
                           "thread is not supported here: send the whole history in messages", "thread");
  error.code = "thread_unsupported_request";
  return fail(std::move(error));
}

constexpr std::array kRows = {
    Row{"model", [](Chat& chat, JsonValue value) { return read_field(value, chat.model); }},
    Row{"max_tokens", &read_max_tokens},
    Row{"messages", [](Chat& chat, JsonValue value) { return decode_anthropic_messages(value, chat); }},
    Row{"stream", [](Chat& chat, JsonValue value) { return read_field(value, chat.is_streamed); }},
    Row{"tools", [](Chat& chat, JsonValue value) { return decode_anthropic_tools(value, chat); }},
    Row{"tool_choice", [](Chat& chat, JsonValue value) { return decode_anthropic_tool_choice(value, chat); }},
    Row{"temperature", [](Chat& chat, JsonValue value) { return read_field(value, chat.temperature); }},
    Row{"top_p", [](Chat& chat, JsonValue value) { return read_field(value, chat.top_p); }},
    Row{"top_k", [](Chat& chat, JsonValue value) { return read_field(value, chat.top_k); }},
    Row{"stop_sequences", &read_stop},
    Row{"thinking", &read_thinking},
    Row{"output_config", &read_output_config},
    Row{"output_format", &read_format},  // the older beta form of output_config.format
    Row{"metadata", &read_metadata},
    Row{"service_tier", [](Chat& chat, JsonValue value) { return read_field(value, chat.service_tier); }},
    Row{"thread", &refuse_thread},
    // Read after the rest: it becomes the first message.
    Row{"system", [](Chat&, JsonValue) { return Result<void>{}; }},
};

// The names in anthropic-beta are part of the request; other dialects report them as not carried.
void read_betas(const Headers& headers, Chat& chat) {
  std::string joined;
  for (const HeaderField field : headers) {
    if (!equals_ignoring_case(field.name, kAnthropicBeta)) continue;
    if (!joined.empty()) joined += ',';
    joined += field.value;
  }
  if (joined.empty()) return;
  std::string raw;
  append_json_string(raw, joined);
  chat.extras.push_back(
      {.dialect = kDialect, .key = kAnthropicBeta, .raw = {chat.arena->keep(std::move(raw))}});
}

class MessagesClient final : public ClientCodec {
 public:
  Dialect dialect() const override { return kDialect; }

  Result<Request> decode_request(const ClientCall& call) const override {
    Chat chat = TRY(decode_anthropic_chat(call));
    if (!chat.max_tokens) {
      return fail(ErrorKind::bad_request,
                  "max_tokens is required: the number of tokens that the answer may have", "max_tokens");
    }
    return chat;
  }

  std::unique_ptr<StreamEncoder> stream_encoder(AnswerContext context) const override {
    return make_anthropic_stream_encoder(std::move(context));
  }
  ClientReply encode_answer(const Answer& answer, const AnswerContext& context) const override {
    return encode_anthropic_answer(answer, context);
  }
  ClientReply encode_error(const Error& error, std::string_view request_id) const override {
    return encode_anthropic_error(error, request_id);
  }
};

class CountTokensClient final : public ClientCodec {
 public:
  Dialect dialect() const override { return kDialect; }

  Result<Request> decode_request(const ClientCall& call) const override {
    Chat chat = TRY(decode_anthropic_chat(call));
    chat.is_streamed = false;
    return CountTokens{std::move(chat)};
  }

  // A count is never streamed; the encoder is there for the port's sake.
  std::unique_ptr<StreamEncoder> stream_encoder(AnswerContext context) const override {
    return make_anthropic_stream_encoder(std::move(context));
  }
  ClientReply encode_answer(const Answer& answer, const AnswerContext&) const override {
    ClientReply reply;
    reply.headers.add("content-type", "application/json");
    JsonWriter(reply.body).begin_object().key("input_tokens").value(answer.usage.input_total()).end_object();
    return reply;
  }
  ClientReply encode_error(const Error& error, std::string_view request_id) const override {
    return encode_anthropic_error(error, request_id);
  }
};

}  // namespace

Result<Chat> decode_anthropic_chat(const ClientCall& call) {
  const JsonValue root = call.body->root();
  TRY(root.expect(JsonType::object));
  Chat chat;
  chat.arena->hold(call.body);
  chat.body = {.root = root, .shape = &kAnthropicShape};
  TRY(read_fields<Chat>(kRows, root, kDialect, chat));
  if (!call.path_model.empty()) chat.model = chat.arena->copy(call.path_model);
  if (chat.model.empty())
    return fail(ErrorKind::bad_request, "model is missing: name the model to use", "model");
  if (!root["messages"])
    return fail(ErrorKind::bad_request, "messages is missing: an array of messages", "messages");
  if (chat.messages.empty()) return fail(ErrorKind::bad_request, "messages must not be empty", "messages");
  TRY(decode_anthropic_system(root["system"], chat));
  read_betas(call.headers, chat);
  return chat;
}

const ClientCodec& anthropic_messages_client() {
  static const MessagesClient codec;
  return codec;
}

const ClientCodec& anthropic_count_tokens_client() {
  static const CountTokensClient codec;
  return codec;
}

}  // namespace weir
