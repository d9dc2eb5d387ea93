#include "codec/openai_embeddings.h"

#include <fmt/core.h>

#include "base/encoding.h"
#include "codec/fields.h"
#include "codec/openai.h"
#include "codec/openai_decode.h"
#include "codec/openai_encode.h"

namespace weir {
namespace {

using Row = FieldRow<Embed>;

Result<void> read_token_ids(JsonValue list, Embed& embed) {
  std::vector<int64_t>& ids = embed.token_inputs.emplace_back();
  for (const JsonValue id : list) ids.push_back(TRY(id.as_int()));
  return {};
}

// A string, strings, token ids, or lists of token ids.
Result<void> read_input(Embed& embed, JsonValue value) {
  if (value.is_string()) {
    embed.inputs.push_back(TRY(value.as_string()));
    return {};
  }
  if (!value.is_array() || value.size() == 0) {
    return fail(ErrorKind::bad_request, "input is a text, or a list of texts or token ids that is not empty",
                "input");
  }
  if (value.at(0).is_number()) return read_token_ids(value, embed);
  for (const JsonValue item : value) {
    if (item.is_array()) {
      TRY(read_token_ids(item, embed));
    } else {
      embed.inputs.push_back(TRY(item.as_string()));
    }
  }
  if (!embed.inputs.empty() && !embed.token_inputs.empty()) {
    return fail(ErrorKind::bad_request, "input holds either texts or token ids, not both", "input");
  }
  return {};
}

Result<void> read_encoding(Embed& embed, JsonValue value) {
  if (value.is_absent()) return {};
  const std::string_view format = TRY(value.as_string());
  if (format != "float" && format != "base64") {
    return fail(ErrorKind::bad_request, "encoding_format is float or base64", "encoding_format");
  }
  embed.wants_base64 = format == "base64";
  return {};
}

constexpr std::array kRows = {
    Row{"model", [](Embed& embed, JsonValue value) { return read_field(value, embed.model); }},
    Row{"input", &read_input},
    Row{"encoding_format", &read_encoding},
    Row{"dimensions", [](Embed& embed, JsonValue value) { return read_field(value, embed.dimensions); }},
    Row{"user", [](Embed& embed, JsonValue value) { return read_field(value, embed.end_user); }},
};

class OpenAiEmbeddingsClient final : public ClientCodec {
 public:
  Dialect dialect() const override { return Dialect::openai_chat; }

  Result<Request> decode_request(const ClientCall& call) const override {
    const JsonValue root = call.body->root();
    TRY(root.expect(JsonType::object));
    Embed embed;
    embed.arena->hold(call.body);
    TRY(read_fields<Embed>(kRows, root, Dialect::openai_chat, embed));
    if (embed.model.empty())
      return fail(ErrorKind::bad_request, "model is missing: name the model to use", "model");
    if (!root["input"])
      return fail(ErrorKind::bad_request, "input is missing: a text or a list of texts", "input");
    return embed;
  }

  std::unique_ptr<StreamEncoder> stream_encoder(AnswerContext context) const override {
    // Embeddings are never streamed; errors after the head have this form.
    return make_openai_stream_encoder(std::move(context));
  }

  ClientReply encode_answer(const Answer& answer, const AnswerContext& context) const override {
    ClientReply reply;
    reply.headers.add("content-type", "application/json");
    const auto* embed = std::get_if<Embed>(context.request);
    const auto* vectors = answer.payload ? std::get_if<EmbedAnswer>(&answer.payload->body) : nullptr;
    JsonWriter json(reply.body);
    json.begin_object().key("object").value("list").key("data").begin_array();
    for (size_t i = 0; vectors && i < vectors->vectors.size(); ++i) {
      json.begin_object().key("object").value("embedding").key("index").value(static_cast<int64_t>(i));
      json.key("embedding");
      write_vector(json, vectors->vectors[i], embed && embed->wants_base64);
      json.end_object();
    }
    json.end_array().key("model");
    json.value(answer.payload && !answer.payload->model.empty() ? answer.payload->model : context.model);
    const int64_t tokens = answer.usage.input_total();
    json.key("usage").begin_object().key("prompt_tokens").value(tokens).key("total_tokens").value(tokens);
    json.end_object().end_object();
    return reply;
  }

  ClientReply encode_error(const Error& error, std::string_view request_id) const override {
    return encode_openai_error(error, request_id);
  }

 private:
  static void write_vector(JsonWriter& json, const std::vector<float>& vector, bool as_base64) {
    if (as_base64) {
      json.value(float32_base64_encode(vector));
      return;
    }
    json.begin_array();
    for (const float number : vector) json.raw(fmt::format("{}", number));
    json.end_array();
  }
};

Result<std::vector<float>> decode_vector(JsonValue value) {
  if (value.is_string()) return float32_base64_decode(TRY(value.as_string()));
  std::vector<float> vector;
  vector.reserve(value.size());
  for (const JsonValue number : value) vector.push_back(static_cast<float>(TRY(number.as_double())));
  return vector;
}

}  // namespace

Result<void> encode_openai_embed(const Embed& embed, const TargetModel& target, EncodedCall& call) {
  JsonWriter json(call.wire.body);
  json.begin_object().key("model").value(target.model).key("input").begin_array();
  for (const std::string_view text : embed.inputs) json.value(text);
  for (const std::vector<int64_t>& ids : embed.token_inputs) {
    json.begin_array();
    for (const int64_t id : ids) json.value(id);
    json.end_array();
  }
  json.end_array().key("encoding_format").value("base64");
  const bool is_output_dimension = target.capabilities->quirks.dimensions_is_output_dimension;
  if (embed.dimensions)
    json.key(is_output_dimension ? "output_dimension" : "dimensions").value(*embed.dimensions);
  if (!embed.end_user.empty()) {
    if (target.capabilities->quirks.no_user) {
      call.notes.fidelity.add(Severity::info, LossReason::dropped, "/user");
    } else {
      json.key("user").value(embed.end_user);
    }
  }
  if (!embed.purpose.empty())
    call.notes.fidelity.add(Severity::warning, LossReason::dropped, "/purpose", std::string(embed.purpose));
  for (const ExtraField& extra : embed.extras) {
    if (extra.dialect == Dialect::openai_chat) {
      json.key(extra.key).raw(extra.raw.text);
    } else {
      call.notes.fidelity.add(Severity::warning, LossReason::dropped, fmt::format("/{}", extra.key));
    }
  }
  json.end_object();
  return {};
}

Result<std::vector<Event>> decode_openai_embed(const WireReply& reply, const CallNotes& notes) {
  const auto malformed = [](std::string_view why) {
    return fail(ErrorKind::upstream_malformed,
                fmt::format("the provider's embeddings cannot be read: {}", why));
  };
  Result<JsonDoc> doc = JsonDoc::parse(std::string(reply.body));
  if (!doc) return malformed(doc.error().message);
  const JsonValue root = doc->root();
  const JsonValue data = root["data"];
  if (!data.is_array()) return malformed("there is no data");
  EmbedAnswer answer;
  answer.vectors.resize(data.size());
  size_t position = 0;
  for (const JsonValue item : data) {
    const int64_t index = item["index"].int_or(static_cast<int64_t>(position++));
    if (index < 0 || index >= static_cast<int64_t>(answer.vectors.size()))
      return malformed("an index is out of range");
    Result<std::vector<float>> vector = decode_vector(item["embedding"]);
    if (!vector) return malformed(vector.error().message);
    answer.vectors[static_cast<size_t>(index)] = std::move(*vector);
  }
  std::vector<Event> events;
  events.push_back(
      Payload{.id = {}, .model = std::string(root["model"].string_or("")), .body = std::move(answer)});
  if (const Usage usage = decode_openai_usage(root["usage"], notes); !usage.empty())
    events.push_back(UsageReport{usage});
  events.push_back(End{});
  return events;
}

const ClientCodec& openai_embeddings_client() {
  static const OpenAiEmbeddingsClient codec;
  return codec;
}

}  // namespace weir
