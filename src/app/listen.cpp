#include "app/listen.h"

#include <charconv>
#include <fmt/core.h>

#include "security/authenticate.h"

namespace weir {

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const size_t colon = text.rfind(':');
  ListenAddress address;
  if (colon == std::string_view::npos) {
    return fail(ErrorKind::bad_request, fmt::format("'{}' is not an address; write HOST:PORT", text));
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  address.host = host.empty() ? "0.0.0.0" : host;
  const std::string_view port = text.substr(colon + 1);
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (failed == std::errc::result_out_of_range)
    return fail(ErrorKind::bad_request, fmt::format("the port of '{}' is not between 0 and 65535", text));
  if (failed != std::errc() || end != port.data() + port.size()) {
    return fail(ErrorKind::bad_request, fmt::format("'{}' has no port; write HOST:PORT", text));
  }
  return address;
}

Result<void> check_listen(std::string_view setting, std::string_view text, bool has_keys) {
  const Result<ListenAddress> address = parse_listen_address(text);
  if (!address) {
    return fail(ErrorKind::bad_request, fmt::format("{}: {}", setting, address.error().message));
  }
  const bool is_ipv6 = address->host.find(':') != std::string::npos;
  if (has_keys || is_loopback_host(is_ipv6 ? "[" + address->host + "]" : address->host)) return {};
  return fail(ErrorKind::bad_request,
              fmt::format("{} is {}, which others can reach, but no key is configured; add `keys`, or "
                          "listen on 127.0.0.1",
                          setting, text));
}

}  // namespace weir
