#include "codec/body_shape.h"

#include <algorithm>
#include <fmt/core.h>
#include <string>
#include <vector>

#include "codec/gemini_fields.h"

namespace weir {
namespace {

constexpr size_t kPlacesMax = 16;

class Walk {
 public:
  Walk(const BodyShape& root, Dialect target, Fidelity& fidelity)
      : is_camel_(root.is_camel), is_own_(root.dialect == target), fidelity_(fidelity) {}

  void object(JsonValue object, const BodyShape& shape) {
    for (const JsonValue member : object) {
      // Neither says anything; SDKs send both for what they do not use.
      if (member.is_null() || (member.is_array() && member.size() == 0)) continue;
      path_.push_back({.key = member.key()});
      const auto known = std::ranges::find_if(
          shape.members, [&](const BodyMember& row) { return is_same(member.key(), row.key); });
      if (known != shape.members.end()) {
        if (known->inside && !(known->is_kept && is_own_)) value(member, known->inside);
      } else if (!shape.is_open) {
        note();
      }
      path_.pop_back();
    }
  }

  void finish() {
    if (count_ > kPlacesMax)
      fidelity_.add(Severity::warning, LossReason::dropped, "/",
                    fmt::format("{} more members", count_ - kPlacesMax));
  }

 private:
  struct Step {
    std::string_view key{};
    size_t index = 0;  // of an element: its key is empty
    bool is_element = false;
  };

  void value(JsonValue value, const BodyShape* (*inside)(JsonValue object)) {
    if (value.is_object()) {
      if (const BodyShape* shape = inside(value)) object(value, *shape);
    } else if (value.is_array()) {
      size_t index = 0;
      for (const JsonValue element : value) {
        path_.push_back({.index = index++, .is_element = true});
        if (element.is_object()) this->value(element, inside);
        path_.pop_back();
      }
    }
  }

  bool is_same(std::string_view key, std::string_view row) const {
    return key == row || (is_camel_ && key.find('_') != std::string_view::npos && gemini_camel(key) == row);
  }

  void note() {
    if (++count_ > kPlacesMax) return;
    std::string pointer;
    for (const Step& step : path_)
      pointer += step.is_element ? fmt::format("/{}", step.index) : fmt::format("/{}", step.key);
    fidelity_.add(Severity::warning, LossReason::dropped, std::move(pointer));
  }

  const bool is_camel_;
  const bool is_own_;
  Fidelity& fidelity_;
  std::vector<Step> path_{};
  size_t count_ = 0;
};

}  // namespace

void report_unread(const ClientBody& body, Dialect target, Fidelity& fidelity) {
  if (!body.shape || !body.root.is_object()) return;
  Walk walk(*body.shape, target, fidelity);
  walk.object(body.root, *body.shape);
  walk.finish();
}

}  // namespace weir
