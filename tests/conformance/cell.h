// One cell of the conformance matrix: a case, asked in one dialect, answered in another, whole or streamed.
#pragma once

#include <string>
#include <vector>

#include "cases.h"
#include "dialects.h"

namespace weir::conformance {

enum class Outcome : uint8_t {
  carried,   // everything that the client could say and the provider did say arrived
  emulated,  // it arrived by other means, or changed, and the report says so
  refused,   // an error, or left out with a report
  silent,    // something was lost and nobody said so: always a failure
  broken,    // a codec did not understand what another one wrote: always a failure
};
std::string_view to_string(Outcome outcome);

struct Cell {
  Outcome outcome = Outcome::carried;
  std::string why{};  // one line; empty for carried
};

Cell run_cell(const Case& wanted, const DialectUnderTest& client, const DialectUnderTest& target,
              bool is_streamed);

}  // namespace weir::conformance
