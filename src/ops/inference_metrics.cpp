#include "ops/inference_metrics.h"

#include <vector>

#include "ops/metric_handles.h"

namespace weir {
namespace {

constexpr std::string_view kUnknown = "unknown";

const std::vector<std::string_view>& labels_of_times() {
  static const std::vector<std::string_view> kLabels = {"gen_ai_operation_name", "gen_ai_provider_name",
                                                        "gen_ai_request_model"};
  return kLabels;
}

CounterFamily tokens(MetricsRegistry& registry, std::string_view name, std::string_view help) {
  std::vector<std::string_view> labels = labels_of_times();
  labels.emplace_back("gen_ai_token_modality");
  return registry.counter({.name = name, .help = help, .unit = "{token}", .labels = labels});
}

HistogramFamily sizes(MetricsRegistry& registry, std::string_view name, std::string_view help) {
  return registry.histogram({.name = name, .help = help, .unit = "{token}", .labels = labels_of_times()},
                            kTokenBuckets);
}

HistogramFamily times(MetricsRegistry& registry, std::string_view name, std::string_view help) {
  return registry.histogram({.name = name, .help = help, .unit = "s", .labels = labels_of_times()},
                            kDurationBuckets);
}

bool is_inference(const Request& request) {
  const Operation operation = operation_of(request);
  return operation == Operation::chat || operation == Operation::text_completion;
}

}  // namespace

InferenceMetrics::InferenceMetrics(MetricsRegistry& registry) {
  input_ = tokens(registry, "gen_ai_client_inference_usage_input_tokens_total",
                  "Tokens of prompts, those from caches among them.");
  output_ = tokens(registry, "gen_ai_client_inference_usage_output_tokens_total",
                   "Tokens of answers, those of reasoning among them.");
  cache_read_ = tokens(registry, "gen_ai_client_inference_usage_cache_read_input_tokens_total",
                       "Tokens of prompts that came from a provider's cache.");
  cache_write_ = tokens(registry, "gen_ai_client_inference_usage_cache_write_input_tokens_total",
                        "Tokens of prompts that were put into a provider's cache.");
  reasoning_ = tokens(registry, "gen_ai_client_inference_usage_reasoning_output_tokens_total",
                      "Tokens of answers that went into reasoning.");
  input_size_ =
      sizes(registry, "gen_ai_client_inference_operation_input_tokens", "Tokens of one call's prompt.");
  output_size_ =
      sizes(registry, "gen_ai_client_inference_operation_output_tokens", "Tokens of one call's answer.");
  std::vector<std::string_view> with_error = labels_of_times();
  with_error.emplace_back("error_type");
  duration_ = registry.histogram(
      {.name = "gen_ai_client_inference_duration_seconds",
       .help = "Weir's calls to providers, from the request that was sent to the end of the answer.",
       .unit = "s",
       .labels = with_error},
      kDurationBuckets);
  first_chunk_ = times(registry, "gen_ai_client_inference_time_to_first_chunk_seconds",
                       "From the request that was sent to a provider to the first content.");
  per_chunk_ = times(registry, "gen_ai_client_inference_time_per_output_chunk_seconds",
                     "Between one chunk of a streamed answer and the next.");
}

void InferenceMetrics::count_usage(const Usage& usage, const Labels& labels, Series& series) const {
  const auto& [operation, provider, model, error] = labels;
  const auto add = [&](std::optional<Counter>& handle, const CounterFamily& family, int64_t count,
                       std::string_view modality) {
    if (count > 0)
      found(handle, [&] {
        return family.with({operation, provider, model, modality});
      }).add(static_cast<uint64_t>(count));
  };
  // What is left beside the modalities that a provider tells apart is text; of one that tells none apart it
  // is not known.
  const auto add_by_modality = [&](Series::Tokens& handles, const CounterFamily& family, int64_t total,
                                   int64_t audio, int64_t image) {
    const bool is_told = audio + image > 0;
    add(handles.audio, family, audio, "audio");
    add(handles.image, family, image, "image");
    add(is_told ? handles.text : handles.unknown, family, total - audio - image, is_told ? "text" : kUnknown);
  };
  add_by_modality(series.input, input_, usage.input_total(), usage.in_audio.value_or(0),
                  usage.in_image.value_or(0));
  add_by_modality(series.output, output_, usage.output_total(), usage.out_audio.value_or(0),
                  usage.out_image.value_or(0));
  add(series.cache_read, cache_read_, usage.cache_read.value_or(0), kUnknown);
  add(series.cache_write, cache_write_, usage.cache_write_5m.value_or(0) + usage.cache_write_1h.value_or(0),
      kUnknown);
  add(series.reasoning, reasoning_, usage.out_reasoning.value_or(0), kUnknown);
  found(series.input_size, [&] {
    return input_size_.with({operation, provider, model});
  }).observe(static_cast<double>(usage.input_total()));
  found(series.output_size, [&] {
    return output_size_.with({operation, provider, model});
  }).observe(static_cast<double>(usage.output_total()));
}

void InferenceMetrics::observe_times(const Exchange& exchange, const Labels& labels, Series& series) const {
  const auto& [operation, provider, model, error] = labels;
  const Timings& timings = exchange.timings;
  if (!timings.has(Mark::sent)) return;
  found(series.duration, [&] {
    return duration_.with({operation, provider, model, error});
  }).observe(seconds(timings.between(Mark::sent, Mark::done)));
  if (!is_streamed(exchange.request) || !timings.has(Mark::first_event)) return;
  found(series.first_chunk, [&] {
    return first_chunk_.with({operation, provider, model});
  }).observe(seconds(timings.between(Mark::sent, Mark::first_event)));
  if (const ChunkTimes& chunks = exchange.chunks; !chunks.empty()) {
    found(series.per_chunk, [&] {
      return per_chunk_.with({operation, provider, model});
    }).observe_all(chunks.counts(), seconds(chunks.sum()));
  }
}

void InferenceMetrics::count(const Exchange& exchange, const Labels& labels, Series& series) const {
  if (!is_inference(exchange.request)) return;
  if (!exchange.usage.empty()) count_usage(exchange.usage, labels, series);
  observe_times(exchange, labels, series);
}

}  // namespace weir
