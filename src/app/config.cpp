#include "app/config.h"

#include <array>

#include "app/config_rows.h"
#include "app/file_text.h"
#include "app/settings_yaml.h"
#include "provider/catalog_rows.h"

namespace weir {
namespace {

// Enough to mend a file by; a file with more is wrong as a whole.
constexpr size_t kProblemsMax = 100;

// Reads the rows of a map that has members beside them: `others` are taken by the caller.
template <class S>
Result<void> read_rows(std::string_view file, const YamlNode& node, std::string_view what, Rows<S> rows,
                       S& into, std::initializer_list<std::string_view> others) {
  std::vector<std::string_view> known(others);
  for (const Setting<S>& row : rows) known.push_back(row.key);
  if (node.type != YamlType::map) return YamlFields(file, node, what).check(known);
  YamlProblems problems;
  problems.note(YamlFields(file, node, what).check(known));
  YamlNode own = node;
  std::erase_if(own.children, [&](const YamlNode& child) {
    return std::ranges::none_of(rows, [&](const Setting<S>& row) { return row.key == child.key; });
  });
  problems.note(read_settings(file, own, what, rows, into));
  return std::move(problems).outcome();
}

// A text member of a map, for messages about what is wrong elsewhere in it.
std::string text_of(const YamlNode& map, std::string_view key) {
  const YamlNode* node = map.find(key);
  return node && node->type == YamlType::scalar ? node->text : "";
}

// Whether it ends with a path, and has no user before its host.
bool is_plain_address(std::string_view url) {
  if (url.find_first_of("?#") != std::string_view::npos) return false;
  const size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  return url.substr(0, url.find('/')).find('@') == std::string_view::npos;
}

class Reader {
 public:
  Reader(Config& config, std::vector<Error>& problems)
      : config_(config), problems_(problems), file_(config.file) {}

  void read(const YamlNode& root) {
    if (root.type == YamlType::null) return;
    const YamlFields fields(file_, root, "the configuration");
    note(fields.check({"server", "gateway", "fetch", "keep", "translation", "telemetry", "providers",
                       "routes", "aliases", "keys", "catalog"}));
    read_section(root, "server", server_setting_rows(), config_.server);
    read_section(root, "gateway", gateway_setting_rows(), config_.gateway);
    read_section(root, "fetch", fetch_setting_rows(), config_.fetch);
    read_section(root, "keep", keep_setting_rows(), config_.keep);
    read_section(root, "translation", translation_setting_rows(), config_.translation);
    read_section(root, "telemetry", telemetry_setting_rows(), config_.telemetry);
    read_list(fields, "providers", config_.providers,
              [this](const YamlNode& node, ProviderConfig& into) { return read_provider(node, into); });
    read_list(fields, "routes", config_.routes,
              [this](const YamlNode& node, RouteConfig& into) { return read_route(node, into); });
    read_list(fields, "keys", config_.keys,
              [this](const YamlNode& node, KeyConfig& into) { return read_key(node, into); });
    note(read_aliases(root, fields));
    note(read_catalog(root));
  }

 private:
  // True for success; keeps the error otherwise.
  bool note(Result<void> outcome) {
    if (outcome) return true;
    for (const std::string_view line : split(outcome.error().message, '\n')) {
      if (problems_.size() < kProblemsMax)
        problems_.push_back(make_error(ErrorKind::bad_request, std::string(line)));
    }
    return false;
  }

  template <class S>
  void read_section(const YamlNode& root, std::string_view key, Rows<S> rows, S& into) {
    const YamlNode* node = root.find(key);
    if (!node) return;
    for (const YamlNode& member : node->children)
      config_.lines.emplace(fmt::format("{}.{}", key, member.key), member.line);
    note(read_settings(file_, *node, key, rows, into));
  }

  template <class Item, class Read>
  void read_list(const YamlFields& fields, std::string_view key, std::vector<Item>& into, Read read) {
    note(each(fields, key, [&](const YamlNode& node) -> Result<void> {
      Item item;
      item.line = node.line;
      item.has_problem = !note(read(node, item));
      into.push_back(std::move(item));
      return {};
    }));
  }

  template <class Read>
  Result<void> each(const YamlFields& fields, std::string_view key, Read read) {
    const YamlNode* list = TRY(fields.optional_node(key, YamlType::sequence));
    if (!list) return {};
    YamlProblems problems;
    for (const YamlNode& item : list->children) problems.note(read(item));
    return std::move(problems).outcome();
  }

  Result<void> read_aliases(const YamlNode& root, const YamlFields& fields) {
    TRY(fields.text_map("aliases"));  // each a text
    const YamlNode* aliases = root.find("aliases");
    if (!aliases) return {};
    for (const YamlNode& node : aliases->children) {
      config_.aliases.push_back({.line = node.line, .alias = node.key, .model = node.text});
    }
    return {};
  }

  Result<void> read_catalog(const YamlNode& root) {
    const YamlNode* node = root.find("catalog");
    if (!node || node->type == YamlType::null) return {};
    const YamlFields catalog(file_, *node, "catalog");
    TRY(catalog.check(keys_of(catalog_fields())));
    config_.catalog_line = node->line;
    config_.provider_files = TRY(catalog.texts("providers"));
    config_.price_files = TRY(catalog.texts("prices"));
    return {};
  }

  Result<SecretSource> read_secret(const YamlFields& fields) {
    SecretSource source;
    source.env = TRY(fields.optional_text("env"))
    .value_or("");
    source.file = TRY(fields.optional_text("file"))
    .value_or("");
    if (!source.env.empty() && !source.file.empty())
      return fail(fields.error("env", "give either env or file"));
    return source;
  }

  Result<void> read_provider(const YamlNode& node, ProviderConfig& provider) {
    const YamlFields fields(file_, node, "a provider");
    provider.name = text_of(node, "name");
    YamlProblems problems;
    problems.note(fields.check(keys_of(provider_fields())));
    if (node.type != YamlType::map) return std::move(problems).outcome();
    problems.take(fields.text("name"), provider.name);
    provider.kind = provider.name;
    problems.take(fields.optional_text("kind"), provider.kind);
    problems.take(fields.optional_text("base_url"), provider.base_url);
    if (!is_plain_address(provider.base_url)) {
      problems.note(
          fail(fields.error("base_url",
                            "has no query, fragment or user: paths of calls follow it, and it is printed and "
                            "logged; give secrets as `keys`, all else as `headers`")));
    }
    problems.take(fields.optional_text("region"), provider.region);
    problems.take(fields.optional_text("ca_file"), provider.ca_file);
    problems.take(fields.optional_text("auth"), provider.auth);
    problems.take(fields.text_map("headers"), provider.headers);
    problems.note(read_parts(node, fields, provider));
    problems.note(
        each(fields, "keys", [&](const YamlNode& item) { return read_provider_key(item, provider.keys); }));
    return std::move(problems).outcome();
  }

  // The maps within a provider.
  Result<void> read_parts(const YamlNode& node, const YamlFields& fields, ProviderConfig& provider) {
    YamlProblems problems;
    const YamlNode* own = nullptr;
    problems.take(fields.optional_node("capabilities", YamlType::map), own);
    if (own) problems.take(parse_capabilities(file_, *own), provider.capabilities);
    if (const YamlNode* timeouts = node.find("timeouts")) {
      problems.note(read_settings(file_, *timeouts, "timeouts", timeout_rows(), provider.timeouts));
    }
    if (const YamlNode* credentials = node.find("credentials")) {
      problems.note(
          read_settings(file_, *credentials, "credentials", credential_rows(), provider.credentials));
      const CredentialConfig& said = provider.credentials;
      if (!said.client_secret_env.empty() && !said.client_secret_file.empty()) {
        problems.note(fail(
            yaml_error(file_, credentials->line, "give either client_secret_env or client_secret_file")));
      }
    }
    return std::move(problems).outcome();
  }

  Result<void> read_provider_key(const YamlNode& item, std::vector<ProviderKeyConfig>& keys) {
    if (item.type == YamlType::scalar) {
      return fail(
          yaml_error(file_, item.line,
                     "a key is never in the configuration itself: write `{env: NAME}` or `{file: PATH}`"));
    }
    const YamlFields key(file_, item, "a provider's key");
    TRY(key.check(keys_of(provider_key_fields())));
    ProviderKeyConfig entry;
    entry.line = item.line;
    entry.source = TRY(read_secret(key));
    if (entry.source.name().empty()) return fail(key.error("env", "a provider's key needs env or file"));
    entry.access_key_id = TRY(key.optional_text("access_key_id"))
    .value_or("");
    if (const YamlNode* weight = item.find("weight")) {
      TRY(read_value(file_, *weight, entry.weight));
      TRY(check_range(file_, *weight, entry.weight, 0.000001, 1e9));
    }
    keys.push_back(std::move(entry));
    return {};
  }

  Result<void> read_route(const YamlNode& node, RouteConfig& route) {
    route.model = text_of(node, "model");
    YamlProblems problems;
    problems.note(read_rows(file_, node, "a route", route_rows(), route,
                            {"targets", "retry", "fallback", "breaker", "translation"}));
    if (node.type != YamlType::map) return std::move(problems).outcome();
    const YamlFields fields(file_, node, "a route");
    problems.take(fields.text("model"), route.model);
    RetryConfig retry;
    if (const YamlNode* part = node.find("retry"))
      problems.note(read_settings(file_, *part, "retry", retry_rows(), retry));
    route.retry = {.attempts_max = static_cast<int>(retry.attempts_max),
                   .attempts_per_target_max = static_cast<int>(retry.attempts_per_target_max),
                   .backoff_base = retry.backoff_base,
                   .backoff_max = retry.backoff_max,
                   .retry_after_max = retry.retry_after_max};
    if (const YamlNode* part = node.find("fallback")) {
      problems.note(read_settings(file_, *part, "fallback", fallback_rows(), route.fallback));
    }
    route.translation = config_.translation;
    if (const YamlNode* part = node.find("translation"))
      problems.note(
          read_settings(file_, *part, "translation", translation_setting_rows(), route.translation));
    BreakerConfig breaker;
    if (const YamlNode* part = node.find("breaker"))
      problems.note(read_settings(file_, *part, "breaker", breaker_rows(), breaker));
    route.breaker = {.failures_to_open = static_cast<int>(breaker.failures_to_open),
                     .failure_share = breaker.failure_share,
                     .window = static_cast<int>(breaker.window),
                     .open_for = breaker.open_for,
                     .open_for_max = breaker.open_for_max};
    problems.note(each(fields, "targets", [&](const YamlNode& item) -> Result<void> {
      RouteTargetConfig& target = route.targets.emplace_back();
      target.line = item.line;
      TRY(read_settings(file_, item, "a target", target_rows(), target));
      TRY(YamlFields(file_, item, "a target").text("provider"));
      return {};
    }));
    if (problems.empty() && route.targets.empty())
      return fail(fields.error("targets", "a route needs at least one target"));
    return std::move(problems).outcome();
  }

  // An empty list would be none: everything, where somebody meant nothing.
  static Result<std::vector<std::string>> limits(const YamlFields& fields, std::string_view key) {
    std::vector<std::string> patterns = TRY(fields.texts(key));
    if (fields.has(key) && patterns.empty())
      return fail(fields.error(key, "names nothing: leave it out for all, or name what the key may use"));
    return patterns;
  }

  Result<void> read_key(const YamlNode& node, KeyConfig& key) {
    const YamlFields fields(file_, node, "a key");
    YamlProblems problems;
    problems.note(fields.check(keys_of(key_fields())));
    if (node.type != YamlType::map) return std::move(problems).outcome();
    problems.take(fields.text("name"), key.name);
    problems.take(fields.optional_text("hash"), key.hash);
    problems.take(read_secret(fields), key.source);
    problems.take(fields.optional_text("access_key_id"), key.access_key_id);
    problems.take(limits(fields, "models"), key.models);
    problems.take(limits(fields, "regions"), key.regions);
    problems.take(fields.optional_bool("admin"), key.admin);
    // What follows from a problem above is none of its own.
    if (!problems.empty()) return std::move(problems).outcome();
    if (key.hash.empty() == key.source.name().empty()) {
      return fail(fields.error(
          "hash", "a key needs one of hash, env and file; `weir key` makes a key with its hash"));
    }
    if (!key.access_key_id.empty() && !key.hash.empty()) {
      return fail(fields.error("hash", "a signature is verified with the secret itself: give env or file"));
    }
    return {};
  }

  Config& config_;
  std::vector<Error>& problems_;
  const std::string_view file_;
};

}  // namespace

ReadConfig read_config(std::string file, std::string_view text) {
  ReadConfig read;
  read.config.file = std::move(file);
  Result<YamlNode> root = parse_yaml(read.config.file, text);
  if (!root) {
    read.problems.push_back(std::move(root).error());
    return read;
  }
  Reader(read.config, read.problems).read(*root);
  read.config.server_in_file = read.config.server;
  return read;
}

ReadConfig read_config_file(const std::string& path) {
  if (path.empty()) return {};
  Result<std::string> text = read_file_text(path);
  if (text) return read_config(path, *text);
  ReadConfig read;
  read.config.file = path;
  read.problems.push_back(std::move(text).error());
  return read;
}

namespace {
Result<Config> whole(ReadConfig read) {
  if (!read.problems.empty()) return fail(as_one_error(read.problems));
  return std::move(read.config);
}
}  // namespace

Result<Config> parse_config(std::string file, std::string_view text) {
  return whole(read_config(std::move(file), text));
}

Result<Config> load_config(const std::string& path) {
  return whole(read_config_file(path));
}

Error as_one_error(const std::vector<Error>& problems) {
  std::string lines;
  for (const Error& problem : problems) {
    if (!lines.empty()) lines += '\n';
    lines += problem.message;
  }
  return make_error(ErrorKind::bad_request, std::move(lines));
}

}  // namespace weir
