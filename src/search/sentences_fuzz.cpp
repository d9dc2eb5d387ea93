// Sentences are in order, apart, trimmed, and leave out nothing but white space.
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "search/sentences.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  size_t at = 0;
  uint32_t paragraph = 0;
  const auto only_white_space = [&](size_t from, size_t to) {
    while (from < to) {
      // Unicode white space between sentences may have two or three bytes.
      if (is_space(text[from]) || static_cast<uint8_t>(text[from]) >= 0x80)
        ++from;
      else
        std::abort();
    }
  };
  for (const Sentence& sentence : split_sentences(text)) {
    if (sentence.size == 0 || sentence.offset < at || sentence.offset + sentence.size > size) std::abort();
    if (sentence.paragraph < paragraph) std::abort();
    if (is_space(sentence.in(text).front()) || is_space(sentence.in(text).back())) std::abort();
    only_white_space(at, sentence.offset);
    at = sentence.offset + sentence.size;
    paragraph = sentence.paragraph;
    if (plain_text(text, sentence).size() > sentence.size) std::abort();
  }
  only_white_space(at, size);
  return 0;
}
