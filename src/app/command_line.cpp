#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fmt/core.h>

#include "app/bench.h"
#include "app/client_commands.h"
#include "app/compile.h"
#include "app/config.h"
#include "app/config_docs.h"
#include "app/effective.h"
#include "app/machine_check.h"
#include "app/serve.h"
#include "app/version.h"
#include "base/json.h"
#include "base/text.h"
#include "provider/extract_target.h"
#include "security/api_keys.h"

namespace weir {
namespace {

constexpr const char* kDefaultUrl = "http://127.0.0.1:7480";
constexpr const char* kDefaultAdminUrl = "http://127.0.0.1:7481";

void add_serve(CLI::App& app, int& status) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* serve = app.add_subcommand("serve", "Run the server.");
  serve->add_option("--config,config", options->config, "Configuration file; without it the defaults hold");
  serve->add_option("--listen", options->listen,
                    "Address of the data plane, e.g. 127.0.0.1:7480; port 0 takes a free one");
  serve->add_option("--admin-listen", options->admin_listen,
                    "Address of the admin plane, e.g. 127.0.0.1:7481");
  serve->add_option("--data-dir", options->data_dir, "Where Weir keeps what it must not lose");
  serve->add_option(
      "--ready-file", options->ready_file,
      "Gets {\"url\",\"admin_url\",\"pid\"} once requests are served; removed when they no longer are");
  serve->footer("Example: weir serve weir.yaml\nSIGTERM drains and stops; SIGHUP reloads the configuration.");
  serve->callback([options, &status] { status = serve_command(*options); });
}

// "FILE line 3: what" as its line and what is wrong.
void append_problem(JsonWriter& json, std::string_view file, std::string_view message) {
  json.begin_object();
  if (message.starts_with(file)) {
    message.remove_prefix(file.size());
    int64_t line = 0;
    constexpr std::string_view kLine = " line ";
    if (message.starts_with(kLine)) {
      const char* end = message.data() + message.size();
      const auto [stop, failed] = std::from_chars(message.data() + kLine.size(), end, line);
      if (failed == std::errc()) message = std::string_view(stop, static_cast<size_t>(end - stop));
    }
    if (line > 0) json.key("line").value(line);
    if (message.starts_with(": ")) message.remove_prefix(2);
  }
  json.key("message").value(message).end_object();
}

struct Findings {
  std::vector<Error> problems;
  std::vector<Error> warnings;
};

// Names and ranges are checked by compiling; secrets must be there to be read.
Findings look_at(const std::string& path) {
  ReadConfig read = read_config_file(path);
  Pool pool("check", 1, 1);
  Compilation made = try_compile({.config = &read.config,
                                  .environment = process_environment(),
                                  .extract = make_extract_target(pool),
                                  .previous = nullptr,
                                  .generation = 1});
  for (Error& problem : made.problems) read.problems.push_back(std::move(problem));
  for (Error& problem : check_machine(read.config)) read.problems.push_back(std::move(problem));
  return {.problems = std::move(read.problems), .warnings = std::move(made.warnings)};
}

void print_findings_json(const std::string& path, const Findings& found) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("ok").value(found.problems.empty()).key("file").value(path);
  for (const auto& [name, list] :
       {std::pair("problems", &found.problems), std::pair("warnings", &found.warnings)}) {
    json.key(name).begin_array();
    for (const Error& one : *list) append_problem(json, path, one.message);
    json.end_array();
  }
  json.end_object();
  std::printf("%s\n", out.c_str());
}

int check(const std::string& path, bool is_json) {
  const Findings found = look_at(path);
  if (is_json) {
    print_findings_json(path, found);
    return found.problems.empty() ? 0 : 1;
  }
  for (const Error& warning : found.warnings) std::fprintf(stderr, "warning: %s\n", warning.message.c_str());
  if (found.problems.empty()) {
    std::printf("%s: ok\n", path.empty() ? "the defaults" : path.c_str());
    return 0;
  }
  std::fprintf(stderr, "%s\n", as_one_error(found.problems).message.c_str());
  return 1;
}

Result<std::string> effective_config(const std::string& path, bool is_json) {
  const Config config = TRY(load_config(path));
  const std::shared_ptr<const Catalog> catalog = TRY(catalog_of(config));
  const PrintContext context{.catalog = catalog.get(), .environment = process_environment()};
  return is_json ? print_config_json(config, context) + "\n" : print_config(config, context);
}

int print_effective(const std::string& path, bool is_json) {
  const Result<std::string> text = effective_config(path, is_json);
  if (!text) {
    is_json ? print_error_json(text.error().message) : print_error(text.error().message);
    return 1;
  }
  std::fputs(text->c_str(), stdout);
  return 0;
}

void add_config_commands(CLI::App& app, int& status) {
  auto path = std::make_shared<std::string>();
  auto is_json = std::make_shared<bool>(false);
  CLI::App* check_command =
      app.add_subcommand("check", "Validate a configuration: exit 1 says what is wrong and where.");
  check_command->add_option("--config,config", *path, "Configuration file");
  check_command->add_flag("--json", *is_json,
                          "Output for programs: ok, problems and warnings with line and message");
  check_command->callback([path, is_json, &status] { status = check(*path, *is_json); });
  auto is_docs = std::make_shared<bool>(false);
  CLI::App* config_command =
      app.add_subcommand("config", "Print the effective configuration, secrets hidden.");
  config_command->add_option("--config,config", *path, "Configuration file");
  config_command->add_flag("--json", *is_json, "Output for programs");
  config_command->add_flag("--docs", *is_docs, "Print the page of all settings instead");
  config_command->callback([path, is_docs, is_json, &status] {
    if (*is_docs) {
      std::fputs(configuration_docs().c_str(), stdout);
    } else {
      status = print_effective(*path, *is_json);
    }
  });
}

void add_client_options(CLI::App& command, ClientOptions& options) {
  command.add_option("--url", options.url, "The server's data plane")
      ->envname("WEIR_URL")
      ->capture_default_str();
  command.add_option("--key", options.key, "API key, where the server wants one")->envname("WEIR_API_KEY");
  command.add_flag("--json", options.is_json, "Output for programs");
}

void add_client_commands(CLI::App& app, int& status) {
  auto chat = std::make_shared<ChatOptions>();
  chat->client.url = kDefaultUrl;
  chat->model = "weir/extract";
  CLI::App* chat_app =
      app.add_subcommand("chat", "Ask a model through a running server; the answer streams to the terminal.");
  add_client_options(*chat_app, chat->client);
  chat_app->add_option("--model", chat->model, "Model to ask")->capture_default_str();
  chat_app->add_option("--system", chat->system, "Instructions for the model");
  chat_app->add_option("message", chat->message, "What to ask")->required();
  chat_app->footer("Example: weir chat --model openai/gpt-4o \"Why is the sky blue?\"");
  chat_app->callback([chat, &status] { status = chat_command(*chat); });

  auto list = std::make_shared<ClientOptions>();
  list->url = kDefaultUrl;
  CLI::App* models_app = app.add_subcommand("models", "List the models that a running server offers.");
  add_client_options(*models_app, *list);
  models_app->callback([list, &status] { status = models_command(*list); });

  auto dialects = std::make_shared<DialectsOptions>();
  dialects->client.url = kDefaultUrl;
  CLI::App* dialects_app = app.add_subcommand(
      "dialects", "Print what each target carries, emulates or refuses of what each dialect can say.");
  add_client_options(*dialects_app, dialects->client);
  dialects_app->add_option("model", dialects->model, "The targets of this model; without, every provider");
  dialects_app->callback([dialects, &status] { status = dialects_command(*dialects); });
}

void add_admin_command(CLI::App& app, int& status, const char* name, const char* what,
                       int (*run)(const ClientOptions&)) {
  auto options = std::make_shared<ClientOptions>();
  options->url = kDefaultAdminUrl;
  CLI::App* command = app.add_subcommand(name, what);
  command->add_option("--admin-url", options->url, "The server's admin plane")
      ->envname("WEIR_ADMIN_URL")
      ->capture_default_str();
  command->add_option("--key", options->key, "API key with admin: true, where the server wants one")
      ->envname("WEIR_API_KEY");
  command->add_flag("--json", options->is_json, "Output for programs");
  command->callback([options, run, &status] { status = run(*options); });
}

// A pair for AWS's SDKs. Its secret goes where `env` or `file` of the configuration points: there is no hash
// to keep instead.
void print_access_key(bool is_json) {
  const AccessKey pair = make_access_key();
  const std::string secret(pair.secret.reveal());
  if (!is_json) {
    std::printf("access_key_id:     %s\nsecret_access_key: %s\n", pair.id.c_str(), secret.c_str());
    return;
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("access_key_id").value(pair.id).key("secret_access_key").value(secret).end_object();
  std::printf("%s\n", out.c_str());
}

void print_key(bool is_json) {
  const std::string key = make_api_key();
  const std::string hash = to_string(hash_api_key(key));
  if (!is_json) {
    std::printf("key:  %s\nhash: %s\n", key.c_str(), hash.c_str());
    return;
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("key").value(key).key("hash").value(hash).end_object();
  std::printf("%s\n", out.c_str());
}

void add_small_commands(CLI::App& app) {
  auto is_json = std::make_shared<bool>(false);
  CLI::App* key =
      app.add_subcommand("key", "Make an API key and print it with the hash that the configuration holds.");
  key->add_flag("--json", *is_json, "Output for programs: key and hash");
  auto is_pair = std::make_shared<bool>(false);
  key->add_flag("--sigv4", *is_pair, "Make a pair for AWS's SDKs instead: an access key id and its secret");
  key->callback([is_json, is_pair] { *is_pair ? print_access_key(*is_json) : print_key(*is_json); });
  CLI::App* version = app.add_subcommand("version", "Print the version.");
  version->add_flag("--json", *is_json, "Output for programs");
  version->callback([is_json] { std::printf(*is_json ? "{\"version\":\"%s\"}\n" : "weir %s\n", kVersion); });
}

}  // namespace

namespace {

// What is wrong with the first word, when it is no command: the parser would only say that one is required.
std::string unknown_command(const CLI::App& app, int argc, char** argv) {
  const std::string_view word = argc > 1 ? argv[1] : "";
  if (word.empty() || word.starts_with('-')) return "";
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  if (std::ranges::find(names, word) != names.end()) return "";
  const std::vector<std::string_view> known(names.begin(), names.end());
  return fmt::format("there is no command {}{} (weir --help lists them)", word, did_you_mean(word, known));
}

}  // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app("Weir: one server between your applications and every model.", "weir");
  app.require_subcommand(1);
  app.set_version_flag("--version", fmt::format("weir {}", kVersion), "Print the version");
  int status = 0;
  add_serve(app, status);
  add_config_commands(app, status);
  add_client_commands(app, status);
  add_admin_command(app, status, "reload", "Make a running server read its configuration again.",
                    &reload_command);
  add_admin_command(app, status, "status", "Print how a running server's providers, keys and targets are.",
                    &status_command);
  add_bench_command(app, status);
  add_small_commands(app);
  if (const std::string unknown = unknown_command(app, argc, argv); !unknown.empty()) {
    std::fprintf(stderr, "weir: %s\n", unknown.c_str());
    return 2;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return status;
}

}  // namespace weir
