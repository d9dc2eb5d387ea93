// Chat: the canonical chat request, able to hold what any of the six dialects can say.
//
// Texts are views: into the client's JSON body where it stands unescaped, else into the request's Arena. The
// Arena travels with the Chat (shared, since a fallback and a log may hold the request longer than the
// exchange), so a copy of a Chat is cheap and a decoded request copies no prompt. A decoded Chat is
// immutable: each attempt encodes from it anew.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "llm/arena.h"
#include "llm/block.h"

namespace weir {

enum class Role : uint8_t { system, developer, user, assistant, tool };
std::string_view to_string(Role role);

struct Message {
  Role role = Role::user;
  std::vector<Block> content;
  std::string_view name{};  // OpenAI's participant name
};

// ---- Tools

struct Tool {
  ToolKind kind = ToolKind::function;
  std::string_view name{};
  std::string_view description{};
  RawJson schema{};  // of the arguments; absent: none given
  std::optional<bool> strict{};
  std::optional<CacheMarker> cache{};
  // kind custom: what the text must follow ("lark" or "regex", and its source); empty: any text.
  std::string_view grammar_syntax{};
  std::string_view grammar{};
  // kind server or custom: the tool's whole definition in its own dialect.
  Dialect dialect = Dialect::openai_chat;
  std::string_view type{};  // e.g. "web_search_20250305"
  RawJson raw{};
};

enum class ToolChoiceMode : uint8_t { automatic, required, none, named };
struct ToolChoice {
  ToolChoiceMode mode = ToolChoiceMode::automatic;
  std::string_view name{};                  // mode named
  std::vector<std::string_view> allowed{};  // OpenAI allowed_tools: only these may be called; empty: all
};

// ---- Other settings

enum class FormatKind : uint8_t { text, json_object, json_schema };
struct ResponseFormat {
  FormatKind kind = FormatKind::text;
  std::string_view name{};  // json_schema only, from here on
  std::string_view description{};
  RawJson schema{};
  std::optional<bool> strict{};
  bool is_enforced = false;  // the client's dialect has no such word: each answer follows the schema
};

// What the caller said about reasoning; all absent: nothing.
struct Reasoning {
  std::optional<EffortLevel> effort{};
  std::optional<int64_t> budget_tokens{};
  bool is_adaptive = false;    // the model decides how much
  bool is_disabled = false;    // explicitly off
  std::string_view display{};  // Anthropic thinking.display, OpenAI summary; empty if not given
  bool is_set() const { return effort || budget_tokens || is_adaptive || is_disabled; }
};

struct MetadataEntry {
  std::string_view key{};
  std::string_view value{};
};

// A field of the client's body that the IR has no place for. Same-dialect calls pass it on; others report it.
struct ExtraField {
  Dialect dialect = Dialect::openai_chat;
  std::string_view key{};  // top-level key, e.g. "logit_bias"
  RawJson raw{};
};

struct BodyShape;

// What a client said, and what its dialect's decoder reads of that: whoever writes the request anew reports
// the members that are left (codec/body_shape.h).
struct ClientBody {
  JsonValue root;                    // of a doc that the arena holds; missing: none
  const BodyShape* shape = nullptr;  // static; nullptr: unknown
};

struct Chat {
  SharedArena arena;

  std::string_view model{};         // as the client named it
  std::vector<Message> messages{};  // system messages in their place; a dialect's `system` field comes first
  bool is_streamed = false;
  bool includes_usage = true;  // the client wants usage in its stream (OpenAI: stream_options.include_usage)

  std::optional<int64_t> max_tokens{};
  std::optional<double> temperature{};
  std::optional<double> top_p{};
  std::optional<int64_t> top_k{};
  std::optional<double> frequency_penalty{};
  std::optional<double> presence_penalty{};
  std::optional<int64_t> seed{};
  std::optional<int64_t> choices{};  // OpenAI n
  std::optional<bool> logprobs{};
  std::optional<int64_t> top_logprobs{};
  std::vector<std::string_view> stop{};

  std::vector<Tool> tools{};
  std::optional<ToolChoice> tool_choice{};
  std::optional<bool> parallel_tools{};

  ResponseFormat format;
  std::string_view verbosity{};  // OpenAI's low, medium, high; empty if not given
  Reasoning reasoning;

  std::string_view end_user{};  // OpenAI user / safety_identifier, Anthropic metadata.user_id
  std::string_view service_tier{};
  std::string_view prompt_cache_key{};  // prompts with the same key share a cache
  std::vector<MetadataEntry> metadata{};
  std::vector<ExtraField> extras{};

  // The first value that only the client's own vendor may know (a newer effort): the client's bytes may pass,
  // and whoever writes them anew returns this. nullptr: everything was understood.
  std::shared_ptr<const Error> only_raw{};

  // Conversations that the server keeps (OpenAI Responses): the answer that this request continues, and
  // whether this answer may be continued later. Absent: the dialect's own default.
  std::string_view previous_response_id{};
  std::optional<bool> is_stored{};

  // Legacy completions only: the prompt is the last user message and the answer's text continues it.
  bool is_text_completion = false;
  bool echoes_prompt = false;

  ClientBody body{};
};

}  // namespace weir
