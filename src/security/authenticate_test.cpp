#include "security/authenticate.h"

#include <gtest/gtest.h>

#include "base/crypto.h"
#include "base/sigv4.h"
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
  made.headers.add("content-length", "2");
  return made;
}

ApiKeys one_key() {
  ApiKey key{.hash = hash_api_key("wk_right"), .principal = {}};
  key.principal.key_name = "team";
  return ApiKeys::make({key}).value();
}

constexpr int64_t kNow = 1'800'000'000;

// Who is calling, by a request whose body does not matter.
Result<const Principal*> caller(const HttpRequest& made, const ApiKeys& keys,
                                const LoopbackRules& rules = {}) {
  return authenticate_without_body(made, keys, rules, kNow);
}

constexpr HeaderField kJson{"content-type", "application/json"};

TEST(Authenticate, TakesAKeyFromAnyOfTheUsualHeaders) {
  const ApiKeys keys = one_key();
  for (const HeaderField header :
       {HeaderField{"authorization", "Bearer wk_right"}, HeaderField{"x-api-key", "wk_right"},
        HeaderField{"api-key", "wk_right"}, HeaderField{"x-goog-api-key", "wk_right"}}) {
    const auto principal = caller(request({kJson, header}), keys);
    ASSERT_TRUE(principal) << header.name;
    EXPECT_EQ((*principal)->key_name, "team");
  }
}

TEST(Authenticate, RefusesMissingWrongAndForeignCredentials) {
  const ApiKeys keys = one_key();
  EXPECT_EQ(caller(request({kJson}), keys).error().kind, ErrorKind::unauthenticated);
  EXPECT_EQ(caller(request({kJson, {"x-api-key", "wk_wrong"}}), keys).error().kind,
            ErrorKind::unauthenticated);
  EXPECT_EQ(caller(request({kJson, {"authorization", "Basic d2s6cmlnaHQ="}}), keys).error().kind,
            ErrorKind::unauthenticated);
}

TEST(Authenticate, TakesAKeyFromTheQueryAsGeminisClientsSendIt) {
  HttpRequest made = request({kJson});
  made.target = "/v1beta/models/m:generateContent?alt=sse&key=wk%5Fright";
  EXPECT_EQ((*caller(made, one_key()))->key_name, "team");
  made.target = "/v1beta/models/m:generateContent?key=wk_wrong";
  EXPECT_EQ(caller(made, one_key()).error().kind, ErrorKind::unauthenticated);
  made.target = "/v1beta/models/m:generateContent?key=%zz";
  EXPECT_EQ(caller(made, one_key()).error().kind, ErrorKind::unauthenticated);
}

// A request of an AWS SDK.
class SignedRequest : public testing::Test {
 protected:
  struct How {
    bool sends_hash = true;
    HttpVersion version = HttpVersion::http_1_1;
    std::string id = "WKIAAAAAAAAAAAAAAAAA";
    int64_t signed_at = kNow;
  };

  SignedRequest() {
    AccessKey pair{.id = "WKIAAAAAAAAAAAAAAAAA", .secret = Secret::copy_of("the secret"), .principal = {}};
    pair.principal.key_name = "aws";
    keys_ = ApiKeys::make({}, {pair}).value();
  }

  HttpRequest sign(const How& how, std::string_view secret = "the secret") const {
    HttpRequest made = request({kJson, {"x-stainless-lang", "js"}});
    made.version = how.version;
    made.target = "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse";
    if (how.version != HttpVersion::http_2) made.headers.add("host", made.authority);
    const std::string hash = sha256_hex(kBody);
    SigV4Request wire{
        .method = made.method, .path = made.path(), .query = "", .headers = {}, .body_hash = hash};
    for (const HeaderField field : made.headers) wire.headers.push_back({field.name, field.value});
    if (how.version == HttpVersion::http_2) wire.headers.push_back({":authority", made.authority});
    const SigV4Signed signature =
        sigv4_sign_headers(wire,
                           {.access_key_id = how.id,
                            .secret_access_key = Secret::copy_of(secret),
                            .session_token = Secret::copy_of("whatever the SDK has")},
                           {.region = "us-east-1",
                            .service = "bedrock",
                            .unix_seconds = how.signed_at,
                            .adds_body_hash = how.sends_hash});
    for (const SigV4Addition& header : signature.headers) made.headers.set(header.name, header.value);
    return made;
  }
  // As a handler does it: the head, then the body.
  std::string who(const HttpRequest& made, std::string_view body = kBody) const {
    const Result<Caller> head = authenticate(made, keys_, {}, kNow);
    if (!head) return "head: " + head.error().code;
    if (!head->is_signed) return "not signed";
    const auto whole = admit_body(made, *head, keys_, kNow, sha256_hex(body));
    return whole ? (*whole)->key_name : "body: " + whole.error().code;
  }

  static constexpr std::string_view kBody = R"({"messages":[]})";
  ApiKeys keys_;
};

TEST_F(SignedRequest, IsKnownByItsHeadWhereThatHoldsTheBodysHash) {
  const HttpRequest made = sign({});
  EXPECT_TRUE(authenticate(made, keys_, {}, kNow)->principal);
  EXPECT_EQ(who(made), "aws");
  EXPECT_EQ(who(made, "another body"), "body: InvalidSignatureException");
}

TEST_F(SignedRequest, IsKnownByItsBodyWhereTheHeadHasNoHash) {
  const HttpRequest made = sign({.sends_hash = false});
  const auto head = authenticate(made, keys_, {}, kNow);
  ASSERT_TRUE(head);
  EXPECT_FALSE(head->principal) << "nobody yet";
  EXPECT_EQ(who(made), "aws");
  EXPECT_EQ(who(made, "another body"), "body: InvalidSignatureException");
}

TEST_F(SignedRequest, OverHttp2SignsTheAuthority) {
  const HttpRequest made = sign({.version = HttpVersion::http_2});
  EXPECT_NE(made.headers.get_or("authorization", "").find("SignedHeaders=:authority;"),
            std::string_view::npos);
  EXPECT_EQ(who(made), "aws");
  HttpRequest elsewhere = made;
  elsewhere.authority = "127.0.0.1:1";
  EXPECT_EQ(who(elsewhere), "head: InvalidSignatureException");
}

TEST_F(SignedRequest, IsRefusedWithAwssNameForTheReason) {
  EXPECT_EQ(who(sign({}, "another secret")), "head: InvalidSignatureException");
  EXPECT_EQ(who(sign({.id = "WKIABBBBBBBBBBBBBBBB"})), "head: UnrecognizedClientException");
  EXPECT_EQ(who(sign({.signed_at = kNow - 301})), "head: InvalidSignatureException");
  EXPECT_EQ(who(sign({.signed_at = kNow + 301})), "head: InvalidSignatureException");
  EXPECT_EQ(who(sign({.signed_at = kNow - 299})), "aws");
  HttpRequest other_path = sign({});
  other_path.target = "/model/anthropic.claude-3-opus-20240229-v1%3A0/converse";
  EXPECT_EQ(who(other_path), "head: InvalidSignatureException");
  HttpRequest unsigned_body = sign({});
  unsigned_body.headers.set("x-amz-content-sha256", kSigV4UnsignedPayload);
  EXPECT_EQ(who(unsigned_body), "head: InvalidSignatureException");
  HttpRequest broken = sign({});
  broken.headers.set("authorization", "AWS4-HMAC-SHA256 Credential=x");
  EXPECT_EQ(who(broken), "head: IncompleteSignatureException");
}

TEST_F(SignedRequest, WithoutABodyIsSignedOverNothing) {
  HttpRequest made = sign({});
  EXPECT_EQ(authenticate_without_body(made, keys_, {}, kNow).error().code, "InvalidSignatureException");
}

TEST_F(SignedRequest, WithoutKeysCountsAsAbsentUnlessItClaimsAKeyOfWeirs) {
  keys_ = {};
  EXPECT_EQ(who(sign({.id = "AKIAIOSFODNN7EXAMPLE"})), "not signed");
  EXPECT_EQ(authenticate(sign({}), keys_, {}, kNow).error().kind, ErrorKind::unauthenticated);
}

TEST_F(SignedRequest, WithoutKeysNeedsNoContentTypeSinceNoPageCanSendASignature) {
  keys_ = {};
  HttpRequest made = sign({.id = "AKIAIOSFODNN7EXAMPLE"});
  made.headers.remove("content-type");
  EXPECT_EQ(who(made), "not signed");
  made.headers.add("origin", "https://page.example");
  EXPECT_EQ(authenticate(made, keys_, {}, kNow).error().kind, ErrorKind::forbidden);
  made.headers.remove("origin");
  made.headers.set("authorization", "Basic dTpw");
  EXPECT_EQ(authenticate(made, keys_, {}, kNow).error().kind, ErrorKind::forbidden);
}

TEST(LoopbackWithoutKeys, ServesTheMachineItselfWhateverForeignKeyItSends) {
  EXPECT_TRUE(caller(request({kJson}), {}));
  EXPECT_TRUE(caller(request({kJson, {"authorization", "Bearer sk-anything"}}), {}));
  EXPECT_EQ(caller(request({kJson, {"authorization", "Bearer wk_something"}}), {}).error().kind,
            ErrorKind::unauthenticated);
}

TEST(LoopbackWithoutKeys, RefusesWhatAWebPageOrAnotherMachineCouldSend) {
  HttpRequest far = request({kJson});
  far.peer_is_loopback = false;
  EXPECT_EQ(caller(far, {}).error().kind, ErrorKind::forbidden);
  HttpRequest rebound = request({kJson});
  rebound.authority = "evil.example:7480";
  EXPECT_EQ(caller(rebound, {}).error().kind, ErrorKind::forbidden);
  EXPECT_EQ(caller(request({{"content-type", "text/plain"}}), {}).error().kind, ErrorKind::forbidden);
  EXPECT_EQ(caller(request({}), {}).error().kind, ErrorKind::forbidden);
  const HttpRequest page = request({kJson, {"origin", "https://page.example"}});
  EXPECT_EQ(caller(page, {}).error().kind, ErrorKind::forbidden);
  const std::vector<std::string> origins = {"https://page.example"};
  EXPECT_TRUE(caller(page, {}, {.allowed_origins = origins}));
}

// What no page can send without asking first needs no content type: boto3 signs InvokeModel and states none.
TEST(LoopbackWithoutKeys, TakesASignedCallThatStatesNoContentType) {
  EXPECT_TRUE(caller(request({{"authorization", "AWS4-HMAC-SHA256 Credential=AKIA/x"}}), {}));
  EXPECT_TRUE(caller(request({{"authorization", "Bearer bedrock-key"}}), {}));
  constexpr HeaderField kBytes{"content-type", "application/octet-stream"};
  EXPECT_TRUE(caller(request({{"authorization", "AWS4-HMAC-SHA256 Credential=AKIA/x"}, kBytes}), {}));
  EXPECT_EQ(caller(request({kBytes}), {}).error().kind, ErrorKind::forbidden);
  EXPECT_EQ(caller(request({{"authorization", "Basic d2s6"}}), {}).error().kind, ErrorKind::forbidden);
  EXPECT_EQ(caller(request({{"authorization", "Bearer x"}, {"content-type", "text/plain"}}), {}).error().kind,
            ErrorKind::forbidden);
}

TEST(LoopbackWithoutKeys, AsksForATypeOnlyWhereThereIsABody) {
  HttpRequest bare = request({});
  bare.headers.remove("content-length");
  EXPECT_TRUE(caller(bare, {}));
  bare.headers.add("content-length", "0");
  EXPECT_TRUE(caller(bare, {}));
  HttpRequest chunked = request({});
  chunked.headers.remove("content-length");
  chunked.headers.add("transfer-encoding", "chunked");
  EXPECT_EQ(caller(chunked, {}).error().kind, ErrorKind::forbidden);
  HttpRequest by_http2 = request({});
  by_http2.headers.remove("content-length");
  by_http2.version = HttpVersion::http_2;
  EXPECT_EQ(caller(by_http2, {}).error().kind, ErrorKind::forbidden) << "it may have one";
  bare.headers.add("origin", "https://page.example");
  EXPECT_EQ(caller(bare, {}).error().kind, ErrorKind::forbidden);
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
  for (const std::string_view name : {"x-should-retry", "retry-after-ms", "request-id", "server-timing"})
    EXPECT_NE(answer.get_or("access-control-expose-headers", "").find(name), std::string::npos) << name;
  const Headers preflight = cors_preflight_headers(from_page, {"*"}, "POST, OPTIONS");
  EXPECT_EQ(preflight.get_or("access-control-allow-methods", ""), "POST, OPTIONS");
}

}  // namespace
}  // namespace weir
