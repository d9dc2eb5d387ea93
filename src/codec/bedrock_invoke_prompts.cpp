#include "codec/bedrock_invoke_prompts.h"

#include <algorithm>
#include <fmt/core.h>

#include "codec/bedrock_invoke_mistral.h"
#include "codec/bedrock_models.h"
#include "codec/bedrock_text_turns.h"
#include "codec/turn_settings.h"
#include "codec/unused.h"

namespace weir {
namespace {

// How one generation of Llama marks the parts of a prompt
// (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html).
struct LlamaMarks {
  std::string_view begin;
  std::string_view role_start;
  std::string_view role_end;
  std::string_view turn_end;
};
constexpr LlamaMarks kLlama3 = {"<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>\n\n",
                                "<|eot_id|>"};
constexpr LlamaMarks kLlama4 = {"<|begin_of_text|>", "<|header_start|>", "<|header_end|>\n\n", "<|eot|>"};

std::string llama_prompt(const TextConversation& talk, const LlamaMarks& marks) {
  std::string out(marks.begin);
  const auto add = [&](std::string_view role, std::string_view text) {
    out.append(marks.role_start).append(role).append(marks.role_end).append(text).append(marks.turn_end);
  };
  if (!talk.system.empty()) add("system", talk.system);
  for (const TextTurn& turn : talk.turns) add(turn.is_user ? "user" : "assistant", turn.text);
  return out.append(marks.role_start).append("assistant").append(marks.role_end);
}

// Llama 2 and Mistral's first models: instructions in brackets, answers behind them.
std::string bracket_prompt(const TextConversation& talk, std::string_view system_open,
                           std::string_view system_close) {
  std::string out = "<s>";
  bool has_system = talk.system.empty();
  for (const TextTurn& turn : talk.turns) {
    if (!turn.is_user) {
      out.append(" ").append(turn.text).append("</s>");
      continue;
    }
    out += "[INST] ";
    if (!std::exchange(has_system, true)) out.append(system_open).append(talk.system).append(system_close);
    out.append(turn.text).append(" [/INST]");
  }
  return out;
}

std::string titan_prompt(const TextConversation& talk) {
  std::string out;
  if (!talk.system.empty()) out.append(talk.system).append("\n\n");
  for (const TextTurn& turn : talk.turns)
    out.append(turn.is_user ? "User: " : "Bot: ").append(turn.text).append("\n");
  return out += "Bot:";
}

class TextRequestWriter {
 public:
  TextRequestWriter(const Chat& chat, const TargetModel& target, ModelFamily family, EncodedCall& call)
      : chat_(chat),
        caps_(*target.capabilities),
        id_(bedrock_base_model(target.model)),
        family_(family),
        call_(call),
        json_(call.wire.body) {}

  Result<void> write() {
    if (chat_.choices.value_or(1) > 1)
      return fail(ErrorKind::unsupported, "this model gives one answer at a time: n must be 1", "n");
    json_.begin_object();
    if (family_ == ModelFamily::mistral && is_mistral_chat(id_)) {
      TRY(write_mistral_messages(json_, chat_, caps_, format_instruction(), call_.notes));
      TRY(write_mistral_tools(json_, chat_, call_.notes));
      write_mistral_settings();
    } else {
      TRY(write_text());
    }
    json_.end_object();
    return report_rest();
  }

 private:
  Result<void> write_text() {
    TRY(refuse_tools());
    talk_ = TRY(flatten_text_turns(chat_, call_.notes));
    const std::string instruction = format_instruction();
    if (!talk_.system.empty() && !instruction.empty()) talk_.system += "\n\n";
    talk_.system += instruction;
    switch (family_) {
      case ModelFamily::titan:
        write_titan();
        break;
      case ModelFamily::llama:
        write_llama();
        break;
      case ModelFamily::mistral:
        write_mistral();
        break;
      default:
        write_cohere();
        break;
    }
    return {};
  }

  void lose(Severity severity, LossReason reason, std::string_view field, std::string from = {},
            std::string to = {}) {
    call_.notes.fidelity.add(severity, reason, fmt::format("/{}", field), std::move(from), std::move(to));
  }

  Result<void> refuse_tools() {
    const bool is_off = chat_.tool_choice && chat_.tool_choice->mode == ToolChoiceMode::none;
    if (chat_.tools.empty() || is_off) return {};
    return fail(ErrorKind::unsupported,
                "InvokeModel of this model takes text only, no tools; a target of the dialect "
                "bedrock_converse takes them where the model does",
                "tools");
  }

  // No schema is enforced here: the model is told.
  std::string format_instruction() {
    if (chat_.format.kind == FormatKind::text) return {};
    lose(Severity::info, LossReason::emulated, "response_format", "json", "instruction");
    return weir::format_instruction(chat_.format);
  }

  void write_titan() {
    json_.key("inputText").value(titan_prompt(talk_)).key("textGenerationConfig").begin_object();
    write_max_tokens("maxTokenCount");
    write_temperature();
    write_number("topP", chat_.top_p);
    write_stops("stopSequences");
    json_.end_object();
  }

  void write_llama() {
    std::string prompt;
    if (id_.starts_with("meta.llama2")) {
      prompt = bracket_prompt(talk_, "<<SYS>>\n", "\n<</SYS>>\n\n");
    } else {
      prompt = llama_prompt(talk_, id_.starts_with("meta.llama4") ? kLlama4 : kLlama3);
    }
    json_.key("prompt").value(prompt);
    write_max_tokens("max_gen_len");
    write_temperature();
    write_number("top_p", chat_.top_p);
    call_.notes.watch_for(chat_.stop);
  }

  // The first models read a prompt.
  void write_mistral() {
    json_.key("prompt").value(bracket_prompt(talk_, "", "\n\n"));
    write_mistral_settings();
  }

  void write_mistral_settings() {
    write_max_tokens("max_tokens");
    write_temperature();
    write_number("top_p", chat_.top_p);
    if (chat_.top_k && has_top_k()) json_.key("top_k").value(*chat_.top_k);
    write_stops("stop");
  }

  // Command R reads a chat whose last message stands apart; the first models read a prompt.
  void write_cohere() {
    if (id_.starts_with("cohere.command-text") || id_.starts_with("cohere.command-light")) {
      json_.key("prompt").value(titan_prompt(talk_));
    } else {
      json_.key("message").value(talk_.turns.back().text);
      if (!talk_.system.empty()) json_.key("preamble").value(talk_.system);
      if (talk_.turns.size() > 1) {
        json_.key("chat_history").begin_array();
        for (const TextTurn& turn : talk_.turns) {
          if (&turn == &talk_.turns.back()) break;
          json_.begin_object().key("role").value(turn.is_user ? "USER" : "CHATBOT");
          json_.key("message").value(turn.text).end_object();
        }
        json_.end_array();
      }
    }
    write_max_tokens("max_tokens");
    write_temperature();
    write_number("p", chat_.top_p);
    if (chat_.top_k) json_.key("k").value(*chat_.top_k);
    write_stops("stop_sequences");
  }

  void write_max_tokens(std::string_view key) {
    if (!chat_.max_tokens) return;
    const int64_t sent =
        caps_.output_max ? std::min(*chat_.max_tokens, *caps_.output_max) : *chat_.max_tokens;
    if (sent != *chat_.max_tokens) {
      lose(Severity::info, LossReason::clamped, "max_tokens", fmt::format("{}", *chat_.max_tokens),
           fmt::format("{}", sent));
    }
    json_.key(key).value(sent);
  }

  void write_temperature() {
    if (!chat_.temperature) return;
    const TemperatureRange range = caps_.temperature.value_or(TemperatureRange{.min = 0, .max = 1});
    const double sent = std::clamp(*chat_.temperature, range.min, range.max);
    if (sent != *chat_.temperature) {
      lose(Severity::warning, LossReason::clamped, "temperature", fmt::format("{}", *chat_.temperature),
           fmt::format("{}", sent));
    }
    json_.key("temperature").value(sent);
  }

  void write_number(std::string_view key, const std::optional<double>& value) {
    if (value) json_.key(key).value(*value);
  }

  void write_stops(std::string_view key) {
    if (chat_.stop.empty()) return;
    json_.key(key).begin_array();
    for (const std::string_view stop : chat_.stop) json_.value(stop);
    json_.end_array();
  }

  bool has_top_k() const {
    return family_ == ModelFamily::cohere || (family_ == ModelFamily::mistral && !is_mistral_chat(id_));
  }

  Result<void> report_rest() {
    std::vector<ChatField> taken = {ChatField::stop};
    if (has_top_k()) taken.push_back(ChatField::top_k);
    for (const ExtraField& extra : chat_.extras) lose(Severity::warning, LossReason::dropped, extra.key);
    return report_unused(chat_, Dialect::bedrock_invoke, taken, call_.notes.fidelity);
  }

  const Chat& chat_;
  const Capabilities& caps_;
  const std::string_view id_;
  const ModelFamily family_;
  EncodedCall& call_;
  JsonWriter json_;
  TextConversation talk_;
};

}  // namespace

Result<void> write_text_request(const Chat& chat, const TargetModel& target, ModelFamily family,
                                EncodedCall& call) {
  return TextRequestWriter(chat, target, family, call).write();
}

}  // namespace weir
