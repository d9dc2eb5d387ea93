#include "llm/json_schema.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/core.h>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"

namespace weir {
namespace {

// Members, elements and alternatives that are looked at for one step.
constexpr size_t kLooksPerStep = 64;

// Schemas within schemas while one value is checked: a circle of $ref ends here.
constexpr int kNestedMax = 256;

// Keywords that say nothing about which values there are.
constexpr std::array<std::string_view, 14> kNotes = {
    "$schema", "$id",      "$anchor",  "$comment",  "$defs",      "definitions", "title",
    "default", "examples", "readOnly", "writeOnly", "deprecated", "description", "$vocabulary"};

bool is_note(std::string_view keyword) {
  return std::find(kNotes.begin(), kNotes.end(), keyword) != kNotes.end();
}

bool is_integer(JsonValue value) {
  const double number = value.double_or(NAN);
  return value.is_number() && std::isfinite(number) && std::floor(number) == number;
}

bool has_type(JsonValue value, std::string_view type) {
  if (type == "integer") return is_integer(value);
  if (type == "boolean") return value.is_bool();
  return to_string(value.type()) == type;
}

class Checker {
 public:
  explicit Checker(JsonValue root) : root_(root) {}

  // True: the value follows the schema. The first violation is noted.
  bool check(JsonValue value, JsonValue schema) {
    if (++steps_ > kSchemaStepsMax) give_up("checking the schema takes too many steps");
    if (!look(1 + schema.size()) || broken_) return true;
    if (schema.is_bool()) return schema.bool_or(true) || violate("nothing is allowed here");
    if (!schema.is_object()) return true;
    note_unchecked(schema);
    if (nested_ == kNestedMax)
      return give_up("its schemas are nested too deep, or lead round in a circle"), true;
    ++nested_;
    const bool result = check_all(value, schema);
    --nested_;
    return result;
  }
  const std::optional<std::string>& violation() const { return violation_; }
  const std::optional<std::string>& broken() const { return broken_; }
  std::vector<std::string> take_unchecked() { return std::move(unchecked_); }

 private:
  bool check_all(JsonValue value, JsonValue schema) {
    return check_ref(value, schema) && check_any(value, schema) && check_combined(value, schema) &&
           check_number(value, schema) && check_string(value, schema) && check_array(value, schema) &&
           check_object(value, schema);
  }

  bool violate(std::string what) {
    if (!is_trying_ && !violation_)
      violation_ = fmt::format("at {}: {}", place_.empty() ? "the top" : place_, what);
    return false;
  }

  // False: so many things were looked at that checking has to end.
  bool look(size_t count) {
    looks_ += count;
    if (looks_ <= kLooksPerStep * kSchemaStepsMax) return true;
    give_up("checking the schema takes too many steps");
    return false;
  }

  void give_up(std::string why) {
    if (!broken_) broken_ = std::move(why);
  }

  bool follows(JsonValue value, JsonValue schema) {
    const bool was_trying = std::exchange(is_trying_, true);
    const bool result = check(value, schema);
    is_trying_ = was_trying;
    return result;
  }

  bool check_at(std::string_view step, JsonValue value, JsonValue schema) {
    const size_t length = place_.size();
    place_.append("/").append(step);
    const bool result = check(value, schema);
    place_.resize(length);
    return result;
  }

  // Numbers by value, so that 1 and 1.0 are the same; objects whatever their order (JSON Schema 4.2.2).
  bool equal(JsonValue a, JsonValue b) {
    if (!look(1) || a.type() != b.type()) return false;
    switch (a.type()) {
      case JsonType::number:
        return a.raw() == b.raw() || a.double_or(0) == b.double_or(1);
      case JsonType::string:
        return a.string_or("") == b.string_or("");
      case JsonType::boolean:
        return a.bool_or(false) == b.bool_or(false);
      case JsonType::array: {
        if (a.size() != b.size()) return false;
        auto other = b.begin();
        for (const JsonValue element : a) {
          if (!equal(element, *other)) return false;
          ++other;
        }
        return true;
      }
      case JsonType::object: {
        if (a.size() != b.size()) return false;
        for (const JsonValue member : a) {
          if (!look(b.size())) return false;
          const JsonValue other = b[member.key()];
          if (!other || !equal(member, other)) return false;
        }
        return true;
      }
      default:
        return true;
    }
  }

  // Once for each schema, however many values it is for.
  void note_unchecked(JsonValue schema) {
    if (!noted_.insert(schema.offset()).second) return;
    constexpr std::array<std::string_view, 29> kChecked = {"$ref",
                                                           "type",
                                                           "enum",
                                                           "const",
                                                           "allOf",
                                                           "anyOf",
                                                           "oneOf",
                                                           "not",
                                                           "if",
                                                           "then",
                                                           "else",
                                                           "minimum",
                                                           "maximum",
                                                           "exclusiveMinimum",
                                                           "exclusiveMaximum",
                                                           "multipleOf",
                                                           "minLength",
                                                           "maxLength",
                                                           "items",
                                                           "prefixItems",
                                                           "contains",
                                                           "minItems",
                                                           "maxItems",
                                                           "uniqueItems",
                                                           "properties",
                                                           "required",
                                                           "additionalProperties",
                                                           "minProperties",
                                                           "maxProperties"};
    for (const JsonValue member : schema) {
      const std::string_view key = member.key();
      if (is_note(key) || std::find(kChecked.begin(), kChecked.end(), key) != kChecked.end()) continue;
      if (!unchecked_keys_.insert(key).second) continue;
      unchecked_.emplace_back(key);
    }
  }

  bool check_ref(JsonValue value, JsonValue schema) {
    const JsonValue ref = schema["$ref"];
    if (!ref) return true;
    const JsonValue target = resolve(ref.string_or(""));
    return broken_ || check(value, target);
  }

  // "#", "#/$defs/name": within the schema alone.
  JsonValue resolve(std::string_view ref) {
    JsonValue at = root_;
    if (!ref.starts_with('#')) give_up(fmt::format("its $ref {} leads outside", ref));
    std::string_view rest = ref.substr(std::min<size_t>(1, ref.size()));
    while (!rest.empty() && !broken_) {
      rest.remove_prefix(1);
      std::string step(rest.substr(0, rest.find('/')));
      rest.remove_prefix(step.size());
      step = replace_all(replace_all(std::move(step), "~1", "/"), "~0", "~");
      if (!look(at.size())) return {};
      JsonValue next = at[step];
      if (!next && at.is_array()) {
        size_t index = 0;
        const auto [end, failed] = std::from_chars(step.data(), step.data() + step.size(), index);
        if (failed == std::errc() && end == step.data() + step.size()) next = at.at(index);
      }
      // The key of a missing value would dangle.
      if (!next) return give_up(fmt::format("its $ref {} leads nowhere", ref)), JsonValue();
      at = next;
    }
    return at;
  }

  static std::string replace_all(std::string text, std::string_view from, std::string_view to) {
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
    return text;
  }

  bool check_any(JsonValue value, JsonValue schema) {
    if (const JsonValue type = schema["type"]) {
      if (!look(type.size())) return true;
      bool is_one = type.is_string() && has_type(value, type.string_or(""));
      for (const JsonValue each : type) is_one = is_one || has_type(value, each.string_or(""));
      if (!is_one) return violate(fmt::format("must be of type {}", type.raw()));
    }
    if (const JsonValue options = schema["enum"]) {
      bool is_one = false;
      for (const JsonValue option : options) is_one = is_one || equal(value, option);
      if (!is_one) return violate(fmt::format("must be one of {}", options.raw()));
    }
    const JsonValue constant = schema["const"];
    if (constant && !equal(value, constant)) return violate(fmt::format("must be {}", constant.raw()));
    return true;
  }

  bool check_combined(JsonValue value, JsonValue schema) {
    for (const JsonValue each : schema["allOf"]) {
      if (!check(value, each)) return false;
    }
    if (const JsonValue options = schema["anyOf"]) {
      bool is_one = false;
      for (const JsonValue option : options) is_one = is_one || follows(value, option);
      if (!is_one) return violate("must follow at least one of the schemas of anyOf");
    }
    if (const JsonValue options = schema["oneOf"]) {
      int count = 0;
      for (const JsonValue option : options) count += follows(value, option) ? 1 : 0;
      if (count != 1) return violate(fmt::format("must follow exactly one schema of oneOf, not {}", count));
    }
    if (const JsonValue other = schema["not"]; other && follows(value, other))
      return violate("must not follow the schema of not");
    if (const JsonValue condition = schema["if"]) {
      const JsonValue branch = follows(value, condition) ? schema["then"] : schema["else"];
      if (branch) return check(value, branch);
    }
    return true;
  }

  bool check_number(JsonValue value, JsonValue schema) {
    if (!value.is_number()) return true;
    const double number = value.double_or(0);
    const auto limit = [&](std::string_view keyword, auto breaks, std::string_view words) {
      const JsonValue bound = schema[keyword];
      if (!bound.is_number() || !breaks(number, bound.double_or(0))) return true;
      return violate(fmt::format("must be {} {}", words, bound.raw()));
    };
    if (!limit("minimum", [](double a, double b) { return a < b; }, "at least")) return false;
    if (!limit("maximum", [](double a, double b) { return a > b; }, "at most")) return false;
    if (!limit("exclusiveMinimum", [](double a, double b) { return a <= b; }, "more than")) return false;
    if (!limit("exclusiveMaximum", [](double a, double b) { return a >= b; }, "less than")) return false;
    // A quotient within a rounding error of an integer counts: 0.3 is a multiple of 0.1.
    return limit(
        "multipleOf",
        [](double a, double b) {
          const double quotient = a / b;
          return b <= 0 ||
                 std::abs(quotient - std::round(quotient)) > 1e-9 * std::max(1.0, std::abs(quotient));
        },
        "a multiple of");
  }

  // A count of the value within the two bounds.
  bool check_count(int64_t count, JsonValue schema, std::string_view least, std::string_view most,
                   std::string_view what) {
    if (const JsonValue bound = schema[least]; bound.is_number() && count < bound.int_or(0))
      return violate(fmt::format("must have at least {} {}", bound.raw(), what));
    if (const JsonValue bound = schema[most]; bound.is_number() && count > bound.int_or(count))
      return violate(fmt::format("must have at most {} {}", bound.raw(), what));
    return true;
  }

  bool check_string(JsonValue value, JsonValue schema) {
    if (!value.is_string()) return true;
    return check_count(characters(value.string_or("")), schema, "minLength", "maxLength", "characters");
  }

  bool check_array(JsonValue value, JsonValue schema) {
    if (!value.is_array()) return true;
    if (!check_count(static_cast<int64_t>(value.size()), schema, "minItems", "maxItems", "items"))
      return false;
    const JsonValue prefix = schema["prefixItems"];
    const JsonValue items = schema["items"];
    const JsonValue wanted = schema["contains"];
    size_t index = 0;
    bool contains = !wanted;
    auto next = prefix.begin();
    for (const JsonValue element : value) {
      const bool has_own = index < prefix.size();
      const JsonValue each = has_own ? *next : items;
      if (has_own) ++next;
      if (each && !check_at(fmt::format("{}", index), element, each)) return false;
      contains = contains || follows(element, wanted);
      ++index;
    }
    if (!contains) return violate("must contain an item that follows the schema of contains");
    return !schema["uniqueItems"].bool_or(false) || check_unique(value);
  }

  bool check_unique(JsonValue value) {
    for (auto a = value.begin(); a != value.end(); ++a) {
      for (auto b = value.begin(); !(b == a); ++b) {
        if (++steps_ > kSchemaStepsMax) return give_up("checking the schema takes too many steps"), true;
        if (equal(*a, *b)) return violate("must not have the same item twice");
      }
    }
    return true;
  }

  bool check_required(JsonValue value, JsonValue names) {
    if (names.size() == 0) return true;
    if (!look(names.size() + value.size())) return true;
    std::unordered_set<std::string_view> present;
    for (const JsonValue member : value) present.insert(member.key());
    for (const JsonValue name : names) {
      if (!present.contains(name.string_or(""))) return violate(fmt::format("must have {}", name.raw()));
    }
    return true;
  }

  // A member of an object of the schema, which is looked through once for all values.
  JsonValue member_of(JsonValue object, std::string_view key) {
    if (!object.is_object()) return {};
    const auto [found, is_new] = members_.try_emplace(object.offset());
    if (is_new) {
      for (const JsonValue member : object) found->second.try_emplace(member.key(), member);
    }
    const auto member = found->second.find(key);
    return member == found->second.end() ? JsonValue() : member->second;
  }

  bool check_object(JsonValue value, JsonValue schema) {
    if (!value.is_object()) return true;
    if (!check_required(value, schema["required"])) return false;
    if (!check_count(static_cast<int64_t>(value.size()), schema, "minProperties", "maxProperties", "members"))
      return false;
    const JsonValue properties = schema["properties"];
    const JsonValue others = schema["additionalProperties"];
    // Which members a pattern concerns is not known here.
    const bool has_patterns = bool(schema["patternProperties"]);
    for (const JsonValue member : value) {
      const JsonValue own = member_of(properties, member.key());
      if (own) {
        if (!check_at(member.key(), member, own)) return false;
      } else if (others && !has_patterns) {
        if (others.is_bool() && !others.bool_or(true))
          return violate(fmt::format("must not have \"{}\"", member.key()));
        if (!check_at(member.key(), member, others)) return false;
      }
    }
    return true;
  }

  const JsonValue root_;
  std::string place_;
  std::optional<std::string> violation_;
  std::optional<std::string> broken_;
  std::vector<std::string> unchecked_;
  std::unordered_set<std::string_view> unchecked_keys_;                                  // the same
  std::unordered_map<size_t, std::unordered_map<std::string_view, JsonValue>> members_;  // by the offset
  std::unordered_set<size_t> noted_;  // offsets of the schemas that were looked through
  bool is_trying_ = false;
  size_t steps_ = 0;
  size_t looks_ = 0;
  int nested_ = 0;
};

}  // namespace

Result<SchemaVerdict> check_json_schema(JsonValue value, JsonValue schema) {
  Checker checker(schema);
  const bool follows = checker.check(value, schema);
  if (checker.broken())
    return fail(ErrorKind::bad_request, "the schema cannot be used: " + *checker.broken());
  SchemaVerdict verdict;
  if (!follows) verdict.violation = checker.violation().value_or("it does not follow the schema");
  verdict.unchecked = checker.take_unchecked();
  return verdict;
}

}  // namespace weir
