// OpenAI's legacy completions: a prompt in, text out. Towards chat models the prompt is one user message.
#include <array>
#include <fmt/core.h>

#include "codec/fields.h"
#include "codec/openai.h"
#include "codec/openai_encode.h"
#include "io/sse.h"

namespace weir {
namespace {

using Row = FieldRow<Chat>;

Block text_block(std::string_view text) {
  return {.body = TextBlock{text}, .cache = {}, .pointer = {}};
}

// Several prompts, and those of token ids, are for servers that have this endpoint too: a block for each.
Result<void> read_prompts(Chat& chat, JsonValue prompts) {
  Message message;
  for (const JsonValue prompt : prompts) {
    const bool is_id = prompt.is_number();
    if (is_id && !message.content.empty()) continue;  // all ids are of one prompt
    const bool is_text = !is_id && !prompt.is_array();
    message.content.push_back(text_block(is_text ? TRY(prompt.as_string()) : std::string_view()));
  }
  chat.messages.push_back(std::move(message));
  return unknown_value(
      "this model's provider takes one prompt, as a text: send several as several requests, and texts "
      "instead "
      "of token ids",
      "prompt");
}

Result<void> read_prompt(Chat& chat, JsonValue value) {
  if (value.is_array() && value.size() == 1 && value.at(0).is_string()) value = value.at(0);
  if (value.is_array() && value.size() > 0) return read_prompts(chat, value);
  if (!value.is_string())
    return fail(ErrorKind::bad_request, "prompt is a text, or a list of texts or of token ids", "prompt");
  Message message;
  message.content.push_back(text_block(TRY(value.as_string())));
  chat.messages.push_back(std::move(message));
  return {};
}

Result<void> read_stop(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  if (value.is_string()) {
    chat.stop.push_back(TRY(value.as_string()));
    return {};
  }
  TRY(value.expect(JsonType::array));
  for (const JsonValue text : value) chat.stop.push_back(TRY(text.as_string()));
  return {};
}

Result<void> read_stream_options(Chat& chat, JsonValue value) {
  if (value.is_absent()) return {};
  TRY(value.expect(JsonType::object));
  return read_field(value["include_usage"], chat.includes_usage);
}

constexpr std::array kRows = {
    Row{"model", [](Chat& chat, JsonValue value) { return read_field(value, chat.model); }},
    Row{"prompt", &read_prompt},
    Row{"stream", [](Chat& chat, JsonValue value) { return read_field(value, chat.is_streamed); }},
    Row{"stream_options", &read_stream_options},
    Row{"max_tokens", [](Chat& chat, JsonValue value) { return read_field(value, chat.max_tokens); }},
    Row{"temperature", [](Chat& chat, JsonValue value) { return read_field(value, chat.temperature); }},
    Row{"top_p", [](Chat& chat, JsonValue value) { return read_field(value, chat.top_p); }},
    Row{"frequency_penalty",
        [](Chat& chat, JsonValue value) { return read_field(value, chat.frequency_penalty); }},
    Row{"presence_penalty",
        [](Chat& chat, JsonValue value) { return read_field(value, chat.presence_penalty); }},
    Row{"seed", [](Chat& chat, JsonValue value) { return read_field(value, chat.seed); }},
    Row{"n", [](Chat& chat, JsonValue value) { return read_field(value, chat.choices); }},
    Row{"stop", &read_stop},
    Row{"echo", [](Chat& chat, JsonValue value) { return read_field(value, chat.echoes_prompt); }},
    Row{"user", [](Chat& chat, JsonValue value) { return read_field(value, chat.end_user); }},
};

std::string_view prompt_of(const AnswerContext& context) {
  const Chat* chat = context.request ? chat_of(*context.request) : nullptr;
  if (!chat || !chat->echoes_prompt || chat->messages.empty()) return {};
  const auto* text = std::get_if<TextBlock>(&chat->messages.front().content.front().body);
  return text ? text->text : std::string_view();
}

// `finish`: null while the text goes on.
void write_choice(JsonWriter& json, int index, std::string_view text, const Finish* finish) {
  json.begin_object()
      .key("text")
      .value(text)
      .key("index")
      .value(index)
      .key("logprobs")
      .null()
      .key("finish_reason");
  if (finish) {
    json.value(openai_finish_reason(finish->reason, false));
    write_openai_stop(json, *finish);
  } else {
    json.null();
  }
  json.end_object();
}

class CompletionsStreamEncoder final : public StreamEncoder {
 public:
  explicit CompletionsStreamEncoder(AnswerContext context) : context_(std::move(context)) {
    const Chat* chat = context_.request ? chat_of(*context_.request) : nullptr;
    includes_usage_ = chat && chat->includes_usage;
  }

  void encode(const Event& event, std::string& out) override {
    if (const auto* start = std::get_if<Start>(&event)) {
      start_ = *start;
      if (const std::string_view prompt = prompt_of(context_); !prompt.empty())
        chunk(0, prompt, nullptr, out);
    } else if (const auto* started = std::get_if<BlockStart>(&event)) {
      is_text_ = started->kind == BlockKind::text;
    } else if (const auto* delta = std::get_if<Delta>(&event)) {
      if (is_text_ && delta->kind == DeltaKind::content) chunk(delta->choice, delta->text, nullptr, out);
    } else if (const auto* finish = std::get_if<Finish>(&event)) {
      chunk(finish->choice, "", finish, out);
    } else if (const auto* usage = std::get_if<UsageReport>(&event)) {
      usage_.set_from(usage->usage);
    } else if (std::holds_alternative<Ping>(event)) {
      keep_alive(out);
    } else if (std::holds_alternative<End>(event)) {
      end(out);
    }
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
  void head(JsonWriter& json) {
    json.begin_object().key("id").value(openai_answer_id("cmpl-", start_.id, context_.exchange_id));
    json.key("object").value("text_completion");
    json.key("created").value(start_.created_s > 0 ? start_.created_s : context_.created_s);
    json.key("model").value(start_.model.empty() ? context_.model : start_.model);
  }

  void chunk(int choice, std::string_view text, const Finish* finish, std::string& out) {
    out += "data: ";
    JsonWriter json(out);
    head(json);
    json.key("choices").begin_array();
    write_choice(json, choice, text, finish);
    json.end_array();
    if (includes_usage_) json.key("usage").null();
    json.end_object();
    out += "\n\n";
  }

  void end(std::string& out) {
    if (includes_usage_) {
      out += "data: ";
      JsonWriter json(out);
      head(json);
      json.key("choices").begin_array().end_array().key("usage");
      write_openai_usage(json, usage_);
      json.end_object();
      out += "\n\n";
    }
    out += "data: [DONE]\n\n";
  }

  const AnswerContext context_;
  bool includes_usage_ = false;
  bool is_text_ = true;
  Start start_;
  Usage usage_;
};

class OpenAiCompletionsClient final : public ClientCodec {
 public:
  Dialect dialect() const override { return Dialect::openai_chat; }

  Result<Request> decode_request(const ClientCall& call) const override {
    const JsonValue root = call.body->root();
    TRY(root.expect(JsonType::object));
    Chat chat;
    chat.arena->hold(call.body);
    chat.includes_usage = false;
    chat.is_text_completion = true;
    TRY(read_fields<Chat>(kRows, root, Dialect::openai_chat, chat));
    if (chat.model.empty())
      return fail(ErrorKind::bad_request, "model is missing: name the model to use", "model");
    if (chat.messages.empty())
      return fail(ErrorKind::bad_request, "prompt is missing: the text to complete", "prompt");
    return chat;
  }

  std::unique_ptr<StreamEncoder> stream_encoder(AnswerContext context) const override {
    return std::make_unique<CompletionsStreamEncoder>(std::move(context));
  }

  ClientReply encode_answer(const Answer& answer, const AnswerContext& context) const override {
    ClientReply reply;
    reply.headers.add("content-type", "application/json");
    JsonWriter json(reply.body);
    json.begin_object().key("id").value(openai_answer_id("cmpl-", answer.start.id, context.exchange_id));
    json.key("object").value("text_completion");
    json.key("created").value(answer.start.created_s > 0 ? answer.start.created_s : context.created_s);
    json.key("model").value(answer.start.model.empty() ? context.model : answer.start.model);
    json.key("choices").begin_array();
    for (size_t i = 0; i < answer.choices.size(); ++i) {
      std::string text(prompt_of(context));
      for (const AnswerBlock& block : answer.choices[i].blocks) {
        if (block.kind == BlockKind::text) text += block.text;
      }
      write_choice(json, static_cast<int>(i), text, &answer.choices[i].finish);
    }
    json.end_array().key("usage");
    write_openai_usage(json, answer.usage);
    json.end_object();
    return reply;
  }

  ClientReply encode_error(const Error& error, std::string_view request_id) const override {
    return encode_openai_error(error, request_id);
  }
};

}  // namespace

const ClientCodec& openai_completions_client() {
  static const OpenAiCompletionsClient codec;
  return codec;
}

}  // namespace weir
