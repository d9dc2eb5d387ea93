// Block: a piece of a message's content in the canonical chat request (llm/chat.h), which says how long the
// views are good.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "llm/arena.h"
#include "llm/capabilities.h"
#include "llm/dialect.h"

namespace weir {

struct TextBlock {
  std::string_view text{};
};

// Where the bytes of an image, document or audio clip are. Exactly one of the three is not empty.
struct Media {
  std::string_view base64{};             // standard alphabet, as it came
  std::string_view url{};                // http(s) or gs
  std::string_view file_id{};            // an id of the provider's file store
  std::string_view mime{};               // as declared; may be empty for URLs
  Dialect store = Dialect::openai_chat;  // file_id: through which dialect, so whose it is
};

struct ImageBlock {
  Media media{};
  std::string_view detail{};  // OpenAI's low, high, auto; empty if not given
};

struct DocumentBlock {
  Media media{};                          // or text
  std::string_view text{};                // a plain-text document
  std::vector<std::string_view> parts{};  // of one that is cited by its parts: `text` has each on its lines
  std::string_view title{};               // or the file's name
  std::string_view context{};
  bool wants_citations = false;
};

struct AudioBlock {
  Media media{};
  std::string_view format{};  // "wav", "mp3"
};

enum class ToolKind : uint8_t {
  function,  // arguments are a JSON object
  custom,    // arguments are free text (OpenAI custom tools)
  server,    // run by the provider (web search and the like)
};

struct VideoBlock {
  Media media{};
};

struct ToolCallBlock {
  std::string_view id{};
  std::string_view name{};
  std::string_view
      arguments;  // raw JSON text as the model wrote it (may be empty or broken), free text for custom
  ToolKind kind = ToolKind::function;
  std::string_view signature{};  // provider's thought signature, empty if none
  bool has_made_id = false;      // the client named none, so that its decoder made the id
};

struct Block;

struct ToolResultBlock {
  std::string_view call_id{};
  std::string_view tool_name{};  // where the dialect says it
  bool is_error = false;
  std::vector<Block> content;
};

struct ThinkingBlock {
  std::string_view text{};
  std::string_view signature{};
  std::optional<Dialect> issuer{};  // whose signature it is; it means nothing elsewhere
  std::string_view id{};            // the issuer's id of it (Responses' reasoning items); empty if none
};

struct RedactedThinkingBlock {
  std::string_view data{};
  std::optional<Dialect> issuer{};
};

struct RefusalBlock {
  std::string_view text{};
};

// What only its own dialect understands (server tool results, ...): raw for that, not carried for the others.
struct UnknownBlock {
  Dialect dialect = Dialect::openai_chat;
  std::string_view type{};
  RawJson raw{};
  // It stands for content that is kept elsewhere: without that the question is another one, so whoever cannot
  // look it up refuses it.
  bool is_reference = false;
};

enum class CacheTtl : uint8_t { standard, one_hour };  // standard: not stated, or 5 minutes
struct CacheMarker {
  CacheTtl ttl = CacheTtl::standard;
  bool states_ttl = false;  // the request said "5m" or "1h"
};

using BlockBody =
    std::variant<TextBlock, ImageBlock, DocumentBlock, AudioBlock, VideoBlock, ToolCallBlock, ToolResultBlock,
                 ThinkingBlock, RedactedThinkingBlock, RefusalBlock, UnknownBlock>;

// A block as its dialect has it, where the IR says less (a text with its citations); plain for the others.
struct OwnForm {
  Dialect dialect = Dialect::openai_chat;
  std::string_view type{};  // e.g. "citationsContent"
  RawJson raw{};
};

struct Block {
  BlockBody body;
  std::optional<CacheMarker> cache{};  // a prompt-cache breakpoint after this block
  std::string_view
      pointer;  // where it stood in the client's body, as a JSON pointer; for reports. May be empty
  std::optional<OwnForm> own{};
  bool has_made_citations = false;  // a text whose citations Weir made of another vendor's
};

}  // namespace weir
