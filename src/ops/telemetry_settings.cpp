#include "ops/telemetry_settings.h"

#include <array>

namespace weir {

std::span<const Setting<TelemetrySettings>> telemetry_setting_rows() {
  using Row = Setting<TelemetrySettings>;
  static const std::array kRows = {
      Row{.key = "otlp_endpoint",
          .member = &TelemetrySettings::otlp_endpoint,
          .applies = Applies::restart,
          .sentence =
              "Where traces go by OTLP over HTTP, e.g. http://127.0.0.1:4318/v1/traces; empty: nowhere."},
      Row{.key = "sample_ratio",
          .member = &TelemetrySettings::sample_ratio,
          .applies = Applies::restart,
          .sentence = "The share of traces that begin here and are sampled; a caller's own decision wins.",
          .min = 0,
          .max = 1},
      Row{.key = "service_name",
          .member = &TelemetrySettings::service_name,
          .applies = Applies::restart,
          .sentence = "service.name in traces."},
      Row{.key = "gen_ai_latest",
          .member = &TelemetrySettings::gen_ai_latest,
          .applies = Applies::restart,
          .sentence = "Show the metrics of the newer generation of OpenTelemetry's gen_ai conventions "
                      "(gen_ai_client_inference_*) beside those of v1.41."},
  };
  return kRows;
}

}  // namespace weir
