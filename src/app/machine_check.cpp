#include "app/machine_check.h"

#include <filesystem>
#include <fmt/core.h>
#include <unistd.h>

#include "app/listen.h"
#include "io/tls.h"
#include "provider/catalog_yaml.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

class MachineCheck {
 public:
  explicit MachineCheck(const Config& config) : config_(config) {}

  std::vector<Error> run() {
    check_tls();
    check_log();
    check_folder();
    check_ports();
    return std::move(problems_);
  }

 private:
  void tell(std::string_view setting, std::string_view what) {
    problems_.push_back(yaml_error(config_.file.empty() ? "the defaults" : config_.file,
                                   config_.line_of(setting), fmt::format("{}: {}", setting, what)));
  }

  void check_tls() {
    const ServerSettings& server = config_.server;
    if (server.tls_certificate.empty() && server.tls_key.empty()) return;
    if (server.tls_certificate.empty()) return tell("server.tls_key", "it goes with server.tls_certificate");
    if (server.tls_key.empty()) return tell("server.tls_certificate", "it needs server.tls_key");
    const auto loaded =
        TlsServerContext::load({.certificate = server.tls_certificate, .key = server.tls_key});
    if (!loaded) tell("server.tls_certificate", loaded.error().message);
  }

  void check_log() {
    const std::string& log = config_.server.access_log;
    if (log == "on" || log == "off") return;
    std::error_code failed;
    if (log.empty() || fs::is_directory(log, failed)) return tell("server.access_log", "on, off, or a file");
    const bool is_there = fs::exists(log, failed);
    const std::string folder = fs::absolute(log, failed).parent_path().string();
    if (access(is_there ? log.c_str() : folder.c_str(), W_OK) != 0)
      tell("server.access_log", fmt::format("{} cannot be written", log));
  }

  // Made when it is not there: then in the nearest folder that is.
  void check_folder() {
    const std::string& folder = config_.server.data_dir;
    std::error_code failed;
    fs::path nearest = fs::absolute(folder, failed);
    if (folder.empty() || failed) return tell("server.data_dir", "it needs a folder");
    while (!fs::exists(nearest, failed) && nearest.has_relative_path()) nearest = nearest.parent_path();
    if (!fs::is_directory(nearest, failed)) {
      tell("server.data_dir", fmt::format("{} is no folder", nearest.string()));
    } else if (access(nearest.c_str(), W_OK | X_OK) != 0) {
      tell("server.data_dir", fmt::format("the folder {} cannot be written to", nearest.string()));
    }
  }

  void check_ports() {
    const Result<ListenAddress> data = parse_listen_address(config_.server.listen);
    const Result<ListenAddress> admin = parse_listen_address(config_.server.admin_listen);
    if (!data || !admin || data->port == 0 || data->port != admin->port) return;
    const auto is_any = [](const std::string& host) { return host == "0.0.0.0" || host == "::"; };
    if (data->host == admin->host || is_any(data->host) || is_any(admin->host))
      tell("server.admin_listen", fmt::format("port {} is the data plane's already", admin->port));
  }

  const Config& config_;
  std::vector<Error> problems_;
};

}  // namespace

std::vector<Error> check_machine(const Config& config) {
  return MachineCheck(config).run();
}

}  // namespace weir
