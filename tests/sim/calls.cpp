#include "sim/calls.h"

#include <fmt/core.h>

#include "sim/script.h"

namespace weir::sim {
namespace {

constexpr double kMalformedShare = 0.5;
constexpr double kSilentShare = 0.6;  // of the malformed: nothing was said before

std::string chunk(std::string_view parts) {
  return fmt::format(R"({{"candidates":[{{"content":{{"role":"model","parts":[{}]}},"index":0}}]}})", parts);
}

std::string part(std::string_view text) {
  return fmt::format(R"({{"text":"{}"}})", text);
}

std::string ending(const Script& script, std::string_view parts) {
  return fmt::format(
      R"({{"candidates":[{{"content":{{"role":"model","parts":[{}]}},"finishReason":"{}","index":0}}],)"
      R"("usageMetadata":{{"promptTokenCount":{},"candidatesTokenCount":{},"totalTokenCount":{}}}}})",
      parts, script.is_malformed ? "MALFORMED_FUNCTION_CALL" : "STOP", script.input_tokens,
      script.output_tokens, script.input_tokens + script.output_tokens);
}

}  // namespace

std::string calls_body(const CallerPlan& caller) {
  return fmt::format(
      R"({{"model":"{}","stream":{},"messages":[{{"role":"user","content":"Call."}}],)"
      R"("tools":[{{"type":"function","function":{{"name":"f","parameters":{{"type":"object"}}}}}}]}})",
      kCallsModel, caller.is_streamed);
}

std::string calls_path(std::string_view model, bool is_streamed) {
  return fmt::format("/v1beta/models/{}:{}", model,
                     is_streamed ? "streamGenerateContent?alt=sse" : "generateContent");
}

AnswerPieces make_call_pieces(Rng& rng, Script& script, size_t number) {
  AnswerPieces answer;
  script.is_malformed = draw_chance(rng, kMalformedShare);
  const size_t count = script.is_malformed && draw_chance(rng, kSilentShare) ? 0 : 1 + rng.below(6);
  script.input_tokens = 5 + static_cast<int64_t>(rng.below(1000));
  script.output_tokens = 1 + static_cast<int64_t>(count);
  // The first event says nothing, so that something may go wrong between two of them.
  if (script.is_streamed) answer.pieces.push_back("data: " + chunk("") + "\n\n");
  answer.content = script.is_streamed && count > 0 ? 1 : 0;
  std::string parts;
  for (size_t i = 0; i < count; ++i) {
    const std::string word = fmt::format("a{}w{} ", number, i);
    answer.text += word;
    if (script.is_streamed) answer.pieces.push_back("data: " + chunk(part(word)) + "\n\n");
    parts += (i > 0 ? "," : "") + part(word);
  }
  answer.finish = answer.pieces.size();
  if (script.is_streamed) {
    answer.pieces.push_back("data: " + ending(script, "") + "\n\n");
    return answer;
  }
  const std::string body = ending(script, parts);
  for (size_t at = 0; at < body.size(); at += 48) answer.pieces.push_back(body.substr(at, 48));
  answer.finish = answer.pieces.size() - 1;
  return answer;
}

}  // namespace weir::sim
