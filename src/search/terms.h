// From words to index terms: folded, without stop words, stemmed. Queries and texts go through the same
// function, which is all that matching needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir {

// The term of one word of a text: case and accents folded, elided articles ("l'eau"), group commas ("1,000")
// and possessives gone, English suffixes stemmed. Never empty for a word of WordScanner.
std::string term_of(std::string_view word);

// Words so common that they tell nothing of a text's topic: function words of English, and the most frequent
// ones of German, French, Spanish, Italian, Portuguese and Dutch. `folded` is the word as fold() gives it.
bool is_stop_word(std::string_view folded);

// The terms of a text in order, stop words left out.
std::vector<std::string> index_terms(std::string_view text);

}  // namespace weir
