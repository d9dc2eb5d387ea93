#include "codec/sse_form.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/json.h"

namespace weir {
namespace {

// Members whose strings are an answer's text, or padding: whatever they hold, the event means the same. A
// reason to stop, an error or a name are not among them.
constexpr std::array<std::string_view, 9> kTexts = {"content",   "text",         "reasoning_content",
                                                    "reasoning", "thinking",     "refusal",
                                                    "arguments", "partial_json", "obfuscation"};

bool is_text(std::string_view key) {
  return std::find(kTexts.begin(), kTexts.end(), key) != kTexts.end();
}

}  // namespace

void SseForm::learn(std::string_view event) {
  forget();
  if (unmet_ >= kUnmetMax || event.size() > kEventBytesMax) return;
  ++unmet_;
  bytes_.clear();
  const char* const end = event.data() + event.size();
  const char* literal = event.data();
  std::string_view key;  // of the value that comes next
  for (const char* p = literal; (p = std::find(p, end, '"')) != end;) {
    const char* const quote = find_json_string_end(p + 1, end);
    if (!quote) return forget();
    const std::string_view string(p + 1, static_cast<size_t>(quote - p - 1));
    if (quote + 1 != end && quote[1] == ':') {
      key = string;
    } else if (is_text(std::exchange(key, {})) && literals_.size() < kTextsMax) {
      bytes_.append(literal, p + 1);
      literals_.push_back(static_cast<uint32_t>(p + 1 - literal));
      literal = quote;
    }
    p = quote + 1;
  }
  if (literals_.empty()) return;
  bytes_.append(literal, end);
  literals_.push_back(static_cast<uint32_t>(end - literal));
}

size_t SseForm::match(std::string_view bytes) {
  if (literals_.empty()) return 0;
  size_t matched = 0;
  while (const size_t size = match_one(bytes.substr(matched))) matched += size;
  if (matched > 0) unmet_ = 0;
  return matched;
}

size_t SseForm::match_one(std::string_view bytes) const {
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  const char* literal = bytes_.data();
  for (size_t i = 0; i < literals_.size(); ++i) {
    if (i > 0 && !(p = find_json_string_end(p, end))) return 0;
    const uint32_t size = literals_[i];
    if (static_cast<size_t>(end - p) < size || std::memcmp(p, literal, size) != 0) return 0;
    p += size;
    literal += size;
  }
  return static_cast<size_t>(p - bytes.data());
}

}  // namespace weir
