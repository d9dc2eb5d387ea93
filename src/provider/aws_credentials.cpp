// Which source: the chain, walked once when the configuration is compiled.
#include "provider/aws_credentials.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <fstream>

#include "base/text.h"
#include "provider/aws_profile.h"
#include "provider/aws_sources.h"
#include "provider/credential_fetch.h"

namespace weir {
namespace {

using Settings = AwsProfiles::Settings;

constexpr std::string_view kSessionName = "weir";
constexpr int kProfilesInARow = 5;

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorKind::bad_request, std::move(message));
}

std::string setting(const Settings& settings, const std::string& name) {
  const auto found = settings.find(name);
  return found == settings.end() ? "" : found->second;
}

// The endpoint that the variable names, else `usual`.
Result<Url> endpoint(const std::map<std::string, std::string>& environment, const std::string& name,
                     const std::string& usual) {
  const std::string said = variable(environment, name);
  Result<Url> url = parse_url(said.empty() ? usual : said);
  if (!url) return refuse(fmt::format("{}: {}", name, url.error().message));
  return url;
}

class Chain {
 public:
  explicit Chain(const AwsInputs& inputs) : inputs_(inputs), environment_(inputs.environment) {}

  Result<ChosenSource> choose() {
    region_ = inputs_.region.empty() ? aws_region_of_environment(environment_) : inputs_.region;
    const std::string id = env("AWS_ACCESS_KEY_ID");
    if (!id.empty()) return from_environment(id);
    if (!env("AWS_WEB_IDENTITY_TOKEN_FILE").empty()) return web_identity_of_environment();
    std::optional<ChosenSource> profile = TRY(from_profile());
    if (profile) return *std::move(profile);
    return of_machine();
  }

 private:
  std::string env(const std::string& name) const { return variable(environment_, name); }

  Result<ChosenSource> from_environment(const std::string& id) const {
    const std::string secret = env("AWS_SECRET_ACCESS_KEY");
    if (secret.empty()) return refuse("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
    return made("AWS keys of the environment", pair_of(id, secret, env("AWS_SESSION_TOKEN")),
                {id, secret, env("AWS_SESSION_TOKEN")});
  }

  static std::unique_ptr<CredentialSource> pair_of(const std::string& id, const std::string& secret,
                                                   const std::string& token) {
    return make_aws_static(
        {.access_key_id = id, .secret = Secret::copy_of(secret), .session_token = Secret::copy_of(token)});
  }

  ChosenSource made(std::string name, std::unique_ptr<CredentialSource> source,
                    const std::vector<std::string>& parts) const {
    std::vector<std::string_view> all{name, region_};
    for (const std::string& part : parts) all.push_back(part);
    for (const std::string& part : used_) all.push_back(part);
    std::string identity = identity_of(all);
    return {.name = std::move(name), .identity = std::move(identity), .source = std::move(source)};
  }

  // ---- STS

  Result<AwsRole> role_of(std::string arn, std::string session_name) const {
    AwsRole role;
    role.sts_region = region_.empty() ? "us-east-1" : region_;
    const std::string_view top = role.sts_region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    role.sts = TRY(endpoint(environment_, "AWS_ENDPOINT_URL_STS",
                            fmt::format("https://sts.{}.{}", role.sts_region, top)));
    role.role_arn = std::move(arn);
    role.session_name = session_name.empty() ? std::string(kSessionName) : std::move(session_name);
    return role;
  }

  Result<ChosenSource> web_identity_of_environment() const {
    const std::string arn = env("AWS_ROLE_ARN");
    if (arn.empty()) return refuse("AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
    AwsRole role = TRY(role_of(arn, env("AWS_ROLE_SESSION_NAME")));
    role.web_token_file = env("AWS_WEB_IDENTITY_TOKEN_FILE");
    const std::vector<std::string> parts{arn, role.web_token_file, role.session_name,
                                         to_string(role.sts.origin)};
    return made("AWS web identity", make_aws_web_identity(std::move(role)), parts);
  }

  // ---- Profiles

  Result<void> read_profiles(AwsProfileFile kind, const std::string& variable_name, const char* usual) {
    std::string path = env(variable_name);
    if (path.empty() && !env("HOME").empty()) path = env("HOME") + usual;
    if (path.empty() || !std::ifstream(path)) return {};
    Result<std::string> text = read_credential_file("AWS's profiles", path);
    if (!text) return {};  // empty
    if (Result<void> added = profiles_.add(kind, *text); !added) {
      return refuse(fmt::format("{} {}", path, added.error().message));
    }
    return {};
  }

  // Nothing when no profile was asked for and there is no default one with credentials.
  Result<std::optional<ChosenSource>> from_profile() {
    TRY(read_profiles(AwsProfileFile::credentials, "AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials"));
    TRY(read_profiles(AwsProfileFile::config, "AWS_CONFIG_FILE", "/.aws/config"));
    std::string name = inputs_.profile.empty() ? env("AWS_PROFILE") : inputs_.profile;
    const bool is_asked_for = !name.empty();
    if (!is_asked_for) name = "default";
    const Settings* settings = profiles_.find(name);
    if (!settings && is_asked_for) return refuse(fmt::format("AWS's files hold no profile {}", name));
    if (!settings || (!is_asked_for && !has_credentials(*settings))) return std::nullopt;
    if (region_.empty()) region_ = setting(*settings, "region");
    std::unique_ptr<CredentialSource> source = TRY(source_of(name, kProfilesInARow));
    return made(fmt::format("AWS profile {}", name), std::move(source), {});
  }

  static bool has_credentials(const Settings& settings) {
    constexpr std::array<const char*, 5> kSigns = {"aws_access_key_id", "role_arn", "credential_process",
                                                   "sso_session", "sso_start_url"};
    return std::ranges::any_of(kSigns, [&](const char* sign) { return settings.contains(sign); });
  }

  Result<std::unique_ptr<CredentialSource>> source_of(const std::string& name, int rest) {
    const Settings* found = profiles_.find(name);
    if (!found) return refuse(fmt::format("AWS's files hold no profile {}", name));
    const Settings& settings = *found;
    for (const auto& [key, value] : settings) used_.push_back(key + "=" + value);
    if (!setting(settings, "role_arn").empty()) return role_source(name, settings, rest);
    const std::string id = setting(settings, "aws_access_key_id");
    const std::string secret = setting(settings, "aws_secret_access_key");
    if (!id.empty() && !secret.empty()) return pair_of(id, secret, setting(settings, "aws_session_token"));
    for (const char* const sign : {"sso_session", "sso_start_url", "credential_process"}) {
      if (settings.contains(sign)) {
        return refuse(
            fmt::format("the AWS profile {} needs {}, which Weir does not do: name a profile with keys or "
                        "a role, or export its credentials to the environment",
                        name, sign));
      }
    }
    return refuse(
        fmt::format("the AWS profile {} has no credentials: it needs aws_access_key_id and "
                    "aws_secret_access_key, or role_arn",
                    name));
  }

  Result<std::unique_ptr<CredentialSource>> role_source(const std::string& name, const Settings& settings,
                                                        int rest) {
    if (!setting(settings, "mfa_serial").empty()) {
      return refuse(fmt::format("the AWS profile {} asks for MFA, which a server cannot answer", name));
    }
    AwsRole role = TRY(role_of(setting(settings, "role_arn"), setting(settings, "role_session_name")));
    role.duration_s = setting(settings, "duration_seconds");
    if (!std::ranges::all_of(role.duration_s, [](char c) { return c >= '0' && c <= '9'; })) {
      return refuse(fmt::format("duration_seconds of the AWS profile {} is not a number", name));
    }
    role.web_token_file = setting(settings, "web_identity_token_file");
    if (!role.web_token_file.empty()) return make_aws_web_identity(std::move(role));
    role.external_id = setting(settings, "external_id");
    const std::string other = setting(settings, "source_profile");
    const std::string kind = setting(settings, "credential_source");
    if (rest == 0)
      return refuse(fmt::format("too many source_profile in a row, up to the AWS profile {}", name));
    std::unique_ptr<CredentialSource> base;
    if (!other.empty()) {
      base = TRY(other == name ? own_pair(name, settings) : source_of(other, rest - 1));
    } else if (kind == "Environment") {
      base = TRY(from_environment(env("AWS_ACCESS_KEY_ID")))
      .source;
    } else if (kind == "Ec2InstanceMetadata") {
      base = TRY(instance());
    } else if (kind == "EcsContainer") {
      base = TRY(container());
    } else {
      return refuse(
          fmt::format("the AWS profile {} has a role_arn, but neither source_profile, credential_source nor "
                      "web_identity_token_file",
                      name));
    }
    return make_aws_assume_role(std::move(role), std::move(base));
  }

  // A profile may be its own source: then its keys are meant.
  static Result<std::unique_ptr<CredentialSource>> own_pair(const std::string& name,
                                                            const Settings& settings) {
    const std::string id = setting(settings, "aws_access_key_id");
    const std::string secret = setting(settings, "aws_secret_access_key");
    if (id.empty() || secret.empty())
      return refuse(fmt::format("the AWS profile {} is its own source without keys", name));
    return pair_of(id, secret, setting(settings, "aws_session_token"));
  }

  // ---- What the machine gives

  Result<ChosenSource> of_machine() const {
    if (has_container()) {
      return made("AWS container", TRY(container()),
                  {env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), env("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
                   env("AWS_CONTAINER_AUTHORIZATION_TOKEN"), env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")});
    }
    if (equals_ignore_case(env("AWS_EC2_METADATA_DISABLED"), "true")) {
      return refuse(
          "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE or "
          "AWS_BEARER_TOKEN_BEDROCK, or give the provider `keys`");
    }
    return made("AWS instance", TRY(instance()), {env("AWS_EC2_METADATA_SERVICE_ENDPOINT")});
  }

  bool has_container() const {
    return !env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").empty() ||
           !env("AWS_CONTAINER_CREDENTIALS_FULL_URI").empty();
  }

  Result<std::unique_ptr<CredentialSource>> container() const {
    constexpr std::string_view kHost = "http://169.254.170.2";
    if (!has_container()) return refuse("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set");
    const std::string relative = env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const std::string full = env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    Result<Url> url = parse_url(relative.empty() ? full : std::string(kHost) + relative);
    if (!url) return refuse("AWS_CONTAINER_CREDENTIALS_...URI: " + url.error().message);
    // The token travels in clear text to the machine itself alone.
    const std::string& host = url->origin.host;
    const bool is_near = host == "localhost" || host == "127.0.0.1" || host == "::1" ||
                         host == "169.254.170.2" || host == "169.254.170.23" || host == "fd00:ec2::23";
    if (!url->origin.is_tls && !is_near) {
      return refuse("AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or lead to this machine");
    }
    return make_aws_container({.url = *std::move(url),
                               .token = env("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
                               .token_file = env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")});
  }

  Result<std::unique_ptr<CredentialSource>> instance() const {
    return make_aws_instance(
        TRY(endpoint(environment_, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254")));
  }

  const AwsInputs& inputs_;
  const std::map<std::string, std::string>& environment_;
  std::string region_;
  AwsProfiles profiles_;
  std::vector<std::string> used_;  // settings of profiles that went into the source
};

}  // namespace

Result<ChosenSource> choose_aws_source(const AwsInputs& inputs) {
  return Chain(inputs).choose();
}

std::string aws_region_of_host(std::string_view host) {
  constexpr std::array<std::string_view, 2> kEnds = {".amazonaws.com", ".amazonaws.com.cn"};
  for (const std::string_view end : kEnds) {
    if (!host.ends_with(end)) continue;
    const std::string_view rest = host.substr(0, host.size() - end.size());
    const size_t dot = rest.rfind('.');
    // "us-east-1", "us-gov-west-1": what else stands there is a service.
    if (dot != std::string_view::npos && std::ranges::count(rest.substr(dot + 1), '-') >= 2) {
      const std::string_view region = rest.substr(dot + 1);
      if (region.back() >= '0' && region.back() <= '9') return std::string(region);
    }
  }
  return {};
}

std::string aws_region_of_environment(const std::map<std::string, std::string>& environment) {
  const std::string region = variable(environment, "AWS_REGION");
  return region.empty() ? variable(environment, "AWS_DEFAULT_REGION") : region;
}

}  // namespace weir
