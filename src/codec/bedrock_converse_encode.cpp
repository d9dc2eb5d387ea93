#include "codec/bedrock_converse_encode.h"

#include <algorithm>
#include <fmt/core.h>

#include "base/encoding.h"
#include "codec/answer_forms.h"
#include "codec/args.h"
#include "codec/bedrock_converse_content.h"
#include "codec/citations.h"
#include "codec/tool_names.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::bedrock_converse;

class ContentWriter {
 public:
  explicit ContentWriter(JsonWriter& json) : json_(json) {}

  void write(const AnswerBlock& block) {
    switch (block.kind) {
      case BlockKind::text:
      case BlockKind::refusal:
        if (!block.text.empty() || !block.citations.empty()) write_text(block);
        return;
      case BlockKind::tool_call:
        if (block.tool_kind != ToolKind::server) {
          write_call(block);
        } else if (block.dialect == kDialect) {
          json_.raw(block.raw);
        }
        return;
      case BlockKind::thinking:
        if (!is_empty_thought(kDialect, block)) write_thinking(block);
        return;
      case BlockKind::redacted_thinking:
        json_.begin_object().key("reasoningContent").begin_object();
        json_.key("redactedContent").value(converse_blob(block.text)).end_object().end_object();
        return;
      case BlockKind::image:
        write_image(block);
        return;
      case BlockKind::unknown:
        if (block.dialect == kDialect) json_.raw(block.raw);
        return;
      case BlockKind::audio:
        return;  // the dialect has no form for it in answers
    }
  }

 private:
  void write_text(const AnswerBlock& block) {
    const std::vector<std::string> citations = citation_forms(kDialect, block, {});
    if (citations.empty()) {
      json_.begin_object().key("text").value(block.text).end_object();
      return;
    }
    json_.begin_object().key("citationsContent").begin_object().key("content").begin_array();
    json_.begin_object().key("text").value(block.text).end_object().end_array();
    json_.key("citations").begin_array();
    for (const std::string& citation : citations) json_.raw(citation);
    json_.end_array().end_object().end_object();
  }

  void write_call(const AnswerBlock& block) {
    json_.begin_object().key("toolUse").begin_object();
    json_.key("toolUseId").value(converse_call_id(block.tool_id)).key("name").value(block.tool_name);
    json_.key("input");
    if (block.tool_kind == ToolKind::custom) {
      json_.begin_object().key("input").value(block.text).end_object();
    } else {
      write_object_arguments(json_, block.text);
    }
    json_.end_object().end_object();
  }

  void write_thinking(const AnswerBlock& block) {
    json_.begin_object().key("reasoningContent").begin_object().key("reasoningText").begin_object();
    json_.key("text").value(block.text);
    if (!block.signature.empty() && shares_signatures(block.dialect, kDialect))
      json_.key("signature").value(block.signature);
    json_.end_object().end_object().end_object();
  }

  void write_image(const AnswerBlock& block) {
    const std::string_view format = converse_format("image", block.raw);
    if (format.empty()) return;
    json_.begin_object().key("image").begin_object().key("format").value(format);
    json_.key("source").begin_object().key("bytes").value(block.text).end_object();
    json_.end_object().end_object();
  }

  JsonWriter& json_;
};

}  // namespace

std::string_view converse_stop_reason(StopReason reason) {
  switch (reason) {
    case StopReason::stop_sequence:
      return "stop_sequence";
    case StopReason::length:
      return "max_tokens";
    case StopReason::context_full:
      return "model_context_window_exceeded";
    case StopReason::tool:
      return "tool_use";
    case StopReason::refusal:
    case StopReason::filter:
      return "content_filtered";
    case StopReason::guardrail:
      return "guardrail_intervened";
    case StopReason::bad_tool:
      return "malformed_tool_use";
    case StopReason::end:
    case StopReason::pause:
    case StopReason::other:
      break;
  }
  return "end_turn";
}

std::string converse_blob(std::string_view data) {
  return base64_decode(data) ? std::string(data) : base64_encode(data);
}

std::string converse_call_id(std::string_view id) {
  return id.empty() ? std::string("call") : legal_tool_name(id, kOpenAiToolNameMax);
}

void write_converse_usage(JsonWriter& json, const Usage& usage) {
  const int64_t read = usage.cache_read.value_or(0);
  const int64_t written = usage.cache_write_5m.value_or(0) + usage.cache_write_1h.value_or(0);
  const int64_t input = usage.input_total() - read - written;
  const int64_t output = usage.output_total();
  json.begin_object().key("inputTokens").value(input).key("outputTokens").value(output);
  json.key("totalTokens").value(input + read + written + output);
  if (usage.cache_read) json.key("cacheReadInputTokens").value(read);
  if (usage.cache_write_5m || usage.cache_write_1h) {
    json.key("cacheWriteInputTokens").value(written);
    if (usage.cache_write_1h) {
      json.key("cacheDetails").begin_array();
      json.begin_object().key("ttl").value("5m").key("inputTokens").value(usage.cache_write_5m.value_or(0));
      json.end_object();
      json.begin_object().key("ttl").value("1h").key("inputTokens").value(*usage.cache_write_1h);
      json.end_object().end_array();
    }
  }
  json.end_object();
}

void write_converse_response_fields(JsonWriter& json, const Finish& finish, const AnswerContext& context) {
  const Chat* chat = chat_of(*context.request);
  if (finish.stop_sequence.empty() || !chat) return;
  const auto asks_for = [&](std::string_view path) {
    return std::any_of(chat->extras.begin(), chat->extras.end(), [&](const ExtraField& extra) {
      return extra.dialect == kDialect && extra.key == "additionalModelResponseFieldPaths" &&
             extra.raw.text.find(path) != std::string_view::npos;
    });
  };
  // Streams have it where the model's own last event does.
  const bool is_streamed = asks_for("\"/delta/stop_sequence\"");
  if (!is_streamed && !asks_for("\"/stop_sequence\"")) return;
  json.key("additionalModelResponseFields").begin_object();
  if (is_streamed) json.key("delta").begin_object();
  json.key("stop_sequence").value(finish.stop_sequence);
  if (is_streamed) json.end_object();
  json.end_object();
}

void write_converse_metrics(JsonWriter& json, const AnswerContext& context) {
  json.begin_object().key("latencyMs").value(context.elapsed_ms ? context.elapsed_ms() : int64_t{0});
  json.end_object();
}

ClientReply encode_converse_answer(const Answer& answer, const AnswerContext& context) {
  ClientReply reply;
  reply.headers.add("content-type", "application/json");
  static const AnswerChoice kEmpty;
  const AnswerChoice& choice = answer.choices.empty() ? kEmpty : answer.choices.front();
  JsonWriter json(reply.body);
  json.begin_object().key("output").begin_object().key("message").begin_object();
  json.key("role").value("assistant").key("content").begin_array();
  for (const AnswerBlock& block : choice.blocks) ContentWriter(json).write(block);
  json.end_array().end_object().end_object();
  json.key("stopReason").value(converse_stop_reason(choice.finish.reason));
  json.key("usage");
  write_converse_usage(json, answer.usage);
  json.key("metrics");
  write_converse_metrics(json, context);
  write_converse_response_fields(json, choice.finish, context);
  json.end_object();
  return reply;
}

}  // namespace weir
