// Tells when the configuration file, or a file that it names, has changed.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace weir {

struct Config;

// The files that a reload reads beside the configuration itself: keys, certificates, authorities, tables.
std::vector<std::string> files_named_by(const Config& config);

// Looks at the files' times and sizes when asked. A change is told once, one look after it was first seen and
// when it has settled, so that an editor that writes in pieces is not caught in the middle.
class ConfigWatch {
 public:
  // `files` is asked at each look: what a reload has begun to read is watched from then on.
  explicit ConfigWatch(std::function<std::vector<std::string>()> files);
  bool has_changed();

 private:
  static constexpr auto kNone = static_cast<uintmax_t>(-1);  // there is no such file yet
  struct Stamp {
    std::filesystem::file_time_type time{};
    uintmax_t size = kNone;
    bool operator==(const Stamp&) const = default;
  };
  using Stamps = std::map<std::string, Stamp>;  // by path
  Stamps look() const;

  const std::function<std::vector<std::string>()> files_;
  Stamps known_;
  Stamps seen_;
};

}  // namespace weir
