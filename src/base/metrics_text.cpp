// The Prometheus text exposition format 0.0.4.
#include <cmath>

#include "base/metrics.h"

namespace weir {
namespace {

// Label values escape backslash, quote and line feed; help texts, which have no quotes around them, the first
// and last.
void append_escaped(std::string& out, std::string_view text, bool escapes_quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out.append("\\\\");
    } else if (c == '\n') {
      out.append("\\n");
    } else if (c == '"' && escapes_quotes) {
      out.append("\\\"");
    } else {
      out.push_back(c);
    }
  }
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  // Counts up to 2^53 without exponent; the rest as the shortest text that reads back to the same double.
  if (value == std::floor(value) && std::abs(value) < 9'007'199'254'740'992.0) {
    return fmt::format("{}", static_cast<int64_t>(value));
  }
  return fmt::format("{}", value);
}

// name="value",... without the braces.
std::string labels_text(const MetricSnapshot& family, const MetricPoint& point) {
  std::string text;
  for (size_t i = 0; i < family.label_names.size(); ++i) {
    if (i > 0) text.push_back(',');
    text.append(family.label_names[i]).append("=\"");
    append_escaped(text, point.label_values[i], true);
    text.push_back('"');
  }
  return text;
}

void append_sample(std::string& out, std::string_view name, std::string_view suffix, std::string_view labels,
                   std::string_view value) {
  out.append(name).append(suffix);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.append(" ").append(value).push_back('\n');
}

void append_histogram(std::string& out, const MetricSnapshot& family, const MetricPoint& point,
                      const std::string& labels) {
  uint64_t count = 0;
  for (size_t i = 0; i < point.bucket_counts.size(); ++i) {
    count += point.bucket_counts[i];
    const std::string bound = i < family.bounds.size() ? number(family.bounds[i]) : "+Inf";
    const std::string with_bound = fmt::format("{}{}le=\"{}\"", labels, labels.empty() ? "" : ",", bound);
    append_sample(out, family.name, "_bucket", with_bound, fmt::format("{}", count));
  }
  append_sample(out, family.name, "_sum", labels, number(point.sum));
  append_sample(out, family.name, "_count", labels, fmt::format("{}", count));
}

}  // namespace

std::string prometheus_text(const std::vector<MetricSnapshot>& families) {
  std::string out;
  for (const MetricSnapshot& family : families) {
    out.append("# HELP ").append(family.name).push_back(' ');
    append_escaped(out, family.help, false);
    out.append("\n# TYPE ").append(family.name).append(" ").append(to_string(family.type)).push_back('\n');
    for (const MetricPoint& point : family.points) {
      const std::string labels = labels_text(family, point);
      if (family.type == MetricType::histogram) {
        append_histogram(out, family, point, labels);
      } else {
        append_sample(out, family.name, "", labels, number(point.value));
      }
    }
  }
  return out;
}

}  // namespace weir
