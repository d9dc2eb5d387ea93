#include "codec/gemini_embeddings.h"

#include <array>
#include <fmt/core.h>
#include <map>
#include <set>
#include <string>

#include "base/text.h"
#include "codec/gemini.h"
#include "codec/gemini_decode.h"
#include "codec/gemini_encode.h"
#include "codec/gemini_fields.h"
#include "codec/provider_json.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::gemini;

struct PurposeRow {
  std::string_view task;
  std::string_view purpose;  // in the IR's words
};
// https://ai.google.dev/gemini-api/docs/embeddings#supported-task-types
constexpr std::array<PurposeRow, 4> kPurposes = {{{"RETRIEVAL_QUERY", "search_query"},
                                                  {"RETRIEVAL_DOCUMENT", "search_document"},
                                                  {"CLASSIFICATION", "classification"},
                                                  {"CLUSTERING", "clustering"}}};

// The text of a content: its parts, one after the other.
Result<std::string_view> text_of(JsonValue content, Arena& arena) {
  if (content.is_string()) return content.as_string();
  const JsonValue parts = content["parts"];
  const JsonValue only = parts.is_object() ? parts : parts.at(0);
  if (parts.size() <= 1 || parts.is_object()) {
    if (only["text"].is_string()) return only["text"].as_string();
    const std::string path = content.path();
    return fail(ErrorKind::bad_request, fmt::format("{} needs a part with a text", path), path);
  }
  std::string joined;
  for (const JsonValue part : parts) {
    if (!part["text"].is_string()) {
      return fail(ErrorKind::unsupported, "only texts can be embedded here; leave the other parts out",
                  part.path());
    }
    if (!joined.empty()) joined += '\n';
    joined += part["text"].string_or("");
  }
  return arena.keep(std::move(joined));
}

// What one request says beside its content, by the vendor's names.
using Settings = std::map<std::string, JsonValue, std::less<>>;

Settings settings_of(JsonValue source) {
  Settings settings;
  for (const JsonValue holder : {source, source["embedContentConfig"]}) {
    if (!holder.is_object()) continue;
    for (const JsonValue member : holder) {
      const std::string key = gemini_camel(member.key());
      if (key != "content" && key != "model" && key != "embedContentConfig") settings[key] = member;
    }
  }
  return settings;
}

Result<void> read_settings(const Settings& settings, Embed& embed) {
  for (const auto& [key, member] : settings) {
    if (key == "outputDimensionality") {
      TRY(read_field(member, embed.dimensions));
      continue;
    }
    if (key == "taskType") {
      const std::string_view task = TRY(member.as_string());
      for (const PurposeRow& row : kPurposes) {
        if (row.task == task) embed.purpose = row.purpose;
      }
      if (!embed.purpose.empty()) continue;
    }
    embed.extras.push_back({.dialect = kDialect, .key = embed.arena->keep(key), .raw = {member.raw()}});
  }
  return {};
}

// Where a later request of a batch says something else than the first: whoever writes the batch anew reports
// the member under this name.
constexpr std::string_view kOfOneRequest = "requests.";

void note_differences(const Settings& first, const Settings& settings, std::set<std::string>& differing) {
  for (const auto& [key, member] : settings) {
    const auto found = first.find(key);
    if (found == first.end() || found->second.raw() != member.raw()) differing.insert(key);
  }
  for (const auto& [key, member] : first) {
    if (!settings.contains(key)) differing.insert(key);
  }
}

// Error: a request without a text.
Result<void> read_input(JsonValue source, Embed& embed) {
  TRY(source.expect(JsonType::object));
  embed.inputs.push_back(TRY(text_of(source["content"], *embed.arena)));
  return {};
}

// The settings of the first request are those of all.
Result<void> read_batch(JsonValue requests, Embed& embed) {
  Settings first;
  std::set<std::string> differing;
  for (const JsonValue request : requests) {
    TRY(read_input(request, embed));
    const Settings settings = settings_of(request);
    if (embed.inputs.size() > 1) {
      note_differences(first, settings, differing);
      continue;
    }
    first = settings;
    TRY(read_settings(first, embed));
  }
  for (const std::string& key : differing) {
    embed.extras.push_back(
        {.dialect = kDialect, .key = embed.arena->keep(std::string(kOfOneRequest) + key), .raw = {"null"}});
  }
  return {};
}

Result<Embed> new_embed(const ClientCall& call) {
  TRY(call.body->root().expect(JsonType::object));
  Embed embed;
  embed.arena->hold(call.body);
  std::string_view model = call.path_model;
  if (model.starts_with("models/")) model.remove_prefix(7);
  embed.model = embed.arena->copy(model);
  if (embed.model.empty()) return fail(ErrorKind::bad_request, "the path names no model", "model");
  return embed;
}

void write_values(JsonWriter& json, const std::vector<float>& vector) {
  json.begin_object().key("values").begin_array();
  for (const float number : vector) json.raw(fmt::format("{}", number));
  json.end_array().end_object();
}

class EmbedClient : public ClientCodec {
 public:
  explicit EmbedClient(bool is_batch) : is_batch_(is_batch) {}
  Dialect dialect() const override { return kDialect; }

  Result<Request> decode_request(const ClientCall& call) const override {
    Embed embed = TRY(new_embed(call));
    const JsonValue root = call.body->root();
    if (!is_batch_) {
      TRY(read_input(root, embed));
      TRY(read_settings(settings_of(root), embed));
      return embed;
    }
    const JsonValue requests = root["requests"];
    if (!requests.is_array() || requests.size() == 0)
      return fail(ErrorKind::bad_request, "requests is an array of requests with a content", "requests");
    TRY(read_batch(requests, embed));
    return embed;
  }

  // Embeddings are never streamed; errors after the head have this form.
  std::unique_ptr<StreamEncoder> stream_encoder(AnswerContext context) const override {
    return make_gemini_stream_encoder(std::move(context), GeminiFraming::events);
  }

  ClientReply encode_answer(const Answer& answer, const AnswerContext&) const override {
    static const EmbedAnswer kNone;
    const auto* payload = answer.payload ? std::get_if<EmbedAnswer>(&answer.payload->body) : nullptr;
    const EmbedAnswer& vectors = payload ? *payload : kNone;
    ClientReply reply;
    reply.headers.add("content-type", "application/json; charset=UTF-8");
    JsonWriter json(reply.body);
    json.begin_object();
    if (is_batch_) {
      json.key("embeddings").begin_array();
      for (const std::vector<float>& vector : vectors.vectors) write_values(json, vector);
      json.end_array();
    } else {
      json.key("embedding");
      write_values(json, vectors.vectors.empty() ? std::vector<float>() : vectors.vectors.front());
    }
    if (const int64_t tokens = answer.usage.input_total(); tokens > 0) {
      json.key("usageMetadata").begin_object().key("promptTokenCount").value(tokens);
      json.key("totalTokenCount").value(tokens).end_object();
    }
    json.end_object();
    return reply;
  }

  ClientReply encode_error(const Error& error, std::string_view) const override {
    return encode_gemini_error(error);
  }

 private:
  const bool is_batch_;
};

std::string_view task_of(const Embed& embed) {
  for (const PurposeRow& row : kPurposes) {
    if (row.purpose == embed.purpose) return row.task;
  }
  return {};
}

bool is_told(const ExtraField& extra) {
  return extra.dialect == kDialect && !extra.key.starts_with(kOfOneRequest);
}

Result<std::vector<float>> decode_values(JsonValue values) {
  TRY(values.expect(JsonType::array));
  std::vector<float> vector;
  vector.reserve(values.size());
  for (const JsonValue number : values) vector.push_back(static_cast<float>(TRY(number.as_double())));
  return vector;
}

}  // namespace

Result<void> encode_gemini_embed(const Embed& embed, const TargetModel& target, EncodedCall& call) {
  if (!embed.token_inputs.empty())
    return fail(ErrorKind::unsupported, "this provider embeds texts, not token ids; send the texts", "input");
  const std::string_view task = task_of(embed);
  const bool is_predict = target.capabilities->quirks.vertex_shapes;
  Fidelity& fidelity = call.notes.fidelity;
  if (task.empty() && !embed.purpose.empty())
    fidelity.add(Severity::warning, LossReason::dropped, "/input_type", std::string(embed.purpose));
  if (!embed.end_user.empty()) fidelity.add(Severity::info, LossReason::dropped, "/user");
  JsonWriter json(call.wire.body);
  json.begin_object().key(is_predict ? "instances" : "requests").begin_array();
  for (const std::string_view text : embed.inputs) {
    json.begin_object();
    if (is_predict) {
      json.key("content").value(text);
    } else {
      json.key("model").value(fmt::format("models/{}", target.model));
      json.key("content").begin_object().key("parts").begin_array();
      json.begin_object().key("text").value(text).end_object().end_array().end_object();
    }
    if (!task.empty()) json.key(is_predict ? "task_type" : "taskType").value(task);
    for (const ExtraField& extra : embed.extras) {
      if (is_told(extra)) json.key(extra.key).raw(extra.raw.text);
    }
    if (embed.dimensions && !is_predict) json.key("outputDimensionality").value(*embed.dimensions);
    json.end_object();
  }
  json.end_array();
  if (is_predict && embed.dimensions) {
    json.key("parameters").begin_object().key("outputDimensionality").value(*embed.dimensions).end_object();
  }
  json.end_object();
  for (const ExtraField& extra : embed.extras) {
    if (!is_told(extra)) fidelity.add(Severity::warning, LossReason::dropped, fmt::format("/{}", extra.key));
  }
  return {};
}

Result<std::vector<Event>> decode_gemini_embed(const WireReply& reply) {
  const auto malformed = [](std::string_view why) {
    return fail(ErrorKind::upstream_malformed,
                fmt::format("the provider's embeddings cannot be read: {}", why));
  };
  const Result<JsonDoc> doc = JsonDoc::parse(std::string(reply.body), kProviderJson);
  if (!doc) return malformed(doc.error().message);
  const JsonValue root = doc->root();
  EmbedAnswer answer;
  int64_t tokens = 0;
  const auto add = [&](JsonValue values) -> Result<void> {
    answer.vectors.push_back(TRY(decode_values(values)));
    return {};
  };
  Result<void> added;
  if (root["embedding"].is_object()) added = add(root["embedding"]["values"]);
  for (const JsonValue one : root["embeddings"]) {
    if (added) added = add(one["values"]);
  }
  for (const JsonValue one : root["predictions"]) {
    if (added) added = add(one["embeddings"]["values"]);
    tokens += count_of(one["embeddings"]["statistics"]["token_count"]).value_or(0);
  }
  if (!added) return malformed(added.error().message);
  if (answer.vectors.empty()) return malformed("there are none");
  if (tokens == 0) tokens = count_of(root["usageMetadata"]["promptTokenCount"]).value_or(0);
  std::vector<Event> events;
  events.push_back(Payload{.id = {}, .model = {}, .body = std::move(answer)});
  if (tokens > 0) {
    UsageReport report;
    report.usage.in_uncached = tokens;
    events.push_back(report);
  }
  events.push_back(End{});
  return events;
}

const ClientCodec& gemini_embed_client() {
  static const EmbedClient codec(false);
  return codec;
}

const ClientCodec& gemini_batch_embed_client() {
  static const EmbedClient codec(true);
  return codec;
}

}  // namespace weir
