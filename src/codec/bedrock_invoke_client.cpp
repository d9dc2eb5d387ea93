// The client half of InvokeModel: Anthropic's bodies in Bedrock's framing, and counts of tokens.
#include <algorithm>
#include <fmt/core.h>

#include "base/encoding.h"
#include "base/text.h"
#include "codec/anthropic_content.h"
#include "codec/anthropic_encode.h"
#include "codec/bedrock_converse_content.h"
#include "codec/bedrock_invoke.h"
#include "codec/bedrock_invoke_encode.h"
#include "codec/bedrock_wire.h"

namespace weir {
namespace {

constexpr std::string_view kVersionField = "anthropic_version";
constexpr std::string_view kBetaField = "anthropic_beta";

// Members that Bedrock's form of the body has beside the vendor's: the version says nothing to others, the
// betas become what the vendor's own header is.
Result<void> settle_framing(Chat& chat, JsonValue body) {
  std::erase_if(chat.extras, [](const ExtraField& extra) {
    return extra.key == kVersionField || extra.key == kBetaField;
  });
  const JsonValue betas = body[kBetaField];
  if (betas.is_absent()) return {};
  TRY(betas.expect(JsonType::array));
  // The body's names are what Bedrock reads; a header of the vendor's own it does not.
  std::erase_if(chat.extras, [](const ExtraField& extra) { return extra.key == kAnthropicBeta; });
  std::string joined;
  for (const JsonValue name : betas) {
    if (!joined.empty()) joined += ',';
    joined += TRY(name.as_string());
  }
  if (joined.empty()) return {};
  std::string raw;
  append_json_string(raw, joined);
  chat.extras.push_back({.dialect = Dialect::anthropic_messages,
                         .key = kAnthropicBeta,
                         .raw = {chat.arena->keep(std::move(raw))}});
  return {};
}

// Guardrails, traces, latency and tier are asked for in headers.
void read_service_headers(const Headers& headers, Chat& chat) {
  for (const HeaderField field : headers) {
    if (!starts_with_ignore_case(field.name, kInvokeHeaderPrefix)) continue;
    std::string name = to_lower(field.name);
    if (name == "x-amzn-bedrock-accept") continue;
    std::string raw;
    append_json_string(raw, field.value);
    chat.extras.push_back({.dialect = Dialect::bedrock_invoke,
                           .key = chat.arena->keep(std::move(name)),
                           .raw = {chat.arena->keep(std::move(raw))}});
  }
}

Result<void> check_shape(JsonValue body) {
  if (!body.is_object() || body["messages"]) return body.expect(JsonType::object);
  return fail(
      ErrorKind::bad_request,
      "messages is missing: the body is Anthropic's, {\"anthropic_version\": \"bedrock-2023-05-31\", "
      "\"max_tokens\": ..., \"messages\": [...]}, whatever model answers; Converse takes any model too",
      "messages");
}

void add_token_headers(const Usage& usage, Headers& headers) {
  const InvokeCounts counts = invoke_counts(usage);
  headers.add("x-amzn-bedrock-input-token-count", fmt::format("{}", counts.input));
  headers.add("x-amzn-bedrock-output-token-count", fmt::format("{}", counts.output));
  headers.add("x-amzn-bedrock-cache-read-input-token-count", fmt::format("{}", counts.cache_read));
  headers.add("x-amzn-bedrock-cache-write-input-token-count", fmt::format("{}", counts.cache_written));
}

class InvokeClient final : public ClientCodec {
 public:
  explicit InvokeClient(bool is_streamed) : is_streamed_(is_streamed) {}
  Dialect dialect() const override { return Dialect::bedrock_invoke; }

  Result<Request> decode_request(const ClientCall& call) const override {
    const JsonValue body = call.body->root();
    TRY(check_shape(body));
    Chat chat = TRY(decode_anthropic_chat(call));
    if (!chat.max_tokens) {
      return fail(ErrorKind::bad_request,
                  "max_tokens is required: the number of tokens that the answer may have", "max_tokens");
    }
    TRY(settle_framing(chat, body));
    read_service_headers(call.headers, chat);
    chat.is_streamed = is_streamed_;
    return chat;
  }

  std::string_view stream_content_type() const override { return kEventStreamType; }
  std::unique_ptr<StreamEncoder> stream_encoder(AnswerContext context) const override {
    return make_invoke_stream_encoder(std::move(context));
  }
  ClientReply encode_answer(const Answer& answer, const AnswerContext& context) const override {
    ClientReply reply = encode_anthropic_answer(answer, context);
    add_token_headers(with_estimate(answer.usage, context), reply.headers);
    return reply;
  }
  ClientReply encode_error(const Error& error, std::string_view request_id) const override {
    return encode_bedrock_error(error, request_id);
  }

 private:
  const bool is_streamed_;
};

// `input.invokeModel.body`: base64 of a body of InvokeModel.
Result<Chat> decode_invoke_input(const ClientCall& call, JsonValue body) {
  const std::string path = "input.invokeModel.body";
  const Result<std::string> text = base64_decode(TRY(body.as_string()));
  if (!text) return fail(ErrorKind::bad_request, fmt::format("{} must be base64", path), path);
  Result<JsonDoc> parsed = JsonDoc::parse(*text);
  if (!parsed) return fail(ErrorKind::bad_request, fmt::format("{}: {}", path, parsed.error().message), path);
  ClientCall inner = call;
  inner.body = std::make_shared<const JsonDoc>(std::move(*parsed));
  TRY(check_shape(inner.body->root()));
  Chat chat = TRY(decode_anthropic_chat(inner));
  TRY(settle_framing(chat, inner.body->root()));
  return chat;
}

class CountTokensClient final : public ClientCodec {
 public:
  Dialect dialect() const override { return Dialect::bedrock_converse; }

  Result<Request> decode_request(const ClientCall& call) const override {
    const JsonValue input = call.body->root()["input"];
    CountTokens count;
    if (const JsonValue converse = input["converse"]) {
      count.chat.arena->hold(call.body);
      count.chat.model = count.chat.arena->copy(call.path_model);
      TRY(decode_converse_body(converse, count.chat));
    } else if (const JsonValue body = input["invokeModel"]["body"]) {
      count.chat = TRY(decode_invoke_input(call, body));
    } else {
      return fail(ErrorKind::bad_request, "input is required: an object with converse or invokeModel",
                  "input");
    }
    count.chat.is_streamed = false;
    return count;
  }

  // A count is never streamed; the encoder is there for the port's sake.
  std::unique_ptr<StreamEncoder> stream_encoder(AnswerContext context) const override {
    return make_invoke_stream_encoder(std::move(context));
  }
  ClientReply encode_answer(const Answer& answer, const AnswerContext&) const override {
    ClientReply reply;
    reply.headers.add("content-type", "application/json");
    JsonWriter(reply.body).begin_object().key("inputTokens").value(answer.usage.input_total()).end_object();
    return reply;
  }
  ClientReply encode_error(const Error& error, std::string_view request_id) const override {
    return encode_bedrock_error(error, request_id);
  }
};

}  // namespace

const ClientCodec& bedrock_invoke_client() {
  static const InvokeClient codec(false);
  return codec;
}

const ClientCodec& bedrock_invoke_stream_client() {
  static const InvokeClient codec(true);
  return codec;
}

const ClientCodec& bedrock_count_tokens_client() {
  static const CountTokensClient codec;
  return codec;
}

}  // namespace weir
