#include "codec/gemini_fields.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <unordered_map>

#include "base/encoding.h"
#include "base/text.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::gemini;

std::string snake(std::string_view camel) {
  std::string out;
  for (const char c : camel) {
    if (c >= 'A' && c <= 'Z') out += '_';
    out += to_lower(c);
  }
  return out;
}

// One schema of OpenAPI's subset, written as a JSON schema.
class SchemaWriter {
 public:
  explicit SchemaWriter(JsonWriter& json) : json_(json) {}
  bool is_changed() const { return is_changed_; }

  void write(JsonValue schema) {
    if (!schema.is_object()) {
      json_.raw(schema.raw());
      return;
    }
    const bool is_nullable = schema["nullable"].bool_or(false);
    json_.begin_object();
    for (const JsonValue member : schema) write_member(schema, member, is_nullable);
    json_.end_object();
  }

 private:
  void write_member(JsonValue schema, JsonValue member, bool is_nullable) {
    constexpr std::array<std::string_view, 6> kCounts = {"minItems",  "maxItems",      "minLength",
                                                         "maxLength", "minProperties", "maxProperties"};
    const std::string key = gemini_camel(member.key());
    if (key != member.key()) is_changed_ = true;
    if (key == "nullable") {
      is_changed_ = true;
    } else if (key == "propertyOrdering") {
      is_changed_ = true;  // the properties stand in that order
    } else if (key == "type" && member.is_string()) {
      write_type(member.string_or(""), is_nullable);
    } else if (key == "properties" && member.is_object()) {
      write_properties(schema, member);
    } else if (key == "items" || key == "additionalProperties") {
      json_.key(key);
      write(member);
    } else if (key == "anyOf" && member.is_array()) {
      json_.key(key).begin_array();
      for (const JsonValue alternative : member) write(alternative);
      if (is_nullable && !schema["type"]) json_.raw(R"({"type":"null"})");
      json_.end_array();
    } else if (key == "enum" && member.is_array() && is_nullable) {
      json_.key(key).begin_array();
      for (const JsonValue value : member) json_.raw(value.raw());
      json_.null().end_array();
    } else if (member.is_string() && std::find(kCounts.begin(), kCounts.end(), key) != kCounts.end()) {
      is_changed_ = true;
      json_.key(key).raw(is_digits(member.string_or("")) ? member.string_or("") : member.raw());
    } else {
      json_.key(key).raw(member.raw());
    }
  }

  static bool is_digits(std::string_view text) {
    return !text.empty() && text.size() < 19 && (text == "0" || text[0] != '0') &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  }

  void write_type(std::string_view type, bool is_nullable) {
    const std::string lower = to_lower(type);
    if (lower != type) is_changed_ = true;
    if (lower == "type_unspecified") return;
    json_.key("type");
    if (is_nullable) {
      json_.begin_array().value(lower).value("null").end_array();
    } else {
      json_.value(lower);
    }
  }

  void write_properties(JsonValue schema, JsonValue properties) {
    json_.key("properties").begin_object();
    std::unordered_map<std::string_view, JsonValue> left;
    for (const JsonValue property : properties) left.try_emplace(property.key(), property);
    const auto write_one = [&](std::string_view name) {
      const auto found = left.find(name);
      if (found == left.end()) return;
      json_.key(name);
      write(found->second);
      left.erase(found);
    };
    for (const JsonValue name : gemini_member(schema, "propertyOrdering")) write_one(name.string_or(""));
    for (const JsonValue property : properties) write_one(property.key());
    json_.end_object();
  }

  JsonWriter& json_;
  bool is_changed_ = false;
};

}  // namespace

JsonValue gemini_member(JsonValue object, std::string_view camel) {
  const JsonValue found = object[camel];
  if (found) return found;
  const bool is_one_word =
      std::none_of(camel.begin(), camel.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (is_one_word) return found;
  const JsonValue other = object[snake(camel)];
  return other ? other : found;
}

std::string gemini_camel(std::string_view name) {
  std::string out;
  for (size_t i = 0; i < name.size(); ++i) {
    const bool is_joint =
        name[i] == '_' && i > 0 && i + 1 < name.size() && name[i + 1] >= 'a' && name[i + 1] <= 'z';
    if (is_joint) {
      out += static_cast<char>(name[++i] - 'a' + 'A');
    } else {
      out += name[i];
    }
  }
  return out;
}

std::string_view gemini_base64(std::string_view text, Arena& arena) {
  const bool is_url = text.find_first_of("-_") != std::string_view::npos;
  if (!is_url && text.size() % 4 == 0) return text;
  std::string standard(text);
  std::replace(standard.begin(), standard.end(), '-', '+');
  std::replace(standard.begin(), standard.end(), '_', '/');
  while (standard.size() % 4 != 0) standard += '=';
  return arena.keep(std::move(standard));
}

RawJson gemini_json_schema(JsonValue schema, Arena& arena) {
  std::string text;
  JsonWriter json(text);
  SchemaWriter writer(json);
  writer.write(schema);
  return {writer.is_changed() ? arena.keep(std::move(text)) : schema.raw()};
}

std::string gemini_query(std::string_view query, std::string_view name) {
  for (const std::string_view part : split(query, '&')) {
    const auto pair = split_once(part, '=');
    if (pair && pair->first == name) return query_decode(pair->second).value_or("");
  }
  return {};
}

Result<void> read_gemini_fields(std::span<const GeminiFieldRow> rows, JsonValue object,
                                std::string_view prefix, Chat& chat) {
  for (const JsonValue member : object) {
    const std::string key = gemini_camel(member.key());
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& one) { return one.key == key; });
    if (row != rows.end()) {
      TRY(settle_unknown(chat, row->read(chat, member)));
    } else {
      chat.extras.push_back({.dialect = kDialect,
                             .key = chat.arena->keep(fmt::format("{}{}", prefix, key)),
                             .raw = {member.raw()}});
    }
  }
  return {};
}

}  // namespace weir
