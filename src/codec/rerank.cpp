#include "codec/rerank.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <set>
#include <span>
#include <string>

#include "codec/fields.h"
#include "codec/openai.h"
#include "codec/openai_decode.h"
#include "codec/provider_json.h"

namespace weir {
namespace {

using Row = FieldRow<Rerank>;

// Other members of a document than its text: no server is told of them.
constexpr std::string_view kDocumentMembers = "documents.";

// Texts, or objects with a text.
Result<void> read_documents(Rerank& rerank, JsonValue value) {
  TRY(value.expect(JsonType::array));
  std::set<std::string, std::less<>> others;
  for (const JsonValue item : value) {
    rerank.documents.push_back(TRY(item.is_object() ? required_string(item, "text") : item.as_string()));
    if (!item.is_object()) continue;
    for (const JsonValue member : item) {
      if (member.key() == "text" || !others.emplace(member.key()).second) continue;
      rerank.extras.push_back({.dialect = Dialect::openai_chat,
                               .key = rerank.arena->keep(fmt::format("{}{}", kDocumentMembers, member.key())),
                               .raw = {member.raw()}});
    }
  }
  return {};
}

Result<void> read_top_n(Rerank& rerank, JsonValue value) {
  TRY(read_field(value, rerank.top_n));
  if (rerank.top_n && *rerank.top_n < 1) {
    return fail(ErrorKind::bad_request, "top_n is how many results to give: at least 1", "top_n");
  }
  return {};
}

constexpr std::array kRows = {
    Row{"model", [](Rerank& rerank, JsonValue value) { return read_field(value, rerank.model); }},
    Row{"query", [](Rerank& rerank, JsonValue value) { return read_field(value, rerank.query); }},
    Row{"documents", &read_documents},
    Row{"top_n", &read_top_n},
    Row{"return_documents",
        [](Rerank& rerank, JsonValue value) { return read_field(value, rerank.returns_documents); }},
};

void write_hit(JsonWriter& json, const RerankAnswer::Hit& hit, const Rerank* rerank) {
  json.begin_object().key("index").value(hit.index).key("relevance_score").value(hit.score);
  const auto at = static_cast<size_t>(hit.index);
  if (rerank && rerank->returns_documents && at < rerank->documents.size()) {
    json.key("document").begin_object().key("text").value(rerank->documents[at]).end_object();
  }
  json.end_object();
}

class RerankClient final : public ClientCodec {
 public:
  Dialect dialect() const override { return Dialect::openai_chat; }

  Result<Request> decode_request(const ClientCall& call) const override {
    const JsonValue root = call.body->root();
    TRY(root.expect(JsonType::object));
    Rerank rerank;
    rerank.arena->hold(call.body);
    TRY(read_fields<Rerank>(kRows, root, Dialect::openai_chat, rerank));
    if (rerank.model.empty())
      return fail(ErrorKind::bad_request, "model is missing: name the model to use", "model");
    if (rerank.query.empty())
      return fail(ErrorKind::bad_request, "query is missing: the text to compare with", "query");
    if (rerank.documents.empty()) {
      return fail(ErrorKind::bad_request, "documents is missing or empty: a list of texts", "documents");
    }
    return rerank;
  }

  // Reranking is never streamed; errors after the head have this form.
  std::unique_ptr<StreamEncoder> stream_encoder(AnswerContext context) const override {
    return openai_chat_client().stream_encoder(std::move(context));
  }

  ClientReply encode_answer(const Answer& answer, const AnswerContext& context) const override {
    ClientReply reply;
    reply.headers.add("content-type", "application/json");
    const auto* rerank = std::get_if<Rerank>(context.request);
    const auto* ranked = answer.payload ? std::get_if<RerankAnswer>(&answer.payload->body) : nullptr;
    JsonWriter json(reply.body);
    json.begin_object().key("id");
    json.value(answer.payload && !answer.payload->id.empty() ? answer.payload->id : context.exchange_id);
    json.key("results").begin_array();
    if (ranked) {
      // Some servers give all of them, whatever was asked.
      const size_t wanted =
          rerank && rerank->top_n ? static_cast<size_t>(*rerank->top_n) : ranked->hits.size();
      for (const RerankAnswer::Hit& hit :
           std::span(ranked->hits).first(std::min(wanted, ranked->hits.size())))
        write_hit(json, hit, rerank);
    }
    json.end_array().key("meta").begin_object();
    json.key("api_version").begin_object().key("version").value("2").end_object();
    if (answer.usage.search_units) {
      json.key("billed_units").begin_object();
      json.key("search_units").value(*answer.usage.search_units).end_object();
    }
    if (answer.usage.in_uncached) {
      json.key("tokens").begin_object().key("input_tokens").value(answer.usage.input_total()).end_object();
    }
    json.end_object().end_object();
    return reply;
  }

  // The vendor's own errors are {"message"}; the fuller form holds that key too, in `error`.
  ClientReply encode_error(const Error& error, std::string_view request_id) const override {
    ClientReply reply = openai_chat_client().encode_error(error, request_id);
    std::string body;
    JsonWriter json(body);
    json.begin_object().key("message").value(error.message);
    body += "," + reply.body.substr(1);
    reply.body = std::move(body);
    return reply;
  }
};

}  // namespace

void encode_rerank(const Rerank& rerank, const TargetModel& target, EncodedCall& call) {
  call.wire.path = "/rerank";
  JsonWriter json(call.wire.body);
  json.begin_object().key("model").value(target.model).key("query").value(rerank.query);
  json.key("documents").begin_array();
  for (const std::string_view document : rerank.documents) json.value(document);
  json.end_array();
  if (rerank.top_n)
    json.key(target.capabilities->quirks.top_n_is_top_k ? "top_k" : "top_n").value(*rerank.top_n);
  for (const ExtraField& extra : rerank.extras) {
    const bool is_refused =
        extra.key == "max_tokens_per_doc" && target.capabilities->quirks.no_max_tokens_per_doc;
    if (!is_refused && !extra.key.starts_with(kDocumentMembers)) {
      json.key(extra.key).raw(extra.raw.text);
    } else {
      call.notes.fidelity.add(Severity::warning, LossReason::dropped, fmt::format("/{}", extra.key));
    }
  }
  json.end_object();
}

// `results` is Cohere's word, `data` that of those who follow OpenAI's lists.
Result<std::vector<Event>> decode_rerank(const WireReply& reply) {
  const auto malformed = [](std::string_view why) {
    return fail(ErrorKind::upstream_malformed, fmt::format("the provider's ranking cannot be read: {}", why));
  };
  Result<JsonDoc> doc = JsonDoc::parse(std::string(reply.body), kProviderJson);
  if (!doc) return malformed(doc.error().message);
  const JsonValue root = doc->root();
  const JsonValue results = root["results"].is_array() ? root["results"] : root["data"];
  if (!results.is_array()) return malformed("there are no results");
  RerankAnswer answer;
  for (const JsonValue item : results) {
    const JsonValue score = item["relevance_score"].is_number() ? item["relevance_score"] : item["score"];
    const int64_t index = item["index"].int_or(-1);
    if (index < 0 || !score.is_number()) return malformed("a result lacks its index or score");
    answer.hits.push_back({.index = index, .score = score.double_or(0)});
  }
  std::ranges::sort(answer.hits, [](const RerankAnswer::Hit& a, const RerankAnswer::Hit& b) {
    return a.score != b.score ? a.score > b.score : a.index < b.index;
  });
  std::vector<Event> events;
  events.push_back(Payload{.id = std::string(root["id"].string_or("")),
                           .model = std::string(root["model"].string_or("")),
                           .body = std::move(answer)});
  const JsonValue usage = root["usage"];
  const JsonValue tokens = usage["prompt_tokens"].is_number()  ? usage["prompt_tokens"]
                           : usage["total_tokens"].is_number() ? usage["total_tokens"]
                                                               : root["meta"]["tokens"]["input_tokens"];
  Usage counted;
  counted.in_uncached = count_of(tokens);
  counted.search_units = count_of(root["meta"]["billed_units"]["search_units"]);
  if (!counted.empty()) events.push_back(UsageReport{counted});
  events.push_back(End{});
  return events;
}

const ClientCodec& rerank_client() {
  static const RerankClient codec;
  return codec;
}

}  // namespace weir
