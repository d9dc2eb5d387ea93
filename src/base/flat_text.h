// FlatText: short texts written one behind the other into memory whose size was seen to before, so that no
// step asks for room. For what is written for every request: ids, header values, lines of the access log.
#pragma once

#include <array>
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
  FlatText& byte(char c) {
    *at_++ = c;
    return *this;
  }
  // At most kDecimalBytes.
  FlatText& decimal(int64_t number) {
    at_ = std::to_chars(at_, at_ + kDecimalBytes, number).ptr;
    return *this;
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
    at_ = std::to_chars(at_, at_ + kDecimalBytes, size / kParts).ptr;
    byte('.');
    uint64_t rest = size % kParts;
    for (int i = kDecimals; i-- > 0; rest /= 10) at_[i] = static_cast<char>('0' + rest % 10);
    at_ += kDecimals;
    return *this;
  }
  // 16 hexadecimal digits.
  FlatText& hex(uint64_t word) {
    for (int shift = 56; shift >= 0; shift -= 8, at_ += 2)
      std::memcpy(at_, kHexPairs[word >> shift & 0xff].data(), 2);
    return *this;
  }

  // Behind what was written.
  char* end() const { return at_; }

  static constexpr size_t kDecimalBytes = 20;

 private:
  static constexpr std::array<std::array<char, 2>, 256> kHexPairs = [] {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<std::array<char, 2>, 256> pairs{};
    for (size_t i = 0; i < pairs.size(); ++i) pairs[i] = {kDigits[i / 16], kDigits[i % 16]};
    return pairs;
  }();

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
