#include "codec/openai_strict.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/anthropic_test_util.h"
#include "codec/codecs.h"

namespace weir {
namespace {

using test::body_of;
using test::records_of;

constexpr std::string_view kClean =
    R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false})";
constexpr std::string_view kOptional = R"({"type":"object","properties":{"a":{"type":"string"}}})";

// A request whose dialect holds every answer to its schema.
Chat asked_of(Dialect dialect, std::string_view schema) {
  std::string body;
  if (dialect == Dialect::anthropic_messages) {
    body = fmt::format(R"({{"model":"m","max_tokens":99,"messages":[{{"role":"user","content":"a"}}],)"
                       R"("output_config":{{"format":{{"type":"json_schema","schema":{}}}}}}})",
                       schema);
  } else if (dialect == Dialect::gemini) {
    body = fmt::format(R"({{"contents":[{{"role":"user","parts":[{{"text":"a"}}]}}],"generationConfig":)"
                       R"({{"responseMimeType":"application/json","responseJsonSchema":{}}}}})",
                       schema);
  } else {
    body = R"({"messages":[{"role":"user","content":[{"text":"a"}]}],"outputConfig":{"textFormat":{"type":)"
           R"("json_schema","structure":{"jsonSchema":{"name":"n","schema":)";
    JsonWriter(body).value(schema);
    body += "}}}}}";
  }
  ClientCall call = test::client_call(dialect, std::move(body));
  call.path_model = "m";
  Result<Request> request = chat_client_codec(dialect, false).decode_request(call);
  EXPECT_TRUE(request) << (request ? "" : request.error().message);
  return request ? std::get<Chat>(*request) : Chat{};
}

Result<EncodedCall> sent_to(Dialect target, const Chat& chat, const Capabilities& server = {}) {
  return provider_codec(target).encode_request(chat, {.model = "up", .capabilities = &server});
}

constexpr std::array kEnforcing = {Dialect::anthropic_messages, Dialect::gemini, Dialect::bedrock_converse};
constexpr std::array kTargets = {Dialect::openai_chat, Dialect::openai_responses};

TEST(OpenAiStrict, ASchemaThatTheClientsDialectEnforcesIsEnforced) {
  for (const Dialect client : kEnforcing) {
    for (const Dialect target : kTargets) {
      const auto call = sent_to(target, asked_of(client, kClean));
      EXPECT_NE(body_of(call).find(fmt::format(R"("schema":{},"strict":true)", kClean)), std::string::npos)
          << body_of(call);
      EXPECT_EQ(records_of(call), "");
    }
  }
}

TEST(OpenAiStrict, IsNotSaidOfAnObjectThatMayHoldAnything) {
  constexpr std::string_view kFree =
      R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"object"}}},"required":["a"]})";
  for (const std::string_view schema : {std::string_view(R"({"type":"object"})"), kFree}) {
    const auto call = sent_to(Dialect::openai_chat, asked_of(Dialect::gemini, schema));
    EXPECT_NE(body_of(call).find(R"("strict":false)"), std::string::npos) << body_of(call);
    EXPECT_EQ(records_of(call), "schema_downleveled;/response_format/schema;strict>not_strict");
  }
}

TEST(OpenAiStrict, AWarningSaysThatNobodyEnforcesTheSchema) {
  for (const Dialect client : kEnforcing) {
    for (const Dialect target : kTargets) {
      const auto call = sent_to(target, asked_of(client, kOptional));
      EXPECT_NE(body_of(call).find(fmt::format(R"("schema":{},"strict":false)", kOptional)),
                std::string::npos)
          << body_of(call);
      EXPECT_EQ(records_of(call), "schema_downleveled;/response_format/schema;strict>not_strict");
      ASSERT_TRUE(call);
      EXPECT_TRUE(call->notes.fidelity.has_warnings());
    }
  }
}

TEST(OpenAiStrict, IsNotSaidWhereMostModelsRefuseTheWord) {
  Capabilities server;
  server.quirks.strict_on_some_models = true;
  for (const Dialect client : kEnforcing) {
    const auto call = sent_to(Dialect::openai_chat, asked_of(client, kClean), server);
    EXPECT_EQ(body_of(call).find("strict"), std::string::npos) << body_of(call);
    EXPECT_EQ(records_of(call), "schema_downleveled;/response_format/schema;strict>not_strict");
  }
  // Who says it knows the model.
  const Chat said = test::openai_chat(
      fmt::format(R"({{"model":"m","messages":[{{"role":"user","content":"a"}}],"response_format":)"
                  R"({{"type":"json_schema","json_schema":{{"name":"n","strict":true,"schema":{}}}}}}})",
                  kClean));
  EXPECT_NE(body_of(sent_to(Dialect::openai_chat, said, server)).find(R"("strict":true)"), std::string::npos);
}

}  // namespace
}  // namespace weir
