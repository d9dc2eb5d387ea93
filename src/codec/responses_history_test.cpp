#include "codec/responses_history.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

JsonDoc parse(std::string_view text) {
  return JsonDoc::parse(std::string(text)).value();
}

constexpr std::string_view kResponse =
    R"({"id":"resp_1","output":[{"type":"message","id":"msg_1","role":"assistant","content":[]}]})";

TEST(ResponsesHistory, AContinuedRequestHasAllItemsAndItsOwnSettings) {
  const JsonDoc first = parse(R"({"model":"m","instructions":"be brief","input":"hello","temperature":1.0})");
  const JsonDoc kept = parse(keep_responses_conversation(first.root(), kResponse, "openai", false));
  const JsonDoc second = parse(
      R"({"model":"m","previous_response_id":"resp_1","input":[{"type":"function_call_output","call_id":"c","output":"1e400"}]})");
  EXPECT_EQ(*continued_responses_body(kept.root(), second.root()),
            R"({"model":"m","input":[{"type":"message","role":"user","content":"hello"},)"
            R"({"type":"message","id":"msg_1","role":"assistant","content":[]},)"
            R"({"type":"function_call_output","call_id":"c","output":"1e400"}]})");
}

TEST(ResponsesHistory, ConversationsGrowWithoutTheirEarlierAnswers) {
  const JsonDoc first = parse(R"({"input":"one"})");
  const JsonDoc kept = parse(keep_responses_conversation(first.root(), kResponse, "p", false));
  const JsonDoc whole = parse(*continued_responses_body(kept.root(), parse(R"({"input":"two"})").root()));
  const JsonDoc later =
      parse(keep_responses_conversation(whole.root(), R"({"id":"resp_2","output":[]})", "p", true));
  EXPECT_EQ(later.root()["input"].size(), 3U);
  EXPECT_TRUE(later.root()["is_raw"].bool_or(false));
}

TEST(ResponsesHistory, RefusesAnInputOfAnotherType) {
  const JsonDoc kept = parse(R"({"input":[],"response":{}})");
  const auto body = continued_responses_body(kept.root(), parse(R"({"input":5})").root());
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().path, "input");
}

TEST(ResponsesHistory, FindsTheWholeResponseInAStream) {
  const std::string stream =
      "event: response.created\ndata: "
      "{\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"output\":[]}}\n\n"
      "event: response.completed\ndata: "
      "{\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\",\"a\":1}}\n\n";
  EXPECT_EQ(response_of_stream(stream), R"({"id":"resp_1","a":1})");
  EXPECT_EQ(response_of_stream(stream.substr(0, stream.find("event: response.completed"))), "");
  EXPECT_EQ(response_of_stream(stream.substr(0, stream.size() - 1)), R"({"id":"resp_1","a":1})")
      << "the stream was cut behind the event's data";
}

TEST(ResponsesHistory, ListsItemsInTheirFullFormWithIdsAndPages) {
  const JsonDoc kept = parse(
      R"({"input":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"type":"function_call","id":"fc_1"}],)"
      R"("response":{"id":"resp_1"}})");
  const JsonDoc list = parse(responses_input_list(kept.root(), {.limit = 2, .is_ascending = true}));
  EXPECT_EQ(
      list.root()["data"].at(0).raw(),
      R"({"id":"item_resp_1_0","type":"message","role":"user","content":[{"type":"input_text","text":"a"}],)"
      R"("status":"completed"})");
  EXPECT_EQ(list.root()["data"].at(1)["content"].raw(),
            R"([{"type":"output_text","text":"b","annotations":[]}])");
  EXPECT_TRUE(list.root()["has_more"].bool_or(false));
  const std::string last(list.root()["last_id"].string_or(""));
  const JsonDoc rest =
      parse(responses_input_list(kept.root(), {.limit = 2, .is_ascending = true, .after = last}));
  EXPECT_EQ(rest.root()["data"].raw(), R"([{"id":"fc_1","type":"function_call"}])");
  EXPECT_FALSE(rest.root()["has_more"].bool_or(true));
  const JsonDoc none = parse(
      responses_input_list(kept.root(), {.limit = 2, .is_ascending = true, .after = std::string("fc_1")}));
  EXPECT_EQ(none.root()["data"].size(), 0U);
  EXPECT_TRUE(none.root()["first_id"].is_null());
  EXPECT_TRUE(none.root()["last_id"].is_null());
  const JsonDoc newest = parse(responses_input_list(kept.root(), {.limit = 1}));
  EXPECT_EQ(newest.root()["first_id"].string_or(""), "fc_1");
}

}  // namespace
}  // namespace weir
