#include "llm/stop_matcher.h"

#include <algorithm>

namespace weir {
namespace {

struct Match {
  size_t at = std::string::npos;
  std::string_view stop;
};

// The first place where a sequence stands; of those that begin there, the longest.
Match first_match(std::string_view text, const std::vector<std::string>& stops) {
  Match best;
  for (const std::string& stop : stops) {
    const size_t at = text.find(stop);
    if (at == std::string_view::npos) continue;
    if (at < best.at || (at == best.at && stop.size() > best.stop.size())) best = {at, stop};
  }
  return best;
}

// How many bytes at the end of the text may be the beginning of a sequence.
size_t open_end(std::string_view text, const std::vector<std::string>& stops) {
  size_t longest = 0;
  for (const std::string& stop : stops) {
    for (size_t length = std::min(text.size(), stop.size() - 1); length > longest; --length) {
      if (text.ends_with(std::string_view(stop).substr(0, length))) longest = length;
    }
  }
  return longest;
}

int choice_of(const Event& event) {
  if (const auto* started = std::get_if<BlockStart>(&event)) return started->choice;
  if (const auto* delta = std::get_if<Delta>(&event)) return delta->choice;
  if (const auto* ended = std::get_if<BlockEnd>(&event)) return ended->choice;
  if (const auto* logprobs = std::get_if<Logprobs>(&event)) return logprobs->choice;
  if (const auto* finish = std::get_if<Finish>(&event)) return finish->choice;
  return -1;
}

}  // namespace

bool StopMatcher::is_text(const Choice& choice, int block) const {
  const auto found = choice.blocks.find(block);
  return found == choice.blocks.end() || found->second == BlockKind::text;
}

void StopMatcher::flush(int index, Choice& choice, std::vector<Event>& out) {
  if (choice.held.empty()) return;
  out.push_back(Delta{.choice = index, .index = choice.text_block, .text = std::move(choice.held)});
  choice.held.clear();
}

void StopMatcher::stop(int index, Choice& choice, std::string_view sequence, std::vector<Event>& out) {
  choice.is_stopped = true;
  choice.held.clear();
  for (const auto& [block, kind] : choice.blocks) out.push_back(BlockEnd{.choice = index, .index = block});
  out.push_back(
      Finish{.choice = index, .reason = StopReason::stop_sequence, .stop_sequence = std::string(sequence)});
}

void StopMatcher::on_delta(const Delta& delta, std::vector<Event>& out) {
  Choice& choice = choices_[delta.choice];
  if (delta.kind != DeltaKind::content || !is_text(choice, delta.index)) {
    flush(delta.choice, choice, out);
    out.push_back(delta);
    return;
  }
  if (choice.text_block != delta.index) flush(delta.choice, choice, out);
  choice.text_block = delta.index;
  std::string text = std::move(choice.held) + delta.text;
  choice.held.clear();
  const Match match = first_match(text, stops_);
  const size_t told = match.at == std::string::npos ? text.size() - open_end(text, stops_) : match.at;
  if (told > 0) {
    Delta shown = delta;
    shown.text = text.substr(0, told);
    out.push_back(std::move(shown));
  }
  if (match.at == std::string::npos) {
    choice.held = text.substr(told);
  } else {
    stop(delta.choice, choice, match.stop, out);
  }
}

bool StopMatcher::feed(const Event& event, std::vector<Event>& out) {
  const int index = choice_of(event);
  if (index < 0) {
    out.push_back(event);
    return false;
  }
  Choice& choice = choices_[index];
  if (choice.is_stopped) return false;
  if (const auto* delta = std::get_if<Delta>(&event)) {
    on_delta(*delta, out);
    return std::ranges::all_of(choices_, [](const auto& one) { return one.second.is_stopped; });
  }
  flush(index, choice, out);
  if (const auto* started = std::get_if<BlockStart>(&event)) choice.blocks[started->index] = started->kind;
  if (const auto* ended = std::get_if<BlockEnd>(&event)) choice.blocks.erase(ended->index);
  out.push_back(event);
  return false;
}

}  // namespace weir
