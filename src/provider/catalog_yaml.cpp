#include "provider/catalog_yaml.h"

#include <algorithm>
#include <charconv>
#include <fmt/core.h>
#include <sstream>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/text.h"

namespace weir {
namespace {

// What the handler throws to leave yaml-cpp's parser, which has no other way to stop; parse_yaml catches it.
struct Stop {
  int line;
  std::string what;
};

int line_of(const YAML::Mark& mark) {
  return mark.is_null() ? 0 : mark.line + 1;
}

// Builds the tree from yaml-cpp's events and refuses what Weir's files may not use.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const YamlLimits& limits) : limits_(limits) {}

  YamlNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, "", anchor, make_node(YamlType::null));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    throw Stop{line_of(mark), "aliases are not supported: write the value out"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    // yaml-cpp gives "?" for a plain scalar and "!" for a quoted one; an empty plain one is null in YAML.
    YamlNode node = make_node(YamlType::scalar);
    node.text = value;
    node.is_quoted = tag == "!";
    add(mark, tag, anchor, std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, YamlType::sequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, YamlType::map);
  }
  void OnMapEnd() override { close(); }

 private:
  static YamlNode make_node(YamlType type) {
    YamlNode node;
    node.type = type;
    return node;
  }

  struct Open {
    YamlNode node;
    std::optional<std::string> key;  // of a map: read, and waiting for its value
    int key_line = 0;
  };

  void guard(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) throw Stop{line_of(mark), "anchors are not supported: write the value out"};
    if (!tag.empty() && tag != "?" && tag != "!") throw Stop{line_of(mark), "tags are not supported"};
    if (++nodes_ > limits_.nodes_max) throw Stop{line_of(mark), "too many values"};
  }

  void add(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode node) {
    guard(mark, tag, anchor);
    node.line = line_of(mark);
    if (awaits_key()) {
      take_key(open_.back(), node);
    } else {
      attach(std::move(node));
    }
  }

  bool awaits_key() const {
    return !open_.empty() && open_.back().node.type == YamlType::map && !open_.back().key;
  }

  // A finished value goes to where it belongs: the root, a sequence, or the key that waits for it.
  void attach(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.key) {
      // A value may begin a line below its key, and an empty one has the mark of whatever comes next: the
      // line of its key is what a reader looks for.
      node.line = parent.key_line;
      node.key = std::move(*parent.key);
      parent.key.reset();
    }
    parent.node.children.push_back(std::move(node));
  }

  static void take_key(Open& parent, YamlNode& node) {
    if (node.type != YamlType::scalar) throw Stop{node.line, "a key must be a plain name"};
    if (const YamlNode* earlier = parent.node.find(node.text)) {
      throw Stop{node.line, fmt::format("'{}' is given twice, first in line {}", node.text, earlier->line)};
    }
    if (node.text == "<<" && !node.is_quoted) throw Stop{node.line, "merge keys are not supported"};
    parent.key = std::move(node.text);
    parent.key_line = node.line;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlType type) {
    guard(mark, tag, anchor);
    if (awaits_key()) throw Stop{line_of(mark), "a key must be a plain name"};
    if (open_.size() >= static_cast<size_t>(limits_.depth_max)) {
      throw Stop{line_of(mark), fmt::format("nesting deeper than {}", limits_.depth_max)};
    }
    Open fresh;
    fresh.node.type = type;
    fresh.node.line = line_of(mark);
    open_.push_back(std::move(fresh));
  }

  void close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    attach(std::move(node));
  }

  const YamlLimits& limits_;
  YamlNode root_;
  std::vector<Open> open_;
  size_t nodes_ = 0;
};

}  // namespace

std::string_view to_string(YamlType type) {
  switch (type) {
    case YamlType::null:
      return "null";
    case YamlType::scalar:
      return "a single value";
    case YamlType::sequence:
      return "a list";
    case YamlType::map:
      return "a map";
  }
  return "";
}

const YamlNode* YamlNode::find(std::string_view name) const {
  if (type != YamlType::map) return nullptr;
  const auto found = std::ranges::find(children, name, &YamlNode::key);
  return found == children.end() ? nullptr : &*found;
}

Error yaml_error(std::string_view file, int line, std::string_view what) {
  std::string message =
      line > 0 ? fmt::format("{} line {}: {}", file, line, what) : fmt::format("{}: {}", file, what);
  // One line for each problem, whatever was quoted.
  std::ranges::replace(message, '\n', ' ');
  return make_error(ErrorKind::bad_request, std::move(message));
}

Result<YamlNode> parse_yaml(std::string_view file, std::string_view text, const YamlLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return fail(yaml_error(file, 0, fmt::format("larger than {} bytes", limits.bytes_max)));
  }
  if (text.find('\0') != std::string_view::npos) return fail(yaml_error(file, 0, "contains a NUL byte"));
  std::istringstream stream{std::string(text)};
  TreeBuilder builder(limits);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    TreeBuilder rest(limits);
    if (parser.HandleNextDocument(rest)) return fail(yaml_error(file, 0, "more than one document"));
  } catch (const Stop& stop) {
    return fail(yaml_error(file, stop.line, stop.what));
  } catch (const YAML::Exception& e) {
    return fail(yaml_error(file, line_of(e.mark), e.msg));
  }
  return builder.take_root();
}

Result<void> YamlFields::check(std::span<const std::string_view> known) const {
  if (node_.type != YamlType::map) {
    return fail(
        yaml_error(file_, node_.line, fmt::format("{} must be a map, not {}", what_, to_string(node_.type))));
  }
  YamlProblems problems;
  for (const YamlNode& member : node_.children) {
    const std::string_view key = member.key;
    if (std::ranges::find(known, key) != known.end()) continue;
    const std::string hint = did_you_mean(key, known, 1);
    problems.note(
        fail(yaml_error(file_, member.line, fmt::format("{} has no field '{}'{}", what_, key, hint))));
  }
  return std::move(problems).outcome();
}

void YamlProblems::note(Result<void> outcome) {
  if (outcome) return;
  if (!lines_.empty()) lines_ += '\n';
  lines_ += outcome.error().message;
}

Result<void> YamlProblems::outcome() && {
  if (lines_.empty()) return {};
  return fail(ErrorKind::bad_request, std::move(lines_));
}

int YamlFields::line(std::string_view key) const {
  const YamlNode* member = node_.find(key);
  return member != nullptr ? member->line : node_.line;
}

Error YamlFields::error(std::string_view key, std::string_view what) const {
  return yaml_error(file_, line(key), fmt::format("{}: {}", key, what));
}

Result<std::string> YamlFields::text(std::string_view key) const {
  auto value = TRY(optional_text(key));
  if (!value) return fail(yaml_error(file_, line(key), fmt::format("{} needs '{}'", what_, key)));
  return std::move(*value);
}

Result<std::optional<std::string>> YamlFields::optional_text(std::string_view key) const {
  const YamlNode* member = TRY(optional_node(key, YamlType::scalar));
  if (member == nullptr) return std::nullopt;
  if (member->text.empty()) return fail(error(key, "must not be empty"));
  return member->text;
}

Result<std::optional<bool>> YamlFields::optional_bool(std::string_view key) const {
  const YamlNode* member = TRY(optional_node(key, YamlType::scalar));
  if (member == nullptr) return std::nullopt;
  // The words of YAML 1.2 only: with 1.1's, a country code would be a boolean.
  if (!member->is_quoted && member->text == "true") return true;
  if (!member->is_quoted && member->text == "false") return false;
  return fail(error(key, fmt::format("must be true or false, not '{}'", member->text)));
}

Result<std::optional<int64_t>> YamlFields::optional_int(std::string_view key, int64_t min,
                                                        int64_t max) const {
  const YamlNode* member = TRY(optional_node(key, YamlType::scalar));
  if (member == nullptr) return std::nullopt;
  const std::optional<int64_t> value = member->is_quoted ? std::nullopt : parse_yaml_int(member->text);
  if (!value || *value < min || *value > max) {
    return fail(
        error(key, fmt::format("must be an integer from {} to {}, not '{}'", min, max, member->text)));
  }
  return value;
}

Result<std::vector<std::string>> YamlFields::texts(std::string_view key) const {
  const YamlNode* list = TRY(optional_node(key, YamlType::sequence));
  std::vector<std::string> values;
  if (list == nullptr) return values;
  for (const YamlNode& item : list->children) {
    if (item.type != YamlType::scalar || item.text.empty()) {
      return fail(yaml_error(file_, item.line, fmt::format("{} must be a list of names", key)));
    }
    values.push_back(item.text);
  }
  return values;
}

Result<std::vector<std::pair<std::string, std::string>>> YamlFields::text_map(std::string_view key) const {
  const YamlNode* map = TRY(optional_node(key, YamlType::map));
  std::vector<std::pair<std::string, std::string>> values;
  if (map == nullptr) return values;
  for (const YamlNode& member : map->children) {
    if (member.type != YamlType::scalar) {
      return fail(
          yaml_error(file_, member.line, fmt::format("{}.{} must be a single value", key, member.key)));
    }
    values.emplace_back(member.key, member.text);
  }
  return values;
}

Result<const YamlNode*> YamlFields::optional_node(std::string_view key, YamlType type) const {
  const YamlNode* member = node_.find(key);
  if (member == nullptr || member->type == YamlType::null) return nullptr;
  if (member->type != type) {
    return fail(error(key, fmt::format("must be {}, not {}", to_string(type), to_string(member->type))));
  }
  return member;
}

std::optional<int64_t> parse_yaml_int(std::string_view text) {
  std::string digits;
  bool after_digit = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '_' && after_digit && i + 1 < text.size()) {
      after_digit = false;
    } else if ((c >= '0' && c <= '9') || (c == '-' && i == 0)) {
      digits += c;
      after_digit = c != '-';
    } else {
      return std::nullopt;
    }
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace weir
