#include "io/headers.h"

#include <algorithm>

namespace weir {
namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// What a usual head has, so that adding field by field does not grow step by step.
constexpr size_t kUsualFields = 8;
constexpr size_t kUsualBytes = 256;

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
  const size_t offset = bytes_.size();
  const size_t size = offset + name.size() + value.size();
  const auto append = [&](std::string& bytes) {
    bytes.resize_and_overwrite(size, [&](char* start, size_t) {
      name.copy(start + offset, name.size());
      value.copy(start + offset + name.size(), value.size());
      return size;
    });
  };
  if (size > bytes_.capacity()) {
    // Both views may be of this object (`headers.add("b", *headers.get("a"))`): the new buffer is filled
    // before the old one goes.
    std::string grown;
    grown.reserve(std::max({size, 2 * bytes_.capacity(), kUsualBytes}));
    grown = bytes_;
    append(grown);
    bytes_ = std::move(grown);
  } else {
    append(bytes_);
  }
  const auto name_size = static_cast<uint32_t>(name.size());
  put({static_cast<uint32_t>(offset), name_size, static_cast<uint32_t>(offset) + name_size,
       static_cast<uint32_t>(value.size())});
}

void Headers::put(const Entry& entry) {
  if (entries_.capacity() == 0) entries_.reserve(kUsualFields);
  entries_.push_back(entry);
}

void Headers::hold(std::string_view block) {
  bytes_ = block;
}

void Headers::note(std::string_view block, HeaderField field) {
  const auto at = [&](std::string_view part) { return static_cast<uint32_t>(part.data() - block.data()); };
  put({at(field.name), static_cast<uint32_t>(field.name.size()), at(field.value),
       static_cast<uint32_t>(field.value.size())});
}

void Headers::set(std::string_view name, std::string_view value) {
  // Removing leaves the bytes in place, so views of this object stay good until add() has copied them.
  remove(name);
  add(name, value);
}

void Headers::remove(std::string_view name) {
  std::erase_if(entries_, [&](const Entry& entry) { return equals_ignoring_case(this->name(entry), name); });
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
    if (equals_ignoring_case(this->name(entry), name)) return field(entry).value;
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

}  // namespace weir
