// Answers of providers that speak Google's dialect.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "codec/gemini_partial_args.h"
#include "codec/schema_restore.h"
#include "llm/codec.h"

namespace weir {

// A whole answer: one object, or the chunks of a stream in an array.
Result<std::vector<Event>> decode_gemini_answer(const WireReply& reply, const CallNotes& notes);
// {"totalTokens": n}
Result<std::vector<Event>> decode_gemini_count(const WireReply& reply);
std::unique_ptr<StreamDecoder> make_gemini_stream_decoder(const CallNotes& notes);
// An answer with a status other than 2xx.
Error decode_gemini_error(const WireReply& reply, int64_t wall_ns);
// The error of a body {"error": {...}}, which may stand in an array; nullopt when it holds none.
std::optional<Error> gemini_error_in(JsonValue body, int status);

StopReason decode_gemini_finish(std::string_view reason, bool has_calls);
// The dialect's own word for a finish when `native` is one; else empty.
std::string_view gemini_reason_word(std::string_view native);
Usage decode_gemini_usage(JsonValue usage);

// Chunks into events: a whole answer is a single chunk. Copyable between chunks.
class GeminiChunks {
 public:
  explicit GeminiChunks(const CallNotes& notes) : notes_(notes) {}

  Result<void> add(JsonValue chunk, std::vector<Event>& events);
  // All chunks have come. Error: upstream_truncated where an answer had no finish; a whole answer needs none
  // when it has content.
  enum class Source : uint8_t { stream, whole };
  Result<void> conclude(Source source, std::vector<Event>& events);

 private:
  struct Candidate {
    int blocks = 0;  // how many were started
    int open = -1;
    BlockKind open_kind = BlockKind::text;
    bool is_signed = false;  // the open text: what follows is another part
    bool has_calls = false;
    bool has_content = false;
    std::string finish;                    // the last word for it; older servers say STOP in every chunk
    std::optional<StreamRestore> restore;  // of the open text
    // A call whose arguments come in pieces.
    std::optional<GeminiPartialArgs> partial;
    std::string partial_name;
    std::string partial_id;
    std::string partial_signature;
  };

  void on_candidate(int choice, JsonValue source, std::vector<Event>& events);
  void on_part(int choice, Candidate& candidate, JsonValue part, std::vector<Event>& events);
  void on_text(int choice, Candidate& candidate, JsonValue part, std::string_view signature,
               std::vector<Event>& events);
  void on_call(int choice, Candidate& candidate, JsonValue call, std::string_view signature,
               std::vector<Event>& events);
  void add_call(int choice, Candidate& candidate, std::string id, std::string_view wire_name,
                std::string_view args, std::string_view signature, std::vector<Event>& events);
  void add_media(int choice, Candidate& candidate, JsonValue data, std::vector<Event>& events);
  void add_unknown(int choice, Candidate& candidate, JsonValue part, std::vector<Event>& events);
  void on_citations(int choice, Candidate& candidate, JsonValue source, std::vector<Event>& events);
  void cite(int choice, Candidate& candidate, std::string_view key, JsonValue value,
            std::vector<Event>& events);
  int open(int choice, Candidate& candidate, BlockKind kind, std::vector<Event>& events);
  void close(int choice, Candidate& candidate, std::vector<Event>& events);
  void settle_partial(int choice, Candidate& candidate, std::vector<Event>& events);
  std::string made_up_id(int choice, const Candidate& candidate, std::string_view name,
                         std::string_view args) const;

  CallNotes notes_;
  std::map<int, Candidate> candidates_;
  std::string response_id_;
  bool has_started_ = false;
  bool has_overflown_ = false;  // a call's arguments came to more than may be
  std::string block_reason_;
  bool is_blocked_ = false;
  Usage usage_;
};

}  // namespace weir
