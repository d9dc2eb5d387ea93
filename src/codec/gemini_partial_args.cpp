#include "codec/gemini_partial_args.h"

#include <charconv>

namespace weir {
namespace {

constexpr size_t kNestingMax = 64;

}  // namespace

GeminiPartialArgs::Node* GeminiPartialArgs::child(Node& parent, std::string_view key) {
  if (parent.kind == Node::Kind::empty) parent.kind = Node::Kind::object;
  if (parent.kind != Node::Kind::object) return nullptr;
  for (auto node = parent.children.rbegin(); node != parent.children.rend(); ++node) {
    if (node->key == key) return &*node;
  }
  ++nodes_;
  bytes_ += key.size();
  if (is_too_large()) return nullptr;
  Node& made = parent.children.emplace_back();
  made.key = key;
  return &made;
}

GeminiPartialArgs::Node* GeminiPartialArgs::element(Node& parent, size_t index) {
  if (parent.kind == Node::Kind::empty) parent.kind = Node::Kind::array;
  if (parent.kind != Node::Kind::array || index > parent.children.size()) return nullptr;
  if (index < parent.children.size()) return &parent.children[index];
  ++nodes_;
  return is_too_large() ? nullptr : &parent.children.emplace_back();
}

// RFC 9535's normalized and dotted forms: $.name, $['name'], [0].
GeminiPartialArgs::Node* GeminiPartialArgs::find(std::string_view path) {
  if (!path.starts_with('$')) return nullptr;
  path.remove_prefix(1);
  Node* at = &root_;
  for (size_t depth = 0; at && !path.empty(); ++depth) {
    if (depth > kNestingMax) return nullptr;
    if (path[0] == '.') {
      path.remove_prefix(1);
      const std::string_view key = path.substr(0, path.find_first_of(".["));
      path.remove_prefix(key.size());
      at = child(*at, key);
    } else if (path.starts_with("['") || path.starts_with("[\"")) {
      const size_t end = path.find(path[1], 2);
      if (end == std::string_view::npos || end + 1 >= path.size() || path[end + 1] != ']') return nullptr;
      at = child(*at, path.substr(2, end - 2));
      path.remove_prefix(end + 2);
    } else if (path[0] == '[') {
      size_t index = 0;
      const auto [end, failed] = std::from_chars(path.data() + 1, path.data() + path.size(), index);
      if (failed != std::errc() || end == path.data() + path.size() || *end != ']') return nullptr;
      path.remove_prefix(static_cast<size_t>(end - path.data()) + 1);
      at = element(*at, index);
    } else {
      return nullptr;
    }
  }
  return at;
}

void GeminiPartialArgs::add(JsonValue pieces) {
  for (const JsonValue piece : pieces) {
    if (is_too_large()) return;
    Node* node = find(piece["jsonPath"].string_or(""));
    if (!node || node == &root_) continue;
    if (const JsonValue text = piece["stringValue"]; text.is_string()) {
      if (node->kind != Node::Kind::empty && node->kind != Node::Kind::string) continue;
      bytes_ += text.string_or("").size();
      if (is_too_large()) return;
      node->kind = Node::Kind::string;
      node->text += text.string_or("");
      continue;
    }
    if (node->kind == Node::Kind::object || node->kind == Node::Kind::array) continue;
    const JsonValue number = piece["numberValue"];
    const JsonValue flag = piece["boolValue"];
    if (!number.is_number() && !flag.is_bool() && !piece["nullValue"]) continue;
    node->kind = Node::Kind::literal;
    node->text = number.is_number() ? number.raw() : flag.is_bool() ? flag.raw() : std::string_view("null");
  }
}

void GeminiPartialArgs::write(JsonWriter& json, const Node& node) {
  switch (node.kind) {
    case Node::Kind::empty:
      json.null();
      return;
    case Node::Kind::string:
      json.value(node.text);
      return;
    case Node::Kind::literal:
      json.raw(node.text);
      return;
    case Node::Kind::object:
      json.begin_object();
      for (const Node& member : node.children) {
        json.key(member.key);
        write(json, member);
      }
      json.end_object();
      return;
    case Node::Kind::array:
      json.begin_array();
      for (const Node& member : node.children) write(json, member);
      json.end_array();
      return;
  }
}

std::string GeminiPartialArgs::text() const {
  std::string out;
  JsonWriter json(out);
  write(json, root_);
  return out;
}

}  // namespace weir
