// A node is: its type, to which kQuoted is added; the line; the key; and the text of a scalar, or the count
// of children and those. A text is its length and its bytes. Numbers are written in seven bits a byte, lowest
// first, the last one without the high bit.
#include "provider/yaml_tree.h"

#include "base/assert.h"

namespace weir {
namespace {

constexpr uint8_t kQuoted = 0x10;

void write_number(std::string& out, size_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(0x80 | (number & 0x7f));
  out += static_cast<char>(number);
}

void write_text(std::string& out, std::string_view text) {
  write_number(out, text.size());
  out += text;
}

void write_node(std::string& out, const YamlNode& node) {
  const auto type = static_cast<uint8_t>(node.type);
  out += static_cast<char>(node.is_quoted ? type | kQuoted : type);
  write_number(out, static_cast<size_t>(node.line));
  write_text(out, node.key);
  if (node.type == YamlType::scalar) return write_text(out, node.text);
  write_number(out, node.children.size());
  for (const YamlNode& child : node.children) write_node(out, child);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool is_at_end() const { return rest_.empty(); }

  void read(YamlNode& node) {
    const auto type = static_cast<uint8_t>(take(1).front());
    node.type = static_cast<YamlType>(type & ~kQuoted);
    node.is_quoted = (type & kQuoted) != 0;
    node.line = static_cast<int>(number());
    node.key = take(number());
    if (node.type == YamlType::scalar) {
      node.text = take(number());
      return;
    }
    node.children.resize(number());
    for (YamlNode& child : node.children) read(child);
  }

 private:
  std::string_view take(size_t count) {
    WEIR_ASSERT(count <= rest_.size(), "the tree is whole");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  size_t number() {
    size_t found = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1).front());
      found |= static_cast<size_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return found;
    }
  }

  std::string_view rest_;
};

}  // namespace

std::string write_yaml_tree(const YamlNode& root) {
  std::string out;
  write_node(out, root);
  return out;
}

YamlNode read_yaml_tree(std::string_view bytes) {
  YamlNode root;
  Reader reader(bytes);
  reader.read(root);
  WEIR_ASSERT(reader.is_at_end(), "nothing follows the tree");
  return root;
}

}  // namespace weir
