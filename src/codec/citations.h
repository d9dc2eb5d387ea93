// Citations between vendors: each says in its own words which text of an answer comes from where. Raw JSON of
// the vendor passes to its own clients as it is; for others it is read into what all of them say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "llm/dialect.h"

namespace weir {

struct Citation {
  std::string url{};
  std::string title{};
  // Of the answer's text, where the vendor says it: in characters (Unicode code points), the end excluded.
  std::optional<int64_t> start{};
  std::optional<int64_t> end{};
};

// Those of the citation that name something of the web; one of a document of the request has no URL, and with
// that no form at another vendor. Some vendors gather several in one.
std::vector<Citation> read_citations(Dialect dialect, std::string_view raw);

// The readers of read_citations, one of each vendor.
void read_anthropic_citation(JsonValue raw, std::vector<Citation>& citations);
void read_converse_citation(JsonValue raw, std::vector<Citation>& citations);
void read_gemini_citation(JsonValue raw, std::vector<Citation>& citations);
void read_openai_chat_citation(JsonValue raw, std::vector<Citation>& citations);
void read_openai_responses_citation(JsonValue raw, std::vector<Citation>& citations);

// Characters (Unicode code points) of UTF-8.
int64_t characters(std::string_view utf8);

}  // namespace weir
