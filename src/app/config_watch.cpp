#include "app/config_watch.h"

namespace weir {

ConfigWatch::ConfigWatch(std::string path) : path_(std::move(path)), known_(look()), seen_(known_) {}

ConfigWatch::Stamp ConfigWatch::look() const {
  Stamp stamp;
  if (path_.empty()) return stamp;
  std::error_code failed;
  stamp.time = std::filesystem::last_write_time(path_, failed);
  stamp.size = std::filesystem::file_size(path_, failed);
  // A file that is being replaced may be away for a moment: that is not a change yet.
  return failed ? known_ : stamp;
}

bool ConfigWatch::has_changed() {
  const Stamp now = look();
  const bool has_settled = now == seen_;
  seen_ = now;
  if (now == known_ || !has_settled) return false;
  known_ = now;
  return true;
}

}  // namespace weir
