// Text forms of bytes: base64 and hexadecimal (RFC 4648), percent-encoding (RFC 3986), UTF-8 (RFC 3629).
// Decoders are strict: one text for one value, so that nothing passes a check in one spelling and acts in
// another. Their errors are bad_request and say at which byte; the caller knows the field and adds its path.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir {

// Base64.

enum class Base64Alphabet : uint8_t { standard, url };  // RFC 4648 section 4: + and /; section 5: - and _
enum class Base64Padding : uint8_t { required, optional, forbidden };

void append_base64(std::string& out, std::string_view bytes);
// The standard alphabet with padding.
std::string base64_encode(std::string_view bytes);
// The url alphabet without padding, as JOSE uses it (RFC 7515 section 2).
std::string base64url_encode(std::string_view bytes);
// No white space, no foreign characters, no bits left over. Errors: bad_request.
Result<std::string> base64_decode(std::string_view text, Base64Padding padding = Base64Padding::required,
                                  Base64Alphabet alphabet = Base64Alphabet::standard);
inline Result<std::string> base64url_decode(std::string_view text) {
  return base64_decode(text, Base64Padding::forbidden, Base64Alphabet::url);
}

// Embedding vectors as OpenAI's `encoding_format: "base64"` carries them: little-endian float32, one after
// the other.
std::string float32_base64_encode(std::span<const float> values);
// Errors: bad_request when it is not base64 or not whole floats.
Result<std::vector<float>> float32_base64_decode(std::string_view text);

// Hexadecimal.

// The value of a hexadecimal digit of either case; -1 for every other character.
constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
// Lower case.
std::string hex_encode(std::string_view bytes);
// Either case. Errors: bad_request on odd length or a foreign character.
Result<std::string> hex_decode(std::string_view text);

// Percent-encoding.

// What may stand as it is; everything else becomes %XX with upper-case digits.
enum class UrlPart : uint8_t {
  unreserved,  // letters, digits, - . _ ~ only: keys and values of a query, and what SigV4 calls UriEncode
  segment,     // one segment of a path: also : @ ! $ & ' ( ) * + , ; =
  path,        // a whole path: also /
};
std::string percent_encode(std::string_view text, UrlPart part);
// Errors: bad_request on a % without two hexadecimal digits. The result may hold any bytes, NUL and /
// included: a caller that builds a path from it checks it first. `+` stays `+`.
Result<std::string> percent_decode(std::string_view text);
// The same for keys and values of a query, where `+` means a space (application/x-www-form-urlencoded).
Result<std::string> query_decode(std::string_view text);

// UTF-8. Surrogates, overlong forms and code points over U+10FFFF are not UTF-8.

// The length of the code point that starts at `p`, 1 to 4; 0 when the bytes there are not one. REQUIRES p <
// end.
int utf8_length(const char* p, const char* end);
// The longest valid prefix in bytes: text.size() when all of it is UTF-8.
size_t utf8_valid_prefix(std::string_view text);
bool is_utf8(std::string_view text);  // the same question at many GB/s: simdjson answers it
// For text that comes in chunks: how many bytes at its end (0 to 3) begin a code point that the next chunk
// may finish. Keep those back and the rest can be handled on its own.
size_t utf8_unfinished_tail(std::string_view chunk);
// The text with U+FFFD for each maximal part that is not UTF-8 (the Unicode standard's recommendation,
// section 3.9).
std::string sanitize_utf8(std::string_view text);
// The longest prefix of at most bytes_max bytes that does not end inside a code point.
std::string_view clip_utf8(std::string_view text, size_t bytes_max);
// How many of the bytes at `p` (at least 1) one U+FFFD stands for. REQUIRES p < end and utf8_length(p, end)
// == 0.
int utf8_bad_length(const char* p, const char* end);
// Writes the code point and gives the end. REQUIRES a value up to 0x10FFFF, no surrogate, and room for 4
// bytes.
char* write_utf8(char* out, uint32_t code_point);
void append_utf8(std::string& out, uint32_t code_point);

}  // namespace weir
