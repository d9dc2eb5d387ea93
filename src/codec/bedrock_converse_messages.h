// The conversation of the IR in Bedrock's Converse dialect: `system` and `messages`.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "codec/search_results.h"
#include "codec/turns.h"
#include "llm/codec.h"

namespace weir {

class ConverseMessagesWriter {
 public:
  // `own`: the dialect whose own forms of blocks are taken.
  ConverseMessagesWriter(JsonWriter& json, const CacheMarkers& markers, const Capabilities& capabilities,
                         Dialect own, CallNotes& notes)
      : json_(json), markers_(markers), caps_(capabilities), own_(own), notes_(notes) {}

  // The array `system`; the instructions are more blocks at its end.
  void write_system(const Conversation& conversation, const std::vector<std::string>& instructions);
  // The array `messages`. Errors: unsupported for what the dialect has no form for.
  Result<void> write_messages(const Conversation& conversation);
  // A cachePoint element, if this marker is there and kept.
  void write_cache_point(const std::optional<CacheMarker>& marker);

 private:
  Result<void> write_turn(const Turn& turn, bool is_prefill);
  Result<void> write_block(const Block& block);
  bool takes_own_form(const Block& block) const { return block.own && block.own->dialect == own_; }
  void write_text(std::string_view text);
  // Claude reads it, of other models the service refuses it.
  bool takes_search_results() const;
  void write_search_result(const SearchResult& result);
  Result<void> write_image(const ImageBlock& image);
  Result<void> write_document(const DocumentBlock& document);
  Result<void> write_video(const VideoBlock& video);
  void write_thinking(const ThinkingBlock& thinking);
  void write_call(const ToolCallBlock& call);
  Result<void> write_result(const ToolResultBlock& result);
  void write_point_behind(const Block& block, const ToolResultBlock& result);
  // A name that the service takes and that no document of the request has (the service model's
  // DocumentBlock).
  std::string document_name(std::string_view title);
  void lose(Severity severity, LossReason reason, std::string from, std::string to = {}) {
    notes_.fidelity.add(severity, reason, "/messages", std::move(from), std::move(to));
  }

  JsonWriter& json_;
  const CacheMarkers& markers_;
  const Capabilities& caps_;
  const Dialect own_;
  CallNotes& notes_;
  const Conversation* conversation_ = nullptr;  // that is being written
  std::set<std::string> document_names_;
  std::map<std::string, int> document_numbers_;  // by the name without a number: the next one to try
};

// Whether the history holds calls or results: then the service demands toolConfig.
bool has_tool_history(const Conversation& conversation);

}  // namespace weir
