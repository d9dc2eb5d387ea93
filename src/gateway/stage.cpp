#include "gateway/stage.h"

#include "base/assert.h"

namespace weir {

Task<std::unique_ptr<EventSource>> Next::operator()(Exchange& exchange) const {
  WEIR_ASSERT(!stages_.empty(), "the last stage answers and calls no next");
  return stages_.front()->handle(exchange, Next(stages_.subspan(1)));
}

}  // namespace weir
