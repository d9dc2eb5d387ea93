// The bytes that a connection has received and not used yet. The memory comes from a free list of its core
// when there is something to read, and goes back when everything was used: an idle connection holds none.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace weir {

// One core's free list of blocks of one size.
class BufferPool {
 public:
  // One recv takes a whole head and a usual body.
  static constexpr size_t kBlockBytes = 16 * 1024;

  std::unique_ptr<char[]> take();
  void give(std::unique_ptr<char[]> block);

 private:
  // More than that many free blocks go back to the allocator: a burst is not paid for ever after.
  static constexpr size_t kFreeMax = 64;
  std::vector<std::unique_ptr<char[]>> free_;
};

class ReadBuffer {
 public:
  explicit ReadBuffer(BufferPool& pool) : pool_(pool) {}
  ~ReadBuffer() { release(); }
  ReadBuffer(const ReadBuffer&) = delete;
  ReadBuffer& operator=(const ReadBuffer&) = delete;

  bool empty() const { return begin_ == end_; }
  std::string_view view() const { return {block_.get() + begin_, end_ - begin_}; }
  // Forgets the first `bytes` bytes.
  void consume(size_t bytes);

  // Room for at least one byte behind the bytes held, after moving them to the front or growing if needed.
  std::span<char> room();
  // `bytes` bytes were put into room().
  void commit(size_t bytes) { end_ += bytes; }
  // Gives the memory back. REQUIRES empty(), or that the bytes are no longer wanted.
  void release() {
    if (block_) give_back();
  }

 private:
  void give_back();

  BufferPool& pool_;
  std::unique_ptr<char[]> block_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace weir
