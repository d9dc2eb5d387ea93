// weir/extract, the built-in model: an honest extractive model without weights. It answers with sentences of
// the text that it is given, in their own words and order, or says plainly that it has none. Given the same
// request it gives the same answer, on any machine. This is its pure core; the gateway reaches it as a local
// target.
//
// How it works: the last user message is taken apart into material and question (extract_model_ask.h);
// sentences are ranked by BM25 with the question's terms, by how much of the question they cover, and by
// whether they hold what the question asks for (a date for "when", a reason for "why"); the best are given
// back in their order in the text (extract_model_select.h). A summary takes the sentences nearest to what the
// whole text speaks about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

inline constexpr std::string_view kExtractModel = "weir/extract";

enum class ExtractFormat : uint8_t {
  text,
  json_object,  // {"answer": string, "quotes": [string]}
  json_schema,  // an object by ExtractRequest::json_schema
};

struct ExtractRequest {
  std::string instructions;  // system text; what it states is material too, what it tells to do is not
  std::string context;       // documents and earlier turns, paragraphs apart
  std::string question;      // the last user text, which may bring its own material
  ExtractFormat format = ExtractFormat::text;
  std::string json_schema = {};                  // JSON Schema of an object, for ExtractFormat::json_schema
  std::optional<int64_t> max_tokens = {};        // of the answer; <= 0 gives an empty answer
  std::vector<std::string> stop_sequences = {};  // empty ones are ignored
};

enum class ExtractStop : uint8_t {
  end_turn,
  max_tokens,
  stop_sequence,
  refusal,  // json_schema only: a required property cannot be read from the material; `text` says which
};

struct ExtractAnswer {
  std::string text;
  ExtractStop stop_reason = ExtractStop::end_turn;
  std::string stop_sequence;  // the one that matched, which is not part of the text
  int64_t input_tokens = 0;   // of instructions, context and question, by o200k_base
  int64_t output_tokens = 0;  // of the text, by o200k_base
};

// Answers a request. Never fails: what it cannot do, the answer says. Time is linear in the text, about 100
// ms a megabyte; the first call loads the vocabulary (50 ms). For the worker pool.
ExtractAnswer extract(const ExtractRequest& request);

// Cuts an answer into the parts that a stream sends, about a word each; joined they are the text. No part
// ends within a character of valid UTF-8.
std::vector<std::string_view> stream_chunks(std::string_view text);

// The input_tokens of the answer to the request, without the answer.
int64_t count_input_tokens(const ExtractRequest& request);

}  // namespace weir
