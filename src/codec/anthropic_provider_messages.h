// The conversation of the IR in Anthropic's dialect: `system` and `messages`.
#pragma once

#include "base/json.h"
#include "codec/search_results.h"
#include "codec/turns.h"
#include "llm/codec.h"

namespace weir {

// Writes the member cache_control, if this marker is there and kept.
void write_anthropic_cache(JsonWriter& json, const CacheMarkers& markers,
                           const std::optional<CacheMarker>& marker);

class AnthropicMessagesWriter {
 public:
  AnthropicMessagesWriter(JsonWriter& json, const CacheMarkers& markers, const TargetModel& target,
                          CallNotes& notes)
      : json_(json), markers_(markers), caps_(*target.capabilities), notes_(notes) {}

  // The array `system`; `instruction` is one more block at its end unless empty. REQUIRES one of both.
  void write_system(const Conversation& conversation, std::string_view instruction);
  // The array `messages`. Errors: unsupported for what the dialect has no form for.
  Result<void> write_messages(const Conversation& conversation);

 private:
  Result<void> write_block(const Block& block, bool is_last_of_prefill);
  void write_text(std::string_view text, const Block& block);
  void write_search_result(const SearchResult& result, const Block& block);
  Result<void> write_image(const ImageBlock& image, const Block& block);
  Result<void> write_document(const DocumentBlock& document, const Block& block);
  Result<void> write_result(const ToolResultBlock& result, const Block& block);
  void write_call(const ToolCallBlock& call, const Block& block);
  void begin(std::string_view type) { json_.begin_object().key("type").value(type); }
  void end(const Block& block) {
    write_anthropic_cache(json_, markers_, block.cache);
    json_.end_object();
  }
  void lose(Severity severity, LossReason reason, std::string from, std::string to = {}) {
    notes_.fidelity.add(severity, reason, "/messages", std::move(from), std::move(to));
  }

  JsonWriter& json_;
  const CacheMarkers& markers_;
  const Capabilities& caps_;
  CallNotes& notes_;
  const Conversation* conversation_ = nullptr;  // that is being written
};

}  // namespace weir
