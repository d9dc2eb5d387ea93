#include "gateway/model_name.h"

#include <algorithm>

#include "base/encoding.h"

namespace weir {
namespace {

constexpr size_t kShownBytesMax = 64;

bool is_control(char c) {
  return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
}

// As much of it as a message may hold.
std::string shown(std::string_view model) {
  std::string text = sanitize_utf8(clip_utf8(model, kShownBytesMax));
  std::ranges::replace_if(text, is_control, '?');
  return text + (model.size() > kShownBytesMax ? "..." : "");
}

}  // namespace

Result<void> check_model_name(std::string_view model) {
  const bool is_name =
      model.size() <= kModelNameBytesMax && std::ranges::none_of(model, is_control) && is_utf8(model);
  if (is_name) return {};
  return fail(ErrorKind::bad_request,
              fmt::format("model is a name of at most {} bytes of UTF-8 without control characters, not '{}'",
                          kModelNameBytesMax, shown(model)),
              "model");
}

}  // namespace weir
