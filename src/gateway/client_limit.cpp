#include "gateway/client_limit.h"

#include <algorithm>
#include <charconv>

namespace weir {
namespace {

// A positive number of those units; SDKs send fractions of seconds too.
std::optional<Duration> duration_of(const Headers& headers, std::string_view name, Duration unit) {
  constexpr double kDay = 86'400e9;
  const auto text = headers.get(name);
  if (!text) return std::nullopt;
  double number = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (failed != std::errc() || end != text->data() + text->size() || !(number > 0)) return std::nullopt;
  return Duration(static_cast<int64_t>(std::min(number * static_cast<double>(unit.count()), kDay)));
}

}  // namespace

std::optional<Duration> said_limit(const Headers& headers) {
  return duration_of(headers, kTimeoutHeader, std::chrono::milliseconds(1));
}

std::optional<Duration> client_limit(const Headers& headers) {
  const std::optional<Duration> said = said_limit(headers);
  const std::optional<Duration> of_sdk = duration_of(headers, "x-stainless-timeout", std::chrono::seconds(1));
  if (!said || !of_sdk) return said ? said : of_sdk;
  return std::min(*said, *of_sdk);
}

}  // namespace weir
