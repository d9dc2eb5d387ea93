#include "codec/bedrock_invoke_decode.h"

#include <array>
#include <charconv>

#include "base/text.h"
#include "codec/anthropic_decode.h"
#include "codec/args.h"
#include "codec/bedrock_converse_decode.h"
#include "codec/bedrock_wire.h"
#include "codec/provider_json.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::bedrock_invoke;
constexpr std::string_view kMetrics = "amazon-bedrock-invocationMetrics";

// Where the families put what all of them say. The first that is there counts.
JsonValue first_of(JsonValue object, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (const JsonValue value = object[key]; !value.is_absent()) return value;
  }
  return {};
}

Usage text_usage(JsonValue body) {
  Usage usage;
  const JsonValue metrics = body[kMetrics];
  const JsonValue openai = body["usage"];
  usage.in_uncached = count_of(first_of(body, {"inputTextTokenCount", "prompt_token_count"}));
  usage.out_text = count_of(first_of(body, {"totalOutputTextTokenCount", "generation_token_count"}));
  if (!usage.in_uncached) usage.in_uncached = count_of(openai["prompt_tokens"]);
  if (!usage.out_text) usage.out_text = count_of(openai["completion_tokens"]);
  if (!usage.out_text) usage.out_text = count_of(body["results"].at(0)["tokenCount"]);
  // The service's own count is what is billed.
  if (const auto input = count_of(metrics["inputTokenCount"])) usage.in_uncached = input;
  if (const auto output = count_of(metrics["outputTokenCount"])) usage.out_text = output;
  return usage;
}

std::optional<int64_t> header_count(const Headers& headers, std::string_view name) {
  const std::string_view text = headers.get_or(name, "");
  int64_t count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (count < 0 || count > kProviderCountMax) return std::nullopt;
  return count;
}

}  // namespace

InvokeShape invoke_shape(JsonValue body) {
  constexpr std::array<std::string_view, 6> kNova = {
      "output", "messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop"};
  constexpr std::array<std::string_view, 8> kText = {"results", "outputText",  "generation", "outputs",
                                                     "choices", "generations", "text",       "event_type"};
  if (body["type"].is_string()) return InvokeShape::anthropic;
  for (const std::string_view key : kNova) {
    if (body[key]) return InvokeShape::nova;
  }
  for (const std::string_view key : kText) {
    if (body[key]) return InvokeShape::text;
  }
  return InvokeShape::unknown;
}

TextStep read_text_step(JsonValue body) {
  TextStep step;
  step.usage = text_usage(body);
  // Titan's results, Mistral's outputs, chat choices, Cohere's generations: one element each is asked for.
  JsonValue holder = first_of(body, {"results", "outputs", "choices", "generations"}).at(0);
  if (!holder) holder = body;
  const JsonValue message = first_of(holder, {"message", "delta"});
  JsonValue text = first_of(holder, {"outputText", "generation", "text"});
  if (message.is_object()) text = message["content"];
  step.text = text.string_or("");
  step.tool_calls = message["tool_calls"];
  step.stop = first_of(holder, {"completionReason", "stop_reason", "finish_reason"}).string_or("");
  return step;
}

StopReason text_stop_reason(std::string_view stop) {
  struct Row {
    std::string_view word;
    StopReason reason;
  };
  constexpr std::array<Row, 15> kRows = {{{"finish", StopReason::end},
                                          {"finished", StopReason::end},
                                          {"stop", StopReason::end},
                                          {"complete", StopReason::end},
                                          {"end_turn", StopReason::end},
                                          {"stop_sequence", StopReason::stop_sequence},
                                          {"stop_criteria_met", StopReason::stop_sequence},
                                          {"length", StopReason::length},
                                          {"max_tokens", StopReason::length},
                                          {"error_limit", StopReason::context_full},
                                          {"content_filtered", StopReason::filter},
                                          {"content_filter", StopReason::filter},
                                          {"error_toxic", StopReason::filter},
                                          {"tool_calls", StopReason::tool},
                                          {"rag_query_when_rag_disabled", StopReason::other}}};
  for (const Row& row : kRows) {
    if (equals_ignore_case(row.word, stop)) return row.reason;
  }
  return StopReason::other;
}

void TextEvents::read(const TextStep& step, const CallNotes& notes, std::vector<Event>& events) {
  if (is_done_) return;
  if (!std::exchange(has_begun_, true)) events.push_back(Start{});
  if (!step.text.empty()) {
    if (!std::exchange(is_in_text_, true))
      events.push_back(BlockStart{.index = next_index_, .dialect = kDialect});
    events.push_back(Delta{.index = next_index_, .text = std::string(step.text), .dialect = kDialect});
  }
  for (const JsonValue call : step.tool_calls) add_call(call, notes, events);
  if (!step.usage.empty()) events.push_back(UsageReport{step.usage});
  if (step.stop.empty()) return;
  Finish finish;
  finish.native = step.stop;
  finish.reason = text_stop_reason(step.stop);
  finish_ = std::move(finish);
}

// A call comes whole, its arguments as text or as an object.
void TextEvents::add_call(JsonValue call, const CallNotes& notes, std::vector<Event>& events) {
  const JsonValue function = call["function"];
  if (!function["name"].is_string()) return;
  close_text(events);
  has_calls_ = true;
  const JsonValue arguments = function["arguments"];
  BlockStart started{.index = next_index_, .kind = BlockKind::tool_call, .dialect = kDialect};
  started.tool_id = call["id"].string_or("");
  started.tool_name = notes.tool_names.original(function["name"].string_or(""));
  const bool is_custom = notes.custom_tools->contains(started.tool_name);
  if (is_custom) started.tool_kind = ToolKind::custom;
  events.push_back(std::move(started));
  std::string text(arguments.is_string() ? arguments.string_or("") : arguments.raw());
  if (is_custom) text = custom_tool_input(text);
  if (text.empty() && !is_custom) text = "{}";
  events.push_back(Delta{.index = next_index_, .text = std::move(text), .dialect = kDialect});
  events.push_back(BlockEnd{.index = next_index_++});
}

void TextEvents::close_text(std::vector<Event>& events) {
  if (std::exchange(is_in_text_, false)) events.push_back(BlockEnd{.index = next_index_++});
}

bool TextEvents::conclude(std::vector<Event>& events) {
  if (is_done_) return true;
  if (!finish_) return false;
  is_done_ = true;
  close_text(events);
  if (has_calls_ && finish_->reason == StopReason::end) finish_->reason = StopReason::tool;
  events.push_back(*finish_);
  events.push_back(End{});
  return true;
}

Usage invoke_header_usage(const Headers& headers) {
  Usage usage;
  usage.in_uncached = header_count(headers, "x-amzn-bedrock-input-token-count");
  usage.out_text = header_count(headers, "x-amzn-bedrock-output-token-count");
  return usage;
}

Result<std::vector<Event>> decode_invoke_answer(const WireReply& reply, const CallNotes& notes) {
  JsonScratch scratch;
  const JsonValue root = TRY(parse_answer(scratch, reply.body));
  const InvokeShape shape = invoke_shape(root);
  if (shape == InvokeShape::anthropic) return decode_anthropic_answer(reply, notes);
  if (shape == InvokeShape::nova) return decode_converse_answer(root, notes);
  if (shape == InvokeShape::unknown) {
    Error error =
        make_error(ErrorKind::upstream_malformed, "the provider's answer is of no known model family");
    error.provider_body = reply.body.substr(0, kProviderBodyMax);
    return fail(std::move(error));
  }
  TextStep step = read_text_step(root);
  if (step.usage.empty()) step.usage = invoke_header_usage(*reply.headers);
  if (step.stop.empty()) step.stop = "stop";  // a whole answer has ended, whether it says so or not
  std::vector<Event> events;
  TextEvents answer;
  answer.read(step, notes, events);
  answer.conclude(events);
  return events;
}

}  // namespace weir
