#include "codec/sse_form.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

std::string chunk(std::string_view text, std::string_view finish = "null") {
  return fmt::format(
      "data: {{\"id\":\"x\",\"choices\":[{{\"delta\":{{\"content\":\"{}\"}},\"finish\":{}}}]}}\n\n", text,
      finish);
}

SseForm learned(std::string_view event) {
  SseForm form;
  form.learn(event);
  return form;
}

TEST(SseForm, KnowsEventsThatDifferInTheirTextAlone) {
  SseForm form = learned(chunk("hello"));
  for (const char* text :
       {"", "a", "a longer text than the one before", R"(\"quoted\" \\)", "\xf0\x9f\x8c\x8a", R"(\u00e9)"})
    EXPECT_EQ(form.match(chunk(text)), chunk(text).size()) << text;
  const std::string many = chunk("a") + chunk("b") + chunk("c");
  EXPECT_EQ(form.match(many + "data: [DONE]\n\n"), many.size());
}

TEST(SseForm, DoesNotKnowWhatDiffersElsewhere) {
  SseForm form = learned(chunk("hello"));
  for (const std::string& other : {chunk("a", R"("stop")"), chunk("a").substr(1),
                                   chunk("a").substr(0, chunk("a").size() - 1), chunk("a\\"), chunk("a\nb"),
                                   std::string("data: [DONE]\n\n"), std::string(": ping\n\n"), std::string()})
    EXPECT_EQ(form.match(other), 0U) << other;
}

TEST(SseForm, TakesNoOtherStringForText) {
  SseForm form = learned("data: {\"finish_reason\":\"\",\"text\":\"a\"}\n\n");
  EXPECT_GT(form.match("data: {\"finish_reason\":\"\",\"text\":\"b\"}\n\n"), 0U);
  EXPECT_EQ(form.match("data: {\"finish_reason\":\"stop\",\"text\":\"b\"}\n\n"), 0U);
}

TEST(SseForm, HasRoomForSeveralTexts) {
  SseForm form = learned("event: d\ndata: {\"delta\":{\"text\":\"a\"},\"obfuscation\":\"xyz\"}\n\n");
  const std::string_view other = "event: d\ndata: {\"delta\":{\"text\":\"bcd\"},\"obfuscation\":\"\"}\n\n";
  EXPECT_EQ(form.match(other), other.size());
}

TEST(SseForm, KnowsNothingBeforeItLearnsAndAfterItForgets) {
  SseForm form;
  EXPECT_EQ(form.match(chunk("a")), 0U);
  form.learn(chunk("a"));
  form.forget();
  EXPECT_EQ(form.match(chunk("a")), 0U);
}

TEST(SseForm, LearnsNothingFromALongEvent) {
  SseForm form = learned(chunk(std::string(5000, 'x')));
  EXPECT_EQ(form.match(chunk("a")), 0U);
}

TEST(SseForm, GivesUpFormsThatNeverComeAgain) {
  SseForm form;
  const auto numbered = [](int i) { return fmt::format("data: {{\"n\":{},\"text\":\"a\"}}\n\n", i); };
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(form.match(numbered(i)), 0U);
    form.learn(numbered(i));
  }
  EXPECT_EQ(form.match(numbered(19)), 0U);
}

TEST(SseForm, KeepsLearningWhileItsFormsAreMet) {
  SseForm form;
  const auto event = [](int i, std::string_view text) {
    return fmt::format("data: {{\"n\":{},\"text\":\"{}\"}}\n\n", i, text);
  };
  for (int i = 0; i < 20; ++i) {
    form.learn(event(i, "a"));
    EXPECT_EQ(form.match(event(i, "other")), event(i, "other").size()) << i;
  }
}

TEST(SseForm, LearnsNothingFromAnEventWithoutText) {
  for (const std::string_view event : {"data: [DONE]\n\n", "data: {\"id\":\"a\"}\n\n"}) {
    SseForm form = learned(event);
    EXPECT_EQ(form.match(event), 0U) << event;
  }
}

TEST(SseForm, TakesEachMemberOfAnAnswersTextForText) {
  for (const std::string_view key : {"content", "text", "reasoning_content", "reasoning", "thinking",
                                     "refusal", "arguments", "partial_json", "obfuscation"}) {
    const auto event = [&](std::string_view value) {
      return fmt::format("data: {{\"type\":\"delta\",\"{}\":\"{}\"}}\n\n", key, value);
    };
    SseForm form = learned(event("a"));
    EXPECT_EQ(form.match(event("quite another")), event("quite another").size()) << key;
  }
  for (const std::string_view key : {"name", "id", "finish_reason", "message", "signature", "type"}) {
    const auto event = [&](std::string_view value) {
      return fmt::format("data: {{\"text\":\"x\",\"{}\":\"{}\"}}\n\n", key, value);
    };
    SseForm form = learned(event("a"));
    EXPECT_EQ(form.match(event("a")), event("a").size()) << key;
    EXPECT_EQ(form.match(event("b")), 0U) << key;
  }
}

TEST(SseForm, LearnsAnotherFormInPlaceOfTheFirst) {
  SseForm form = learned("data: {\"text\":\"a\"}\n\n");
  form.learn("data: {\"index\":1,\"content\":\"a\"}\n\n");
  const std::string_view other = "data: {\"index\":1,\"content\":\"bc\"}\n\n";
  EXPECT_EQ(form.match(other), other.size());
  EXPECT_EQ(form.match("data: {\"text\":\"b\"}\n\n"), 0U);
}

TEST(SseForm, LearnsNothingFromAnEventWhoseStringDoesNotEnd) {
  SseForm form = learned("data: {\"text\":\"a\",\"id\":\"b}\n\n");
  EXPECT_EQ(form.match("data: {\"text\":\"a\",\"id\":\"b}\n\n"), 0U);
}

}  // namespace
}  // namespace weir
