// What can be set of the process: `server:` in the configuration.
#pragma once

#include <span>

#include "base/settings.h"

namespace weir {

struct ServerSettings {
  std::string listen = "127.0.0.1:7480";
  std::string admin_listen = "127.0.0.1:7481";
  std::string data_dir = "./weir-data";
  int64_t threads = 0;
  Duration drain_timeout = std::chrono::seconds(30);
  std::string tls_certificate;
  std::string tls_key;
  std::string log_level = "info";
  std::string access_log = "on";
};

std::span<const Setting<ServerSettings>> server_setting_rows();

}  // namespace weir
