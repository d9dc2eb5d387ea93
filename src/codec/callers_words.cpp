#include "codec/callers_words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/core.h>
#include <span>

#include "base/text.h"

namespace weir {
namespace {

// A field of the IR and its place in a dialect's body; what stands below it follows.
struct Row {
  std::string_view field;
  std::string_view place;
};

constexpr std::array kOpenAiChat = {
    Row{"/reasoning", "/reasoning_effort"},
    Row{"/thinking", "/reasoning_effort"},
};
constexpr std::array kResponses = {
    Row{"/max_tokens", "/max_output_tokens"}, Row{"/response_format/schema", "/text/format/schema"},
    Row{"/response_format", "/text/format"},  Row{"/verbosity", "/text/verbosity"},
    Row{"/reasoning_effort", "/reasoning"},   Row{"/thinking", "/reasoning"},
};
constexpr std::array kAnthropic = {
    Row{"/stop", "/stop_sequences"},
    Row{"/user", "/metadata/user_id"},
    Row{"/response_format/schema", "/output_config/format/schema"},
    Row{"/response_format", "/output_config/format"},
    Row{"/reasoning_effort", "/thinking"},
    Row{"/reasoning", "/thinking"},
    Row{"/parallel_tool_calls", "/tool_choice/disable_parallel_tool_use"},
};
constexpr std::array kConverse = {
    Row{"/max_tokens", "/inferenceConfig/maxTokens"},
    Row{"/temperature", "/inferenceConfig/temperature"},
    Row{"/top_p", "/inferenceConfig/topP"},
    Row{"/stop", "/inferenceConfig/stopSequences"},
    Row{"/tools", "/toolConfig/tools"},
    Row{"/tool_choice", "/toolConfig/toolChoice"},
    Row{"/top_k", "/additionalModelRequestFields/top_k"},
    Row{"/thinking", "/additionalModelRequestFields"},
    Row{"/reasoning_effort", "/additionalModelRequestFields"},
    Row{"/reasoning", "/additionalModelRequestFields"},
    Row{"/response_format", "/outputConfig/textFormat"},
    Row{"/metadata", "/requestMetadata"},
    Row{"/user", "/requestMetadata/user"},
    Row{"/service_tier", "/serviceTier"},
};
constexpr std::array kGemini = {
    Row{"/max_tokens", "/generationConfig/maxOutputTokens"},
    Row{"/temperature", "/generationConfig/temperature"},
    Row{"/top_p", "/generationConfig/topP"},
    Row{"/top_k", "/generationConfig/topK"},
    Row{"/seed", "/generationConfig/seed"},
    Row{"/stop", "/generationConfig/stopSequences"},
    Row{"/n", "/generationConfig/candidateCount"},
    Row{"/frequency_penalty", "/generationConfig/frequencyPenalty"},
    Row{"/presence_penalty", "/generationConfig/presencePenalty"},
    Row{"/logprobs", "/generationConfig/responseLogprobs"},
    Row{"/top_logprobs", "/generationConfig/logprobs"},
    Row{"/thinking", "/generationConfig/thinkingConfig"},
    Row{"/reasoning_effort", "/generationConfig/thinkingConfig"},
    Row{"/reasoning", "/generationConfig/thinkingConfig"},
    Row{"/response_format", "/generationConfig/responseSchema"},
    Row{"/tool_choice", "/toolConfig/functionCallingConfig"},
    Row{"/metadata", "/labels"},
    Row{"/user", "/labels/user"},
    Row{"/service_tier", "/serviceTier"},
};

// The words of a dialect.
struct Words {
  std::span<const Row> rows{};
  std::string_view messages = "/messages";
  std::string_view content = "/content";
  bool has_indices = true;  // messages are in the body one for one
};

Words words_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::openai_chat:
      return {.rows = kOpenAiChat};
    case Dialect::openai_responses:
      return {.rows = kResponses, .messages = "/input", .has_indices = false};
    case Dialect::anthropic_messages:
    case Dialect::bedrock_invoke:
      return {.rows = kAnthropic};
    case Dialect::bedrock_converse:
      return {.rows = kConverse};
    case Dialect::gemini:
      return {.rows = kGemini, .messages = "/contents", .content = "/parts"};
  }
  return {};
}

// Whether the place is the field or stands below it.
bool is_within(std::string_view pointer, std::string_view field) {
  return pointer.starts_with(field) && (pointer.size() == field.size() || pointer[field.size()] == '/');
}

// A field beside the messages whose text is the first of them: "/system"; empty when there is none.
std::string_view field_of_first(const Chat* chat) {
  if (!chat || chat->messages.empty() || chat->messages[0].content.empty()) return {};
  const Message& first = chat->messages[0];
  return first.role == Role::system ? first.content[0].pointer : std::string_view();
}

bool is_made(const Message& message) {
  return !message.content.empty() && message.content[0].pointer == kMadeByWeir;
}

// How many of the messages before that one are in the client's body.
size_t callers_index(const Chat* chat, size_t at) {
  if (!chat || at > chat->messages.size()) return at;
  return at - static_cast<size_t>(std::count_if(
                  chat->messages.begin(), chat->messages.begin() + static_cast<std::ptrdiff_t>(at), is_made));
}

std::string message_pointer(std::string_view pointer, const Words& words, const Chat* chat) {
  constexpr std::string_view kMessages = "/messages";
  constexpr std::string_view kContent = "/content";
  std::string_view rest = pointer.substr(kMessages.size());
  size_t at = 0;
  if (rest.empty() || std::from_chars(rest.data() + 1, rest.data() + rest.size(), at).ec != std::errc())
    return std::string(words.messages) + std::string(rest);
  rest.remove_prefix(std::min(rest.size(), rest.find('/', 1)));
  const std::string_view field = field_of_first(chat);
  if (!field.empty() && at == 0) return std::string(field);
  if (!words.has_indices) return std::string(words.messages);
  at = callers_index(chat, at);
  std::string place = fmt::format("{}/{}", words.messages, at - (field.empty() ? 0 : 1));
  if (is_within(rest, kContent)) {
    place += words.content;
    rest.remove_prefix(kContent.size());
  }
  return place.append(rest);
}

// "messages[2].content" as "/messages/2/content", and back.
std::string pointer_of_path(std::string_view path) {
  std::string pointer = "/";
  for (const char c : path) {
    if (c == ']') continue;
    pointer += c == '.' || c == '[' ? '/' : c;
  }
  return pointer;
}

std::string path_of_pointer(std::string_view pointer) {
  std::string path;
  for (const std::string_view part : split(pointer.substr(1), '/')) {
    const bool is_index = !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
    if (is_index) {
      path.append("[").append(part).append("]");
    } else {
      path.append(path.empty() ? "" : ".").append(part);
    }
  }
  return path;
}

}  // namespace

std::string callers_pointer(std::string_view pointer, Dialect client, const Request& request) {
  const Words words = words_of(client);
  if (is_within(pointer, "/messages")) return message_pointer(pointer, words, chat_of(request));
  for (const Row& row : words.rows) {
    if (is_within(pointer, row.field)) return std::string(row.place).append(pointer.substr(row.field.size()));
  }
  return std::string(pointer);
}

Fidelity in_callers_words(const Fidelity& report, Dialect client, const Request& request) {
  Fidelity named;
  for (const FidelityRecord& record : report.records())
    named.add(record.severity, record.reason, callers_pointer(record.pointer, client, request), record.from,
              record.to);
  return named;
}

Error in_callers_words(Error error, Dialect client, const Request& request) {
  if (!error.path.empty())
    error.path = path_of_pointer(callers_pointer(pointer_of_path(error.path), client, request));
  return error;
}

}  // namespace weir
