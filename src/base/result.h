// Result<T> and the two macros that pass an error up: TRY in plain functions, CO_TRY in coroutines.
#pragma once

#include <expected>
#include <utility>

#include "base/error.h"

namespace weir {

template <class T>
using Result = std::expected<T, Error>;

// `return fail(ErrorKind::bad_request, "max_tokens must be at least 1", "max_tokens");`
inline std::unexpected<Error> fail(ErrorKind kind, std::string message, std::string path = {}) {
  return std::unexpected<Error>(make_error(kind, std::move(message), std::move(path)));
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }

namespace detail {
template <class T>
T take(Result<T>&& result) {
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}
}  // namespace detail

}  // namespace weir

// `auto head = TRY(parse_head(bytes));` gives the value, or returns the error from the enclosing function.
#define TRY(expression)                                                                 \
  ({                                                                                    \
    auto weir_result_ = (expression);                                                   \
    if (!weir_result_) [[unlikely]] return std::unexpected(std::move(weir_result_).error()); \
    ::weir::detail::take(std::move(weir_result_));                                      \
  })

// The same inside a coroutine: `auto body = CO_TRY(co_await read_body());`
#define CO_TRY(expression)                                                                 \
  ({                                                                                       \
    auto weir_result_ = (expression);                                                      \
    if (!weir_result_) [[unlikely]] co_return std::unexpected(std::move(weir_result_).error()); \
    ::weir::detail::take(std::move(weir_result_));                                         \
  })
