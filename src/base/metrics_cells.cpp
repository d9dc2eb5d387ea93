#include "base/metrics_cells.h"

#include "base/assert.h"

namespace weir {
namespace {

std::atomic<uint32_t> next_id = 1;

// Set once the thread's ThreadShards is gone; other thread-local destructors may still count after that.
thread_local constinit bool is_thread_ending = false;

}  // namespace

// Which shard of which MetricCells this thread writes; gives them back when the thread ends.
class ThreadShards {
 public:
  ~ThreadShards() {
    is_thread_ending = true;
    MetricCells::last_used = {};
    for (const Entry& entry : entries_) {
      if (const std::shared_ptr<MetricCells> cells = entry.cells.lock()) cells->release_shard(entry.shard);
    }
  }

  MetricCells::Shard* find(MetricCells& cells) {
    std::erase_if(entries_, [](const Entry& entry) { return entry.cells.expired(); });
    for (const Entry& entry : entries_) {
      if (entry.id == cells.id_) return entry.shard;
    }
    entries_.push_back({cells.id_, cells.weak_from_this(), cells.acquire_shard()});
    return entries_.back().shard;
  }

 private:
  struct Entry {
    uint32_t id;
    std::weak_ptr<MetricCells> cells;
    MetricCells::Shard* shard;
  };
  std::vector<Entry> entries_;
};

thread_local constinit MetricCells::LastUsed MetricCells::last_used;

std::shared_ptr<MetricCells> MetricCells::create() {
  return std::shared_ptr<MetricCells>(new MetricCells());
}

MetricCells::MetricCells() : id_(next_id.fetch_add(1, std::memory_order_relaxed)) {}

MetricCells::~MetricCells() {
  for (const std::unique_ptr<Shard>& shard : shards_) {
    for (const std::atomic<Page*>& page : shard->pages) delete page.load(std::memory_order_relaxed);
  }
}

std::optional<uint32_t> MetricCells::reserve(uint32_t count) {
  WEIR_ASSERT(count <= kPageCells, "neighbours lie on one page");
  const std::lock_guard lock(mutex_);
  const uint32_t left_on_page = kPageCells - next_slot_ % kPageCells;
  const uint32_t slot = count <= left_on_page ? next_slot_ : next_slot_ + left_on_page;
  if (slot + count > kPageCells * kPagesMax) return std::nullopt;
  next_slot_ = slot + count;
  return slot;
}

MetricCells::Shard* MetricCells::find_shard() {
  thread_local ThreadShards shards;
  // A thread that is ending keeps its last shard to itself: nobody is left to give it back.
  Shard* const shard = is_thread_ending ? acquire_shard() : shards.find(*this);
  last_used = {id_, shard};
  return shard;
}

MetricCells::Shard* MetricCells::acquire_shard() {
  const std::lock_guard lock(mutex_);
  if (!free_shards_.empty()) {
    Shard* const shard = free_shards_.back();
    free_shards_.pop_back();
    return shard;
  }
  shards_.push_back(std::make_unique<Shard>());
  return shards_.back().get();
}

void MetricCells::release_shard(Shard* shard) {
  const std::lock_guard lock(mutex_);
  free_shards_.push_back(shard);
}

MetricCells::Page* MetricCells::add_page(Shard& shard, size_t index) {
  Page* const page = new Page();
  // Release: a reader that sees the pointer sees the zeros.
  shard.pages[index].store(page, std::memory_order_release);
  return page;
}

template <class Visit>
void MetricCells::for_each_copy(uint32_t slot, Visit visit) const {
  const std::lock_guard lock(mutex_);
  for (const std::unique_ptr<Shard>& shard : shards_) {
    const Page* const page = shard->pages[slot / kPageCells].load(std::memory_order_acquire);
    if (page != nullptr) visit((*page)[slot % kPageCells].load(std::memory_order_relaxed));
  }
}

uint64_t MetricCells::sum(uint32_t slot) const {
  uint64_t total = 0;
  for_each_copy(slot, [&total](uint64_t value) { total += value; });
  return total;
}

double MetricCells::sum_doubles(uint32_t slot) const {
  double total = 0;
  for_each_copy(slot, [&total](uint64_t bits) { total += std::bit_cast<double>(bits); });
  return total;
}

}  // namespace weir
