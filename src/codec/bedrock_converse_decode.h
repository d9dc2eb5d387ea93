// Answers of Bedrock's Converse. The Nova models answer InvokeModel in the same words, so those parts are
// readers of JSON, without the framing.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "llm/codec.h"

namespace weir {

Result<std::vector<Event>> decode_converse_answer(JsonValue root, const CallNotes& notes);
// {"inputTokens": n} of CountTokens.
Result<std::vector<Event>> decode_converse_count(JsonValue root);
std::unique_ptr<StreamDecoder> make_converse_stream_decoder(const CallNotes& notes);

// The start of a tool call, without its index.
BlockStart converse_call_start(JsonValue call, const CallNotes& notes);
// `fields` is additionalModelResponseFields, where there are any.
Finish converse_finish(std::string_view reason, JsonValue fields);
Usage decode_converse_usage(JsonValue usage);
StopReason decode_converse_stop(std::string_view reason);

// The events of a stream, read one by one. Copyable between events.
class ConverseEvents {
 public:
  explicit ConverseEvents(const CallNotes& notes) : notes_(&notes) {}
  // The same state for a copy of the notes.
  ConverseEvents(const ConverseEvents& other, const CallNotes& notes) : ConverseEvents(other) {
    notes_ = &notes;
  }

  // The event of that name; unknown ones are passed over.
  void read(std::string_view name, JsonValue body, std::vector<Event>& events);
  // The stream has ended. False: the answer had not.
  bool conclude(std::vector<Event>& events);
  // Nothing but the usage is missing.
  bool is_concluding() const { return finish_.has_value() && !is_done_; }
  bool is_done() const { return is_done_; }

 private:
  struct Block {
    int64_t upstream = 0;  // the provider's index
    int index = 0;         // ours
    BlockKind kind = BlockKind::text;
    bool is_custom = false;  // its free text is wrapped, and unwrapped at the end
    bool is_open = true;
    bool has_arguments = false;
    std::string start{};  // kind unknown: the block as its start has it
    std::string held{};   // what waits for the end: custom tools, images and blocks of unknown kind
  };

  void on_start(JsonValue body, std::vector<Event>& events);
  void on_delta(JsonValue body, std::vector<Event>& events);
  void on_reasoning(int64_t upstream, JsonValue body, std::vector<Event>& events);
  void on_image(int64_t upstream, JsonValue image, std::vector<Event>& events);
  void on_arguments(Block& block, std::string_view fragment, std::vector<Event>& events);
  Block* find(int64_t upstream);
  // The open block of that index if it is of the kind, else a new one.
  Block& block_of(int64_t upstream, BlockKind kind, std::vector<Event>& events);
  Block& open(int64_t upstream, BlockStart started, std::vector<Event>& events);
  // The same without an event: what the block is shows at its end.
  Block& open_held(int64_t upstream, BlockKind kind, std::vector<Event>& events);
  void close(Block& block, std::vector<Event>& events);
  void begin(std::vector<Event>& events);

  const CallNotes* notes_;
  std::vector<Block> blocks_;  // those that are open, and some that were
  int next_index_ = 0;
  std::optional<Finish> finish_;
  bool has_usage_ = false;
  bool has_begun_ = false;
  bool is_done_ = false;
};

}  // namespace weir
