// HTTP header fields in the order they came. Names compare without case; the bytes live in one buffer, so a
// Headers is two allocations for the usual number of fields, and copies and moves are safe.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "io/http_chars.h"

namespace weir {

namespace detail {
constexpr char lower_ascii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
constexpr bool equals_ignoring_case(const char* left, const char* right, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    if (left[i] != right[i] && lower_ascii(left[i]) != lower_ascii(right[i])) return false;
  }
  return true;
}
// The same, eight bytes at a time.
bool equals_in_words(const char* left, const char* right, size_t size);
}  // namespace detail

// Whether two names or tokens are equal when the case of ASCII letters does not count.
constexpr bool equals_ignoring_case(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  if consteval {
    return detail::equals_ignoring_case(left.data(), right.data(), left.size());
  }
  return detail::equals_in_words(left.data(), right.data(), left.size());
}

// Fields that the connection decides, so that two layers can never say different things about the framing.
constexpr bool belongs_to_connection(std::string_view name) {
  const auto is = [name](std::string_view other) { return equals_ignoring_case(name, other); };
  switch (name.size()) {
    case 2:
      return is("te");
    case 4:
      return is("host");
    case 6:
      return is("expect");
    case 7:
      return is("upgrade") || is("trailer");
    case 10:
      return is("connection") || is("keep-alive");
    case 14:
      return is("content-length");
    case 16:
      return is("proxy-connection");
    case 17:
      return is("transfer-encoding");
    default:
      return false;
  }
}

struct HeaderField {
  std::string_view name;
  std::string_view value;
};

// The name of a field that is added. Whether it may be sent as it is, being a name in HTTP and none that
// belongs_to_connection(), is known of a literal when it is compiled; of any other it is looked up here.
class FieldName {
 public:
  template <size_t kSize>
  consteval FieldName(const char (&literal)[kSize]) : FieldName(std::string_view(literal, kSize - 1)) {}
  template <class Text>
    requires(std::convertible_to<const Text&, std::string_view> && !std::is_array_v<Text>)
  constexpr FieldName(const Text& text) {
    const std::string_view name = text;
    data_ = name.data();
    size_ = static_cast<uint32_t>(name.size());
    if consteval {
      is_sendable_ = !name.empty() && !belongs_to_connection(name);
      for (const char c : name) is_sendable_ = is_sendable_ && http_chars::is(c, http_chars::kToken);
    } else {
      is_sendable_ = may_be_sent(name);
    }
  }
  constexpr std::string_view view() const { return {data_, size_}; }
  constexpr bool is_sendable() const { return is_sendable_; }

 private:
  static bool may_be_sent(std::string_view name);

  const char* data_;
  uint32_t size_;
  bool is_sendable_;
};

class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<HeaderField> fields);

  void add(FieldName name, std::string_view value);
  // For parsers: note() adds a field of two views of a block of text, each behind those before; hold() copies
  // as much of that block as was needed, at once. REQUIRES that nothing was added and nothing is looked at
  // between the two.
  void note(std::string_view block, HeaderField field) {
    const auto at = [&](std::string_view part) { return static_cast<size_t>(part.data() - block.data()); };
    put(at(field.name), field.name.size(), at(field.value), field.value.size());
  }
  void hold(std::string_view block);
  // Replaces all fields of that name by one, at the end.
  void set(FieldName name, std::string_view value);
  void remove(std::string_view name);
  void clear();
  // Makes room for that many more fields whose names and values take `bytes` together.
  void reserve(size_t fields, size_t bytes);

  // The first field of that name. Views are valid until the next change of this object.
  std::optional<std::string_view> get(std::string_view name) const;
  std::string_view get_or(std::string_view name, std::string_view fallback) const;
  bool contains(std::string_view name) const { return get(name).has_value(); }
  // How many fields have that name.
  size_t count(std::string_view name) const;

  size_t size() const { return entries_.size(); }
  // At least the bytes of all names and values together.
  size_t bytes() const {
    return entries_.empty() ? 0 : entries_.back().value_at + entries_.back().value_size;
  }
  bool empty() const { return entries_.empty(); }
  HeaderField operator[](size_t index) const { return field(entries_[index]); }
  // All fields as the lines of a head, "name: value\r\n" each, when that is how they lie here and all their
  // names may be sent; values may hold anything.
  std::optional<std::string_view> lines() const {
    if (!are_lines_) return std::nullopt;
    return std::string_view(bytes_.data(), end_of_lines());
  }

  class Iterator {
   public:
    Iterator(const Headers* headers, size_t index) : headers_(headers), index_(index) {}
    HeaderField operator*() const { return (*headers_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const Headers* headers_;
    size_t index_;
  };
  Iterator begin() const { return Iterator(this, 0); }
  Iterator end() const { return Iterator(this, entries_.size()); }

 private:
  // Places in bytes_, each behind those of the entry before.
  struct Entry {
    uint32_t name_at;
    uint32_t name_size;
    uint32_t value_at;
    uint32_t value_size;
  };
  std::string_view name(const Entry& entry) const { return {bytes_.data() + entry.name_at, entry.name_size}; }
  HeaderField field(const Entry& entry) const {
    return {name(entry), {bytes_.data() + entry.value_at, entry.value_size}};
  }
  size_t end_of_lines() const { return entries_.empty() ? 0 : bytes() + 2; }
  [[gnu::noinline]] void add_copy(std::string_view name, std::string_view value);
  bool shows(std::string_view text) const;
  void put(size_t name_at, size_t name_size, size_t value_at, size_t value_size) {
    if (entries_.size() == entries_.capacity()) [[unlikely]]
      make_room_for_entries();
    // Or the vector would bring its own way of growing, whose arguments need a frame.
    if (entries_.size() == entries_.capacity()) std::unreachable();
    entries_.emplace_back(static_cast<uint32_t>(name_at), static_cast<uint32_t>(name_size),
                          static_cast<uint32_t>(value_at), static_cast<uint32_t>(value_size));
  }
  [[gnu::noinline]] void make_room(size_t size);
  [[gnu::noinline]] void make_room_for_entries();

  std::string bytes_;  // what was added or held, and room behind it
  std::vector<Entry> entries_;
  bool are_lines_ = true;
};

}  // namespace weir
