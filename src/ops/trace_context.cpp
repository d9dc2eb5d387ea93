#include "ops/trace_context.h"

#include <algorithm>

namespace weir {
namespace {

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view text) {
  constexpr size_t kSize = 55;
  if (text.size() < kSize || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace = text.substr(3, 32);
  const std::string_view span = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  if (!is_lower_hex(version) || !is_lower_hex(trace) || !is_lower_hex(span) || !is_lower_hex(flags))
    return std::nullopt;
  // Version 00 has nothing after the flags; later ones may, after another dash.
  if (version == "ff" || (version == "00" && text.size() != kSize) ||
      (text.size() > kSize && text[kSize] != '-')) {
    return std::nullopt;
  }
  if (is_zero(trace) || is_zero(span)) return std::nullopt;
  TraceContext context;
  context.trace_id = trace;
  context.parent_span_id = span;
  const char low = flags[1];
  const int bits = low <= '9' ? low - '0' : low - 'a' + 10;
  context.is_sampled = (bits & 1) != 0;
  return context;
}

TraceContext trace_from(const Headers& headers, Rng& rng, double sample_ratio) {
  std::optional<TraceContext> context = parse_traceparent(headers.get_or("traceparent", ""));
  if (!context) {
    context.emplace();
    context->trace_id =
        InlineText<32>::written([&](FlatText& out) { out.hex(rng.next() | 1).hex(rng.next()); });
    context->is_sampled = rng.unit() < sample_ratio;
  }
  context->span_id = make_span_id(rng);
  return *context;
}

}  // namespace weir
