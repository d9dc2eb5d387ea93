// The memory below the metrics: numbered cells of which every thread has its own copy, so that counting
// touches no cache line that another thread writes. A reader sums the copies. A thread that ends leaves its
// copy to the next.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace weir {

class MetricCells : public std::enable_shared_from_this<MetricCells> {
 public:
  // Cells of one thread. Written by that thread alone, as plain load and store: the atomics only make the
  // concurrent read by sum() defined.
  using Cell = std::atomic<uint64_t>;

  static std::shared_ptr<MetricCells> create();
  ~MetricCells();
  MetricCells(const MetricCells&) = delete;
  MetricCells& operator=(const MetricCells&) = delete;

  // Reserves `count` neighbouring cells, zero in every thread; nullopt when all are taken.
  // REQUIRES count <= kPageCells.
  std::optional<uint32_t> reserve(uint32_t count);

  // Never used twice in a process, so that what a thread remembers of cells that are gone cannot match.
  uint32_t id() const { return id_; }

  // The calling thread's cells from `slot` on, when it has counted in them and in no other MetricCells since;
  // else null: local() finds them. Calls nothing, so that whoever counts keeps all in registers.
  static Cell* at_hand(uint32_t slot, uint32_t id) {
    if (last_used.id != id) return nullptr;
    Page* const page = last_used.shard->pages[slot / kPageCells].load(std::memory_order_relaxed);
    return page == nullptr ? nullptr : page->data() + slot % kPageCells;
  }

  // The calling thread's cells from `slot` on. Valid until the next call by this thread. REQUIRES id = id():
  // handles keep a copy, which spares the hot path a look at this object.
  Cell* local(uint32_t slot, uint32_t id) {
    Shard* const shard = last_used.id == id ? last_used.shard : find_shard();
    Page* const page = shard->pages[slot / kPageCells].load(std::memory_order_relaxed);
    return (page != nullptr ? page : add_page(*shard, slot / kPageCells))->data() + slot % kPageCells;
  }

  // Over all threads that ever counted. Each copy is read at some moment during the call.
  uint64_t sum(uint32_t slot) const;
  // The same for cells that hold the bits of a double.
  double sum_doubles(uint32_t slot) const;

  static constexpr uint32_t kPageCells = 1024;
  static constexpr uint32_t kPagesMax = 2048;  // two million cells: a thousand full histograms

 private:
  friend class ThreadShards;
  using Page = std::array<Cell, kPageCells>;
  struct Shard {
    std::array<std::atomic<Page*>, kPagesMax> pages{};
  };
  struct LastUsed {
    uint32_t id = 0;  // no MetricCells has 0
    Shard* shard = nullptr;
  };

  MetricCells();
  Shard* find_shard();
  Shard* acquire_shard();
  void release_shard(Shard* shard);
  Page* add_page(Shard& shard, size_t index);
  template <class Visit>
  void for_each_copy(uint32_t slot, Visit visit) const;

  static thread_local constinit LastUsed last_used;

  const uint32_t id_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<Shard*> free_shards_;  // of threads that have ended; what they counted stays
  uint32_t next_slot_ = 0;
};

// A handle's view of its cells: adds without locks and without sharing.
inline void add_to_cell(MetricCells::Cell& cell, uint64_t by) {
  cell.store(cell.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}
inline void add_to_double_cell(MetricCells::Cell& cell, double by) {
  const double before = std::bit_cast<double>(cell.load(std::memory_order_relaxed));
  cell.store(std::bit_cast<uint64_t>(before + by), std::memory_order_relaxed);
}

}  // namespace weir
