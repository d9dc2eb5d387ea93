// The Rng port's one implementation: seeded, fast, not for secrets (base/crypto.h has random_bytes for
// those).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/inline_text.h"

namespace weir {

// xoshiro256++ seeded through splitmix64 (Blackman and Vigna, public domain description). One per core; the
// simulator gives each run its own seed, so that a failure replays.
class Rng {
 public:
  explicit Rng(uint64_t seed);
  uint64_t next();
  // Uniform in [0, bound). REQUIRES bound > 0.
  uint64_t below(uint64_t bound);
  // Uniform in [0, 1).
  double unit();

 private:
  uint64_t state_[4];
};

using Id = InlineText<48>;
// A UUIDv7 (RFC 9562 section 5.7) with a type prefix of at most 15 bytes:
// "req_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b".
Id make_id(std::string_view prefix, int64_t wall_ns, Rng& rng);

}  // namespace weir
