// Blocks of Converse that the IR has no kind for (calls and results of tools that Bedrock runs, and what is
// yet to come): as a whole answer has them, and in the pieces of a stream.
#pragma once

#include <string>
#include <string_view>

namespace weir {

// The value of `start` of a contentBlockStart, and of `delta` of the one contentBlockDelta behind it.
struct ConverseBlockPieces {
  std::string start{};
  std::string delta{};  // empty: there is none
};

// A whole block, {"toolUse": {...}}, in pieces. What no stream has pieces for is all in the start.
ConverseBlockPieces split_converse_block(std::string_view block);

// The whole block of a start and what its deltas held together: the text of `toolUse.input`, or the elements
// of `toolResult` with commas between them.
std::string join_converse_block(std::string_view start, std::string_view held);

}  // namespace weir
