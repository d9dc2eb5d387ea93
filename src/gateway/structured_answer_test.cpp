// Answers that must be JSON, of targets that are only told so in words.
#include "gateway/structured_answer.h"

#include <gtest/gtest.h>

#include "gateway/test_adapt.h"

namespace weir {
namespace {

class StructuredAnswerTest : public AdaptStageTest {
 protected:
  ResponseFormat number_format() {
    return {.kind = FormatKind::json_schema,
            .schema = {R"({"type":"object","properties":{"n":{"type":"number"}},"required":["n"]})"}};
  }
};

TEST_F(StructuredAnswerTest, AnAnswerIsCheckedAndGivenWithoutItsFence) {
  gateway_.capabilities.json_schema = JsonSchemaSupport::none;
  call_.answers.push_back(answer("```json\n{\"n\": 1}\n```"));
  Chat asks = chat({message(Role::user, {TextBlock{"q"}})});
  asks.format = number_format();
  const auto exchange = gateway_.exchange(asks);
  const auto events = gateway_.events(*exchange);
  ASSERT_TRUE(events);
  EXPECT_EQ(fold(*events).choices[0].blocks[0].text, "{\"n\": 1}");
  EXPECT_EQ(call_.chat(0).format.kind, FormatKind::text);
  const auto& told = std::get<TextBlock>(call_.chat(0).messages[0].content[0].body);
  EXPECT_NE(told.text.find(asks.format.schema.text), std::string_view::npos);
  EXPECT_EQ(call_.chat(0).messages[1].role, Role::user);
}

TEST_F(StructuredAnswerTest, AnAnswerThatBreaksTheSchemaGetsOneMoreChance) {
  gateway_.capabilities.json_schema = JsonSchemaSupport::none;
  call_.answers.push_back(answer("{\"n\":\"one\"}"));
  call_.answers.push_back(answer("{\"n\":1}"));
  Chat asks = chat({message(Role::user, {TextBlock{"q"}})});
  asks.format = number_format();
  const auto exchange = gateway_.exchange(asks);
  const auto events = gateway_.events(*exchange);
  ASSERT_TRUE(events);
  EXPECT_EQ(fold(*events).choices[0].blocks[0].text, "{\"n\":1}");
  EXPECT_EQ(fold(*events).usage.in_uncached, 20);
  const auto& retry = call_.chat(1).messages;
  EXPECT_EQ(std::get<TextBlock>(retry[retry.size() - 2].content[0].body).text, "{\"n\":\"one\"}");
  EXPECT_NE(std::get<TextBlock>(retry.back().content[0].body).text.find("at /n: must be of type"),
            std::string_view::npos);
}

TEST_F(StructuredAnswerTest, ASecondFailureIsGivenAsItIsAndRecordedOrRefusedInStrictMode) {
  gateway_.capabilities.json_schema = JsonSchemaSupport::none;
  for (int i = 0; i < 4; ++i) call_.answers.push_back(answer("no json"));
  Chat asks = chat({message(Role::user, {TextBlock{"q"}})});
  asks.format = number_format();
  const auto exchange = gateway_.exchange(asks);
  const auto events = gateway_.events(*exchange);
  ASSERT_TRUE(events);
  EXPECT_EQ(fold(*events).choices[0].blocks[0].text, "no json");
  EXPECT_TRUE(exchange->fidelity.has_warnings());
  EXPECT_EQ(call_.requests.size(), 2U);
  const auto strict = gateway_.exchange(asks);
  strict->is_strict = true;
  EXPECT_EQ(gateway_.events(*strict).error().kind, ErrorKind::unsupported);
}

TEST_F(StructuredAnswerTest, AnAnswerThatCallsToolsIsNotChecked) {
  gateway_.capabilities.json_schema = JsonSchemaSupport::none;
  call_.answers.push_back(thinking_answer("call_1"));
  Chat asks = chat({message(Role::user, {TextBlock{"q"}})});
  asks.format = number_format();
  const auto exchange = gateway_.exchange(asks);
  ASSERT_TRUE(gateway_.events(*exchange));
  EXPECT_EQ(call_.requests.size(), 1U);
}

TEST_F(StructuredAnswerTest, AnAnswerThatWasCutOrRefusedIsNotAskedForAgain) {
  gateway_.capabilities.json_schema = JsonSchemaSupport::none;
  Chat asks = chat({message(Role::user, {TextBlock{"q"}})});
  asks.format = number_format();
  for (const StopReason reason : {StopReason::length, StopReason::context_full, StopReason::refusal,
                                  StopReason::filter, StopReason::guardrail}) {
    call_.requests.clear();
    call_.answers.assign({std::vector<Event>{Start{}, BlockStart{}, Delta{.text = "{\"n\":"}, BlockEnd{},
                                             Finish{.reason = reason}, End{}},
                          answer("{\"n\":1}")});
    const auto exchange = gateway_.exchange(asks);
    const auto events = gateway_.events(*exchange);
    ASSERT_TRUE(events);
    EXPECT_EQ(call_.requests.size(), 1U) << to_string(reason);
    EXPECT_EQ(fold(*events).choices[0].blocks[0].text, "{\"n\":");
    EXPECT_TRUE(exchange->fidelity.has_warnings()) << "it is no answer of that form";
  }
}

TEST_F(StructuredAnswerTest, WhatTheFirstTryCostIsInTheUsageOfASecondThatCallsTools) {
  gateway_.capabilities.json_schema = JsonSchemaSupport::none;
  Usage first;
  first.in_uncached = 1000;
  Usage second;
  second.in_uncached = 7;
  call_.answers.push_back(std::vector<Event>{Start{}, BlockStart{}, Delta{.text = "no json"}, BlockEnd{},
                                             Finish{}, UsageReport{first}, End{}});
  call_.answers.push_back(thinking_answer("call_1"));
  call_.answers.back()->insert(call_.answers.back()->end() - 1, UsageReport{second});
  Chat asks = chat({message(Role::user, {TextBlock{"q"}})});
  asks.format = number_format();
  const auto exchange = gateway_.exchange(asks);
  const auto events = gateway_.events(*exchange);
  ASSERT_TRUE(events);
  EXPECT_EQ(fold(*events).usage.in_uncached, 1007);
}

TEST_F(StructuredAnswerTest, AJsonObjectIsCheckedWhereItIsAskedForByWords) {
  gateway_.capabilities.json_object = false;
  call_.answers.push_back(answer("Sure! [1]"));
  call_.answers.push_back(answer("```json\n{\"b\":1}\n```"));
  Chat asks = chat({message(Role::user, {TextBlock{"q"}})});
  asks.format.kind = FormatKind::json_object;
  const auto exchange = gateway_.exchange(asks);
  const auto events = gateway_.events(*exchange);
  ASSERT_TRUE(events);
  EXPECT_EQ(fold(*events).choices[0].blocks[0].text, "{\"b\":1}");
  ASSERT_EQ(call_.requests.size(), 2U);
  EXPECT_EQ(call_.chat(0).format.kind, FormatKind::text);
  const auto& told = std::get<TextBlock>(call_.chat(0).messages[0].content[0].body);
  EXPECT_NE(told.text.find("one JSON object"), std::string_view::npos);
  // An array is valid JSON, but no object.
  call_.answers.assign({answer("[1]"), answer("[1]")});
  const auto array = gateway_.exchange(asks);
  ASSERT_TRUE(gateway_.events(*array));
  EXPECT_NE(array->fidelity.header_value().find("it_is_not_a_JSON_object"), std::string::npos)
      << array->fidelity.header_value();
  gateway_.capabilities.json_object = true;
  call_.answers.push_back(answer("[1]"));
  const auto native = gateway_.exchange(asks);
  ASSERT_TRUE(gateway_.events(*native));
  EXPECT_EQ(native->adapted, nullptr);
}

TEST_F(StructuredAnswerTest, AJsonObjectOfAModelThatNobodyDescribedIsChecked) {
  Chat asks = chat({message(Role::user, {TextBlock{"q"}})});
  asks.format.kind = FormatKind::json_object;
  call_.answers.push_back(answer("Sure! Here it is"));
  call_.answers.push_back(answer("{}"));
  const auto exchange = gateway_.exchange(asks);
  const auto events = gateway_.events(*exchange);
  ASSERT_TRUE(events);
  EXPECT_EQ(fold(*events).choices[0].blocks[0].text, "{}");
  // A server of OpenAI's dialect has a field for it.
  gateway_.provider->kind.dialect = Dialect::openai_chat;
  call_.answers.push_back(answer("Sure!"));
  const auto passed = gateway_.exchange(asks);
  ASSERT_TRUE(gateway_.events(*passed));
  EXPECT_EQ(call_.requests.size(), 3U);
}

TEST_F(StructuredAnswerTest, ASchemaIsCheckedWhereThinkingForbidsTheForcedTool) {
  gateway_.capabilities.json_schema = JsonSchemaSupport::tool;
  gateway_.capabilities.thinking = ThinkingMode::budget;
  Chat asks = chat({message(Role::user, {TextBlock{"q"}})});
  asks.format = number_format();
  call_.answers.push_back(answer("{\"n\":1}"));
  const auto forced = gateway_.exchange(asks);
  ASSERT_TRUE(gateway_.events(*forced));
  EXPECT_EQ(forced->adapted, nullptr) << "the forced tool's arguments stream";
  asks.reasoning.budget_tokens = 2048;
  call_.answers.push_back(answer("```json\n{\"n\": 1}\n```"));
  const auto exchange = gateway_.exchange(asks);
  const auto events = gateway_.events(*exchange);
  ASSERT_TRUE(events);
  EXPECT_EQ(fold(*events).choices[0].blocks[0].text, "{\"n\": 1}");
  EXPECT_EQ(call_.requests.size(), 2U);
}

}  // namespace
}  // namespace weir
