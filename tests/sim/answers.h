// Good answers of the scripted provider, in the two dialects, as pieces of a body.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace weir::sim {

struct Script;
struct Asked;

struct AnswerPieces {
  std::vector<std::string> pieces;  // streamed: one event each
  size_t content = 0;               // index of the first piece with content
  size_t finish = 0;                // index of the first piece after the content
  std::string text;
};

// Fills the token counts of `script` as well.
AnswerPieces make_answer_pieces(Rng& rng, Script& script, const Asked& asked, size_t number);

std::string error_body(bool is_anthropic, std::string_view type, std::string_view message);
std::string error_event(bool is_anthropic, std::string_view type, std::string_view message);

}  // namespace weir::sim
