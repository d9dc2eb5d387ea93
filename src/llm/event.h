// Events: an answer as it comes. A whole answer is the same events folded (llm/answer.h).
//
// Order: Start, then per choice BlockStart, Delta*, BlockEnd with indexes that rise by one per choice, blocks
// may interleave, then Finish per choice, UsageReport at any time (cumulative; later ones replace), and End
// last. A failure is not an event: pulling the source gives an Error.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "llm/chat.h"
#include "llm/usage.h"

namespace weir {

struct Start {
  std::string id{};       // the provider's id of the answer
  std::string model{};    // the model that answers, as the provider names it
  int64_t created_s = 0;  // seconds since the epoch; 0: not said
  std::string system_fingerprint{};
  std::string service_tier{};
};

enum class BlockKind : uint8_t {
  text,
  tool_call,
  thinking,
  redacted_thinking,
  refusal,
  audio,
  image,
  unknown
};

struct BlockStart {
  int choice = 0;
  int index = 0;
  BlockKind kind = BlockKind::text;
  // tool_call:
  std::string tool_id{};
  std::string tool_name{};
  ToolKind tool_kind = ToolKind::function;
  // redacted_thinking: the data. image, audio: the mime type. unknown, and a tool_call of kind server: the
  // block as raw JSON of `dialect`.
  std::string data{};
  std::string id{};                        // thinking: the provider's id of it, empty if none
  bool is_signature_only = false;          // thinking: no text will follow
  Dialect dialect = Dialect::openai_chat;  // whose the data, and a signature in the deltas, is
};

enum class DeltaKind : uint8_t {
  content,  // text of a text, thinking or refusal block; arguments of a tool call; base64 of audio and images
  signature,  // of a thinking block, or a thought signature of a tool call
  citation,   // one citation as raw JSON of `dialect`
};

struct Delta {
  int choice = 0;
  int index = 0;
  DeltaKind kind = DeltaKind::content;
  std::string text{};
  Dialect dialect = Dialect::openai_chat;  // signature, citation: whose it is
};

struct BlockEnd {
  int choice = 0;
  int index = 0;
};

// OpenAI-shaped entries of logprobs.content (raw JSON array) that belong to the content before it.
struct Logprobs {
  int choice = 0;
  std::string raw{};
};

enum class StopReason : uint8_t {
  end,
  stop_sequence,
  length,
  context_full,
  tool,
  pause,
  refusal,
  filter,
  guardrail,
  bad_tool,
  other,
};
std::string_view to_string(StopReason reason);

struct Finish {
  int choice = 0;
  StopReason reason = StopReason::end;
  std::string stop_sequence{};  // which one matched, where the provider says
  std::string native{};         // the provider's own word
};

struct UsageReport {
  Usage usage;
};

// The provider said that it is alive.
struct Ping {};

// The whole of a non-chat answer.
struct EmbedAnswer {
  std::vector<std::vector<float>> vectors{};  // in the order of the inputs
};
struct RerankAnswer {
  struct Hit {
    int64_t index = 0;
    double score = 0;
  };
  std::vector<Hit> hits{};  // best first
};
// Its bytes pass by on the raw way; this only says that they have begun.
struct OpaqueAnswer {};
struct Payload {
  std::string id{};
  std::string model{};
  std::variant<EmbedAnswer, RerankAnswer, OpaqueAnswer> body;
};

struct End {};

using Event =
    std::variant<Start, BlockStart, Delta, BlockEnd, Logprobs, Finish, UsageReport, Ping, Payload, End>;

// True for events that carry something of the answer: the first one is the head point and the commit point.
// A block that only begins is not yet that, nor an empty delta: providers send both before they have anything
// to say, and may fail afterwards. The name of a tool is: the model has chosen, and its arguments may be long
// in coming.
bool is_content(const Event& event);

}  // namespace weir
