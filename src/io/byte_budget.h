// The bytes that all cores together may hold for one purpose (request bodies), so that many large requests
// are refused instead of eating the machine's memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace weir {

class ByteBudget {
 public:
  explicit ByteBudget(size_t bytes_max) : bytes_max_(bytes_max) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  // What one holder has taken; gives it back when destroyed.
  class Share {
   public:
    explicit Share(ByteBudget& budget) : budget_(&budget) {}
    Share(Share&& other) noexcept : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
    Share& operator=(Share&&) = delete;
    ~Share() {
      if (bytes_ > 0) budget_->used_.fetch_sub(bytes_, std::memory_order_relaxed);
    }

    // Grows to `bytes` in all. False, and nothing changes, when the budget has no room.
    bool grow_to(size_t bytes) {
      if (bytes <= bytes_) return true;
      const size_t more = bytes - bytes_;
      if (budget_->used_.fetch_add(more, std::memory_order_relaxed) + more > budget_->bytes_max_) {
        budget_->used_.fetch_sub(more, std::memory_order_relaxed);
        return false;
      }
      bytes_ = bytes;
      return true;
    }
    size_t bytes() const { return bytes_; }

   private:
    ByteBudget* budget_;
    size_t bytes_ = 0;
  };

  size_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const size_t bytes_max_;
  std::atomic<size_t> used_ = 0;
};

}  // namespace weir
