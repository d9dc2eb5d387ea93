#include "io/byte_stream.h"

#include <vector>

namespace weir {
namespace {

// Removes the first `bytes` bytes from the pieces.
std::span<std::string_view> drop_front(std::span<std::string_view> pieces, size_t bytes) {
  while (!pieces.empty() && bytes >= pieces.front().size()) {
    bytes -= pieces.front().size();
    pieces = pieces.subspan(1);
  }
  if (bytes > 0) pieces.front().remove_prefix(bytes);
  return pieces;
}

}  // namespace

Task<void> write_all(Scope& scope, ByteStream& stream, std::span<const std::string_view> pieces) {
  std::vector<std::string_view> copy(pieces.begin(), pieces.end());
  std::span<std::string_view> left = drop_front(copy, 0);
  while (!left.empty()) {
    const IoResult written = stream.try_write(left);
    switch (written.state) {
      case IoState::done:
        left = drop_front(left, written.bytes);
        break;
      case IoState::would_block:
        CO_TRY(co_await stream.writable(scope));
        break;
      case IoState::end:
      case IoState::broken:
        co_return fail(ErrorKind::upstream_unreachable, "the connection broke while data was sent");
    }
  }
  co_return {};
}

}  // namespace weir
