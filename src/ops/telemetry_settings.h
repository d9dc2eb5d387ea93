// What can be set of metrics and traces: `telemetry:` in the configuration.
#pragma once

#include <span>

#include "base/settings.h"

namespace weir {

struct TelemetrySettings {
  std::string otlp_endpoint;  // http(s)://host:port/v1/traces; empty: no export
  double sample_ratio = 1.0;
  std::string service_name = "weir";
  bool gen_ai_latest = false;
};

std::span<const Setting<TelemetrySettings>> telemetry_setting_rows();

}  // namespace weir
