#include "provider/call_auth.h"

#include "base/crypto.h"
#include "base/limits.h"
#include "base/sigv4.h"
#include "provider/test_credentials.h"

namespace weir {
namespace {

class CallAuth : public test::CredentialTest {
 protected:
  CallAuth() {
    provider_.kind.auth = AuthScheme::sigv4;
    provider_.kind.auth_header = "authorization";
    provider_.origin = {.host = "bedrock-runtime.eu-west-1.amazonaws.com", .port = 443, .is_tls = true};
    provider_.region = "eu-west-1";
    wire_.path = "/model/eu.anthropic.claude-v2%3A0/converse?a=b%20c";
    wire_.headers = {{"content-type", "application/json"}, {"traceparent", "00-1-2-01"}};
    wire_.body = R"({"a":1})";
  }
  void authenticate(const Credential& credential) {
    Scope scope(core_.core);
    const auto done = run(authenticate_call_task(scope, credential));
    ASSERT_TRUE(done) << done.error().message;
  }
  Task<bool> authenticate_call_task(Scope& scope, const Credential& credential) {
    CO_TRY(co_await authenticate_call(scope, files_pool_, provider_, credential, wire_));
    co_return true;
  }
  std::string header(std::string_view name) const { return std::string(wire_.headers.get_or(name, "none")); }
  // What AWS would do with the request as it is on the wire.
  Result<void> verify(std::string_view secret) const {
    const std::string hash = sha256_hex(wire_.body);
    const size_t question = wire_.path.find('?');
    SigV4Request request{.method = "POST",
                         .path = std::string_view(wire_.path).substr(0, question),
                         .query = std::string_view(wire_.path).substr(question + 1),
                         .headers = {{"host", provider_.origin.host}},
                         .body_hash = hash};
    for (const HeaderField field : wire_.headers) request.headers.push_back({field.name, field.value});
    const SigV4Claim claim = TRY(sigv4_parse(request));
    EXPECT_EQ(claim.service, "bedrock");
    EXPECT_EQ(claim.region, "eu-west-1");
    return sigv4_verify(request, claim, Secret::copy_of(secret), {.unix_seconds = now_s()});
  }

  Provider provider_;
  WireRequest wire_;
};

TEST_F(CallAuth, SignsWhatGoesOnTheWire) {
  authenticate(
      {.access_key_id = "AKIA", .secret = Secret::copy_of("s"), .session_token = Secret::copy_of("tok")});
  EXPECT_EQ(header("x-amz-security-token"), "tok");
  EXPECT_EQ(header("x-amz-content-sha256"), sha256_hex(wire_.body));
  EXPECT_NE(header("authorization")
                .find("SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;"
                      "x-amz-security-token,"),
            std::string::npos)
      << header("authorization");
  EXPECT_TRUE(verify("s"));
  EXPECT_FALSE(verify("t"));
  wire_.body += " ";
  EXPECT_FALSE(verify("s"));
}

TEST_F(CallAuth, ABodyTooLargeForACoreIsHashedElsewhereAndSentWhole) {
  wire_.body.assign(kJsonBytesOnCoreMax + 1, 'x');
  authenticate({.access_key_id = "AKIA", .secret = Secret::copy_of("s")});
  EXPECT_EQ(wire_.body.size(), kJsonBytesOnCoreMax + 1);
  EXPECT_TRUE(verify("s"));
}

TEST_F(CallAuth, AKeyWithoutAnIdIsBedrocksBearerKey) {
  authenticate({.secret = Secret::copy_of("ABSKkey")});
  EXPECT_EQ(header("authorization"), "Bearer ABSKkey");
  EXPECT_EQ(header("x-amz-date"), "none");
}

TEST_F(CallAuth, KeysGoWhereTheSchemeWantsThemAndTokensAreBearers) {
  struct Case {
    AuthScheme scheme;
    std::string auth_header;
    bool is_token;
    std::string sent_in;
    std::string value;
  };
  for (const Case& one : {Case{AuthScheme::bearer, "authorization", false, "authorization", "Bearer k"},
                          Case{AuthScheme::x_api_key, "x-api-key", false, "x-api-key", "k"},
                          Case{AuthScheme::api_key_header, "api-key", false, "api-key", "k"},
                          Case{AuthScheme::api_key_header, "authorization", false, "authorization", "k"},
                          Case{AuthScheme::entra, "api-key", false, "api-key", "k"},
                          Case{AuthScheme::entra, "api-key", true, "authorization", "Bearer k"},
                          Case{AuthScheme::google, "authorization", false, "authorization", "Bearer k"},
                          Case{AuthScheme::google, "x-goog-api-key", false, "x-goog-api-key", "k"},
                          Case{AuthScheme::google, "x-goog-api-key", true, "authorization", "Bearer k"},
                          Case{AuthScheme::none, "", false, "authorization", "none"}}) {
    provider_.kind.auth = one.scheme;
    provider_.kind.auth_header = one.auth_header;
    wire_.headers.clear();
    authenticate({.secret = Secret::copy_of("k"), .is_token = one.is_token});
    EXPECT_EQ(header(one.sent_in), one.value) << to_string(one.scheme) << " " << one.auth_header;
    EXPECT_EQ(wire_.headers.size(), one.scheme == AuthScheme::none ? 0u : 1u);
  }
}

TEST_F(CallAuth, WhatAProviderRepeatsOfTheCredentialIsHidden) {
  const Credential credential{.secret = Secret::copy_of("zqKEY0123"),
                              .session_token = Secret::copy_of("session-1")};
  std::string text = "you sent zqKEY0123 with session-1, and zqKEY0123";
  hide_credential(text, credential);
  EXPECT_EQ(text, "you sent … with …, and …");
  std::string words = "none of the models";
  hide_credential(words, {.secret = Secret::copy_of("none")});
  EXPECT_EQ(words, "none of the models");
}

}  // namespace
}  // namespace weir
