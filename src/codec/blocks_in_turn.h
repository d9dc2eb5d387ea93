// Blocks of a streamed answer, one after the other, for dialects whose readers cannot follow two at a time
// (S2): one is open, the events of later ones wait until it has ended.
#pragma once

#include <deque>
#include <utility>
#include <vector>

#include "llm/event.h"

namespace weir {

// The sink has open(const BlockStart&), write(const BlockStart&, const Delta&) and close(const BlockStart&).
// It is called for blocks of the first choice only: these dialects have no other.
class BlocksInTurn {
 public:
  template <class Sink>
  void on(const BlockStart& started, Sink& sink) {
    if (started.choice != 0) return;
    blocks_.push_back({.start = started, .waiting = {}});
    if (blocks_.size() == 1) sink.open(started);
  }

  template <class Sink>
  void on(const Delta& delta, Sink& sink) {
    if (delta.choice != 0) return;
    Block* block = find(delta.index);
    if (!block) {
      // A delta for a block that was never started is a text block's.
      on(BlockStart{.index = delta.index}, sink);
      block = &blocks_.back();
    }
    if (block == &blocks_.front()) {
      sink.write(block->start, delta);
    } else {
      block->waiting.push_back(delta);
    }
  }

  template <class Sink>
  void on(const BlockEnd& ended, Sink& sink) {
    Block* block = ended.choice == 0 ? find(ended.index) : nullptr;
    if (!block) return;
    block->has_ended = true;
    if (block == &blocks_.front()) go_on(sink);
  }

  // The answer has ended: so has every block.
  template <class Sink>
  void end(Sink& sink) {
    for (Block& block : blocks_) block.has_ended = true;
    go_on(sink);
  }

 private:
  struct Block {
    BlockStart start;
    std::vector<Delta> waiting;
    bool has_ended = false;
  };

  Block* find(int index) {
    for (Block& block : blocks_) {
      if (block.start.index == index) return &block;
    }
    return nullptr;
  }

  // Closes the open block if it has ended, and goes on with those that waited.
  template <class Sink>
  void go_on(Sink& sink) {
    while (!blocks_.empty() && blocks_.front().has_ended) {
      sink.close(blocks_.front().start);
      blocks_.pop_front();
      if (blocks_.empty()) return;
      Block& next = blocks_.front();
      sink.open(next.start);
      for (const Delta& delta : std::exchange(next.waiting, {})) sink.write(next.start, delta);
    }
  }

  std::deque<Block> blocks_;  // the first is the open one
};

}  // namespace weir
