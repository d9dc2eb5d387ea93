// Stop sequences for models that take none: the text is watched, and the answer ends where one appears
// (translation.md 4.4). Nothing of the sequence itself reaches the client, however it falls into the deltas.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "llm/event.h"

namespace weir {

class StopMatcher {
 public:
  // REQUIRES sequences that are not empty.
  explicit StopMatcher(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  // Appends what may be told of the event by now. True: every choice has been stopped, and of what the
  // provider still says only its usage counts; `out` then ends with a Finish, and wants an End.
  bool feed(const Event& event, std::vector<Event>& out);

 private:
  struct Choice {
    std::map<int, BlockKind> blocks;  // those that are open
    int text_block = -1;              // whose end is held back
    std::string held;                 // may be the beginning of a stop sequence
    bool is_stopped = false;
  };
  void on_delta(const Delta& delta, std::vector<Event>& out);
  void flush(int index, Choice& choice, std::vector<Event>& out);
  void stop(int index, Choice& choice, std::string_view sequence, std::vector<Event>& out);
  bool is_text(const Choice& choice, int block) const;

  std::vector<std::string> stops_;
  std::map<int, Choice> choices_;
};

}  // namespace weir
