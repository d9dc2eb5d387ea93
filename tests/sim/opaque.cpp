#include "sim/opaque.h"

#include <charconv>
#include <fmt/core.h>

#include "sim/script.h"

namespace weir::sim {
namespace {

constexpr std::string_view kBoundary = "sim-boundary-7";
constexpr std::string_view kCaller = "caller-";

std::string part(std::string_view disposition, std::string_view content) {
  return fmt::format("--{}\r\nContent-Disposition: form-data; {}\r\n\r\n{}\r\n", kBoundary, disposition,
                     content);
}

// Bytes that are no text, and that look like the end of the form.
std::string form_body(const CallerPlan& caller, size_t index, std::string_view model) {
  const std::string sound =
      fmt::format("\xff\xfb{}\r\n--sim-boundary-\r\n\xfe--", std::string(caller.file_bytes + 3, '\0'));
  const std::string file = part(R"(name="file"; filename="a.mp3")", sound);
  const std::string named = part(R"(name="model")", model);
  const std::string more = part(R"(name="prompt")", fmt::format("{}{}.", kCaller, index)) +
                           part(R"(name="stream")", caller.is_streamed ? "true" : "false");
  return (caller.names_model_last ? file + more + named : named + more + file) +
         fmt::format("--{}--\r\n", kBoundary);
}

std::string json_body(const CallerPlan& caller, size_t index, std::string_view model) {
  return fmt::format(
      "{{ \"prompt\": \"{}{}. \\u00e9\",\n \"stream\" :{}, \"model\" : \"{}\", \"n\": 1.0 }}\n", kCaller,
      index, caller.is_streamed, model);
}

std::string image_usage(const Script& script) {
  return fmt::format(R"("usage":{{"input_tokens":{},"output_tokens":{},"total_tokens":{}}})",
                     script.input_tokens, script.output_tokens, script.input_tokens + script.output_tokens);
}

void stream_images(AnswerPieces& answer, const Script& script, size_t count, size_t number) {
  for (size_t i = 0; i < count; ++i) {
    answer.pieces.push_back(fmt::format(
        "event: image_generation.partial_image\ndata: {{\"type\":\"image_generation.partial_image\","
        "\"b64_json\":\"{}\",\"partial_image_index\":{}}}\n\n",
        std::string(30 + 7 * i, 'Q'), i));
  }
  answer.finish = answer.pieces.size();
  answer.pieces.push_back(fmt::format(
      "event: image_generation.completed\ndata: {{\"type\":\"image_generation.completed\",\"n\":{},{}}}\n\n",
      number, script.reports_usage ? image_usage(script) : std::string("\"b64_json\":\"QUJD\"")));
}

void stream_words(AnswerPieces& answer, const Script& script, size_t count, size_t number) {
  for (size_t i = 0; i < count; ++i) {
    answer.pieces.push_back(
        fmt::format("data: {{\"type\":\"transcript.text.delta\",\"delta\":\"t{}w{} é\"}}\n\n", number, i));
  }
  answer.finish = answer.pieces.size();
  answer.pieces.push_back(fmt::format("data: {{\"type\":\"transcript.text.done\",\"text\":\"t{}\"{}}}\n\n",
                                      number,
                                      script.reports_usage ? "," + image_usage(script) : std::string()));
}

std::string whole_image(const Script& script, size_t count, size_t number) {
  return fmt::format(R"({{"created":{},"data":[{{"b64_json":"{}"}}]{}}})", number,
                     std::string(60 * count, 'Q'),
                     script.reports_usage ? "," + image_usage(script) : std::string());
}

std::string whole_transcript(const Script& script, size_t count, size_t number) {
  return fmt::format(R"({{"text":"t{} {}"{}}})", number, std::string(20 * count, 'w'),
                     script.reports_usage ? fmt::format(R"(,"usage":{{"type":"duration","seconds":{}}})",
                                                        script.sound_ms / 1000)
                                          : std::string());
}

}  // namespace

std::string opaque_body(const CallerPlan& caller, size_t index, std::string_view model) {
  return caller.ask == Ask::image ? json_body(caller, index, model) : form_body(caller, index, model);
}

std::string_view opaque_path(Ask ask) {
  return ask == Ask::image ? "/v1/images/generations" : "/v1/audio/transcriptions";
}

std::string_view opaque_content_type(Ask ask) {
  return ask == Ask::image ? "application/json" : "multipart/form-data; boundary=sim-boundary-7";
}

Ask ask_of_path(std::string_view path) {
  for (const Ask ask : {Ask::image, Ask::transcription}) {
    if (path.ends_with(opaque_path(ask))) return ask;
  }
  return Ask::chat;
}

std::string wrong_in_opaque(const Plan& plan, Ask ask, std::string_view body, std::string_view model) {
  const size_t at = body.find(kCaller);
  if (at == std::string_view::npos) return "a body that no caller sent";
  size_t index = 0;
  std::from_chars(body.data() + at + kCaller.size(), body.data() + body.size(), index);
  if (index >= plan.callers.size() || plan.callers[index].ask != ask) return "a body that no caller sent";
  const std::string wanted = opaque_body(plan.callers[index], index, model);
  return body == wanted ? std::string() : fmt::format("not the bytes of c{}", index);
}

AnswerPieces make_opaque_pieces(Rng& rng, Script& script, const Asked& asked, size_t number) {
  AnswerPieces answer;
  const size_t count = 2 + rng.below(12);
  const bool is_image = asked.ask == Ask::image;
  const bool counts_tokens = is_image || script.is_streamed;
  script.input_tokens = counts_tokens ? 5 + static_cast<int64_t>(rng.below(1000)) : 0;
  script.output_tokens = counts_tokens ? static_cast<int64_t>(count) : 0;
  script.sound_ms = counts_tokens ? 0 : 1000 * static_cast<int64_t>(1 + rng.below(600));
  if (script.is_streamed) {
    (is_image ? stream_images : stream_words)(answer, script, count, number);
  } else {
    const std::string body = (is_image ? whole_image : whole_transcript)(script, count, number);
    for (size_t at = 0; at < body.size(); at += 48) answer.pieces.push_back(body.substr(at, 48));
    answer.finish = answer.pieces.size() - 1;
  }
  for (const std::string& piece : answer.pieces) answer.text += piece;
  return answer;
}

}  // namespace weir::sim
