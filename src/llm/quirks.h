// Deviations of endpoints from the dialect that they speak.
#pragma once

#include <string_view>

namespace weir {

// Deviations of an endpoint from its dialect; the closed list and a sentence for each stand at the head of
// config/providers.yaml. false: the endpoint follows the dialect.
struct Quirks {
  bool no_stream_options = false;
  bool usage_in_x_groq = false;
  bool reasoning_not_in_completion = false;
  bool no_metadata = false;
  bool no_store = false;
  bool no_parallel_tool_calls = false;
  bool no_logit_bias = false;
  bool no_penalties = false;
  bool no_user = false;
  bool no_message_name = false;
  bool no_tool_strict = false;
  bool strict_on_some_models = false;
  bool system_role_only = false;
  bool strict_alternation = false;
  bool seed_is_random_seed = false;
  bool tool_call_id_9 = false;
  bool tool_choice_any = false;
  bool prefill_needs_prefix = false;
  bool reasoning_content = false;
  bool reasoning_field = false;
  bool thinking_parts = false;
  bool thinking_blocks = false;
  bool reasoning_details = false;
  bool finish_reason_repair = false;
  bool vertex_shapes = false;
  bool vertex_anthropic = false;
  bool top_n_is_top_k = false;
  bool no_max_tokens_per_doc = false;
  bool dimensions_is_output_dimension = false;
  bool operator==(const Quirks&) const = default;
};

// Calls visit(name, &Quirks::member) for each quirk. The names are those of config/providers.yaml.
template <class Visit>
constexpr void for_each_quirk(Visit&& visit) {
  visit(std::string_view("no_stream_options"), &Quirks::no_stream_options);
  visit(std::string_view("usage_in_x_groq"), &Quirks::usage_in_x_groq);
  visit(std::string_view("reasoning_not_in_completion"), &Quirks::reasoning_not_in_completion);
  visit(std::string_view("no_metadata"), &Quirks::no_metadata);
  visit(std::string_view("no_store"), &Quirks::no_store);
  visit(std::string_view("no_parallel_tool_calls"), &Quirks::no_parallel_tool_calls);
  visit(std::string_view("no_logit_bias"), &Quirks::no_logit_bias);
  visit(std::string_view("no_penalties"), &Quirks::no_penalties);
  visit(std::string_view("no_user"), &Quirks::no_user);
  visit(std::string_view("no_message_name"), &Quirks::no_message_name);
  visit(std::string_view("no_tool_strict"), &Quirks::no_tool_strict);
  visit(std::string_view("strict_on_some_models"), &Quirks::strict_on_some_models);
  visit(std::string_view("system_role_only"), &Quirks::system_role_only);
  visit(std::string_view("strict_alternation"), &Quirks::strict_alternation);
  visit(std::string_view("seed_is_random_seed"), &Quirks::seed_is_random_seed);
  visit(std::string_view("tool_call_id_9"), &Quirks::tool_call_id_9);
  visit(std::string_view("tool_choice_any"), &Quirks::tool_choice_any);
  visit(std::string_view("prefill_needs_prefix"), &Quirks::prefill_needs_prefix);
  visit(std::string_view("reasoning_content"), &Quirks::reasoning_content);
  visit(std::string_view("reasoning_field"), &Quirks::reasoning_field);
  visit(std::string_view("thinking_parts"), &Quirks::thinking_parts);
  visit(std::string_view("thinking_blocks"), &Quirks::thinking_blocks);
  visit(std::string_view("reasoning_details"), &Quirks::reasoning_details);
  visit(std::string_view("finish_reason_repair"), &Quirks::finish_reason_repair);
  visit(std::string_view("vertex_shapes"), &Quirks::vertex_shapes);
  visit(std::string_view("vertex_anthropic"), &Quirks::vertex_anthropic);
  visit(std::string_view("top_n_is_top_k"), &Quirks::top_n_is_top_k);
  visit(std::string_view("no_max_tokens_per_doc"), &Quirks::no_max_tokens_per_doc);
  visit(std::string_view("dimensions_is_output_dimension"), &Quirks::dimensions_is_output_dimension);
}

}  // namespace weir
