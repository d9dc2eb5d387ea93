// Citations between vendors: each says in its own words which text of an answer comes from where. Raw JSON of
// the vendor passes to its own clients as it is; for others it is read into what all of them can say, and
// written in their form.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "llm/answer.h"
#include "llm/dialect.h"
#include "llm/fidelity.h"

namespace weir {

// What the places within a source are counted in.
enum class CitedUnit : uint8_t { none, characters, pages, blocks };

// What a text is said to come from: a page of the web, a document or a search result of the request, or a
// file in the store of the vendor.
struct Citation {
  std::string url{};
  std::string title{};
  std::string quote{};    // the words of the source
  std::string file_id{};  // of the vendor's
  // Among the documents, or the search results, of the request, from 0.
  std::optional<int64_t> document{};
  std::optional<int64_t> search_result{};
  // Where in the source. Pages count from 1, the others from 0; the end is excluded.
  CitedUnit unit = CitedUnit::none;
  int64_t from = 0;
  int64_t to = 0;
  // Of the answer's text, where the vendor says it: in characters (Unicode code points), the end excluded.
  // From where the block begins that it came with, or from where all of the text does.
  std::optional<int64_t> start{};
  std::optional<int64_t> end{};
  bool counts_all_text = false;
  // What the vendor says beside, and none of the others has a word for.
  std::vector<std::string_view> unread{};
};

// Which part of the answer's text a citation belongs to, unless it says so itself: the block that it came
// with. In what the client's dialect counts: characters, or bytes.
struct CitedRange {
  int64_t start = 0;
  int64_t end = 0;
  // Which of the answer's parts that block is, and where the part begins; absent: they are not told apart.
  std::optional<int64_t> part{};
  int64_t part_start = 0;
};

// ---- Of all vendors

// What it says in all; some vendors gather several in one. Empty for what is no citation.
std::vector<Citation> read_citations(Dialect dialect, std::string_view raw);

// A citation, given as raw JSON of `source`, for clients of a dialect.
struct CitationForms {
  std::vector<std::string> raw{};  // JSON of `client`; what has no form there is left out
  // What of it the client's dialect does not hold: a warning for a citation without a form, else notices.
  Fidelity losses{};
};
CitationForms cite(Dialect client, Dialect source, std::string_view raw, CitedRange range);
// The forms of all that a block has.
std::vector<std::string> citation_forms(Dialect client, const AnswerBlock& block, CitedRange range);

// Where reports say that something of citations is lost.
inline constexpr std::string_view kAnswerCitations = "answer/citations";

// ---- Of each vendor

// What a form has room for. By the order of kCitationParts in citations.cpp.
enum class CitationPart : uint8_t { url, title, quote, file, index, place, range };
class CitationParts {
 public:
  constexpr CitationParts() = default;
  constexpr CitationParts(std::initializer_list<CitationPart> parts) {
    for (const CitationPart part : parts) bits_ |= 1U << static_cast<unsigned>(part);
  }
  constexpr bool has(CitationPart part) const { return (bits_ & (1U << static_cast<unsigned>(part))) != 0; }

 private:
  unsigned bits_ = 0;
};

// A citation as a vendor's clients get it.
struct CitationForm {
  std::string raw{};      // empty: the vendor has no form for it
  CitationParts holds{};  // of what the citation says, where there is a form
};

void read_anthropic_citation(JsonValue raw, std::vector<Citation>& citations);
void read_converse_citation(JsonValue raw, std::vector<Citation>& citations);
void read_gemini_citation(JsonValue raw, std::vector<Citation>& citations);
void read_openai_chat_citation(JsonValue raw, std::vector<Citation>& citations);
void read_openai_responses_citation(JsonValue raw, std::vector<Citation>& citations);

// The pages that some servers of the chat dialect (Perplexity's and xAI's) name beside the choices of an
// answer, or of each chunk of a stream: as annotations of the message.
std::vector<std::string> openai_pages_beside(JsonValue root);

CitationForm anthropic_citation(const Citation& citation, CitedRange range);
CitationForm converse_citation(const Citation& citation, CitedRange range);
CitationForm gemini_citation(const Citation& citation, CitedRange range);
CitationForm openai_chat_citation(const Citation& citation, CitedRange range);
CitationForm openai_responses_citation(const Citation& citation, CitedRange range);

// A citation of an answer with the number of its document as the client counts (CallNotes::documents).
std::string renumber_anthropic_citation(JsonValue citation, const std::vector<int64_t>& documents);
std::string renumber_converse_citation(JsonValue citation, const std::vector<int64_t>& documents);
// The same of all vendors: `number` is where it stands.
std::string renumber_citation(JsonValue citation, JsonValue number, const std::vector<int64_t>& documents);

// What stands where a vendor puts a proof of its own, or the name of a source, in a form that Weir made of
// another vendor's citation. Clients send their histories back, and the vendor must not get it for its own.
inline constexpr std::string_view kMadeByWeir = "weir";
// Whether a citation of a history, in the named form, was made so.
bool is_anthropic_citation_made(JsonValue citation);
bool is_converse_citation_made(JsonValue citation);
// Whether one of them is.
bool has_made_citation(JsonValue citations, bool (*is_made)(JsonValue citation));

}  // namespace weir
