#include "sim/checks.h"

#include <algorithm>
#include <fmt/core.h>
#include <set>

#include "base/json.h"
#include "io/sse.h"
#include "sim/composed.h"

namespace weir::sim {
namespace {

// Timers are coarse (two ticks, one for each of two that hang together).
constexpr Duration kSlack = std::chrono::milliseconds(40);

// Below that a form has arrived whole before its call is made.
constexpr size_t kFileBytesUnseen = 128 * 1024;

bool is_prefix(std::string_view part, std::string_view whole) {
  return whole.starts_with(part);
}

bool has_error(JsonValue root, bool is_anthropic) {
  return is_anthropic ? root["type"].string_or("") == "error" : root["error"].is_object();
}

void view_event(const CallerPlan& caller, const SseEvent& event, View& view) {
  if (event.is_comment) return;
  if (view.success_marks + view.errors > 0) view.goes_on_after_end = true;
  if (!caller.is_anthropic && event.data == "[DONE]") {
    ++view.success_marks;
    return;
  }
  const auto parsed = JsonDoc::parse(std::string(event.data));
  if (!parsed) {
    view.broken = "an event that is not JSON: " + std::string(event.data);
    return;
  }
  const JsonValue root = parsed->root();
  if (has_error(root, caller.is_anthropic)) {
    ++view.errors;
  } else if (caller.is_anthropic) {
    if (root["type"].string_or("") != event.event) view.broken = "event and type differ";
    if (event.event == "message_stop") ++view.success_marks;
    view.text += root["delta"]["text"].string_or("");
  } else {
    for (const JsonValue choice : root["choices"]) {
      view.text += choice["delta"]["content"].string_or("");
      view.choices[choice["index"].int_or(-1)] += choice["delta"]["content"].string_or("");
    }
  }
}

View view_stream(const CallerPlan& caller, const Call& call) {
  View view;
  SseDecoder decoder;
  std::string_view rest = call.body;
  for (;;) {
    const auto event = decoder.next(rest);
    if (!event || !*event) break;
    view_event(caller, **event, view);
  }
  return view;
}

View view_whole(const CallerPlan& caller, const Call& call) {
  View view;
  if (!call.is_complete) return view;
  const auto parsed = JsonDoc::parse(call.body);
  if (!parsed) {
    view.broken = "a body that is not JSON: " + call.body;
    return view;
  }
  const JsonValue root = parsed->root();
  if (has_error(root, caller.is_anthropic)) {
    ++view.errors;
    return view;
  }
  ++view.success_marks;
  if (caller.is_anthropic) {
    for (const JsonValue block : root["content"]) view.text += block["text"].string_or("");
  } else {
    for (const JsonValue choice : root["choices"]) {
      view.text += choice["message"]["content"].string_or("");
      view.choices[choice["index"].int_or(-1)] += choice["message"]["content"].string_or("");
    }
    for (const JsonValue item : root["data"]) {
      if (item["index"].int_or(-1) != static_cast<int64_t>(view.vectors)) view.broken = "vectors in disorder";
      ++view.vectors;
    }
  }
  return view;
}

// Bytes of any kind: success is a body that is whole, and a failure behind the head is an event, or the end
// of the connection. What is not whole of an event, its reader has not got.
View view_bytes(const Call& call) {
  View view;
  const bool is_stream = call.headers.get_or("content-type", "").starts_with("text/event-stream");
  const std::string_view body = call.body;
  if (call.status != 200) {
    if (!call.is_complete) return view;
    const auto parsed = JsonDoc::parse(call.body);
    if (!parsed || !has_error(parsed->root(), false)) {
      view.broken = "an error that is none: " + call.body;
    } else {
      ++view.errors;
    }
    return view;
  }
  const size_t failure = is_stream ? body.rfind("data: {\"error\":") : std::string_view::npos;
  view.text = body.substr(0, failure);
  if (failure != std::string_view::npos) {
    ++view.errors;
    if (!view.text.empty() && !view.text.ends_with("\n\n"))
      view.broken = "an error behind half an event: " + view.text;
  } else if (is_stream && !call.is_complete) {
    const size_t end = body.rfind("\n\n");
    view.text.resize(end == std::string_view::npos ? 0 : end + 2);
  }
  if (call.is_complete) ++view.success_marks;
  return view;
}

// The exchange's own end came before its answer's.
bool is_cut_short(const ExchangeOutcome& outcome) {
  if (!outcome.error) return false;
  const ErrorKind kind = outcome.error->kind;
  return kind == ErrorKind::timeout || kind == ErrorKind::cancelled || kind == ErrorKind::shutting_down;
}

class Checker {
 public:
  Checker(const Plan& plan, const Record& record) : plan_(plan), record_(record) {}

  std::vector<std::string> run() {
    for (const std::string& leak : record_.leaks) wrong("not settled: {}", leak);
    for (const Served& served : record_.served) {
      if (served.wrong) wrong("p{} was sent a wrong request: {}", served.target, *served.wrong);
    }
    for (const auto& [id, count] : record_.started) {
      const auto ends = std::ranges::count(record_.ended, id, &Ended::id);
      if (count != 1 || ends != 1) wrong("{} was started {} times and ended {} times", id, count, ends);
    }
    if (record_.started.size() != record_.ended.size()) wrong("an exchange ended that was not started");
    for (size_t i = 0; i < record_.calls.size(); ++i) check_call(i);
    for (const Ended& ended : record_.ended) check_exchange(ended);
    return std::move(found_);
  }

 private:
  template <class... Args>
  void wrong(fmt::format_string<Args...> format, Args&&... args) {
    found_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  Duration timeout_of(const CallerPlan& caller) const {
    return caller.timeout > Duration::zero() ? caller.timeout : kTimeout;
  }

  // A server that drains takes nothing new, and after its patience nothing goes on.
  bool is_shut_out(const Call& call) const {
    return record_.stopped && (!call.ended || *call.ended >= *record_.stopped);
  }

  bool is_timed_out(size_t caller) const {
    return std::ranges::any_of(record_.ended, [&](const Ended& ended) {
      return ended.caller == caller && ended.outcome.error && ended.outcome.error->kind == ErrorKind::timeout;
    });
  }

  // What the caller saw, by itself.
  void check_call(size_t index) {
    const CallerPlan& caller = plan_.callers[index];
    const Call& call = record_.calls[index];
    if (call.status == 0) {
      // The head that a slow caller has not taken by its deadline is cut.
      if (!call.hung_up && !is_shut_out(call) && !(caller.mood == Mood::slow && is_timed_out(index)))
        wrong("c{} got no answer at all", index);
      return;
    }
    const View view = view_of(caller, call);
    if (!view.broken.empty()) wrong("c{} got {}", index, view.broken);
    if (view.success_marks + view.errors > 1 || view.goes_on_after_end) {
      wrong("c{} saw {} success marks and {} errors{}", index, view.success_marks, view.errors,
            view.goes_on_after_end ? ", and something after the end" : "");
    }
    if (call.is_complete && view.success_marks + view.errors == 0)
      wrong("c{} saw the end of a body that has neither success nor error", index);
    if (view.success_marks > 0 && call.status != 200) wrong("c{}: success with {}", index, call.status);
    if (!call.headers.contains("x-request-id")) wrong("c{} got no x-request-id", index);
    // Of a quota nobody knows when it is back; then SDKs are told not to try again.
    if (call.status == 429 && !call.headers.contains("retry-after") &&
        !call.headers.contains("x-should-retry"))
      wrong("c{} got a 429 without a word on trying again", index);
  }

  void check_exchange(const Ended& ended) {
    const CallerPlan& caller = plan_.callers[ended.caller];
    const Call& call = record_.calls[ended.caller];
    const Duration took = ended.at - ended.first_byte;
    if (took > timeout_of(caller) + kSlack + telling_takes(caller)) {
      wrong("{} took {} ms, its deadline was {} ms", ended.id, took / std::chrono::milliseconds(1),
            timeout_of(caller) / std::chrono::milliseconds(1));
    }
    if (!JsonDoc::parse(ended.log_line)) wrong("{}: its access log line is not JSON", ended.id);
    check_outcome(ended, caller, call);
    check_attempts(ended, caller, call);
    check_usage(ended, caller, call);
  }

  // How long a slow caller may take to read that its deadline has passed, behind what was on its way.
  static Duration telling_takes(const CallerPlan& caller) {
    constexpr size_t kToldBytesMax = 2048;
    if (caller.mood != Mood::slow) return {};
    return caller.read_pause * static_cast<int64_t>(2 + kToldBytesMax / caller.room);
  }

  // What the gateway says of the exchange is what its caller saw.
  void check_outcome(const Ended& ended, const CallerPlan& caller, const Call& call) {
    const ExchangeOutcome& outcome = ended.outcome;
    if (call.hung_up) {
      const Duration grace = plan_.drains ? plan_.gone_timeout : Duration::zero();
      // While a form comes in its hang-up shows with the next read, which waits for a place at a provider.
      const bool may_be_blind = caller.file_bytes > kFileBytesUnseen;
      if (call.ended && ended.at > *call.ended + grace + kSlack && !may_be_blind)
        wrong("{} went on after its caller was gone", ended.id);
      return;
    }
    // What a slow caller had not taken when its exchange was ended is cut, and nothing follows it.
    const bool may_miss_it = outcome.error && (caller.mood == Mood::slow || is_shut_out(call));
    if (may_miss_it && !call.is_complete) return;
    if (outcome.error && outcome.error->kind == ErrorKind::shutting_down && !record_.stopped)
      wrong("{} was shut down by nobody", ended.id);
    if (call.headers.get_or("x-request-id", "") != ended.id)
      wrong("c{} got another x-request-id", ended.caller);
    const View view = view_of(caller, call);
    const bool succeeded = view.success_marks > 0 && call.is_complete;
    if (!outcome.error && !succeeded) wrong("{} is called a success, its caller saw none", ended.id);
    if (outcome.error && succeeded)
      wrong("{} is called {}, its caller saw success", ended.id, to_string(outcome.error->kind));
    if (outcome.status != call.status) wrong("{}: status {} but {}", ended.id, outcome.status, call.status);
    // Anthropic has a status of its own for it.
    const bool is_529 =
        call.status == 529 && caller.is_anthropic && outcome.error && outcome.error->http_status() == 503;
    if (outcome.error && call.status != 200 && call.status != outcome.error->http_status() && !is_529)
      wrong("{}: {} was told with {}", ended.id, to_string(outcome.error->kind), call.status);
    if (outcome.error && outcome.error->kind == ErrorKind::cancelled && caller.mood != Mood::slow)
      wrong("{} is called cancelled, its caller stayed", ended.id);
    if (outcome.error && outcome.error->kind == ErrorKind::internal) wrong("{} met a bug", ended.id);
  }

  // The last request of the attempt: the client repeats one that met a pooled connection which had just died.
  const Served* served_as(std::string_view exchange_id, const Attempt& attempt) const {
    const Served* last = nullptr;
    for (const Served& served : record_.served) {
      if (served.exchange_id == exchange_id && served.span_id == attempt.span_id) last = &served;
    }
    return last;
  }

  void check_attempts(const Ended& ended, const CallerPlan& caller, const Call& call) {
    std::vector<const Served*> mine;
    for (const Served& served : record_.served) {
      if (served.exchange_id == ended.id) mine.push_back(&served);
    }
    std::set<std::string_view> spans;
    for (const Served* served : mine) spans.insert(served->span_id);
    if (spans.size() > ended.attempts.size())
      wrong("{}: requests of {} attempts at providers, {} noted", ended.id, spans.size(),
            ended.attempts.size());
    size_t keys_max = 1;
    for (const TargetPlan& target : plan_.targets) keys_max = std::max(keys_max, target.keys);
    if (spans.size() > static_cast<size_t>(plan_.retry.attempts_max) * keys_max * caller.parts)
      wrong("{}: {} attempts", ended.id, spans.size());
    const bool was_cut_short = call.hung_up || is_cut_short(ended.outcome);
    for (size_t i = 0; i < ended.attempts.size() && !is_composed(caller.ask); ++i)
      check_attempt(ended, i, was_cut_short);
    check_asked_again(ended);
    if (caller.ask == Ask::choices || caller.ask == Ask::embeddings) {
      check_parts(ended, caller, mine, view_of(caller, call), call);
    } else {
      check_text(ended, mine, view_of(caller, call), call);
    }
    for (const Served* served : mine) {
      // Who pauses looks at its connection only afterwards.
      const Duration blind = std::max(served->script.head_pause, served->script.piece_pause);
      if (served->gone && *served->gone > ended.at + blind + kSlack)
        wrong("{} is over, its connection to p{} went on", ended.id, served->target);
      // One part's failure is that of all.
      const bool is_answer = fault_row(served->script.fault).is_answered && !served->script.is_malformed &&
                             !is_composed(caller.ask);
      if (is_answer && !was_cut_short && ended.outcome.error)
        wrong("{} failed with {} although p{} answered ({})", ended.id, to_string(ended.outcome.error->kind),
              served->target, fault_row(served->script.fault).name);
    }
  }

  // Whether the attempt was answered by a call that nobody can read.
  bool is_malformed(const Ended& ended, const Attempt& attempt) const {
    const Served* served = served_as(ended.id, attempt);
    return !attempt.failure && served && served->script.is_malformed;
  }

  // Whether a call of that provider failed, so that its targets may have been put aside.
  bool has_failed(std::string_view provider) const {
    return std::ranges::any_of(record_.ended, [&](const Ended& ended) {
      return std::ranges::any_of(ended.attempts, [&](const Attempt& attempt) {
        return attempt.provider == provider && attempt.failure;
      });
    });
  }

  // What a model got wrong is asked for once more, where nothing of it has left and a call may still be made;
  // and no oftener.
  void check_asked_again(const Ended& ended) {
    size_t again = 0;
    for (size_t i = 0; i + 1 < ended.attempts.size(); ++i)
      again += is_malformed(ended, ended.attempts[i]) ? 1 : 0;
    if (again > 1) wrong("{}: malformed calls were asked for {} times more", ended.id, again);
    if (ended.outcome.error || ended.attempts.size() != 1 || !is_malformed(ended, ended.attempts[0])) return;
    const Script& script = served_as(ended.id, ended.attempts[0])->script;
    const bool may_be_called = plan_.retry.attempts_max > 1 && !has_failed(ended.attempts[0].provider);
    if (may_be_called && (!script.is_streamed || script.text.empty()))
      wrong("{}: a malformed call was not asked for again", ended.id);
  }

  void check_attempt(const Ended& ended, size_t index, bool was_cut_short) {
    const Attempt& attempt = ended.attempts[index];
    const bool is_last = index + 1 == ended.attempts.size();
    if (!attempt.failure) {
      if (!is_last && !is_malformed(ended, attempt))
        wrong("{}: attempt {} has no failure, yet another followed", ended.id, index + 1);
      if (is_last && ended.outcome.error && !was_cut_short)
        wrong("{} failed with {}, its last attempt did not", ended.id, to_string(ended.outcome.error->kind));
      return;
    }
    const Served* served = served_as(ended.id, attempt);
    if (!served || (is_last && was_cut_short)) return;
    const FaultRow& row = fault_row(served->script.fault);
    if (std::ranges::find(row.allowed, *attempt.failure) == row.allowed.end())
      wrong("{}: p{} did {}, the attempt is called {}", ended.id, served->target, row.name,
            to_string(*attempt.failure));
  }

  // The caller's text is what one answer says, from its start: the last one's, since nothing may follow a
  // first content event.
  void check_text(const Ended& ended, const std::vector<const Served*>& mine, const View& view,
                  const Call& call) {
    if (view.text.empty()) return;
    if (mine.empty()) return wrong("{}: text although no provider was asked", ended.id);
    const std::string& said = mine.back()->script.text;
    if (!is_prefix(view.text, said)) wrong("{}: '{}' is no start of '{}'", ended.id, view.text, said);
    if (call.is_complete && view.success_marks > 0 && view.text != said)
      wrong("{}: success with '{}' of '{}'", ended.id, view.text, said);
  }

  // Each choice says what one answer does, and no two the same one.
  void check_parts(const Ended& ended, const CallerPlan& caller, const std::vector<const Served*>& mine,
                   const View& view, const Call& call) {
    const bool is_success = call.is_complete && view.success_marks > 0;
    if (caller.ask == Ask::embeddings) {
      const size_t wanted = is_success ? caller.parts * kInputsMax : 0;
      if (view.vectors != wanted) wrong("{}: {} vectors", ended.id, view.vectors);
      return;
    }
    std::set<const Served*> said;
    for (const auto& [index, text] : view.choices) {
      const auto source = std::ranges::find_if(mine, [&, &its = text](const Served* served) {
        return is_success ? its == served->script.text : is_prefix(its, served->script.text);
      });
      if (source == mine.end()) {
        wrong("{}: nobody said '{}'", ended.id, text);
      } else {
        said.insert(*source);
      }
    }
    if (is_success && said.size() != caller.parts) wrong("{}: {} different choices", ended.id, said.size());
  }

  // Whether the answer had to be read to its end although its caller was gone: it would have been there in
  // time. By when it was due, not by what was sent: who breaks off is sent nothing more.
  bool had_to_drain(const Ended& ended, const Attempt& attempt, const CallerPlan& caller, const Call& call,
                    const Served& served) const {
    if (!plan_.drains || !call.hung_up || !call.ended || record_.stopped) return false;
    const std::optional<ErrorKind> failure = attempt.failure;
    if (failure && *failure != ErrorKind::cancelled) return false;
    const Script& script = served.script;
    // What ends by a marker that may be late, or with its connection, takes longer than its last byte.
    if (script.fault != Fault::none || script.framing == Framing::until_close) return false;
    if (script.length >= plan_.gone_bytes_max) return false;
    const Duration pauses =
        script.head_pause + static_cast<int64_t>(script.pieces.size()) * (script.piece_pause + kSlack);
    const MonoTime due = std::min(*call.ended + plan_.gone_timeout, ended.first_byte + timeout_of(caller));
    return served.at + pauses + kSlack < due;
  }

  void check_usage(const Ended& ended, const CallerPlan& caller, const Call& call) {
    if (ended.attempts.empty()) return;
    if (is_composed(caller.ask)) return check_usage_of_parts(ended, caller, call);
    const Served* served = served_as(ended.id, ended.attempts.back());
    if (ended.outcome.error) {
      if (!served || !had_to_drain(ended, ended.attempts.back(), caller, call, *served)) return;
    }
    if (!served) return wrong("{}: nobody answered it", ended.id);
    const Script& script = served->script;
    if (is_opaque(script.ask)) return check_measure(ended, script);
    if (const Usage before = reported_before(ended); !before.empty())
      return check_sum(ended, before.input_total() + script.input_tokens,
                       before.output_total() + script.output_tokens, script.reports_usage);
    if (!script.reports_usage) {
      if (ended.usage.source != UsageSource::estimated) wrong("{}: usage that nobody reported", ended.id);
      if (ended.usage.output_total() == 0) wrong("{}: nothing was estimated", ended.id);
      return;
    }
    if (ended.usage.source != UsageSource::provider || ended.usage.input_total() != script.input_tokens ||
        ended.usage.output_total() != script.output_tokens) {
      wrong("{}: usage {}+{} ({}), the provider said {}+{}", ended.id, ended.usage.input_total(),
            ended.usage.output_total(), to_string(ended.usage.source), script.input_tokens,
            script.output_tokens);
    }
  }

  // What attempts reported whose answers were not taken: all, of a malformed call. A reset may overtake it.
  Usage reported_before(const Ended& ended) const {
    Usage sum;
    for (size_t i = 0; i + 1 < ended.attempts.size(); ++i) {
      const Served* served = served_as(ended.id, ended.attempts[i]);
      const bool is_whole = is_malformed(ended, ended.attempts[i]);
      if (!served || (served->script.early_input == 0 && !is_whole)) continue;
      Usage part;
      part.in_uncached = is_whole ? served->script.input_tokens : served->script.early_input;
      part.out_text = is_whole ? served->script.output_tokens : served->script.early_output;
      sum.add(part);
    }
    return sum;
  }

  void check_sum(const Ended& ended, int64_t input, int64_t output, bool is_exact) {
    const bool has_reset = std::ranges::any_of(ended.attempts, [&](const Attempt& attempt) {
      const Served* served = served_as(ended.id, attempt);
      return served && served->script.ending == Ending::resets;
    });
    if (!is_exact || has_reset) return;
    if (ended.usage.input_total() != input || ended.usage.output_total() != output)
      wrong("{}: usage {}+{}, the providers said {}+{} in all", ended.id, ended.usage.input_total(),
            ended.usage.output_total(), input, output);
  }

  // What was answered is counted, whatever became of the rest: exactly where each answer came whole. Of
  // streams that is known only when all of them ended well.
  void check_usage_of_parts(const Ended& ended, const CallerPlan& caller, const Call& call) {
    int64_t input = 0;
    int64_t output = 0;
    bool is_exact = true;
    for (const Attempt& attempt : ended.attempts) {
      const Served* served = served_as(ended.id, attempt);
      const bool drains = served && had_to_drain(ended, attempt, caller, call, *served);
      if (attempt.failure == ErrorKind::cancelled && drains)
        wrong("{}: what p{} did for a caller that is gone was broken off", ended.id, served->target);
      is_exact = is_exact && (!caller.is_streamed || (!attempt.failure && (!ended.outcome.error || drains)));
      if (attempt.failure) continue;
      if (!served) return wrong("{}: nobody answered a part of it", ended.id);
      input += served->script.input_tokens;
      output += served->script.output_tokens;
    }
    if (!is_exact) return;
    if (ended.usage.input_total() != input || ended.usage.output_total() != output ||
        ended.usage.source != UsageSource::provider)
      wrong("{}: usage {}+{} ({}), its parts came to {}+{}", ended.id, ended.usage.input_total(),
            ended.usage.output_total(), to_string(ended.usage.source), input, output);
  }

  // What no answer states is not estimated, except that an image was seen to come.
  void check_measure(const Ended& ended, const Script& script) {
    const bool is_image = script.ask == Ask::image && !script.is_streamed;
    const int64_t images = is_image && !script.reports_usage ? 1 : 0;
    const int64_t input = script.reports_usage ? script.input_tokens : 0;
    const int64_t output = script.reports_usage ? script.output_tokens : 0;
    const int64_t sound = script.reports_usage ? script.sound_ms : 0;
    const Usage& usage = ended.usage;
    if (usage.source != UsageSource::provider || usage.input_total() != input ||
        usage.output_total() != output || usage.in_sound_ms.value_or(0) != sound ||
        usage.images.value_or(0) != images) {
      wrong("{}: usage {}+{}, {} ms, {} images; the provider said {}+{}, {} ms, {} images", ended.id,
            usage.input_total(), usage.output_total(), usage.in_sound_ms.value_or(0),
            usage.images.value_or(0), input, output, sound, images);
    }
  }

  const Plan& plan_;
  const Record& record_;
  std::vector<std::string> found_;
};

}  // namespace

View view_of(const CallerPlan& caller, const Call& call) {
  if (is_opaque(caller.ask)) return view_bytes(call);
  const bool is_stream = call.headers.get_or("content-type", "").starts_with("text/event-stream");
  return is_stream ? view_stream(caller, call) : view_whole(caller, call);
}

std::vector<std::string> check(const Plan& plan, const Record& record) {
  return Checker(plan, record).run();
}

}  // namespace weir::sim
