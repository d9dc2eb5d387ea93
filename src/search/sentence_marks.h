// Where a sentence ends, and what marks a line: the rules of sentences.h in detail.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir {

// The bytes of a list marker at the start of a line with the blanks behind it ("- ", "* ", "• ", "3. ", "b)
// "); 0: none.
size_t list_marker_size(std::string_view line);
// The same for "# " to "###### ".
size_t heading_marker_size(std::string_view line);

// Whether a text ends with the end of a sentence, closing quotes and brackets included.
bool ends_sentence(std::string_view text);

// Where the sentence that starts at `start` ends: behind its last mark and closing quotes, or at the text's
// end. REQUIRES start <= text.size().
size_t sentence_end(std::string_view text, size_t start);

}  // namespace weir
