// Settings structs from YAML and back, by their rows.
#pragma once

#include <fmt/core.h>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "base/text.h"
#include "provider/catalog_yaml.h"

namespace weir {

// The text of one scalar as the member's type. `file` and `node` are for the message. Errors: bad_request
// with file, line, what is wrong and what is accepted.
Result<void> read_value(std::string_view file, const YamlNode& node, bool& into);
Result<void> read_value(std::string_view file, const YamlNode& node, int64_t& into);
Result<void> read_value(std::string_view file, const YamlNode& node, double& into);
Result<void> read_value(std::string_view file, const YamlNode& node, Duration& into);
Result<void> read_value(std::string_view file, const YamlNode& node, size_t& into);
Result<void> read_value(std::string_view file, const YamlNode& node, std::string& into);
Result<void> read_value(std::string_view file, const YamlNode& node, std::vector<std::string>& into);

// As the configuration would say it.
std::string print_value(bool value);
std::string print_value(int64_t value);
std::string print_value(double value);
std::string print_value(Duration value);
std::string print_value(size_t value);
std::string print_value(const std::string& value);
std::string print_value(const std::vector<std::string>& value);

// What of a value a row's range or choices speak about; nothing is checked for lists and booleans.
Result<void> check_range(std::string_view file, const YamlNode& node, double value, double min, double max);
Result<void> check_choices(std::string_view file, const YamlNode& node, std::string_view value,
                           std::string_view choices);

template <class S>
Result<void> read_settings(std::string_view file, const YamlNode& map, std::string_view what,
                           std::span<const Setting<S>> rows, S& into) {
  std::vector<std::string_view> keys;
  for (const Setting<S>& row : rows) keys.push_back(row.key);
  if (map.type == YamlType::null) return {};
  if (map.type != YamlType::map) return YamlFields(file, map, what).check(keys);
  YamlProblems problems;
  problems.note(YamlFields(file, map, what).check(keys));
  for (const Setting<S>& row : rows) {
    const YamlNode* node = map.find(row.key);
    if (!node || node->type == YamlType::null) continue;
    problems.note(std::visit(
        [&](auto member) -> Result<void> {
          auto& value = into.*member;
          TRY(read_value(file, *node, value));
          using T = std::remove_reference_t<decltype(value)>;
          if constexpr (std::is_same_v<T, Duration>) {
            return check_range(file, *node, static_cast<double>(value.count()) / 1e9, row.min, row.max);
          } else if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
            return check_range(file, *node, static_cast<double>(value), row.min, row.max);
          } else if constexpr (std::is_same_v<T, std::string>) {
            return check_choices(file, *node, value, row.choices);
          } else {
            return {};
          }
        },
        row.member));
  }
  return std::move(problems).outcome();
}

// The settings in which `a` and `b` differ and that only a new start takes, as "server.threads".
template <class S>
std::vector<std::string> restart_differences(std::string_view section, std::span<const Setting<S>> rows,
                                             const S& a, const S& b) {
  std::vector<std::string> names;
  for (const Setting<S>& row : rows) {
    const bool is_same = std::visit([&](auto member) { return a.*member == b.*member; }, row.member);
    if (row.applies == Applies::restart && !is_same) names.push_back(fmt::format("{}.{}", section, row.key));
  }
  return names;
}

// Copies the settings that only a new start takes.
template <class S>
void keep_restart_settings(std::span<const Setting<S>> rows, const S& from, S& into) {
  for (const Setting<S>& row : rows) {
    if (row.applies == Applies::restart) {
      std::visit([&](auto member) { into.*member = from.*member; }, row.member);
    }
  }
}

// "key: value" lines with that many spaces before each.
template <class S>
std::string print_settings(std::span<const Setting<S>> rows, const S& from, size_t indent = 2) {
  std::string out;
  for (const Setting<S>& row : rows) {
    const std::string value = std::visit([&](auto member) { return print_value(from.*member); }, row.member);
    out += fmt::format("{:{}}{}: {}\n", "", indent, row.key, value);
  }
  return out;
}

}  // namespace weir
