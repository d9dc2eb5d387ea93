#include "provider/aws_sources.h"

#include <fmt/core.h>

#include "base/crypto.h"
#include "base/encoding.h"
#include "base/sigv4.h"
#include "base/text.h"
#include "io/scope.h"
#include "provider/aws_credentials.h"
#include "provider/credential_fetch.h"
#include "provider/xml_fields.h"

namespace weir {
namespace {

constexpr std::string_view kStsVersion = "2011-06-15";
constexpr int64_t kSecondNs = 1'000'000'000;

class StaticSource final : public CredentialSource {
 public:
  explicit StaticSource(Credential pair) : pair_(std::move(pair)) {}
  Task<Credential> fetch(Scope&, CredentialTools) const override { co_return pair_; }

 private:
  const Credential pair_;
};

// The answer of STS, an error answer included: its code says what is wrong.
Task<Credential> ask_sts(Scope& scope, CredentialTools tools, CredentialRequest request) {
  const CredentialReply reply = CO_TRY(co_await exchange_credential(scope, tools, std::move(request)));
  co_return parse_sts_answer(reply.body);
}

class WebIdentitySource final : public CredentialSource {
 public:
  explicit WebIdentitySource(AwsRole role) : role_(std::move(role)) {}

  Task<Credential> fetch(Scope& scope, CredentialTools tools) const override {
    const std::string token =
        CO_TRY(co_await load_credential_file(scope, tools, "the web identity token", role_.web_token_file));
    std::string form = form_of({{"Action", "AssumeRoleWithWebIdentity"},
                                {"Version", kStsVersion},
                                {"RoleArn", role_.role_arn},
                                {"RoleSessionName", role_.session_name},
                                {"WebIdentityToken", token}});
    if (!role_.duration_s.empty()) form += "&DurationSeconds=" + role_.duration_s;
    CredentialRequest request = form_request("STS", role_.sts, std::move(form));
    request.headers.remove("accept");
    co_return co_await ask_sts(scope, tools, std::move(request));
  }

 private:
  const AwsRole role_;
};

class AssumeRoleSource final : public CredentialSource {
 public:
  AssumeRoleSource(AwsRole role, std::unique_ptr<CredentialSource> base)
      : role_(std::move(role)), base_(std::move(base)) {}

  Task<Credential> fetch(Scope& scope, CredentialTools tools) const override {
    const Credential base = CO_TRY(co_await base_->fetch(scope, tools));
    std::string form = form_of({{"Action", "AssumeRole"},
                                {"Version", kStsVersion},
                                {"RoleArn", role_.role_arn},
                                {"RoleSessionName", role_.session_name}});
    if (!role_.external_id.empty()) form += "&" + form_of({{"ExternalId", role_.external_id}});
    if (!role_.duration_s.empty()) form += "&DurationSeconds=" + role_.duration_s;
    CredentialRequest request = form_request("STS", role_.sts, std::move(form));
    request.headers.remove("accept");
    sign(request, base, tools.clock.wall_ns() / kSecondNs);
    co_return co_await ask_sts(scope, tools, std::move(request));
  }

 private:
  void sign(CredentialRequest& request, const Credential& base, int64_t unix_seconds) const {
    const std::string authority = authority_of(request.url.origin);
    const std::string body_hash = sha256_hex(request.body);
    SigV4Request wire{.method = request.method,
                      .path = request.url.target,
                      .query = {},
                      .headers = {{"host", authority}},
                      .body_hash = body_hash};
    wire.headers.push_back({"content-type", request.headers.get_or("content-type", "")});
    const SigV4Credentials credentials{.access_key_id = base.access_key_id,
                                       .secret_access_key = base.secret,
                                       .session_token = base.session_token};
    const SigV4Signed made = sigv4_sign_headers(
        wire, credentials, {.region = role_.sts_region, .service = "sts", .unix_seconds = unix_seconds});
    for (const SigV4Addition& header : made.headers) request.headers.set(header.name, header.value);
  }

  const AwsRole role_;
  const std::unique_ptr<CredentialSource> base_;
};

class ContainerSource final : public CredentialSource {
 public:
  explicit ContainerSource(AwsContainer container) : container_(std::move(container)) {}

  Task<Credential> fetch(Scope& scope, CredentialTools tools) const override {
    constexpr const char* kWhat = "the container's credential server";
    CredentialRequest request{.what = kWhat, .url = container_.url};
    std::string token = container_.token;
    if (!container_.token_file.empty()) {
      token = CO_TRY(co_await load_credential_file(scope, tools, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                                                   container_.token_file));
    }
    if (!token.empty()) request.headers.add("authorization", token);
    std::string body = CO_TRY(co_await fetch_credential_text(scope, tools, std::move(request)));
    co_return parse_metadata_answer(kWhat, std::move(body));
  }

 private:
  const AwsContainer container_;
};

// Where there is no instance the address leads nowhere, and a call must not hang on it.
constexpr Duration kInstanceTimeMax = std::chrono::seconds(3);

class InstanceSource final : public CredentialSource {
 public:
  explicit InstanceSource(Url endpoint) : endpoint_(std::move(endpoint)) {
    while (endpoint_.target.ends_with('/')) endpoint_.target.pop_back();
  }

  Task<Credential> fetch(Scope& scope, CredentialTools tools) const override {
    Scope limited(scope);
    limited.set_deadline(scope.now() + kInstanceTimeMax, ErrorKind::upstream_timeout,
                         "the instance metadata server did not answer");
    Result<Credential> found = co_await ask(limited, tools);
    if (found || scope.is_cancelled()) co_return found;
    Error error = std::move(found).error();
    error.message +=
        "; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile, give the instance a role, "
        "or configure `keys` of the provider";
    co_return fail(std::move(error));
  }

 private:
  CredentialRequest request(std::string_view path) const {
    CredentialRequest made{.what = "the instance metadata server", .url = endpoint_};
    made.url.target += path;
    return made;
  }

  Task<Credential> ask(Scope& scope, CredentialTools tools) const {
    constexpr std::string_view kRoles = "/latest/meta-data/iam/security-credentials/";
    CredentialRequest session = request("/latest/api/token");
    session.method = "PUT";
    session.headers.add("x-aws-ec2-metadata-token-ttl-seconds", "21600");
    const std::string token = CO_TRY(co_await fetch_credential_text(scope, tools, std::move(session)));
    CredentialRequest list = request(kRoles);
    list.headers.add("x-aws-ec2-metadata-token", trim(token));
    const std::string roles = CO_TRY(co_await fetch_credential_text(scope, tools, std::move(list)));
    const std::string role(trim(std::string_view(roles).substr(0, roles.find('\n'))));
    if (role.empty()) co_return fail(ErrorKind::upstream_auth, "the instance has no role");
    CredentialRequest pair = request(std::string(kRoles) + percent_encode(role, UrlPart::segment));
    pair.headers.add("x-aws-ec2-metadata-token", trim(token));
    const std::string what = pair.what;
    std::string body = CO_TRY(co_await fetch_credential_text(scope, tools, std::move(pair)));
    co_return parse_metadata_answer(what, std::move(body));
  }

  Url endpoint_;
};

}  // namespace

std::unique_ptr<CredentialSource> make_aws_static(Credential pair) {
  return std::make_unique<StaticSource>(std::move(pair));
}
std::unique_ptr<CredentialSource> make_aws_web_identity(AwsRole role) {
  return std::make_unique<WebIdentitySource>(std::move(role));
}
std::unique_ptr<CredentialSource> make_aws_assume_role(AwsRole role, std::unique_ptr<CredentialSource> base) {
  return std::make_unique<AssumeRoleSource>(std::move(role), std::move(base));
}
std::unique_ptr<CredentialSource> make_aws_container(AwsContainer container) {
  return std::make_unique<ContainerSource>(std::move(container));
}
std::unique_ptr<CredentialSource> make_aws_instance(Url endpoint) {
  return std::make_unique<InstanceSource>(std::move(endpoint));
}

Result<Credential> parse_sts_answer(std::string_view body) {
  Result<std::vector<XmlField>> fields = read_xml_fields(body);
  if (!fields) {
    Error error = make_error(ErrorKind::upstream_auth, "STS did not answer in XML");
    error.detail = fields.error().message;
    return fail(std::move(error));
  }
  if (const std::string_view code = xml_text(*fields, "ErrorResponse/Error/Code"); !code.empty()) {
    Error error = make_error(
        ErrorKind::upstream_auth,
        fmt::format("STS refused with {}; check the role, its trust policy and whom it is assumed with",
                    code));
    error.detail = xml_text(*fields, "ErrorResponse/Error/Message");
    return fail(std::move(error));
  }
  for (const std::string_view action : {"AssumeRoleWithWebIdentity", "AssumeRole"}) {
    const std::string at = fmt::format("{0}Response/{0}Result/Credentials/", action);
    const std::string_view id = xml_text(*fields, at + "AccessKeyId");
    if (id.empty()) continue;
    const std::string_view secret = xml_text(*fields, at + "SecretAccessKey");
    const std::string_view token = xml_text(*fields, at + "SessionToken");
    const std::optional<int64_t> end = parse_utc_seconds(xml_text(*fields, at + "Expiration"));
    if (secret.empty() || token.empty() || !end) break;
    return Credential{.access_key_id = std::string(id),
                      .secret = Secret::copy_of(secret),
                      .session_token = Secret::copy_of(token),
                      .expires_at_ns = *end * kSecondNs};
  }
  return fail(ErrorKind::upstream_auth, "STS answered without credentials");
}

}  // namespace weir
