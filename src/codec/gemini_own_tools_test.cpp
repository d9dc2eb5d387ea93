// Tools that Gemini runs itself, beside the functions of its caller.
#include <gtest/gtest.h>

#include "codec/gemini_test_util.h"

namespace weir {
namespace {

using test::body_of;
using test::caps;
using test::gemini_chat;
using test::records_of;
using test::to_gemini;

// The value of a member of the encoded body, as it stands there.
std::string sent(const Result<EncodedCall>& call, std::string_view key) {
  const Result<JsonDoc> parsed = JsonDoc::parse(body_of(call));
  return parsed ? std::string(parsed->root()[key].raw()) : body_of(call);
}

// The vendor's own tools beside functions: a switch for its API, none for Vertex AI, an error for old models.
TEST(GeminiOwnTools, CombinesItsOwnToolsWithFunctionsWhereTheModelDoes) {
  const auto with = [](std::string_view config, const Capabilities& capabilities) {
    return to_gemini(gemini_chat(fmt::format(
                         R"({{"contents":[{{"parts":[{{"text":"x"}}]}}],"tools":[{{"googleSearch":{{}}}},)"
                         R"({{"functionDeclarations":[{{"name":"f"}}]}}]{}}})",
                         config)),
                     capabilities);
  };
  const std::string tools = R"([{"functionDeclarations":[{"name":"f"}]},{"googleSearch":{}}])";
  constexpr std::string_view kSwitch = R"("includeServerSideToolInvocations":true})";
  const auto usual = with("", {});
  EXPECT_EQ(sent(usual, "tools"), tools);
  EXPECT_EQ(sent(usual, "toolConfig"), fmt::format("{{{}", kSwitch));
  EXPECT_EQ(records_of(usual), "synthesised;/tools;>steps_of_the_vendor's_tools");
  const auto said = with(R"(,"toolConfig":{"include_server_side_tool_invocations":true})", {});
  EXPECT_EQ(sent(said, "toolConfig"), fmt::format("{{{}", kSwitch));
  EXPECT_EQ(records_of(said), "");
  const auto chosen = with(R"(,"toolConfig":{"functionCallingConfig":{"mode":"AUTO"}})", {});
  EXPECT_EQ(sent(chosen, "toolConfig"),
            fmt::format(R"({{"functionCallingConfig":{{"mode":"VALIDATED"}},{})", kSwitch));
  Capabilities vertex;
  vertex.quirks.vertex_shapes = true;
  EXPECT_EQ(sent(with("", vertex), "tools"), tools);
  EXPECT_EQ(body_of(with("", vertex)).find("toolConfig"), std::string::npos);
  const auto old = with("", caps(&Capabilities::own_tools_with_functions, false));
  ASSERT_FALSE(old);
  EXPECT_EQ(old.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(old.error().path, "tools");
}

}  // namespace
}  // namespace weir
