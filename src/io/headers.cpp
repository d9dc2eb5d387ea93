#include "io/headers.h"

#include <algorithm>

namespace weir {
namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

bool equals_ignoring_case(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (left[i] != right[i] && lower(left[i]) != lower(right[i])) return false;
  }
  return true;
}

Headers::Headers(std::initializer_list<HeaderField> fields) {
  for (const HeaderField& field : fields) add(field.name, field.value);
}

void Headers::add(std::string_view name, std::string_view value) {
  // Both views may be of this object (`headers.add("b", *headers.get("a"))`): the new buffer is filled before
  // the old one goes.
  const size_t offset = bytes_.size();
  const size_t size = offset + name.size() + value.size();
  if (size > bytes_.capacity()) {
    std::string grown;
    grown.reserve(std::max(size, 2 * bytes_.capacity()));
    grown.append(bytes_).append(name).append(value);
    bytes_ = std::move(grown);
  } else {
    bytes_.append(name).append(value);
  }
  entries_.push_back({static_cast<uint32_t>(offset), static_cast<uint32_t>(name.size()),
                      static_cast<uint32_t>(value.size())});
}

void Headers::set(std::string_view name, std::string_view value) {
  // Removing leaves the bytes in place, so views of this object stay good until add() has copied them.
  remove(name);
  add(name, value);
}

void Headers::remove(std::string_view name) {
  std::erase_if(entries_, [&](const Entry& entry) {
    return equals_ignoring_case(std::string_view(bytes_).substr(entry.offset, entry.name_size), name);
  });
}

void Headers::clear() {
  bytes_.clear();
  entries_.clear();
}

void Headers::reserve(size_t fields, size_t bytes) {
  entries_.reserve(entries_.size() + fields);
  bytes_.reserve(bytes_.size() + bytes);
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const Entry& entry : entries_) {
    const std::string_view bytes = bytes_;
    if (entry.name_size == name.size() &&
        equals_ignoring_case(bytes.substr(entry.offset, entry.name_size), name))
      return bytes.substr(entry.offset + entry.name_size, entry.value_size);
  }
  return std::nullopt;
}

std::string_view Headers::get_or(std::string_view name, std::string_view fallback) const {
  return get(name).value_or(fallback);
}

size_t Headers::count(std::string_view name) const {
  size_t found = 0;
  for (const HeaderField field : *this) found += equals_ignoring_case(field.name, name) ? 1 : 0;
  return found;
}

HeaderField Headers::operator[](size_t index) const {
  const Entry& entry = entries_[index];
  const std::string_view bytes = bytes_;
  return {bytes.substr(entry.offset, entry.name_size),
          bytes.substr(entry.offset + entry.name_size, entry.value_size)};
}

}  // namespace weir
