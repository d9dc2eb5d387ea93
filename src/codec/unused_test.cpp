#include "codec/unused.h"

#include <array>
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/codecs.h"

namespace weir {
namespace {

// A chat that states all that not every dialect has.
Chat full_chat() {
  Chat chat;
  chat.model = "m";
  chat.max_tokens = 100;
  chat.messages.push_back({.role = Role::user, .content = {}});
  chat.messages[0].content.push_back({.body = TextBlock{"x"}, .cache = {}, .pointer = {}});
  chat.stop = {"END"};
  chat.top_k = 4;
  chat.frequency_penalty = 0.5;
  chat.presence_penalty = 0.5;
  chat.seed = 7;
  chat.logprobs = true;
  chat.verbosity = "low";
  chat.end_user = "u";
  chat.service_tier = "scale";
  chat.prompt_cache_key = "k";
  chat.metadata = {{.key = "a", .value = "b"}};
  chat.reasoning.effort = EffortLevel::low;
  return chat;
}

TEST(Unused, ReportsWhatIsStatedAndNotTaken) {
  Fidelity fidelity;
  ASSERT_TRUE(report_unused(full_chat(), Dialect::gemini,
                            {ChatField::stop, ChatField::top_k, ChatField::reasoning}, fidelity));
  EXPECT_EQ(fidelity.header_value(),
            "dropped;/frequency_penalty;0.5>, dropped;/presence_penalty;0.5>, dropped;/seed;7>, "
            "dropped;/logprobs, dropped;/verbosity;low>, dropped;/user, dropped;/service_tier;scale>, "
            "dropped;/prompt_cache_key, dropped;/metadata");
  Fidelity nothing;
  Chat usual;
  usual.service_tier = "auto";
  usual.frequency_penalty = 0;
  usual.reasoning.is_disabled = true;
  ASSERT_TRUE(report_unused(usual, Dialect::gemini, {}, nothing));
  EXPECT_TRUE(nothing.empty());
}

TEST(Unused, ReportsASummaryOfReasoningThatIsNotAskedFor) {
  const auto report = [](std::string_view display, bool thinks, std::vector<ChatField> taken) {
    Chat chat;
    chat.reasoning.display = display;
    if (thinks) chat.reasoning.effort = EffortLevel::low;
    Fidelity fidelity;
    taken.push_back(ChatField::reasoning);
    EXPECT_TRUE(report_unused(chat, Dialect::anthropic_messages, taken, fidelity));
    return fidelity.header_value();
  };
  EXPECT_EQ(report("detailed", false, {}), "dropped;/reasoning/summary;detailed>");
  EXPECT_EQ(report("detailed", true, {}), "") << "whoever writes the reasoning looks at it";
  EXPECT_EQ(report("detailed", false, {ChatField::reasoning_display}), "");
  EXPECT_EQ(report("omitted", false, {}), "");
}

TEST(Unused, RefusesToLeaveTruncationOut) {
  Chat chat;
  chat.extras.push_back({.dialect = Dialect::openai_responses, .key = "truncation", .raw = {R"("auto")"}});
  Fidelity fidelity;
  EXPECT_TRUE(report_unused(chat, Dialect::openai_responses, {}, fidelity));
  const Result<void> refused = report_unused(chat, Dialect::openai_chat, {}, fidelity);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(refused.error().path, "truncation");
}

struct Target {
  Dialect dialect;
  std::string_view model;
};
constexpr std::array kTargets = {
    Target{Dialect::openai_chat, "gpt"},
    Target{Dialect::openai_responses, "gpt"},
    Target{Dialect::anthropic_messages, "claude"},
    Target{Dialect::gemini, "gemini-x"},
    Target{Dialect::bedrock_converse, "anthropic.claude-3-haiku-20240307-v1:0"},
    Target{Dialect::bedrock_converse, "amazon.nova-lite-v1:0"},
    Target{Dialect::bedrock_converse, "meta.llama3-8b-instruct-v1:0"},
    Target{Dialect::bedrock_invoke, "anthropic.claude-3-haiku-20240307-v1:0"},
    Target{Dialect::bedrock_invoke, "amazon.nova-lite-v1:0"},
    Target{Dialect::bedrock_invoke, "amazon.titan-text-express-v1"},
    Target{Dialect::bedrock_invoke, "meta.llama3-8b-instruct-v1:0"},
    Target{Dialect::bedrock_invoke, "mistral.mistral-7b-instruct-v0:2"},
    Target{Dialect::bedrock_invoke, "mistral.mistral-large-2407-v1:0"},
    Target{Dialect::bedrock_invoke, "cohere.command-r-v1:0"},
};

struct Field {
  std::string_view name;
  void (*state)(Chat& chat);  // where the chat does not state it yet
};

Chat plain_chat() {
  Chat chat;
  chat.model = "m";
  chat.max_tokens = 16'000;
  chat.messages.push_back({.role = Role::user, .content = {}});
  chat.messages[0].content.push_back({.body = TextBlock{"x"}, .cache = {}, .pointer = {}});
  return chat;
}

Chat chat_with_tool(ToolKind kind) {
  Chat chat = plain_chat();
  Tool tool;
  tool.kind = kind;
  tool.name = "f";
  tool.schema = {R"({"type":"object","properties":{},"additionalProperties":false})"};
  chat.tools.push_back(tool);
  return chat;
}

Chat chat_with_document() {
  Chat chat = plain_chat();
  chat.messages[0].content.push_back(
      {.body = DocumentBlock{.media = {.base64 = "JVBERi0xLjQK", .mime = "application/pdf"}},
       .cache = {},
       .pointer = {}});
  return chat;
}

Chat chat_with_text_document() {
  Chat chat = plain_chat();
  chat.messages[0].content.push_back(
      {.body = DocumentBlock{.media = {}, .text = "words"}, .cache = {}, .pointer = {}});
  return chat;
}

DocumentBlock& document_of(Chat& chat) {
  return std::get<DocumentBlock>(chat.messages[0].content[1].body);
}

// All that an encoding says of the chat.
std::string encoded(const Chat& chat, const Target& target) {
  const Capabilities plain;
  const auto call =
      provider_codec(target.dialect).encode_request(chat, {.model = target.model, .capabilities = &plain});
  if (!call) return call.error().message;
  std::string all = call->wire.body + call->notes.fidelity.header_value();
  for (const std::string& stop : call->notes.stops) all += stop;
  for (const HeaderField header : call->wire.headers) all += fmt::format("{}: {}", header.name, header.value);
  return all;
}

void expect_no_silence(const Chat& without, const Field& field) {
  Chat with = without;
  field.state(with);
  for (const Target& target : kTargets)
    EXPECT_NE(encoded(with, target), encoded(without, target))
        << to_string(target.dialect) << ' ' << target.model << ": " << field.name;
}

// Each field changes the request that is sent, or is in the report, or is refused.
TEST(Unused, NoDialectLosesASettingInSilence) {
  constexpr std::array kFields = {
      Field{"temperature", [](Chat& chat) { chat.temperature = 0.5; }},
      Field{"top_p", [](Chat& chat) { chat.top_p = 0.5; }},
      Field{"top_k", [](Chat& chat) { chat.top_k = 4; }},
      Field{"frequency_penalty", [](Chat& chat) { chat.frequency_penalty = 0.5; }},
      Field{"presence_penalty", [](Chat& chat) { chat.presence_penalty = 0.5; }},
      Field{"seed", [](Chat& chat) { chat.seed = 7; }},
      Field{"choices", [](Chat& chat) { chat.choices = 2; }},
      Field{"logprobs", [](Chat& chat) { chat.logprobs = true; }},
      Field{"stop", [](Chat& chat) { chat.stop = {"END"}; }},
      Field{"format", [](Chat& chat) { chat.format.kind = FormatKind::json_object; }},
      Field{"verbosity", [](Chat& chat) { chat.verbosity = "low"; }},
      Field{"effort", [](Chat& chat) { chat.reasoning.effort = EffortLevel::high; }},
      Field{"budget", [](Chat& chat) { chat.reasoning.budget_tokens = 4096; }},
      Field{"end_user", [](Chat& chat) { chat.end_user = "u"; }},
      Field{"service_tier", [](Chat& chat) { chat.service_tier = "scale"; }},
      Field{"prompt_cache_key", [](Chat& chat) { chat.prompt_cache_key = "k"; }},
      Field{"metadata", [](Chat& chat) { chat.metadata = {{.key = "a", .value = "b"}}; }},
      Field{
          "extras",
          [](Chat& chat) { chat.extras.push_back({.dialect = Dialect::gemini, .key = "x", .raw = {"1"}}); }},
      Field{"name", [](Chat& chat) { chat.messages[0].name = "ann"; }},
      Field{"cache", [](Chat& chat) { chat.messages[0].content[0].cache = CacheMarker{}; }}};
  for (const Field& field : kFields) expect_no_silence(plain_chat(), field);
}

TEST(Unused, NoDialectLosesWhatIsSaidOfToolsInSilence) {
  constexpr std::array kFields = {
      Field{"strict", [](Chat& chat) { chat.tools[0].strict = true; }},
      Field{"description", [](Chat& chat) { chat.tools[0].description = "d"; }},
      Field{"cache", [](Chat& chat) { chat.tools[0].cache = CacheMarker{}; }},
      Field{"one", [](Chat& chat) { chat.parallel_tools = false; }},
      Field{"none", [](Chat& chat) { chat.tool_choice = {.mode = ToolChoiceMode::none}; }},
      Field{"required", [](Chat& chat) { chat.tool_choice = {.mode = ToolChoiceMode::required}; }},
      Field{"named", [](Chat& chat) { chat.tool_choice = {.mode = ToolChoiceMode::named, .name = "f"}; }}};
  for (const Field& field : kFields) {
    const bool refuses_all = field.name == "none";
    for (const Target& target : kTargets) {
      const Chat without = chat_with_tool(ToolKind::function);
      Chat with = without;
      field.state(with);
      // A target that takes no tools refuses both; one that has none to call loses nothing with "none".
      const std::string before = encoded(without, target);
      if (!refuses_all && before.find("takes text only") != std::string::npos) continue;
      EXPECT_NE(encoded(with, target), before)
          << to_string(target.dialect) << ' ' << target.model << ": " << field.name;
    }
  }
  constexpr std::array kOfCustom = {Field{"grammar", [](Chat& chat) {
                                            chat.tools[0].grammar_syntax = "regex";
                                            chat.tools[0].grammar = "a+";
                                          }}};
  for (const Target& target : kTargets) {
    const Chat without = chat_with_tool(ToolKind::custom);
    Chat with = without;
    kOfCustom[0].state(with);
    const std::string before = encoded(without, target);
    if (before.find("takes text only") != std::string::npos) continue;
    EXPECT_NE(encoded(with, target), before) << to_string(target.dialect) << ' ' << target.model;
  }
}

TEST(Unused, NoDialectLosesWhatIsSaidOfDocumentsInSilence) {
  constexpr std::array kFields = {
      Field{"title", [](Chat& chat) { document_of(chat).title = "t"; }},
      Field{"context", [](Chat& chat) { document_of(chat).context = "c"; }},
      Field{"citations", [](Chat& chat) { document_of(chat).wants_citations = true; }}};
  for (const Chat& without : {chat_with_document(), chat_with_text_document()}) {
    for (const Field& field : kFields) {
      Chat with = without;
      field.state(with);
      for (const Target& target : kTargets) {
        const std::string before = encoded(without, target);
        if (before.find("takes text") != std::string::npos) continue;
        EXPECT_NE(encoded(with, target), before)
            << to_string(target.dialect) << ' ' << target.model << ": " << field.name;
      }
    }
  }
}

// Each alone: what it states is its own, and so are its place and its weight.
TEST(Unused, ReportsEachFieldByItself) {
  struct Case {
    void (*state)(Chat& chat);
    std::string_view pointer;
    Severity severity;
    std::string_view from;
  };
  constexpr std::array<Case, 13> kCases = {{
      {[](Chat& c) { c.stop = {"a"}; }, "/stop", Severity::warning, ""},
      {[](Chat& c) { c.top_k = 5; }, "/top_k", Severity::warning, "5"},
      {[](Chat& c) { c.frequency_penalty = 0.5; }, "/frequency_penalty", Severity::warning, "0.5"},
      {[](Chat& c) { c.presence_penalty = 0.25; }, "/presence_penalty", Severity::warning, "0.25"},
      {[](Chat& c) { c.seed = 7; }, "/seed", Severity::warning, "7"},
      {[](Chat& c) { c.logprobs = true; }, "/logprobs", Severity::warning, ""},
      {[](Chat& c) { c.top_logprobs = 2; }, "/logprobs", Severity::warning, ""},
      {[](Chat& c) { c.verbosity = "low"; }, "/verbosity", Severity::warning, "low"},
      {[](Chat& c) { c.reasoning.effort = EffortLevel::low; }, "/reasoning", Severity::info, ""},
      {[](Chat& c) { c.end_user = "u"; }, "/user", Severity::info, ""},
      {[](Chat& c) { c.service_tier = "flex"; }, "/service_tier", Severity::info, "flex"},
      {[](Chat& c) { c.prompt_cache_key = "k"; }, "/prompt_cache_key", Severity::info, ""},
      {[](Chat& c) { c.metadata = {{.key = "k", .value = "v"}}; }, "/metadata", Severity::info, ""},
  }};
  for (const Case& one : kCases) {
    Chat chat;
    one.state(chat);
    Fidelity fidelity;
    EXPECT_TRUE(report_unused(chat, Dialect::gemini, {}, fidelity));
    ASSERT_EQ(fidelity.records().size(), 1U) << one.pointer;
    EXPECT_EQ(fidelity.records()[0].pointer, one.pointer);
    EXPECT_EQ(fidelity.records()[0].severity, one.severity) << one.pointer;
    EXPECT_EQ(fidelity.records()[0].from, one.from) << one.pointer;
  }
}

// Only Converse and OpenAI's dialects have a place for it.
TEST(Unused, ReportsTheNameOfASchema) {
  Chat chat;
  chat.model = "m";
  chat.max_tokens = 9;
  chat.messages.push_back(
      {.role = Role::user, .content = {{.body = TextBlock{"q"}, .cache = {}, .pointer = {}}}, .name = {}});
  chat.format = {.kind = FormatKind::json_schema, .name = "answer", .schema = {R"({"type":"object"})"}};
  const auto is_reported = [&chat](Dialect dialect, JsonSchemaSupport support) {
    Capabilities capabilities;
    capabilities.json_schema = support;
    const auto call = provider_codec(dialect).encode_request(
        chat, {.model = "anthropic.claude-3", .capabilities = &capabilities});
    EXPECT_TRUE(call);
    return call &&
           call->notes.fidelity.header_value().find("dropped;/response_format/name") != std::string::npos;
  };
  EXPECT_TRUE(is_reported(Dialect::anthropic_messages, JsonSchemaSupport::native));
  EXPECT_TRUE(is_reported(Dialect::anthropic_messages, JsonSchemaSupport::tool));
  EXPECT_TRUE(is_reported(Dialect::gemini, JsonSchemaSupport::native));
  EXPECT_TRUE(is_reported(Dialect::bedrock_converse, JsonSchemaSupport::tool));
  EXPECT_FALSE(is_reported(Dialect::bedrock_converse, JsonSchemaSupport::native));
  EXPECT_FALSE(is_reported(Dialect::openai_chat, JsonSchemaSupport::native));
  EXPECT_FALSE(is_reported(Dialect::openai_responses, JsonSchemaSupport::native));
}

}  // namespace
}  // namespace weir
