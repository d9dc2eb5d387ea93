#include "provider/google_credentials.h"

#include <fmt/core.h>
#include <fstream>

#include "base/encoding.h"
#include "base/json.h"
#include "base/signature.h"
#include "io/pool.h"
#include "provider/credential_fetch.h"

namespace weir {
namespace {

constexpr std::string_view kScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr const char* kTokenUrl = "https://oauth2.googleapis.com/token";
constexpr const char* kTokenServer = "Google's token endpoint";
constexpr int64_t kAssertionSeconds = 3600;
constexpr int64_t kSecondNs = 1'000'000'000;

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorKind::bad_request, std::move(message));
}

struct ServiceAccount {
  std::string email;
  std::string key_id;
  std::string scope;
  std::string audience;  // the token endpoint as the file spells it
  Url token_url;
};

// RFC 7523: a signed assertion, exchanged for a token.
class ServiceAccountSource final : public CredentialSource {
 public:
  ServiceAccountSource(ServiceAccount account, PrivateKey key)
      : account_(std::move(account)), key_(std::move(key)) {}

  Task<Credential> fetch(Scope& scope, CredentialTools tools) const override {
    const std::string claims = claims_at(tools.clock.wall_ns() / kSecondNs);
    const PrivateKey key = key_;
    // An RSA signature takes longer than a core may be kept.
    const std::string assertion =
        CO_TRY(co_await tools.files.run(scope, [key, claims]() -> Result<std::string> {
          return claims + "." + base64url_encode(key.sign(claims));
        }));
    CredentialRequest request = form_request(
        kTokenServer, account_.token_url,
        form_of({{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", assertion}}));
    std::string body = CO_TRY(co_await fetch_credential_text(scope, tools, std::move(request)));
    co_return parse_token_answer(kTokenServer, std::move(body), tools.clock.wall_ns());
  }

 private:
  // Header and claims, encoded: what is signed.
  std::string claims_at(int64_t now) const {
    std::string header;
    JsonWriter head(header);
    head.begin_object().key("alg").value("RS256").key("typ").value("JWT");
    if (!account_.key_id.empty()) head.key("kid").value(account_.key_id);
    head.end_object();
    std::string claims;
    JsonWriter json(claims);
    json.begin_object().key("iss").value(account_.email).key("scope").value(account_.scope);
    json.key("aud").value(account_.audience).key("iat").value(now);
    json.key("exp").value(now + kAssertionSeconds).end_object();
    return base64url_encode(header) + "." + base64url_encode(claims);
  }

  const ServiceAccount account_;
  const PrivateKey key_;
};

class RefreshSource final : public CredentialSource {
 public:
  RefreshSource(Url token_url, Secret form) : token_url_(std::move(token_url)), form_(std::move(form)) {}

  Task<Credential> fetch(Scope& scope, CredentialTools tools) const override {
    CredentialRequest request = form_request(kTokenServer, token_url_, std::string(form_.reveal()));
    std::string body = CO_TRY(co_await fetch_credential_text(scope, tools, std::move(request)));
    co_return parse_token_answer(kTokenServer, std::move(body), tools.clock.wall_ns());
  }

 private:
  const Url token_url_;
  const Secret form_;
};

class MetadataSource final : public CredentialSource {
 public:
  explicit MetadataSource(Url url) : url_(std::move(url)) {}

  Task<Credential> fetch(Scope& scope, CredentialTools tools) const override {
    constexpr const char* kWhat = "Google's metadata server";
    CredentialRequest request{.what = kWhat, .url = url_, .headers = {{"metadata-flavor", "Google"}}};
    Result<std::string> body = co_await fetch_credential_text(scope, tools, std::move(request));
    if (!body) {
      Error error = std::move(body).error();
      error.message +=
          "; set GOOGLE_APPLICATION_CREDENTIALS to a key file, run `gcloud auth "
          "application-default login`, or run where Google gives a service account";
      co_return fail(std::move(error));
    }
    co_return parse_token_answer(kWhat, *std::move(body), tools.clock.wall_ns());
  }

 private:
  const Url url_;
};

Result<Url> token_url_of(JsonValue root) {
  Result<Url> url = parse_url(root["token_uri"].string_or(kTokenUrl));
  if (!url) return refuse("token_uri of Google's credentials: " + url.error().message);
  return url;
}

Result<std::string> text_of(JsonValue root, std::string_view key) {
  const std::string_view text = root[key].string_or("");
  if (text.empty()) return refuse(fmt::format("Google's credentials have no {}", key));
  return std::string(text);
}

Result<ChosenSource> from_file(const std::string& path, std::string_view scope) {
  Result<std::string> text = read_credential_file("Google's credentials", path);
  if (!text) return refuse(fmt::format("{}: {}", path, text.error().message));
  std::string identity = identity_of({*text, scope});
  const Result<JsonDoc> doc = JsonDoc::parse(*std::move(text));
  if (!doc) return refuse(fmt::format("{}: {}", path, doc.error().message));
  const JsonValue root = doc->root();
  const std::string_view type = root["type"].string_or("");
  if (type == "service_account") {
    ServiceAccount account {
      .email = TRY(text_of(root, "client_email"))
      , .key_id = std::string(root["private_key_id"].string_or("")), .scope = std::string(scope),
          .audience = std::string(root["token_uri"].string_or(kTokenUrl)),
          .token_url = TRY(token_url_of(root))
    };
    Result<PrivateKey> key = PrivateKey::from_pem(Secret(TRY(text_of(root, "private_key"))));
    if (!key) return refuse("private_key of Google's credentials: " + key.error().message);
    if (key->algorithm() != SignatureAlgorithm::rs256)
      return refuse("private_key of Google's credentials must be RSA");
    return ChosenSource{
        .name = "Google service account",
        .identity = std::move(identity),
        .source = std::make_unique<ServiceAccountSource>(std::move(account), *std::move(key))};
  }
  if (type == "authorized_user") {
    std::string form = form_of({{"grant_type", "refresh_token"},
                                {"client_id", TRY(text_of(root, "client_id"))},
                                {"client_secret", TRY(text_of(root, "client_secret"))},
                                {"refresh_token", TRY(text_of(root, "refresh_token"))}});
    return ChosenSource {
      .name = "Google user", .identity = std::move(identity),
      .source = std::make_unique<RefreshSource>(TRY(token_url_of(root)), Secret(std::move(form)))
    };
  }
  return refuse(
      fmt::format("Google's credentials are of the type '{}', which Weir does not do; it takes "
                  "service_account and authorized_user",
                  type));
}

// Where gcloud keeps what `gcloud auth application-default login` made.
std::string gcloud_file(const std::map<std::string, std::string>& environment) {
  constexpr std::string_view kName = "/application_default_credentials.json";
  const std::string directory = variable(environment, "CLOUDSDK_CONFIG");
  if (!directory.empty()) return directory + std::string(kName);
  const std::string home = variable(environment, "HOME");
  return home.empty() ? "" : home + "/.config/gcloud" + std::string(kName);
}

}  // namespace

Result<ChosenSource> choose_google_source(const GoogleInputs& inputs) {
  const std::string_view scope = inputs.scope.empty() ? kScope : std::string_view(inputs.scope);
  std::string path = inputs.file;
  if (path.empty()) path = variable(inputs.environment, "GOOGLE_APPLICATION_CREDENTIALS");
  if (!path.empty()) return from_file(path, scope);
  path = gcloud_file(inputs.environment);
  if (!path.empty() && std::ifstream(path)) return from_file(path, scope);
  std::string host = variable(inputs.environment, "GCE_METADATA_HOST");
  if (host.empty()) host = "metadata.google.internal";
  Result<Url> url =
      parse_url(fmt::format("http://{}/computeMetadata/v1/instance/service-accounts/default/token", host));
  if (!url) return refuse("GCE_METADATA_HOST: " + url.error().message);
  if (!inputs.scope.empty()) url->target += "?scopes=" + percent_encode(scope, UrlPart::unreserved);
  std::string identity = identity_of({host, scope});
  return ChosenSource{.name = "Google metadata server",
                      .identity = std::move(identity),
                      .source = std::make_unique<MetadataSource>(*std::move(url))};
}

}  // namespace weir
