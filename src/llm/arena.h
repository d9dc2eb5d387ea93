// The memory of a decoded request, and raw JSON slices that point into it.
#pragma once

#include <forward_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// Owns the memory that a request's views point into. Not thread-safe; grows only while the request is made.
class Arena {
 public:
  // Keeps the text and gives a view that lives as long as the arena.
  std::string_view keep(std::string text) { return texts_.emplace_front(std::move(text)); }
  std::string_view copy(std::string_view text) { return keep(std::string(text)); }
  // Keeps whatever the views point into alive, e.g. the JsonDoc of the body.
  void hold(std::shared_ptr<const void> owner) { owners_.push_back(std::move(owner)); }

 private:
  std::forward_list<std::string> texts_;  // never moves an element
  std::vector<std::shared_ptr<const void>> owners_{};
};

// The arena that the copies of a request share. It is made when something is first put into it; a copy made
// before that has one of its own.
class SharedArena {
 public:
  Arena* operator->() {
    if (!arena_) arena_ = std::make_shared<Arena>();
    return arena_.get();
  }
  Arena& operator*() { return *operator->(); }
  // For a copy that is changed: what is put into it goes with that copy, and what this one holds stays.
  SharedArena fork() const {
    SharedArena made;
    if (arena_) made->hold(arena_);
    return made;
  }

 private:
  std::shared_ptr<Arena> arena_;
};

// Bytes that are one valid JSON value, passed on as they came (key order and number text survive). Empty:
// absent.
struct RawJson {
  std::string_view text{};
  explicit operator bool() const { return !text.empty(); }
};

}  // namespace weir
