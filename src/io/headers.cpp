#include "io/headers.h"

#include <algorithm>
#include <bit>

#include "base/put_text.h"
#include "io/http_runs.h"

namespace weir {
namespace {

// What a usual head has, so that adding field by field does not grow step by step.
constexpr size_t kUsualFields = 16;
constexpr size_t kUsualBytes = 512;

template <class Word>
Word load(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof(Word));
  return word;
}

// Most names are equal to the last bit, or differ in more than the one that makes a letter small.
template <class Word>
bool equals_in_word(const char* left, const char* right) {
  const Word difference = load<Word>(left) ^ load<Word>(right);
  if (difference == 0) return true;
  constexpr auto kCaseBits = static_cast<Word>(0x2020202020202020);
  return (difference & ~kCaseBits) == 0 && detail::equals_ignoring_case(left, right, sizeof(Word));
}

}  // namespace

bool detail::equals_in_words(const char* left, const char* right, size_t size) {
  if (size < 4) return equals_ignoring_case(left, right, size);
  // The last word overlaps the one before.
  if (size < 8)
    return equals_in_word<uint32_t>(left, right) &&
           equals_in_word<uint32_t>(left + size - 4, right + size - 4);
  for (size_t at = 0; at + 8 < size; at += 8) {
    if (!equals_in_word<uint64_t>(left + at, right + at)) return false;
  }
  return equals_in_word<uint64_t>(left + size - 8, right + size - 8);
}

bool FieldName::may_be_sent(std::string_view name) {
  return !name.empty() && http_chars::all(name, http_chars::kToken) && !belongs_to_connection(name);
}

Headers::Headers(std::initializer_list<HeaderField> fields) {
  for (const HeaderField& field : fields) add(field.name, field.value);
}

void Headers::add(FieldName name, std::string_view value) {
  const std::string_view text = name.view();
  // Adding writes over what was removed, and may move the rest.
  if (shows(text) || shows(value)) [[unlikely]]
    return add_copy(text, value);
  const size_t at = end_of_lines();
  const size_t value_at = at + text.size() + 2;
  if (value_at + value.size() + 2 > bytes_.size()) make_room(value_at + value.size() + 2);
  char* end = put_text(bytes_.data() + at, text);
  end = put_text(end, ": ");
  end = put_text(end, value);
  put_text(end, "\r\n");
  are_lines_ = are_lines_ && name.is_sendable();
  put(at, text.size(), value_at, value.size());
}

void Headers::add_copy(std::string_view name, std::string_view value) {
  add(std::string(name), std::string(value));
}

// Whether the text is a view of this object.
bool Headers::shows(std::string_view text) const {
  return std::bit_cast<uintptr_t>(text.data()) - std::bit_cast<uintptr_t>(bytes_.data()) < bytes_.size();
}

void Headers::make_room(size_t size) {
  // Not filled: adding does that.
  bytes_.resize_and_overwrite(std::max({size, 2 * bytes_.size(), kUsualBytes}),
                              [](char*, size_t room) { return room; });
}

void Headers::make_room_for_entries() {
  entries_.reserve(std::max(kUsualFields, 2 * entries_.size()));
}

void Headers::hold(std::string_view block) {
  bytes_ = block;
  are_lines_ = false;
}

void Headers::set(FieldName name, std::string_view value) {
  // Removing leaves the bytes in place, so views of this object stay good until add() has copied them.
  remove(name.view());
  add(name, value);
}

void Headers::remove(std::string_view name) {
  if (!contains(name)) return;  // as set() mostly finds
  std::erase_if(entries_, [&](const Entry& entry) { return equals_ignoring_case(this->name(entry), name); });
  are_lines_ = false;
}

void Headers::clear() {
  entries_.clear();
  are_lines_ = true;
}

void Headers::reserve(size_t fields, size_t bytes) {
  entries_.reserve(entries_.size() + fields);
  const size_t size = end_of_lines() + bytes + fields * std::string_view(": \r\n").size();
  if (size > bytes_.size()) make_room(size);
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
