// The fidelity report: one record for each thing that the target could not take as the client said it, or the
// client's dialect not as the target answered it.
// Nothing is dropped in silence (translation.md R0.2).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

enum class Severity : uint8_t {
  info,     // nobody would miss it (a cache marker for a provider that caches by itself)
  warning,  // the answer may differ; refused in strict mode
};

// The closed set of reasons; the label `reason` of weir_translation_lossy_total.
enum class LossReason : uint8_t {
  dropped,      // the field has no counterpart
  clamped,      // brought into the target's range
  synthesised,  // invented because the target needs it
  reordered,
  merged,
  emulated,           // done by other means (a forced tool for a schema, a prefix for an error flag)
  coerced_string,     // rich content turned into text
  unsupported_block,  // a content block that the target has no form for
  schema_downleveled,
  signature_dropped,  // thinking or signatures of another provider
  thinking_dropped,
  cache_dropped,
  renamed,  // a tool name made legal for the target; restored in the answer
};
inline constexpr size_t kLossReasonCount = static_cast<size_t>(LossReason::renamed) + 1;
std::string_view to_string(LossReason reason);
std::string_view to_string(Severity severity);

struct FidelityRecord {
  Severity severity = Severity::warning;
  LossReason reason = LossReason::dropped;
  // JSON pointer into the client's body, e.g. "/messages/2/name"; of an answer "answer/content",
  // "answer/citations", "answer/finish" or "answer/stop_sequence".
  std::string pointer{};
  std::string from{};  // short: what was asked
  std::string to{};    // short: what was sent instead; empty: nothing
  bool operator==(const FidelityRecord&) const = default;
};

class Fidelity {
 public:
  void add(Severity severity, LossReason reason, std::string pointer, std::string from = {},
           std::string to = {});
  void add(const Fidelity& other) {
    records_.insert(records_.end(), other.records_.begin(), other.records_.end());
  }
  // Those that are not there yet: an answer may lose the same thing a hundred times.
  void add_new(const Fidelity& other);
  const std::vector<FidelityRecord>& records() const { return records_; }
  bool empty() const { return records_.empty(); }
  bool has_warnings() const;
  // The value of `x-weir-fidelity`: "dropped;/logit_bias, clamped;/temperature;1.7>1", at most 1 KB, then
  // "truncated;n".
  std::string header_value() const;

 private:
  std::vector<FidelityRecord> records_{};
};

}  // namespace weir
