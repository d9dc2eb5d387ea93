#include "codec/offered_tools.h"

namespace weir {

void report_wrapped_tool(const Tool& tool, Fidelity& fidelity) {
  fidelity.add(Severity::info, LossReason::emulated, "/tools", "custom tool", "a tool with one string");
  if (!tool.grammar.empty()) fidelity.add(Severity::warning, LossReason::dropped, "/tools", "grammar");
}

}  // namespace weir
