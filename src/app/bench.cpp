#include "app/bench.h"

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <fmt/core.h>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <vector>

#include "app/client_commands.h"
#include "app/file_text.h"
#include "app/loadgen.h"
#include "base/json.h"
#include "base/text.h"
#include "io/http1.h"

namespace weir {
namespace {

struct BenchOptions {
  std::string url = "http://127.0.0.1:7480";
  std::string method = "POST";
  std::string dialect = "openai";
  std::string model = "weir/extract";
  std::string key;
  std::vector<std::string> headers;
  std::string body_file;
  size_t prompt_bytes = 900;
  bool is_stream = false;
  double rate = 0;
  size_t connections = 0;
  uint64_t requests = 0;
  std::string duration;
  std::string warm_up = "0";
  std::string timeout = "60s";
  bool allow_remote = false;
  bool is_json = false;
};

constexpr size_t kBenchConnectionsMax = 20'000;

// Text of exactly that many bytes.
std::string prompt_of(size_t bytes) {
  constexpr std::string_view kText = "A weir regulates and measures a river. What does it measure, and why? ";
  std::string text;
  text.reserve(bytes + kText.size());
  while (text.size() < bytes) text += kText;
  text.resize(bytes);
  return text;
}

// A chat request; both dialects share this much.
std::string chat_body(const BenchOptions& options) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("model").value(options.model).key("max_tokens").value(256);
  if (options.is_stream) json.key("stream").value(true);
  json.key("messages").begin_array().begin_object().key("role").value("user");
  json.key("content").value(prompt_of(options.prompt_bytes)).end_object().end_array().end_object();
  return body;
}

Result<Headers> headers_of(const BenchOptions& options) {
  Headers headers;
  const bool is_anthropic = options.dialect == "anthropic";
  if (is_anthropic) headers.add("anthropic-version", "2023-06-01");
  if (!options.key.empty() && is_anthropic) headers.add("x-api-key", options.key);
  if (!options.key.empty() && !is_anthropic) headers.add("authorization", "Bearer " + options.key);
  if (options.method != "GET" && options.method != "HEAD") headers.add("content-type", "application/json");
  for (const std::string& header : options.headers) {
    const auto parts = split_once(header, ':');
    if (!parts) return fail(ErrorKind::bad_request, fmt::format("--header {}: write NAME: VALUE", header));
    headers.set(trim(parts->first), trim(parts->second));
  }
  return headers;
}

Result<std::string> request_of(const BenchOptions& options, const Url& url) {
  const bool has_body = options.method != "GET" && options.method != "HEAD";
  const std::string body = !has_body                   ? std::string()
                           : options.body_file.empty() ? chat_body(options)
                                                       : TRY(read_file_text(options.body_file));
  std::string target = url.target;
  // A server's address without a path: the path of the dialect.
  if (target == "/" && has_body) {
    target = options.dialect == "anthropic" ? "/v1/messages" : "/v1/chat/completions";
  }
  std::string host = to_string(url.origin);
  host.erase(0, host.find("//") + 2);
  const Headers headers = TRY(headers_of(options));
  RequestHeadFields fields{.method = options.method, .target = target, .host = host, .headers = &headers};
  if (has_body) fields.content_length = body.size();
  std::string request;
  TRY(append_request_head(request, fields));
  request += body;
  return request;
}

Result<Duration> duration_of(std::string_view option, const std::string& text) {
  const Result<int64_t> value = parse_duration(text);
  if (value) return Duration(*value);
  return fail(ErrorKind::bad_request, fmt::format("{} {}: {}", option, text, value.error().message));
}

Result<LoadPlan> plan_of(const BenchOptions& options) {
  const Url url = TRY(parse_url(options.url));
  if (url.origin.is_tls) {
    return fail(ErrorKind::bad_request, "--url: the load generator speaks plain HTTP; give an http URL");
  }
  LoadPlan plan;
  plan.address = TRY(resolve_load_address(url.origin));
  if (!plan.address.is_loopback() && !options.allow_remote) {
    return fail(ErrorKind::bad_request,
                fmt::format("{} is not this machine: load is sent to others only with --allow-remote",
                            url.origin.host));
  }
  plan.request = TRY(request_of(options, url));
  plan.method = options.method == "HEAD" ? "HEAD" : "POST";
  plan.rate = options.rate;
  constexpr size_t kOpenLoopConnections = 1024;
  constexpr size_t kClosedLoopConnections = 16;
  plan.connections_max = options.connections > 0 ? options.connections
                         : options.rate > 0      ? kOpenLoopConnections
                                                 : kClosedLoopConnections;
  plan.requests_max = options.requests;
  if (!options.duration.empty()) plan.duration = TRY(duration_of("--duration", options.duration));
  if (plan.duration == Duration::zero() && plan.requests_max == 0) plan.duration = std::chrono::seconds(10);
  plan.warm_up = TRY(duration_of("--warmup", options.warm_up));
  plan.timeout = TRY(duration_of("--timeout", options.timeout));
  plan.is_stream = options.is_stream;
  return plan;
}

struct NamedHistogram {
  std::string_view name;
  const LoadHistogram& histogram;
};

constexpr std::array<std::pair<std::string_view, double>, 4> kPercentiles = {
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}}};

double milliseconds(Duration value) {
  return static_cast<double>(value.count()) / 1e6;
}
double microseconds(Duration value) {
  return static_cast<double>(value.count()) / 1e3;
}

void print_text(const LoadPlan& plan, const LoadReport& report) {
  const std::string loop = plan.rate > 0 ? fmt::format("open loop at {} requests/s", plan.rate)
                                         : fmt::format("closed loop of {} connections", plan.connections_max);
  fmt::print("{}: {} answered in {:.2f} s, {:.0f} requests/s\n", loop, report.completed,
             milliseconds(report.elapsed) / 1e3, report.throughput());
  for (const auto& [kind, count] : report.errors) fmt::print("errors    {} {}\n", kind, count);
  if (report.unsent > 0)
    fmt::print("unsent    {} requests were due and found no free connection\n", report.unsent);
  if (report.events > 0) {
    fmt::print("events    {}, {:.0f}/s\n", report.events,
               static_cast<double>(report.events) * 1e9 / static_cast<double>(report.elapsed.count()));
  }
  fmt::print("{:<12}", "ms");
  for (const auto& [name, share] : kPercentiles) fmt::print("{:>10}", name);
  fmt::print("{:>10}{:>10}\n", "max", "mean");
  for (const auto& [name, histogram] :
       {NamedHistogram{"latency", report.latency}, NamedHistogram{"first event", report.first_event},
        NamedHistogram{"event gap", report.event_gap}}) {
    if (histogram.count() == 0) continue;
    fmt::print("{:<12}", name);
    for (const auto& [label, share] : kPercentiles)
      fmt::print("{:>10.3f}", milliseconds(histogram.percentile(share)));
    fmt::print("{:>10.3f}{:>10.3f}\n", milliseconds(histogram.max()), milliseconds(histogram.mean()));
  }
}

void print_json(const LoadPlan& plan, const LoadReport& report) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .key("rate")
      .value(plan.rate)
      .key("connections_max")
      .value(uint64_t{plan.connections_max});
  json.key("seconds").value(milliseconds(report.elapsed) / 1e3);
  json.key("completed")
      .value(report.completed)
      .key("completed_with_warm_up")
      .value(report.completed_with_warm_up);
  json.key("requests_per_second").value(report.throughput());
  json.key("unsent").value(report.unsent).key("connections_opened").value(report.connections_opened);
  json.key("events").value(report.events).key("body_bytes").value(report.body_bytes);
  json.key("errors").begin_object();
  for (const auto& [kind, count] : report.errors) json.key(kind).value(count);
  json.end_object();
  for (const auto& [name, histogram] :
       {NamedHistogram{"latency_us", report.latency}, NamedHistogram{"first_event_us", report.first_event},
        NamedHistogram{"event_gap_us", report.event_gap}}) {
    json.key(name).begin_object().key("count").value(histogram.count());
    for (const auto& [label, share] : kPercentiles)
      json.key(label).value(microseconds(histogram.percentile(share)));
    json.key("max").value(microseconds(histogram.max())).key("mean").value(microseconds(histogram.mean()));
    json.end_object();
  }
  json.end_object();
  fmt::print("{}\n", out);
}

int complain(const BenchOptions& options, const Error& error) {
  options.is_json ? print_error_json(error.message) : print_error(error.message);
  return 1;
}

int bench_command(const BenchOptions& options) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const Result<LoadPlan> plan = plan_of(options);
  if (!plan) {
    return complain(options, plan.error());
  }
  const Result<LoadReport> report = run_load(*plan);
  if (!report) {
    return complain(options, report.error());
  }
  options.is_json ? print_json(*plan, *report) : print_text(*plan, *report);
  return report->completed > 0 ? 0 : 1;
}

}  // namespace

void add_bench_command(CLI::App& app, int& status) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* bench =
      app.add_subcommand("bench", "Measure throughput and latency of a server, Weir or any other.");
  bench->add_option("--url", options->url, "Server, or with a path the exact URL")
      ->envname("WEIR_URL")
      ->capture_default_str();
  bench->add_option("--key", options->key, "API key, sent as the dialect sends it")->envname("WEIR_API_KEY");
  bench->add_option("--dialect", options->dialect, "Path, key header and body")
      ->check(CLI::IsMember({"openai", "anthropic"}))
      ->capture_default_str();
  bench->add_option("--model", options->model, "Model that is asked")->capture_default_str();
  bench->add_option("--prompt-bytes", options->prompt_bytes, "Length of the prompt")
      ->check(CLI::Range(0, 64'000'000))
      ->capture_default_str();
  bench->add_option("--body", options->body_file,
                    "File with the whole request body, instead of a chat request");
  bench->add_flag("--stream", options->is_stream, "Ask for a stream and measure its events");
  bench->add_option("--method", options->method, "HTTP method; GET and HEAD send no body")
      ->capture_default_str();
  bench->add_option("--header", options->headers, "Further header, NAME: VALUE; may be given again");
  bench
      ->add_option("--rate", options->rate,
                   "Open loop: so many requests a second, latency from when each was due")
      ->check(CLI::Range(0.0, 1e6));
  bench
      ->add_option("--connections", options->connections,
                   "Closed loop: how many (16); open loop: at most (1024)")
      ->check(CLI::Range(size_t{1}, kBenchConnectionsMax));
  bench->add_option("--duration", options->duration,
                    "How long requests are sent; 10s unless --requests is given");
  bench->add_option("--requests", options->requests, "How many requests are sent");
  bench->add_option("--warmup", options->warm_up, "The first part of the duration, which is not reported")
      ->capture_default_str();
  bench->add_option("--timeout", options->timeout, "Limit of one request")->capture_default_str();
  bench->add_flag("--allow-remote", options->allow_remote, "Send load to another machine than this");
  bench->add_flag("--json", options->is_json, "Print one JSON object, times in microseconds");
  bench->footer(
      "Examples: weir bench --connections 64 --duration 5s\n"
      "          weir bench --url http://127.0.0.1:8000 --model my-model --stream --rate 200");
  bench->callback([options, &status] { status = bench_command(*options); });
}

}  // namespace weir
