// Debian's libfmt is compiled by GCC, which mangles the one signature below differently from Clang:
// instantiated here, so that fmt::format_to(std::back_inserter(text), ...) links.
#include <fmt/format.h>

template void fmt::v9::detail::vformat_to<char>(fmt::v9::detail::buffer<char>&, fmt::v9::string_view,
                                                fmt::v9::basic_format_args<fmt::v9::buffer_context<char>>,
                                                fmt::v9::detail::locale_ref);
