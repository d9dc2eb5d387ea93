#include "app/config_rows.h"

#include <array>

namespace weir {

Rows<ProviderTimeouts> timeout_rows() {
  using Row = Setting<ProviderTimeouts>;
  static const std::array kRows = {
      Row{.key = "connect",
          .member = &ProviderTimeouts::connect,
          .sentence = "To connect to each of its addresses; a TLS handshake may take twice that.",
          .min = 0.001,
          .max = 600},
      Row{.key = "first_event",
          .member = &ProviderTimeouts::first_event,
          .sentence =
              "From sending a streamed request to the first of the answer itself; thinking that is not shown "
              "counts as waiting.",
          .min = 0.001,
          .max = 86'400},
      Row{.key = "answer",
          .member = &ProviderTimeouts::answer,
          .sentence =
              "From sending a request whose answer is not streamed until it begins, which is when the "
              "provider has finished it: as long as the vendors' SDKs wait by default. A request that may "
              "fall back needs more time than that in all.",
          .min = 0.001,
          .max = 86'400},
      Row{.key = "idle",
          .member = &ProviderTimeouts::idle,
          .sentence = "Between two pieces of an answer, streamed or whole.",
          .min = 0.001,
          .max = 86'400},
  };
  return kRows;
}

Rows<CredentialConfig> credential_rows() {
  using Row = Setting<CredentialConfig>;
  static const std::array kRows = {
      Row{.key = "profile",
          .member = &CredentialConfig::profile,
          .sentence = "AWS: the profile of ~/.aws; AWS_PROFILE when left out."},
      Row{.key = "file",
          .member = &CredentialConfig::file,
          .sentence = "Google: the JSON file of a service account or a user; GOOGLE_APPLICATION_CREDENTIALS "
                      "when left out."},
      Row{.key = "tenant_id",
          .member = &CredentialConfig::tenant_id,
          .sentence = "Entra: the tenant; AZURE_TENANT_ID when left out."},
      Row{.key = "client_id",
          .member = &CredentialConfig::client_id,
          .sentence = "Entra: the application; AZURE_CLIENT_ID when left out."},
      Row{.key = "client_secret_env",
          .member = &CredentialConfig::client_secret_env,
          .sentence = "Entra: the variable that holds its secret; AZURE_CLIENT_SECRET when left out."},
      Row{.key = "client_secret_file",
          .member = &CredentialConfig::client_secret_file,
          .sentence = "Or the file that holds it."},
      Row{.key = "managed_identity",
          .member = &CredentialConfig::managed_identity,
          .sentence = "Entra: use the identity of the machine that Weir runs on."},
      Row{.key = "scope",
          .member = &CredentialConfig::scope,
          .sentence =
              "Google, Entra: what the token is for; that of the vendor's AI services when left out."},
  };
  return kRows;
}

Rows<RetryConfig> retry_rows() {
  using Row = Setting<RetryConfig>;
  static const std::array kRows = {
      Row{.key = "attempts_max",
          .member = &RetryConfig::attempts_max,
          .sentence = "Calls over all targets, the first one included. One is kept for each target that was "
                      "not tried yet: a target is called again only when there are more than that.",
          .min = 1,
          .max = 100},
      Row{.key = "attempts_per_target_max",
          .member = &RetryConfig::attempts_per_target_max,
          .sentence = "Calls of one target.",
          .min = 1,
          .max = 100},
      Row{.key = "backoff_base",
          .member = &RetryConfig::backoff_base,
          .sentence = "The first pause is a random part of this; each further one of twice as much.",
          .min = 0,
          .max = 600},
      Row{.key = "backoff_max",
          .member = &RetryConfig::backoff_max,
          .sentence = "The longest pause.",
          .min = 0,
          .max = 600},
      Row{.key = "retry_after_max",
          .member = &RetryConfig::retry_after_max,
          .sentence = "A provider's Retry-After longer than this is not waited for; a shorter one only when "
                      "no other target could answer.",
          .min = 0,
          .max = 3600},
  };
  return kRows;
}

Rows<FallbackRules> fallback_rows() {
  using Row = Setting<FallbackRules>;
  static const std::array kRows = {
      Row{.key = "on_content_policy",
          .member = &FallbackRules::on_content_policy,
          .sentence = "Try the next target when one refuses the content."},
      Row{.key = "on_rate_limit",
          .member = &FallbackRules::on_rate_limit,
          .sentence = "Try the next target when one is rate limited."},
      Row{.key = "on_auth",
          .member = &FallbackRules::on_auth,
          .sentence = "Try the next target when one refuses the keys that Weir has for it; else its callers "
                      "learn of it at once."},
  };
  return kRows;
}

Rows<BreakerConfig> breaker_rows() {
  using Row = Setting<BreakerConfig>;
  static const std::array kRows = {
      Row{.key = "failures_to_open",
          .member = &BreakerConfig::failures_to_open,
          .sentence = "Failures in a row after which a target is put aside. It is one, too, when a request's "
                      "time runs out at a target that had at least 10s and half of that time.",
          .min = 1,
          .max = 10'000},
      Row{.key = "failure_share",
          .member = &BreakerConfig::failure_share,
          .sentence = "Or this share of failures among the last `window` calls.",
          .min = 0.01,
          .max = 1},
      Row{.key = "window",
          .member = &BreakerConfig::window,
          .sentence = "How many calls the share is taken over.",
          .min = 1,
          .max = 10'000},
      Row{.key = "open_for",
          .member = &BreakerConfig::open_for,
          .sentence = "How long before one call is let through as a probe; doubled after each failed one.",
          .min = 0.01,
          .max = 3600},
      Row{.key = "open_for_max",
          .member = &BreakerConfig::open_for_max,
          .sentence = "The longest such time.",
          .min = 0.01,
          .max = 86'400},
  };
  return kRows;
}

Rows<RouteConfig> route_rows() {
  using Row = Setting<RouteConfig>;
  static const std::array kRows = {
      Row{.key = "model",
          .member = &RouteConfig::model,
          .sentence = "The public model name, with at most one '*'."},
      Row{.key = "strategy",
          .member = &RouteConfig::strategy,
          .sentence = "How targets of the same priority are ordered.",
          .choices = "weighted|least_latency|least_cost|least_busy|round_robin|ordered"},
      Row{.key = "sticky",
          .member = &RouteConfig::sticky,
          .sentence = "Send the same x-weir-session, or else the same prompt_cache_key, to the same target "
                      "while it is healthy."},
      Row{.key = "timeout",
          .member = &RouteConfig::timeout,
          .sentence = "Time limit of a whole model call on this route.",
          .min = 0.001,
          .max = 86'400},
      Row{.key = "first_event",
          .member = &RouteConfig::first_event,
          .sentence = "Instead of the provider's first_event.",
          .min = 0.001,
          .max = 86'400},
      Row{.key = "answer",
          .member = &RouteConfig::answer,
          .sentence = "Instead of the provider's answer.",
          .min = 0.001,
          .max = 86'400},
      Row{.key = "choices",
          .member = &RouteConfig::choices,
          .sentence = "Instead of the gateway's choices.",
          .choices = "error|fanout"},
      Row{.key = "on_client_gone",
          .member = &RouteConfig::on_client_gone,
          .sentence = "Instead of the gateway's on_client_gone.",
          .choices = "cancel|drain"},
  };
  return kRows;
}

Rows<RouteTargetConfig> target_rows() {
  using Row = Setting<RouteTargetConfig>;
  static const std::array kRows = {
      Row{.key = "provider", .member = &RouteTargetConfig::provider, .sentence = "Name of a provider."},
      Row{.key = "model",
          .member = &RouteTargetConfig::model,
          .sentence = "The provider's name of the model; '*' is what the route's '*' matched."},
      Row{.key = "weight",
          .member = &RouteTargetConfig::weight,
          .sentence = "Share among targets of the same priority.",
          .min = 0.000001,
          .max = 1e9},
      Row{.key = "priority",
          .member = &RouteTargetConfig::priority,
          .sentence = "Lower is tried first.",
          .min = 0,
          .max = 1000},
      Row{.key = "concurrency",
          .member = &RouteTargetConfig::concurrency,
          .sentence =
              "Calls at a time; more wait in a queue that is fair between keys. 0: no cap. Of several "
              "routes to one target the smallest cap counts.",
          .min = 0,
          .max = 1'000'000},
      Row{.key = "region",
          .member = &RouteTargetConfig::region,
          .sentence =
              "Where it runs, for `regions` of keys and x-weir-region; the provider's when left out."},
  };
  return kRows;
}

std::span<const FieldNote> provider_fields() {
  static constexpr std::array kFields = {
      FieldNote{"name", "text", "What routes call it; unique."},
      FieldNote{"kind", "text", "A row of config/providers.yaml; the name when left out."},
      FieldNote{"base_url", "text", "Where it is; needed where the kind has no usual address."},
      FieldNote{"auth", "text",
                "Instead of the kind's: bearer, x_api_key, sigv4, google, entra or none. sigv4, google and "
                "entra use `keys` where there are any, else credentials that Weir fetches and renews."},
      FieldNote{"keys", "list",
                "Its keys, from the environment or files; the kind's usual variable when left out."},
      FieldNote{"credentials", "map",
                "Where sigv4, google and entra take theirs from, where the environment does not say it."},
      FieldNote{"headers", "map", "Headers that are sent with every call."},
      FieldNote{"region", "text",
                "Where it runs: for signatures, for residency and the log, and for {region} in base_url."},
      FieldNote{"ca_file", "text",
                "PEM file of the only authorities that are trusted at its https address; the system's when "
                "left out."},
      FieldNote{"capabilities", "map",
                "What its models can do, over what the tables say, e.g. {vision: false, context: 8192}; keys "
                "as in config/prices.yaml."},
      FieldNote{"timeouts", "map", "connect, first_event, answer, idle."},
  };
  return kFields;
}

std::span<const FieldNote> provider_key_fields() {
  static constexpr std::array kFields = {
      FieldNote{"env", "text", "The environment variable that holds the key."},
      FieldNote{"file", "text", "Or the file that holds it."},
      FieldNote{"weight", "number", "Its share among the provider's keys; 1 when left out."},
      FieldNote{"access_key_id", "text", "With auth sigv4: env or file holds this AWS key's secret."},
  };
  return kFields;
}

std::span<const FieldNote> key_fields() {
  static constexpr std::array kFields = {
      FieldNote{"name", "text", "Who it belongs to; shown in the access log."},
      FieldNote{"hash", "text", "sha256:..., as `weir key` prints it."},
      FieldNote{"env", "text", "Or the environment variable that holds the key."},
      FieldNote{"file", "text", "Or the file that holds it."},
      FieldNote{"access_key_id", "text",
                "For AWS's SDKs: env or file holds the secret of this id; `weir key --sigv4` makes a pair."},
      FieldNote{"models", "list", "Patterns of the models it may call, e.g. openai/*; all when left out."},
      FieldNote{
          "regions", "list",
          "Patterns of the regions that its model calls may go to, e.g. eu-*; anywhere when left out. A "
          "target whose region nobody states is within none."},
      FieldNote{"admin", "true or false", "Whether it may use the admin plane."},
  };
  return kFields;
}

std::span<const FieldNote> catalog_fields() {
  static constexpr std::array kFields = {
      FieldNote{"providers", "list", "Files of provider kinds over the built-in ones."},
      FieldNote{"prices", "list", "Files of models and prices over the built-in ones."},
  };
  return kFields;
}

std::vector<std::string_view> keys_of(std::span<const FieldNote> fields) {
  std::vector<std::string_view> keys;
  keys.reserve(fields.size());
  for (const FieldNote& field : fields) keys.push_back(field.key);
  return keys;
}

}  // namespace weir
