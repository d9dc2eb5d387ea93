// Exchange: one model call by one principal, from the decoded request to the settled usage.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/inline_text.h"
#include "base/priority.h"
#include "base/random.h"
#include "gateway/chunk_times.h"
#include "gateway/route.h"
#include "io/scope.h"
#include "llm/codec.h"
#include "llm/request.h"
#include "security/principal.h"

namespace weir {

struct RoutePlan;
struct Snapshot;

// The moments of an exchange, in the order they pass. `server-timing`, the overhead histogram and the log
// come from them.
enum class Mark : uint8_t {
  first_byte,     // the first byte of the request was readable
  head,           // its head was complete
  body,           // its body was complete
  decoded,        // decoded and authorised
  picked,         // the first target was chosen
  tried_again,    // so was that of the last attempt, when it is not the first
  queued,         // that attempt had to wait for a place at its target
  admitted,       // it has one
  sent,           // its request was encoded and handed to the client
  upstream_head,  // the head of its answer was there
  answered,       // the loop woke for the bytes of its first content event
  first_event,    // the first content event was decoded
  first_write,    // the first bytes of the answer left
  done,           // the last bytes left
};
inline constexpr size_t kMarkCount = static_cast<size_t>(Mark::done) + 1;

using ServerTiming = InlineText<255>;

class Timings {
 public:
  void mark(Mark mark, MonoTime at) { at_[static_cast<size_t>(mark)] = at; }
  bool has(Mark mark) const { return at_[static_cast<size_t>(mark)] != MonoTime{}; }
  MonoTime at(Mark mark) const { return at_[static_cast<size_t>(mark)]; }
  // For another attempt: what the one before it has marked is over.
  void try_again(MonoTime at);
  // Zero unless both were marked.
  Duration between(Mark from, Mark to) const;
  // "read;dur=0.120, decode;dur=0.030, ..." in milliseconds, of the stages that are over; `queue` and `retry`
  // only where there was waiting, or another attempt.
  ServerTiming server_timing() const;

 private:
  std::array<MonoTime, kMarkCount> at_{};
};

using SpanId = InlineText<16>;  // hex digits
// Not all zero.
SpanId make_span_id(Rng& rng);

// W3C trace context.
struct TraceContext {
  InlineText<32> trace_id;  // hex digits
  SpanId span_id;           // of this exchange
  SpanId parent_span_id;    // empty: Weir is the root
  bool is_sampled = false;
};

// One try at one target.
struct Attempt {
  std::string provider;
  const Provider* asked = nullptr;  // that one; of the exchange's snapshot
  std::string model;
  std::optional<ErrorKind> failure;  // nothing: it answered
  int upstream_status = 0;
  MonoTime started{};
  Duration took{};                    // until the head of the answer, or the failure before it
  std::string key_name;               // of the provider's key
  std::optional<size_t> key_index{};  // in the provider's ring
  SpanId span_id;
  std::string upstream_id{};  // what the provider calls it; empty: it did not say
  // To the provider; else it ended here: no key is ready, or the request cannot be said.
  bool was_sent = false;
};

struct Tag {
  std::string key;
  std::string value;
};

// What one attempt sends in place of the request, because its target needs that: always made from the request
// as it came.
struct Adaptation {
  Request request;
  Fidelity fidelity{};
};

// What calls came to that are settled one by one.
struct Spent {
  Usage usage;
  std::optional<int64_t> cost_nano_usd = 0;  // nullopt: the price of a part of it is not known
};

struct Exchange {
  Id id;                   // "req_" and a UUIDv7: the x-request-id
  int64_t wall_ns = 0;     // by the wall clock: when its head was there
  Scope* scope = nullptr;  // the request's; outlives the exchange
  // Of its calls to providers, below `scope`, when they outlast the client; null: they end with it.
  std::unique_ptr<Scope> upstream;
  std::shared_ptr<const Snapshot> snapshot;
  const Principal* principal = &anonymous_principal();  // never null; of the snapshot's keys, or anonymous
  const ClientCodec* client_codec = nullptr;            // nullptr for exchanges from inside
  ClientCall call;                   // what came in; `body` is null for exchanges from inside
  std::unique_ptr<ClientForm> form;  // call.form
  Request request;
  bool request_is_changed = false;  // a stage changed `request`: the raw way is closed
  // The end user's id in `request` and in `call.body` is a hash of what came (translation.hash_user).
  bool user_is_hashed = false;
  bool is_strict = false;  // x-weir-strict, or the route is

  Priority priority = Priority::normal;
  std::string session;
  std::vector<std::string> regions;  // x-weir-region: globs of where it may go; empty: as the principal may
  std::vector<Tag> tags;             // at most 16
  std::string parent;                // the operation that this exchange is part of
  TraceContext trace;

  // Filled on the way.
  Timings timings;
  std::shared_ptr<const RoutePlan> plan;  // owns the target
  const Route* route = nullptr;
  const Candidate* target = nullptr;    // of the current or last attempt
  std::unique_ptr<Adaptation> adapted;  // of that attempt; null: the request goes out as it came
  // Of an answer that continues a stored one: the client's body with everything before it. Null: it continues
  // none.
  std::shared_ptr<const JsonDoc> conversation;
  std::vector<Attempt> attempts;
  bool is_raw = false;  // the last attempt took the raw way
  Fidelity fidelity;    // of the last attempt
  Usage usage;
  size_t content_bytes = 0;  // of the answer's text, as far as it came
  ChunkTimes chunks;         // of a streamed answer
  std::optional<int64_t> cost_nano_usd;
  // The exchange whose answer this one is a part of; outlives it. Null: none.
  Exchange* whole = nullptr;
  // The answer of this attempt is made of several calls' answers, and each call is settled by itself.
  bool is_composed = false;
  // Of calls that are settled by themselves: those of composed answers, and those whose answer was not taken
  // although they stated usage. Null: there were none.
  std::unique_ptr<Spent> spent;
  std::string response_model;  // as the provider named it
  std::string response_id;
  std::vector<std::string> finish_reasons;  // the provider's words; Weir's where it has none

  // From here on this attempt's answer is made of parts (metered_part()).
  void compose();
  // What that usage costs at the target; nullopt: nobody knows.
  std::optional<int64_t> price(const Usage& used) const;
  // Adds what one call to the target used, at its price, to what the whole exchange spent.
  void spend(const Usage& used);
  // Makes all that was spent the exchange's usage and cost.
  void settle_spent();
  // Notes what the last attempt failed with; the first word on it counts. No effect without attempts.
  void note_failure(const Error& error);
  const Chat* chat() const { return chat_of(request); }
  // How many calls to providers were made.
  int64_t calls_made() const;
  // Whether another attempt can be made: what passed by is gone.
  bool is_repeatable() const { return !form || form->can_restart(); }
  // Whether calls to providers go on when the client is gone: as the route says, or the settings.
  bool outlasts_client() const;
  // Nobody waits for the answer any more, yet it is to be read to its end.
  bool drains() const;
  // What the current attempt sends.
  const Request& sent() const { return adapted ? adapted->request : request; }
  MonoTime now() const { return scope->now(); }
  // The time without a look at the clock, which costs more than most steps: of that mark, or when the core
  // woke up since. As good as now() where nothing was waited for meanwhile, and never later.
  MonoTime lately(Mark mark) const { return std::max(timings.at(mark), scope->turn_began()); }
};

// Error in strict mode when there are warnings: unsupported, with the list of them.
Result<void> check_strict(const Exchange& exchange, const Fidelity& fidelity);

}  // namespace weir
