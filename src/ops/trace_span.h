// An exchange as spans of OpenTelemetry, in the JSON form of OTLP
// (https://opentelemetry.io/docs/specs/otlp/, section "JSON Protobuf Encoding").
#pragma once

#include <string>

#include "gateway/observer.h"

namespace weir {

// Appends the exchange's server span and a client span for each attempt, as JSON objects separated by commas.
// Attributes follow the gen_ai conventions; text of users is not among them. `wall_ns` and `now` are the same
// moment on the two clocks.
void append_spans(std::string& out, const Exchange& exchange, const ExchangeOutcome& outcome, MonoTime now,
                  int64_t wall_ns);

// How many spans append_spans() appends.
size_t span_count(const Exchange& exchange);

// A whole ExportTraceServiceRequest around spans separated by commas.
std::string trace_request(std::string_view service_name, std::string_view spans);

}  // namespace weir
