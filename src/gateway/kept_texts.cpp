#include "gateway/kept_texts.h"

#include <fmt/core.h>

#include "store/store.h"

namespace weir {
namespace {

// How often, in texts of one caller, its share on disk is brought within bounds; it may be over by as many.
constexpr size_t kPruneEvery = 64;
// What an entry takes beside its text.
constexpr size_t kEntryBytes = 256;

constexpr std::array kSteps = {
    Migration{1,
              "CREATE TABLE kept_texts (seq INTEGER PRIMARY KEY, tenant TEXT NOT NULL, caller TEXT NOT NULL, "
              "kind TEXT NOT NULL, id TEXT NOT NULL, expires_s INTEGER NOT NULL, bytes INTEGER NOT NULL, "
              "text BLOB NOT NULL);"
              "CREATE UNIQUE INDEX kept_texts_id ON kept_texts (tenant, caller, kind, id);"
              "CREATE INDEX kept_texts_age ON kept_texts (tenant, caller, kind, seq, bytes);"
              "CREATE INDEX kept_texts_kind ON kept_texts (kind, seq);"
              "CREATE INDEX kept_texts_expiry ON kept_texts (kind, expires_s);"}};

constexpr std::string_view kForget =
    "DELETE FROM kept_texts WHERE tenant = ? AND caller = ? AND kind = ? AND id = ?";
constexpr std::string_view kKeep =
    "INSERT INTO kept_texts (tenant, caller, kind, id, expires_s, bytes, text) VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kFind =
    "SELECT text, expires_s FROM kept_texts WHERE tenant = ? AND caller = ? AND kind = ? AND id = ? AND "
    "expires_s > ?";
constexpr std::string_view kPruneRows =
    "DELETE FROM kept_texts WHERE tenant = ? AND caller = ? AND kind = ? AND seq <= (SELECT seq FROM "
    "kept_texts "
    "WHERE tenant = ? AND caller = ? AND kind = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)";
constexpr std::string_view kPruneBytes =
    "DELETE FROM kept_texts WHERE tenant = ? AND caller = ? AND kind = ? AND seq <= (SELECT MAX(seq) FROM "
    "(SELECT seq, SUM(bytes) OVER (ORDER BY seq DESC) AS total FROM kept_texts "
    "WHERE tenant = ? AND caller = ? AND kind = ?) AS sums WHERE total > ?)";
// Housekeeping over all tenants: it reads no text.
constexpr std::string_view kPruneExpired = "DELETE FROM kept_texts WHERE kind = ? AND expires_s <= ?";
constexpr std::string_view kPruneAll =
    "DELETE FROM kept_texts WHERE kind = ? AND seq <= (SELECT seq FROM kept_texts WHERE kind = ? "
    "ORDER BY seq DESC LIMIT 1 OFFSET ?)";

// A key of the map: no id of a tenant holds the separator.
std::string name_of(const Principal& caller) {
  return fmt::format("{}\n{}", caller.tenant, caller.key_id);
}

int64_t seconds(int64_t ns) {
  return ns / 1'000'000'000;
}

}  // namespace

MigrationList kept_texts_migrations() {
  return {.folder = "gateway", .steps = kSteps};
}

KeptTexts::KeptTexts(std::string_view kind, KeptLimits limits, Store* store, const Clock& clock,
                     MetricsRegistry& metrics)
    : kind_(kind), limits_(limits), store_(store), clock_(clock) {
  const CounterFamily lookups =
      metrics.counter({.name = "weir_kept_lookups_total",
                       .help = "Look-ups of what is kept for callers between their requests.",
                       .labels = {"kind", "result"}});
  hits_memory_ = lookups.with({kind, "memory"});
  hits_store_ = lookups.with({kind, "store"});
  misses_ = lookups.with({kind, "miss"});
  failed_ = lookups.with({kind, "failed"});
  const CounterFamily texts =
      metrics.counter({.name = "weir_kept_texts_total",
                       .help = "What was kept for callers, what made room before its time, and what was not "
                               "stored because it was too large or the store's queue was full.",
                       .labels = {"kind", "event"}});
  kept_ = texts.with({kind, "kept"});
  evicted_ = texts.with({kind, "evicted"});
  refused_ = texts.with({kind, "refused"});
}

KeptTexts::Shard& KeptTexts::shard_of(const std::string& caller) {
  return shards_[std::hash<std::string>()(caller) % shards_.size()];
}

void KeptTexts::keep(const Principal& caller, std::string_view id, std::string text) {
  if (text.size() > limits_.text_bytes_max) return refused_.add();
  const auto shared = std::make_shared<const std::string>(std::move(text));
  const bool prunes = remember(name_of(caller), id, shared);
  kept_.add();
  if (store_) write_behind(caller, id, *shared, prunes);
}

bool KeptTexts::remember(const std::string& caller, std::string_view id,
                         std::shared_ptr<const std::string> text) {
  const size_t bytes = text->size() + id.size() + kEntryBytes;
  Shard& shard = shard_of(caller);
  const std::lock_guard lock(shard.mutex);
  Texts& texts = shard.callers[caller];
  const bool prunes = ++texts.kept % kPruneEvery == 0;
  if (const auto known = texts.by_id.find(id); known != texts.by_id.end()) {
    // To the front of the list, where the oldest goes.
    texts.entries.splice(texts.entries.begin(), texts.entries, known->second);
    drop_oldest(texts, false);
  }
  while (!texts.entries.empty() && (texts.entries.size() >= limits_.per_caller_max ||
                                    texts.bytes + bytes > limits_.memory_bytes_max / 4)) {
    drop_oldest(texts, true);
  }
  make_room(shard, bytes);
  // A newcomer finds memory full of what other shards hold: the disk has it.
  if (bytes_.load(std::memory_order_relaxed) + bytes > limits_.memory_bytes_max) return prunes;
  Texts& own = shard.callers[caller];
  own.kept = std::max(own.kept, size_t{1});
  own.entries.push_back(
      {.id = std::string(id), .text = std::move(text), .expires_ns = clock_.wall_ns() + limits_.ttl.count()});
  own.by_id.emplace(own.entries.back().id, std::prev(own.entries.end()));
  own.bytes += bytes;
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
  return prunes;
}

void KeptTexts::drop_oldest(Texts& texts, bool is_eviction) {
  const Entry& oldest = texts.entries.front();
  const size_t bytes = oldest.text->size() + oldest.id.size() + kEntryBytes;
  if (is_eviction && oldest.expires_ns > clock_.wall_ns()) evicted_.add();
  texts.by_id.erase(oldest.id);
  texts.entries.pop_front();
  texts.bytes -= bytes;
  bytes_.fetch_sub(bytes, std::memory_order_relaxed);
}

// What is over goes first, then the oldest of whoever holds most in this shard.
void KeptTexts::make_room(Shard& shard, size_t bytes) {
  const auto is_full = [&] {
    return bytes_.load(std::memory_order_relaxed) + bytes > limits_.memory_bytes_max;
  };
  if (!is_full()) return;
  const int64_t now = clock_.wall_ns();
  for (auto at = shard.callers.begin(); at != shard.callers.end();) {
    Texts& texts = at->second;
    while (!texts.entries.empty() && texts.entries.front().expires_ns <= now) drop_oldest(texts, false);
    at = texts.entries.empty() ? shard.callers.erase(at) : std::next(at);
  }
  while (is_full() && !shard.callers.empty()) {
    const auto largest =
        std::max_element(shard.callers.begin(), shard.callers.end(),
                         [](const auto& a, const auto& b) { return a.second.bytes < b.second.bytes; });
    if (largest->second.entries.empty()) return;
    drop_oldest(largest->second, true);
  }
}

std::shared_ptr<const std::string> KeptTexts::recall(const std::string& caller, std::string_view id) {
  Shard& shard = shard_of(caller);
  const std::lock_guard lock(shard.mutex);
  const auto texts = shard.callers.find(caller);
  if (texts == shard.callers.end()) return nullptr;
  const auto entry = texts->second.by_id.find(id);
  if (entry == texts->second.by_id.end() || entry->second->expires_ns <= clock_.wall_ns()) return nullptr;
  return entry->second->text;
}

std::string KeptTexts::associated_data(const Principal& caller, std::string_view id) const {
  return fmt::format("{}\n{}", caller.key_id, id);
}

void KeptTexts::write_behind(const Principal& caller, std::string_view id, const std::string& text,
                             bool prunes) {
  const auto bytes = static_cast<int64_t>(text.size());
  const int64_t expires_s = seconds(clock_.wall_ns() + limits_.ttl.count());
  std::vector<Statement> change;
  // Not an upsert: the row is to be the youngest.
  change.push_back({kForget, {caller.tenant, caller.key_id, kind_, std::string(id)}});
  change.push_back({kKeep,
                    {caller.tenant, caller.key_id, kind_, std::string(id), expires_s, bytes,
                     SqlSealed{.context = fmt::format("kept/{}/{}", kind_, caller.tenant),
                               .associated = associated_data(caller, id),
                               .plaintext = text}}});
  if (prunes) {
    for (Statement& statement : prune_statements(caller)) change.push_back(std::move(statement));
  }
  if (!store_->write_later(std::move(change))) refused_.add();
}

std::vector<Statement> KeptTexts::prune_statements(const Principal& caller) const {
  const auto limit = [](size_t value) { return static_cast<int64_t>(value); };
  const std::string& tenant = caller.tenant;
  const std::string& key = caller.key_id;
  return {
      {kPruneExpired, {kind_, seconds(clock_.wall_ns())}},
      {kPruneRows, {tenant, key, kind_, tenant, key, kind_, limit(limits_.per_caller_max)}},
      {kPruneBytes, {tenant, key, kind_, tenant, key, kind_, limit(limits_.per_caller_bytes)}},
      {kPruneAll, {kind_, kind_, limit(limits_.rows_max)}},
  };
}

std::shared_ptr<const std::string> KeptTexts::find_in_memory(const Principal& caller, std::string_view id) {
  auto text = recall(name_of(caller), id);
  // Counted once for a whole look-up: a miss is the disk's to tell where there is one.
  if (text) hits_memory_.add();
  return text;
}

Task<std::shared_ptr<const std::string>> KeptTexts::find(Scope& scope, const Principal& caller,
                                                         std::string id) {
  if (auto text = find_in_memory(caller, id)) co_return text;
  co_return co_await find_on_disk(scope, caller, std::move(id));
}

Task<std::shared_ptr<const std::string>> KeptTexts::find_on_disk(Scope& scope, const Principal& caller,
                                                                 std::string id) {
  std::shared_ptr<const std::string> found;
  if (store_) {
    Result<std::vector<SqlRow>> rows = co_await store_->read(
        scope, {.statement = {kFind, {caller.tenant, caller.key_id, kind_, id, seconds(clock_.wall_ns())}},
                .seal_context = fmt::format("kept/{}/{}", kind_, caller.tenant),
                .seal_associated = associated_data(caller, id)});
    CO_TRY(scope.check());
    if (!rows) failed_.add();
    const std::vector<SqlRow> found_rows = CO_TRY(std::move(rows));
    if (!found_rows.empty()) found = std::make_shared<const std::string>(text_of(found_rows.front(), 0));
  }
  (found ? hits_store_ : misses_).add();
  co_return found;
}

Task<bool> KeptTexts::forget(Scope& scope, const Principal& caller, std::string id) {
  bool was_there = false;
  {
    const std::string name = name_of(caller);
    Shard& shard = shard_of(name);
    const std::lock_guard lock(shard.mutex);
    const auto texts = shard.callers.find(name);
    if (texts != shard.callers.end()) {
      Texts& own = texts->second;
      if (const auto known = own.by_id.find(id); known != own.by_id.end()) {
        own.entries.splice(own.entries.begin(), own.entries, known->second);
        drop_oldest(own, false);
        was_there = true;
      }
    }
  }
  if (store_) {
    // What waits to be written comes before this change, so it goes too.
    const int64_t rows =
        CO_TRY(co_await store_->write(scope, {{kForget, {caller.tenant, caller.key_id, kind_, id}}}));
    was_there = was_there || rows > 0;
  }
  co_return was_there;
}

}  // namespace weir
