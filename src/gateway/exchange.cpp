#include "gateway/exchange.h"

#include <algorithm>
#include <charconv>

namespace weir {
namespace {

struct Stretch {
  std::string_view name;
  Mark from;
  Mark to;
};

// What `server-timing` names. "upstream" is the provider's own time; everything else is Weir's.
constexpr std::array<Stretch, 7> kStretches = {{
    {"read", Mark::first_byte, Mark::body},
    {"decode", Mark::body, Mark::decoded},
    {"pick", Mark::decoded, Mark::picked},
    {"encode", Mark::picked, Mark::sent},
    {"upstream", Mark::sent, Mark::upstream_head},
    {"first_event", Mark::upstream_head, Mark::first_event},
    {"write", Mark::first_event, Mark::first_write},
}};

// Microseconds as milliseconds with three decimals, without the floating point that this would cost at each
// answer.
void append_ms(std::string& out, int64_t us) {
  std::array<char, 24> digits;
  const auto whole = std::to_chars(digits.data(), digits.data() + digits.size(), us / 1000);
  out.append(digits.data(), whole.ptr);
  const int64_t rest = us % 1000;
  out.push_back('.');
  for (const int64_t digit : {rest / 100, rest / 10 % 10, rest % 10})
    out.push_back(static_cast<char>('0' + digit));
}

}  // namespace

Duration Timings::between(Mark from, Mark to) const {
  if (!has(from) || !has(to)) return {};
  return at(to) - at(from);
}

void Exchange::note_failure(const Error& error) {
  if (attempts.empty() || attempts.back().failure) return;
  attempts.back().failure = error.kind;
  attempts.back().upstream_status = error.upstream_status;
}

std::string Timings::server_timing() const {
  std::string text;
  for (const Stretch& stretch : kStretches) {
    if (!has(stretch.from) || !has(stretch.to)) continue;
    const int64_t us = std::max<int64_t>(0, between(stretch.from, stretch.to).count() / 1000);
    if (!text.empty()) text += ", ";
    text.append(stretch.name).append(";dur=");
    append_ms(text, us);
  }
  return text;
}

}  // namespace weir
