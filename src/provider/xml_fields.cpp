#include "provider/xml_fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/encoding.h"
#include "base/text.h"

namespace weir {
namespace {

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorKind::bad_request, "not the XML that is expected: " + std::move(message));
}

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == ':';
}

// Appends the character that "&name;" stands for.
Result<void> append_entity(std::string& out, std::string_view name) {
  constexpr std::array<std::pair<std::string_view, char>, 5> kNamed = {
      {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
  for (const auto& [known, character] : kNamed) {
    if (name == known) return out.push_back(character), Result<void>{};
  }
  if (!name.starts_with('#')) return refuse("an entity that XML does not define");
  name.remove_prefix(1);
  const int base = name.starts_with('x') ? 16 : 10;
  if (base == 16) name.remove_prefix(1);
  uint32_t code_point = 0;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), code_point, base);
  const bool is_character =
      code_point != 0 && code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF);
  if (failed != std::errc() || end != name.data() + name.size() || !is_character) {
    return refuse("a character reference that is none");
  }
  append_utf8(out, code_point);
  return {};
}

Result<std::string> decode_text(std::string_view raw) {
  std::string text;
  while (!raw.empty()) {
    const size_t at = std::min(raw.find('&'), raw.size());
    text += raw.substr(0, at);
    raw.remove_prefix(at);
    if (raw.empty()) break;
    const size_t end = raw.find(';');
    if (end == std::string_view::npos) return refuse("an entity without its end");
    TRY(append_entity(text, raw.substr(1, end - 1)));
    raw.remove_prefix(end + 1);
  }
  return std::string(trim(text));
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  Result<std::vector<XmlField>> read() {
    if (!is_utf8(rest_)) return refuse("not UTF-8");
    skip_space();
    if (rest_.starts_with("<?xml ")) {
      const size_t end = rest_.find("?>");
      if (end == std::string_view::npos) return refuse("a declaration without its end");
      rest_.remove_prefix(end + 2);
    }
    skip_space();
    do {
      TRY(read_piece());
    } while (!open_.empty());
    skip_space();
    if (!rest_.empty()) return refuse("something stands behind the document");
    return std::move(fields_);
  }

 private:
  struct Open {
    std::string_view name;  // with its prefix
    size_t path_size;       // of the path before it
    bool has_children = false;
  };

  void skip_space() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }

  // The text up to the next tag, and that tag.
  Result<void> read_piece() {
    const size_t at = rest_.find('<');
    if (at == std::string_view::npos) return refuse("an element without its end");
    const std::string_view text = rest_.substr(0, at);
    rest_.remove_prefix(at + 1);
    if (rest_.starts_with('/')) return close(text);
    if (!trim(text).empty()) return refuse("text beside elements");
    return open();
  }

  std::string_view take_name() {
    const auto* const end = std::ranges::find_if_not(rest_, is_name_char);
    const std::string_view name = rest_.substr(0, static_cast<size_t>(end - rest_.begin()));
    rest_.remove_prefix(name.size());
    return name;
  }

  Result<void> open() {
    const std::string_view name = take_name();
    if (name.empty()) return refuse("an element without a name");
    if (open_.size() == kXmlDepthMax) return refuse("elements nested too deep");
    if (++elements_ > kXmlFieldsMax) return refuse("too many elements");
    if (!open_.empty()) open_.back().has_children = true;
    open_.push_back({.name = name, .path_size = path_.size()});
    if (!path_.empty()) path_ += '/';
    path_ += name.substr(name.find(':') == std::string_view::npos ? 0 : name.find(':') + 1);
    for (;;) {
      skip_space();
      if (rest_.starts_with("/>")) {
        rest_.remove_prefix(2);
        return end_element({});
      }
      if (rest_.starts_with('>')) return rest_.remove_prefix(1), Result<void>{};
      TRY(skip_attribute());
    }
  }

  Result<void> skip_attribute() {
    if (take_name().empty()) return refuse("an attribute without a name");
    if (!rest_.starts_with("=\"") && !rest_.starts_with("='")) return refuse("an attribute without a value");
    const size_t end = rest_.find(rest_[1], 2);
    if (end == std::string_view::npos) return refuse("an attribute without its end");
    rest_.remove_prefix(end + 1);
    return {};
  }

  Result<void> close(std::string_view text) {
    rest_.remove_prefix(1);
    if (open_.empty() || take_name() != open_.back().name) return refuse("an end of another element");
    skip_space();
    if (!rest_.starts_with('>')) return refuse("a tag without its end");
    rest_.remove_prefix(1);
    return end_element(text);
  }

  Result<void> end_element(std::string_view text) {
    const Open element = open_.back();
    open_.pop_back();
    if (!element.has_children) {
      fields_.push_back({ .path = path_, .text = TRY(decode_text(text)) });
    } else if (!trim(text).empty()) {
      return refuse("text beside elements");
    }
    path_.resize(element.path_size);
    return {};
  }

  std::string_view rest_;
  std::vector<Open> open_;
  std::string path_;
  size_t elements_ = 0;
  std::vector<XmlField> fields_;
};

}  // namespace

Result<std::vector<XmlField>> read_xml_fields(std::string_view text) {
  return Reader(text).read();
}

std::string_view xml_text(const std::vector<XmlField>& fields, std::string_view path) {
  for (const XmlField& field : fields) {
    if (field.path == path) return field.text;
  }
  return {};
}

}  // namespace weir
