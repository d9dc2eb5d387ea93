#include "codec/schema_downlevel.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"
#include "codec/schema_references.h"
#include "codec/schema_restore.h"

namespace weir {
namespace {

// A definition that holds itself is written out this often within itself; all that is written out together is
// bounded too, since definitions that name each other grow as powers.
constexpr size_t kRecursionsMax = 2;
constexpr size_t kSchemasMax = 4000;
// What is put together to one schema by $ref and allOf, over all schemas that are written.
constexpr size_t kSourcesMax = 4 * kSchemasMax;
constexpr int kDepthMax = 48;

constexpr std::array<std::string_view, 15> kBounds = {
    "pattern",          "minLength",        "maxLength",     "minimum",     "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "multipleOf",    "minItems",    "maxItems",
    "uniqueItems",      "minProperties",    "maxProperties", "minContains", "maxContains",
};
constexpr std::array<std::string_view, 18> kStructure = {
    "type",
    "properties",
    "required",
    "items",
    "prefixItems",
    "anyOf",
    "oneOf",
    "allOf",
    "$ref",
    "enum",
    "const",
    "format",
    "description",
    "$defs",
    "nullable",
    "$anchor",
    "propertyOrdering",
    "definitions",
};

template <class List, class Word>
bool has(const List& list, const Word& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// One schema may stand in several places at once: beside a $ref, in the members of an allOf. All of them
// apply.
using Sources = std::vector<JsonValue>;

JsonValue first_of(const Sources& sources, std::string_view key) {
  for (const JsonValue source : sources) {
    if (const JsonValue found = source[key]) return found;
  }
  return {};
}

// Where a value of the answer and a part of the client's schema stand.
struct Place {
  std::string schema;  // JSON pointer into the client's body
  std::string answer;  // into the answer, with "*" for any
  int depth = 0;
  Place at(std::string_view keyword, std::string_view segment) const {
    return {.schema = fmt::format("{}/{}", schema, keyword),
            .answer = segment.empty() ? answer : fmt::format("{}/{}", answer, segment),
            .depth = depth + 1};
  }
};

class Downleveler {
 public:
  Downleveler(JsonValue root, const SchemaRules& rules, Fidelity& fidelity)
      : root_(root), references_(root), rules_(rules), fidelity_(fidelity), json_(into_.text) {}

  DownleveledSchema run(SchemaUse use, std::string_view pointer) {
    const Place place{.schema = std::string(pointer), .answer = {}};
    const bool wraps = rules_.wraps_root && use == SchemaUse::answer && !is_object_schema(root_);
    if (wraps) {
      lose(place, "a root that is no object", "an object with value");
      into_.restore.is_wrapped = true;
      json_.begin_object().key("type").value("object").key("properties").begin_object().key("value");
    }
    write({root_}, place);
    if (wraps) {
      json_.end_object().key("required").begin_array().value("value").end_array();
      if (rules_.open_objects == OpenObjects::closed) json_.key("additionalProperties").value(false);
      if (rules_.refs != SchemaRefs::inlined) write_definitions({root_}, place);
      json_.end_object();
    }
    return std::move(into_);
  }
  bool is_changed() const { return is_changed_; }

 private:
  void lose(const Place& place, std::string_view from, std::string_view to = {},
            Severity severity = Severity::info) {
    is_changed_ = true;
    fidelity_.add(severity, LossReason::schema_downleveled, place.schema, std::string(from), std::string(to));
  }

  void lose_endless(const Place& place) {
    lose(place, "a schema that grows without end", "any value", Severity::warning);
  }

  // ---- References

  JsonValue resolve(std::string_view reference) { return references_.resolve(reference); }

  bool inlines(JsonValue target) {
    if (rules_.refs == SchemaRefs::inlined) return true;
    return rules_.refs == SchemaRefs::kept_unless_recursive && references_.is_recursive(target);
  }

  // The sources with what they refer to and, where it is merged, their allOf. False: too deep; they say
  // nothing.
  bool flatten(const Sources& sources, const Place& place, Sources& flat, size_t& entered) {
    for (const JsonValue source : sources) {
      if (!source.is_object()) {
        if (source.is_bool() && !source.bool_or(true)) lose(place, "false", "any value", Severity::warning);
        if (source.is_bool()) is_changed_ = true;
        continue;
      }
      if (++gathered_ > kSourcesMax) {
        if (gathered_ == kSourcesMax + 1) lose_endless(place);
        return false;
      }
      flat.push_back(source);
      const JsonValue reference = source["$ref"];
      if (reference.is_string()) {
        const JsonValue target = resolve(reference.string_or(""));
        if (!target) {
          into_.has_loose_ref = into_.has_loose_ref || rules_.refs == SchemaRefs::kept;
          if (rules_.refs == SchemaRefs::kept) continue;
          lose(place, "a $ref that leads nowhere", "any value", Severity::warning);
        } else if (inlines(target)) {
          is_changed_ = true;
          const auto times = std::count(stack_.begin(), stack_.end(), target.offset());
          if (static_cast<size_t>(times) > kRecursionsMax || stack_.size() > kDepthMax) {
            lose(place, "a recursive $ref", "any value", Severity::warning);
            return false;
          }
          stack_.push_back(target.offset());
          ++entered;
          if (!flatten({target}, place, flat, entered)) return false;
        }
      }
      const JsonValue all = source["allOf"];
      if (rules_.has_any_of_only && all.is_array()) {
        lose(place.at("allOf", ""), "allOf", "merged");
        if (stack_.size() > kDepthMax) return false;
        for (const JsonValue member : all) {
          if (!flatten({member}, place, flat, entered)) return false;
        }
      }
    }
    return true;
  }

  // Whether the schema, or what it refers to or is made of, wants an object.
  bool is_object_schema(JsonValue schema) {
    std::unordered_set<size_t> seen = {schema.offset()};
    Sources open = {schema};
    const auto look_at = [&](JsonValue found) {
      if (found && seen.insert(found.offset()).second) open.push_back(found);
    };
    while (!open.empty()) {
      const JsonValue source = open.back();
      open.pop_back();
      const JsonValue type = source["type"];
      if (equals_ignore_case(type.string_or(""), "object")) return true;
      if (!type && source["properties"].is_object()) return true;
      look_at(resolve(source["$ref"].string_or("")));
      const JsonValue all = source["allOf"];
      if (!all.is_array()) continue;
      for (const JsonValue member : all) look_at(member);
    }
    return false;
  }

  // ---- One schema

  void write(const Sources& sources, const Place& place) {
    Sources flat;
    size_t entered = 0;
    const bool is_whole =
        ++written_ <= kSchemasMax && place.depth <= kDepthMax && flatten(sources, place, flat, entered);
    if (written_ == kSchemasMax + 1) lose_endless(place);
    json_.begin_object();
    if (is_whole) Members(*this, flat, place).write();
    json_.end_object();
    stack_.resize(stack_.size() - entered);
  }

  void write_definitions(const Sources& sources, const Place& place) {
    for (const std::string_view key : {std::string_view("$defs"), std::string_view("definitions")}) {
      const JsonValue definitions = first_of(sources, key);
      if (!definitions.is_object()) continue;
      json_.key(key).begin_object();
      for (const JsonValue definition : definitions) {
        json_.key(definition.key());
        // Values of a definition may stand anywhere in the answer: none of them is turned back by its place.
        write({definition}, {.schema = fmt::format("{}/{}/{}", place.schema, key, definition.key()),
                             .answer = "/~definition",
                             .depth = place.depth + 1});
      }
      json_.end_object();
    }
  }

  // The members of one schema, gathered from its sources.
  class Members {
   public:
    Members(Downleveler& owner, Sources sources, const Place& place)
        : owner_(owner),
          rules_(owner.rules_),
          json_(owner.json_),
          sources_(std::move(sources)),
          place_(place) {
      description_ = first_of(sources_, "description").string_or("");
    }

    void write() {
      if (rules_.ref_stands_alone && writes_ref()) return;
      if (!rules_.has_null_type) settle_null();
      write_type();
      write_values();
      write_plain();
      write_object();
      write_array();
      write_unions();
      const bool is_root = sources_.size() == 1 && sources_[0].offset() == owner_.root_.offset();
      if (rules_.refs != SchemaRefs::inlined && !(is_root && owner_.into_.restore.is_wrapped))
        owner_.write_definitions(sources_, place_);
      if (is_nullable_) json_.key("nullable").value(true);
      if (!description_.empty()) json_.key("description").value(description_);
    }

   private:
    void lose(std::string_view keyword, std::string_view to, Severity severity = Severity::info) {
      owner_.lose(place_.at(keyword, ""), keyword, to, severity);
    }

    void describe(std::string_view words) {
      if (!description_.empty()) description_ += ' ';
      description_ += words;
    }

    // A $ref that stays, and what stands beside it goes.
    bool writes_ref() {
      const JsonValue reference = first_of(sources_, "$ref");
      if (!reference.is_string() || owner_.inlines(owner_.resolve(reference.string_or("")))) return false;
      for (const JsonValue source : sources_) {
        for (const JsonValue member : source) {
          if (!member.key().starts_with('$')) lose(member.key(), "$ref alone");
        }
      }
      json_.key("$ref").raw(reference.raw());
      return true;
    }

    // "null" among the types, the values or the alternatives becomes a flag; one alternative that is left is
    // the schema itself.
    void settle_null() {
      for (size_t i = 0; i < sources_.size(); ++i) {
        const JsonValue alternatives = sources_[i]["anyOf"] ? sources_[i]["anyOf"] : sources_[i]["oneOf"];
        if (!alternatives.is_array() || flattened_.contains(alternatives.offset())) continue;
        Sources left;
        for (const JsonValue alternative : alternatives) {
          if (alternative["type"].string_or("") != "null") left.push_back(alternative);
        }
        if (left.size() == alternatives.size()) continue;
        is_nullable_ = true;
        lose("anyOf", "nullable");
        if (left.size() != 1) continue;
        flattened_.insert(alternatives.offset());
        size_t entered = 0;
        Sources more;
        if (owner_.flatten(left, place_, more, entered))
          sources_.insert(sources_.end(), more.begin(), more.end());
        owner_.stack_.resize(owner_.stack_.size() - entered);
      }
      if (description_.empty()) description_ = first_of(sources_, "description").string_or("");
      if (first_of(sources_, "nullable").bool_or(false)) is_nullable_ = true;
    }

    void write_type() {
      const JsonValue type = first_of(sources_, "type");
      if (!type) {
        if (!rules_.has_null_type && first_of(sources_, "properties").is_object())
          json_.key("type").value("object");
        return;
      }
      if (rules_.has_null_type || type.is_string()) {
        if (!becomes_string()) json_.key("type").raw(type.raw());
        return;
      }
      std::vector<std::string_view> names;
      for (const JsonValue name : type) {
        if (name.string_or("") == "null") {
          is_nullable_ = true;
        } else {
          names.push_back(name.string_or(""));
        }
      }
      lose("type", is_nullable_ ? "nullable" : "anyOf");
      if (becomes_string()) return;
      if (names.size() == 1) {
        json_.key("type").value(names[0]);
      } else if (!names.empty() && !first_of(sources_, "anyOf")) {
        json_.key("anyOf").begin_array();
        for (const std::string_view name : names) {
          json_.begin_object().key("type").value(name);
          if (name == "array" && rules_.needs_items) json_.key("items").raw(R"({"type":"string"})");
          json_.end_object();
        }
        json_.end_array();
      }
    }

    // A constant that is written as an enum of it alone. A structure has no such form: enums are of texts.
    JsonValue constant_as_enum() const {
      const JsonValue constant = first_of(sources_, "const");
      const bool is_plain = constant.is_string() || is_other_scalar(constant);
      return !rules_.has_const && is_plain && !first_of(sources_, "enum") ? constant : JsonValue{};
    }

    static bool is_other_scalar(JsonValue value) { return value.is_number() || value.is_bool(); }

    // Whether the values of an enum are written as strings, though the client's are not.
    bool becomes_string() const {
      if (!rules_.has_string_enums_only) return false;
      if (is_other_scalar(constant_as_enum())) return true;
      for (const JsonValue value : first_of(sources_, "enum")) {
        if (!value.is_string() && !value.is_null()) return true;
      }
      return false;
    }

    void write_values() {
      const JsonValue values = first_of(sources_, "enum");
      if (values.is_array() && !rules_.has_string_enums_only) {
        json_.key("enum").raw(values.raw());
      } else if (values.is_array()) {
        write_string_enum(values);
      }
      const JsonValue constant = first_of(sources_, "const");
      if (!constant) return;
      if (rules_.has_const) {
        json_.key("const").raw(constant.raw());
      } else if (constant_as_enum()) {
        lose("const", "enum");
        write_string_enum(Sources{constant});
      } else {
        lose("const", "description");
        describe(fmt::format("It is always {}.", constant.raw()));
      }
    }

    template <class Values>
    void write_string_enum(const Values& values) {
      if (becomes_string()) {
        if (first_of(sources_, "enum")) lose("enum", "strings");
        json_.key("type").value("string");
      } else if (!first_of(sources_, "type")) {
        json_.key("type").value("string");
      }
      json_.key("enum").begin_array();
      for (const JsonValue value : values) {
        if (value.is_string()) {
          json_.value(value.string_or(""));
        } else if (value.is_null()) {
          is_nullable_ = true;
        } else {
          json_.value(value.raw());
          owner_.into_.restore.literals.push_back(
              {.pointer = place_.answer, .text = std::string(value.raw()), .json = std::string(value.raw())});
        }
      }
      json_.end_array();
    }

    // Keywords that hold no schema: each once, from the first source that has it.
    void write_plain() {
      std::unordered_set<std::string_view> seen;
      for (const JsonValue source : sources_) {
        for (const JsonValue member : source) {
          const std::string_view key = member.key();
          const bool is_written_elsewhere = has(kStructure, key) && key != "format" && key != "$ref" &&
                                            key != "$anchor" && key != "propertyOrdering";
          if (is_written_elsewhere || !seen.insert(key).second) continue;
          write_keyword(key, member);
        }
      }
    }

    void write_keyword(std::string_view key, JsonValue value) {
      if (key == "additionalProperties") return;
      if (key == "$ref") {
        if (!owner_.inlines(owner_.resolve(value.string_or("")))) json_.key(key).raw(value.raw());
      } else if (has(rules_.dropped, key)) {
        lose(key, "");
      } else if (key == "format") {
        if (rules_.formats.empty() || has(rules_.formats, value.string_or(""))) {
          if (!becomes_string()) json_.key(key).raw(value.raw());
        } else {
          lose(key, "description");
          describe(fmt::format("Format: {}.", value.string_or("")));
        }
      } else if (has(kBounds, key) && becomes_string()) {
        lose(key, "");  // of numbers, which the strings no longer are
      } else if (has(kBounds, key)) {
        const bool is_small = key != "minItems" || value.int_or(0) <= rules_.min_items_max;
        if (!rules_.describes_bounds || (has(rules_.bounds, key) && is_small)) {
          json_.key(key).raw(value.raw());
        } else {
          lose(key, "description");
          describe(fmt::format("{}: {}.", key, value.raw()));
        }
      } else if (rules_.drops_unknown && key != "$anchor" && key != "propertyOrdering") {
        lose(key, "", Severity::warning);
      } else {
        json_.key(key).raw(value.raw());
      }
    }

    void write_object() {
      std::vector<std::string_view> names;
      std::unordered_map<std::string_view, Sources> properties;
      for (const JsonValue source : sources_) {
        for (const JsonValue property : source["properties"]) {
          Sources& known = properties[property.key()];
          if (known.empty()) names.push_back(property.key());
          known.push_back(property);
        }
      }
      const std::vector<std::string_view> required = required_names();
      if (required.size() < names.size()) owner_.into_.has_optional = true;
      const bool has_properties = first_of(sources_, "properties").is_object();
      if (has_properties && names.empty() && rules_.omits_empty_properties) {
        owner_.is_changed_ = true;
      } else if (has_properties) {
        json_.key("properties").begin_object();
        for (const std::string_view name : names) {
          json_.key(name);
          owner_.write(properties[name],
                       place_.at(fmt::format("properties/{}", pointer_segment(name)), pointer_segment(name)));
        }
        json_.end_object();
      }
      if (!required.empty() && (has_properties || !rules_.omits_empty_properties)) {
        json_.key("required").begin_array();
        for (const std::string_view name : required) json_.value(name);
        json_.end_array();
      }
      write_additional();
    }

    std::vector<std::string_view> required_names() const {
      std::vector<std::string_view> required;
      std::unordered_set<std::string_view> seen;
      for (const JsonValue source : sources_) {
        for (const JsonValue name : source["required"]) {
          if (name.is_string() && seen.insert(name.string_or("")).second)
            required.push_back(name.string_or(""));
        }
      }
      return required;
    }

    void write_additional() {
      const JsonValue additional = first_of(sources_, "additionalProperties");
      switch (rules_.open_objects) {
        case OpenObjects::kept:
          if (additional.is_object()) {
            json_.key("additionalProperties");
            owner_.write({additional}, place_.at("additionalProperties", "*"));
          } else if (additional) {
            json_.key("additionalProperties").raw(additional.raw());
          }
          return;
        case OpenObjects::dropped:
          if (additional)
            lose("additionalProperties", "", additional.is_object() ? Severity::warning : Severity::info);
          return;
        case OpenObjects::closed:
          break;
      }
      const bool is_object = equals_ignore_case(first_of(sources_, "type").string_or(""), "object") ||
                             first_of(sources_, "properties").is_object();
      if (!is_object && !additional) return;
      if (!additional.is_bool() || additional.bool_or(true))
        lose("additionalProperties", "false", additional.is_object() ? Severity::warning : Severity::info);
      json_.key("additionalProperties").value(false);
    }

    void write_array() {
      JsonValue tuple = first_of(sources_, "prefixItems");
      JsonValue items = first_of(sources_, "items");
      if (items.is_array()) std::swap(tuple, items);
      const bool is_array = equals_ignore_case(first_of(sources_, "type").string_or(""), "array");
      if (tuple.is_array() && !rules_.needs_items) {
        json_.key("prefixItems").raw(tuple.raw());
      } else if (tuple.is_array() && tuple.size() > 0 && !items.is_object()) {
        lose("prefixItems", "items", Severity::warning);
        json_.key("items").begin_object().key("anyOf").begin_array();
        for (const JsonValue member : tuple) owner_.write({member}, place_.at("prefixItems", "*"));
        json_.end_array().end_object();
        return;
      }
      if (items.is_object() || (items.is_bool() && rules_.needs_items)) {
        json_.key("items");
        owner_.write({items}, place_.at("items", "*"));
      } else if (items) {
        json_.key("items").raw(items.raw());
      } else if (is_array && rules_.needs_items) {
        lose("items", "strings");
        json_.key("items").raw(R"({"type":"string"})");
      }
    }

    void write_unions() {
      std::vector<std::string_view> written;
      for (const JsonValue source : sources_) {
        for (const std::string_view key :
             {std::string_view("anyOf"), std::string_view("oneOf"), std::string_view("allOf")}) {
          const JsonValue members = source[key];
          if (!members.is_array() || flattened_.contains(members.offset())) continue;
          if (key == "allOf" && rules_.has_any_of_only) continue;
          const std::string_view name = key == "oneOf" && rules_.has_any_of_only ? "anyOf" : key;
          if (name != key) lose(key, name);
          if (has(written, name)) {
            lose(key, "", Severity::warning);
            continue;
          }
          written.push_back(name);
          json_.key(name).begin_array();
          size_t index = 0;
          for (const JsonValue member : members) {
            const Place at = place_.at(fmt::format("{}/{}", key, index++), "");
            if (rules_.has_null_type || member["type"].string_or("") != "null") owner_.write({member}, at);
          }
          json_.end_array();
        }
      }
    }

    Downleveler& owner_;
    const SchemaRules& rules_;
    JsonWriter& json_;
    Sources sources_;
    const Place& place_;
    std::string description_;
    std::unordered_set<size_t> flattened_;  // offsets of unions that settle_null took in
    bool is_nullable_ = false;
  };

  const JsonValue root_;
  SchemaReferences references_;
  const SchemaRules& rules_;
  Fidelity& fidelity_;
  DownleveledSchema into_;
  JsonWriter json_;
  std::vector<size_t> stack_;  // offsets of the definitions that are being written out
  size_t written_ = 0;
  size_t gathered_ = 0;
  bool is_changed_ = false;
};

}  // namespace

DownleveledSchema downlevel_schema(std::string_view schema, const SchemaRules& rules, SchemaUse use,
                                   std::string_view pointer, Fidelity& fidelity) {
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(schema));
  if (!parsed || !parsed->root().is_object()) return {.text = std::string(schema), .restore = {}};
  Downleveler downleveler(parsed->root(), rules, fidelity);
  DownleveledSchema made = downleveler.run(use, pointer);
  // Nothing changed: the client's own bytes, in its order.
  if (!downleveler.is_changed()) made.text = schema;
  return made;
}

}  // namespace weir
