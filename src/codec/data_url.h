// Media that a client sends inside its JSON: base64 text and data URLs.
#pragma once

#include <string_view>

#include "base/json.h"
#include "llm/chat.h"

namespace weir {

// The text itself when it may be base64 by its letters and its length. Error: bad_request that names
// `holder`.
Result<std::string_view> require_base64(std::string_view data, JsonValue holder);

// "data:image/png;base64,AAAA" as its type and bytes; anything else as a URL. Error: bad_request that names
// `holder`.
Result<Media> media_of_data_url(std::string_view url, JsonValue holder);

}  // namespace weir
