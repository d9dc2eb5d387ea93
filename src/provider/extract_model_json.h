// Answers of weir/extract as JSON: its own small object, or an object by the caller's schema, filled with
// what the text says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "provider/extract_model_select.h"

namespace weir {

// An answer before it has a form.
struct ExtractFindings {
  std::string text;
  std::vector<std::string> quotes;  // the sentences that the text rests on
  bool is_found = false;            // false: the text is words of the model's own
};

// {"answer": ..., "quotes": [...]}
std::string write_findings_json(const ExtractFindings& findings);

// An object by a JSON Schema: `answer` and the like take the findings, other properties what the text says
// under their names and descriptions (a labelled line, a date, amount, name or address in the sentence that
// fits best, that sentence). Types string, number, integer, boolean (only as an enum or a labelled yes or
// no), arrays of strings, nested objects, enum, const and nullable ones. Numbers are written as the text has
// them, without group commas. Errors: unsupported, saying which required property the text does not give or
// which schema is none of an object.
Result<std::string> fill_schema(std::string_view schema, const Material& material,
                                const ExtractFindings& findings);

}  // namespace weir
