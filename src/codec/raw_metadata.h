// `metadata` in a client's own bytes. Clients of other gateways send any map there; it becomes tags of the
// call, and what the vendor would refuse of it does not go upstream.
#pragma once

#include <forward_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "llm/fidelity.h"

namespace weir {

// REQUIRES to outlive the edits that it adds.
class RawMetadata {
 public:
  explicit RawMetadata(JsonValue metadata) : metadata_(metadata) {}

  // For a vendor that takes one member alone: leaves only that one.
  void keep_only(std::string_view name, std::vector<JsonEdit>& edits, Fidelity& fidelity);
  // For a vendor that takes texts: makes every other value the text of its JSON.
  void make_texts(std::vector<JsonEdit>& edits, Fidelity& fidelity);

 private:
  const JsonValue metadata_;
  std::forward_list<std::string> texts_;  // that the edits show
};

}  // namespace weir
