// YAML's tree as bytes that are read back a hundred times faster than YAML. The catalog's own files are in
// the binary in this form, which the build makes of them (cmake/yaml_tree.cpp): reading them as YAML would be
// most of what the process does before it serves.
#pragma once

#include <string>
#include <string_view>

#include "provider/catalog_yaml.h"

namespace weir {

std::string write_yaml_tree(const YamlNode& root);
// The same tree, lines and all. REQUIRES bytes of write_yaml_tree(): anything else is an assertion.
YamlNode read_yaml_tree(std::string_view bytes);

}  // namespace weir
