// WEIR_ASSERT states an invariant and stays on in release builds: a broken one is a bug, and stopping beats
// going on with wrong data. Input is never asserted; it gets an Error.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace weir::detail {

[[noreturn]] inline void assertion_failed(const char* condition, const char* why, const char* file,
                                          int line) {
  // Plain stdio: the logger may be what is broken, and nothing may be allocated here.
  std::fprintf(stderr, "%s:%d: assertion failed: %s (%s)\n", file, line, condition, why);
  std::abort();
}

}  // namespace weir::detail

// `WEIR_ASSERT(slot < slots_max, "every family has reserved its slots");`
#define WEIR_ASSERT(condition, why)                                            \
  do {                                                                         \
    if (!(condition)) [[unlikely]]                                             \
      ::weir::detail::assertion_failed(#condition, (why), __FILE__, __LINE__); \
  } while (false)
