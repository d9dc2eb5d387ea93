// For tests: OpenAI's OpenAPI document (outside the repository, so absent in most clones), and as much of
// JSON Schema as it uses to say what a body must be.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "codec/replay_test_util.h"

namespace weir::test {

class OpenApiSchemas {
 public:
  // nullptr without the document, and then the test must say that it skips.
  static const OpenApiSchemas* openai() {
    static const OpenApiSchemas schemas(recordings_folder().parent_path() /
                                        "vectors/openai-openapi/openapi.ajv-clean.json");
    return schemas.by_name_.empty() ? nullptr : &schemas;
  }

  // What the schema has against the JSON text, each with its path; empty: nothing.
  std::string problems(std::string_view schema, std::string_view text) const {
    const Result<JsonDoc> parsed = JsonDoc::parse(std::string(text));
    if (!parsed) return "not JSON: " + parsed.error().message;
    const auto found = by_name_.find(schema);
    if (found == by_name_.end()) return fmt::format("no schema {}", schema);
    std::string problem;
    return is_valid(found->second, parsed->root(), problem) ? "" : problem;
  }

 private:
  explicit OpenApiSchemas(const std::filesystem::path& file) {
    Result<JsonDoc> parsed = JsonDoc::parse(read_whole(file), {.depth_max = 512, .nodes_max = 10'000'000});
    if (!parsed) return;
    document_ = std::move(*parsed);
    for (const JsonValue schema : document_.root()["components"]["schemas"]) {
      by_name_.emplace(std::string(schema.key()), schema);
    }
  }

  static bool has_type(std::string_view type, JsonValue value) {
    if (type == "integer") return value.is_number() && value.as_int().has_value();
    if (type == "number") return value.is_number();
    return type == to_string(value.type());
  }

  static bool complain(JsonValue value, std::string_view what, std::string& problem) {
    problem = fmt::format("{}: {}; it is {}", value.path(), what, std::string(value.raw().substr(0, 120)));
    return false;
  }

  bool is_valid(JsonValue schema, JsonValue value, std::string& problem) const {
    if (const JsonValue target = schema["$ref"]) {
      const std::string_view path = target.string_or("");
      const auto found = by_name_.find(path.substr(path.rfind('/') + 1));
      if (found == by_name_.end()) return complain(value, "unknown $ref", problem);
      if (!is_valid(found->second, value, problem)) return false;
    }
    return has_a_type(schema, value, problem) && is_one_of(schema, value, problem) &&
           is_in_range(schema, value, problem) && has_members(schema, value, problem) &&
           has_elements(schema, value, problem) && fits_all(schema, value, problem) &&
           fits_any(schema["anyOf"], value, problem) && fits_any(schema["oneOf"], value, problem);
  }

  static bool has_a_type(JsonValue schema, JsonValue value, std::string& problem) {
    const JsonValue type = schema["type"];
    if (type.is_string() && !has_type(type.string_or(""), value))
      return complain(value, fmt::format("must be of type {}", type.string_or("")), problem);
    if (!type.is_array()) return true;
    for (const JsonValue one : type) {
      if (has_type(one.string_or(""), value)) return true;
    }
    return complain(value, fmt::format("must be of a type in {}", type.raw()), problem);
  }

  static bool is_one_of(JsonValue schema, JsonValue value, std::string& problem) {
    const JsonValue allowed = schema["enum"];
    if (!allowed) return true;
    for (const JsonValue one : allowed) {
      if (one.raw() == value.raw()) return true;
    }
    return complain(value, fmt::format("must be one of {}", allowed.raw()), problem);
  }

  static bool is_in_range(JsonValue schema, JsonValue value, std::string& problem) {
    if (value.is_number() && (value.double_or(0) < schema["minimum"].double_or(value.double_or(0)) ||
                              value.double_or(0) > schema["maximum"].double_or(value.double_or(0))))
      return complain(value, "is out of range", problem);
    const int64_t length =
        static_cast<int64_t>(value.is_string() ? value.string_or("").size() : value.size());
    const std::string_view unit = value.is_string() ? "Length" : "Items";
    if (value.is_object() || (!value.is_string() && !value.is_array())) return true;
    if (length < schema[unit == "Length" ? "minLength" : "minItems"].int_or(0))
      return complain(value, "is too short", problem);
    if (length > schema[unit == "Length" ? "maxLength" : "maxItems"].int_or(length))
      return complain(value, "is too long", problem);
    return true;
  }

  bool has_members(JsonValue schema, JsonValue value, std::string& problem) const {
    if (!value.is_object()) return true;
    for (const JsonValue name : schema["required"]) {
      if (!value[name.string_or("")])
        return complain(value, fmt::format("has no {}", name.string_or("")), problem);
    }
    const JsonValue properties = schema["properties"];
    const JsonValue others = schema["additionalProperties"];
    for (const JsonValue member : value) {
      const JsonValue of_member = properties[member.key()];
      if (of_member) {
        if (!is_valid(of_member, member, problem)) return false;
      } else if (others.is_object()) {
        if (!is_valid(others, member, problem)) return false;
      } else if (others.is_bool() && !others.bool_or(true)) {
        return complain(member, "is not known", problem);
      }
    }
    return true;
  }

  bool has_elements(JsonValue schema, JsonValue value, std::string& problem) const {
    const JsonValue items = schema["items"];
    if (!items || !value.is_array()) return true;
    for (const JsonValue element : value) {
      if (!is_valid(items, element, problem)) return false;
    }
    return true;
  }

  bool fits_all(JsonValue schema, JsonValue value, std::string& problem) const {
    for (const JsonValue part : schema["allOf"]) {
      if (!is_valid(part, value, problem)) return false;
    }
    return true;
  }

  // The deepest problem is the one of the form that was meant.
  bool fits_any(JsonValue forms, JsonValue value, std::string& problem) const {
    if (!forms) return true;
    std::string deepest;
    for (const JsonValue form : forms) {
      std::string one;
      if (is_valid(form, value, one)) return true;
      const auto depth = [](std::string_view text) { return text.find(':'); };
      if (deepest.empty() || depth(one) > depth(deepest)) deepest = std::move(one);
    }
    problem = std::move(deepest);
    return false;
  }

  JsonDoc document_;
  std::map<std::string, JsonValue, std::less<>> by_name_;
};

}  // namespace weir::test
