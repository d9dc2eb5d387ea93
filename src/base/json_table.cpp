#include "base/json_table.h"

#include <algorithm>

#include "base/encoding.h"

namespace weir::detail {

char* JsonArena::take(size_t size) {
  constexpr size_t kFirstBlock = 512;
  if (static_cast<size_t>(limit_ - free_) < size) {
    const size_t doubled = blocks_.empty() ? kFirstBlock : 2 * blocks_.back().size;
    const size_t block = std::max(size, std::min(doubled, kMiB));
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(block), block});
    free_ = blocks_.back().bytes.get();
    limit_ = free_ + block;
  }
  char* given = free_;
  free_ += size;
  return given;
}

void JsonArena::reset() {
  if (blocks_.empty()) return;
  const auto by_size = [](const Block& a, const Block& b) { return a.size < b.size; };
  std::swap(blocks_.front(), *std::max_element(blocks_.begin(), blocks_.end(), by_size));
  blocks_.resize(1);
  free_ = blocks_.front().bytes.get();
  limit_ = free_ + blocks_.front().size;
}

void append_path_key(std::string& path, std::string_view key) {
  constexpr size_t kShownMax = 64;
  const std::string_view shown = clip_utf8(key, kShownMax);
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '$';
  };
  if (!key.empty() && shown.size() == key.size() && std::all_of(key.begin(), key.end(), is_plain)) {
    if (!path.empty()) path += '.';
    path += key;
    return;
  }
  path += '[';
  append_json_string(path, shown);
  if (shown.size() < key.size()) path.insert(path.size() - 1, "...");
  path += ']';
}

void append_path_index(std::string& path, size_t index) {
  path += '[';
  path += std::to_string(index);
  path += ']';
}

}  // namespace weir::detail
