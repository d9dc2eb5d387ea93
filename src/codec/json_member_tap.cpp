#include "codec/json_member_tap.h"

#include <cstring>

namespace weir {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

const char* find(const char* p, const char* end, char c) {
  const void* const found = std::memchr(p, c, static_cast<size_t>(end - p));
  return found ? static_cast<const char*>(found) : end;
}

}  // namespace

void JsonMemberTap::feed(std::string_view bytes) {
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  while (p < end && !is_over_) {
    if (is_in_string_) {
      const char* const from = p;
      p = pass_string(p, end);
      const std::string_view passed(from, static_cast<size_t>(p - from));
      if (reads_name_ && name_.size() <= key_.size()) name_.append(passed.substr(0, key_.size() + 2));
      keep(passed);
      continue;
    }
    const char c = *p++;
    if (c == '"') {
      is_in_string_ = true;
      reads_name_ = depth_ == 1 && expects_name_;
      if (reads_name_) name_.clear();
      keep("\"");
    } else if (!is_space(c)) {
      take_punctuation(c);
    }
  }
}

// Behind the closing quote, or the end of the bytes.
const char* JsonMemberTap::pass_string(const char* p, const char* end) {
  if (is_escaped_) {
    is_escaped_ = false;
    ++p;
  }
  const char* quote = find(p, end, '"');
  for (;;) {
    const char* const backslash = find(p, quote, '\\');
    if (backslash == quote) break;
    if (backslash + 1 == end) {
      is_escaped_ = true;
      return end;
    }
    p = backslash + 2;
    if (p > quote) quote = find(p, end, '"');
  }
  if (quote == end) return end;
  is_in_string_ = false;
  return quote + 1;
}

void JsonMemberTap::take_punctuation(char c) {
  const bool is_root_open = depth_ == 0 && c == '{';
  if (depth_ == 0 && !is_root_open) {
    is_over_ = true;
    return;
  }
  const bool ends_member = depth_ == 1 && (c == ',' || c == '}');
  if (ends_member) end_value();
  keep({&c, 1});
  constexpr int kInArrayOfRoot = 2;
  if (is_member_ && c == '{' && depth_ == kInArrayOfRoot) ++objects_;
  if (c == '{' || c == '[') ++depth_;
  if (c == '}' || c == ']') --depth_;
  if (depth_ == 0) is_over_ = true;
  if (is_root_open || (depth_ == 1 && c == ',')) expects_name_ = true;
  if (depth_ == 1 && c == ':') {
    expects_name_ = false;
    // The name was kept with its closing quote.
    if (name_.size() == key_.size() + 1 && name_.starts_with(key_) && name_.ends_with('"')) {
      value_.clear();
      is_complete_ = false;
      is_member_ = true;
      keeps_ = true;
      objects_ = 0;
    }
  }
}

void JsonMemberTap::keep(std::string_view bytes) {
  if (!keeps_) return;
  if (bytes.size() > bytes_max_ - value_.size()) {
    keeps_ = false;
    value_.clear();
    return;
  }
  value_ += bytes;
}

void JsonMemberTap::end_value() {
  is_complete_ = is_complete_ || keeps_;
  is_member_ = false;
  keeps_ = false;
}

}  // namespace weir
