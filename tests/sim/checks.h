// What must be true of every run, whatever its seed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/record.h"

namespace weir::sim {

// What a caller can read in the body that it got.
struct View {
  std::string text;
  std::map<int64_t, std::string> choices;  // the same by choice, in OpenAI's dialect
  size_t vectors = 0;
  int success_marks = 0;  // [DONE], message_stop; a whole answer: 1
  int errors = 0;         // error events; an error body: 1
  bool goes_on_after_end = false;
  std::string broken;  // what is not the dialect; empty: nothing
};
View view_of(const CallerPlan& caller, const Call& call);

// One line for each thing that is wrong.
std::vector<std::string> check(const Plan& plan, const Record& record);

}  // namespace weir::sim
