#include "codec/error_text.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

ErrorKind kind(int status, std::string_view message, std::string_view code = "", std::string_view type = "") {
  return classify_provider_error({.status = status, .type = type, .code = code, .message = message}).kind;
}

TEST(ErrorText, KnowsTheVendorsWordsForATooLongPrompt) {
  for (const std::string_view message :
       {"This model's maximum context length is 8192 tokens",
        "prompt is too long: 200001 tokens > 200000 maximum", "Input is too long for requested model.",
        "The input token count (9) exceeds the maximum",
        "Please reduce the length of the messages or completion."}) {
    EXPECT_EQ(kind(400, message), ErrorKind::context_too_long) << message;
  }
  EXPECT_EQ(kind(400, "no", "context_length_exceeded"), ErrorKind::context_too_long);
  EXPECT_EQ(kind(429, "too many tokens per minute"), ErrorKind::upstream_rate_limited);
}

TEST(ErrorText, TellsQuotaPolicyAndModelsApart) {
  EXPECT_EQ(kind(429, "You exceeded your current quota"), ErrorKind::upstream_quota);
  EXPECT_EQ(kind(400, "Your credit balance is too low to access the API"), ErrorKind::upstream_quota);
  EXPECT_EQ(kind(402, "Insufficient Balance"), ErrorKind::upstream_quota);
  EXPECT_EQ(kind(400, "triggering Azure's content management policy"), ErrorKind::content_policy);
  EXPECT_EQ(kind(404, "The model `x` does not exist"), ErrorKind::model_not_found);
  EXPECT_EQ(kind(400, "x", "model_not_found"), ErrorKind::model_not_found);
}

TEST(ErrorText, GoesByTheStatusElse) {
  EXPECT_EQ(kind(400, "x"), ErrorKind::bad_request);
  EXPECT_EQ(kind(422, "x"), ErrorKind::bad_request);
  EXPECT_EQ(kind(401, "x"), ErrorKind::upstream_auth);
  EXPECT_EQ(kind(413, "x"), ErrorKind::body_too_large);
  EXPECT_EQ(kind(408, "x"), ErrorKind::upstream_timeout);
  EXPECT_EQ(kind(429, "x"), ErrorKind::upstream_rate_limited);
  EXPECT_EQ(kind(500, "x"), ErrorKind::upstream_error);
  EXPECT_EQ(kind(503, "x"), ErrorKind::upstream_overloaded);
  EXPECT_EQ(kind(529, "x"), ErrorKind::upstream_overloaded);
  EXPECT_EQ(kind(0, "x", "", "overloaded_error"), ErrorKind::upstream_overloaded);
  EXPECT_EQ(kind(0, "x", "", "rate_limit_error"), ErrorKind::upstream_rate_limited);
  EXPECT_EQ(kind(0, "x"), ErrorKind::upstream_error);
}

TEST(ErrorText, KeepsTheOperatorsTroubleFromTheCaller) {
  const Error error = classify_provider_error(
      {.status = 401, .type = "", .code = "", .message = "Incorrect API key provided: sk-abcdefgh1234."});
  EXPECT_EQ(error.message.find("sk-"), std::string::npos);
  EXPECT_EQ(error.detail.find("abcdefgh"), std::string::npos);
  EXPECT_NE(error.detail.find("Incorrect API key"), std::string::npos);
}

TEST(ErrorText, HidesKeysAndLeavesWordsAlone) {
  EXPECT_EQ(hide_keys("key sk-proj-ABCDEFGH12345, retry"), "key sk-…, retry");
  EXPECT_EQ(hide_keys("Authorization: Bearer abc.def-ghi"), "Authorization: Bearer …");
  EXPECT_EQ(hide_keys("a task-based risk-free disk-error sk-1"), "a task-based risk-free disk-error sk-1");
}

TEST(ErrorText, DescribesBodiesThatAreNotTheDialects) {
  // The wrong address, not the wrong model.
  const Error page = error_of_foreign_body(404, "<!DOCTYPE html>\n<html>lost</html>");
  EXPECT_EQ(page.kind, ErrorKind::upstream_error);
  EXPECT_EQ(error_of_foreign_body(400, "<html>proxy</html>").kind, ErrorKind::upstream_error);
  EXPECT_EQ(error_of_foreign_body(502, "").message, "the provider answered 502 with no body");
  const Error noisy = error_of_foreign_body(500, std::string("bad\x01\xff\n", 6) + std::string(1000, 'x'));
  EXPECT_LT(noisy.message.size(), 300U);
  for (const char c : noisy.message) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
}

}  // namespace
}  // namespace weir
