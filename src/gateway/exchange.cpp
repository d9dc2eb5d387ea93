#include "gateway/exchange.h"

#include <algorithm>
#include <fmt/core.h>
#include <utility>

#include "gateway/snapshot.h"
#include "gateway/stretches.h"
#include "provider/pricing.h"

namespace weir {
namespace {

// Nothing takes so long; the text has room for ten numbers of this length.
constexpr int64_t kTimingUsMax = 99'999'999'999;

// "read;dur=" of each stretch.
struct TimingName {
  std::array<char, 16> bytes{};
  size_t size = 0;
};
constexpr auto kTimingNames = [] {
  std::array<TimingName, kStretches.size()> names;
  for (size_t i = 0; i < names.size(); ++i) {
    for (const std::string_view part : {kStretches[i].name, std::string_view(";dur=")}) {
      for (const char c : part) names[i].bytes[names[i].size++] = c;
    }
  }
  return names;
}();

Exchange& whole_of(Exchange& exchange) {
  Exchange* whole = &exchange;
  while (whole->whole) whole = whole->whole;
  return *whole;
}

}  // namespace

Duration Timings::between(Mark from, Mark to) const {
  if (!has(from) || !has(to)) return {};
  return at(to) - at(from);
}

void Timings::try_again(MonoTime at) {
  for (const Mark mark : {Mark::queued, Mark::admitted, Mark::sent, Mark::upstream_head, Mark::answered})
    this->mark(mark, {});
  mark(Mark::tried_again, at);
}

SpanId make_span_id(Rng& rng) {
  return SpanId::written([&](FlatText& out) { out.hex(rng.next() | 1); });
}

std::optional<int64_t> Exchange::price(const Usage& used) const {
  if (!target || !target->row || !target->is_priced) return std::nullopt;
  // No vendor charges for counting, and Weir's own count has asked none.
  if (operation_of(request) == Operation::count_tokens) return 0;
  ImageForm asked;
  // A form of fields has passed by, and what it says of the images with it.
  if (!target->row->image_prices.empty() && call.form) return std::nullopt;
  if (!target->row->image_prices.empty() && call.body) {
    asked = {.size = call.body->root()["size"].string_or(""),
             .quality = call.body->root()["quality"].string_or("")};
  }
  return cost(*target->row, used, asked);
}

void Exchange::compose() {
  whole_of(*this).is_composed = true;
}

void Exchange::spend(const Usage& used) {
  if (used.empty()) return;
  std::unique_ptr<Spent>& all = whole_of(*this).spent;
  if (!all) all = std::make_unique<Spent>();
  all->usage.add(used);
  // Call by call: the tier of a price, and what a request costs, are those of each.
  const std::optional<int64_t> part = price(used);
  const bool is_known = part && all->cost_nano_usd;
  if (!is_known || __builtin_add_overflow(*all->cost_nano_usd, *part, &*all->cost_nano_usd))
    all->cost_nano_usd.reset();
}

void Exchange::settle_spent() {
  if (!spent) return;
  usage = spent->usage;
  cost_nano_usd = spent->cost_nano_usd;
}

void Exchange::note_failure(const Error& error) {
  if (attempts.empty() || attempts.back().failure) return;
  attempts.back().failure = error.kind;
  attempts.back().upstream_status = error.upstream_status;
}

int64_t Exchange::calls_made() const {
  return std::ranges::count_if(attempts, &Attempt::was_sent);
}

bool Exchange::outlasts_client() const {
  if (!route) return false;
  const std::string_view word =
      route->on_client_gone.empty() ? snapshot->settings.on_client_gone : route->on_client_gone;
  return word == "drain";
}

bool Exchange::drains() const {
  return scope->is_cancelled() && scope->reason().kind == ErrorKind::cancelled && outlasts_client();
}

ServerTiming Timings::server_timing() const {
  return ServerTiming::written([this](FlatText& out) {
    const char* const start = out.end();
    for (size_t i = 0; i < kStretches.size(); ++i) {
      const MonoTime from = at(kStretches[i].from);
      const MonoTime to = at(kStretches[i].to);
      if (from == MonoTime{} || to == MonoTime{}) continue;
      if (out.end() != start) out.byte(',').byte(' ');
      const int64_t us = std::clamp<int64_t>((to - from).count() / 1000, 0, kTimingUsMax);
      out.text(kTimingNames[i].bytes, kTimingNames[i].size).fixed<3>(us);
    }
  });
}

Result<void> check_strict(const Exchange& exchange, const Fidelity& fidelity) {
  if (!exchange.is_strict || !fidelity.has_warnings()) return {};
  std::string list;
  std::string path;
  for (const FidelityRecord& record : fidelity.records()) {
    if (record.severity != Severity::warning) continue;
    list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", record.pointer, to_string(record.reason));
    if (path.empty()) path = record.pointer;
  }
  return fail(ErrorKind::unsupported,
              fmt::format("strict mode: the model {} cannot take these as they are: {}. Leave them out, or "
                          "leave strict mode.",
                          exchange.target->model, list),
              path);
}

}  // namespace weir
