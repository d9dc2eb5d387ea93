// Takes secrets out of text before it is written anywhere: API keys, bearer tokens, JWTs and private keys by
// their shape, headers and fields by their name. A net below the rule that secrets are of type Secret, not a
// replacement for it.
#pragma once

#include <string>
#include <string_view>

namespace weir {

// What stands in place of a secret.
inline constexpr std::string_view kRedacted = "***";

// The text with each secret cut down to the prefix that tells its kind: "Bearer ***", "sk-***". Known by
// shape: Weir's keys (wk_), the usual vendors' keys (sk-, gsk_, xai-, AIza, ...), what follows "Bearer " and
// "Basic ", JWTs, PEM private keys.
std::string redact(std::string_view text);
void append_redacted(std::string& out, std::string_view text);

// Whether a header or field of that name (any case) holds a secret whatever its value looks like:
// authorization, x-api-key, cookie, password, ...
bool is_secret_name(std::string_view name);
// kRedacted for a secret name, the redacted value for every other one.
std::string redact_header(std::string_view name, std::string_view value);

}  // namespace weir
