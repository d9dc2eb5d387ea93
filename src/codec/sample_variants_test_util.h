// For tests of codecs: a JSON text with each of its values left out, or replaced by one of another type, and
// what comes of it. So no check of a type and no required field goes unseen.
#pragma once

#include <array>
#include <fmt/core.h>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "llm/codec.h"

namespace weir::test {

// A reply whose parts stay where they are.
struct WireReplyText {
  std::string_view body;
  const Headers& headers;
  WireReply reply(int status) const { return {.status = status, .headers = &headers, .body = body}; }
};

// One value of a text, and the object or array that holds it.
struct JsonPlace {
  JsonValue value;
  JsonValue holder;
};

inline void add_places(JsonValue holder, std::vector<JsonPlace>& into) {
  if (!holder.is_object() && !holder.is_array()) return;
  for (const JsonValue value : holder) {
    into.push_back({value, holder});
    add_places(value, into);
  }
}

// Without the value and the comma that goes with it.
inline std::string left_out(const JsonDoc& doc, const JsonPlace& place) {
  const auto start_of = [&](JsonValue value) {
    return place.holder.is_object() ? value.key_offset() : value.offset();
  };
  const size_t from = start_of(place.value);
  const size_t to = place.value.offset() + place.value.raw().size();
  size_t before = 0;  // the end of the one before
  size_t next = 0;    // the start of the one behind
  for (const JsonValue other : place.holder) {
    if (other.offset() < place.value.offset()) before = other.offset() + other.raw().size();
    if (other.offset() > place.value.offset() && next == 0) next = start_of(other);
  }
  const size_t first = next != 0 || before == 0 ? from : before;
  const size_t last = next != 0 ? next : to;
  std::string text(doc.source());
  return text.erase(first, last - first);
}

inline std::string replaced(const JsonDoc& doc, const JsonPlace& place, std::string_view by) {
  return splice(doc.source(),
                {{.offset = place.value.offset(), .length = place.value.raw().size(), .text = by}});
}

// A line for each value: what `outcome` says ("": as before) when it is left out, and when it is of another
// type. Types with the same outcome stand together, all of them have no name; the path of the value itself is
// "here".
inline std::string describe_variants(const std::string& text,
                                     const std::function<std::string(const std::string&)>& outcome) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kValues = {
      {{"null", "null"},
       {"bool", "true"},
       {"number", "7"},
       {"fraction", "0.5"},
       {"string", R"("x")"},
       {"empty", R"("")"},
       {"array", "[7]"},
       {"object", R"({"k":7})"}}};
  const Result<JsonDoc> doc = JsonDoc::parse(text);
  if (!doc) return doc.error().message + "\n";
  std::vector<JsonPlace> places;
  add_places(doc->root(), places);
  std::string out;
  for (const JsonPlace& place : places) {
    const std::string path = place.value.path();
    std::vector<std::pair<std::string, std::string>> groups;  // outcome, kinds
    const auto add = [&](std::string_view kind, const std::string& changed) {
      std::string came = outcome(changed);
      if (came.empty()) came = "taken";
      if (came == path) came = "here";
      for (auto& [known, kinds] : groups) {
        if (known == came) {
          kinds += fmt::format(" {}", kind);
          return;
        }
      }
      groups.emplace_back(came, kind);
    };
    add("without", left_out(*doc, place));
    for (const auto& [kind, value] : kValues) add(kind, replaced(*doc, place, value));
    out += path;
    for (const auto& [came, kinds] : groups) {
      out += groups.size() == 1 ? fmt::format(" | {}", came) : fmt::format(" | {}: {}", came, kinds);
    }
    out += "\n";
  }
  return out;
}

}  // namespace weir::test
