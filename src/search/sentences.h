// Cuts a text into sentences, keeping where each stands in the source.
//
// Lines first: fenced code, Markdown headings, list items, table rows and blank lines end what was before
// them, and a line end inside a paragraph counts as a space unless the line looks complete by itself ("Name:
// value", short lines). Then, within a paragraph, sentences end at . ! ? … and at the full stops of Chinese,
// Japanese, Hindi, Arabic and Urdu; a point does not end one after an abbreviation or an initial, inside a
// number, or before a lower-case letter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

enum class SentenceKind : uint8_t {
  prose,
  heading,    // "# Title", a line over === or ---, or a short line alone without a full stop
  list_item,  // a sentence in an item of a list; the marker belongs to the item's first sentence
  code,       // a fenced block, fences included
  table_row,
};

// A range of the source without white space at its ends, never empty.
struct Sentence {
  size_t offset = 0;
  size_t size = 0;
  uint32_t paragraph = 0;  // counts paragraphs, headings, list items, blocks of code and rows from 0
  SentenceKind kind = SentenceKind::prose;

  std::string_view in(std::string_view source) const { return source.substr(offset, size); }
};

// In order, without overlaps; every character that is no white space belongs to exactly one sentence. Linear
// in the text.
std::vector<Sentence> split_sentences(std::string_view text);

// The words of a sentence as one would quote them: without the list or heading marker, line ends and runs of
// blanks as one space. Code and table rows stay as they are.
std::string plain_text(std::string_view source, const Sentence& sentence);

}  // namespace weir
