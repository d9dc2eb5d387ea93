// Reads capability maps: one line of YAML for each known ability of a model or endpoint.
#include <charconv>
#include <fmt/core.h>
#include <type_traits>

#include "provider/catalog_rows.h"

namespace weir {
namespace {

constexpr int64_t kTokensMax = 100'000'000;
constexpr double kTemperatureMax = 10;

Result<void> read(const YamlFields& fields, std::string_view key, std::optional<bool>& into) {
  into = TRY(fields.optional_bool(key));
  return {};
}

Result<void> read(const YamlFields& fields, std::string_view key, std::optional<int64_t>& into) {
  into = TRY(fields.optional_int(key, 0, kTokensMax));
  return {};
}

template <class Enum>
  requires std::is_enum_v<Enum>
Result<void> read(const YamlFields& fields, std::string_view key, std::optional<Enum>& into) {
  auto text = TRY(fields.optional_text(key));
  if (!text) return {};
  into = from_string<Enum>(*text);
  if (!into) return fail(fields.error(key, fmt::format("'{}' is not a known value", *text)));
  return {};
}

// "[0, 2]"
Result<void> read(const YamlFields& fields, std::string_view key, std::optional<TemperatureRange>& into) {
  auto bounds = TRY(fields.texts(key));
  if (bounds.empty()) return {};
  std::vector<double> numbers;
  for (const std::string& bound : bounds) {
    double number = 0;
    const auto [end, error] = std::from_chars(bound.data(), bound.data() + bound.size(), number);
    if (error != std::errc() || end != bound.data() + bound.size()) break;
    numbers.push_back(number);
  }
  const bool valid = bounds.size() == 2 && numbers.size() == 2 && numbers[0] >= 0 &&
                     numbers[0] <= numbers[1] && numbers[1] <= kTemperatureMax;
  if (!valid)
    return fail(fields.error(key, fmt::format("must be [min, max] within 0 and {}", kTemperatureMax)));
  into = TemperatureRange{numbers[0], numbers[1]};
  return {};
}

// "[none, low, high]"
Result<void> read(const YamlFields& fields, std::string_view key, std::optional<EffortSet>& into) {
  auto names = TRY(fields.texts(key));
  if (names.empty()) return {};
  EffortSet set;
  for (const std::string& name : names) {
    const auto level = from_string<EffortLevel>(name);
    if (!level) return fail(fields.error(key, fmt::format("'{}' is not a known effort", name)));
    set.insert(*level);
  }
  into = set;
  return {};
}

std::vector<std::string_view> capability_names() {
  std::vector<std::string_view> names = {"tokenizer"};
  for_each_capability([&](std::string_view name, auto) { names.push_back(name); });
  return names;
}

}  // namespace

Result<Capabilities> parse_capabilities(std::string_view file, const YamlNode& node) {
  static const std::vector<std::string_view> kNames = capability_names();
  const YamlFields fields(file, node, "a capability map");
  TRY(fields.check(kNames));
  Capabilities capabilities;
  Result<void> outcome;
  for_each_capability([&](std::string_view name, auto member) {
    if (outcome) outcome = read(fields, name, capabilities.*member);
  });
  TRY(std::move(outcome));
  std::optional<TokenizerKind> tokenizer;
  TRY(read(fields, "tokenizer", tokenizer));
  capabilities.tokenizer = tokenizer.value_or(TokenizerKind::estimate);
  return capabilities;
}

}  // namespace weir
