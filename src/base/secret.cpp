#include "base/secret.h"

#include <openssl/crypto.h>

#include "base/crypto.h"

namespace weir {

Secret::Secret(std::string&& text) : Secret(copy_of(text)) {
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

Secret Secret::copy_of(std::string_view text) {
  Secret secret;
  if (text.empty()) return secret;
  secret.bytes_ = std::make_unique<char[]>(text.size());
  secret.size_ = text.size();
  std::memcpy(secret.bytes_.get(), text.data(), text.size());
  return secret;
}

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(size_, other.size_);
  return *this;
}

bool Secret::matches(std::string_view candidate) const {
  return constant_time_equal(reveal(), candidate);
}

void Secret::wipe() noexcept {
  if (bytes_) OPENSSL_cleanse(bytes_.get(), size_);
}

}  // namespace weir
