// The limit of the answer in a client's own bytes, which pass but for it (translation.md R0.1): what is over
// the model's maximum is brought down to it, as it is where the request is written anew.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "llm/codec.h"

namespace weir {

class RawLimit {
 public:
  // Both outlive it.
  RawLimit(const Request& request, const TargetModel& target);

  // Whether more is asked for than the model gives; usually not, and then there is nothing to look for.
  bool is_over() const { return is_over_; }
  // Adds the edit for a member that states the limit, where it is over, and reports it. REQUIRES is_over(),
  // and that this outlives the edits.
  void clamp(JsonValue stated, std::vector<JsonEdit>& edits, Fidelity& fidelity);

 private:
  int64_t most_ = 0;
  bool is_over_ = false;
  std::string text_;
};

}  // namespace weir
