// Tells when the configuration file has changed.
#pragma once

#include <filesystem>
#include <string>

namespace weir {

// Looks at the file's time and size when asked. A change is told once, one look after it was first seen and
// when it has settled, so that an editor that writes in pieces is not caught in the middle.
class ConfigWatch {
 public:
  explicit ConfigWatch(std::string path);
  bool has_changed();

 private:
  struct Stamp {
    std::filesystem::file_time_type time{};
    uintmax_t size = 0;
    bool operator==(const Stamp&) const = default;
  };
  Stamp look() const;

  const std::string path_;  // empty: never changes
  Stamp known_;
  Stamp seen_;
};

}  // namespace weir
