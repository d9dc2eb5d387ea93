#include "provider/google_credentials.h"

#include "base/encoding.h"
#include "base/json.h"
#include "base/signature.h"
#include "provider/test_credentials.h"

namespace weir {
namespace {

using test::FakeReply;
using test::SeenRequest;

class GoogleCredentials : public test::CredentialTest {
 protected:
  Result<ChosenSource> choose(Environment environment, std::string file = {}, std::string scope = {}) {
    environment_ = std::move(environment);
    return choose_google_source(
        {.environment = environment_, .file = std::move(file), .scope = std::move(scope)});
  }
  std::string complaint(std::string_view file_text) {
    const auto chosen = choose({}, files_.write("bad.json", file_text));
    return chosen ? "chose " + chosen->name : chosen.error().message;
  }
  static std::string account(const PrivateKey& key, std::string_view more = "") {
    std::string pem;
    append_json_string(pem, key.to_pem().reveal());
    return fmt::format(R"({{"type":"service_account","client_email":"w@p.iam.gserviceaccount.com",)"
                       R"("private_key_id":"k1","private_key":{},"token_uri":"http://127.0.0.1:1/token"{}}})",
                       pem, more);
  }

  Environment environment_;
};

TEST_F(GoogleCredentials, AServiceAccountSignsForItsToken) {
  const PrivateKey key = PrivateKey::generate(SignatureAlgorithm::rs256);
  server_.answer = [](const SeenRequest&) {
    return FakeReply{.body = R"({"access_token":"ya29.a","expires_in":3599,"token_type":"Bearer"})"};
  };
  const auto chosen = choose({{"GOOGLE_APPLICATION_CREDENTIALS", files_.write("key.json", account(key))}});
  ASSERT_TRUE(chosen) << chosen.error().message;
  EXPECT_EQ(chosen->name, "Google service account");
  const auto token = fetch(*chosen);
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_EQ(token->secret.reveal(), "ya29.a");
  EXPECT_TRUE(token->is_token);
  EXPECT_EQ(*token->expires_at_ns / 1'000'000'000, now_s() + 3599);

  const std::string& body = server_.seen.at(0).body;
  constexpr std::string_view kStart =
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
  ASSERT_TRUE(body.starts_with(kStart)) << body;
  const std::string assertion = body.substr(kStart.size());
  const size_t last_dot = assertion.rfind('.');
  const std::string signed_part = assertion.substr(0, last_dot);
  EXPECT_TRUE(key.public_key().verify(signed_part, base64url_decode(assertion.substr(last_dot + 1)).value()));
  EXPECT_EQ(base64url_decode(signed_part.substr(0, signed_part.find('.'))).value(),
            R"({"alg":"RS256","typ":"JWT","kid":"k1"})");
  EXPECT_EQ(base64url_decode(signed_part.substr(signed_part.find('.') + 1)).value(),
            fmt::format(R"({{"iss":"w@p.iam.gserviceaccount.com",)"
                        R"("scope":"https://www.googleapis.com/auth/cloud-platform",)"
                        R"("aud":"http://127.0.0.1:1/token","iat":{},"exp":{}}})",
                        now_s(), now_s() + 3600));
}

TEST_F(GoogleCredentials, AUsersRefreshTokenIsFoundWhereGcloudKeepsIt) {
  files_.write("application_default_credentials.json",
               R"({"type":"authorized_user","client_id":"c","client_secret":"s/","refresh_token":"1//r"})");
  server_.answer = [](const SeenRequest&) {
    return FakeReply{.body = R"({"access_token":"ya29.u","expires_in":"60"})"};
  };
  const auto chosen = choose({{"CLOUDSDK_CONFIG", files_.directory()}});
  ASSERT_TRUE(chosen) << chosen.error().message;
  EXPECT_EQ(fetch(*chosen)->secret.reveal(), "ya29.u");
  EXPECT_EQ(server_.seen.at(0).url, "https://oauth2.googleapis.com/token");
  EXPECT_EQ(server_.seen.at(0).body,
            "grant_type=refresh_token&client_id=c&client_secret=s%2F&refresh_token=1%2F%2Fr");
  EXPECT_EQ(server_.seen.at(0).headers.get_or("content-type", ""), "application/x-www-form-urlencoded");
}

TEST_F(GoogleCredentials, WithoutAFileTheMetadataServerIsAsked) {
  server_.answer = [](const SeenRequest& seen) {
    if (seen.headers.get_or("metadata-flavor", "") != "Google") return FakeReply{.status = 403};
    return FakeReply{.body = R"({"access_token":"ya29.m","expires_in":300})"};
  };
  const auto chosen = choose({{"GCE_METADATA_HOST", "127.0.0.1:8"}});
  ASSERT_TRUE(chosen) << chosen.error().message;
  EXPECT_EQ(fetch(*chosen)->secret.reveal(), "ya29.m");
  EXPECT_EQ(server_.seen.at(0).url,
            "http://127.0.0.1:8/computeMetadata/v1/instance/service-accounts/default/token");
  server_.answer = [](const SeenRequest&) { return FakeReply{.status = 0}; };
  const auto refused = fetch(*chosen);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::upstream_auth);
  EXPECT_NE(refused.error().message.find("set GOOGLE_APPLICATION_CREDENTIALS"), std::string::npos);
}

TEST_F(GoogleCredentials, ARefusalKeepsWhatTheServerSaidForTheLogAlone) {
  files_.write("application_default_credentials.json",
               R"({"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"})");
  server_.answer = [](const SeenRequest&) {
    return FakeReply{.status = 400, .body = R"({"error":"invalid_grant"})"};
  };
  const auto refused = fetch(*choose({{"CLOUDSDK_CONFIG", files_.directory()}}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "Google's token endpoint answered 400");
  EXPECT_EQ(refused.error().detail, R"({"error":"invalid_grant"})");
  for (const char* body :
       {"", "[]", "{}", R"({"access_token":""})", R"({"access_token":"a","expires_in":"soon"})",
        R"({"access_token":"a","expires_in":-1})", "<html>"}) {
    server_.answer = [body](const SeenRequest&) { return FakeReply{.body = body}; };
    EXPECT_FALSE(fetch(*choose({{"CLOUDSDK_CONFIG", files_.directory()}}))) << body;
  }
}

TEST_F(GoogleCredentials, SaysWhatIsWrongWithAFile) {
  EXPECT_NE(
      complaint(R"({"type":"external_account"})").find("the type 'external_account', which Weir does not do"),
      std::string::npos);
  EXPECT_NE(complaint(R"({"type":"service_account"})").find("have no client_email"), std::string::npos);
  EXPECT_NE(complaint("{").find("bad.json: "), std::string::npos);
  const PrivateKey elliptic = PrivateKey::generate(SignatureAlgorithm::es256);
  EXPECT_NE(complaint(account(elliptic)).find("must be RSA"), std::string::npos);
  EXPECT_NE(choose({{"GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json"}})
                .error()
                .message.find("cannot be read"),
            std::string::npos);
}

}  // namespace
}  // namespace weir
