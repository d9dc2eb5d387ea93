#include "app/config_watch.h"

#include "app/config.h"

namespace weir {

std::vector<std::string> files_named_by(const Config& config) {
  std::vector<std::string> files = config.provider_files;
  files.insert(files.end(), config.price_files.begin(), config.price_files.end());
  files.insert(files.end(), {config.server.tls_certificate, config.server.tls_key});
  for (const ProviderConfig& provider : config.providers) {
    files.insert(files.end(),
                 {provider.ca_file, provider.credentials.file, provider.credentials.client_secret_file});
    for (const ProviderKeyConfig& key : provider.keys) files.push_back(key.source.file);
  }
  for (const KeyConfig& key : config.keys) files.push_back(key.source.file);
  std::erase(files, "");
  return files;
}

ConfigWatch::ConfigWatch(std::function<std::vector<std::string>()> files) : files_(std::move(files)) {
  seen_ = known_ = look();
}

ConfigWatch::Stamps ConfigWatch::look() const {
  Stamps stamps;
  for (const std::string& path : files_()) {
    std::error_code no_time;
    std::error_code no_size;
    const Stamp stamp{.time = std::filesystem::last_write_time(path, no_time),
                      .size = std::filesystem::file_size(path, no_size)};
    const auto known = known_.find(path);
    // A file that is being replaced may be away for a moment: that is not a change yet. One that was never
    // there is one when it comes.
    if (!no_time && !no_size) {
      stamps.emplace(path, stamp);
    } else {
      stamps.emplace(path, known == known_.end() ? Stamp{} : known->second);
    }
  }
  return stamps;
}

bool ConfigWatch::has_changed() {
  const Stamps now = look();
  // Files come and go with the configuration that names them, and were read with it.
  std::erase_if(known_, [&](const auto& file) { return !now.contains(file.first); });
  for (const auto& [path, stamp] : now) known_.emplace(path, stamp);
  const bool has_settled = now == seen_;
  seen_ = now;
  if (now == known_ || !has_settled) return false;
  known_ = now;
  return true;
}

}  // namespace weir
