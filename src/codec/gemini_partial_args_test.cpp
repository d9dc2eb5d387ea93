#include "codec/gemini_partial_args.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/gemini_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

std::string event_of(std::string_view part, std::string_view rest = {}) {
  return fmt::format("data: {{\"candidates\":[{{\"content\":{{\"parts\":[{}]}}{}}}]}}\r\n\r\n", part, rest);
}

test::Decoded stream(std::string_view body) {
  const auto decoder = gemini_provider().stream_decoder({});
  return test::decode_whole(*decoder, body);
}

TEST(GeminiPartialArgs, AreBounded) {
  const auto pieces = [](const std::string& list) {
    return event_of(R"({"functionCall":{"name":"f","partialArgs":[)" + list + R"(],"willContinue":true}})");
  };
  // Arrays of arrays whose elements are far apart: each path would make thousands of them.
  std::string path = "$.a";
  for (int i = 0; i < 60; ++i) path += "[64]";
  const test::Decoded gap = stream(
      pieces(R"({"jsonPath":")" + path + R"(","boolValue":true},{"jsonPath":"$.b[0]","boolValue":true})") +
      event_of(R"({"functionCall":{}})", R"(,"finishReason":"STOP")"));
  ASSERT_EQ(gap.error, "");
  EXPECT_EQ(test::fold(gap.events).choices.at(0).blocks.at(0).text, R"({"a":[],"b":[true]})");

  std::string many;
  for (size_t i = 0; i <= kPartialArgsNodesMax; ++i)
    many += fmt::format(R"({}{{"jsonPath":"$.a[{}]","boolValue":true}})", i == 0 ? "" : ",", i);
  EXPECT_EQ(stream(pieces(many)).error.substr(0, 18), "upstream_malformed");

  const std::string half(kPartialArgsBytesMax / 2, 'x');
  const std::string text = R"({"jsonPath":"$.a","stringValue":")" + half + R"(","willContinue":true})";
  const std::string first = pieces(text);
  const std::string rest =
      event_of(R"({"functionCall":{"partialArgs":[)" + text + R"(],"willContinue":true}})");
  EXPECT_EQ(stream(first + rest).error.substr(0, 18), "upstream_malformed");
}

}  // namespace
}  // namespace weir
