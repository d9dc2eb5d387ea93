#include "base/json.h"
#include "base/log.h"
#include "base/log_redact.h"

namespace weir {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

// "2026-11-20T11:22:33." of the last second seen: lines come by the thousand within one.
struct SecondText {
  int64_t second = -1;
  std::array<char, 20> text{};
};

void append_timestamp(std::string& out, int64_t wall_ns) {
  thread_local constinit SecondText cached;
  const int64_t second = wall_ns / kNsPerSecond;
  if (second != cached.second) {
    using namespace std::chrono;
    const sys_seconds time{seconds(second)};
    const sys_days day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(time - day);
    const std::string text =
        fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    clock.hours().count(), clock.minutes().count(), clock.seconds().count());
    std::copy_n(text.begin(), cached.text.size(), cached.text.begin());
    cached.second = second;
  }
  out.append(cached.text.data(), cached.text.size());
  std::array<char, 7> micros{};
  int64_t rest = wall_ns % kNsPerSecond / 1000;
  for (size_t i = 6; i-- > 0; rest /= 10) micros[i] = static_cast<char>('0' + rest % 10);
  micros[6] = 'Z';
  out.append(micros.data(), micros.size());
}

// The redacted text, in a buffer of this thread that the next call reuses.
std::string_view redacted(std::string_view text) {
  thread_local std::string buffer;
  buffer.clear();
  append_redacted(buffer, text);
  return buffer;
}

std::string_view text_of(const LogField& field, std::string_view text) {
  return is_secret_name(field.name) ? kRedacted : redacted(text);
}

void append_json_value(std::string& out, const LogField& field) {
  std::visit(
      [&out, &field](auto value) {
        if constexpr (std::is_same_v<decltype(value), std::string_view>) {
          append_json_string(out, text_of(field, value));
        } else {
          JsonWriter(out).value(value);
        }
      },
      field.value);
}

void append_json_line(std::string& out, int64_t wall_ns, LogLevel level, std::string_view message,
                      LogFields fields) {
  out.append(R"({"ts":")");
  append_timestamp(out, wall_ns);
  out.append(R"(","level":")").append(to_string(level)).append(R"(","msg":)");
  append_json_string(out, redacted(message));
  for (const LogField& field : fields) {
    out.push_back(',');
    append_json_string(out, field.name);
    out.push_back(':');
    append_json_value(out, field);
  }
  out.append("}\n");
}

bool is_plain(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f && c != '"'; });
}

// Control characters would let a caller's text move the cursor or forge a line.
void append_visible(std::string& out, std::string_view text) {
  for (const char c : text) out.push_back(static_cast<uint8_t>(c) < 0x20 || c == 0x7f ? '?' : c);
}

void append_text_line(std::string& out, int64_t wall_ns, LogLevel level, std::string_view message,
                      LogFields fields) {
  append_timestamp(out, wall_ns);
  out.append(fmt::format(" {:<5} ", to_string(level)));
  append_visible(out, redacted(message));
  for (const LogField& field : fields) {
    out.push_back(' ');
    append_visible(out, field.name);
    out.push_back('=');
    const auto* const text = std::get_if<std::string_view>(&field.value);
    if (text != nullptr && is_plain(*text)) {
      out.append(text_of(field, *text));
    } else {
      append_json_value(out, field);
    }
  }
  out.push_back('\n');
}

constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warn", "error"};

}  // namespace

std::string_view to_string(LogLevel level) {
  return kLevelNames[static_cast<size_t>(level)];
}

std::optional<LogLevel> parse_log_level(std::string_view name) {
  for (size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == name) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

void append_log_line(std::string& out, LogFormat format, int64_t wall_ns, LogLevel level,
                     std::string_view message, LogFields fields) {
  if (format == LogFormat::json) {
    append_json_line(out, wall_ns, level, message, fields);
  } else {
    append_text_line(out, wall_ns, level, message, fields);
  }
}

}  // namespace weir
