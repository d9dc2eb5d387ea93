#include "sim/composed.h"

#include <fmt/core.h>

#include "base/json.h"
#include "sim/script.h"

namespace weir::sim {
namespace {

constexpr std::string_view kWantsSchema = "Say a number.";
constexpr std::string_view kSchema =
    R"({"type":"json_schema","json_schema":{"name":"number","schema":)"
    R"({"type":"object","properties":{"n":{"type":"number"}},"required":["n"]}}})";

std::string embeddings_body(const CallerPlan& caller) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("model").value("sim").key("input").begin_array();
  for (size_t i = 0; i < caller.parts * kInputsMax; ++i) json.value(fmt::format("text {}", i));
  json.end_array().end_object();
  return body;
}

}  // namespace

std::string composed_body(const CallerPlan& caller) {
  if (caller.ask == Ask::embeddings) return embeddings_body(caller);
  const bool wants_schema = caller.ask == Ask::schema;
  return fmt::format(
      R"({{"model":"sim","stream":{},{},"messages":[{{"role":"user","content":"{}"}}]}})", caller.is_streamed,
      wants_schema ? fmt::format("\"response_format\":{}", kSchema) : fmt::format("\"n\":{}", caller.parts),
      wants_schema ? kWantsSchema : "Say something.");
}

std::string_view exchange_of(std::string_view id) {
  return id.substr(0, id.find('-'));
}

Ask ask_of_chat(std::string_view request) {
  return request.find(kWantsSchema) != std::string_view::npos ? Ask::schema : Ask::chat;
}

AnswerPieces make_embeddings(Rng& rng, Script& script, const Asked& asked, size_t number) {
  AnswerPieces answer;
  script.input_tokens = 1 + static_cast<int64_t>(rng.below(100));
  std::string body = R"({"object":"list","data":[)";
  for (size_t i = 0; i < asked.inputs; ++i)
    body += fmt::format(R"({}{{"object":"embedding","index":{},"embedding":[0.5,{}]}})", i > 0 ? "," : "", i,
                        number);
  body += fmt::format(R"(],"model":"sim-embed","usage":{{"prompt_tokens":{},"total_tokens":{}}}}})",
                      script.input_tokens, script.input_tokens);
  for (size_t at = 0; at < body.size(); at += 48) answer.pieces.push_back(body.substr(at, 48));
  answer.finish = answer.pieces.size() - 1;
  return answer;
}

std::vector<std::string> schema_words(Rng& rng, size_t number) {
  if (draw_chance(rng, 0.5)) return {"{\"n\":", fmt::format(" {}", number), "}"};
  return {fmt::format("a{}w0 ", number), "is no number"};
}

}  // namespace weir::sim
