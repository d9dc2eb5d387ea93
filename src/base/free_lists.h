// Lists of freed blocks of memory by size, in front of malloc: what operator new and delete of the release
// binary use (base/allocate.cpp), a set for each thread.
//
// Every block is one of malloc's, so that what is freed without its size, or by a library, goes back to
// malloc, and a block of one thread into the lists of another. The size classes are those of glibc's chunks:
// a block that somebody took from malloc fits the class that its size names.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <malloc.h>
#include <new>

namespace weir {

class FreeLists {
 public:
  static constexpr size_t kBytesMax = 8192;  // larger blocks are malloc's alone
  // What is kept of one class; more goes back to malloc.
  static constexpr size_t kClassBytesMax = 32 * 1024;

  // Without open() nothing is kept. Trivial to make and to destroy, since operator new needs it before and
  // after everything else.
  constexpr FreeLists() = default;
  void open();
  // Gives every block back; nothing is kept from now on.
  void close();

  // Throws std::bad_alloc.
  void* take(size_t size) {
    if (size > kBytesMax) [[unlikely]]
      return from_malloc(size);
    const size_t size_class = class_to_take(size);
    Block* const block = blocks_[size_class];
    if (!block) [[unlikely]]
      return from_malloc(block_bytes(size_class));
    blocks_[size_class] = block->next;
    ++room_[size_class];
    return block;
  }
  // Takes a block of malloc's that was asked for with that size.
  void give(void* memory, size_t size) {
    if (size > kBytesMax) [[unlikely]]
      return std::free(memory);
    const size_t size_class = size <= kSmallMax ? small_class(size) : large_class_of(memory);
    // A block that malloc mapped by itself holds whole pages, and so may be larger than all classes.
    if (size_class >= kClasses || room_[size_class] == 0) [[unlikely]]
      return std::free(memory);
    --room_[size_class];
    blocks_[size_class] = new (memory) Block{blocks_[size_class]};
  }

  size_t kept() const;  // blocks

 private:
  struct Block {
    Block* next;
  };
  // A chunk of glibc has a header of 8 bytes and is a multiple of 16, at least 32.
  static constexpr size_t kHeaderBytes = 8;
  static constexpr size_t kSmallStep = 16;
  static constexpr size_t kSmallMax = 1024;
  static constexpr size_t kSmallClasses = (kSmallMax + kHeaderBytes + kSmallStep - 1) / kSmallStep + 1;
  // Frames of coroutines, mostly.
  static constexpr size_t kLargeStep = 64;
  static constexpr size_t kClasses = kSmallClasses + kBytesMax / kLargeStep + 1;

  static constexpr size_t small_class(size_t size) {
    const size_t found = (size + kHeaderBytes + kSmallStep - 1) / kSmallStep;
    return found < 2 ? 2 : found;
  }
  static constexpr size_t class_to_take(size_t size) {
    return size <= kSmallMax ? small_class(size) : kSmallClasses + (size + kLargeStep - 1) / kLargeStep;
  }
  // One that was not taken here may be smaller than the class of its size: rounded down, then. The lowest of
  // these classes, which take() never asks for, has no room.
  static size_t large_class_of(void* memory) {
    return kSmallClasses + malloc_usable_size(memory) / kLargeStep;
  }
  static constexpr size_t block_bytes(size_t size_class) {
    if (size_class < kSmallClasses) return size_class * kSmallStep - kHeaderBytes;
    return (size_class - kSmallClasses) * kLargeStep;
  }
  static void* from_malloc(size_t size) {
    if (void* const block = std::malloc(size)) return block;
    throw std::bad_alloc();
  }

  std::array<Block*, kClasses> blocks_{};
  std::array<uint16_t, kClasses> room_{};  // for so many more blocks
};

}  // namespace weir
