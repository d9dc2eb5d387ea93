#include "provider/aws_credentials.h"

#include "base/crypto.h"
#include "base/sigv4.h"
#include "provider/aws_profile.h"
#include "provider/credential_fetch.h"
#include "provider/test_credentials.h"
#include "provider/xml_fields.h"

namespace weir {
namespace {

using test::FakeReply;
using test::SeenRequest;

std::string sts_answer(std::string_view action, std::string_view expiration = "2026-01-01T01:00:00Z") {
  return fmt::format(
      R"(<{0}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{0}Result><AssumedRoleUser>)"
      R"(<Arn>arn:aws:sts::1:assumed-role/r/weir</Arn></AssumedRoleUser><Credentials>)"
      R"(<AccessKeyId>ASIATEMP</AccessKeyId><SecretAccessKey>temp&amp;secret</SecretAccessKey>)"
      R"(<SessionToken>session</SessionToken><Expiration>{1}</Expiration></Credentials></{0}Result>)"
      R"(<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{0}Response>)",
      action, expiration);
}

constexpr std::string_view kPairAnswer =
    R"({"Code":"Success","AccessKeyId":"ASIAMETA","SecretAccessKey":"meta","Token":"tok",)"
    R"("Expiration":"2026-01-01T06:00:00Z"})";

class AwsCredentials : public test::CredentialTest {
 protected:
  Result<ChosenSource> choose(Environment environment, std::string profile = {}) {
    environment_ = std::move(environment);
    return choose_aws_source(
        {.environment = environment_, .profile = std::move(profile), .region = "eu-west-1"});
  }
  std::string complaint(Environment environment, std::string profile = {}) {
    const auto chosen = choose(std::move(environment), std::move(profile));
    return chosen ? "chose " + chosen->name : chosen.error().message;
  }
  // The fetched pair as "id/secret/token".
  std::string fetched(Environment environment, std::string profile = {}) {
    const auto chosen = choose(std::move(environment), std::move(profile));
    if (!chosen) return chosen.error().message;
    const auto pair = fetch(*chosen);
    if (!pair) return pair.error().message;
    expires_at_ns_ = pair->expires_at_ns;
    return fmt::format("{}/{}/{}", pair->access_key_id, pair->secret.reveal(), pair->session_token.reveal());
  }
  Environment with_profiles(std::string_view credentials, std::string_view config) {
    return {{"AWS_SHARED_CREDENTIALS_FILE", files_.write("credentials", credentials)},
            {"AWS_CONFIG_FILE", files_.write("config", config)}};
  }

  Environment environment_;
  std::optional<int64_t> expires_at_ns_;
};

TEST_F(AwsCredentials, TakesThePairOfTheEnvironmentFirst) {
  EXPECT_EQ(fetched({{"AWS_ACCESS_KEY_ID", "AKIA1"},
                     {"AWS_SECRET_ACCESS_KEY", "s"},
                     {"AWS_SESSION_TOKEN", "t"},
                     {"AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere"}}),
            "AKIA1/s/t");
  EXPECT_FALSE(expires_at_ns_);
  EXPECT_EQ(complaint({{"AWS_ACCESS_KEY_ID", "AKIA1"}}),
            "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
}

TEST_F(AwsCredentials, ExchangesAWebIdentityTokenThatItReadsAnewEachTime) {
  server_.answer = [](const SeenRequest&) {
    return FakeReply{.body = sts_answer("AssumeRoleWithWebIdentity")};
  };
  const Environment environment = {{"AWS_WEB_IDENTITY_TOKEN_FILE", files_.write("token", "first.jwt\n")},
                                   {"AWS_ROLE_ARN", "arn:aws:iam::1:role/weir"}};
  EXPECT_EQ(fetched(environment), "ASIATEMP/temp&secret/session");
  EXPECT_EQ(*expires_at_ns_ / 1'000'000'000, now_s() / 3600 * 3600 + 3600);
  files_.write("token", "second.jwt");
  EXPECT_EQ(fetched(environment), "ASIATEMP/temp&secret/session");
  ASSERT_EQ(server_.seen.size(), 2u);
  EXPECT_EQ(server_.seen[0].url, "https://sts.eu-west-1.amazonaws.com/");
  EXPECT_EQ(
      server_.seen[0].body,
      "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fweir&"
      "RoleSessionName=weir&WebIdentityToken=first.jwt");
  EXPECT_TRUE(server_.seen[1].body.ends_with("WebIdentityToken=second.jwt"));
  EXPECT_FALSE(server_.seen[0].headers.contains("authorization"));
}

TEST_F(AwsCredentials, TellsWhatStsSaid) {
  const Environment environment = {{"AWS_WEB_IDENTITY_TOKEN_FILE", files_.write("token", "jwt")},
                                   {"AWS_ROLE_ARN", "arn:r"},
                                   {"AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9"}};
  server_.answer = [](const SeenRequest&) {
    return FakeReply{.status = 400,
                     .body =
                         "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredTokenException</Code>"
                         "<Message>Token expired</Message></Error></ErrorResponse>"};
  };
  EXPECT_NE(fetched(environment).find("STS refused with ExpiredTokenException"), std::string::npos);
  EXPECT_EQ(server_.seen[0].url, "http://127.0.0.1:9/");
  server_.answer = [](const SeenRequest&) { return FakeReply{.status = 502, .body = "<html>bad gateway"}; };
  EXPECT_EQ(fetched(environment), "STS did not answer in XML");
  server_.answer = [](const SeenRequest&) { return FakeReply{.status = 0}; };
  EXPECT_EQ(fetched(environment), "STS cannot be reached");
  server_.answer = [](const SeenRequest&) {
    return FakeReply{.body = std::string(kCredentialBytesMax + 1, 'x')};
  };
  EXPECT_EQ(fetched(environment), "the answer of STS is broken or too large");
}

TEST_F(AwsCredentials, TakesAProfileWithItsKeysAndCredentialsOverConfig) {
  const Environment environment = with_profiles(
      "[default]\naws_access_key_id = AKIAD\naws_secret_access_key=d ; ours\n"
      "[team]\naws_access_key_id=AKIAT\naws_secret_access_key=t\naws_session_token=x\n",
      "# ours\n[profile team]\naws_access_key_id=AKIAC\nregion = us-west-2\ns3 =\n  a = b\n"
      "[sso-session z]\nsso_region=q\n");
  EXPECT_EQ(fetched(environment), "AKIAD/d/");
  EXPECT_EQ(fetched(environment, "team"), "AKIAT/t/x");
  Environment named = environment;
  named["AWS_PROFILE"] = "team";
  EXPECT_EQ(fetched(named), "AKIAT/t/x");
  EXPECT_EQ(complaint(environment, "nobody"), "AWS's files hold no profile nobody");
}

TEST_F(AwsCredentials, AssumesARoleWithTheKeysOfItsSourceProfile) {
  server_.answer = [](const SeenRequest&) { return FakeReply{.body = sts_answer("AssumeRole")}; };
  Environment environment =
      with_profiles("[base]\naws_access_key_id=AKIAB\naws_secret_access_key=base-secret\n",
                    "[profile prod]\nrole_arn=arn:aws:iam::1:role/p\nsource_profile=base\n"
                    "external_id=e x\nrole_session_name=me\nduration_seconds=900\n");
  environment["AWS_ENDPOINT_URL_STS"] = "http://127.0.0.1:4566";
  EXPECT_EQ(fetched(environment, "prod"), "ASIATEMP/temp&secret/session");
  ASSERT_EQ(server_.seen.size(), 1u);
  const SeenRequest& seen = server_.seen[0];
  EXPECT_EQ(
      seen.body,
      "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fp&RoleSessionName=me&"
      "ExternalId=e%20x&DurationSeconds=900");
  // STS can verify it.
  const std::string hash = sha256_hex(seen.body);
  SigV4Request wire{
      .method = "POST", .path = "/", .query = "", .headers = {{"host", "127.0.0.1:4566"}}, .body_hash = hash};
  for (const HeaderField field : seen.headers) wire.headers.push_back({field.name, field.value});
  const auto claim = sigv4_parse(wire);
  ASSERT_TRUE(claim) << claim.error().message;
  EXPECT_EQ(claim->access_key_id, "AKIAB");
  EXPECT_EQ(claim->service, "sts");
  EXPECT_EQ(claim->region, "eu-west-1");
  EXPECT_TRUE(sigv4_verify(wire, *claim, Secret::copy_of("base-secret"), {.unix_seconds = now_s()}));
}

TEST_F(AwsCredentials, SaysWhatAProfileNeedsThatItDoesNotDo) {
  const auto said = [&](std::string_view settings) {
    return complaint(with_profiles("", fmt::format("[profile p]\n{}\n", settings)), "p");
  };
  EXPECT_NE(said("sso_start_url=https://x").find("needs sso_start_url, which Weir does not do"),
            std::string::npos);
  EXPECT_NE(said("credential_process=/bin/x").find("needs credential_process"), std::string::npos);
  EXPECT_NE(said("role_arn=r\nsource_profile=q\nmfa_serial=m").find("MFA"), std::string::npos);
  EXPECT_NE(said("role_arn=r").find("neither source_profile"), std::string::npos);
  EXPECT_NE(said("role_arn=r\nsource_profile=q").find("no profile q"), std::string::npos);
  EXPECT_NE(said("role_arn=r\nsource_profile=p").find("its own source without keys"), std::string::npos);
  EXPECT_NE(said("region=r").find("has no credentials"), std::string::npos);
  EXPECT_NE(said("broken").find("config line 2: a setting is name = value"), std::string::npos);
  const Environment circle = with_profiles(
      "", "[profile a]\nrole_arn=r\nsource_profile=b\n[profile b]\nrole_arn=r\nsource_profile=a\n");
  EXPECT_NE(complaint(circle, "a").find("too many source_profile in a row"), std::string::npos);
}

TEST_F(AwsCredentials, AsksTheContainersServerWithItsToken) {
  server_.answer = [](const SeenRequest&) { return FakeReply{.body = std::string(kPairAnswer)}; };
  EXPECT_EQ(fetched({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1"}}), "ASIAMETA/meta/tok");
  EXPECT_EQ(server_.seen[0].url, "http://169.254.170.2/v2/credentials/1");
  const std::string token_file = files_.write("token", "from file\n");
  EXPECT_EQ(fetched({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:81/c"},
                     {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token_file}}),
            "ASIAMETA/meta/tok");
  EXPECT_EQ(server_.seen[1].headers.get_or("authorization", ""), "from file");
  EXPECT_NE(
      complaint({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://elsewhere.example/c"}}).find("must be https"),
      std::string::npos);
}

TEST_F(AwsCredentials, AsksTheInstanceInASession) {
  server_.answer = [](const SeenRequest& seen) {
    if (seen.method == "PUT") return FakeReply{.body = "session-token"};
    if (seen.headers.get_or("x-aws-ec2-metadata-token", "") != "session-token")
      return FakeReply{.status = 401};
    if (seen.url.ends_with("/security-credentials/")) return FakeReply{.body = "the-role\n"};
    return FakeReply{.body = std::string(kPairAnswer)};
  };
  EXPECT_EQ(fetched({}), "ASIAMETA/meta/tok");
  ASSERT_EQ(server_.seen.size(), 3u);
  EXPECT_EQ(server_.seen[0].url, "http://169.254.169.254/latest/api/token");
  EXPECT_EQ(server_.seen[2].url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/the-role");
  server_.answer = [](const SeenRequest&) { return FakeReply{.status = 0}; };
  EXPECT_NE(fetched({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1"}})
                .find("cannot be reached; set AWS_ACCESS_KEY_ID"),
            std::string::npos);
  EXPECT_NE(complaint({{"AWS_EC2_METADATA_DISABLED", "true"}}).find("no AWS credentials: set"),
            std::string::npos);
}

TEST_F(AwsCredentials, OtherInputsHaveAnotherIdentity) {
  const Environment first = {{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "s"}};
  const Environment second = {{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "t"}};
  EXPECT_EQ(choose(first)->identity, choose(first)->identity);
  EXPECT_NE(choose(first)->identity, choose(second)->identity);
  EXPECT_EQ(choose(first)->identity.find("s"), std::string::npos);
}

TEST(AwsRegion, IsReadFromTheHost) {
  EXPECT_EQ(aws_region_of_host("bedrock-runtime.us-east-1.amazonaws.com"), "us-east-1");
  EXPECT_EQ(aws_region_of_host("bedrock-runtime-fips.us-gov-west-1.amazonaws.com"), "us-gov-west-1");
  EXPECT_EQ(aws_region_of_host("bedrock-runtime.cn-north-1.amazonaws.com.cn"), "cn-north-1");
  EXPECT_EQ(aws_region_of_host("vpce-1.bedrock-runtime.eu-west-3.vpce.amazonaws.com"), "");
  EXPECT_EQ(aws_region_of_host("127.0.0.1"), "");
}

TEST(UtcSeconds, ReadsTheFormsThatServersSend) {
  EXPECT_EQ(parse_utc_seconds("1970-01-02T00:00:01Z"), 86'401);
  EXPECT_EQ(parse_utc_seconds("2026-01-01T00:00:00.123Z"), 1'767'225'600);
  for (const char* text :
       {"", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01 00:00:00Z", "2026-01-01T00:00:00.Z", "-026-01-01T00:00:00Z", "9999-01-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_utc_seconds(text)) << text;
  }
}

TEST(XmlFields, ReadsLeavesAndRefusesWhatItDoesNotKnow) {
  const auto fields = read_xml_fields(
      "<?xml version='1.0'?>\n<a:R x=\"1\"><B> &lt;&#65;&#x42; </B><C/><D><E>e</E></D></a:R>\n");
  ASSERT_TRUE(fields) << fields.error().message;
  EXPECT_EQ(xml_text(*fields, "R/B"), "<AB");
  EXPECT_EQ(xml_text(*fields, "R/D/E"), "e");
  EXPECT_EQ(fields->size(), 3u);
  for (const char* text : {"",
                           "<a>",
                           "<a></b>",
                           "<a/><b/>",
                           "text",
                           "<a>&nope;</a>",
                           "<a>&#0;</a>",
                           "<a>&#xD800;</a>",
                           "<a>&amp</a>",
                           "<!DOCTYPE a><a/>",
                           "<a><![CDATA[x]]></a>",
                           "<a><!-- c --></a>",
                           "<a>x<b/></a>",
                           "<a><b/>x</a>",
                           "<a x></a>",
                           "<a x=1/>",
                           "<a x='1/>",
                           "< a/>",
                           "<a",
                           "\xff<a/>",
                           "</a>"}) {
    EXPECT_FALSE(read_xml_fields(text)) << text;
  }
  std::string deep;
  for (size_t i = 0; i <= kXmlDepthMax; ++i) deep += "<a>";
  EXPECT_FALSE(read_xml_fields(deep));
  std::string many = "<a>";
  for (size_t i = 0; i <= kXmlFieldsMax; ++i) many += "<b/>";
  EXPECT_FALSE(read_xml_fields(many + "</a>"));
}

}  // namespace
}  // namespace weir
