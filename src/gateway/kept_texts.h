// KeptTexts: what Weir keeps for a caller between two of its requests, by an id that the caller has seen:
// what a turn of the model left behind (gateway/kept_turns.h), whole answers that can be continued
// (gateway/stored_responses.h). In memory first, shared by the cores of the process; written behind to the
// store, so that a restart or another process finds it. What a crash loses is what the store had not yet
// committed (store/store.h): at most what waited and the last group commit. Everything is sealed on disk, and
// nobody but the caller that it was kept for finds it.
#pragma once

#include <array>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/task.h"
#include "io/scope.h"
#include "security/principal.h"
#include "store/sql.h"

namespace weir {

class Store;

struct KeptLimits {
  Duration ttl{};
  size_t memory_bytes_max = 0;  // of all callers; one caller has at most a quarter of it
  size_t per_caller_max = 0;    // texts of one caller
  size_t per_caller_bytes = 0;  // of one caller, on disk
  size_t rows_max = 0;          // texts of all callers, on disk
  size_t text_bytes_max = 0;    // of one text
};

class KeptTexts {
 public:
  // `kind` names the texts on disk and in metrics; a literal. `store` may be null: then memory is all. Both
  // outlive this.
  KeptTexts(std::string_view kind, KeptLimits limits, Store* store, const Clock& clock,
            MetricsRegistry& metrics);

  // Keeps the text for that caller under the id, in place of what was there. Costs a copy into memory;
  // nothing waits. A text over the limit is not kept. From any core.
  void keep(const Principal& caller, std::string_view id, std::string text);
  // Null: there is none, or its time is over. Errors: the scope's reason, those of the store: what cannot be
  // read may be there.
  Task<std::shared_ptr<const std::string>> find(Scope& scope, const Principal& caller, std::string id);
  // Its two halves: what this process has in memory, and what the disk has.
  std::shared_ptr<const std::string> find_in_memory(const Principal& caller, std::string_view id);
  Task<std::shared_ptr<const std::string>> find_on_disk(Scope& scope, const Principal& caller,
                                                        std::string id);
  // True: it was there.
  Task<bool> forget(Scope& scope, const Principal& caller, std::string id);

  size_t bytes_in_memory() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  struct Entry {
    std::string id;
    std::shared_ptr<const std::string> text;
    int64_t expires_ns = 0;
  };
  struct Texts {  // of one caller, oldest first
    std::list<Entry> entries;
    std::unordered_map<std::string_view, std::list<Entry>::iterator> by_id;  // views into the entries
    size_t bytes = 0;
    size_t kept = 0;
  };
  struct Shard {
    std::mutex mutex;  // never held across a wait
    std::unordered_map<std::string, Texts> callers;
  };

  Shard& shard_of(const std::string& caller);
  // True: the disk's share of this caller should be pruned now.
  bool remember(const std::string& caller, std::string_view id, std::shared_ptr<const std::string> text);
  std::shared_ptr<const std::string> recall(const std::string& caller, std::string_view id);
  void drop_oldest(Texts& texts, bool is_eviction);
  void make_room(Shard& shard, size_t bytes);
  void write_behind(const Principal& caller, std::string_view id, const std::string& text, bool prunes);
  std::vector<Statement> prune_statements(const Principal& caller) const;
  std::string associated_data(const Principal& caller, std::string_view id) const;

  const std::string kind_;
  const KeptLimits limits_;
  Store* const store_;
  const Clock& clock_;
  Counter hits_memory_, hits_store_, misses_, failed_, kept_, evicted_, refused_;
  std::atomic<size_t> bytes_ = 0;
  std::array<Shard, 16> shards_;
};

// The table that they are kept in.
MigrationList kept_texts_migrations();

}  // namespace weir
