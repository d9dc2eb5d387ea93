#include "base/json_scan.h"

#include <atomic>

#include "base/json.h"

namespace weir {
namespace detail {
namespace {

// Less than a vector: the last bytes of a text. Not inlined, so that the loops over vectors need no stack.
[[gnu::noinline]] JsonStringScan scan_rest(const char* p, const char* end, bool has_escapes,
                                           bool has_high_bytes, bool is_escaped) {
  int seen = has_high_bytes ? 0x80 : 0;
  if (is_escaped && p < end) seen |= *p++;
  for (; p < end; ++p) {
    const auto byte = static_cast<unsigned char>(*p);
    if (byte == '"' || byte < 0x20) break;
    seen |= byte;
    if (byte != '\\') continue;
    has_escapes = true;
    if (++p == end) break;
    seen |= *p;
  }
  return {.end = p, .has_escapes = has_escapes, .has_high_bytes = (seen & 0x80) != 0};
}

template <size_t kWidth>
[[gnu::always_inline]] inline JsonStringScan scan(const char* p, const char* end) {
  using Vector = JsonVector<kWidth>;
  using Mask = typename Vector::Mask;
  using Bytes = typename Vector::Bytes;
  Bytes seen = 0;
  // Two at a time as long as there is nothing to stop at.
  for (; static_cast<size_t>(end - p) >= 2 * kWidth; p += 2 * kWidth) {
    Bytes first;
    Bytes second;
    std::memcpy(&first, p, kWidth);
    std::memcpy(&second, p + kWidth, kWidth);
    if (Vector::special(first, second) != 0) break;
    seen |= first | second;
  }
  bool has_escapes = false;
  bool is_escaped = false;  // the next byte stands behind a backslash
  for (; static_cast<size_t>(end - p) >= kWidth; p += kWidth) {
    Bytes bytes;
    std::memcpy(&bytes, p, kWidth);
    seen |= bytes;
    Mask special = Vector::special(bytes);
    if (is_escaped) special &= static_cast<Mask>(~Mask{1});
    is_escaped = false;
    while (special != 0) {
      const int at = std::countr_zero(special);
      if (p[at] != '\\')
        return {.end = p + at, .has_escapes = has_escapes, .has_high_bytes = Vector::high(seen) != 0};
      has_escapes = true;
      is_escaped = at == kWidth - 1;
      const uint64_t both = uint64_t{3} << at;  // the backslash, and what it escapes
      special &= static_cast<Mask>(~both);
    }
  }
  return scan_rest(p, end, has_escapes, Vector::high(seen) != 0, is_escaped);
}

JsonStringScan scan_16(const char* p, const char* end) {
  return scan<16>(p, end);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) JsonStringScan scan_32(const char* p, const char* end) {
  return end - p < 32 ? scan_16(p, end) : scan<32>(p, end);
}
using Scan = JsonStringScan (*)(const char*, const char*);
JsonStringScan choose_scan(const char* p, const char* end);
// Chosen by the first call and not by an initialiser, before which another one might read JSON.
constinit std::atomic<Scan> best_scan{&choose_scan};

JsonStringScan choose_scan(const char* p, const char* end) {
  const Scan best = __builtin_cpu_supports("avx2") ? &scan_32 : &scan_16;
  best_scan.store(best, std::memory_order_relaxed);
  return best(p, end);
}
#endif

}  // namespace

JsonStringScan scan_json_string(const char* p, const char* end) {
#if defined(__x86_64__)
  return best_scan.load(std::memory_order_relaxed)(p, end);
#else
  return scan_16(p, end);
#endif
}

}  // namespace detail

const char* find_json_string_end(const char* p, const char* end) {
  constexpr auto kWidth = static_cast<ptrdiff_t>(detail::kJsonWordWidth);
  if (end - p >= kWidth) {
    if (const char* quote = detail::scan_json_word(p, end - kWidth).end) return quote;
  }
  p = detail::scan_json_string(p, end).end;
  return p != end && *p == '"' ? p : nullptr;
}

}  // namespace weir
