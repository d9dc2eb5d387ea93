// HTTP header fields in the order they came. Names compare without case; the bytes live in one buffer, so a
// Headers is two allocations for the usual number of fields, and copies and moves are safe.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// Whether two names or tokens are equal when the case of ASCII letters does not count.
bool equals_ignoring_case(std::string_view left, std::string_view right);

struct HeaderField {
  std::string_view name;
  std::string_view value;
};

class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<HeaderField> fields);

  void add(std::string_view name, std::string_view value);
  // For parsers: copies a block of text at once. note() then adds a field for two views of that same block.
  // REQUIRES an empty object.
  void hold(std::string_view block);
  void note(std::string_view block, HeaderField field);
  // Replaces all fields of that name by one, at the end.
  void set(std::string_view name, std::string_view value);
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
  size_t bytes() const { return bytes_.size(); }
  bool empty() const { return entries_.empty(); }
  HeaderField operator[](size_t index) const { return field(entries_[index]); }

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
  // Places in bytes_.
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
  void put(const Entry& entry);

  std::string bytes_;
  std::vector<Entry> entries_;
};

}  // namespace weir
