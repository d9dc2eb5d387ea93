#include "provider/entra_credentials.h"

#include "provider/test_credentials.h"

namespace weir {
namespace {

using test::FakeReply;
using test::SeenRequest;

class EntraCredentials : public test::CredentialTest {
 protected:
  void SetUp() override {
    server_.answer = [](const SeenRequest&) {
      return FakeReply{.body = R"({"token_type":"Bearer","expires_in":3599,"access_token":"eyJ0"})"};
    };
  }
  // What was asked for, as "METHOD URL body".
  std::string asked(const EntraInputs& inputs) {
    const auto chosen = choose_entra_source(inputs);
    if (!chosen) return chosen.error().message;
    const auto token = fetch(*chosen);
    if (!token) return token.error().message;
    EXPECT_EQ(token->secret.reveal(), "eyJ0");
    EXPECT_TRUE(token->is_token);
    const SeenRequest& seen = server_.seen.back();
    return fmt::format("{} {} {}", seen.method, seen.url, seen.body);
  }
};

TEST_F(EntraCredentials, ExchangesAClientSecret) {
  const Environment environment = {
      {"AZURE_TENANT_ID", "t-1"}, {"AZURE_CLIENT_ID", "c-1"}, {"AZURE_CLIENT_SECRET", "s~1&"}};
  EXPECT_EQ(asked({.environment = environment}),
            "POST https://login.microsoftonline.com/t-1/oauth2/v2.0/token "
            "grant_type=client_credentials&client_id=c-1&"
            "scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default&client_secret=s~1%26");
}

TEST_F(EntraCredentials, TheConfigurationWinsOverTheEnvironment) {
  const Environment environment = {{"AZURE_TENANT_ID", "t-1"},
                                   {"AZURE_CLIENT_SECRET", "s"},
                                   {"AZURE_AUTHORITY_HOST", "http://127.0.0.1:5/"}};
  EXPECT_EQ(asked({.environment = environment,
                   .tenant_id = "t-2",
                   .client_id = "c-2",
                   .client_secret = Secret::copy_of("s2"),
                   .scope = "https://ai.azure.com/.default"}),
            "POST http://127.0.0.1:5/t-2/oauth2/v2.0/token grant_type=client_credentials&client_id=c-2&"
            "scope=https%3A%2F%2Fai.azure.com%2F.default&client_secret=s2");
}

TEST_F(EntraCredentials, AFederatedTokenIsReadAnewEachTime) {
  const Environment environment = {{"AZURE_TENANT_ID", "t"},
                                   {"AZURE_CLIENT_ID", "c"},
                                   {"AZURE_FEDERATED_TOKEN_FILE", files_.write("token", "one\n")}};
  EXPECT_TRUE(asked({.environment = environment}).ends_with("jwt-bearer&client_assertion=one"));
  files_.write("token", "two");
  EXPECT_TRUE(asked({.environment = environment}).ends_with("jwt-bearer&client_assertion=two"));
}

TEST_F(EntraCredentials, AManagedIdentityIsThatOfTheMachineOrTheApp) {
  const Environment none;
  EXPECT_EQ(asked({.environment = none, .uses_managed_identity = true}),
            "GET http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&"
            "resource=https%3A%2F%2Fcognitiveservices.azure.com ");
  EXPECT_EQ(server_.seen.back().headers.get_or("metadata", ""), "true");
  const Environment app = {{"IDENTITY_ENDPOINT", "http://127.0.0.1:42/msi/token"}, {"IDENTITY_HEADER", "h"}};
  EXPECT_EQ(asked({.environment = app, .client_id = "c", .uses_managed_identity = true}),
            "GET http://127.0.0.1:42/msi/token?api-version=2019-08-01&"
            "resource=https%3A%2F%2Fcognitiveservices.azure.com&client_id=c ");
  EXPECT_EQ(server_.seen.back().headers.get_or("x-identity-header", ""), "h");
}

TEST_F(EntraCredentials, SaysWhatIsMissing) {
  const Environment secret = {{"AZURE_CLIENT_SECRET", "s"}};
  EXPECT_TRUE(has_entra_inputs({.environment = secret}));
  EXPECT_FALSE(has_entra_inputs({.environment = {}}));
  EXPECT_NE(asked({.environment = secret}).find("set AZURE_TENANT_ID"), std::string::npos);
  EXPECT_NE(asked({.environment = secret, .tenant_id = "t"}).find("set AZURE_CLIENT_ID"), std::string::npos);
  server_.answer = [](const SeenRequest&) {
    return FakeReply{.status = 401, .body = R"({"error":"invalid_client"})"};
  };
  EXPECT_EQ(asked({.environment = secret, .tenant_id = "t", .client_id = "c"}),
            "Entra's token endpoint answered 401");
}

}  // namespace
}  // namespace weir
