#include "gist.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "base/json.h"

namespace weir::conformance {
namespace {

constexpr size_t kLineShownMax = 120;

void write_normal(JsonWriter& json, JsonValue value) {
  if (value.is_object()) {
    json.begin_object();
    std::map<std::string_view, JsonValue> members;
    for (const JsonValue member : value) members.emplace(member.key(), member);
    for (const auto& [key, member] : members) {
      json.key(key);
      write_normal(json, member);
    }
    json.end_object();
  } else if (value.is_array()) {
    json.begin_array();
    for (const JsonValue element : value) write_normal(json, element);
    json.end_array();
  } else if (value.is_string()) {
    json.value(value.string_or(""));
  } else {
    json.raw(value.raw());
  }
}

// "{ \"b\":1, \"a\" : 2 }" and "{\"a\":2,\"b\":1}" are the same; nothing is {}.
std::string normal_json(std::string_view text) {
  const Result<JsonDoc> parsed = JsonDoc::parse(text.empty() ? "{}" : std::string(text));
  if (!parsed) return "not JSON: " + std::string(text);
  std::string out;
  JsonWriter json(out);
  write_normal(json, parsed->root());
  return out;
}

std::string of_media(const Media& media) {
  if (!media.url.empty()) return fmt::format("url {}", media.url);
  if (!media.file_id.empty()) return fmt::format("file {}", media.file_id);
  return fmt::format("{} {}", media.mime, media.base64);
}

class ChatReader {
 public:
  Gist read(const Chat& chat) {
    for (const Message& message : chat.messages) {
      if (is_of_system(message.role)) read(message);
    }
    for (const Message& message : chat.messages) {
      if (!is_of_system(message.role)) read(message);
    }
    read_settings(chat);
    return std::move(gist_);
  }

 private:
  static bool is_of_system(Role role) { return role == Role::system || role == Role::developer; }

  void read(const Message& message) {
    speaker_ = is_of_system(message.role) ? "system" : message.role == Role::assistant ? "assistant" : "user";
    for (const Block& block : message.content) {
      std::visit([this](const auto& body) { add(body); }, block.body);
      if (block.cache) line("cache marker");
    }
  }

  void line(std::string text) { gist_.push_back(fmt::format("{}: {}", speaker_, text)); }
  void add(const TextBlock& text) {
    if (!text.text.empty()) line(fmt::format("text {}", text.text));
  }
  void add(const ImageBlock& image) { line("image " + of_media(image.media)); }
  void add(const DocumentBlock& document) {
    line(fmt::format("document {}{}", of_media(document.media), document.text));
  }
  void add(const AudioBlock& audio) { line("audio " + of_media(audio.media)); }
  void add(const VideoBlock& video) { line("video " + of_media(video.media)); }
  void add(const ToolCallBlock& call) {
    line(fmt::format("call {} {} {}", ordinal(call.id), call.name, normal_json(call.arguments)));
  }
  void add(const ToolResultBlock& result) {
    std::string text;
    for (const Block& inner : result.content) {
      if (const auto* words = std::get_if<TextBlock>(&inner.body)) text += words->text;
    }
    line(fmt::format("result {} {}{}", ordinal(result.call_id), result.is_error ? "error " : "", text));
  }
  void add(const ThinkingBlock& thinking) {
    line(fmt::format("thinking {} signed {}", thinking.text, thinking.signature));
  }
  void add(const RedactedThinkingBlock& redacted) { line(fmt::format("redacted {}", redacted.data)); }
  void add(const RefusalBlock& refusal) { line(fmt::format("text {}", refusal.text)); }
  void add(const UnknownBlock& unknown) { line(fmt::format("unknown {}", unknown.type)); }

  size_t ordinal(std::string_view id) {
    const auto [found, is_new] = ordinals_.emplace(id, ordinals_.size() + 1);
    return found->second;
  }

  void read_settings(const Chat& chat) {
    const auto set = [this](std::string text) { gist_.push_back("setting: " + std::move(text)); };
    if (chat.max_tokens) set(fmt::format("max_tokens {}", *chat.max_tokens));
    for (const std::string_view stop : chat.stop) set(fmt::format("stop {}", stop));
    for (const Tool& tool : chat.tools)
      set(fmt::format("tool {} {} {}", tool.name, tool.description, normal_json(tool.schema.text)));
    if (chat.format.kind == FormatKind::json_schema) set("schema " + normal_json(chat.format.schema.text));
    if (chat.reasoning.is_set() && !chat.reasoning.is_disabled) set("reasons");
  }

  Gist gist_;
  std::string_view speaker_;
  std::map<std::string, size_t, std::less<>> ordinals_;
};

void add_block(const AnswerBlock& block, std::string& text, Gist& gist) {
  switch (block.kind) {
    case BlockKind::text:
      text += block.text;
      break;
    case BlockKind::refusal:
      gist.push_back("refusal " + block.text);
      break;
    case BlockKind::tool_call:
      gist.push_back(fmt::format("call {} {}", block.tool_name, normal_json(block.text)));
      break;
    case BlockKind::thinking:
      if (!block.text.empty()) gist.push_back("thinking " + block.text);
      if (!block.signature.empty()) gist.push_back("signature " + block.signature);
      break;
    default:
      gist.push_back(fmt::format("block of kind {}", static_cast<int>(block.kind)));
  }
}

}  // namespace

Gist gist_of(const Chat& chat) {
  return ChatReader().read(chat);
}

Gist gist_of(const Answer& answer) {
  Gist gist;
  std::string text;
  for (const AnswerChoice& choice : answer.choices) {
    for (const AnswerBlock& block : choice.blocks) add_block(block, text, gist);
    gist.push_back(fmt::format("finish {}", to_string(choice.finish.reason)));
    if (!choice.finish.stop_sequence.empty()) gist.push_back("stopped by " + choice.finish.stop_sequence);
  }
  if (!text.empty()) gist.push_back("text " + text);
  gist.push_back(fmt::format("input {}", answer.usage.input_total()));
  gist.push_back(fmt::format("output {}", answer.usage.output_total()));
  if (answer.usage.cache_read.value_or(0) > 0)
    gist.push_back(fmt::format("cache read {}", *answer.usage.cache_read));
  if (answer.usage.cache_write_5m.value_or(0) > 0)
    gist.push_back(fmt::format("cache write {}", *answer.usage.cache_write_5m));
  if (answer.usage.out_reasoning.value_or(0) > 0)
    gist.push_back(fmt::format("reasoning tokens {}", *answer.usage.out_reasoning));
  return gist;
}

std::vector<std::string> differences(const Gist& wanted, const Gist& found) {
  std::vector<std::string> lines;
  const auto compare = [&lines](const Gist& these, Gist those, char sign) {
    for (const std::string& line : these) {
      if (const auto same = std::ranges::find(those, line); same != those.end()) {
        those.erase(same);
      } else {
        const bool is_long = line.size() > kLineShownMax;
        lines.push_back(fmt::format("{}{}{}", sign, line.substr(0, kLineShownMax), is_long ? "..." : ""));
      }
    }
  };
  compare(wanted, found, '-');
  compare(found, wanted, '+');
  return lines;
}

}  // namespace weir::conformance
