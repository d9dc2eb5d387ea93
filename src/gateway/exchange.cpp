#include "gateway/exchange.h"

#include <fmt/core.h>

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
    const double ms = static_cast<double>(between(stretch.from, stretch.to).count()) / 1e6;
    text += fmt::format("{}{};dur={:.3f}", text.empty() ? "" : ", ", stretch.name, ms);
  }
  return text;
}

}  // namespace weir
