// Answers of InvokeModel, told apart by their shape: the members that a family's bodies have and no other's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "llm/codec.h"

namespace weir {

enum class InvokeShape : uint8_t {
  unknown,
  anthropic,  // Anthropic's Messages
  nova,       // Converse's words
  text,       // Titan, Llama, Mistral, Cohere and others: a text, a stop reason, counts
};
InvokeShape invoke_shape(JsonValue body);

// What a text model's whole answer, or one event of its stream, says. Views into the body.
struct TextStep {
  std::string_view text{};
  std::string_view stop{};  // the family's own word; empty: it goes on
  JsonValue tool_calls{};   // an array in OpenAI's form; missing: none
  Usage usage{};
};
TextStep read_text_step(JsonValue body);
// "COMPLETE", "stop", "FINISH", "length", "MAX_TOKENS", ... in any case.
StopReason text_stop_reason(std::string_view stop);

// The events of a text model's answer. Copyable between steps.
class TextEvents {
 public:
  void read(const TextStep& step, const CallNotes& notes, std::vector<Event>& events);
  // The answer has ended. False: no stop reason was seen.
  bool conclude(std::vector<Event>& events);

 private:
  void add_call(JsonValue call, const CallNotes& notes, std::vector<Event>& events);
  void close_text(std::vector<Event>& events);

  std::optional<Finish> finish_;
  int next_index_ = 0;
  bool has_begun_ = false;
  bool is_in_text_ = false;
  bool has_calls_ = false;
  bool is_done_ = false;
};

Result<std::vector<Event>> decode_invoke_answer(const WireReply& reply, const CallNotes& notes);
std::unique_ptr<StreamDecoder> make_invoke_stream_decoder(const CallNotes& notes);

// The counts in x-amzn-bedrock-input-token-count and -output-token-count.
Usage invoke_header_usage(const Headers& headers);

}  // namespace weir
