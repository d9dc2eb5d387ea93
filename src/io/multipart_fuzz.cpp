// Fuzzes the reader of forms: it stays inside its buffers, loses no byte, and pieces and errors do not depend
// on how the bytes are cut. The first byte chooses the cut; the boundary is "b", or what follows is a
// content-type.
#include <cstdlib>

#include "io/multipart.h"

namespace weir {
namespace {

struct Seen {
  std::string bytes;
  std::string parts;  // names and contents, and the error
};

Seen read(std::string_view input, size_t step) {
  MultipartReader reader("b");
  Seen seen;
  for (size_t at = 0; at < input.size(); at += step) {
    const std::string piece(input.substr(at, step));
    std::string_view rest = piece;
    for (;;) {
      const auto given = reader.next(rest);
      if (!given) {
        seen.parts += "error: " + given.error().message;
        return seen;
      }
      if (!*given) break;
      seen.bytes += (*given)->bytes;
      if ((*given)->kind == MultipartReader::PieceKind::head)
        seen.parts += "\npart " + reader.part().name + (reader.part().is_file ? " file " : " text ");
      if ((*given)->kind == MultipartReader::PieceKind::data) seen.parts += (*given)->bytes;
    }
    if (!rest.empty()) __builtin_trap();
  }
  if (!reader.finish()) {
    seen.parts += "error: cut off";
  } else if (seen.bytes != input) {
    __builtin_trap();
  }
  return seen;
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (const auto boundary = weir::multipart_boundary(input)) {
    if (weir::multipart_boundary(weir::multipart_content_type(*boundary)).value() != *boundary)
      __builtin_trap();
  }
  const weir::Seen whole = weir::read(input, input.size() + 1);
  for (const size_t step : {size_t{1}, size_t{1} + data[0]}) {
    if (weir::read(input, step).parts != whole.parts) __builtin_trap();
  }
  return 0;
}
