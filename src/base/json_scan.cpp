#include "base/json_scan.h"

#include <atomic>

#include "base/json.h"

namespace weir {
namespace detail {
namespace {

template <size_t kWidth>
struct Vector {
  typedef unsigned char Bytes __attribute__((ext_vector_type(kWidth)));
  typedef bool Flags __attribute__((ext_vector_type(kWidth)));
  using Mask = std::conditional_t<kWidth == 32, uint32_t, uint16_t>;  // a bit for each byte
};

// Always inlined, so that it is compiled for the processor that its caller is compiled for.
template <size_t kWidth>
[[gnu::always_inline]] inline JsonStringScan scan(const char* p, const char* end) {
  using Bytes = typename Vector<kWidth>::Bytes;
  using Flags = typename Vector<kWidth>::Flags;
  using Mask = typename Vector<kWidth>::Mask;
  const auto mask_of = [](const auto& flags) __attribute__((always_inline)) {
    return __builtin_bit_cast(Mask, __builtin_convertvector(flags, Flags));
  };
  JsonStringScan found{.end = end};
  Bytes seen = 0;
  bool is_escaped = false;  // the next byte stands behind a backslash
  for (; static_cast<size_t>(end - p) >= kWidth; p += kWidth) {
    Bytes bytes;
    std::memcpy(&bytes, p, kWidth);
    seen |= bytes;
    Mask special = mask_of((bytes < 0x20) | (bytes == '"') | (bytes == '\\'));
    if (is_escaped) special &= static_cast<Mask>(~Mask{1});
    is_escaped = false;
    while (special != 0) {
      const int at = std::countr_zero(special);
      if (p[at] != '\\') {
        found.end = p + at;
        found.has_high_bytes = mask_of(seen >= 0x80) != 0;
        return found;
      }
      found.has_escapes = true;
      is_escaped = at == kWidth - 1;
      const uint64_t both = uint64_t{3} << at;  // the backslash, and what it escapes
      special &= static_cast<Mask>(~both);
    }
  }
  found.has_high_bytes = mask_of(seen >= 0x80) != 0;
  for (; p < end; ++p) {
    const auto byte = static_cast<unsigned char>(*p);
    found.has_high_bytes |= byte >= 0x80;
    if (is_escaped) {
      is_escaped = false;
    } else if (byte == '\\') {
      found.has_escapes = is_escaped = true;
    } else if (byte < 0x20 || byte == '"') {
      break;
    }
  }
  found.end = p;
  return found;
}

JsonStringScan scan_16(const char* p, const char* end) {
  return scan<16>(p, end);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) JsonStringScan scan_32(const char* p, const char* end) {
  return scan<32>(p, end);
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

JsonStringScan scan_long_json_string(const char* p, const char* end) {
#if defined(__x86_64__)
  return best_scan.load(std::memory_order_relaxed)(p, end);
#else
  return scan_16(p, end);
#endif
}

}  // namespace detail

const char* find_json_string_end(const char* p, const char* end) {
  p = detail::scan_json_string(p, end).end;
  return p != end && *p == '"' ? p : nullptr;
}

}  // namespace weir
