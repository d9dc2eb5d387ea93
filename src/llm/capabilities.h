// What a model behind an endpoint can do: the table that codecs and stages ask before they encode a request
// (rule R0.6 of the translation specification). Every member is optional, and absent means unknown: the codec
// passes the field through and lets the provider judge. Nothing is assumed about a model that nobody
// described.
//
// The rows come from config/prices.yaml (models) and config/providers.yaml (endpoints); provider/catalog.h
// joins both.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "llm/model_family.h"
#include "llm/quirks.h"

namespace weir {

// How a caller steers the model's reasoning.
enum class ThinkingMode : uint8_t {
  none,      // does not reason, and rejects the fields that ask for it
  budget,    // a number of tokens: Anthropic thinking {type: enabled, budget_tokens}
  adaptive,  // the model decides, guided by an effort: Anthropic thinking {type: adaptive} with
             // output_config.effort
  effort,    // a named effort: OpenAI reasoning_effort
};

// The rows of the effort table of the translation specification, in rising order. `off` is spelled "none" on
// the wire.
enum class EffortLevel : uint8_t { off, minimal, low, medium, high, xhigh, max };
inline constexpr size_t kEffortLevelCount = static_cast<size_t>(EffortLevel::max) + 1;

// The set of effort levels that a model accepts.
class EffortSet {
 public:
  constexpr EffortSet() = default;
  constexpr EffortSet(std::initializer_list<EffortLevel> levels) {
    for (EffortLevel level : levels) insert(level);
  }
  constexpr void insert(EffortLevel level) { bits_ |= bit(level); }
  constexpr bool contains(EffortLevel level) const { return (bits_ & bit(level)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  // The accepted level next to `wanted`: itself, else the nearest one, the lower of two that are equally
  // near; but a wish for reasoning is never answered by `off` while the set has another level. REQUIRES a set
  // that is not empty.
  EffortLevel nearest(EffortLevel wanted) const;
  bool operator==(const EffortSet&) const = default;

 private:
  static constexpr uint8_t bit(EffortLevel level) {
    return static_cast<uint8_t>(1U << static_cast<unsigned>(level));
  }
  uint8_t bits_ = 0;
};

// How an answer is made to follow a JSON schema.
enum class JsonSchemaSupport : uint8_t {
  none,    // neither: instruct and validate
  native,  // a field of the request: response_format json_schema, output_config.format
  tool,    // emulated by one forced tool
};

// How a stable prefix of the prompt gets cached.
enum class CacheControl : uint8_t {
  none,       // no prompt cache
  automatic,  // "auto": the provider caches by itself; markers are dropped
  markers,    // "explicit": the caller marks the ends of prefixes with cache_control
};

// Where instructions of the operator go.
enum class SystemRole : uint8_t {
  system,     // a message with role system
  developer,  // a message with role developer
  field,      // a field beside the messages: Anthropic's `system`
};

// The name of the field that bounds the answer.
enum class MaxTokensField : uint8_t { max_tokens, max_completion_tokens };

// Which vocabulary counts the model's tokens.
enum class TokenizerKind : uint8_t { estimate, cl100k_base, o200k_base };

// Inclusive.
struct TemperatureRange {
  double min = 0;
  double max = 0;
  bool operator==(const TemperatureRange&) const = default;
};

struct Capabilities {
  // Limits, in tokens.
  std::optional<int64_t> context;     // prompt and answer, or the prompt alone where the vendor counts so
  std::optional<int64_t> output_max;  // the answer, reasoning included

  // Input kinds.
  std::optional<bool> vision;        // images
  std::optional<bool> image_url;     // images by http(s) URL; false: only inline
  std::optional<bool> document_url;  // documents by http(s) URL; false: only inline
  std::optional<bool> pdf;
  std::optional<bool> audio_in;
  std::optional<bool> audio_out;

  // Tools and structure.
  std::optional<bool> tools;
  std::optional<bool> parallel_tools;  // several calls in one answer, and the switch that forbids it
  std::optional<bool> forced_tool;     // tool_choice may demand a call (required, any, or one by name)
  std::optional<JsonSchemaSupport> json_schema;
  std::optional<bool> json_object;               // response_format json_object
  std::optional<bool> openapi_schema;            // schemas in OpenAPI's subset only: Gemini's before 2.5
  std::optional<bool> own_tools_with_functions;  // false: tools that the vendor runs only without functions

  // Reasoning.
  std::optional<ThinkingMode> thinking;
  std::optional<bool> thinking_forced;  // reasons even when not asked to
  std::optional<EffortSet> effort_levels;
  std::optional<int64_t> thinking_budget_min;  // tokens
  std::optional<int64_t> thinking_budget_max;

  // Sampling.
  std::optional<TemperatureRange> temperature;
  std::optional<bool> allows_sampling;        // false: temperature and top_p other than 1 are rejected
  std::optional<bool> allows_temp_and_top_p;  // both in one request
  std::optional<bool> allows_stop;            // stop sequences
  std::optional<int64_t> stop_max;            // how many of them
  std::optional<int64_t> n_max;               // choices in one answer
  std::optional<int64_t> logprobs_max;        // top_logprobs; 0: logprobs are rejected

  // Shape of the request.
  std::optional<bool> prefill;  // a last message of the assistant is continued
  std::optional<SystemRole> system_role;
  std::optional<MaxTokensField> max_tokens_field;
  std::optional<CacheControl> cache_control;
  std::optional<ModelFamily> family;
  std::optional<bool> cache_ttl_1h;  // markers may ask for an hour

  // Embeddings.
  std::optional<int64_t> dimensions;      // of the vector when not asked otherwise
  std::optional<bool> dimensions_choice;  // the request may ask for fewer
  std::optional<int64_t> inputs_max;      // inputs in one request

  TokenizerKind tokenizer = TokenizerKind::estimate;
  Quirks quirks;
  bool operator==(const Capabilities&) const = default;
};

// Calls visit(name, &Capabilities::member) for each optional member; names are those of config/prices.yaml.
template <class Visit>
constexpr void for_each_capability(Visit&& visit) {
  visit(std::string_view("context"), &Capabilities::context);
  visit(std::string_view("output_max"), &Capabilities::output_max);
  visit(std::string_view("vision"), &Capabilities::vision);
  visit(std::string_view("image_url"), &Capabilities::image_url);
  visit(std::string_view("document_url"), &Capabilities::document_url);
  visit(std::string_view("pdf"), &Capabilities::pdf);
  visit(std::string_view("audio_in"), &Capabilities::audio_in);
  visit(std::string_view("audio_out"), &Capabilities::audio_out);
  visit(std::string_view("tools"), &Capabilities::tools);
  visit(std::string_view("parallel_tools"), &Capabilities::parallel_tools);
  visit(std::string_view("forced_tool"), &Capabilities::forced_tool);
  visit(std::string_view("json_schema"), &Capabilities::json_schema);
  visit(std::string_view("json_object"), &Capabilities::json_object);
  visit(std::string_view("openapi_schema"), &Capabilities::openapi_schema);
  visit(std::string_view("own_tools_with_functions"), &Capabilities::own_tools_with_functions);
  visit(std::string_view("thinking"), &Capabilities::thinking);
  visit(std::string_view("thinking_forced"), &Capabilities::thinking_forced);
  visit(std::string_view("effort_levels"), &Capabilities::effort_levels);
  visit(std::string_view("thinking_budget_min"), &Capabilities::thinking_budget_min);
  visit(std::string_view("thinking_budget_max"), &Capabilities::thinking_budget_max);
  visit(std::string_view("temperature"), &Capabilities::temperature);
  visit(std::string_view("allows_sampling"), &Capabilities::allows_sampling);
  visit(std::string_view("allows_temp_and_top_p"), &Capabilities::allows_temp_and_top_p);
  visit(std::string_view("allows_stop"), &Capabilities::allows_stop);
  visit(std::string_view("stop_max"), &Capabilities::stop_max);
  visit(std::string_view("n_max"), &Capabilities::n_max);
  visit(std::string_view("logprobs_max"), &Capabilities::logprobs_max);
  visit(std::string_view("prefill"), &Capabilities::prefill);
  visit(std::string_view("system_role"), &Capabilities::system_role);
  visit(std::string_view("max_tokens_field"), &Capabilities::max_tokens_field);
  visit(std::string_view("cache_control"), &Capabilities::cache_control);
  visit(std::string_view("cache_ttl_1h"), &Capabilities::cache_ttl_1h);
  visit(std::string_view("family"), &Capabilities::family);
  visit(std::string_view("dimensions"), &Capabilities::dimensions);
  visit(std::string_view("dimensions_choice"), &Capabilities::dimensions_choice);
  visit(std::string_view("inputs_max"), &Capabilities::inputs_max);
}

// Each member of `specific` that is known replaces the one in `general`; quirks are those of either.
Capabilities overlay(const Capabilities& general, const Capabilities& specific);

std::string_view to_string(ThinkingMode mode);
std::string_view to_string(EffortLevel level);
std::string_view to_string(JsonSchemaSupport support);
std::string_view to_string(CacheControl control);
std::string_view to_string(SystemRole role);
std::string_view to_string(MaxTokensField field);
std::string_view to_string(TokenizerKind kind);

// The inverse of to_string for the enums of this file, exact; nullopt for any other text.
//   from_string<ThinkingMode>("adaptive")
template <class Enum>
std::optional<Enum> from_string(std::string_view text);

}  // namespace weir
