// Strict YAML for the project's own data files, with yaml-cpp behind this one file. The text becomes a plain
// tree that remembers the line of everything, so that each complaint can name it. Stricter than YAML: one
// document, scalar keys, no key twice, no anchors, aliases, merges or tags. Scalars stay text: a price never
// passes through a double.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace weir {

enum class YamlType : uint8_t { null, scalar, sequence, map };
std::string_view to_string(YamlType type);

struct YamlNode {
  YamlType type = YamlType::null;
  int line = 0;                    // 1-based; where the value starts, or its key
  std::string key;                 // of a member of a map
  std::string text;                // of a scalar, unquoted
  bool is_quoted = false;          // a quoted scalar is always a string, never a number, a boolean or null
  std::vector<YamlNode> children;  // items of a sequence, or members of a map, in the order of the file

  // The member of a map; nullptr when absent or when this is not a map.
  const YamlNode* find(std::string_view name) const;
  bool operator==(const YamlNode&) const = default;
};

struct YamlLimits {
  size_t bytes_max = 8U << 20U;
  int depth_max = 16;
  size_t nodes_max = 500'000;
};

// Errors: bad_request, the message as yaml_error() builds it. An empty text is null.
Result<YamlNode> parse_yaml(std::string_view file, std::string_view text, const YamlLimits& limits = {});

// "config/prices.yaml line 12: <what>", as bad_request.
Error yaml_error(std::string_view file, int line, std::string_view what);

// The problems of one map, for a reader that goes on behind each.
class YamlProblems {
 public:
  void note(Result<void> outcome);
  // The value, where there is one and it is right.
  template <class T>
  void take(Result<std::optional<T>> read, T& into) {
    if (!read) {
      note(std::move(read).fail());
    } else if (*read) {
      into = **std::move(read);
    }
  }
  template <class T>
  void take(Result<T> read, T& into) {
    if (!read) {
      note(std::move(read).fail());
    } else {
      into = *std::move(read);
    }
  }
  bool empty() const { return lines_.empty(); }
  // Error: bad_request, a problem a line.
  Result<void> outcome() &&;

 private:
  std::string lines_;
};

// The members of one map, taken one by one by the code that knows the schema.
//   YamlFields fields(file, node, "model");
//   TRY(fields.check({"provider", "model", "input"}));       // refuses each other key, naming the nearest
//   auto provider = TRY(fields.text("provider"));            // absent or null: an error
//   auto input = TRY(fields.optional_text("input"));         // absent or null: nullopt
// REQUIRES that file and node outlive this.
class YamlFields {
 public:
  // `what` names the row in messages: "a provider needs ...".
  YamlFields(std::string_view file, const YamlNode& node, std::string_view what)
      : file_(file), node_(node), what_(what) {}

  Result<void> check(std::span<const std::string_view> known) const;
  Result<void> check(std::initializer_list<std::string_view> known) const {
    return check(std::span(known.begin(), known.size()));
  }

  bool has(std::string_view key) const { return node_.find(key) != nullptr; }
  int line(std::string_view key) const;  // of the member, else of the map
  int line() const { return node_.line; }
  Error error(std::string_view key, std::string_view what) const;

  Result<std::string> text(std::string_view key) const;  // not empty
  Result<std::optional<std::string>> optional_text(std::string_view key) const;
  Result<std::optional<bool>> optional_bool(std::string_view key) const;  // true | false
  // A decimal integer with optional `_` between digits, within the bounds.
  Result<std::optional<int64_t>> optional_int(std::string_view key, int64_t min, int64_t max) const;
  Result<std::vector<std::string>> texts(std::string_view key) const;  // a sequence of scalars; absent: empty
  Result<std::vector<std::pair<std::string, std::string>>> text_map(std::string_view key) const;
  // The map or sequence itself; nullptr when absent or null.
  Result<const YamlNode*> optional_node(std::string_view key, YamlType type) const;

 private:
  std::string_view file_;
  const YamlNode& node_;
  std::string_view what_;
};

// "a decimal integer": digits, single `_` between digits allowed; nullopt otherwise or when it does not fit.
std::optional<int64_t> parse_yaml_int(std::string_view text);

}  // namespace weir
