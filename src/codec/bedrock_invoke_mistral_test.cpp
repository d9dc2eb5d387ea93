#include "codec/bedrock_invoke_mistral.h"

#include <array>
#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"

namespace weir {
namespace {

constexpr std::string_view kLarge = "mistral.mistral-large-2407-v1:0";

std::string sent(const Chat& chat, std::string_view model = kLarge) {
  return test::body_of(test::encode_for(bedrock_invoke_provider(), chat, model));
}

Chat openai(std::string_view rest) {
  return test::openai_chat(fmt::format(R"({{"model":"m",{}}})", rest));
}

TEST(MistralBodies, TellModelsThatReadAPromptFromThoseThatChat) {
  for (const std::string_view id : {"mistral.mistral-7b-instruct-v0:2", "mistral.mixtral-8x7b-instruct-v0:1",
                                    "mistral.mistral-large-2402-v1:0", "mistral.mistral-small-2402-v1:0"}) {
    EXPECT_FALSE(is_mistral_chat(id)) << id;
    EXPECT_TRUE(sent(openai(R"("messages":[{"role":"user","content":"hi"}])"), id)
                    .starts_with(R"({"prompt":"<s>[INST] hi [/INST]")"))
        << id;
  }
  for (const std::string_view id :
       {"mistral.mistral-large-2407-v1:0", "mistral.pixtral-large-2502-v1:0", "mistral.ministral-3-8b"})
    EXPECT_TRUE(is_mistral_chat(id)) << id;
}

TEST(MistralBodies, JoinInstructionsAndRepeatRefusals) {
  EXPECT_EQ(sent(openai(R"("messages":[{"role":"system","content":[{"type":"text","text":"a"},)"
                        R"({"type":"text","text":"b"}]},{"role":"developer","content":"c"},)"
                        R"({"role":"user","content":"hi"},{"role":"assistant","content":[)"
                        R"({"type":"refusal","refusal":"no"}]},{"role":"user","content":"why"}])")),
            R"({"messages":[{"role":"system","content":"a\n\nb\n\nc"},{"role":"user","content":"hi"},)"
            R"({"role":"assistant","content":"no"},{"role":"user","content":"why"}]})");
}

TEST(MistralBodies, KeepTheTextsOfATurnAndOfAResultApart) {
  const Chat chat = test::messages_chat(
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[)"
      R"({"type":"text","text":"one"},{"type":"text","text":"two"},)"
      R"({"type":"tool_use","id":"abcdefghi","name":"f","input":{}}]},{"role":"user","content":[)"
      R"({"type":"tool_result","tool_use_id":"abcdefghi","content":[{"type":"text","text":"a"},)"
      R"({"type":"text","text":"b"}]}]}],"tools":[{"name":"f","input_schema":{"type":"object"}}]})");
  const std::string body = sent(chat);
  EXPECT_NE(body.find(R"("role":"assistant","content":"one\n\ntwo")"), std::string::npos) << body;
  EXPECT_NE(body.find(R"("tool_call_id":"abcdefghi","content":"a\nb")"), std::string::npos) << body;
}

TEST(MistralBodies, OfferTheToolsThatAreAllowed) {
  constexpr std::string_view kTools =
      R"("messages":[{"role":"user","content":"hi"}],"tools":[)"
      R"({"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}])";
  const auto tools = [&](std::string_view choice) {
    const std::string body = sent(openai(fmt::format("{}{}", kTools, choice)));
    const Result<JsonDoc> parsed = JsonDoc::parse(body);
    EXPECT_TRUE(parsed) << body;
    if (!parsed) return body;
    std::string found(parsed->root()["tool_choice"].string_or("?"));
    for (const JsonValue tool : parsed->root()["tools"])
      found += fmt::format(" {}", tool["function"]["name"].string_or("?"));
    return found;
  };
  EXPECT_EQ(tools(""), "auto f g");
  EXPECT_EQ(tools(R"(,"tool_choice":"auto")"), "auto f g");
  EXPECT_EQ(tools(R"(,"tool_choice":"required")"), "any f g");
  EXPECT_EQ(tools(R"(,"tool_choice":"none")"), "none f g");
  EXPECT_EQ(tools(R"(,"tool_choice":{"type":"function","function":{"name":"g"}})"), "any g");
  EXPECT_EQ(tools(R"(,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required",)"
                  R"("tools":[{"type":"function","function":{"name":"g"}}]}})"),
            "any g");
}

struct SettingsCase {
  std::string_view model;
  std::string_view settings;
};

// The same settings in each family's words.
TEST(TextBodies, WriteEverySettingInTheFamilysWords) {
  const Chat chat = test::messages_chat(
      R"({"model":"m","max_tokens":7,"temperature":0.5,"top_p":0.25,"top_k":9,"stop_sequences":["#"],)"
      R"("messages":[{"role":"user","content":"hi"}]})");
  constexpr std::array<SettingsCase, 6> kCases = {{
      {"amazon.titan-text-express-v1",
       R"("textGenerationConfig":{"maxTokenCount":7,"temperature":0.5,"topP":0.25,"stopSequences":["#"]}})"},
      {"meta.llama3-8b-instruct-v1:0", R"("max_gen_len":7,"temperature":0.5,"top_p":0.25})"},
      {"mistral.mistral-7b-instruct-v0:2",
       R"("max_tokens":7,"temperature":0.5,"top_p":0.25,"top_k":9,"stop":["#"]})"},
      {"mistral.mistral-large-2407-v1:0", R"("max_tokens":7,"temperature":0.5,"top_p":0.25,"stop":["#"]})"},
      {"cohere.command-r-v1:0", R"("max_tokens":7,"temperature":0.5,"p":0.25,"k":9,"stop_sequences":["#"]})"},
      {"cohere.command-text-v14",
       R"("max_tokens":7,"temperature":0.5,"p":0.25,"k":9,"stop_sequences":["#"]})"},
  }};
  for (const auto& [model, settings] : kCases)
    EXPECT_TRUE(sent(chat, model).ends_with(settings)) << sent(chat, model);
}

}  // namespace
}  // namespace weir
