#include "codec/openai_responses_encode.h"

#include <algorithm>
#include <fmt/core.h>

#include "base/text.h"
#include "codec/answer_forms.h"
#include "codec/citations.h"
#include "codec/openai_encode.h"
#include "codec/openai_responses_tools.h"
#include "codec/service_tier.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::openai_responses;

void value_or_null(JsonWriter& json, std::string_view text) {
  if (text.empty()) {
    json.null();
  } else {
    json.value(text);
  }
}

// What a response repeats of its request. translation.md 4.5; OpenAI's OpenAPI document, schema Response.
class RequestEcho {
 public:
  RequestEcho(JsonWriter& json, const Chat& chat) : json_(json), chat_(chat) {}

  void limits() {
    json_.key("instructions");
    value_or_null(json_, instructions());
    json_.key("max_output_tokens");
    if (chat_.max_tokens) {
      json_.value(*chat_.max_tokens);
    } else {
      json_.null();
    }
    json_.key("max_tool_calls").raw(extra("max_tool_calls", "null"));
  }

  void settings() {
    json_.key("parallel_tool_calls").value(chat_.parallel_tools.value_or(true));
    json_.key("previous_response_id");
    value_or_null(json_, chat_.previous_response_id);
    json_.key("prompt_cache_key");
    value_or_null(json_, chat_.prompt_cache_key);
    reasoning();
    json_.key("safety_identifier");
    value_or_null(json_, chat_.end_user);
    json_.key("store").value(chat_.is_stored.value_or(true));
    json_.key("temperature").value(chat_.temperature.value_or(1));
    text();
    tool_choice();
    tools();
    json_.key("top_logprobs").value(chat_.top_logprobs.value_or(0));
    json_.key("top_p").value(chat_.top_p.value_or(1));
    json_.key("truncation").raw(extra("truncation", R"("disabled")"));
  }

  void metadata() {
    json_.key("metadata").begin_object();
    for (const MetadataEntry& entry : chat_.metadata) json_.key(entry.key).value(entry.value);
    json_.end_object();
  }

 private:
  std::string_view instructions() const {
    for (const Message& message : chat_.messages) {
      if (message.content.size() != 1 || message.content[0].pointer != "/instructions") continue;
      if (const auto* text = std::get_if<TextBlock>(&message.content[0].body)) return text->text;
    }
    return {};
  }

  std::string_view extra(std::string_view key, std::string_view otherwise) const {
    for (const ExtraField& field : chat_.extras) {
      if (field.key == key && field.dialect == kDialect) return field.raw.text;
    }
    return otherwise;
  }

  void reasoning() {
    json_.key("reasoning").begin_object().key("effort");
    const Reasoning& reasoning = chat_.reasoning;
    value_or_null(json_, reasoning.is_disabled ? "none"
                         : reasoning.effort    ? to_string(*reasoning.effort)
                                               : std::string_view());
    json_.key("summary");
    value_or_null(json_, reasoning.display);
    json_.end_object();
  }

  void text() {
    const ResponseFormat& format = chat_.format;
    json_.key("text").begin_object().key("format").begin_object().key("type");
    if (format.kind == FormatKind::json_schema) {
      json_.value("json_schema").key("name").value(format.name);
      if (!format.description.empty()) json_.key("description").value(format.description);
      json_.key("schema").raw(format.schema.text).key("strict").value(format.strict.value_or(false));
    } else {
      json_.value(format.kind == FormatKind::json_object ? "json_object" : "text");
    }
    json_.end_object();
    json_.key("verbosity").value(chat_.verbosity.empty() ? "medium" : chat_.verbosity).end_object();
  }

  void tool_choice() {
    json_.key("tool_choice");
    write_responses_tool_choice(json_, chat_.tool_choice.value_or(ToolChoice{}), chat_, {});
  }

  void tools() {
    json_.key("tools").begin_array();
    for (const Tool& tool : chat_.tools) {
      if (tool.kind != ToolKind::function) {
        json_.raw(tool.raw.text);
        continue;
      }
      json_.begin_object().key("type").value("function").key("name").value(tool.name);
      json_.key("description");
      value_or_null(json_, tool.description);
      json_.key("parameters").raw(tool.schema ? tool.schema.text : "null");
      json_.key("strict").value(tool.strict.value_or(true)).end_object();
    }
    json_.end_array();
  }

  JsonWriter& json_;
  const Chat& chat_;
};

void write_usage(JsonWriter& json, const Usage& usage) {
  const int64_t input = usage.input_total();
  const int64_t output = usage.output_total();
  json.begin_object().key("input_tokens").value(input).key("input_tokens_details").begin_object();
  json.key("cached_tokens").value(usage.cache_read.value_or(0)).key("cache_write_tokens");
  json.value(usage.cache_write_5m.value_or(0) + usage.cache_write_1h.value_or(0)).end_object();
  json.key("output_tokens").value(output).key("output_tokens_details").begin_object();
  json.key("reasoning_tokens").value(usage.out_reasoning.value_or(0)).end_object();
  json.key("total_tokens").value(input + output).end_object();
}

void write_error(JsonWriter& json, const ResponsesStatus& status) {
  json.key("error");
  if (status.error_code.empty()) {
    json.null();
    return;
  }
  json.begin_object().key("code").value(status.error_code);
  json.key("message").value(status.error_message).end_object();
}

// The blocks of an answer as output items.
class ItemsWriter {
 public:
  ItemsWriter(JsonWriter& json, const AnswerContext& context) : json_(json), context_(context) {}

  void write(const AnswerChoice& choice) {
    json_.begin_array();
    std::string logprobs = join(choice.logprobs);
    bool has_refusal = false;
    for (const AnswerBlock& block : choice.blocks) {
      has_refusal = has_refusal || block.kind == BlockKind::refusal;
      if (block.kind == BlockKind::text || block.kind == BlockKind::refusal) {
        // The IR tells no more than that they belong to the answer's text: the first part has them all.
        const bool is_text = block.kind == BlockKind::text;
        parts_.push_back({.block = block,
                          .logprobs = is_text ? std::exchange(logprobs, "[]") : "[]",
                          .starts_at = text_characters_});
        if (is_text) text_characters_ += characters(block.text);
        continue;
      }
      const BlockStart started{.kind = block.kind, .tool_kind = block.tool_kind, .dialect = block.dialect};
      if (!has_answer_form(kDialect, started) || is_empty_thought(kDialect, block)) continue;
      end_message(status_of(choice));
      item(block, status_of(choice));
    }
    if (choice.finish.reason == StopReason::refusal && !has_refusal) {
      ResponsesPart& part = parts_.emplace_back();
      part.block.kind = BlockKind::refusal;
      part.block.text = kResponsesRefusal;
    }
    end_message(status_of(choice));
    json_.end_array();
  }

 private:
  // Each piece is an array; one array of all their elements.
  static std::string join(const std::vector<std::string>& pieces) {
    std::string joined = "[";
    for (const std::string& piece : pieces) {
      if (piece.size() <= 2) continue;
      if (joined.size() > 1) joined += ',';
      joined.append(piece, 1, piece.size() - 2);
    }
    return joined + ']';
  }

  static std::string_view status_of(const AnswerChoice& choice) {
    return responses_status(choice.finish.reason).status == "incomplete" ? "incomplete" : "completed";
  }

  void end_message(std::string_view status) {
    if (parts_.empty()) return;
    write_responses_message(json_, responses_item_id("msg", context_.exchange_id, place_++), status, parts_);
    parts_.clear();
  }

  void item(const AnswerBlock& block, std::string_view status) {
    if (block.kind == BlockKind::unknown || block.tool_kind == ToolKind::server) {
      json_.raw(block.raw);
      ++place_;
      return;
    }
    std::string id = block.kind == BlockKind::thinking && !block.id.empty()
                         ? block.id
                         : responses_item_id(responses_id_prefix(block.kind, block.tool_kind),
                                             context_.exchange_id, place_);
    ++place_;
    if (block.kind == BlockKind::tool_call) {
      write_responses_call(json_, id, status, block);
    } else if (block.kind == BlockKind::thinking) {
      write_responses_reasoning(json_, id, block);
    } else {
      write_responses_image(json_, id, "completed", block);
    }
  }

  JsonWriter& json_;
  const AnswerContext& context_;
  std::vector<ResponsesPart> parts_;  // of the message that is being gathered
  size_t place_ = 0;
  int64_t text_characters_ = 0;  // of the texts so far
};

}  // namespace

ResponsesStatus responses_status(StopReason reason) {
  ResponsesStatus status{.status = "completed"};
  switch (reason) {
    case StopReason::length:
    case StopReason::context_full:
      status.status = "incomplete";
      status.incomplete_reason = "max_output_tokens";
      break;
    case StopReason::filter:
    case StopReason::guardrail:
      status.status = "incomplete";
      status.incomplete_reason = "content_filter";
      break;
    case StopReason::pause:
      status.status = "incomplete";
      break;
    case StopReason::bad_tool:
      status.status = "failed";
      status.error_code = "server_error";
      status.error_message = "the model called a tool in a way that cannot be read; try again";
      break;
    case StopReason::end:
    case StopReason::stop_sequence:
    case StopReason::tool:
    case StopReason::refusal:
    case StopReason::other:
      break;
  }
  return status;
}

std::string_view responses_error_code(const Error& error) {
  switch (error.kind) {
    case ErrorKind::rate_limited:
    case ErrorKind::upstream_rate_limited:
    case ErrorKind::budget_exceeded:
    case ErrorKind::upstream_quota:
      return "rate_limit_exceeded";
    case ErrorKind::content_policy:
    case ErrorKind::bad_request:
    case ErrorKind::context_too_long:
      return "invalid_prompt";
    default:
      return "server_error";
  }
}

std::string responses_item_id(std::string_view prefix, std::string_view exchange_id, size_t place) {
  return fmt::format("{}_{}", openai_answer_id(fmt::format("{}_", prefix), {}, exchange_id), place);
}

bool is_responses_item_id(std::string_view id) {
  const size_t place = id.rfind('_');
  return place != std::string_view::npos && place > id.find('_') && place + 1 < id.size() &&
         id.find_first_not_of("0123456789", place + 1) == std::string_view::npos;
}

std::string_view responses_id_prefix(BlockKind kind, ToolKind tool_kind) {
  switch (kind) {
    case BlockKind::tool_call:
      return tool_kind == ToolKind::custom ? "ctc" : "fc";
    case BlockKind::thinking:
      return "rs";
    case BlockKind::image:
      return "ig";
    default:
      return "msg";
  }
}

void write_response(JsonWriter& json, const AnswerContext& context, const Start& start,
                    const ResponsesStatus& status, std::string_view output, const Usage* usage) {
  static const Chat kNothingAsked;
  const Chat* asked = context.request ? chat_of(*context.request) : nullptr;
  RequestEcho echo(json, asked ? *asked : kNothingAsked);
  json.begin_object();
  json.key("id").value(openai_answer_id("resp_", start.id, context.exchange_id));
  json.key("object").value("response");
  json.key("created_at").value(start.created_s > 0 ? start.created_s : context.created_s);
  json.key("status").value(status.status).key("background").value(false);
  write_error(json, status);
  json.key("incomplete_details");
  if (status.incomplete_reason.empty()) {
    json.null();
  } else {
    json.begin_object().key("reason").value(status.incomplete_reason).end_object();
  }
  echo.limits();
  json.key("model").value(start.model.empty() ? context.model : start.model);
  json.key("output").raw(output);
  echo.settings();
  const std::string_view tier = openai_service_tier(start.service_tier);
  json.key("service_tier").value(tier.empty() ? "default" : tier);
  if (usage) {
    json.key("usage");
    write_usage(json, *usage);
  }
  echo.metadata();
  json.end_object();
}

std::vector<std::string> responses_citations(const ResponsesPart& part) {
  if (part.block.citations.empty()) return {};
  const CitedRange range{.start = part.starts_at,
                         .end = part.starts_at + characters(part.block.text),
                         .part_start = part.starts_at};
  return citation_forms(kDialect, part.block, range);
}

void write_responses_part(JsonWriter& json, const ResponsesPart& part) {
  const AnswerBlock& block = part.block;
  json.begin_object();
  if (block.kind == BlockKind::refusal) {
    json.key("type").value("refusal").key("refusal").value(block.text).end_object();
    return;
  }
  json.key("type").value("output_text").key("annotations").begin_array();
  for (const std::string& citation : responses_citations(part)) json.raw(citation);
  json.end_array().key("logprobs").raw(part.logprobs).key("text").value(block.text).end_object();
}

void write_responses_message(JsonWriter& json, std::string_view id, std::string_view status,
                             std::span<const ResponsesPart> parts) {
  json.begin_object().key("id").value(id).key("type").value("message").key("status").value(status);
  json.key("role").value("assistant").key("content").begin_array();
  for (const ResponsesPart& part : parts) write_responses_part(json, part);
  json.end_array().end_object();
}

void write_responses_call(JsonWriter& json, std::string_view id, std::string_view status,
                          const AnswerBlock& call) {
  const bool is_custom = call.tool_kind == ToolKind::custom;
  json.begin_object().key("id").value(id).key("type");
  json.value(is_custom ? "custom_tool_call" : "function_call").key("status").value(status);
  json.key("call_id").value(call.tool_id).key("name").value(call.tool_name);
  // S7: a call without arguments is a call with none.
  const bool has_none = !is_custom && call.text.empty() && status != "in_progress";
  json.key(is_custom ? "input" : "arguments")
      .value(has_none ? "{}" : std::string_view(call.text))
      .end_object();
}

void write_responses_reasoning(JsonWriter& json, std::string_view id, const AnswerBlock& thinking) {
  json.begin_object().key("id").value(id).key("type").value("reasoning").key("summary").begin_array();
  if (!thinking.text.empty()) {
    json.begin_object().key("type").value("summary_text").key("text").value(thinking.text).end_object();
  }
  json.end_array().key("encrypted_content");
  // Another vendor's signature is nothing that this dialect's clients could send back to their vendor.
  if (thinking.dialect == kDialect && !thinking.signature.empty()) {
    json.value(thinking.signature);
  } else {
    json.null();
  }
  json.end_object();
}

void write_responses_image(JsonWriter& json, std::string_view id, std::string_view status,
                           const AnswerBlock& image) {
  json.begin_object().key("id").value(id).key("type").value("image_generation_call");
  json.key("status").value(status).key("result");
  value_or_null(json, image.text);
  constexpr std::string_view kImage = "image/";
  if (image.raw.starts_with(kImage))
    json.key("output_format").value(std::string_view(image.raw).substr(kImage.size()));
  json.end_object();
}

ClientReply encode_responses_answer(const Answer& answer, const AnswerContext& context) {
  ClientReply reply;
  reply.headers.add("content-type", "application/json");
  static const AnswerChoice kEmpty;
  const AnswerChoice& choice = answer.choices.empty() ? kEmpty : answer.choices[0];
  std::string output;
  JsonWriter items(output);
  ItemsWriter(items, context).write(choice);
  JsonWriter json(reply.body);
  write_response(json, context, answer.start, responses_status(choice.finish.reason), output, &answer.usage);
  return reply;
}

}  // namespace weir
