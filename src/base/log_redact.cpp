#include "base/log_redact.h"

#include "base/text.h"

namespace weir {
namespace {

// A word that starts so and goes on for at least kSecretBytesMin characters is a secret.
constexpr std::array<std::string_view, 14> kKeyPrefixes = {
    "sk-", "sk_", "wk_", "gsk_", "xai-", "AIza", "pplx-", "hf_", "r8_", "ghp_", "eyJ", "csk-", "fw_", "tgp_"};
constexpr size_t kSecretBytesMin = 6;

// Whatever word follows these is a secret.
constexpr std::array<std::string_view, 2> kSchemes = {"Bearer ", "Basic "};

constexpr std::string_view kPemBegin = "-----BEGIN ";
constexpr std::string_view kPemKey = "PRIVATE KEY-----";
constexpr std::string_view kPemEnd = "-----END ";

constexpr std::array<std::string_view, 16> kSecretNames = {"authorization",  "proxy-authorization",
                                                           "x-api-key",      "api-key",
                                                           "x-goog-api-key", "x-amz-security-token",
                                                           "cookie",         "set-cookie",
                                                           "password",       "secret",
                                                           "token",          "api_key",
                                                           "access_token",   "refresh_token",
                                                           "client_secret",  "secret_access_key"};

// Letters, digits and the punctuation that keys and base64 use.
constexpr std::array<bool, 256> kIsKeyByte = [] {
  std::array<bool, 256> table{};
  for (const char c :
       std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+/=")) {
    table[static_cast<uint8_t>(c)] = true;
  }
  return table;
}();

bool is_key_byte(char c) {
  return kIsKeyByte[static_cast<uint8_t>(c)];
}

// Words begin after these too, although they may stand inside a key: "key=sk-..." and "/wk_...".
bool is_word_start(std::string_view text, size_t at) {
  if (at == 0) return true;
  const char before = text[at - 1];
  return !is_key_byte(before) || before == '=' || before == '/' || before == '.';
}

size_t key_length(std::string_view text) {
  size_t length = 0;
  while (length < text.size() && is_key_byte(text[length])) ++length;
  return length;
}

struct Finding {
  size_t kept = 0;  // bytes that may stay
  size_t size = 0;  // bytes in all; 0: no secret here
};

Finding find_pem(std::string_view text) {
  const size_t line_end = text.find(kPemKey);
  if (!text.starts_with(kPemBegin) || line_end == std::string_view::npos || line_end > 40) return {};
  const size_t end = text.find(kPemEnd, line_end);
  // A key that was cut goes on to the end of the text.
  return {line_end + kPemKey.size(), end == std::string_view::npos ? text.size() : end};
}

Finding find_scheme(std::string_view text) {
  for (const std::string_view scheme : kSchemes) {
    if (!starts_with_ignore_case(text, scheme)) continue;
    const size_t length = key_length(text.substr(scheme.size()));
    if (length > 0) return {scheme.size(), scheme.size() + length};
  }
  return {};
}

Finding find_key(std::string_view text) {
  for (const std::string_view prefix : kKeyPrefixes) {
    // Two characters tell nearly every word from a key without a call.
    if (text[0] != prefix[0] || text[1] != prefix[1] || !text.starts_with(prefix)) continue;
    const size_t length = key_length(text);
    if (length >= prefix.size() + kSecretBytesMin) return {prefix.size(), length};
  }
  return {};
}

enum class Start : uint8_t { nothing, key, scheme, pem };

// What a word that starts with this character may turn out to be.
constexpr std::array<Start, 256> kStarts = [] {
  std::array<Start, 256> table{};
  for (const std::string_view prefix : kKeyPrefixes) table[static_cast<uint8_t>(prefix[0])] = Start::key;
  table['B'] = table['b'] = Start::scheme;
  table['-'] = Start::pem;
  return table;
}();

// A secret at the start of `text`, which starts a word.
Finding find_secret(std::string_view text) {
  if (text.size() < kSecretBytesMin) return {};
  switch (kStarts[static_cast<uint8_t>(text.front())]) {
    case Start::nothing:
      return {};
    case Start::key:
      return find_key(text);
    case Start::scheme:
      return find_scheme(text);
    case Start::pem:
      return find_pem(text);
  }
  return {};
}

}  // namespace

void append_redacted(std::string& out, std::string_view text) {
  size_t copied = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    if (kStarts[static_cast<uint8_t>(text[at])] == Start::nothing || !is_word_start(text, at)) continue;
    const Finding found = find_secret(text.substr(at));
    if (found.size == 0) continue;
    out.append(text.substr(copied, at + found.kept - copied)).append(kRedacted);
    copied = at + found.size;
    at = copied - 1;
  }
  out.append(text.substr(copied));
}

std::string redact(std::string_view text) {
  std::string out;
  append_redacted(out, text);
  return out;
}

bool is_secret_name(std::string_view name) {
  return std::any_of(kSecretNames.begin(), kSecretNames.end(),
                     [name](std::string_view secret) { return equals_ignore_case(secret, name); });
}

std::string redact_header(std::string_view name, std::string_view value) {
  return is_secret_name(name) ? std::string(kRedacted) : redact(value);
}

}  // namespace weir
