#include "codec/schema_restore.h"

#include "base/text.h"

namespace weir {
namespace {

constexpr JsonLimits kLenient{.rejects_duplicate_keys = false, .replaces_lone_surrogates = true};
constexpr std::string_view kWrapperKey = "\"value\"";

// Whether a pointer of the answer is one that the pattern means.
bool pointer_matches(std::string_view pattern, std::string_view pointer) {
  while (!pattern.empty() && !pointer.empty()) {
    pattern.remove_prefix(1);
    pointer.remove_prefix(1);
    const std::string_view wanted = pattern.substr(0, pattern.find('/'));
    const std::string_view found = pointer.substr(0, pointer.find('/'));
    if (wanted != "*" && wanted != found) return false;
    pattern.remove_prefix(wanted.size());
    pointer.remove_prefix(found.size());
  }
  return pattern.empty() && pointer.empty();
}

// Collects the edits that put the client's values back.
class LiteralEdits {
 public:
  explicit LiteralEdits(const SchemaRestore& restore) : restore_(restore) {}

  std::vector<JsonEdit> of(JsonValue root) {
    visit(root, "");
    return std::move(edits_);
  }

 private:
  void visit(JsonValue value, const std::string& pointer) {
    if (value.is_string()) {
      const std::string_view text = value.string_or("");
      for (const SchemaRestore::Literal& literal : restore_.literals) {
        if (literal.text == text && pointer_matches(literal.pointer, pointer)) {
          edits_.push_back({.offset = value.offset(), .length = value.raw().size(), .text = literal.json});
          return;
        }
      }
    } else if (value.is_object()) {
      for (const JsonValue member : value) visit(member, pointer + '/' + pointer_segment(member.key()));
    } else if (value.is_array()) {
      for (const JsonValue element : value) visit(element, pointer + "/-");
    }
  }

  const SchemaRestore& restore_;
  std::vector<JsonEdit> edits_;
};

std::string with_literals(std::string_view text, const SchemaRestore& restore) {
  if (restore.literals.empty()) return std::string(text);
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(text), kLenient);
  if (!parsed) return std::string(text);
  return splice(parsed->source(), LiteralEdits(restore).of(parsed->root()));
}

}  // namespace

std::string pointer_segment(std::string_view key) {
  std::string out;
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

const SchemaRestore* find_restore(const CallNotes& notes, std::string_view tool) {
  const auto found = notes.restores->find(tool);
  return found == notes.restores->end() ? nullptr : &found->second;
}

std::string restore_json(std::string_view text, const SchemaRestore& restore) {
  StreamRestore stream(restore);
  std::string out = stream.feed(text);
  out += stream.finish();
  return out;
}

std::string StreamRestore::feed(std::string_view piece) {
  std::string out;
  if (!restore_.is_wrapped) {
    out = piece;
  } else {
    for (const char c : piece) step(c, out);
  }
  if (restore_.literals.empty()) return out;
  // Before the wrapper is off, held_ is its beginning; from then on this text waits there.
  if (restore_.is_wrapped && state_ != State::value && state_ != State::after && state_ != State::plain)
    return {};
  held_ += out;
  return {};
}

std::string StreamRestore::finish() {
  std::string rest = std::exchange(held_, {});
  return with_literals(rest, restore_);
}

// The text is not what the schema says: it is handed on as it came.
void StreamRestore::give_up(std::string& out) {
  state_ = State::plain;
  out += std::exchange(held_, {});
}

void StreamRestore::step(char c, std::string& out) {
  switch (state_) {
    case State::plain:
      out += c;
      return;
    case State::after:
      return;  // the wrapper's end
    case State::before:
      held_ += c;
      if (is_space(c)) return;
      if (c != '{') return give_up(out);
      state_ = State::key;
      return;
    case State::key: {
      held_ += c;
      const std::string_view seen = trim(std::string_view(held_).substr(held_.find('{') + 1));
      if (!kWrapperKey.starts_with(seen)) return give_up(out);
      if (seen == kWrapperKey) state_ = State::colon;
      return;
    }
    case State::colon:
      held_ += c;
      if (is_space(c)) return;
      if (c != ':') return give_up(out);
      held_.clear();
      state_ = State::value;
      return;
    case State::value:
      break;
  }
  if (is_in_string_) {
    if (is_escaped_) {
      is_escaped_ = false;
    } else if (c == '\\') {
      is_escaped_ = true;
    } else if (c == '"') {
      is_in_string_ = false;
    }
  } else if (c == '"') {
    is_in_string_ = true;
  } else if (c == '{' || c == '[') {
    ++depth_;
  } else if (c == '}' || c == ']') {
    if (depth_ == 0) {
      state_ = State::after;
      return;
    }
    --depth_;
  } else if (depth_ == 0 && (is_space(c) || c == ',')) {
    return;  // around the value; the wrapper has no other member
  }
  out += c;
}

}  // namespace weir
