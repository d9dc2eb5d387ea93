#include "app/client_commands.h"

#include <cstdio>

#include "base/encoding.h"
#include "base/json.h"
#include "base/log.h"
#include "io/fetch.h"
#include "io/http_client.h"
#include "io/sse.h"

namespace weir {
namespace {

constexpr size_t kAnswerBytesMax = 64U << 20U;
constexpr auto kTimeLimit = std::chrono::minutes(15);

// Runs one task on a loop of its own, on this thread.
Result<void> run_alone(const std::function<Task<void>(Scope&, HttpClient&)>& work) {
  Core core(0, SystemClock::instance(), 1);
  const auto tls = TRY(TlsClientContext::make());
  Result<void> outcome;
  {
    PooledHttpClient client(core,
                            std::make_unique<NetworkConnector>(core, NetworkConnectorOptions{.tls = tls}));
    Scope scope(core);
    scope.set_deadline(core.now() + kTimeLimit);
    struct Runner {
      static Task<void> run(Scope& scope, HttpClient& client,
                            const std::function<Task<void>(Scope&, HttpClient&)>& work,
                            Result<void>& outcome) {
        outcome = co_await work(scope, client);
        scope.core().stop();
        co_return {};
      }
    };
    scope.spawn(Runner::run(scope, client, work, outcome));
    if (scope.running() > 0) core.run();
  }
  return outcome;
}

// What the server said went wrong, as its error body tells it.
Error error_of(int status, std::string_view body) {
  const Result<JsonDoc> doc = JsonDoc::parse(std::string(body));
  const std::string_view message = doc ? doc->root()["error"]["message"].string_or("") : "";
  return make_error(ErrorKind::bad_request,
                    message.empty() ? fmt::format("the server answered {}", status) : std::string(message));
}

struct Target {
  Url url;
  Headers headers;
};

Result<Target> target_of(const ClientOptions& options, std::string_view path) {
  std::string base = options.url;
  while (base.ends_with('/')) base.pop_back();
  Target target {
    .url = TRY(parse_url(base + std::string(path)))
    , .headers = {}
  };
  target.headers.add("content-type", "application/json");
  target.headers.add("user-agent", "weir-cli");
  if (!options.key.empty()) target.headers.add("authorization", "Bearer " + options.key);
  return target;
}

std::string chat_body(const ChatOptions& options) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("model").value(options.model).key("messages").begin_array();
  if (!options.system.empty()) {
    json.begin_object().key("role").value("system").key("content").value(options.system).end_object();
  }
  json.begin_object()
      .key("role")
      .value("user")
      .key("content")
      .value(options.message)
      .end_object()
      .end_array();
  if (!options.client.is_json)
    json.key("stream").value(true).key("stream_options").raw(R"({"include_usage":true})");
  json.end_object();
  return body;
}

// Prints the text of each event as it comes and keeps the usage.
class ChatPrinter {
 public:
  Result<void> feed(std::string_view bytes) {
    for (;;) {
      const std::optional<SseEvent> event = TRY(decoder_.next(bytes));
      if (!event) break;
      if (event->is_comment || event->data == "[DONE]") continue;
      TRY(print(event->data));
    }
    std::fflush(stdout);
    return {};
  }
  int64_t input_tokens() const { return input_tokens_; }
  int64_t output_tokens() const { return output_tokens_; }

 private:
  Result<void> print(std::string_view data) {
    const JsonDoc doc = TRY(JsonDoc::parse(std::string(data)));
    const JsonValue root = doc.root();
    if (root["error"].is_object())
      return fail(ErrorKind::upstream_error, std::string(root["error"]["message"].string_or("")));
    const JsonValue delta = root["choices"].at(0)["delta"];
    for (const std::string_view key : {"content", "refusal"}) {
      const std::string_view text = delta[key].string_or("");
      std::fwrite(text.data(), 1, text.size(), stdout);
    }
    if (root["usage"].is_object()) {
      input_tokens_ = root["usage"]["prompt_tokens"].int_or(0);
      output_tokens_ = root["usage"]["completion_tokens"].int_or(0);
    }
    return {};
  }

  SseDecoder decoder_;
  int64_t input_tokens_ = 0;
  int64_t output_tokens_ = 0;
};

Task<void> chat(Scope& scope, HttpClient& client, const ChatOptions& options) {
  const Target target = CO_TRY(target_of(options.client, "/v1/chat/completions"));
  const std::string body = chat_body(options);
  const MonoTime started = scope.now();
  const ClientRequest request{
      .origin = target.url.origin, .target = target.url.target, .headers = &target.headers, .body = body};
  std::unique_ptr<ClientResponse> response = CO_TRY(co_await client.send(scope, request));
  if (response->status != 200 || options.client.is_json) {
    const std::string answer = CO_TRY(co_await read_all(scope, *response, kAnswerBytesMax));
    if (response->status != 200) co_return fail(error_of(response->status, answer));
    std::printf("%s\n", answer.c_str());
    co_return {};
  }
  ChatPrinter printer;
  std::optional<MonoTime> first;
  for (;;) {
    const std::string_view piece = CO_TRY(co_await response->read(scope));
    if (piece.empty()) break;
    if (!first) first = scope.now();
    CO_TRY(printer.feed(piece));
  }
  std::printf("\n");
  std::fflush(stdout);  // the answer comes before what is said of it, also where both go to one file
  const auto ms = [&](MonoTime at) { return static_cast<double>((at - started).count()) / 1e6; };
  std::fprintf(stderr, "%lld tokens in, %lld out; first after %.1f ms, all after %.1f ms; answered by %s\n",
               static_cast<long long>(printer.input_tokens()),
               static_cast<long long>(printer.output_tokens()), ms(first.value_or(scope.now())),
               ms(scope.now()), std::string(response->headers.get_or("x-weir-model", "?")).c_str());
  co_return {};
}

// The body of a 200; anything else is an error.
Task<std::string> ask(Scope& scope, HttpClient& client, const ClientOptions& options, std::string_view method,
                      std::string path) {
  const Target target = CO_TRY(target_of(options, path));
  const ClientRequest request{.origin = target.url.origin,
                              .method = method,
                              .target = target.url.target,
                              .headers = &target.headers,
                              .body = {}};
  std::unique_ptr<ClientResponse> response = CO_TRY(co_await client.send(scope, request));
  std::string answer = CO_TRY(co_await read_all(scope, *response, kAnswerBytesMax));
  if (response->status != 200) co_return fail(error_of(response->status, answer));
  co_return answer;
}

Task<void> models(Scope& scope, HttpClient& client, const ClientOptions& options) {
  const std::string answer = CO_TRY(co_await ask(scope, client, options, "GET", "/v1/models"));
  if (options.is_json) {
    std::printf("%s\n", answer.c_str());
    co_return {};
  }
  const JsonDoc doc = CO_TRY(JsonDoc::parse(answer));
  for (const JsonValue model : doc.root()["data"]) {
    std::printf("%-48s %s\n", std::string(model["id"].string_or("")).c_str(),
                std::string(model["owned_by"].string_or("")).c_str());
  }
  co_return {};
}

// One table for a target: features down, the dialects of clients across.
void print_coverage(JsonValue target) {
  const JsonValue model = target["model"];
  std::printf("%s %s (%s)\n", std::string(target["provider"].string_or("")).c_str(),
              model.is_string() ? std::string(model.string_or("")).c_str() : "any model",
              std::string(target["dialect"].string_or("")).c_str());
  const JsonValue from = target["from"];
  if (from.size() == 0) return;
  std::printf("  %-22s", "");
  for (const JsonValue client : from) std::printf(" %-18s", std::string(client.key()).c_str());
  std::printf("\n");
  for (const JsonValue feature : *from.begin()) {
    std::printf("  %-22s", std::string(feature.key()).c_str());
    for (const JsonValue client : from) {
      std::printf(" %-18s", std::string(client[feature.key()]["support"].string_or("")).c_str());
    }
    std::printf("\n");
  }
  std::printf("\n");
}

Task<void> dialects(Scope& scope, HttpClient& client, const DialectsOptions& options) {
  std::string path = "/v1/capabilities";
  if (!options.model.empty()) path += "?model=" + percent_encode(options.model, UrlPart::unreserved);
  const std::string answer = CO_TRY(co_await ask(scope, client, options.client, "GET", path));
  if (options.client.is_json) {
    std::printf("%s\n", answer.c_str());
    co_return {};
  }
  const JsonDoc doc = CO_TRY(JsonDoc::parse(answer));
  for (const JsonValue target : doc.root()["data"]) print_coverage(target);
  std::printf(
      "unsaid: the client's dialect has no words for it. --json tells how something is emulated or why "
      "refused.\n");
  co_return {};
}

Task<void> reload(Scope& scope, HttpClient& client, const ClientOptions& options) {
  const std::string answer = CO_TRY(co_await ask(scope, client, options, "POST", "/admin/v1/reload"));
  if (options.is_json) {
    std::printf("%s\n", answer.c_str());
    co_return {};
  }
  const JsonDoc doc = CO_TRY(JsonDoc::parse(answer));
  std::printf("the configuration is in force (generation %lld)\n",
              static_cast<long long>(doc.root()["generation"].int_or(0)));
  for (const JsonValue setting : doc.root()["restart_needed"])
    std::printf("%s has changed too: it needs a restart\n", std::string(setting.string_or("")).c_str());
  co_return {};
}

void print_status(JsonValue status) {
  std::printf("generation %lld, %lld model calls under way\n",
              static_cast<long long>(status["generation"].int_or(0)),
              static_cast<long long>(status["exchanges_open"].int_or(0)));
  std::printf("\n%-32s %-24s %s\n", "provider", "key", "state");
  for (const JsonValue provider : status["providers"]) {
    const std::string name(provider["name"].string_or(""));
    for (const JsonValue key : provider["keys"]) {
      std::printf("%-32s %-24s %s\n", name.c_str(), std::string(key["name"].string_or("")).c_str(),
                  std::string(key["state"].string_or("")).c_str());
    }
    if (const JsonValue source = provider["credentials"]; source.is_object()) {
      std::printf("%-32s %-24s fetched %lld times, failed %lld\n", name.c_str(),
                  std::string(source["source"].string_or("")).c_str(),
                  static_cast<long long>(source["fetched"].int_or(0)),
                  static_cast<long long>(source["failed"].int_or(0)));
    }
  }
  if (status["targets"].size() == 0) return;
  std::printf("\n%-48s %-10s %9s %8s %s\n", "target", "breaker", "in flight", "waiting", "first event");
  for (const JsonValue target : status["targets"]) {
    std::printf("%-48s %-10s %9lld %8lld %.1f ms\n", std::string(target["name"].string_or("")).c_str(),
                std::string(target["breaker"].string_or("")).c_str(),
                static_cast<long long>(target["in_flight"].int_or(0)),
                static_cast<long long>(target["waiting"].int_or(0)), target["first_event_ms"].double_or(0));
  }
}

Task<void> status(Scope& scope, HttpClient& client, const ClientOptions& options) {
  const std::string answer = CO_TRY(co_await ask(scope, client, options, "GET", "/admin/v1/status"));
  if (options.is_json) {
    std::printf("%s\n", answer.c_str());
    co_return {};
  }
  const JsonDoc doc = CO_TRY(JsonDoc::parse(answer));
  print_status(doc.root());
  co_return {};
}

// Runs a command and tells what went wrong, to programs on stdout.
int run_command(const ClientOptions& options, const std::function<Task<void>(Scope&, HttpClient&)>& work) {
  const Result<void> outcome = run_alone(work);
  if (outcome) return 0;
  const ErrorKind kind = outcome.error().kind;
  std::string message = outcome.error().message;
  // What the server has told stays in its words.
  if (kind != ErrorKind::bad_request && kind != ErrorKind::upstream_error)
    message = in_words_of("the server", std::move(message));
  if (kind == ErrorKind::upstream_unreachable)
    message += fmt::format(" (is a server running at {}? `weir serve` starts one)", options.url);
  options.is_json ? print_error_json(message) : print_error(message);
  return 1;
}

}  // namespace

void print_error(std::string_view message) {
  std::fprintf(stderr, "weir: %.*s\n", static_cast<int>(message.size()), message.data());
}

void print_error_json(std::string_view message) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("error").begin_object().key("message").value(message).end_object().end_object();
  std::printf("%s\n", out.c_str());
}

int chat_command(const ChatOptions& options) {
  return run_command(options.client,
                     [&](Scope& scope, HttpClient& client) { return chat(scope, client, options); });
}

int dialects_command(const DialectsOptions& options) {
  return run_command(options.client,
                     [&](Scope& scope, HttpClient& client) { return dialects(scope, client, options); });
}

int models_command(const ClientOptions& options) {
  return run_command(options,
                     [&](Scope& scope, HttpClient& client) { return models(scope, client, options); });
}

int reload_command(const ClientOptions& options) {
  return run_command(options,
                     [&](Scope& scope, HttpClient& client) { return reload(scope, client, options); });
}

int status_command(const ClientOptions& options) {
  return run_command(options,
                     [&](Scope& scope, HttpClient& client) { return status(scope, client, options); });
}

}  // namespace weir
