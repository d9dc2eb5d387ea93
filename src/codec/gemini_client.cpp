// The client half of Google's dialect: requests into the IR.
#include <array>
#include <fmt/core.h>

#include "base/text.h"
#include "codec/body_shape.h"
#include "codec/gemini.h"
#include "codec/gemini_content.h"
#include "codec/gemini_encode.h"
#include "codec/gemini_fields.h"

namespace weir {
namespace {

using Row = GeminiFieldRow;
constexpr Dialect kDialect = Dialect::gemini;
constexpr std::string_view kConfigPrefix = "generationConfig.";
constexpr std::string_view kJsonMime = "application/json";

std::unexpected<Error> wrong(JsonValue value, std::string_view what) {
  std::string path = value.path();
  return fail(ErrorKind::bad_request, fmt::format("{} {}", path, what), path);
}

Result<void> read_stop(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::array));
  for (const JsonValue text : value) chat.stop.push_back(TRY(text.as_string()));
  return {};
}

Result<void> read_max_tokens(Chat& chat, JsonValue value) {
  TRY(read_field(value, chat.max_tokens));
  if (chat.max_tokens && *chat.max_tokens < 0) return wrong(value, "must not be below 0");
  return {};
}

void set_schema(Chat& chat, JsonValue schema) {
  chat.format.kind = FormatKind::json_schema;
  chat.format.schema = gemini_json_schema(schema, *chat.arena);
  chat.format.strict = true;
  chat.format.is_enforced = true;
}

Result<void> read_schema(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  set_schema(chat, value);
  return {};
}

Result<void> read_mime(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  const std::string_view mime = TRY(value.as_string());
  if (mime == kJsonMime) {
    if (chat.format.kind == FormatKind::text) chat.format.kind = FormatKind::json_object;
  } else if (mime != "text/plain" && !mime.empty()) {
    chat.extras.push_back(
        {.dialect = kDialect, .key = "generationConfig.responseMimeType", .raw = {value.raw()}});
  }
  return {};
}

Result<void> read_level(Reasoning& reasoning, JsonValue value) {
  if (value.is_absent()) return {};
  const std::string level = to_lower(TRY(value.as_string()));
  if (level == "thinking_level_unspecified") return {};
  reasoning.effort = from_string<EffortLevel>(level);
  if (!reasoning.effort) {
    const std::string path = value.path();
    return unknown_value(fmt::format("{} must be MINIMAL, LOW, MEDIUM or HIGH", path), path);
  }
  return {};
}

// A budget of 0 turns thinking off, -1 leaves it to the model.
Result<void> read_thinking(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  Reasoning& reasoning = chat.reasoning;
  std::optional<int64_t> budget;
  TRY(read_field(gemini_member(value, "thinkingBudget"), budget));
  TRY(settle_unknown(chat, read_level(reasoning, gemini_member(value, "thinkingLevel"))));
  std::optional<bool> includes_thoughts;
  TRY(read_field(gemini_member(value, "includeThoughts"), includes_thoughts));
  if (budget == 0) {
    reasoning.is_disabled = true;
  } else if (budget && *budget < 0) {
    reasoning.is_adaptive = true;
  } else {
    reasoning.budget_tokens = budget;
  }
  if (!includes_thoughts) return {};
  reasoning.display = *includes_thoughts ? "summarized" : "omitted";
  if (*includes_thoughts && !reasoning.is_set()) reasoning.is_adaptive = true;
  return {};
}

constexpr std::array kConfigRows = {
    Row{"stopSequences", &read_stop},
    Row{"responseMimeType", &read_mime},
    Row{"responseSchema", &read_schema},
    Row{"responseJsonSchema", &read_schema},
    Row{"candidateCount", [](Chat& chat, JsonValue value) { return read_field(value, chat.choices); }},
    Row{"maxOutputTokens", &read_max_tokens},
    Row{"temperature", [](Chat& chat, JsonValue value) { return read_field(value, chat.temperature); }},
    Row{"topP", [](Chat& chat, JsonValue value) { return read_field(value, chat.top_p); }},
    Row{"topK", [](Chat& chat, JsonValue value) { return read_field(value, chat.top_k); }},
    Row{"seed", [](Chat& chat, JsonValue value) { return read_field(value, chat.seed); }},
    Row{"presencePenalty",
        [](Chat& chat, JsonValue value) { return read_field(value, chat.presence_penalty); }},
    Row{"frequencyPenalty",
        [](Chat& chat, JsonValue value) { return read_field(value, chat.frequency_penalty); }},
    Row{"responseLogprobs", [](Chat& chat, JsonValue value) { return read_field(value, chat.logprobs); }},
    Row{"logprobs", [](Chat& chat, JsonValue value) { return read_field(value, chat.top_logprobs); }},
    Row{"thinkingConfig", &read_thinking},
};

Result<void> read_config(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  return read_gemini_fields(kConfigRows, value, kConfigPrefix, chat);
}

Result<void> read_labels(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  for (const JsonValue label : value) chat.metadata.push_back({ label.key(), TRY(label.as_string()) });
  return {};
}

constexpr std::array kRows = {
    Row{"contents", [](Chat& chat, JsonValue value) { return decode_gemini_contents(value, chat); }},
    Row{"generationConfig", &read_config},
    Row{"tools", [](Chat& chat, JsonValue value) { return decode_gemini_tools(value, chat); }},
    Row{"toolConfig", [](Chat& chat, JsonValue value) { return decode_gemini_tool_config(value, chat); }},
    Row{"labels", &read_labels},
    Row{"serviceTier", [](Chat& chat, JsonValue value) { return read_field(value, chat.service_tier); }},
    // The path names the model; bodies that repeat it say the same.
    Row{"model", [](Chat&, JsonValue) { return Result<void>{}; }},
    // Read after the rest: it becomes the first message.
    Row{"systemInstruction", [](Chat&, JsonValue) { return Result<void>{}; }},
};

// "models/gemini-x" and "gemini-x" name the same; a tuned model keeps its folder, and a model of another
// publisher its publisher, as their paths do.
std::string_view model_of_call(const ClientCall& call, Arena& arena) {
  constexpr std::string_view kModels = "models/";
  constexpr std::string_view kPublishers = "/publishers/";
  std::string_view model = call.path_model;
  if (model.starts_with(kModels)) model.remove_prefix(kModels.size());
  const std::string_view path = call.path;
  if (path.find("/tunedModels/") != std::string_view::npos)
    return arena.keep(fmt::format("tunedModels/{}", model));
  if (const size_t at = path.find(kPublishers); at != std::string_view::npos) {
    const std::string_view rest = path.substr(at + kPublishers.size());
    const std::string_view publisher = rest.substr(0, rest.find('/'));
    if (publisher != "google") return arena.keep(fmt::format("{}/{}", publisher, model));
  }
  return arena.copy(model);
}

Result<Chat> decode_body(const ClientCall& call, JsonValue root) {
  TRY(root.expect(JsonType::object));
  Chat chat;
  chat.arena->hold(call.body);
  chat.body = {.root = root, .shape = &kGeminiShape};
  chat.model = model_of_call(call, *chat.arena);
  if (chat.model.empty())
    return fail(ErrorKind::bad_request, "the path names no model: /v1beta/models/{model}:generateContent",
                "model");
  TRY(read_gemini_fields(kRows, root, "", chat));
  if (!root["contents"])
    return fail(ErrorKind::bad_request, "contents is missing: an array of turns with parts", "contents");
  if (chat.messages.empty()) return fail(ErrorKind::bad_request, "contents must not be empty", "contents");
  TRY(decode_gemini_system(gemini_member(root, "systemInstruction"), chat));
  return chat;
}

class GenerateClient : public ClientCodec {
 public:
  Dialect dialect() const override { return kDialect; }
  Result<Request> decode_request(const ClientCall& call) const override {
    return TRY(decode_body(call, call.body->root()));
  }
  std::unique_ptr<StreamEncoder> stream_encoder(AnswerContext context) const override {
    return make_gemini_stream_encoder(std::move(context), GeminiFraming::events);
  }
  ClientReply encode_answer(const Answer& answer, const AnswerContext& context) const override {
    return encode_gemini_answer(answer, context);
  }
  ClientReply encode_error(const Error& error, std::string_view) const override {
    return encode_gemini_error(error);
  }
};

// :streamGenerateContent without alt=sse.
class ArrayStreamClient final : public GenerateClient {
 public:
  Result<Request> decode_request(const ClientCall& call) const override {
    Chat chat = TRY(decode_body(call, call.body->root()));
    chat.is_streamed = true;
    return chat;
  }
  bool allows_raw() const override { return false; }
  std::string_view stream_content_type() const override { return "application/json; charset=UTF-8"; }
  std::unique_ptr<StreamEncoder> stream_encoder(AnswerContext context) const override {
    return make_gemini_stream_encoder(std::move(context), GeminiFraming::array);
  }
};

class EventStreamClient final : public GenerateClient {
 public:
  const ClientCodec& for_call(const ClientCall& call) const override {
    static const ArrayStreamClient array;
    if (equals_ignore_case(gemini_query(call.query, "alt"), "sse")) return *this;
    return array;
  }
  Result<Request> decode_request(const ClientCall& call) const override {
    Chat chat = TRY(decode_body(call, call.body->root()));
    chat.is_streamed = true;
    return chat;
  }
};

// The request stands at the top (Vertex AI) or in generateContentRequest.
class CountTokensClient final : public GenerateClient {
 public:
  Result<Request> decode_request(const ClientCall& call) const override {
    const JsonValue root = call.body->root();
    const JsonValue inner = gemini_member(root, "generateContentRequest");
    return CountTokens {
      TRY(decode_body(call, inner.is_absent() ? root : inner))
    };
  }
  ClientReply encode_answer(const Answer& answer, const AnswerContext&) const override {
    ClientReply reply;
    reply.headers.add("content-type", "application/json; charset=UTF-8");
    JsonWriter(reply.body).begin_object().key("totalTokens").value(answer.usage.input_total()).end_object();
    return reply;
  }
};

}  // namespace

const ClientCodec& gemini_generate_client() {
  static const GenerateClient codec;
  return codec;
}

const ClientCodec& gemini_stream_client() {
  static const EventStreamClient codec;
  return codec;
}

const ClientCodec& gemini_count_tokens_client() {
  static const CountTokensClient codec;
  return codec;
}

}  // namespace weir
