#include "provider/entra_credentials.h"

#include <fmt/core.h>

#include "base/encoding.h"
#include "provider/credential_fetch.h"

namespace weir {
namespace {

constexpr std::string_view kScope = "https://cognitiveservices.azure.com/.default";
constexpr std::string_view kAuthority = "https://login.microsoftonline.com";
constexpr const char* kTokenServer = "Entra's token endpoint";
constexpr std::string_view kAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorKind::bad_request, std::move(message));
}

std::string said_or(const std::string& said, const EntraInputs& inputs, const std::string& name) {
  return said.empty() ? variable(inputs.environment, name) : said;
}

// OAuth 2.0's client credentials: with a secret, or with a token that another issuer keeps in a file.
class ClientSource final : public CredentialSource {
 public:
  ClientSource(Url token_url, Secret form, std::string assertion_file)
      : token_url_(std::move(token_url)),
        form_(std::move(form)),
        assertion_file_(std::move(assertion_file)) {}

  Task<Credential> fetch(Scope& scope, CredentialTools tools) const override {
    std::string form(form_.reveal());
    if (!assertion_file_.empty()) {
      const std::string assertion =
          CO_TRY(co_await load_credential_file(scope, tools, "AZURE_FEDERATED_TOKEN_FILE", assertion_file_));
      form += "&" + form_of({{"client_assertion_type", kAssertionType}, {"client_assertion", assertion}});
    }
    CredentialRequest request = form_request(kTokenServer, token_url_, std::move(form));
    std::string body = CO_TRY(co_await fetch_credential_text(scope, tools, std::move(request)));
    co_return parse_token_answer(kTokenServer, std::move(body), tools.clock.wall_ns());
  }

 private:
  const Url token_url_;
  const Secret form_;
  const std::string assertion_file_;
};

// A GET with a header that no browser sends across origins.
class ManagedSource final : public CredentialSource {
 public:
  ManagedSource(Url url, std::string header, Secret value)
      : url_(std::move(url)), header_(std::move(header)), value_(std::move(value)) {}

  Task<Credential> fetch(Scope& scope, CredentialTools tools) const override {
    constexpr const char* kWhat = "Azure's managed identity";
    CredentialRequest request{.what = kWhat, .url = url_};
    request.headers.add(header_, value_.reveal());
    std::string body = CO_TRY(co_await fetch_credential_text(scope, tools, std::move(request)));
    co_return parse_token_answer(kWhat, std::move(body), tools.clock.wall_ns());
  }

 private:
  const Url url_;
  const std::string header_;
  const Secret value_;
};

Result<ChosenSource> managed_identity(const EntraInputs& inputs, std::string_view scope) {
  std::string resource(scope);
  if (constexpr std::string_view kDefault = "/.default"; resource.ends_with(kDefault)) {
    resource.resize(resource.size() - kDefault.size());
  }
  const std::string endpoint = variable(inputs.environment, "IDENTITY_ENDPOINT");
  const std::string header = variable(inputs.environment, "IDENTITY_HEADER");
  const bool is_app = !endpoint.empty() && !header.empty();
  std::string text = is_app ? endpoint + "?api-version=2019-08-01"
                            : "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01";
  text += "&resource=" + percent_encode(resource, UrlPart::unreserved);
  const std::string client_id = said_or(inputs.client_id, inputs, "AZURE_CLIENT_ID");
  if (!client_id.empty()) text += "&client_id=" + percent_encode(client_id, UrlPart::unreserved);
  Result<Url> url = parse_url(text);
  if (!url) return refuse("IDENTITY_ENDPOINT: " + url.error().message);
  std::string identity = identity_of({text, header});
  return ChosenSource{
      .name = "Azure managed identity",
      .identity = std::move(identity),
      .source = std::make_unique<ManagedSource>(*std::move(url), is_app ? "x-identity-header" : "metadata",
                                                Secret::copy_of(is_app ? header : "true"))};
}

}  // namespace

bool has_entra_inputs(const EntraInputs& inputs) {
  return inputs.uses_managed_identity || !inputs.client_secret.empty() ||
         !variable(inputs.environment, "AZURE_CLIENT_SECRET").empty() ||
         !variable(inputs.environment, "AZURE_FEDERATED_TOKEN_FILE").empty();
}

Result<ChosenSource> choose_entra_source(const EntraInputs& inputs) {
  const std::string scope = inputs.scope.empty() ? std::string(kScope) : inputs.scope;
  if (inputs.uses_managed_identity) return managed_identity(inputs, scope);
  const std::string tenant = said_or(inputs.tenant_id, inputs, "AZURE_TENANT_ID");
  const std::string client = said_or(inputs.client_id, inputs, "AZURE_CLIENT_ID");
  if (tenant.empty()) return refuse("Entra needs a tenant: set AZURE_TENANT_ID or credentials.tenant_id");
  if (client.empty()) return refuse("Entra needs a client: set AZURE_CLIENT_ID or credentials.client_id");
  std::string authority = variable(inputs.environment, "AZURE_AUTHORITY_HOST");
  if (authority.empty()) authority = kAuthority;
  while (authority.ends_with('/')) authority.pop_back();
  Result<Url> url =
      parse_url(fmt::format("{}/{}/oauth2/v2.0/token", authority, percent_encode(tenant, UrlPart::segment)));
  if (!url) return refuse("AZURE_AUTHORITY_HOST: " + url.error().message);
  const std::string of_environment = variable(inputs.environment, "AZURE_CLIENT_SECRET");
  const std::string_view secret =
      inputs.client_secret.empty() ? std::string_view(of_environment) : inputs.client_secret.reveal();
  std::string form = form_of({{"grant_type", "client_credentials"}, {"client_id", client}, {"scope", scope}});
  std::string file;
  if (secret.empty()) {
    file = variable(inputs.environment, "AZURE_FEDERATED_TOKEN_FILE");
  } else {
    form += "&" + form_of({{"client_secret", secret}});
  }
  std::string identity = identity_of({authority, tenant, form, file});
  return ChosenSource{
      .name = file.empty() ? "Entra client secret" : "Entra workload identity",
      .identity = std::move(identity),
      .source = std::make_unique<ClientSource>(*std::move(url), Secret(std::move(form)), file)};
}

}  // namespace weir
