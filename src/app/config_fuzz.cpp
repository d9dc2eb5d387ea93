// Fuzzes the reader of the configuration. Each problem says what is wrong, and a configuration without one
// is printed such that it reads back to the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "app/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const weir::ReadConfig read = weir::read_config("fuzz.yaml", text);
  for (const weir::Error& problem : read.problems) {
    if (!problem.message.starts_with("fuzz.yaml")) std::abort();
  }
  const std::string printed = weir::print_config(read.config);
  if (!read.problems.empty()) return 0;
  const weir::Result<weir::Config> again = weir::parse_config("printed", printed);
  // As JSON: comments say what is there by default.
  if (!again || weir::print_config_json(*again) != weir::print_config_json(read.config)) std::abort();
  return 0;
}
