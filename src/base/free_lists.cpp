#include "base/free_lists.h"

namespace weir {

void FreeLists::open() {
  for (const size_t first : {small_class(0), kSmallClasses + kSmallMax / kLargeStep + 1}) {
    const size_t end = first < kSmallClasses ? kSmallClasses : kClasses;
    for (size_t i = first; i < end; ++i) room_[i] = static_cast<uint16_t>(kClassBytesMax / block_bytes(i));
  }
}

void FreeLists::close() {
  room_.fill(0);
  for (Block*& list : blocks_) {
    while (Block* const block = list) {
      list = block->next;
      std::free(block);
    }
  }
}

size_t FreeLists::kept() const {
  size_t count = 0;
  for (const Block* list : blocks_) {
    for (const Block* block = list; block; block = block->next) ++count;
  }
  return count;
}

}  // namespace weir
