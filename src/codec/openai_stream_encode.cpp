// Streams in OpenAI's chat dialect, in the chunk shapes that every client accepts (clients.md 2.2).
#include <map>

#include "base/text.h"
#include "codec/openai_encode.h"
#include "codec/service_tier.h"
#include "io/sse.h"

namespace weir {
namespace {

// S4, S14: role in a choice's first chunk only; every chunk repeats id, created and model; the tool index
// counts tool calls only; usage comes last and only if asked for.
constexpr std::string_view kReasoningContent = "reasoning_content";

class OpenAiStreamEncoder final : public StreamEncoder {
 public:
  OpenAiStreamEncoder(AnswerContext context, ReasoningFields fields)
      : context_(std::move(context)), reasoning_fields_(fields) {
    const Chat* chat = context_.request ? chat_of(*context_.request) : nullptr;
    includes_usage_ = chat && chat->includes_usage;
    is_legacy_ = has_legacy_functions(context_);
  }

  void encode(const Event& event, std::string& out) override {
    std::visit([&](const auto& body) { on(body, out); }, event);
  }

  void keep_alive(std::string& out) override { append_sse_comment(out, "keep-alive"); }

  void fail(const Error& error, std::string& out) override {
    out += "data: ";
    JsonWriter json(out);
    json.begin_object().key("error");
    write_openai_error(json, error);
    json.end_object();
    out += "\n\n";
  }

 private:
  struct Block {
    BlockKind kind = BlockKind::text;
    int tool_index = 0;
    ToolKind tool_kind = ToolKind::function;
    bool has_content = false;
    int64_t starts_at = 0;           // in the content, in characters
    std::vector<std::string> cited;  // raw JSON of `cited_by`
    Dialect cited_by = Dialect::openai_chat;
    AnswerBlock thinking;  // signature and text, for thinking_blocks
    AnswerBlock image;     // its type and bytes, which leave whole
  };
  struct Choice {
    bool has_role = false;
    bool has_refusal = false;
    int tools = 0;
    int64_t characters = 0;  // of the content
    std::map<int, Block> blocks;
  };

  void on(const Start& start, std::string&) {
    id_ = openai_answer_id("chatcmpl-", start.id, context_.exchange_id);
    if (!start.model.empty()) model_ = start.model;
    if (start.created_s > 0) created_s_ = start.created_s;
    fingerprint_ = start.system_fingerprint;
    service_tier_ = openai_service_tier(start.service_tier);
  }

  void on(const BlockStart& started, std::string& out) {
    Choice& choice = choices_[started.choice];
    Block& block = choice.blocks[started.index];
    block.kind = started.kind;
    block.tool_kind = started.tool_kind;
    block.starts_at = choice.characters;
    if (started.kind == BlockKind::image) block.image.raw = started.data;
    if (started.kind == BlockKind::redacted_thinking) block.thinking.text = started.data;
    if (started.kind != BlockKind::tool_call || started.tool_kind == ToolKind::server) return;
    block.tool_index = choice.tools++;
    if (!is_told(block)) return;
    open_chunk(started.choice, out);
    write_role(choice, true);
    if (is_legacy_) {
      json_->key("function_call").begin_object().key("name").value(started.tool_name);
      json_->key("arguments").value("").end_object();
      return close_chunk(out);
    }
    json_->key("tool_calls").begin_array().begin_object().key("index").value(block.tool_index);
    json_->key("id").value(started.tool_id);
    const bool is_custom = started.tool_kind == ToolKind::custom;
    json_->key("type")
        .value(is_custom ? "custom" : "function")
        .key(is_custom ? "custom" : "function")
        .begin_object();
    json_->key("name").value(started.tool_name).key(is_custom ? "input" : "arguments").value("").end_object();
    json_->end_object().end_array();
    close_chunk(out);
  }

  void on(const Delta& delta, std::string& out) {
    Choice& choice = choices_[delta.choice];
    Block& block = choice.blocks[delta.index];
    if (delta.kind == DeltaKind::signature) {
      if (shares_signatures(delta.dialect, Dialect::openai_chat)) block.thinking.signature += delta.text;
      return;
    }
    if (delta.kind == DeltaKind::citation) {
      block.cited.push_back(delta.text);
      block.cited_by = delta.dialect;
      return;
    }
    if (delta.text.empty()) return;
    block.has_content = true;
    switch (block.kind) {
      case BlockKind::tool_call:
        return on_arguments(delta, block, out);
      case BlockKind::thinking:
        block.thinking.text += delta.text;
        return text_chunk(delta, choice, kReasoningContent, out);
      case BlockKind::refusal:
        choice.has_refusal = true;
        return text_chunk(delta, choice, "refusal", out);
      case BlockKind::text:
        choice.characters += characters(delta.text);
        return text_chunk(delta, choice, "content", out);
      case BlockKind::image:
        block.image.text += delta.text;
        return;
      case BlockKind::redacted_thinking:
      case BlockKind::audio:
      case BlockKind::unknown:
        return;
    }
  }

  // A message has one function_call; such a request says that no calls are made in parallel.
  bool is_told(const Block& call) const { return !is_legacy_ || call.tool_index == 0; }

  void text_chunk(const Delta& delta, Choice& choice, std::string_view key, std::string& out) {
    open_chunk(delta.choice, out);
    write_role(choice, key != "content");
    json_->key(key).value(delta.text);
    if (key == kReasoningContent && reasoning_fields_ == ReasoningFields::both)
      json_->key("reasoning").value(delta.text);
    close_chunk(out);
  }

  void on_arguments(const Delta& delta, const Block& block, std::string& out) {
    if (block.tool_kind == ToolKind::server || !is_told(block)) return;
    const bool is_custom = block.tool_kind == ToolKind::custom;
    open_chunk(delta.choice, out);
    if (is_legacy_) {
      json_->key("function_call").begin_object().key("arguments").value(delta.text).end_object();
      return close_chunk(out);
    }
    json_->key("tool_calls").begin_array().begin_object().key("index").value(block.tool_index);
    json_->key(is_custom ? "custom" : "function").begin_object();
    json_->key(is_custom ? "input" : "arguments").value(delta.text).end_object().end_object().end_array();
    close_chunk(out);
  }

  // Some vendors cite before the text, and its place is known when it has ended.
  void write_citations(int index, Choice& choice, Block& block, std::string& out) {
    const CitedRange range{.start = block.starts_at, .end = choice.characters};
    OpenAiCitations citations;
    for (const std::string& cited : std::exchange(block.cited, {}))
      citations.add(block.cited_by, cited, range);
    if (citations.empty()) return;
    open_chunk(index, out);
    write_role(choice, false);
    write_openai_citations(*json_, citations);
    close_chunk(out);
  }

  void on(const BlockEnd& ended, std::string& out) {
    Choice& choice = choices_[ended.choice];
    Block& block = choice.blocks[ended.index];
    write_citations(ended.choice, choice, block, out);
    if (block.kind == BlockKind::image && !block.image.text.empty()) {
      open_chunk(ended.choice, out);
      write_role(choice, false);
      json_->key("images").begin_array();
      write_openai_image(*json_, std::exchange(block.image, {}));
      json_->end_array();
      return close_chunk(out);
    }
    // S7: a call without arguments is a call with none.
    if (block.kind == BlockKind::tool_call && !block.has_content && block.tool_kind == ToolKind::function) {
      return on_arguments({.choice = ended.choice,
                           .index = ended.index,
                           .kind = DeltaKind::content,
                           .text = "{}",
                           .dialect = {}},
                          block, out);
    }
    const bool is_signed = block.kind == BlockKind::thinking && !block.thinking.signature.empty();
    if (!is_signed && block.kind != BlockKind::redacted_thinking) return;
    open_chunk(ended.choice, out);
    write_role(choice, false);
    json_->key("thinking_blocks").begin_array().begin_object();
    if (block.kind == BlockKind::redacted_thinking) {
      json_->key("type").value("redacted_thinking").key("data").value(block.thinking.text);
    } else {
      json_->key("type").value("thinking").key("thinking").value(block.thinking.text);
      json_->key("signature").value(block.thinking.signature);
    }
    json_->end_object().end_array();
    close_chunk(out);
  }

  void on(const Logprobs& logprobs, std::string& out) {
    open_chunk(logprobs.choice, out);
    json_->end_object().key("logprobs").begin_object().key("content").raw(logprobs.raw).key("refusal").null();
    json_->end_object();
    finish_chunk(nullptr, out);
  }

  void on(const Finish& finish, std::string& out) {
    Choice& choice = choices_[finish.choice];
    for (auto& [index, block] : choice.blocks) write_citations(finish.choice, choice, block, out);
    open_chunk(finish.choice, out);
    write_role(choice, false);
    json_->end_object().key("logprobs").null();
    finish_chunk(&finish, out);
  }

  void on(const UsageReport& report, std::string&) { usage_.set_from(report.usage); }
  void on(const Ping&, std::string& out) { keep_alive(out); }
  void on(const Payload&, std::string&) {}

  void on(const End&, std::string& out) {
    if (includes_usage_) {
      head(out);
      json_->key("choices").begin_array().end_array().key("usage");
      write_openai_usage(*json_, usage_);
      tail(out);
    }
    out += "data: [DONE]\n\n";
  }

  void head(std::string& out) {
    if (id_.empty()) id_ = openai_answer_id("chatcmpl-", {}, context_.exchange_id);
    out += "data: ";
    json_.emplace(out);
    json_->begin_object().key("id").value(id_).key("object").value("chat.completion.chunk");
    json_->key("created").value(created_s_ > 0 ? created_s_ : context_.created_s);
    json_->key("model").value(model_.empty() ? context_.model : model_);
    if (!service_tier_.empty()) json_->key("service_tier").value(service_tier_);
    if (!fingerprint_.empty()) json_->key("system_fingerprint").value(fingerprint_);
  }

  void tail(std::string& out) {
    json_->end_object();
    json_.reset();
    out += "\n\n";
  }

  // Up to and into the delta object.
  void open_chunk(int choice, std::string& out) {
    head(out);
    json_->key("choices").begin_array().begin_object().key("index").value(choice).key("delta").begin_object();
  }

  void close_chunk(std::string& out) {
    json_->end_object().key("logprobs").null();
    finish_chunk(nullptr, out);
  }

  void finish_chunk(const Finish* finish, std::string& out) {
    json_->key("finish_reason");
    if (finish) {
      const bool is_function_call = is_legacy_ && finish->reason == StopReason::tool;
      json_->value(is_function_call
                       ? "function_call"
                       : openai_finish_reason(finish->reason, choices_[finish->choice].has_refusal));
      write_openai_stop(*json_, *finish);
    } else {
      json_->null();
    }
    json_->end_object().end_array();
    if (includes_usage_) json_->key("usage").null();
    tail(out);
  }

  void write_role(Choice& choice, bool with_null_content) {
    if (choice.has_role) return;
    choice.has_role = true;
    json_->key("role").value("assistant");
    if (with_null_content) json_->key("content").null();
  }

  const AnswerContext context_;
  const ReasoningFields reasoning_fields_;
  bool includes_usage_ = false;
  bool is_legacy_ = false;  // calls are told as function_call
  std::string id_;
  std::string model_;
  int64_t created_s_ = 0;
  std::string fingerprint_;
  std::string service_tier_;
  std::map<int, Choice> choices_;
  Usage usage_;
  std::optional<JsonWriter> json_;  // of the chunk that is being written
};

}  // namespace

std::unique_ptr<StreamEncoder> make_openai_stream_encoder(AnswerContext context, ReasoningFields fields) {
  return std::make_unique<OpenAiStreamEncoder>(std::move(context), fields);
}

}  // namespace weir
