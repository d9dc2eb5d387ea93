// The two halves of a dialect. Codecs are deterministic state machines between bytes and the IR, without I/O,
// clock or randomness: what they need of those comes in as values.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/seldom.h"
#include "io/headers.h"
#include "llm/answer.h"
#include "llm/capabilities.h"
#include "llm/event.h"
#include "llm/fidelity.h"
#include "llm/request.h"

namespace weir {

// ---- Client half: what a client sent, and what it gets back
// ---------------------------------------------------------

// What an encoder needs to know beside the events.
struct AnswerContext {
  std::string exchange_id{};  // ids that Weir makes up are derived from it, so an answer is reproducible
  int64_t created_s = 0;      // for dialects that state a time when the provider does not
  std::string model{};        // the model name to state when the provider states none
  const Request* request = nullptr;                // never null; outlives the encoder
  std::string api_version{};                       // the dialect's version header, empty if none
  std::optional<int64_t> input_tokens_estimate{};  // where the provider states none
  // Milliseconds since the request came, for dialects that state how long the answer took. Empty: unknown.
  std::function<int64_t()> elapsed_ms{};
};

// Turns events into the bytes of a streamed body (framing included). Accepts events in any legal order.
class StreamEncoder {
 public:
  virtual ~StreamEncoder() = default;
  virtual void encode(const Event& event, std::string& out) = 0;
  // Bytes that keep the connection alive and mean nothing (an SSE comment, a ping event).
  virtual void keep_alive(std::string& out) = 0;
  // The failure after the head: an error event of the dialect; no success marker follows.
  virtual void fail(const Error& error, std::string& out) = 0;
};

// A whole response as a client gets it.
struct ClientReply {
  int status = 200;
  Headers headers;  // content-type and what the dialect wants
  std::string body{};
};

class ClientCodec {
 public:
  virtual ~ClientCodec() = default;
  virtual Dialect dialect() const = 0;
  // Errors: bad_request with the path of the field ("messages[2].content[0].type") and the remedy. REQUIRES
  // call.body for operations with a JSON body. The Request's arena holds call.body.
  virtual Result<Request> decode_request(const ClientCall& call) const = 0;
  // The codec that answers this call, where the query chooses the form of the answer; this one otherwise.
  virtual const ClientCodec& for_call(const ClientCall&) const { return *this; }
  // False: a provider's bytes must not pass as they are, since this form of answer is not asked of providers.
  virtual bool allows_raw() const { return true; }
  virtual std::string_view stream_content_type() const { return "text/event-stream; charset=utf-8"; }
  virtual std::unique_ptr<StreamEncoder> stream_encoder(AnswerContext context) const = 0;
  virtual ClientReply encode_answer(const Answer& answer, const AnswerContext& context) const = 0;
  // The error body of the dialect with all its fields, and headers such as Retry-After. `request_id` is the
  // x-request-id.
  virtual ClientReply encode_error(const Error& error, std::string_view request_id) const = 0;
};

// ---- Provider half: what a provider is sent, and what it answers
// ----------------------------------------------------

// The target as a codec sees it.
struct TargetModel {
  std::string_view model{};                    // the provider's name of the model
  const Capabilities* capabilities = nullptr;  // never null; quirks included
};

struct WireRequest {
  std::string_view method = "POST";  // a literal
  std::string path{};  // relative to the provider's base URL, percent-encoded, e.g. "/chat/completions"
  Headers headers;     // content-type, accept and the dialect's own; authentication is added by the provider
  std::string body{};
  // On the raw way, when nothing had to be changed: the client's own bytes, in place of `body`.
  std::string_view client_body{};
  // What is sent.
  std::string_view bytes() const { return body.empty() ? client_body : std::string_view(body); }
};

// Names that were changed for the target, to be restored in its answer (bijective).
class ToolNames {
 public:
  // The first of two with the same name counts.
  void add(std::string wire, std::string original);
  bool empty() const { return names_->originals.empty(); }
  // The client's name for a name of the provider; the same name when it was not changed.
  std::string_view original(std::string_view wire) const;
  std::string_view wire(std::string_view original) const;

 private:
  using Names = std::map<std::string, std::string, std::less<>>;
  struct Both {
    Names originals{};  // by the wire's name
    Names wires{};      // by the original one
  };
  Seldom<Both> names_;
};

// How an answer is turned back that follows a schema which was changed for the target.
struct SchemaRestore {
  // A value that the target could only write as a string.
  struct Literal {
    std::string pointer;  // of the value in the answer; a segment "*" stands for any member or element
    std::string text;     // the string that the target writes
    std::string json;     // what the client's schema has there
  };
  bool is_wrapped = false;  // the value stands under "value" of an object
  std::vector<Literal> literals{};
};

// What the decoder of the answer must know of how the request was encoded.
struct CallNotes {
  Operation operation = Operation::chat;
  OpaqueTask task = OpaqueTask::moderation;  // operation opaque: which
  bool is_streamed = false;
  size_t choices = 1;  // that were asked for
  ToolNames tool_names;
  std::string
      json_tool;  // not empty: the schema was emulated by a forced tool of that name; unwrap it into text
  bool is_raw = false;  // the answer's bytes pass as they are: only its usage and its end need decoding
  bool strips_usage =
      false;  // raw way: usage was asked for by Weir alone, the client must not see that event
  // Custom tools (free text) that were offered as functions with one string `input`: the answer's arguments
  // are unwrapped. The client's names.
  Seldom<std::set<std::string, std::less<>>> custom_tools;
  // By the client's name of the tool whose arguments they are of; "": of the answer's text.
  Seldom<std::map<std::string, SchemaRestore, std::less<>>> restores;
  // Stop sequences that the target does not take: Weir watches the text for them (llm/stop_matcher.h).
  std::vector<std::string> stops{};
  std::vector<std::string> sent_stops{};  // to targets that may name no sequence, but say another word
  // The client's numbers, from 0, of the documents that were sent, in their order: the target cites them by
  // its own. Empty: they are the same.
  std::vector<int64_t> documents{};
  bool wants_base64 = false;                  // embeddings were asked for as base64
  bool is_event_stream = false;               // operation opaque: the answer is one
  std::optional<int64_t> input_characters{};  // operation opaque: of the text to be spoken
  // The provider counts reasoning beside completion_tokens, not within (quirk reasoning_not_in_completion).
  bool counts_reasoning_apart = false;
  Fidelity fidelity;

  // The target takes no stop sequences: Weir ends the answer at one.
  void watch_for(const std::vector<std::string_view>& sequences) {
    for (const std::string_view stop : sequences) {
      if (!stop.empty()) stops.emplace_back(stop);
    }
    if (!stops.empty())
      fidelity.add(Severity::info, LossReason::emulated, "/stop", "stop", "watched by Weir");
  }
};

struct EncodedCall {
  WireRequest wire;
  CallNotes notes;
};

// Decodes a streamed body, fed as it comes, in any cut.
class StreamDecoder {
 public:
  virtual ~StreamDecoder() = default;
  // Appends the events that the bytes complete. Errors: upstream_error and its kin for an error event of the
  // dialect, upstream_malformed for what is not the dialect.
  virtual Result<void> feed(std::string_view bytes, std::vector<Event>& events) = 0;
  // The body has ended. Appends what was held back, and End. Error: upstream_truncated when the answer had
  // not finished.
  virtual Result<void> finish(std::vector<Event>& events) = 0;
  // S10: the answer has finished, and only what some providers send behind that (usage) may still come.
  // Whoever reads does not wait for it long.
  virtual bool is_concluding() const { return false; }
  // The raw way: what the client should see of the bytes of the last feed() or finish(), and of an unfinished
  // event held back before: whole events, without those that Weir alone asked for, nothing from a failing
  // event on. Valid until the next call.
  virtual std::string_view forwardable() const = 0;
  virtual std::unique_ptr<StreamDecoder> clone() const = 0;
};

// An HTTP answer, read whole.
struct WireReply {
  int status = 200;
  const Headers* headers = nullptr;  // never null
  std::string_view body{};
};

class ProviderCodec {
 public:
  virtual ~ProviderCodec() = default;
  virtual Dialect dialect() const = 0;
  // Errors: unsupported for what the specification refuses for this target, bad_request for what can never be
  // encoded. Losses are in the notes.
  virtual Result<EncodedCall> encode_request(const Request& request, const TargetModel& target) const = 0;
  // Whether the client's own bytes suit this target: false where a dialect has several forms and the model
  // reads another one than the client wrote. Then encode_request is asked instead.
  virtual bool takes_raw(const ClientCall&, const TargetModel&) const { return true; }
  // The raw way: the client's own bytes with only the model name, and what billing needs, spliced. REQUIRES
  // call.dialect == dialect() and call.body.
  virtual Result<EncodedCall> splice_request(const ClientCall& call, const Request& request,
                                             const TargetModel& target) const = 0;
  // A whole answer, as events with End. Errors: upstream_malformed.
  virtual Result<std::vector<Event>> decode_answer(const WireReply& reply, const CallNotes& notes) const = 0;
  virtual std::unique_ptr<StreamDecoder> stream_decoder(const CallNotes& notes) const = 0;
  // An answer with a status other than 2xx. Fills kind, message, retry_after_ms (all spellings),
  // upstream_status, provider_body. Bodies that are not of the dialect (HTML from a proxy, nothing) are
  // handled too. `wall_ns` is the time that absolute dates in headers are compared with.
  virtual Error decode_error(const WireReply& reply, int64_t wall_ns) const = 0;
};

}  // namespace weir
