#include "io/read_buffer.h"

#include <cstring>

namespace weir {

std::unique_ptr<char[]> BufferPool::take() {
  // Not value-initialised: zeroing would touch memory that a small request never uses.
  if (free_.empty()) return std::make_unique_for_overwrite<char[]>(kBlockBytes);
  std::unique_ptr<char[]> block = std::move(free_.back());
  free_.pop_back();
  return block;
}

void BufferPool::give(std::unique_ptr<char[]> block) {
  if (free_.size() < kFreeMax) free_.push_back(std::move(block));
}

void ReadBuffer::consume(size_t bytes) {
  begin_ += bytes;
  if (begin_ == end_) begin_ = end_ = 0;
}

std::span<char> ReadBuffer::room() {
  if (!block_) {
    block_ = pool_.take();
    capacity_ = BufferPool::kBlockBytes;
  }
  if (end_ == capacity_ && begin_ > 0) {
    std::memmove(block_.get(), block_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == capacity_) {
    auto larger = std::make_unique_for_overwrite<char[]>(2 * capacity_);
    std::memcpy(larger.get(), block_.get(), end_);
    block_ = std::move(larger);
    capacity_ *= 2;
  }
  return {block_.get() + end_, capacity_ - end_};
}

void ReadBuffer::give_back() {
  if (capacity_ == BufferPool::kBlockBytes) pool_.give(std::move(block_));
  block_.reset();
  capacity_ = begin_ = end_ = 0;
}

}  // namespace weir
