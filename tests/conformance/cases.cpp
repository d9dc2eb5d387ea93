#include "cases.h"

#include <string>

namespace weir::conformance {
namespace {

constexpr std::string_view kWeatherSchema =
    R"({"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city"]})";
constexpr std::string_view kPersonSchema =
    R"({"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},)"
    R"("required":["name","age"],"additionalProperties":false})";
// The smallest PNG there is: one transparent pixel.
constexpr std::string_view kPng =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
// "%PDF-1.4\n%%EOF\n"
constexpr std::string_view kPdf = "JVBERi0xLjQKJSVFT0YK";
constexpr std::string_view kEmoji =
    "d\xc3\xa9j\xc3\xa0 vu \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb \"q\" \\ \n\t\xe2\x82\xac";

// ---- Requests

void say(Chat& chat, Role role, BlockBody body) {
  const bool continues = !chat.messages.empty() && chat.messages.back().role == role && role != Role::user;
  Message& message = continues ? chat.messages.back() : chat.messages.emplace_back();
  message.role = role;
  message.content.push_back({.body = std::move(body), .cache = {}, .pointer = "/messages"});
}

Chat asks(std::string_view text) {
  Chat chat;
  chat.model = "the-model";
  chat.max_tokens = 1000;
  say(chat, Role::user, TextBlock{text});
  return chat;
}

void offer_weather(Chat& chat) {
  Tool tool;
  tool.name = "get_weather";
  tool.description = "The weather of a city.";
  tool.schema = {kWeatherSchema};
  chat.tools.push_back(tool);
}

void call_weather(Chat& chat, std::string_view id, std::string_view arguments) {
  say(chat, Role::assistant, ToolCallBlock{.id = id, .name = "get_weather", .arguments = arguments});
}

void give_result(Chat& chat, std::string_view id, std::string_view text, bool is_error = false) {
  ToolResultBlock result;
  result.call_id = id;
  result.tool_name = "get_weather";
  result.is_error = is_error;
  result.content.push_back({.body = TextBlock{text}, .cache = {}, .pointer = {}});
  chat.messages.emplace_back().role = Role::tool;
  chat.messages.back().content.push_back({.body = std::move(result), .cache = {}, .pointer = "/messages"});
}

Chat text_request(Dialect) {
  return asks("Hello");
}
Chat system_request(Dialect) {
  Chat chat;
  say(chat, Role::system, TextBlock{"You are terse."});
  Chat rest = asks("Hello");
  rest.messages.insert(rest.messages.begin(), chat.messages.begin(), chat.messages.end());
  return rest;
}
Chat turns_request(Dialect) {
  Chat chat = asks("What is two and two?");
  say(chat, Role::assistant, TextBlock{"Four."});
  say(chat, Role::user, TextBlock{"And three more?"});
  return chat;
}
Chat tool_request(Dialect) {
  Chat chat = asks("What is the weather in Paris?");
  offer_weather(chat);
  call_weather(chat, "call_abc123", R"({"city":"Paris","days":1})");
  give_result(chat, "call_abc123", "Sunny");
  return chat;
}
Chat parallel_request(Dialect) {
  Chat chat = asks("What is the weather in Paris, Rome and Oslo?");
  offer_weather(chat);
  call_weather(chat, "call_a", R"({"city":"Paris"})");
  call_weather(chat, "call_b", R"({"city":"Rome"})");
  call_weather(chat, "call_c", R"({"city":"Oslo"})");
  give_result(chat, "call_a", "Sunny");
  give_result(chat, "call_b", "Rain");
  give_result(chat, "call_c", "Snow");
  return chat;
}
Chat tool_error_request(Dialect) {
  Chat chat = asks("What is the weather in Paris?");
  offer_weather(chat);
  call_weather(chat, "call_abc123", R"({"city":"Paris"})");
  give_result(chat, "call_abc123", "The station is down", true);
  return chat;
}
Chat image_request(Dialect) {
  Chat chat = asks("What is this?");
  chat.messages.back().content.push_back({.body = ImageBlock{.media = {.base64 = kPng, .mime = "image/png"}},
                                          .cache = {},
                                          .pointer = "/messages"});
  return chat;
}
Chat image_url_request(Dialect) {
  Chat chat = asks("What is this?");
  chat.messages.back().content.push_back({.body = ImageBlock{.media = {.url = "https://example.com/cat.png"}},
                                          .cache = {},
                                          .pointer = "/messages"});
  return chat;
}
Chat pdf_request(Dialect) {
  Chat chat = asks("Summarise this.");
  DocumentBlock document;
  document.media = {.base64 = kPdf, .mime = "application/pdf"};
  document.title = "report";
  chat.messages.back().content.push_back({.body = document, .cache = {}, .pointer = "/messages"});
  return chat;
}
Chat thinking_request(Dialect) {
  Chat chat = asks("Think hard.");
  chat.max_tokens = 16'000;
  chat.reasoning.effort = EffortLevel::high;
  return chat;
}
Chat thinking_tools_request(Dialect issuer) {
  Chat chat = asks("What is the weather in Paris?");
  chat.max_tokens = 16'000;
  chat.reasoning.effort = EffortLevel::high;
  offer_weather(chat);
  say(chat, Role::assistant,
      ThinkingBlock{
          .text = "I need the weather.", .signature = "c2lnbmF0dXJl", .issuer = issuer, .id = "rs_1"});
  say(chat, Role::assistant,
      ToolCallBlock{.id = "call_abc123", .name = "get_weather", .arguments = R"({"city":"Paris"})"});
  give_result(chat, "call_abc123", "Sunny");
  return chat;
}
Chat schema_request(Dialect) {
  Chat chat = asks("Who is it?");
  chat.format = {.kind = FormatKind::json_schema, .schema = {kPersonSchema}, .strict = true};
  return chat;
}
Chat stop_request(Dialect) {
  Chat chat = asks("Count to ten.");
  chat.stop = {"seven"};
  return chat;
}
Chat length_request(Dialect) {
  Chat chat = asks("Count to a million.");
  chat.max_tokens = 32;
  return chat;
}
Chat cached_request(Dialect issuer) {
  Chat chat = system_request(issuer);
  chat.messages.front().content.back().cache = CacheMarker{};
  return chat;
}
Chat empty_args_request(Dialect) {
  Chat chat = asks("What is the weather?");
  offer_weather(chat);
  call_weather(chat, "call_abc123", "");
  give_result(chat, "call_abc123", "Sunny");
  return chat;
}
Chat unicode_request(Dialect) {
  return asks(kEmoji);
}
Chat long_request(Dialect) {
  Chat chat = asks("");
  std::string text;
  while (text.size() < 1'000'000) text += "A line of plain text, \"quoted\", and a tab\t.\n";
  chat.messages.clear();
  say(chat, Role::user, TextBlock{chat.arena->keep(std::move(text))});
  return chat;
}

// ---- Answers

Usage usage_of(int64_t reasoning = 0) {
  Usage usage;
  usage.in_uncached = 20;
  usage.out_text = 9;
  if (reasoning > 0) usage.out_reasoning = reasoning;
  return usage;
}

class AnswerBuilder {
 public:
  explicit AnswerBuilder(Dialect issuer) : issuer_(issuer) {
    events_.push_back(Start{.id = "answer_1", .model = "the-model", .created_s = 1'760'000'000});
  }

  AnswerBuilder& block(BlockStart start, const std::vector<std::string_view>& pieces,
                       std::string_view signature = {}) {
    start.index = blocks_;
    start.dialect = issuer_;
    events_.push_back(start);
    for (const std::string_view piece : pieces) {
      events_.push_back(Delta{.index = blocks_, .text = std::string(piece)});
    }
    if (!signature.empty()) {
      events_.push_back(Delta{.index = blocks_,
                              .kind = DeltaKind::signature,
                              .text = std::string(signature),
                              .dialect = issuer_});
    }
    events_.push_back(BlockEnd{.index = blocks_++});
    return *this;
  }
  AnswerBuilder& text(const std::vector<std::string_view>& pieces) {
    return block({.kind = BlockKind::text}, pieces);
  }
  AnswerBuilder& call(std::string_view id, const std::vector<std::string_view>& arguments) {
    return block({.kind = BlockKind::tool_call, .tool_id = std::string(id), .tool_name = "get_weather"},
                 arguments);
  }
  AnswerBuilder& thinking() {
    return block({.kind = BlockKind::thinking, .id = "rs_1"}, {"Let me ", "think."}, "c2lnbmF0dXJl");
  }
  std::vector<Event> finish(StopReason reason, std::string_view stop = {}) {
    return finish(reason, usage_of(), stop);
  }
  std::vector<Event> finish(StopReason reason, const Usage& usage, std::string_view stop = {}) {
    events_.push_back(Finish{.reason = reason, .stop_sequence = std::string(stop)});
    events_.push_back(UsageReport{usage});
    events_.push_back(End{});
    return std::move(events_);
  }

 private:
  const Dialect issuer_;
  std::vector<Event> events_;
  int blocks_ = 0;
};

std::vector<Event> text_answer(Dialect issuer) {
  return AnswerBuilder(issuer).text({"Hello ", "to you."}).finish(StopReason::end);
}
std::vector<Event> tool_answer(Dialect issuer) {
  return AnswerBuilder(issuer)
      .text({"I shall look."})
      .call("call_xyz789", {"{\"city\":", "\"Rome\",\"days\":2}"})
      .finish(StopReason::tool);
}
std::vector<Event> parallel_answer(Dialect issuer) {
  return AnswerBuilder(issuer)
      .call("call_1", {R"({"city":"Paris"})"})
      .call("call_2", {R"({"city":)", R"("Rome"})"})
      .call("call_3", {R"({"city":"Oslo"})"})
      .finish(StopReason::tool);
}
std::vector<Event> thinking_answer(Dialect issuer) {
  return AnswerBuilder(issuer).thinking().text({"Done."}).finish(StopReason::end, usage_of(30));
}
std::vector<Event> thinking_tools_answer(Dialect issuer) {
  return AnswerBuilder(issuer)
      .thinking()
      .call("call_xyz789", {R"({"city":"Rome"})"})
      .finish(StopReason::tool, usage_of(30));
}
std::vector<Event> schema_answer(Dialect issuer) {
  return AnswerBuilder(issuer).text({R"({"name":"Ada",)", R"("age":36})"}).finish(StopReason::end);
}
std::vector<Event> stop_answer(Dialect issuer) {
  return AnswerBuilder(issuer)
      .text({"one two three four five six "})
      .finish(StopReason::stop_sequence, "seven");
}
std::vector<Event> length_answer(Dialect issuer) {
  return AnswerBuilder(issuer).text({"one two three"}).finish(StopReason::length);
}
std::vector<Event> refusal_answer(Dialect issuer) {
  return AnswerBuilder(issuer)
      .block({.kind = BlockKind::refusal}, {"I cannot ", "help with that."})
      .finish(StopReason::refusal);
}
std::vector<Event> cached_answer(Dialect issuer) {
  Usage usage = usage_of();
  usage.cache_read = 1000;
  usage.cache_write_5m = 200;
  return AnswerBuilder(issuer).text({"Hello."}).finish(StopReason::end, usage);
}
std::vector<Event> empty_args_answer(Dialect issuer) {
  return AnswerBuilder(issuer).call("call_xyz789", {}).finish(StopReason::tool);
}
std::vector<Event> unicode_answer(Dialect issuer) {
  return AnswerBuilder(issuer).text({kEmoji.substr(0, 6), kEmoji.substr(6)}).finish(StopReason::end);
}
std::vector<Event> long_answer(Dialect issuer) {
  static const std::string line = "A line of plain text, \"quoted\", and a tab\t.\n";
  return AnswerBuilder(issuer)
      .text(std::vector<std::string_view>(1'000'000 / line.size() + 1, line))
      .finish(StopReason::end);
}

}  // namespace

const std::vector<Case>& all_cases() {
  static const std::vector<Case> cases = {
      {"text", &text_request, &text_answer},
      {"system", &system_request, &text_answer},
      {"multi-turn", &turns_request, &text_answer},
      {"one tool", &tool_request, &tool_answer},
      {"three parallel tools", &parallel_request, &parallel_answer},
      {"tool error", &tool_error_request, &text_answer},
      {"image, base64", &image_request, &text_answer},
      {"image, URL", &image_url_request, &text_answer},
      {"PDF", &pdf_request, &text_answer},
      {"thinking", &thinking_request, &thinking_answer},
      {"thinking and tools", &thinking_tools_request, &thinking_tools_answer},
      {"json_schema", &schema_request, &schema_answer},
      {"stop sequence", &stop_request, &stop_answer},
      {"length", &length_request, &length_answer},
      {"refusal", &text_request, &refusal_answer},
      {"cached usage", &cached_request, &cached_answer},
      {"empty arguments", &empty_args_request, &empty_args_answer},
      {"unicode", &unicode_request, &unicode_answer},
      {"1 MB text", &long_request, &long_answer},
  };
  return cases;
}

}  // namespace weir::conformance
