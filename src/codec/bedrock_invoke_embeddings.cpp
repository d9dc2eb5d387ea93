#include "codec/bedrock_invoke_embeddings.h"

#include <array>
#include <fmt/core.h>

#include "codec/bedrock_invoke_decode.h"
#include "codec/bedrock_models.h"
#include "codec/bedrock_wire.h"
#include "codec/provider_json.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::bedrock_invoke;
constexpr size_t kCohereInputsMax = 96;

void write_titan(const Embed& embed, std::string_view id, EncodedCall& call) {
  JsonWriter json(call.wire.body);
  json.begin_object().key("inputText").value(embed.inputs.front());
  // The first model has no choice.
  if (embed.dimensions && id.starts_with("amazon.titan-embed-text-v1")) {
    call.notes.fidelity.add(Severity::warning, LossReason::dropped, "/dimensions",
                            fmt::format("{}", *embed.dimensions));
  } else if (embed.dimensions) {
    json.key("dimensions").value(*embed.dimensions);
  }
  json.end_object();
}

// https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html
std::string_view nova_purpose(std::string_view purpose) {
  struct Row {
    std::string_view purpose;
    std::string_view word;
  };
  constexpr std::array<Row, 4> kRows = {{{"search_query", "GENERIC_RETRIEVAL"},
                                         {"search_document", "GENERIC_INDEX"},
                                         {"classification", "CLASSIFICATION"},
                                         {"clustering", "CLUSTERING"}}};
  for (const Row& row : kRows) {
    if (row.purpose == purpose) return row.word;
  }
  return "GENERIC_INDEX";
}

// Texts that are too long are refused, never cut unseen.
void write_nova(const Embed& embed, EncodedCall& call) {
  JsonWriter json(call.wire.body);
  json.begin_object().key("taskType").value("SINGLE_EMBEDDING").key("singleEmbeddingParams").begin_object();
  json.key("embeddingPurpose").value(nova_purpose(embed.purpose));
  if (embed.dimensions) json.key("embeddingDimension").value(*embed.dimensions);
  json.key("text").begin_object().key("truncationMode").value("NONE");
  json.key("value").value(embed.inputs.front()).end_object().end_object().end_object();
}

void write_cohere(const Embed& embed, std::string_view id, EncodedCall& call) {
  JsonWriter json(call.wire.body);
  json.begin_object().key("texts").begin_array();
  for (const std::string_view text : embed.inputs) json.value(text);
  json.end_array().key("input_type").value(embed.purpose.empty() ? "search_document" : embed.purpose);
  if (embed.purpose.empty()) {
    call.notes.fidelity.add(Severity::info, LossReason::synthesised, "/input_type", "", "search_document");
  }
  json.key("embedding_types").begin_array().value("float").end_array().key("truncate").value("NONE");
  if (embed.dimensions && id.starts_with("cohere.embed-v4")) {
    json.key("output_dimension").value(*embed.dimensions);
  } else if (embed.dimensions) {
    call.notes.fidelity.add(Severity::warning, LossReason::dropped, "/dimensions",
                            fmt::format("{}", *embed.dimensions));
  }
  json.end_object();
}

Result<std::vector<float>> vector_of(JsonValue numbers) {
  std::vector<float> vector;
  vector.reserve(numbers.size());
  for (const JsonValue number : numbers) vector.push_back(static_cast<float>(TRY(number.as_double())));
  return vector;
}

// Titan: `embedding`. Cohere: `embeddings`, an array of vectors or an object of them by type. Nova:
// `embeddings`, an array of objects.
Result<EmbedAnswer> vectors_of(JsonValue root) {
  EmbedAnswer answer;
  if (root["embedding"].is_array()) {
    answer.vectors.push_back(TRY(vector_of(root["embedding"])));
    return answer;
  }
  JsonValue list = root["embeddings"];
  if (list.is_object()) list = list["float"];
  for (const JsonValue item : list)
    answer.vectors.push_back(TRY(vector_of(item.is_object() ? item["embedding"] : item)));
  if (answer.vectors.empty()) return fail(ErrorKind::upstream_malformed, "there is no embedding");
  return answer;
}

}  // namespace

Result<void> write_invoke_embed(const Embed& embed, const TargetModel& target, EncodedCall& call) {
  const ModelFamily family = bedrock_family(target);
  const std::string_view id = bedrock_base_model(target.model);
  if (embed.inputs.empty())
    return fail(ErrorKind::unsupported, "this model embeds texts, not token ids", "input");
  const bool is_single = family == ModelFamily::titan || family == ModelFamily::nova;
  if (is_single && embed.inputs.size() > 1)
    return fail(ErrorKind::unsupported, "this model embeds one text a call", "input");
  if (family == ModelFamily::titan) {
    write_titan(embed, id, call);
  } else if (family == ModelFamily::nova) {
    write_nova(embed, call);
  } else if (family == ModelFamily::cohere) {
    if (embed.inputs.size() > kCohereInputsMax)
      return fail(ErrorKind::unsupported, "this model embeds at most 96 texts a call", "input");
    write_cohere(embed, id, call);
  } else {
    return fail(ErrorKind::unsupported, fmt::format("the model {} has no embeddings", target.model), "model");
  }
  if (!embed.end_user.empty()) call.notes.fidelity.add(Severity::info, LossReason::dropped, "/user");
  for (const ExtraField& extra : embed.extras) {
    if (extra.dialect != kDialect)
      call.notes.fidelity.add(Severity::warning, LossReason::dropped, fmt::format("/{}", extra.key));
  }
  return {};
}

Result<std::vector<Event>> decode_invoke_embed(const WireReply& reply) {
  JsonScratch scratch;
  const JsonValue root = TRY(parse_answer(scratch, reply.body));
  Result<EmbedAnswer> answer = vectors_of(root);
  if (!answer) {
    return fail(ErrorKind::upstream_malformed,
                fmt::format("the provider's embeddings cannot be read: {}", answer.error().message));
  }
  std::vector<Event> events;
  events.push_back(Payload{.id = {}, .model = {}, .body = std::move(*answer)});
  Usage usage = invoke_header_usage(*reply.headers);
  usage.out_text.reset();
  if (!usage.in_uncached) usage.in_uncached = count_of(root["inputTextTokenCount"]);
  if (!usage.empty()) events.push_back(UsageReport{usage});
  events.push_back(End{});
  return events;
}

}  // namespace weir
