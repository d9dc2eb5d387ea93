// ChangeGroup: the changes that one commit makes durable, and what becomes of each.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/sql.h"

namespace weir {

struct Change {
  std::vector<Statement> statements;
  size_t bytes = 0;
  std::function<void(Result<int64_t>)> done;  // called on the writer's thread; may be empty
  std::optional<Result<int64_t>> outcome{};   // since its group was committed, or could not be
};

// One thread's.
class ChangeGroup {
 public:
  bool empty() const { return changes_.empty(); }
  size_t size() const { return changes_.size(); }
  const std::deque<Change>& changes() const { return changes_; }
  void add(Change change) { changes_.push_back(std::move(change)); }

  // REQUIRES an outcome for each change, in their order.
  void settle(std::vector<Result<int64_t>> outcomes) {
    for (size_t i = 0; i < changes_.size(); ++i) changes_[i].outcome = std::move(outcomes[i]);
  }
  // Those that have no outcome yet have failed.
  void fail_rest(const Error& error) {
    for (Change& change : changes_) {
      if (!change.outcome) change.outcome.emplace(fail(Error(error)));
    }
  }
  // Calls `note` and the change's `done` with each outcome, once: a change has left the group when they
  // throw, and the next call goes on behind it. REQUIRES that each has an outcome.
  void tell(const std::function<void(const Result<int64_t>&)>& note) {
    while (!changes_.empty()) {
      Change change = std::move(changes_.front());
      changes_.pop_front();
      note(*change.outcome);
      if (change.done) change.done(std::move(*change.outcome));
    }
  }

 private:
  std::deque<Change> changes_;
};

}  // namespace weir
