// FlatText: short texts written one behind the other into memory whose size was seen to before, so that no
// step asks for room. For what is written for every request: ids, header values, lines of the access log.
#pragma once

#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/put_text.h"

namespace weir {

class FlatText {
 public:
  // REQUIRES room at `at` for everything that will be written.
  explicit FlatText(char* at) : at_(at) {}

  [[gnu::always_inline]] FlatText& text(std::string_view text) {
    at_ = put_text(at_, text);
    return *this;
  }
  // The first `size` of these bytes: copying all of them at once takes less than finding out how many.
  // REQUIRES room for all.
  template <size_t kBytes>
  FlatText& text(const std::array<char, kBytes>& bytes, size_t size) {
    std::memcpy(at_, bytes.data(), kBytes);
    at_ += size;
    return *this;
  }
  FlatText& byte(char c) {
    *at_++ = c;
    return *this;
  }
  // At most kDecimalBytes.
  FlatText& decimal(int64_t number) {
    if (number < 0) byte('-');
    return digits(number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number));
  }
  // A number that counts parts of a whole, with that many decimals: fixed<3>(1234) is "1.234". At most
  // kDecimalBytes + 2.
  template <int kDecimals>
  FlatText& fixed(int64_t parts) {
    constexpr uint64_t kParts = [] {
      uint64_t power = 1;
      for (int i = 0; i < kDecimals; ++i) power *= 10;
      return power;
    }();
    if (parts < 0) byte('-');
    const uint64_t size = parts < 0 ? 0 - static_cast<uint64_t>(parts) : static_cast<uint64_t>(parts);
    digits(size / kParts).byte('.');
    uint64_t rest = size % kParts;
    for (int i = kDecimals; i >= 2; i -= 2, rest /= 100) pair(at_ + i - 2, rest % 100);
    if (kDecimals % 2 == 1) *at_ = static_cast<char>('0' + rest);
    at_ += kDecimals;
    return *this;
  }
  // 16 hexadecimal digits.
  FlatText& hex(uint64_t word) {
    eight_digits(static_cast<uint32_t>(word >> 32));
    return eight_digits(static_cast<uint32_t>(word));
  }

  // Behind what was written.
  char* end() const { return at_; }

  static constexpr size_t kDecimalBytes = 20;

 private:
  static constexpr auto kPairs = [] {
    std::array<std::array<char, 2>, 100> pairs{};
    for (size_t i = 0; i < pairs.size(); ++i)
      pairs[i] = {static_cast<char>('0' + i / 10), static_cast<char>('0' + i % 10)};
    return pairs;
  }();

  // All eight at once: each half byte gets a byte of its own, and those above 9 are moved on to the letters.
  FlatText& eight_digits(uint32_t half) {
    static_assert(std::endian::native == std::endian::little);
    uint64_t digits = half;
    digits = (digits | digits << 16) & 0x0000'ffff'0000'ffff;
    digits = (digits | digits << 8) & 0x00ff'00ff'00ff'00ff;
    digits = (digits | digits << 4) & 0x0f0f'0f0f'0f0f'0f0f;
    const uint64_t letters = (digits + 0x0606'0606'0606'0606) >> 4 & 0x0101'0101'0101'0101;
    digits = std::byteswap(digits + 0x3030'3030'3030'3030 + letters * ('a' - '0' - 10));
    std::memcpy(at_, &digits, sizeof digits);
    at_ += sizeof digits;
    return *this;
  }

  // Most numbers are short: counts, milliseconds.
  FlatText& digits(uint64_t number) {
    if (number < 10) return byte(static_cast<char>('0' + number));
    if (number >= 100) {
      at_ = std::to_chars(at_, at_ + kDecimalBytes, number).ptr;
      return *this;
    }
    pair(at_, number);
    at_ += 2;
    return *this;
  }
  static void pair(char* to, uint64_t below_100) { std::memcpy(to, kPairs[below_100].data(), 2); }

  char* at_;
};

// Appends what `write(FlatText&)` writes. REQUIRES that it is at most `bytes_max`.
template <class Write>
void append_flat(std::string& out, size_t bytes_max, Write&& write) {
  const size_t before = out.size();
  out.resize_and_overwrite(before + bytes_max, [&](char* bytes, size_t) {
    FlatText flat(bytes + before);
    write(flat);
    return static_cast<size_t>(flat.end() - bytes);
  });
}

}  // namespace weir
