// The list of dialects that Weir speaks to providers: a new one is a line here.
#pragma once

#include "llm/codec.h"

namespace weir {

// The provider half of a dialect; nullptr when there is none yet.
const ProviderCodec* provider_codec(Dialect dialect);

}  // namespace weir
