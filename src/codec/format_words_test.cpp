#include "codec/format_words.h"

#include <gtest/gtest.h>

#include "codec/anthropic_test_util.h"
#include "codec/bedrock_test_util.h"
#include "codec/codecs.h"

namespace weir {
namespace {

constexpr std::array kDialects = {Dialect::openai_chat,        Dialect::openai_responses,
                                  Dialect::anthropic_messages, Dialect::bedrock_converse,
                                  Dialect::bedrock_invoke,     Dialect::gemini};

Chat asks_for(FormatKind kind) {
  Chat chat;
  chat.model = "m";
  chat.max_tokens = 4096;
  chat.messages.push_back(
      {.role = Role::user, .content = {{.body = TextBlock{"q"}, .cache = {}, .pointer = {}}}, .name = {}});
  chat.format.kind = kind;
  if (kind == FormatKind::json_schema)
    chat.format.schema = {R"({"type":"object","properties":{"n":{"type":"number"}}})"};
  return chat;
}

// Whether the target's request tells the model of the format, by what its writer reports.
bool is_told(const Chat& chat, Dialect dialect, const TargetModel& target) {
  const auto call = provider_codec(dialect).encode_request(chat, target);
  EXPECT_TRUE(call) << to_string(dialect) << ": " << call.error().message;
  return call && call->notes.fidelity.header_value().find("instruction") != std::string::npos;
}

// What a writer only tells the model nobody else would check. The other way round a forced tool may be given
// up early, but not at a model of which nothing is known.
TEST(FormatWords, AreKnownWhereverAWriterOfRequestsUsesThem) {
  using test::caps;
  const std::vector<Capabilities> known = {{},
                                           caps(&Capabilities::tools, false),
                                           caps(&Capabilities::forced_tool, false),
                                           caps(&Capabilities::json_schema, JsonSchemaSupport::tool),
                                           caps(&Capabilities::thinking, ThinkingMode::budget),
                                           caps(&Capabilities::json_schema, JsonSchemaSupport::tool,
                                                &Capabilities::thinking, ThinkingMode::budget)};
  int told = 0;
  for (const Dialect dialect : kDialects) {
    for (const std::string_view model : {test::kClaude, std::string_view("amazon.titan-text-express-v1")}) {
      for (const Capabilities& capabilities : known) {
        for (const FormatKind kind : {FormatKind::json_object, FormatKind::json_schema}) {
          for (const bool thinks : {false, true}) {
            Chat chat = asks_for(kind);
            if (thinks) chat.reasoning.budget_tokens = 1024;
            const TargetModel target{.model = model, .capabilities = &capabilities};
            const bool by_words = is_format_by_words(chat, dialect, target);
            const bool is_plain = !thinks && capabilities == Capabilities{};
            EXPECT_TRUE(is_told(chat, dialect, target) ? by_words : !(is_plain && by_words))
                << to_string(dialect) << " " << model << " " << static_cast<int>(kind) << " " << thinks << " "
                << (&capabilities - known.data());
            told += by_words ? 1 : 0;
          }
        }
      }
    }
  }
  EXPECT_GT(told, 40);
}

TEST(FormatWords, AreForModelsThatAreKnownToHaveNothingElse) {
  const Capabilities none =
      test::caps(&Capabilities::json_schema, JsonSchemaSupport::none, &Capabilities::json_object, false);
  const TargetModel target{.model = "m", .capabilities = &none};
  EXPECT_TRUE(is_format_by_words(asks_for(FormatKind::json_schema), Dialect::openai_chat, target));
  EXPECT_TRUE(is_format_by_words(asks_for(FormatKind::json_object), Dialect::openai_chat, target));
  EXPECT_FALSE(is_format_by_words(asks_for(FormatKind::text), Dialect::openai_chat, target));
}

}  // namespace
}  // namespace weir
