// Secret: text that must not reach a log, an error or a core dump by accident. It has no way to be printed or
// formatted, compares only in constant time, and its bytes are overwritten before the memory is given back.
#pragma once

#include <cstddef>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

namespace weir {

class Secret {
 public:
  Secret() = default;
  // Takes the text over: the bytes of `text` are overwritten, so that this is the only copy left.
  explicit Secret(std::string&& text);
  // Copies; the caller still owns (and should wipe) the original.
  static Secret copy_of(std::string_view text);

  Secret(const Secret& other) : Secret(copy_of(other.reveal())) {}
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret other) noexcept;
  ~Secret() { wipe(); }

  // The one way to the text: a search for "reveal()" finds every use. Valid as long as this Secret.
  std::string_view reveal() const { return {bytes_.get(), size_}; }
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  // Takes the same time whatever the bytes are; the lengths may show.
  bool matches(std::string_view candidate) const;
  friend bool operator==(const Secret& left, const Secret& right) { return left.matches(right.reveal()); }

  friend std::ostream& operator<<(std::ostream&, const Secret&) = delete;

 private:
  void wipe() noexcept;

  // On the heap and not in a std::string, whose short texts stay behind in moved-from objects.
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
};

}  // namespace weir
