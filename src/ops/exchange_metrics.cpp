#include "ops/exchange_metrics.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>

#include "gateway/route_plan.h"
#include "llm/prompt_tokens.h"
#include "ops/blame.h"
#include "ops/metric_handles.h"

namespace weir {
namespace {

constexpr std::string_view kNone = "none";

std::string_view status_class(int status) {
  constexpr std::array<std::string_view, 6> kClasses = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  const int hundreds = status / 100;
  return kClasses[static_cast<size_t>(hundreds < 0 || hundreds > 5 ? 0 : hundreds)];
}

// Labels are names of the registry: what a caller made up (a model behind a wildcard that nobody described)
// is "other".
std::string_view model_label(const Exchange& exchange) {
  if (!exchange.target) return kMetricOther;
  if (exchange.target->row) return exchange.target->row->model;
  const std::string& configured = exchange.target->target->model;
  return configured.find('*') == std::string::npos ? std::string_view(configured) : kMetricOther;
}

// What the conventions call the provider: its vendor.
std::string_view vendor_label(const Exchange& exchange) {
  return exchange.target ? vendor_of(*exchange.target->target->provider) : "none";
}

// Weir's own metrics have the provider's name in the configuration: two may be accounts of one vendor.
std::string_view provider_label(const Exchange& exchange) {
  return exchange.target ? std::string_view(exchange.target->target->provider->name) : "none";
}

std::string_view address_label(const Exchange& exchange) {
  return exchange.target ? std::string_view(exchange.target->target->provider->origin.host) : "";
}

std::string port_label(const Exchange& exchange) {
  const uint16_t port = exchange.target ? exchange.target->target->provider->origin.port : 0;
  return address_label(exchange).empty() ? "" : std::to_string(port);
}

// A version that the registry knows has the name of its model; what it does not know is "other".
std::string response_model_label(const Exchange& exchange) {
  if (exchange.response_model.empty() || !exchange.target) return "none";
  const std::string_view asked = model_label(exchange);
  if (exchange.response_model == asked) return std::string(asked);
  const ModelRow* row = exchange.snapshot->catalog->find_model(exchange.target->target->provider->kind.name,
                                                               exchange.response_model);
  return std::string(row ? std::string_view(row->model) : kMetricOther);
}

// Whether tokens are what the answer is made of: a count and a vector of numbers have none.
bool writes_tokens(const Request& request) {
  const Operation operation = operation_of(request);
  return operation == Operation::chat || operation == Operation::text_completion;
}

std::string_view route_label(const Exchange& exchange) {
  return exchange.route ? std::string_view(exchange.route->pattern) : "none";
}

std::atomic<uint64_t> next_metrics_id = 1;

}  // namespace

ExchangeMetrics::ExchangeMetrics(MetricsRegistry& registry, GenAiNames names)
    : id_(next_metrics_id.fetch_add(1, std::memory_order_relaxed)) {
  const UpDownCounterFamily in_flight = registry.up_down_counter(
      {.name = "weir_in_flight", .help = "Model calls under way.", .labels = {"kind"}});
  for (size_t i = 0; i < kOperationCount; ++i)
    in_flight_[i] = in_flight.with({to_string(static_cast<Operation>(i))});
  requests_ = registry.counter({.name = "weir_requests_total",
                                .help = "Requests answered; those that are no model calls have no route.",
                                .labels = {"route", "status_class", "error_type", "blame"}});
  attempts_ = registry.counter(
      {.name = "weir_attempts_total", .help = "Calls to providers.", .labels = {"provider", "outcome"}});
  fallbacks_ = registry.counter({.name = "weir_fallbacks_total",
                                 .help = "Model calls that went on to another target.",
                                 .labels = {"from", "to", "reason"}});
  lossy_ = registry.counter({.name = "weir_translation_lossy_total",
                             .help = "Fields that a target could not take as the client said them.",
                             .labels = {"from", "to", "reason"}});
  cost_ = registry.counter({.name = "weir_cost_usd_total",
                            .help = "What model calls cost, where the price is known.",
                            .unit = "USD",
                            .labels = {"provider", "model"},
                            .divisor = 1'000'000'000});
  measured_ = registry.counter({.name = "weir_usage_total",
                                .help = "What is billed by another measure than tokens.",
                                .labels = {"provider", "model", "unit"}});
  stream_ends_ = registry.counter(
      {.name = "weir_stream_end_total", .help = "Streamed answers by how they ended.", .labels = {"reason"}});
  client_aborts_ =
      registry.counter({.name = "weir_client_abort_total", .help = "Model calls whose client hung up."})
          .with({});
  usage_mismatches_ =
      registry.counter({.name = "weir_usage_mismatch_total",
                        .help = "Answers whose reported tokens are far from what their text comes to.",
                        .labels = {"provider"}});
  const HistogramFamily overhead = registry.histogram(
      {.name = "weir_overhead_seconds",
       .help =
           "Time spent in Weir, by stage, from the first readable byte; retry has failed attempts and the "
           "pauses behind them.",
       .unit = "s",
       .labels = {"stage"}},
      kOverheadBuckets);
  for (size_t i = 0; i < kStretches.size(); ++i) {
    if (!kStretches[i].is_providers) overhead_[i] = overhead.with({kStretches[i].name});
  }
  register_histograms(registry);
  if (names == GenAiNames::latest_too) inferences_.emplace(registry);
}

// Those of the gen_ai conventions.
void ExchangeMetrics::register_histograms(MetricsRegistry& registry) {
  const std::vector<std::string_view> labels = {"gen_ai_operation_name", "gen_ai_provider_name",
                                                "gen_ai_request_model"};
  // Those of Weir's own calls say who answered, and where.
  std::vector<std::string_view> of_calls = labels;
  of_calls.insert(of_calls.end(), {"gen_ai_response_model", "server_address", "server_port"});
  const auto with = [&of_calls](std::string_view label) {
    std::vector<std::string_view> all = of_calls;
    all.push_back(label);
    return all;
  };
  tokens_ = registry.histogram({.name = "gen_ai_client_token_usage",
                                .help = "Tokens of a model call.",
                                .unit = "{token}",
                                .labels = with("gen_ai_token_type")},
                               kTokenBuckets);
  duration_ = registry.histogram(
      {.name = "gen_ai_server_request_duration_seconds",
       .help = "Model calls from the first byte of the request to the last of the answer.",
       .unit = "s",
       .labels = {"gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "error_type"}},
      kDurationBuckets);
  first_token_ =
      registry.histogram({.name = "gen_ai_server_time_to_first_token_seconds",
                          .help = "From the first byte of the request to the first content of the answer.",
                          .unit = "s",
                          .labels = labels},
                         kTimeToFirstTokenBuckets);
  per_token_ = registry.histogram({.name = "gen_ai_server_time_per_output_token_seconds",
                                   .help = "Time of each output token after the first.",
                                   .unit = "s",
                                   .labels = labels},
                                  kTimePerOutputTokenBuckets);
  call_duration_ = registry.histogram(
      {.name = "gen_ai_client_operation_duration_seconds",
       .help = "Weir's calls to providers, from the request that was sent to the end of the answer.",
       .unit = "s",
       .labels = with("error_type")},
      kDurationBuckets);
  first_chunk_ =
      registry.histogram({.name = "gen_ai_client_operation_time_to_first_chunk_seconds",
                          .help = "From the request that was sent to a provider to the first content.",
                          .unit = "s",
                          .labels = of_calls},
                         kDurationBuckets);
  per_chunk_ = registry.histogram({.name = "gen_ai_client_operation_time_per_output_chunk_seconds",
                                   .help = "Between one chunk of a streamed answer and the next.",
                                   .unit = "s",
                                   .labels = of_calls},
                                  kDurationBuckets);
}

void ExchangeMetrics::started(const Exchange& exchange) {
  in_flight_[static_cast<size_t>(operation_of(exchange.request))].add(1);
}

ExchangeMetrics::Series& ExchangeMetrics::series_of(const Exchange& exchange,
                                                    const ExchangeOutcome& outcome) {
  constexpr size_t kSeriesBits = 6;  // of a thread; others take their places
  thread_local std::array<Series, 1 << kSeriesBits> known;
  const std::string_view operation = operation_name(exchange.request);
  const std::string_view error = outcome.error ? to_string(outcome.error->kind) : kNone;
  const std::string_view status = status_class(outcome.status);
  const std::string_view blame = outcome.error ? to_string(blame_of(exchange, *outcome.error)) : kNone;
  const Key key = {.metrics_id = id_,
                   .plan_id = exchange.plan ? exchange.plan->id : 0,
                   .target = exchange.target,
                   .operation = operation.data(),
                   .error = error.data(),
                   .status = status.data(),
                   .blame = blame.data()};
  const auto word = [](const void* address) { return reinterpret_cast<uintptr_t>(address); };
  const uint64_t hash = key.plan_id ^ word(key.target) ^ std::rotl(word(key.operation), 16) ^
                        std::rotl(word(key.error), 24) ^ std::rotl(word(key.status), 32) ^
                        exchange.response_model.size();
  Series& series = known[hash * 0x9E37'79B9'7F4A'7C15 >> (64 - kSeriesBits)];
  // A route that is of no plan, as in tests, is known by nothing.
  const bool is_known =
      series.key == key && series.answered == exchange.response_model && (exchange.plan || !exchange.route);
  if (!is_known) [[unlikely]] {
    series = {.key = key,
              .answered = exchange.response_model,
              .labels = {.operation = std::string(operation),
                         .vendor = std::string(vendor_label(exchange)),
                         .model = std::string(model_label(exchange)),
                         .error = std::string(error),
                         .route = std::string(route_label(exchange)),
                         .status = std::string(status),
                         .address = std::string(address_label(exchange)),
                         .port = port_label(exchange),
                         .response_model = response_model_label(exchange),
                         .provider = std::string(provider_label(exchange)),
                         .blame = std::string(blame)}};
  }
  return series;
}

void ExchangeMetrics::count_measured(const Usage& usage, const Labels& labels) {
  const auto count = [&](std::string_view unit, const std::optional<int64_t>& units) {
    if (units.value_or(0) > 0)
      measured_.with({labels.provider, labels.model, unit}).add(static_cast<uint64_t>(*units));
  };
  count("sound_ms", usage.in_sound_ms);
  count("characters", usage.in_characters);
  count("images", usage.images);
  count("web_searches", usage.web_searches);
  count("search_units", usage.search_units);
}

void ExchangeMetrics::count_tokens(const Exchange& exchange, Series& series) {
  const Usage& usage = exchange.usage;
  if (usage.empty()) return;
  const Labels& labels = series.labels;
  count_measured(usage, labels);
  const int64_t input = usage.input_total();
  const int64_t output = usage.output_total();
  const bool has_measure = usage.in_sound_ms || usage.in_characters || usage.images || usage.search_units;
  if (has_measure && input <= 0 && output <= 0) return;
  const auto observe = [&](std::optional<Histogram>& handle, int64_t count, std::string_view type) {
    found(handle, [&] {
      return tokens_.with({labels.operation, labels.vendor, labels.model, labels.response_model,
                           labels.address, labels.port, type});
    }).observe(static_cast<double>(count));
  };
  observe(series.tokens_in, input, "input");
  if (output > 0 || writes_tokens(exchange.request)) observe(series.tokens_out, output, "output");
  // Of the tokens of input and output, those of these kinds; most calls have none.
  const auto observe_kind = [&](std::optional<Histogram>& handle, int64_t count, std::string_view type) {
    if (count > 0) observe(handle, count, type);
  };
  observe_kind(series.tokens_cached, usage.cache_read.value_or(0), "cached_input");
  observe_kind(series.tokens_cache_creation,
               usage.cache_write_5m.value_or(0) + usage.cache_write_1h.value_or(0), "cache_creation_input");
  observe_kind(series.tokens_reasoning, usage.out_reasoning.value_or(0), "reasoning");
  const Timings& timings = exchange.timings;
  if (output > 1 && is_streamed(exchange.request) && timings.has(Mark::first_event) &&
      timings.has(Mark::done)) {
    const double stretch = seconds(timings.between(Mark::first_event, Mark::done));
    found(series.per_token, [&] {
      return per_token_.with({labels.operation, labels.vendor, labels.model});
    }).observe(stretch / static_cast<double>(output - 1));
  }
}

void ExchangeMetrics::observe_times(const Exchange& exchange, Series& series) {
  const Labels& labels = series.labels;
  const Timings& timings = exchange.timings;
  found(series.duration, [&] {
    return duration_.with({labels.operation, labels.vendor, labels.model, labels.error});
  }).observe(seconds(timings.between(Mark::first_byte, Mark::done)));
  const bool was_sent = timings.has(Mark::sent);
  if (was_sent) {
    found(series.call_duration, [&] {
      return call_duration_.with({labels.operation, labels.vendor, labels.model, labels.response_model,
                                  labels.address, labels.port, labels.error});
    }).observe(seconds(timings.between(Mark::sent, Mark::done)));
  }
  // A whole answer has no first token that anybody saw.
  if (!is_streamed(exchange.request) || !timings.has(Mark::first_event)) return;
  found(series.first_token, [&] {
    return first_token_.with({labels.operation, labels.vendor, labels.model});
  }).observe(seconds(timings.between(Mark::first_byte, Mark::first_event)));
  const auto of_calls = [&](const HistogramFamily& family) {
    return family.with(
        {labels.operation, labels.vendor, labels.model, labels.response_model, labels.address, labels.port});
  };
  if (was_sent) {
    found(series.first_chunk, [&] {
      return of_calls(first_chunk_);
    }).observe(seconds(timings.between(Mark::sent, Mark::first_event)));
  }
  if (const ChunkTimes& chunks = exchange.chunks; !chunks.empty()) {
    found(series.per_chunk, [&] {
      return of_calls(per_chunk_);
    }).observe_all(chunks.counts(), seconds(chunks.sum()));
  }
}

void ExchangeMetrics::observe_overhead(const Timings& timings) {
  for (size_t i = 0; i < kStretches.size(); ++i) {
    const Stretch& stretch = kStretches[i];
    if (stretch.is_providers || !timings.has(stretch.from) || !timings.has(stretch.to)) continue;
    overhead_[i].observe(seconds(timings.between(stretch.from, stretch.to)));
  }
}

void ExchangeMetrics::count_attempts(const Exchange& exchange, Series& series) {
  for (const Attempt& attempt : exchange.attempts) {
    if (!attempt.was_sent) continue;
    const auto look_up = [&] {
      return attempts_.with({attempt.provider, attempt.failure ? to_string(*attempt.failure) : "ok"});
    };
    const bool is_usual =
        !attempt.failure && exchange.target && attempt.asked == exchange.target->target->provider.get();
    (is_usual ? found(series.good_attempts, look_up) : look_up()).add();
  }
  for (size_t i = 1; i < exchange.attempts.size(); ++i) {
    const Attempt& before = exchange.attempts[i - 1];
    const Attempt& after = exchange.attempts[i];
    const bool is_same = before.provider == after.provider && before.model == after.model;
    if (is_same || !before.failure) continue;
    fallbacks_.with({before.provider, after.provider, to_string(*before.failure)}).add();
  }
}

// The provider's own sum is compared on every way. Beyond that: four times as many or as few tokens as the
// bytes of the text come to is no matter of languages. Reasoning that is billed but not shown has no bytes,
// so such answers cannot be checked.
void ExchangeMetrics::check_usage(const Exchange& exchange) {
  constexpr int64_t kTokensMin = 32;  // below that the words around the answer count for too much
  constexpr int64_t kFactor = 4;
  const Usage& usage = exchange.usage;
  if (usage.source == UsageSource::provider && usage.total_differs()) {
    usage_mismatches_.with({provider_label(exchange)}).add();
    return;
  }
  if (usage.source != UsageSource::provider || !usage.out_text || usage.out_reasoning.value_or(0) > 0) return;
  const int64_t expected = estimate_tokens_of_bytes(exchange.content_bytes);
  const auto [low, high] = std::minmax(expected, *usage.out_text);
  // On the raw way the text was not read: nothing to compare with.
  if (exchange.is_raw || exchange.content_bytes == 0 || high < kTokensMin || high <= kFactor * low) return;
  usage_mismatches_.with({provider_label(exchange)}).add();
}

void ExchangeMetrics::ended(const Exchange& exchange, const ExchangeOutcome& outcome) {
  in_flight_[static_cast<size_t>(operation_of(exchange.request))].add(-1);
  Series& series = series_of(exchange, outcome);
  const Labels& labels = series.labels;
  found(series.requests, [&] {
    return requests_.with({labels.route, labels.status, labels.error, labels.blame});
  }).add();
  count_attempts(exchange, series);
  check_usage(exchange);
  if (exchange.target && !exchange.fidelity.empty()) {
    const std::string_view to = to_string(exchange.target->target->provider->kind.dialect);
    for (const FidelityRecord& record : exchange.fidelity.records()) {
      lossy_.with({to_string(exchange.call.dialect), to, to_string(record.reason)}).add();
    }
  }
  const bool hung_up = outcome.error && outcome.error->kind == ErrorKind::cancelled;
  if (hung_up) client_aborts_.add();
  if (outcome.was_streamed)
    stream_ends_.with({outcome.error ? std::string_view(labels.error) : "complete"}).add();
  if (exchange.cost_nano_usd) {
    found(series.cost, [&] {
      return cost_.with({labels.provider, labels.model});
    }).add(static_cast<uint64_t>(*exchange.cost_nano_usd));
  }
  count_tokens(exchange, series);
  observe_times(exchange, series);
  observe_overhead(exchange.timings);
  if (inferences_)
    inferences_->count(exchange, {labels.operation, labels.vendor, labels.model, labels.error},
                       series.inference);
}

void ExchangeMetrics::answered(const PlainRequest& request) {
  const std::string_view error = request.error ? to_string(request.error->kind) : kNone;
  const std::string_view blame = request.error ? to_string(error_row(request.error->kind).blame) : kNone;
  requests_.with({"none", status_class(request.status), error, blame}).add();
}

}  // namespace weir
