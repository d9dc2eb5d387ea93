// Result<T> and the two macros that pass an error up: TRY in plain functions, CO_TRY in coroutines.
//
// Result<T> is used like std::expected<T, Error> and made for coroutines: a coroutine's frame keeps a Result
// for each wait, so the error (192 bytes, and rare) is one pointer here. Passing it up moves that pointer.
#pragma once

#include <concepts>
#include <expected>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace weir {

namespace detail {
// An error on its way up.
struct Failure {
  std::unique_ptr<Error> error;
};
}  // namespace detail

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = Error;

  Result()
    requires std::default_initializable<T>
      : value_(std::in_place) {}
  template <class U = T>
    requires(!std::same_as<std::remove_cvref_t<U>, Result> && std::constructible_from<T, U> &&
             std::convertible_to<U, T>)
  Result(U&& value) : value_(std::in_place, std::forward<U>(value)) {}  // in place: T may be an optional
  template <class E>
    requires std::convertible_to<E, Error>
  Result(std::unexpected<E> error) : error_(std::make_unique<Error>(std::move(error).error())) {}
  Result(detail::Failure failure) : error_(std::move(failure.error)) {}
  template <class U>
    requires(!std::same_as<U, T> && std::convertible_to<U, T> && !std::convertible_to<Result<U>, T>)
  Result(Result<U>&& other) : error_(std::move(other).fail().error) {
    if (!error_) value_.emplace(*std::move(other));
  }

  Result(Result&&) = default;
  Result& operator=(Result&&) = default;
  Result(const Result& other)
    requires std::copyable<T>
      : value_(other.value_), error_(other.error_ ? std::make_unique<Error>(*other.error_) : nullptr) {}
  Result& operator=(const Result& other)
    requires std::copyable<T>
  {
    return *this = Result(other);
  }

  bool has_value() const { return !error_; }
  explicit operator bool() const { return !error_; }
  // REQUIRES has_value().
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return *std::move(value_); }
  template <class U>
  T value_or(U&& fallback) const& {
    return error_ ? static_cast<T>(std::forward<U>(fallback)) : *value_;
  }
  template <class U>
  T value_or(U&& fallback) && {
    return error_ ? static_cast<T>(std::forward<U>(fallback)) : *std::move(value_);
  }
  // REQUIRES !has_value().
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }
  // The error to return from the caller, or an empty Failure.
  detail::Failure fail() && { return {std::move(error_)}; }

  template <class U>
    requires(!std::same_as<U, Result>)
  friend bool operator==(const Result& left, const U& right) {
    return left.has_value() && *left == right;
  }
  friend bool operator==(const Result& left, const Result& right)
    requires std::equality_comparable<T>
  {
    return left.has_value() && right.has_value() && *left == *right;
  }

 private:
  std::optional<T> value_;
  std::unique_ptr<Error> error_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  using error_type = Error;

  Result() = default;
  template <class E>
    requires std::convertible_to<E, Error>
  Result(std::unexpected<E> error) : error_(std::make_unique<Error>(std::move(error).error())) {}
  Result(detail::Failure failure) : error_(std::move(failure.error)) {}
  Result(Result&&) = default;
  Result& operator=(Result&&) = default;
  Result(const Result& other) : error_(other.error_ ? std::make_unique<Error>(*other.error_) : nullptr) {}
  Result& operator=(const Result& other) { return *this = Result(other); }

  bool has_value() const { return !error_; }
  explicit operator bool() const { return !error_; }
  void operator*() const {}
  void value() const {}
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }
  detail::Failure fail() && { return {std::move(error_)}; }

 private:
  std::unique_ptr<Error> error_;
};

// `return fail(ErrorKind::bad_request, "max_tokens must be at least 1", "max_tokens");`
inline std::unexpected<Error> fail(ErrorKind kind, std::string message, std::string path = {}) {
  return std::unexpected<Error>(make_error(kind, std::move(message), std::move(path)));
}
inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}

namespace detail {
template <class T>
T take(Result<T>&& result) {
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}
}  // namespace detail

}  // namespace weir

// `auto head = TRY(parse_head(bytes));` gives the value, or returns the error from the enclosing function.
#define TRY(expression)                            \
  ({                                               \
    auto weir_result_ = (expression);              \
    if (!weir_result_) [[unlikely]]                \
      return std::move(weir_result_).fail();       \
    ::weir::detail::take(std::move(weir_result_)); \
  })

// The same inside a coroutine: `auto body = CO_TRY(co_await read_body());`
#define CO_TRY(expression)                         \
  ({                                               \
    auto weir_result_ = (expression);              \
    if (!weir_result_) [[unlikely]]                \
      co_return std::move(weir_result_).fail();    \
    ::weir::detail::take(std::move(weir_result_)); \
  })
