// Seldom<T>: a value that nearly every object of its kind leaves empty. It costs a pointer then, in memory
// and when the object moves, where an empty std::map costs 48 bytes and a dozen instructions.
//
//   Seldom<std::set<std::string>> custom_tools;
//   custom_tools.make().insert("patch");
//   if (custom_tools->contains(name)) ...
#pragma once

#include <memory>

namespace weir {

template <class T>
class Seldom {
 public:
  Seldom() = default;
  Seldom(const Seldom& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
  Seldom(Seldom&&) = default;
  Seldom& operator=(Seldom other) {
    value_ = std::move(other.value_);
    return *this;
  }

  // An empty T when nothing was made.
  const T& operator*() const { return value_ ? *value_ : empty_value(); }
  const T* operator->() const { return &**this; }
  // The value to write to.
  T& make() {
    if (!value_) value_ = std::make_unique<T>();
    return *value_;
  }

 private:
  static const T& empty_value() {
    static const T empty;
    return empty;
  }

  std::unique_ptr<T> value_;
};

}  // namespace weir
