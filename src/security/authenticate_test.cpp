#include "security/authenticate.h"

#include <gtest/gtest.h>

#include "security/cors.h"

namespace weir {
namespace {

HttpRequest request(std::initializer_list<HeaderField> headers) {
  HttpRequest made;
  made.method = "POST";
  made.target = "/v1/chat/completions";
  made.authority = "127.0.0.1:7480";
  made.peer_is_loopback = true;
  made.headers = Headers(headers);
  return made;
}

ApiKeys one_key() {
  ApiKey key{.hash = hash_api_key("wk_right"), .principal = {}};
  key.principal.key_name = "team";
  return ApiKeys::make({key}).value();
}

constexpr HeaderField kJson{"content-type", "application/json"};

TEST(Authenticate, TakesAKeyFromAnyOfTheUsualHeaders) {
  const ApiKeys keys = one_key();
  for (const HeaderField header :
       {HeaderField{"authorization", "Bearer wk_right"}, HeaderField{"x-api-key", "wk_right"},
        HeaderField{"api-key", "wk_right"}, HeaderField{"x-goog-api-key", "wk_right"}}) {
    const auto principal = authenticate(request({kJson, header}), keys, {});
    ASSERT_TRUE(principal) << header.name;
    EXPECT_EQ(principal->key_name, "team");
  }
}

TEST(Authenticate, RefusesMissingWrongAndForeignCredentials) {
  const ApiKeys keys = one_key();
  EXPECT_EQ(authenticate(request({kJson}), keys, {}).error().kind, ErrorKind::unauthenticated);
  EXPECT_EQ(authenticate(request({kJson, {"x-api-key", "wk_wrong"}}), keys, {}).error().kind,
            ErrorKind::unauthenticated);
  EXPECT_EQ(authenticate(request({kJson, {"authorization", "Basic d2s6cmlnaHQ="}}), keys, {}).error().kind,
            ErrorKind::unauthenticated);
}

TEST(LoopbackWithoutKeys, ServesTheMachineItselfWhateverForeignKeyItSends) {
  EXPECT_TRUE(authenticate(request({kJson}), {}, {}));
  EXPECT_TRUE(authenticate(request({kJson, {"authorization", "Bearer sk-anything"}}), {}, {}));
  EXPECT_EQ(authenticate(request({kJson, {"authorization", "Bearer wk_something"}}), {}, {}).error().kind,
            ErrorKind::unauthenticated);
}

TEST(LoopbackWithoutKeys, RefusesWhatAWebPageOrAnotherMachineCouldSend) {
  HttpRequest far = request({kJson});
  far.peer_is_loopback = false;
  EXPECT_EQ(authenticate(far, {}, {}).error().kind, ErrorKind::forbidden);
  HttpRequest rebound = request({kJson});
  rebound.authority = "evil.example:7480";
  EXPECT_EQ(authenticate(rebound, {}, {}).error().kind, ErrorKind::forbidden);
  EXPECT_EQ(authenticate(request({{"content-type", "text/plain"}}), {}, {}).error().kind,
            ErrorKind::forbidden);
  EXPECT_EQ(authenticate(request({}), {}, {}).error().kind, ErrorKind::forbidden);
  const HttpRequest page = request({kJson, {"origin", "https://page.example"}});
  EXPECT_EQ(authenticate(page, {}, {}).error().kind, ErrorKind::forbidden);
  EXPECT_TRUE(authenticate(page, {}, {.allowed_origins = {"https://page.example"}}));
}

// What no page can send without asking first needs no content type: boto3 signs InvokeModel and states none.
TEST(LoopbackWithoutKeys, TakesASignedCallThatStatesNoContentType) {
  EXPECT_TRUE(authenticate(request({{"authorization", "AWS4-HMAC-SHA256 Credential=AKIA/x"}}), {}, {}));
  EXPECT_TRUE(authenticate(request({{"authorization", "Bearer bedrock-key"}}), {}, {}));
  EXPECT_EQ(authenticate(request({{"authorization", "Basic d2s6"}}), {}, {}).error().kind,
            ErrorKind::forbidden);
  EXPECT_EQ(authenticate(request({{"authorization", "Bearer x"}, {"content-type", "text/plain"}}), {}, {})
                .error()
                .kind,
            ErrorKind::forbidden);
}

TEST(LoopbackHost, KnowsItsNames) {
  for (const char* name : {"localhost", "LOCALHOST:80", "127.0.0.1", "127.9.8.7:1", "[::1]", "[::1]:7480"}) {
    EXPECT_TRUE(is_loopback_host(name)) << name;
  }
  for (const char* name : {"", "localhost.example", "127.0.0.1.example", "128.0.0.1", "127.0.0",
                           "127.0.0.256", "[::2]", "127.0.0.1x", "[::1"}) {
    EXPECT_FALSE(is_loopback_host(name)) << name;
  }
}

TEST(Cors, AnswersAllowedOriginsOnlyAndNeverAllowsCredentials) {
  const Headers from_page{{"origin", "https://a.example"}};
  EXPECT_TRUE(cors_answer_headers(from_page, {}).empty());
  EXPECT_TRUE(cors_answer_headers({}, {"https://a.example"}).empty());
  const Headers answer = cors_answer_headers(from_page, {"https://a.example"});
  EXPECT_EQ(answer.get_or("access-control-allow-origin", ""), "https://a.example");
  EXPECT_EQ(answer.get_or("vary", ""), "origin");
  EXPECT_FALSE(answer.contains("access-control-allow-credentials"));
  const Headers preflight = cors_preflight_headers(from_page, {"*"}, "POST, OPTIONS");
  EXPECT_EQ(preflight.get_or("access-control-allow-methods", ""), "POST, OPTIONS");
}

}  // namespace
}  // namespace weir
