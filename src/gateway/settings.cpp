#include "gateway/settings.h"

#include <array>

namespace weir {

std::span<const Setting<GatewaySettings>> gateway_setting_rows() {
  using Row = Setting<GatewaySettings>;
  static const std::array kRows = {
      Row{.key = "timeout",
          .member = &GatewaySettings::timeout,
          .sentence = "Time limit of a whole model call when neither the client nor the route says less.",
          .min = 0.1,
          .max = 86'400},
      Row{.key = "head_wait",
          .member = &GatewaySettings::head_wait,
          .sentence = "When a streamed answer's head leaves although no content has come. Until then a "
                      "failure is a real HTTP "
                      "error and another target may be tried.",
          .min = 0.1,
          .max = 600},
      Row{.key = "keep_alive",
          .member = &GatewaySettings::keep_alive,
          .sentence = "Time between comments or pings on a stream that is silent.",
          .min = 1,
          .max = 600},
      Row{.key = "body_bytes_max",
          .member = &GatewaySettings::body_bytes_max,
          .sentence = "The largest request body; a larger one gets 413.",
          .min = 1024,
          .max = static_cast<double>(kBodyBytesMax)},
      Row{.key = "cors_origins",
          .member = &GatewaySettings::cors_origins,
          .sentence =
              "Origins of web pages that may call Weir from a browser, e.g. https://app.example.com."},
  };
  return kRows;
}

}  // namespace weir
