#include "codec/web_search.h"

#include <gtest/gtest.h>

#include "codec/codecs.h"

namespace weir {
namespace {

Chat asked(Dialect dialect, std::string body) {
  ClientCall call;
  call.dialect = dialect;
  call.path_model = "m";
  call.body = std::make_shared<const JsonDoc>(JsonDoc::parse(std::move(body)).value());
  return std::get<Chat>(chat_client_codec(dialect, false).decode_request(call).value());
}

// What the search becomes, and what is reported but for that it became it.
struct Mapped {
  std::string tool;
  std::string losses;
};

Mapped mapped(Chat chat, Dialect target) {
  Mapped made;
  if (!has_foreign_web_search(chat, target)) return {.tool = "nothing to map", .losses = {}};
  Fidelity fidelity;
  map_web_search(chat, target, fidelity);
  EXPECT_FALSE(has_foreign_web_search(chat, target)) << "it is done once";
  for (const Tool& tool : chat.tools) {
    EXPECT_EQ(tool.dialect, target);
    made.tool += tool.raw.text;
  }
  for (const ExtraField& extra : chat.extras) made.tool.append(extra.key).append(":").append(extra.raw.text);
  for (const FidelityRecord& record : fidelity.records()) {
    if (record.severity == Severity::warning) made.losses += record.from + " ";
  }
  return made;
}

constexpr std::string_view kAnthropic =
    R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}],"tools":[{"type":"web_search_20250305",)"
    R"("name":"web_search","max_uses":3,"allowed_domains":["a.example"],)"
    R"("user_location":{"type":"approximate","city":"Ulm","country":"DE"}}]})";
constexpr std::string_view kChat =
    R"({"model":"m","messages":[{"role":"user","content":"q"}],"web_search_options":{"search_context_size":"low",)"
    R"("user_location":{"type":"approximate","approximate":{"city":"Ulm","country":"DE"}}}})";
constexpr std::string_view kResponses =
    R"({"model":"m","input":"q","tools":[{"type":"web_search","filters":{"allowed_domains":["a.example"]},)"
    R"("search_context_size":"high"}]})";
constexpr std::string_view kGemini =
    R"({"contents":[{"role":"user","parts":[{"text":"q"}]}],"tools":[{"google_search":{"exclude_domains":["b.example"]}}]})";

TEST(WebSearch, OfAnthropicsCallersIsSaidToTheOthers) {
  const Chat chat = asked(Dialect::anthropic_messages, std::string(kAnthropic));
  const Mapped responses = mapped(chat, Dialect::openai_responses);
  EXPECT_EQ(responses.tool, R"({"type":"web_search","filters":{"allowed_domains":["a.example"]},)"
                            R"("user_location":{"type":"approximate","city":"Ulm","country":"DE"}})");
  EXPECT_EQ(responses.losses, "max_uses ");
  const Mapped openai = mapped(chat, Dialect::openai_chat);
  EXPECT_EQ(
      openai.tool,
      R"(web_search_options:{"user_location":{"type":"approximate","approximate":{"city":"Ulm","country":"DE"}}})");
  EXPECT_EQ(openai.losses, "allowed_domains max_uses ");
  const Mapped gemini = mapped(chat, Dialect::gemini);
  EXPECT_EQ(gemini.tool, R"({"googleSearch":{}})");
  EXPECT_EQ(gemini.losses, "allowed_domains max_uses user_location ");
}

TEST(WebSearch, LosesEachWishThatTheTargetCannotGrant) {
  EXPECT_EQ(mapped(asked(Dialect::openai_chat, std::string(kChat)), Dialect::gemini).losses,
            "user_location search_context_size ");
  const Chat blocked =
      asked(Dialect::anthropic_messages,
            R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}],"tools":[)"
            R"({"type":"web_search_20250305","name":"web_search","blocked_domains":["b.example"]}]})");
  for (const Dialect target : {Dialect::openai_responses, Dialect::openai_chat, Dialect::gemini})
    EXPECT_EQ(mapped(blocked, target).losses, "blocked_domains ");
  const Mapped unknown =
      mapped(asked(Dialect::anthropic_messages,
                   R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}],"tools":[)"
                   R"({"type":"web_search_20250305","name":"web_search","brand_new":1}]})"),
             Dialect::openai_responses);
  EXPECT_EQ(unknown.losses, "brand_new ");
}

TEST(WebSearch, KeepsWhatTheTargetCallsByAnotherName) {
  const Mapped blocked = mapped(
      asked(
          Dialect::openai_responses,
          R"({"model":"m","input":"q","tools":[{"type":"web_search","filters":{"blocked_domains":["b.example"]}}]})"),
      Dialect::anthropic_messages);
  EXPECT_EQ(blocked.tool,
            R"({"type":"web_search_20250305","name":"web_search","blocked_domains":["b.example"]})");
  EXPECT_EQ(blocked.losses, "");
  EXPECT_EQ(mapped(asked(Dialect::openai_responses, std::string(kResponses)), Dialect::openai_chat).tool,
            R"(web_search_options:{"search_context_size":"high"})");
}

TEST(WebSearch, IsReportedUnderTheTargetsName) {
  for (const auto& [target, name] :
       {std::pair<Dialect, std::string_view>{Dialect::openai_responses, "web_search"},
        {Dialect::openai_chat, "web_search_options"},
        {Dialect::gemini, "googleSearch"}}) {
    Chat chat = asked(Dialect::anthropic_messages, std::string(kAnthropic));
    Fidelity fidelity;
    map_web_search(chat, target, fidelity);
    EXPECT_TRUE(std::ranges::any_of(fidelity.records(), [name](const FidelityRecord& record) {
      return record.reason == LossReason::emulated && record.pointer == "/tools/0" && record.to == name;
    })) << fidelity.header_value();
  }
  Chat chat = asked(Dialect::openai_responses, std::string(kResponses));
  Fidelity fidelity;
  map_web_search(chat, Dialect::anthropic_messages, fidelity);
  EXPECT_EQ(chat.tools.at(0).type, "web_search_20250305");
  EXPECT_EQ(fidelity.records().at(0).to, "web_search_20250305");
}

TEST(WebSearch, OfTheOthersIsSaidToAnthropic) {
  const Mapped chat = mapped(asked(Dialect::openai_chat, std::string(kChat)), Dialect::anthropic_messages);
  EXPECT_EQ(chat.tool, R"({"type":"web_search_20250305","name":"web_search",)"
                       R"("user_location":{"type":"approximate","city":"Ulm","country":"DE"}})");
  EXPECT_EQ(chat.losses, "search_context_size ");
  const Mapped responses =
      mapped(asked(Dialect::openai_responses, std::string(kResponses)), Dialect::anthropic_messages);
  EXPECT_EQ(responses.tool,
            R"({"type":"web_search_20250305","name":"web_search","allowed_domains":["a.example"]})");
  const Mapped gemini = mapped(asked(Dialect::gemini, std::string(kGemini)), Dialect::anthropic_messages);
  EXPECT_EQ(gemini.tool, R"({"type":"web_search_20250305","name":"web_search"})");
  EXPECT_EQ(gemini.losses, "exclude_domains ");
}

TEST(WebSearch, IsLeftToATargetThatHasTheCallersOwnOrNone) {
  EXPECT_EQ(mapped(asked(Dialect::openai_chat, std::string(kChat)), Dialect::openai_chat).tool,
            "nothing to map");
  EXPECT_EQ(
      mapped(asked(Dialect::anthropic_messages, std::string(kAnthropic)), Dialect::bedrock_converse).tool,
      "nothing to map");
  Chat other =
      asked(Dialect::openai_responses, R"({"model":"m","input":"q","tools":[{"type":"code_interpreter"}]})");
  EXPECT_EQ(mapped(other, Dialect::anthropic_messages).tool, "nothing to map");
}

TEST(WebSearch, AChoiceThatNamesItFollows) {
  Chat chat =
      asked(Dialect::openai_responses, R"({"model":"m","input":"q","tools":[{"type":"web_search_preview"}],)"
                                       R"("tool_choice":{"type":"web_search_preview"}})");
  Fidelity fidelity;
  Chat for_anthropic = chat;
  map_web_search(for_anthropic, Dialect::anthropic_messages, fidelity);
  ASSERT_TRUE(for_anthropic.tool_choice);
  EXPECT_EQ(for_anthropic.tool_choice->name, "web_search");
  EXPECT_FALSE(fidelity.has_warnings());
  Chat among_allowed = chat;
  among_allowed.tool_choice = ToolChoice{.allowed = {"other", among_allowed.tools.at(0).name}};
  map_web_search(among_allowed, Dialect::anthropic_messages, fidelity);
  EXPECT_EQ(among_allowed.tool_choice->allowed, (std::vector<std::string_view>{"other", "web_search"}));
  map_web_search(chat, Dialect::gemini, fidelity);
  EXPECT_FALSE(chat.tool_choice) << "there a search cannot be demanded";
  EXPECT_TRUE(fidelity.has_warnings());
}

TEST(WebSearch, AChoiceThatDoesNotNameItStays) {
  Chat chat = asked(Dialect::openai_responses,
                    R"({"model":"m","input":"q","tools":[{"type":"web_search"}],"tool_choice":"required"})");
  Fidelity fidelity;
  map_web_search(chat, Dialect::gemini, fidelity);
  ASSERT_TRUE(chat.tool_choice);
  EXPECT_EQ(chat.tool_choice->mode, ToolChoiceMode::required);
  EXPECT_EQ(chat.tool_choice->name, "");
}

TEST(WebSearch, IsMadeOfItsOwnWordsAlone) {
  EXPECT_EQ(mapped(asked(Dialect::openai_chat,
                         R"({"model":"m","messages":[{"role":"user","content":"q"}],"brand_new":1,)"
                         R"("web_search_options":{}})"),
                   Dialect::gemini)
                .tool,
            R"({"googleSearch":{}}brand_new:1)");
  EXPECT_EQ(
      mapped(asked(Dialect::anthropic_messages,
                   R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}],"tools":[)"
                   R"({"type":"web_search_20250305","name":"web_search","allowed_domains":{"x":"y"}}]})"),
             Dialect::openai_responses)
          .tool,
      R"({"type":"web_search"})")
      << "no list of domains";
}

}  // namespace
}  // namespace weir
