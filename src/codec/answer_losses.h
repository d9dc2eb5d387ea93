// What an answer says that the form of the client's dialect cannot: the half of the fidelity report that only
// the answer shows (translation.md R0.2).
#pragma once

#include <vector>

#include "llm/codec.h"

namespace weir {

class AnswerLosses {
 public:
  // `request` is what was asked: legacy completions have no form for anything but text.
  AnswerLosses(Dialect client, const Request& request);
  // Of the next event. What the turn store keeps for the client (signatures, thinking) is no loss. Most
  // events lose nothing, and that is found out at once.
  Fidelity of(const Event& event);

 private:
  Fidelity of_block(const BlockStart& started);
  Fidelity of_finish(const Finish& finish) const;

  Dialect client_;
  bool is_text_alone_;
  std::vector<int> called_;  // the choices with a call
};

}  // namespace weir
