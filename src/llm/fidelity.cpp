#include "llm/fidelity.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>

#include "llm/codec.h"

namespace weir {

std::string_view to_string(LossReason reason) {
  constexpr std::array<std::string_view, kLossReasonCount> kNames = {"dropped",
                                                                     "clamped",
                                                                     "synthesised",
                                                                     "reordered",
                                                                     "merged",
                                                                     "emulated",
                                                                     "coerced_string",
                                                                     "unsupported_block",
                                                                     "schema_downleveled",
                                                                     "signature_dropped",
                                                                     "thinking_dropped",
                                                                     "cache_dropped",
                                                                     "renamed"};
  return kNames[static_cast<size_t>(reason)];
}

std::string_view to_string(Severity severity) {
  return severity == Severity::info ? "info" : "warning";
}

void Fidelity::add(Severity severity, LossReason reason, std::string pointer, std::string from,
                   std::string to) {
  records_.push_back({severity, reason, std::move(pointer), std::move(from), std::move(to)});
}

void Fidelity::add_new(const Fidelity& other) {
  for (const FidelityRecord& record : other.records_) {
    if (std::find(records_.begin(), records_.end(), record) == records_.end()) records_.push_back(record);
  }
}

bool Fidelity::has_warnings() const {
  return std::any_of(records_.begin(), records_.end(),
                     [](const FidelityRecord& record) { return record.severity == Severity::warning; });
}

namespace {

// Header values are visible ASCII without the separators of the list.
std::string header_safe(std::string_view text) {
  constexpr size_t kPartMax = 80;
  std::string safe;
  for (const char c : text.substr(0, kPartMax)) {
    safe.push_back(c > ' ' && c < 0x7f && c != ',' && c != ';' ? c : '_');
  }
  return safe;
}

}  // namespace

std::string Fidelity::header_value() const {
  constexpr size_t kBytesMax = 1024 - 24;  // leaves room for "truncated;n"
  std::string value;
  for (size_t i = 0; i < records_.size(); ++i) {
    const FidelityRecord& record = records_[i];
    std::string part = fmt::format("{};{}", to_string(record.reason), header_safe(record.pointer));
    if (!record.from.empty() || !record.to.empty()) {
      part += fmt::format(";{}>{}", header_safe(record.from), header_safe(record.to));
    }
    if (value.size() + part.size() + 2 > kBytesMax) {
      value += fmt::format("{}truncated;{}", value.empty() ? "" : ", ", records_.size() - i);
      break;
    }
    if (!value.empty()) value += ", ";
    value += part;
  }
  return value;
}

void ToolNames::add(std::string wire, std::string original) {
  Both& names = names_.make();
  names.originals.try_emplace(wire, original);
  names.wires.try_emplace(std::move(original), std::move(wire));
}

std::string_view ToolNames::original(std::string_view wire) const {
  const auto found = names_->originals.find(wire);
  return found == names_->originals.end() ? wire : found->second;
}

std::string_view ToolNames::wire(std::string_view original) const {
  const auto found = names_->wires.find(original);
  return found == names_->wires.end() ? original : found->second;
}

}  // namespace weir
