#include "sim/answers.h"

#include <fmt/core.h>

#include "base/json.h"
#include "sim/composed.h"
#include "sim/script.h"

namespace weir::sim {
namespace {

// Characters of one to four bytes, quotes and escapes, so that every cut and every copy shows.
constexpr std::array<std::string_view, 6> kMarks = {"", "é", "\"", "\\", "🦢", "\n"};

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string openai_chunk(size_t number, std::string_view choices, std::string_view more = "") {
  return fmt::format(
      "data: {{\"id\":\"chatcmpl-{}\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,"
      "\"model\":\"sim-model-2026\",\"choices\":[{}]{}}}\n\n",
      number, choices, more);
}

std::string openai_usage(const Script& script) {
  return fmt::format(R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{}}})",
                     script.input_tokens, script.output_tokens, script.input_tokens + script.output_tokens);
}

void stream_openai(AnswerPieces& answer, const Script& script, const std::vector<std::string>& words,
                   size_t number) {
  answer.pieces.push_back(
      openai_chunk(number, R"({"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null})"));
  answer.content = answer.pieces.size();
  for (const std::string& word : words) {
    answer.pieces.push_back(openai_chunk(
        number,
        fmt::format(R"({{"index":0,"delta":{{"content":{}}},"finish_reason":null}})", json_text(word))));
  }
  answer.finish = answer.pieces.size();
  answer.pieces.push_back(openai_chunk(number, R"({"index":0,"delta":{},"finish_reason":"stop"})"));
  if (script.reports_usage)
    answer.pieces.push_back(openai_chunk(number, "", ",\"usage\":" + openai_usage(script)));
  answer.pieces.emplace_back("data: [DONE]\n\n");
}

std::string whole_openai(const Script& script, std::string_view text, size_t number) {
  std::string body = fmt::format(
      R"({{"id":"chatcmpl-{}","object":"chat.completion","created":1767225600,)"
      R"("model":"sim-model-2026","choices":)"
      R"([{{"index":0,"message":{{"role":"assistant","content":{},"refusal":null}},"logprobs":null,)"
      R"("finish_reason":"stop"}}])",
      number, json_text(text));
  if (script.reports_usage) body += ",\"usage\":" + openai_usage(script);
  return body + "}";
}

std::string anthropic_event(std::string_view type, std::string_view members) {
  return fmt::format("event: {}\ndata: {{\"type\":\"{}\"{}{}}}\n\n", type, type, members.empty() ? "" : ",",
                     members);
}

void stream_anthropic(AnswerPieces& answer, const Script& script, const std::vector<std::string>& words,
                      size_t number) {
  const std::string input =
      script.reports_usage ? fmt::format(R"({{"input_tokens":{},"output_tokens":1}})", script.input_tokens)
                           : std::string("{}");
  answer.pieces.push_back(anthropic_event(
      "message_start",
      fmt::format(R"("message":{{"id":"msg_{}","type":"message","role":"assistant","model":"sim-model-2026",)"
                  R"("content":[],"stop_reason":null,"stop_sequence":null,"usage":{}}})",
                  number, input)));
  answer.content = answer.pieces.size();
  answer.pieces.push_back(
      anthropic_event("content_block_start", R"("index":0,"content_block":{"type":"text","text":""})"));
  for (const std::string& word : words) {
    answer.pieces.push_back(anthropic_event(
        "content_block_delta",
        fmt::format(R"("index":0,"delta":{{"type":"text_delta","text":{}}})", json_text(word))));
  }
  answer.finish = answer.pieces.size();
  answer.pieces.push_back(anthropic_event("content_block_stop", R"("index":0)"));
  const std::string output =
      script.reports_usage ? fmt::format(R"({{"output_tokens":{}}})", script.output_tokens) : "{}";
  answer.pieces.push_back(anthropic_event(
      "message_delta",
      fmt::format(R"("delta":{{"stop_reason":"end_turn","stop_sequence":null}},"usage":{})", output)));
  answer.pieces.push_back(anthropic_event("message_stop", ""));
}

std::string whole_anthropic(const Script& script, std::string_view text, size_t number) {
  const std::string usage = script.reports_usage ? fmt::format(R"({{"input_tokens":{},"output_tokens":{}}})",
                                                               script.input_tokens, script.output_tokens)
                                                 : std::string("{}");
  return fmt::format(
      R"({{"id":"msg_{}","type":"message","role":"assistant","model":"sim-model-2026","content":)"
      R"([{{"type":"text","text":{}}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{}}})",
      number, json_text(text), usage);
}

}  // namespace

AnswerPieces make_answer_pieces(Rng& rng, Script& script, const Asked& asked, size_t number) {
  AnswerPieces answer;
  std::vector<std::string> words;
  const size_t count = 2 + rng.below(12);
  for (size_t i = 0; i < count; ++i) {
    words.push_back(fmt::format("a{}w{}{} ", number, i, kMarks[rng.below(kMarks.size())]));
    answer.text += words.back();
  }
  if (asked.ask == Ask::schema) {
    words = schema_words(rng, number);
    answer.text.clear();
    for (const std::string& word : words) answer.text += word;
  }
  script.input_tokens = 5 + static_cast<int64_t>(rng.below(1000));
  script.output_tokens = static_cast<int64_t>(count);
  if (script.is_streamed) {
    if (asked.is_anthropic) {
      stream_anthropic(answer, script, words, number);
    } else {
      stream_openai(answer, script, words, number);
    }
    return answer;
  }
  const std::string body = asked.is_anthropic ? whole_anthropic(script, answer.text, number)
                                              : whole_openai(script, answer.text, number);
  for (size_t at = 0; at < body.size(); at += 48) answer.pieces.push_back(body.substr(at, 48));
  answer.content = 0;
  answer.finish = answer.pieces.size() - 1;
  return answer;
}

std::string error_body(bool is_anthropic, std::string_view type, std::string_view message) {
  if (is_anthropic) {
    return fmt::format(R"({{"type":"error","error":{{"type":"{}","message":"{}"}}}})", type, message);
  }
  return fmt::format(R"({{"error":{{"message":"{}","type":"{}","param":null,"code":"{}"}}}})", message, type,
                     type);
}

std::string error_event(bool is_anthropic, std::string_view type, std::string_view message) {
  const std::string body = error_body(is_anthropic, type, message);
  return is_anthropic ? "event: error\ndata: " + body + "\n\n" : "data: " + body + "\n\n";
}

}  // namespace weir::sim
