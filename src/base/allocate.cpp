// operator new and delete of the release binary. A request makes some 100 small allocations; malloc and free
// spend about 225 instructions on each, the lists of freed blocks 50, since nearly every delete says how
// large its block is.
//
// Not in the sanitized builds, which have allocators of their own and would not see a block that is used too
// long.
#include <cstdlib>
#include <new>

#include "base/free_lists.h"

#if defined(__GLIBC__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

namespace {

constinit thread_local weir::FreeLists lists;
constinit thread_local bool was_opened = false;

// Gives the thread's blocks back when it ends; what is freed after that goes to malloc.
struct Ending {
  void watch() {}
  ~Ending() { lists.close(); }
};
thread_local Ending ending;

[[gnu::noinline, gnu::cold]] void open_lists() {
  was_opened = true;
  lists.open();
  ending.watch();
}

}  // namespace

void* operator new(size_t size) {
  return lists.take(size);
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, size_t size) noexcept {
  if (!memory) return;
  if (!was_opened) [[unlikely]]
    open_lists();
  lists.give(memory, size);
}

#endif
