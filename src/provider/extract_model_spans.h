// Finding the things that questions ask for inside a sentence: dates, amounts, names, addresses. By the
// shapes of words, for English text first of all; where nothing fits, nothing is given.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "provider/extract_model_ask.h"

namespace weir {

enum class SpanKind : uint8_t { person, place, time, quantity, number, money, email, url, phone };

// The first span of that kind, a view into the sentence. `known` are terms (search/terms.h) that the asker
// named already, so that the answer to "Who met Ada?" is not "Ada".
std::optional<std::string_view> find_span(std::string_view sentence, SpanKind kind,
                                          const std::vector<std::string>& known);

// Whether the sentence has in it what that kind of question asks for; true for AnswerKind::any and
// definition.
bool has_evidence(std::string_view sentence, AnswerKind kind, const std::vector<std::string>& known);

// The kind of span that answers, nothing for kinds that only sentences answer.
std::optional<SpanKind> span_kind_of(AnswerKind kind);

}  // namespace weir
