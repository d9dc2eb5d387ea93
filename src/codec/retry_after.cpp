#include "codec/retry_after.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

#include "base/text.h"

namespace weir {
namespace {

constexpr int64_t kDayMs = 86'400'000;

std::optional<int> digits(std::string_view text, size_t at, size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<int64_t> epoch_seconds(int year, int month, int day, int hour, int minute, int second) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * int64_t{86'400} + hour * 3600 + minute * 60 + second;
}

// A number of units, as milliseconds; nullopt for anything but a plain non-negative number below a day.
std::optional<int64_t> number_ms(std::string_view text, double unit_ms) {
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || !(value >= 0)) return std::nullopt;
  return static_cast<int64_t>(std::ceil(std::min(value * unit_ms, static_cast<double>(kDayMs))));
}

std::optional<int64_t> until_ms(std::optional<int64_t> epoch_s, int64_t wall_ns) {
  if (!epoch_s) return std::nullopt;
  return std::clamp<int64_t>(*epoch_s * 1000 - wall_ns / 1'000'000, 0, kDayMs);
}

// "1m30s", "20ms", "6m0s", or plain seconds.
std::optional<int64_t> reset_ms(std::string_view text) {
  if (const auto seconds = number_ms(text, 1000)) return seconds;
  const auto duration = parse_duration(text);
  if (!duration) return std::nullopt;
  return std::clamp<int64_t>(*duration / 1'000'000, 0, kDayMs);
}

// The limits that a provider counts; only the exhausted one says when it comes back.
constexpr std::array<std::string_view, 4> kCounted = {"requests", "tokens", "input-tokens", "output-tokens"};

bool is_exhausted(const Headers& headers, std::string_view prefix, std::string_view what) {
  const std::string name = std::string(prefix) + "ratelimit-remaining-" + std::string(what);
  const std::string other = std::string(prefix) + "ratelimit-" + std::string(what) + "-remaining";
  return headers.get_or(name, headers.get_or(other, "")) == "0";
}

}  // namespace

std::optional<int64_t> parse_http_date(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
  const size_t month = kMonths.find(text.substr(8, 3));
  const auto day = digits(text, 5, 2);
  const auto year = digits(text, 12, 4);
  const auto hour = digits(text, 17, 2);
  const auto minute = digits(text, 20, 2);
  const auto second = digits(text, 23, 2);
  if (month == std::string_view::npos || month % 3 != 0 || !day || !year || !hour || !minute || !second) {
    return std::nullopt;
  }
  return epoch_seconds(*year, static_cast<int>(month / 3) + 1, *day, *hour, *minute, *second);
}

std::optional<int64_t> parse_rfc3339(std::string_view text) {
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const auto local = epoch_seconds(*year, *month, *day, *hour, *minute, *second);
  if (!local) return std::nullopt;
  std::string_view zone = text.substr(19);
  while (!zone.empty() && (zone[0] == '.' || (zone[0] >= '0' && zone[0] <= '9'))) zone.remove_prefix(1);
  if (zone == "Z" || zone == "z") return local;
  const auto zone_hour = digits(zone, 1, 2);
  const auto zone_minute = digits(zone, 4, 2);
  if (zone.size() != 6 || !zone_hour || !zone_minute) return std::nullopt;
  const int64_t offset = *zone_hour * 3600 + *zone_minute * 60;
  return zone[0] == '-' ? *local + offset : *local - offset;
}

std::optional<int64_t> retry_after_ms(const Headers& headers, int64_t wall_ns) {
  if (const auto value = headers.get("retry-after-ms")) {
    if (const auto ms = number_ms(trim(*value), 1)) return ms;
  }
  if (const auto value = headers.get("retry-after")) {
    if (const auto ms = number_ms(trim(*value), 1000)) return ms;
    if (const auto ms = until_ms(parse_http_date(trim(*value)), wall_ns)) return ms;
  }
  std::optional<int64_t> latest;
  for (const std::string_view what : kCounted) {
    const std::string name(what);
    if (is_exhausted(headers, "x-", what)) {
      latest = std::max(latest, reset_ms(trim(headers.get_or("x-ratelimit-reset-" + name, ""))));
    }
    if (is_exhausted(headers, "anthropic-", what)) {
      const std::string_view reset = headers.get_or("anthropic-ratelimit-" + name + "-reset", "");
      latest = std::max(latest, until_ms(parse_rfc3339(trim(reset)), wall_ns));
    }
  }
  return latest;
}

}  // namespace weir
