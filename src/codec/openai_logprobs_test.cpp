#include "codec/openai_logprobs.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

std::string with(std::string_view entries) {
  const auto doc = JsonDoc::parse(std::string(entries));
  return doc ? logprobs_with_bytes(doc->root()) : "no JSON";
}

std::string without(std::string_view entries) {
  const auto doc = JsonDoc::parse(std::string(entries));
  return doc ? logprobs_without_bytes(doc->root()) : "no JSON";
}

TEST(OpenaiLogprobs, GivesATokenTheBytesOfItsText) {
  EXPECT_EQ(with(R"([{"token":"é","logprob":-0.5,"top_logprobs":[{"token":"a","logprob":-2}]}])"),
            R"([{"token":"é","logprob":-0.5,"bytes":[195,169],)"
            R"("top_logprobs":[{"token":"a","logprob":-2,"bytes":[97]}]}])");
}

// A token may be a part of a character, whose text is a replacement.
TEST(OpenaiLogprobs, KeepsTheBytesThatAreGiven) {
  const std::string_view entries = R"([{"token":"?","logprob":-1.25,"bytes":[195],"top_logprobs":[]},)"
                                   R"({"token":"x","logprob":0,"bytes":null,"top_logprobs":[]}])";
  EXPECT_EQ(with(entries), entries);
}

TEST(OpenaiLogprobs, LeavesTheBytesOutWhereTheyMayNotBe) {
  EXPECT_EQ(without(R"([{"token":"a","logprob":-1,"bytes":[97],)"
                    R"("top_logprobs":[{"token":"b","logprob":-2,"bytes":[98]}]}])"),
            R"([{"token":"a","logprob":-1,"top_logprobs":[{"token":"b","logprob":-2}]}])");
}

TEST(OpenaiLogprobs, PassesOverWhatIsNoToken) {
  EXPECT_EQ(with(R"([7,{"logprob":1}])"), "[]");
  EXPECT_EQ(with(R"({"a":1})"), "[]");
}

}  // namespace
}  // namespace weir
