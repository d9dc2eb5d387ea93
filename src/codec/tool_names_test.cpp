#include "codec/tool_names.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/anthropic_test_util.h"
#include "codec/codecs.h"

namespace weir {
namespace {

TEST(ToolNames, LeavesALegalNameAlone) {
  EXPECT_EQ(legal_tool_name("get_weather-2", kOpenAiToolNameMax), "get_weather-2");
  const std::string longest(64, 'a');
  EXPECT_EQ(legal_tool_name(longest, kOpenAiToolNameMax), longest);
}

TEST(ToolNames, MakesAnyNameLegalAndKeepsDifferentOnesDifferent) {
  const std::string dotted = legal_tool_name("srv.tool", kOpenAiToolNameMax);
  EXPECT_EQ(dotted.substr(0, 9), "srv_tool_");
  EXPECT_EQ(dotted.size(), 17U);
  EXPECT_EQ(dotted, legal_tool_name("srv.tool", kOpenAiToolNameMax));
  EXPECT_NE(dotted, legal_tool_name("srv/tool", kOpenAiToolNameMax));
  for (const std::string& name :
       {std::string(65, 'a'), std::string(), std::string("größe"), std::string(500, '.')}) {
    const std::string legal = legal_tool_name(name, kOpenAiToolNameMax);
    EXPECT_LE(legal.size(), kOpenAiToolNameMax) << name;
    EXPECT_EQ(legal.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-"), std::string::npos) << legal;
  }
  EXPECT_NE(legal_tool_name(std::string(64, 'a') + 'b', kOpenAiToolNameMax),
            legal_tool_name(std::string(64, 'a') + 'c', kOpenAiToolNameMax));
}

TEST(ToolNames, ShortensByTheTargetsOwnLimit) {
  const std::string name(100, 'a');
  EXPECT_EQ(legal_tool_name(name, kAnthropicToolNameMax), name);
  EXPECT_NE(legal_tool_name(name, kOpenAiToolNameMax), name);
}

TEST(ToolNames, OfTheHistoryAreLegalWhereTheToolIsNoLongerOffered) {
  const std::string gone = "mcp__a_server__" + std::string(61, 'x');
  const Chat chat = test::messages_chat(fmt::format(
      R"({{"model":"m","max_tokens":9,"tools":[{{"name":"f","input_schema":{{"type":"object"}}}}],"messages":)"
      R"([{{"role":"user","content":"q"}},)"
      R"({{"role":"assistant","content":[{{"type":"tool_use","id":"toolu_1","name":"{}","input":{{}}}}]}},)"
      R"({{"role":"user","content":[{{"type":"tool_result","tool_use_id":"toolu_1","content":"r"}}]}}]}})",
      gone));
  for (const Dialect target : {Dialect::openai_chat, Dialect::openai_responses}) {
    const Capabilities any;
    const auto call = provider_codec(target).encode_request(chat, {.model = "up", .capabilities = &any});
    const std::string named = fmt::format(R"("name":"{}")", legal_tool_name(gone, kOpenAiToolNameMax));
    EXPECT_NE(test::body_of(call).find(named), std::string::npos) << test::body_of(call);
  }
}

}  // namespace
}  // namespace weir
