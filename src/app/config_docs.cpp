#include "app/config_docs.h"

#include "app/config_rows.h"
#include "app/settings_yaml.h"

namespace weir {
namespace {

struct DocRow {
  std::string key;
  std::string type;
  std::string default_text;
  std::string range;
  std::string applies;
  std::string sentence;
};

struct DocSection {
  std::string path;  // "server", "routes.retry"
  std::string title;
  std::vector<DocRow> rows;
};

template <class S>
std::string type_of(const Setting<S>& row) {
  constexpr std::array<std::string_view, 7> kTypes = {"true or false", "number", "number", "duration",
                                                      "size",          "text",   "list"};
  return std::string(kTypes[row.member.index()]);
}

template <class S>
std::string range_of(const Setting<S>& row) {
  if (!row.choices.empty()) {
    std::string list;
    for (const std::string_view choice : split(row.choices, '|')) {
      list += fmt::format("{}{}", list.empty() ? "" : ", ", choice);
    }
    return list;
  }
  if (row.min == 0 && row.max == 0) return "";
  const bool is_duration = std::holds_alternative<Duration S::*>(row.member);
  const bool is_size = std::holds_alternative<size_t S::*>(row.member);
  const auto text = [&](double value) {
    if (is_duration) return format_duration(static_cast<int64_t>(value * 1e9));
    if (is_size) return format_size(static_cast<int64_t>(value));
    return fmt::format("{}", value);
  };
  return text(row.min) + " to " + text(row.max);
}

// Whether the file could say the value itself: what is left out is often none of its own range or choices.
template <class S, class T>
bool can_be_said(const Setting<S>& row, const T& value) {
  const bool has_range = row.min != 0 || row.max != 0;
  const auto is_within = [&](double number) { return number >= row.min && number <= row.max; };
  if constexpr (std::is_same_v<T, Duration>) {
    return !has_range || is_within(static_cast<double>(value.count()) / 1e9);
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (row.choices.empty()) return !value.empty();
    bool is_choice = false;
    for (const std::string_view choice : split(row.choices, '|')) is_choice = is_choice || choice == value;
    return is_choice;
  } else if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
    return !has_range || is_within(static_cast<double>(value));
  } else {
    return true;
  }
}

// As it stands in the table: the value, or that there is none.
template <class S>
std::string default_of(const Setting<S>& row, const S& defaults) {
  return std::visit(
      [&](auto member) -> std::string {
        const auto& value = defaults.*member;
        return can_be_said(row, value) ? "`" + print_value(value) + "`" : "none";
      },
      row.member);
}

template <class S>
DocSection section(std::string path, std::string title, Rows<S> rows) {
  DocSection made{.path = std::move(path), .title = std::move(title), .rows = {}};
  const S defaults{};
  for (const Setting<S>& row : rows) {
    made.rows.push_back({.key = std::string(row.key),
                         .type = type_of(row),
                         .default_text = default_of(row, defaults),
                         .range = range_of(row),
                         .applies = std::string(to_string(row.applies)),
                         .sentence = std::string(row.sentence)});
  }
  return made;
}

DocSection section(std::string path, std::string title, std::span<const FieldNote> fields) {
  DocSection made{.path = std::move(path), .title = std::move(title), .rows = {}};
  for (const FieldNote& field : fields) {
    made.rows.push_back({.key = std::string(field.key),
                         .type = std::string(field.type),
                         .default_text = "",
                         .range = "",
                         .applies = "live",
                         .sentence = std::string(field.sentence)});
  }
  return made;
}

std::vector<DocSection> sections() {
  return {
      section("server", "The process.", server_setting_rows()),
      section("gateway", "Model calls.", gateway_setting_rows()),
      section("fetch", "Images and documents by URL, fetched for models that take only their bytes.",
              fetch_setting_rows()),
      section("keep",
              "What is kept, sealed, for a caller between two requests: the thinking of turns with tool "
              "calls, and stored responses.",
              keep_setting_rows()),
      section("translation",
              "How far a request may be changed for a target that does not take it as it is. A route starts "
              "from these and may say otherwise.",
              translation_setting_rows()),
      section("telemetry", "Traces.", telemetry_setting_rows()),
      section("providers",
              "A list: who answers. Left out, every provider whose usual key is in the environment is on.",
              provider_fields()),
      section("providers.keys", "A provider's keys. A key itself is never in the file.",
              provider_key_fields()),
      section("providers.credentials", "Where a provider's credentials come from.", credential_rows()),
      section("providers.timeouts", "A provider's time limits.", timeout_rows()),
      section("routes",
              "A list: which targets answer a model name. Left out, PROVIDER/* goes to each provider and the "
              "known models are "
              "served by their bare names. weir/extract is always there.",
              route_rows()),
      section("routes.targets", "A route's targets, at least one.", target_rows()),
      section("routes.retry", "When a route tries again.", retry_rows()),
      section("routes.fallback", "Which failures go to the next target, where a route may say so.",
              fallback_rows()),
      section("routes.breaker",
              "When a failing target is put aside. Of several routes to one target the first one's settings "
              "count.",
              breaker_rows()),
      section("routes.translation", "Instead of the settings of the whole configuration's `translation`.",
              translation_setting_rows()),
      section("keys",
              "A list: API keys of callers. While there are none, only callers on this machine are served.",
              key_fields()),
      section("catalog", "Your own tables of providers and prices.", catalog_fields()),
  };
}

}  // namespace

std::string configuration_docs() {
  std::string out =
      "# Configuration\n\n"
      "One YAML file, given by `weir serve --config FILE`. Without it the defaults below hold. `weir check "
      "FILE` validates it,\n"
      "`weir config FILE` prints what is in effect. A change of it, or of a file that it names (keys,\n"
      "certificates, tables), is taken live (by itself, at SIGHUP or `POST /admin/v1/reload`) unless the "
      "row\n"
      "says restart; a file with an error changes nothing.\n"
      "This page is made by `weir config --docs`. `config/weir.example.yaml` shows every setting in its "
      "place.\n\n"
      "Paths, in the file and on the command line, are relative to the directory that Weir is started in, "
      "not to the file's.\n"
      "Durations are written 250ms, 10s, 1m30s; sizes 64KB, 16MiB. `aliases:` maps further names to "
      "routes.\n";
  for (const DocSection& part : sections()) {
    out += fmt::format("\n## {}\n\n{}\n\n", part.path, part.title);
    out += "| key | type | default | range | applies | meaning |\n|---|---|---|---|---|---|\n";
    for (const DocRow& row : part.rows) {
      out += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", row.key, row.type, row.default_text,
                         row.range, row.applies, row.sentence);
    }
  }
  return out;
}

std::vector<std::string> configuration_keys() {
  std::vector<std::string> keys{"aliases"};
  for (const DocSection& part : sections()) {
    for (const DocRow& row : part.rows) keys.push_back(part.path + "." + row.key);
  }
  return keys;
}

}  // namespace weir
