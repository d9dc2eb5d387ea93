// InlineText: a short text that needs no memory of its own, such as an id.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/flat_text.h"

namespace weir {

// A text of at most kBytes bytes that needs no memory of its own: ids.
template <size_t kBytes>
class InlineText {
 public:
  InlineText() = default;
  // REQUIRES text.size() <= kBytes.
  InlineText(std::string_view text) { assign(text); }
  InlineText(const char* text) { assign(text); }
  InlineText(const std::string& text) { assign(text); }

  // What `write(FlatText&)` writes. REQUIRES that it fits.
  template <class Write>
  static InlineText written(Write&& write) {
    InlineText text;
    FlatText flat(text.bytes_.data());
    write(flat);
    text.size_ = static_cast<uint8_t>(flat.end() - text.bytes_.data());
    WEIR_ASSERT(text.size_ <= kBytes, "the text has its kind's length");
    return text;
  }

  operator std::string_view() const { return {bytes_.data(), size_}; }
  std::string_view view() const { return *this; }
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  bool operator==(std::string_view other) const { return view() == other; }

 private:
  void assign(std::string_view text) {
    WEIR_ASSERT(text.size() <= kBytes, "the text has its kind's length");
    if (!text.empty()) std::memcpy(bytes_.data(), text.data(), text.size());
    size_ = static_cast<uint8_t>(text.size());
  }
  static_assert(kBytes < 256);
  std::array<char, kBytes> bytes_;
  uint8_t size_ = 0;
};

}  // namespace weir
