#include "app/server_settings.h"

#include <array>

namespace weir {

std::span<const Setting<ServerSettings>> server_setting_rows() {
  using Row = Setting<ServerSettings>;
  static const std::array kRows = {
      Row{.key = "listen",
          .member = &ServerSettings::listen,
          .applies = Applies::restart,
          .sentence =
              "Address and port of the data plane; port 0 takes a free one. Other than loopback needs keys."},
      Row{.key = "admin_listen",
          .member = &ServerSettings::admin_listen,
          .applies = Applies::restart,
          .sentence = "Address and port of the admin plane: metrics, readiness, reload, status."},
      Row{.key = "data_dir",
          .member = &ServerSettings::data_dir,
          .applies = Applies::restart,
          .sentence = "Where Weir keeps what it must not lose."},
      Row{.key = "threads",
          .member = &ServerSettings::threads,
          .applies = Applies::restart,
          .sentence = "Event loops, one thread each; 0 takes one for each processor.",
          .min = 0,
          .max = 256},
      Row{.key = "drain_timeout",
          .member = &ServerSettings::drain_timeout,
          .sentence = "How long requests in flight may take to end when the server stops.",
          .min = 0,
          .max = 3600},
      Row{.key = "tls_certificate",
          .member = &ServerSettings::tls_certificate,
          .applies = Applies::restart,
          .sentence = "PEM file of the certificate chain of the data plane; empty: no TLS. Its content may "
                      "change on reload."},
      Row{.key = "tls_key",
          .member = &ServerSettings::tls_key,
          .applies = Applies::restart,
          .sentence = "PEM file of the certificate's private key."},
      Row{.key = "log_level",
          .member = &ServerSettings::log_level,
          .sentence = "The least important log lines that are written.",
          .choices = "debug|info|warn|error"},
      Row{.key = "access_log",
          .member = &ServerSettings::access_log,
          .applies = Applies::restart,
          .sentence =
              "One JSON line for each request but checks of health and preflights: on (with the log), off, "
              "or a file's path. SIGHUP and a reload open the file anew, for logrotate."},
  };
  return kRows;
}

}  // namespace weir
