// Reading values out of the table that json.cpp built.
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fmt/core.h>
#include <optional>

#include "base/json.h"
#include "base/json_table.h"

namespace weir {

using detail::JsonNode;

namespace {

// What missing_ points to for an element that was not there; then missing_length_ is its index.
constexpr char kMissingElement = '[';

std::string_view with_article(JsonType type) {
  switch (type) {
    case JsonType::missing:
      return "missing";
    case JsonType::null:
      return "null";
    case JsonType::boolean:
      return "a boolean";
    case JsonType::number:
      return "a number";
    case JsonType::string:
      return "a string";
    case JsonType::array:
      return "an array";
    case JsonType::object:
      return "an object";
  }
  return "missing";
}

// The same as exact_integer, of any number.
[[gnu::noinline]] std::optional<int64_t> exact_integer_of_any(std::string_view number) {
  int64_t value = 0;
  const char* end = number.data() + number.size();
  const auto whole = std::from_chars(number.data(), end, value);
  if (whole.ptr == end) return whole.ec == std::errc() ? std::optional(value) : std::nullopt;

  const size_t e = std::min(number.find_first_of("eE"), number.size());
  int64_t exponent = 0;
  if (e < number.size()) {
    std::string_view digits = number.substr(e + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    // Beyond any text's length: only the sign matters.
    if (read.ec != std::errc()) exponent = digits.starts_with('-') ? -(int64_t{1} << 60) : int64_t{1} << 60;
  }
  // The number is digits times ten to the exponent.
  std::string digits;
  bool behind_point = false;
  for (const char c : number.substr(0, e)) {
    if (c == '.') behind_point = true;
    if (c < '0' || c > '9' || (c == '0' && digits.empty() && !behind_point)) continue;
    if (behind_point) --exponent;
    if (c != '0' || !digits.empty()) digits += c;
  }
  while (!digits.empty() && digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  if (digits.empty()) return 0;
  if (exponent < 0 || exponent > 19 || digits.size() > 19) return std::nullopt;
  digits.append(static_cast<size_t>(exponent), '0');
  if (number.front() == '-') digits.insert(0, 1, '-');
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return read.ec == std::errc() ? std::optional(value) : std::nullopt;
}

// The value of a JSON number that has no fraction, exactly, whatever its spelling ("1.50e2" is 150); nothing
// when it has one or does not fit. REQUIRES a valid JSON number.
std::optional<int64_t> exact_integer(std::string_view number) {
  constexpr size_t kSurelyFits = 18;  // digits
  if (number.size() > kSurelyFits) return exact_integer_of_any(number);
  int64_t value = 0;
  for (const char c : number) {
    if (c < '0' || c > '9') return exact_integer_of_any(number);
    value = value * 10 + (c - '0');
  }
  return value;
}

// The nearest double; nothing when it is beyond the largest one. Too small becomes zero. REQUIRES a valid
// JSON number.
std::optional<double> nearest_double(std::string_view number) {
  double value = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
  if (read.ec == std::errc()) return value;
  value = std::strtod(std::string(number).c_str(), nullptr);  // tells too large from too small
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string_view to_string(JsonType type) {
  switch (type) {
    case JsonType::missing:
      return "missing";
    case JsonType::null:
      return "null";
    case JsonType::boolean:
      return "boolean";
    case JsonType::number:
      return "number";
    case JsonType::string:
      return "string";
    case JsonType::array:
      return "array";
    case JsonType::object:
      return "object";
  }
  return "missing";
}

JsonType JsonValue::type() const {
  return *this ? table_->nodes[index_].type : JsonType::missing;
}

JsonValue JsonValue::missing_member(std::string_view key) const {
  if (missing_)
    return *this;  // what lies inside something missing: the outermost is what the caller must add
  JsonValue value(table_, index_);
  value.missing_ = key.data() ? key.data() : "";
  value.missing_length_ = static_cast<uint32_t>(key.size());
  return value;
}

JsonValue JsonValue::missing_element(size_t index) const {
  if (missing_) return *this;
  JsonValue value(table_, index_);
  value.missing_ = &kMissingElement;
  value.missing_length_ = static_cast<uint32_t>(index);
  return value;
}

JsonValue JsonValue::operator[](std::string_view key) const {
  if (is_object()) {
    uint32_t member = index_ + 1;
    for (uint32_t left = table_->nodes[index_].children.count; left > 0; --left) {
      if (table_->nodes[member].string() == key) return {table_, member + 1};
      member = table_->after(member + 1);
    }
  }
  return missing_member(key);
}

JsonValue JsonValue::at(size_t index) const {
  if (!is_array() || index >= size()) return missing_element(index);
  uint32_t element = index_ + 1;
  for (; index > 0; --index) element = table_->after(element);
  return {table_, element};
}

size_t JsonValue::size() const {
  return is_array() || is_object() ? table_->nodes[index_].children.count : 0;
}

std::unexpected<Error> JsonValue::type_error(std::string_view expected) const {
  std::string where = path();
  std::string name = where.empty() ? "the JSON text" : fmt::format("'{}'", where);
  if (!*this) {
    return fail(ErrorKind::bad_request, fmt::format("{} is required and must be {}", name, expected),
                std::move(where));
  }
  return fail(ErrorKind::bad_request,
              fmt::format("{} must be {}, not {}", name, expected, with_article(type())), std::move(where));
}

Result<std::string_view> JsonValue::as_string() const {
  if (!is_string()) return type_error("a string");
  return table_->nodes[index_].string();
}

Result<bool> JsonValue::as_bool() const {
  if (!is_bool()) return type_error("a boolean");
  return raw() == "true";
}

Result<int64_t> JsonValue::as_int() const {
  if (!is_number()) return type_error("an integer");
  if (const auto value = exact_integer(raw())) return *value;
  std::string where = path();
  return fail(ErrorKind::bad_request, fmt::format("'{}' must be an integer of 64 bits", where),
              std::move(where));
}

Result<double> JsonValue::as_double() const {
  if (!is_number()) return type_error("a number");
  if (const auto value = nearest_double(raw())) return *value;
  std::string where = path();
  return fail(ErrorKind::bad_request, fmt::format("'{}' is too large", where), std::move(where));
}

Result<void> JsonValue::expect(JsonType expected) const {
  if (type() != expected) return type_error(with_article(expected));
  return {};
}

std::string_view JsonValue::string_or(std::string_view fallback) const {
  return is_string() ? table_->nodes[index_].string() : fallback;
}

int64_t JsonValue::int_or(int64_t fallback) const {
  return is_number() ? exact_integer(raw()).value_or(fallback) : fallback;
}

double JsonValue::double_or(double fallback) const {
  return is_number() ? nearest_double(raw()).value_or(fallback) : fallback;
}

bool JsonValue::bool_or(bool fallback) const {
  return is_bool() ? raw() == "true" : fallback;
}

std::string_view JsonValue::raw() const {
  return *this ? table_->slice(table_->nodes[index_]) : std::string_view();
}

size_t JsonValue::offset() const {
  return *this ? table_->nodes[index_].begin : 0;
}

std::string_view JsonValue::key() const {
  return *this && table_->nodes[index_].is_member ? table_->nodes[index_ - 1].string() : std::string_view();
}

size_t JsonValue::key_offset() const {
  return *this && table_->nodes[index_].is_member ? table_->nodes[index_ - 1].begin : 0;
}

std::string JsonValue::path() const {
  std::string path;
  if (!table_) return path;
  uint32_t container = 0;
  while (container != index_) {
    const JsonNode& node = table_->nodes[container];
    const bool is_object = node.type == JsonType::object;
    uint32_t child = container + (is_object ? 2 : 1);
    size_t position = 0;
    while (table_->after(child) <= index_) {
      child = table_->after(child) + (is_object ? 1 : 0);
      ++position;
    }
    if (is_object) {
      detail::append_path_key(path, table_->nodes[child - 1].string());
    } else {
      detail::append_path_index(path, position);
    }
    container = child;
  }
  if (missing_ == &kMissingElement) {
    detail::append_path_index(path, missing_length_);
  } else if (missing_) {
    detail::append_path_key(path, {missing_, missing_length_});
  }
  return path;
}

JsonValue::Iterator& JsonValue::Iterator::operator++() {
  index_ = table_->after(index_) + (table_->nodes[index_].is_member ? 1 : 0);
  return *this;
}

JsonValue::Iterator JsonValue::begin() const {
  if (is_object()) return {table_, index_ + 2};
  if (is_array()) return {table_, index_ + 1};
  return {table_, 0};
}

JsonValue::Iterator JsonValue::end() const {
  if (is_object()) return {table_, table_->after(index_) + 1};
  if (is_array()) return {table_, table_->after(index_)};
  return {table_, 0};
}

}  // namespace weir
