#include "codec/error_text.h"

#include <array>
#include <gtest/gtest.h>
#include <utility>

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
  EXPECT_EQ(kind(400, "The model `x` does not exist"), ErrorKind::model_not_found);
  EXPECT_EQ(kind(400, "The vector store vs_1 does not exist"), ErrorKind::bad_request);
}

// One caller's wish for what the account may not have must not cost the others the key.
TEST(ErrorText, TellsABadKeyFromARightThatIsMissing) {
  EXPECT_EQ(kind(403, "Project `proj_1` does not have access to model `gpt-9`", "model_not_found"),
            ErrorKind::model_not_found);
  EXPECT_EQ(kind(403, "Country, region, or territory not supported", "unsupported_country_region_territory"),
            ErrorKind::forbidden);
  EXPECT_EQ(kind(403, "You do not have permission to access the File x", "", "PERMISSION_DENIED"),
            ErrorKind::forbidden);
  EXPECT_EQ(kind(403, "Your API key does not have permission to use the specified resource.", "",
                 "permission_error"),
            ErrorKind::forbidden);
  EXPECT_EQ(kind(403, "User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:InvokeModel"),
            ErrorKind::forbidden);
  EXPECT_EQ(kind(401, "You have insufficient permissions for this operation. Missing scopes: model.request"),
            ErrorKind::forbidden);
  EXPECT_EQ(kind(403, "Your API key was reported as leaked.", "", "PERMISSION_DENIED"),
            ErrorKind::upstream_auth);
  EXPECT_EQ(kind(403, "Could not validate credentials"), ErrorKind::upstream_auth);
  EXPECT_EQ(kind(403, "x", "", "ExpiredTokenException"), ErrorKind::upstream_auth);
  EXPECT_EQ(error_of_foreign_body(403, "<html>Attention Required</html>").kind, ErrorKind::upstream_error);
  EXPECT_EQ(error_of_foreign_body(403, "invalid API key").kind, ErrorKind::upstream_auth);
  EXPECT_EQ(error_of_foreign_body(403, "error code: 1020").kind, ErrorKind::forbidden);
}

TEST(ErrorText, KeepsTheWordsForARefusedKeyFromTheCaller) {
  const Error error = error_of_foreign_body(403, "invalid API key of acme");
  EXPECT_EQ(error.message.find("acme"), std::string::npos) << error.message;
  EXPECT_NE(error.message.find("credentials"), std::string::npos) << error.message;
  EXPECT_EQ(error.detail, "invalid API key of acme");
}

TEST(ErrorText, KnowsEachWordForARightThatIsMissing) {
  for (const std::string_view message :
       {"This key may not have permission for that.", "Your organization must not have access to it.",
        "You don't have access to the model with the specified model ID.", "insufficient permissions",
        "Missing scopes: model.request", "You are not authorized to do this.",
        "unsupported_country_region_territory", "access_terminated: your account was closed"}) {
    EXPECT_EQ(kind(401, message), ErrorKind::forbidden) << message;
  }
}

TEST(ErrorText, KnowsEachWordForABadKey) {
  for (const std::string_view message :
       {"no such API key", "invalid_api_key", "wrong apikey", "Authentication failed",
        "Unable to find credentials", "The security token included in the request is invalid.",
        "ExpiredTokenException", "InvalidSignatureException", "UnrecognizedClientException"}) {
    EXPECT_EQ(kind(403, message), ErrorKind::upstream_auth) << message;
  }
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

// An answer with status 200 may end in an error: what it means must not cost the breaker a failure.
TEST(ErrorText, GoesByCodeTypeAndWordsWhereThereIsNoStatus) {
  for (const int status : {0, 200}) {
    EXPECT_EQ(kind(status, "Adjust your input", "context_length_exceeded"), ErrorKind::context_too_long);
    EXPECT_EQ(kind(status, "Adjust your input", "context_length_exceeded", "server_error"),
              ErrorKind::context_too_long);
    EXPECT_EQ(kind(status, "This model's maximum context length is 8192 tokens"),
              ErrorKind::context_too_long);
    EXPECT_EQ(kind(status, "x", "content_filter"), ErrorKind::content_policy);
    EXPECT_EQ(kind(status, "stopped by our safety system"), ErrorKind::content_policy);
    EXPECT_EQ(kind(status, "You exceeded your current quota", "rate_limit_exceeded"),
              ErrorKind::upstream_quota);
    EXPECT_EQ(kind(status, "x", "rate_limit_exceeded", "tokens"), ErrorKind::upstream_rate_limited);
    EXPECT_EQ(kind(status, "x", "rate_limit_exceeded", "invalid_request_error"),
              ErrorKind::upstream_rate_limited);
    EXPECT_EQ(kind(status, "Rate limit reached for gpt-5"), ErrorKind::upstream_rate_limited);
    EXPECT_EQ(kind(status, "ThrottledError: too many requests"), ErrorKind::upstream_rate_limited);
    EXPECT_EQ(kind(status, "RateLimitError"), ErrorKind::upstream_rate_limited);
    EXPECT_EQ(kind(status, "too many tokens per minute"), ErrorKind::upstream_rate_limited);
    EXPECT_EQ(kind(status, "try later", "server_is_overloaded"), ErrorKind::upstream_overloaded);
    EXPECT_EQ(kind(status, "That model is currently overloaded", "", "server_error"),
              ErrorKind::upstream_overloaded);
    EXPECT_EQ(kind(status, "the service is over capacity"), ErrorKind::upstream_overloaded);
    EXPECT_EQ(kind(status, "the service is at capacity"), ErrorKind::upstream_overloaded);
    EXPECT_EQ(kind(status, "oops", "server_error"), ErrorKind::upstream_error);
  }
  // A status that blames the provider is believed, whatever the words.
  EXPECT_EQ(kind(500, "context_length_exceeded"), ErrorKind::upstream_error);
}

struct CodeCase {
  std::string_view word;
  ErrorKind kind;
};

TEST(ErrorText, KnowsEachCodeAndTypeThatStandsForAStatus) {
  constexpr std::array<CodeCase, 16> kCases = {{
      {"context_length_exceeded", ErrorKind::context_too_long},
      {"content_filter", ErrorKind::content_policy},
      {"invalid_prompt", ErrorKind::bad_request},
      {"invalid_request_error", ErrorKind::bad_request},
      {"authentication_error", ErrorKind::upstream_auth},
      {"invalid_api_key", ErrorKind::upstream_auth},
      {"billing_error", ErrorKind::upstream_quota},
      {"permission_error", ErrorKind::forbidden},
      {"not_found_error", ErrorKind::model_not_found},
      {"model_not_found", ErrorKind::model_not_found},
      {"request_too_large", ErrorKind::body_too_large},
      {"rate_limit_error", ErrorKind::upstream_rate_limited},
      {"rate_limit_exceeded", ErrorKind::upstream_rate_limited},
      {"server_is_overloaded", ErrorKind::upstream_overloaded},
      {"overloaded_error", ErrorKind::upstream_overloaded},
      {"timeout_error", ErrorKind::upstream_timeout},
  }};
  for (const CodeCase& one : kCases) {
    EXPECT_EQ(kind(0, "x", one.word), one.kind) << one.word;
    EXPECT_EQ(kind(0, "x", "", one.word), one.kind) << one.word;
  }
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
  EXPECT_EQ(hide_keys("a task-scheduling-error"), "a task-scheduling-error");
  EXPECT_EQ(hide_keys("of organization org-Abc123def456 on tokens"), "of organization org-… on tokens");
}

TEST(ErrorText, DescribesBodiesThatAreNotTheDialects) {
  // The wrong address, not the wrong model.
  const Error page = error_of_foreign_body(404, "<!DOCTYPE html>\n<html>lost</html>");
  EXPECT_EQ(page.kind, ErrorKind::upstream_error);
  EXPECT_EQ(error_of_foreign_body(400, "<html>proxy</html>").kind, ErrorKind::upstream_error);
  for (const int status : {400, 403, 404, 422})
    EXPECT_EQ(error_of_foreign_body(status, "").kind, ErrorKind::upstream_error) << status;
  EXPECT_EQ(error_of_foreign_body(401, "").kind, ErrorKind::upstream_auth);
  EXPECT_EQ(error_of_foreign_body(400, "messages: too few").kind, ErrorKind::bad_request);
  EXPECT_EQ(error_of_foreign_body(502, "").message, "the provider answered 502 with no body");
  const Error noisy = error_of_foreign_body(500, std::string("bad\x01\xff\n", 6) + std::string(1000, 'x'));
  EXPECT_LT(noisy.message.size(), 300U);
  for (const char c : noisy.message) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
}

struct WordsCase {
  std::string_view said;
  ErrorKind kind;
};

// Each sentence has one of the words by which the table knows it, and no other.
TEST(ErrorText, KnowsEveryWordOfItsTables) {
  constexpr std::array<WordsCase, 25> kCases = {{
      {"context_length_exceeded", ErrorKind::context_too_long},
      {"the maximum context length is 8192", ErrorKind::context_too_long},
      {"Prompt is too long: 9 tokens", ErrorKind::context_too_long},
      {"Input is too long for the model", ErrorKind::context_too_long},
      {"The input token count (9) is larger", ErrorKind::context_too_long},
      {"it does not fit the context window", ErrorKind::context_too_long},
      {"too many tokens were sent", ErrorKind::context_too_long},
      {"it exceeds the maximum number of tokens", ErrorKind::context_too_long},
      {"over the context length", ErrorKind::context_too_long},
      {"please reduce the length of the messages", ErrorKind::context_too_long},
      {"content_filter", ErrorKind::content_policy},
      {"content_policy", ErrorKind::content_policy},
      {"content_policy_violation", ErrorKind::content_policy},
      {"against the content management policy", ErrorKind::content_policy},
      {"stopped by our safety system", ErrorKind::content_policy},
      {"Responsible AI says no", ErrorKind::content_policy},
      {"it was flagged as potentially harmful", ErrorKind::content_policy},
      {"insufficient_quota", ErrorKind::upstream_quota},
      {"you exceeded your current quota", ErrorKind::upstream_quota},
      {"your credit balance is too low", ErrorKind::upstream_quota},
      {"billing_hard_limit_reached", ErrorKind::upstream_quota},
      {"Insufficient balance", ErrorKind::upstream_quota},
      {"model_not_found", ErrorKind::model_not_found},
      {"Model not found: x", ErrorKind::model_not_found},
      {"unknown model x", ErrorKind::model_not_found},
  }};
  for (const auto& [said, expected] : kCases) {
    EXPECT_EQ(kind(400, said), expected) << said;
    EXPECT_EQ(kind(400, "no", said), expected) << said;
    EXPECT_EQ(kind(400, "no", "", said), expected) << said;
  }
}

TEST(ErrorText, KnowsTheTypeOfEveryErrorInsideAStream) {
  constexpr std::array<WordsCase, 11> kCases = {{
      {"invalid_request_error", ErrorKind::bad_request},
      {"authentication_error", ErrorKind::upstream_auth},
      {"permission_error", ErrorKind::forbidden},
      {"not_found_error", ErrorKind::model_not_found},
      {"request_too_large", ErrorKind::body_too_large},
      {"rate_limit_error", ErrorKind::upstream_rate_limited},
      {"overloaded_error", ErrorKind::upstream_overloaded},
      {"timeout_error", ErrorKind::upstream_timeout},
      {"billing_error", ErrorKind::upstream_quota},
      {"api_error", ErrorKind::upstream_error},
      {"", ErrorKind::upstream_error},
  }};
  for (const auto& [type, expected] : kCases) EXPECT_EQ(kind(0, "x", "", type), expected) << type;
  // Of the two that are about rights only this one may be about what was asked.
  EXPECT_EQ(kind(0, "content_policy", "", "permission_error"), ErrorKind::content_policy);
  EXPECT_EQ(kind(0, "content_policy", "", "authentication_error"), ErrorKind::upstream_auth);
}

TEST(ErrorText, KnowsTheKindOfEveryStatus) {
  constexpr std::array<std::pair<int, ErrorKind>, 16> kCases = {{
      {400, ErrorKind::bad_request},
      {401, ErrorKind::upstream_auth},
      {402, ErrorKind::upstream_quota},
      {403, ErrorKind::forbidden},
      {404, ErrorKind::model_not_found},
      {408, ErrorKind::upstream_timeout},
      {409, ErrorKind::bad_request},
      {413, ErrorKind::body_too_large},
      {422, ErrorKind::bad_request},
      {429, ErrorKind::upstream_rate_limited},
      {500, ErrorKind::upstream_error},
      {502, ErrorKind::upstream_error},
      {503, ErrorKind::upstream_overloaded},
      {504, ErrorKind::upstream_timeout},
      {529, ErrorKind::upstream_overloaded},
      {302, ErrorKind::upstream_error},
  }};
  for (const auto& [status, expected] : kCases) EXPECT_EQ(kind(status, "x"), expected) << status;
}

TEST(ErrorText, HidesEveryFormOfAKey) {
  for (const std::string start :
       {"sk-", "Bearer ", "wk_", "AIza", "gsk_", "xai-", "org-", "arn:aws:iam::", "arn:aws:sts::"}) {
    EXPECT_EQ(hide_keys("key " + start + "Abc123def456, bad"), "key " + start + "…, bad");
    EXPECT_EQ(hide_keys("key " + start + "a"), "key " + start + "a");
  }
}

}  // namespace
}  // namespace weir
