#include "app/settings_yaml.h"

#include <charconv>

#include "base/json.h"

namespace weir {
namespace {

std::unexpected<Error> wrong(std::string_view file, const YamlNode& node, std::string_view expected) {
  return fail(
      yaml_error(file, node.line,
                 fmt::format("{} is {}, not {}", node.key.empty() ? "an item" : node.key, expected,
                             node.type == YamlType::scalar ? fmt::format("'{}'", node.text)
                                                           : fmt::format("a {}", to_string(node.type)))));
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);  // JSON's strings are YAML's double-quoted ones
  return out;
}

}  // namespace

Result<void> read_value(std::string_view file, const YamlNode& node, bool& into) {
  if (node.type != YamlType::scalar || node.is_quoted || (node.text != "true" && node.text != "false")) {
    return wrong(file, node, "true or false");
  }
  into = node.text == "true";
  return {};
}

Result<void> read_value(std::string_view file, const YamlNode& node, int64_t& into) {
  const auto number = node.type == YamlType::scalar ? parse_yaml_int(node.text) : std::nullopt;
  if (!number) return wrong(file, node, "a whole number");
  into = *number;
  return {};
}

Result<void> read_value(std::string_view file, const YamlNode& node, double& into) {
  const char* end = node.text.data() + node.text.size();
  const auto [stop, failed] = std::from_chars(node.text.data(), end, into);
  if (node.type != YamlType::scalar || failed != std::errc() || stop != end)
    return wrong(file, node, "a number");
  return {};
}

Result<void> read_value(std::string_view file, const YamlNode& node, Duration& into) {
  const Result<int64_t> ns =
      node.type == YamlType::scalar ? parse_duration(node.text) : fail(ErrorKind::bad_request, "");
  if (!ns) return wrong(file, node, "a duration such as 250ms, 10s or 1m30s");
  into = Duration(*ns);
  return {};
}

Result<void> read_value(std::string_view file, const YamlNode& node, size_t& into) {
  const Result<int64_t> bytes =
      node.type == YamlType::scalar ? parse_size(node.text) : fail(ErrorKind::bad_request, "");
  if (!bytes) return wrong(file, node, "a size such as 64KB or 16MiB");
  into = static_cast<size_t>(*bytes);
  return {};
}

Result<void> read_value(std::string_view file, const YamlNode& node, std::string& into) {
  if (node.type != YamlType::scalar) return wrong(file, node, "a text");
  into = node.text;
  return {};
}

Result<void> read_value(std::string_view file, const YamlNode& node, std::vector<std::string>& into) {
  if (node.type != YamlType::sequence) return wrong(file, node, "a list of texts");
  into.clear();
  for (const YamlNode& item : node.children) {
    std::string text;
    TRY(read_value(file, item, text));
    into.push_back(std::move(text));
  }
  return {};
}

std::string print_value(bool value) {
  return value ? "true" : "false";
}
std::string print_value(int64_t value) {
  return fmt::format("{}", value);
}
std::string print_value(double value) {
  return fmt::format("{}", value);
}
std::string print_value(Duration value) {
  return format_duration(value.count());
}
std::string print_value(size_t value) {
  return format_size(static_cast<int64_t>(value));
}
std::string print_value(const std::string& value) {
  return quoted(value);
}
std::string print_value(const std::vector<std::string>& value) {
  std::string out = "[";
  for (const std::string& item : value) {
    if (out.size() > 1) out += ", ";
    out += quoted(item);
  }
  return out + "]";
}

Result<void> check_range(std::string_view file, const YamlNode& node, double value, double min, double max) {
  const bool is_open = min == 0 && max == 0;
  if (is_open ? value >= 0 : value >= min && value <= max) return {};
  const std::string range = is_open ? "at least 0" : fmt::format("between {} and {}", min, max);
  return fail(
      yaml_error(file, node.line, fmt::format("{} is '{}'; it must be {}", node.key, node.text, range)));
}

Result<void> check_choices(std::string_view file, const YamlNode& node, std::string_view value,
                           std::string_view choices) {
  if (choices.empty()) return {};
  std::vector<std::string_view> known;
  for (const std::string_view choice : split(choices, '|')) {
    if (choice == value) return {};
    known.push_back(choice);
  }
  return fail(yaml_error(
      file, node.line,
      fmt::format("{} is '{}'; it is one of {}{}", node.key, value, choices, did_you_mean(value, known))));
}

}  // namespace weir
