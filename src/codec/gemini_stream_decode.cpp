// Streams of providers that speak Google's dialect: server-sent events, each of them a whole chunk.
#include <algorithm>

#include "codec/gemini_decode.h"
#include "codec/provider_json.h"
#include "codec/sse_tap.h"

namespace weir {
namespace {

constexpr size_t kForeignMax = 64 * kKiB;

// The finish waits for the end of the stream: older servers say STOP in each chunk, and usage follows. An
// error in mid-stream is a bare JSON object between the events.
class GeminiStreamDecoder final : public StreamDecoder {
 public:
  explicit GeminiStreamDecoder(const CallNotes& notes) : chunks_(notes) {}

  Result<void> feed(std::string_view bytes, std::vector<Event>& events) override {
    const size_t events_end = has_foreign_ ? 0 : find_foreign(bytes);
    const std::string_view foreign = bytes.substr(events_end);
    foreign_.append(foreign.substr(0, kForeignMax - std::min(kForeignMax, foreign_.size())));
    return tap_.feed(bytes.substr(0, events_end),
                     [&](const SseEvent& event) { return on_event(event, events); });
  }

  Result<void> finish(std::vector<Event>& events) override {
    TRY(tap_.finish([&](const SseEvent& event) { return on_event(event, events); }));
    if (has_foreign_) return fail(foreign_error());
    return chunks_.conclude(GeminiChunks::Source::stream, events);
  }

  std::string_view forwardable() const override { return tap_.forwardable(); }
  std::unique_ptr<StreamDecoder> clone() const override {
    return std::make_unique<GeminiStreamDecoder>(*this);
  }

 private:
  // Where a line begins with a bracket, which no field of an event does; the size when none does.
  size_t find_foreign(std::string_view bytes) {
    for (size_t at = 0; at < bytes.size();) {
      if (is_at_line_start_ && (bytes[at] == '{' || bytes[at] == '[')) {
        has_foreign_ = true;
        return at;
      }
      const size_t end = bytes.find_first_of("\r\n", at);
      is_at_line_start_ = end != std::string_view::npos;
      if (!is_at_line_start_) break;
      at = end + 1;
    }
    return bytes.size();
  }

  Error foreign_error() const {
    const Result<JsonDoc> parsed = JsonDoc::parse(foreign_, kProviderJson);
    std::optional<Error> stated;
    if (parsed) stated = gemini_error_in(parsed->root(), 0);
    Error error = stated ? std::move(*stated)
                         : make_error(ErrorKind::upstream_malformed,
                                      "the provider broke its stream off with what is no event");
    error.provider_body = foreign_.substr(0, kProviderBodyMax);
    return error;
  }

  Result<SseVerdict> on_event(const SseEvent& event, std::vector<Event>& events) {
    if (event.is_comment) {
      events.push_back(Ping{});
      return SseVerdict::keep;
    }
    if (event.data.empty() || event.data == "[DONE]") return SseVerdict::keep;
    JsonScratch scratch;
    const JsonValue body = TRY(parse_event(scratch, event.data));
    TRY(chunks_.add(body, events));
    return SseVerdict::keep;
  }

  SseTap tap_;
  GeminiChunks chunks_;
  bool is_at_line_start_ = true;
  bool has_foreign_ = false;
  std::string foreign_;
};

}  // namespace

std::unique_ptr<StreamDecoder> make_gemini_stream_decoder(const CallNotes& notes) {
  return std::make_unique<GeminiStreamDecoder>(notes);
}

}  // namespace weir
