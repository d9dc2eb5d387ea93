// Where the time of an exchange goes: what `server-timing` and the overhead histogram name.
#pragma once

#include <array>
#include <string_view>

#include "gateway/exchange.h"

namespace weir {

struct Stretch {
  std::string_view name;
  Mark from;
  Mark to;
  // The provider's own time, and with it the signature, connecting, and sending; everything else is Weir's.
  bool is_providers = false;
};

inline constexpr std::array<Stretch, 10> kStretches = {{
    {"read", Mark::first_byte, Mark::body},
    {"decode", Mark::body, Mark::decoded},
    {"pick", Mark::decoded, Mark::picked},
    {"retry", Mark::picked, Mark::tried_again},
    {"queue", Mark::queued, Mark::admitted},
    {"encode", Mark::admitted, Mark::sent},
    {"upstream", Mark::sent, Mark::upstream_head, true},
    {"first_event", Mark::upstream_head, Mark::answered, true},
    {"answer", Mark::answered, Mark::first_event},
    {"write", Mark::first_event, Mark::first_write},
}};

}  // namespace weir
