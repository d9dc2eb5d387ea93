// What kind of file some base64 holds, or a URL names.
#pragma once

#include <string_view>

namespace weir {

// What the first bytes say (translation.md 4.2: the declared type is not trusted): image/jpeg, image/png,
// image/gif, image/webp or application/pdf; empty when they say nothing known.
std::string_view sniff_media_type(std::string_view base64);

// Whether it is an http or https URL. Schemes are in any case (RFC 3986 section 3.1).
bool is_web_url(std::string_view url);

// Whether the path of a URL ends like that of a PDF.
bool is_pdf_url(std::string_view url);

}  // namespace weir
