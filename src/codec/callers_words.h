// Reports and errors of encoding a request, in the words of the dialect that its caller speaks: an encoder
// knows the IR's fields only, and a caller looks for the fields of its own body.
#pragma once

#include <string>
#include <string_view>

#include "llm/codec.h"

namespace weir {

// The `pointer` of the first block of a message that stands nowhere in the client's body.
inline constexpr std::string_view kMadeByWeir = "(made)";

// A JSON pointer of the IR ("/messages/2/content", "/max_tokens") as the client's body has the place
// ("/contents/1/parts", "/generationConfig/maxOutputTokens"). Pointers to nothing that is known stay.
std::string callers_pointer(std::string_view pointer, Dialect client, const Request& request);

// The same for all records of a report, and for the path of an error ("messages[2].content").
Fidelity in_callers_words(const Fidelity& report, Dialect client, const Request& request);
Error in_callers_words(Error error, Dialect client, const Request& request);

}  // namespace weir
