// Runs during the build: yaml_tree YAML TREE writes the tree of a file of config/ as the binary holds it
// (src/provider/yaml_tree.h).
#include "provider/yaml_tree.h"

#include <cstdio>
#include <fstream>
#include <sstream>

#include "provider/catalog_yaml.h"

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "usage: yaml_tree YAML TREE\n");
    return 2;
  }
  std::ifstream yaml(arguments[1], std::ios::binary);
  std::ostringstream text;
  if (!(text << yaml.rdbuf())) {
    std::fprintf(stderr, "%s cannot be read\n", arguments[1]);
    return 1;
  }
  const auto root = weir::parse_yaml(arguments[1], text.str());
  if (!root) {
    std::fprintf(stderr, "%s\n", root.error().message.c_str());
    return 1;
  }
  std::ofstream tree(arguments[2], std::ios::binary);
  tree << weir::write_yaml_tree(*root);
  return tree.flush() ? 0 : 1;
}
