#include "codec/fields.h"

#include <fmt/core.h>

namespace weir {

Result<void> read_field(JsonValue value, std::string_view& into) {
  if (!value.is_absent()) into = TRY(value.as_string());
  return {};
}

Result<void> read_field(JsonValue value, std::optional<double>& into) {
  if (!value.is_absent()) into = TRY(value.as_double());
  return {};
}

Result<void> read_field(JsonValue value, std::optional<int64_t>& into) {
  if (!value.is_absent()) into = TRY(value.as_int());
  return {};
}

Result<void> read_field(JsonValue value, std::optional<bool>& into) {
  if (!value.is_absent()) into = TRY(value.as_bool());
  return {};
}

Result<void> read_field(JsonValue value, bool& into) {
  if (!value.is_absent()) into = TRY(value.as_bool());
  return {};
}

Result<std::string_view> required_string(JsonValue object, std::string_view key) {
  const JsonValue value = object[key];
  const auto refuse = [&](std::string_view what) {
    const std::string base = object.path();
    std::string path = base.empty() ? std::string(key) : base + "." + std::string(key);
    return fail(ErrorKind::bad_request, fmt::format("{} {}", path, what), path);
  };
  if (value.is_absent()) return refuse("is missing");
  const std::string_view text = TRY(value.as_string());
  if (text.empty()) return refuse("must not be empty");
  return text;
}

std::unexpected<Error> unknown_value(std::string message, std::string path) {
  return fail(ErrorKind::unsupported, std::move(message), std::move(path));
}

Result<void> settle_unknown(Chat& chat, Result<void> read) {
  if (read || read.error().kind != ErrorKind::unsupported) return read;
  if (!chat.only_raw) chat.only_raw = std::make_shared<const Error>(std::move(read).error());
  return {};
}

std::string json_pointer(JsonValue value) {
  std::string pointer = "/";
  for (const char c : value.path()) {
    if (c == '.' || c == '[') {
      if (pointer.size() > 1) pointer.push_back('/');
    } else if (c != ']') {
      pointer.push_back(c);
    }
  }
  return pointer;
}

}  // namespace weir
