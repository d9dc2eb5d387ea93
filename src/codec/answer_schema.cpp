#include "codec/answer_schema.h"

#include <iterator>
#include <optional>
#include <set>

namespace weir {
namespace {

// Each text block is one JSON text. Copyable between events.
class TextRestorer {
 public:
  explicit TextRestorer(const SchemaRestore& restore) : restore_(restore) {}

  void pass(Event event, std::vector<Event>& out) {
    if (const auto* started = std::get_if<BlockStart>(&event); started && started->kind == BlockKind::text)
      texts_.try_emplace({started->choice, started->index}, restore_);
    if (auto* delta = std::get_if<Delta>(&event); delta && delta->kind == DeltaKind::content) {
      const auto text = texts_.find({delta->choice, delta->index});
      if (text != texts_.end()) {
        delta->text = text->second.feed(delta->text);
        if (delta->text.empty()) return;
      }
    }
    if (const auto* ended = std::get_if<BlockEnd>(&event)) finish(*ended, out);
    out.push_back(std::move(event));
  }

 private:
  void finish(const BlockEnd& ended, std::vector<Event>& out) {
    const auto text = texts_.find({ended.choice, ended.index});
    if (text == texts_.end()) return;
    std::string rest = text->second.finish();
    if (!rest.empty())
      out.push_back(Delta{.choice = ended.choice, .index = ended.index, .text = std::move(rest)});
    texts_.erase(text);
  }

  SchemaRestore restore_;
  std::map<std::pair<int, int>, StreamRestore> texts_{};  // the open ones, by choice and index
};

// The call of the forced tool is the text, and what the model says beside it is not: it would make the text
// no JSON. Only if the answer ends without the call, or calls a tool of the caller's, what was said counts.
class ToolUnwrapper {
 public:
  explicit ToolUnwrapper(std::string tool) : tool_(std::move(tool)) {}

  void pass(Event event, std::vector<Event>& out) {
    if (auto* started = std::get_if<BlockStart>(&event)) on_start(*started, out);
    if (auto* finish = std::get_if<Finish>(&event)) {
      release(out);
      if (finish->reason == StopReason::tool && !has_calls_) finish->reason = StopReason::end;
    }
    if (!is_said(event) || has_calls_) {
      emit(std::move(event), out);
    } else if (!is_answered_) {
      held_.push_back(std::move(event));
    }
  }

 private:
  using Place = std::pair<int, int>;  // choice and index

  static std::optional<Place> place_of(const Event& event) {
    if (const auto* started = std::get_if<BlockStart>(&event)) return Place(started->choice, started->index);
    if (const auto* delta = std::get_if<Delta>(&event)) return Place(delta->choice, delta->index);
    if (const auto* ended = std::get_if<BlockEnd>(&event)) return Place(ended->choice, ended->index);
    return std::nullopt;
  }

  void on_start(BlockStart& started, std::vector<Event>& out) {
    if (started.kind == BlockKind::text) said_.emplace(started.choice, started.index);
    if (started.kind != BlockKind::tool_call) return;
    if (started.tool_name == tool_) {
      is_answered_ = true;
      held_.clear();
      started = BlockStart{.choice = started.choice, .index = started.index, .dialect = started.dialect};
    } else if (started.tool_kind != ToolKind::server) {
      has_calls_ = true;
      release(out);
    }
  }

  bool is_said(const Event& event) const {
    const std::optional<Place> place = place_of(event);
    return place && said_.contains(*place);
  }

  void release(std::vector<Event>& out) {
    for (Event& event : std::exchange(held_, {})) emit(std::move(event), out);
  }

  // The indexes rise by one, whatever was left out.
  void emit(Event event, std::vector<Event>& out) {
    if (auto* started = std::get_if<BlockStart>(&event)) {
      const auto [number, is_new] = numbers_.try_emplace({started->choice, started->index}, 0);
      if (is_new) number->second = next_[started->choice]++;
      started->index = number->second;
    } else if (auto* delta = std::get_if<Delta>(&event)) {
      delta->index = numbers_[{delta->choice, delta->index}];
    } else if (auto* ended = std::get_if<BlockEnd>(&event)) {
      ended->index = numbers_[{ended->choice, ended->index}];
    }
    out.push_back(std::move(event));
  }

  std::string tool_;
  std::set<Place> said_{};          // the text blocks
  std::vector<Event> held_{};       // of them, while they may still count
  std::map<Place, int> numbers_{};  // the indexes that blocks are given
  std::map<int, int> next_{};       // by choice
  bool has_calls_ = false;          // of the caller's tools
  bool is_answered_ = false;
};

class AnswerRestorer {
 public:
  explicit AnswerRestorer(const CallNotes& notes) {
    if (!notes.json_tool.empty()) tool_.emplace(notes.json_tool);
    if (const SchemaRestore* restore = find_restore(notes, "")) text_.emplace(*restore);
  }

  bool is_needed() const { return tool_ || text_; }

  void pass(std::vector<Event> fresh, std::vector<Event>& out) {
    if (tool_) fresh = passed(*tool_, std::move(fresh));
    if (text_) fresh = passed(*text_, std::move(fresh));
    out.insert(out.end(), std::make_move_iterator(fresh.begin()), std::make_move_iterator(fresh.end()));
  }

 private:
  template <class Step>
  static std::vector<Event> passed(Step& step, std::vector<Event> events) {
    std::vector<Event> out;
    for (Event& event : events) step.pass(std::move(event), out);
    return out;
  }

  std::optional<ToolUnwrapper> tool_{};
  std::optional<TextRestorer> text_{};
};

class RestoringDecoder final : public StreamDecoder {
 public:
  RestoringDecoder(std::unique_ptr<StreamDecoder> inner, AnswerRestorer restorer)
      : inner_(std::move(inner)), restorer_(std::move(restorer)) {}
  RestoringDecoder(const RestoringDecoder& other)
      : inner_(other.inner_->clone()), restorer_(other.restorer_) {}

  Result<void> feed(std::string_view bytes, std::vector<Event>& events) override {
    std::vector<Event> fresh;
    const Result<void> fed = inner_->feed(bytes, fresh);
    restorer_.pass(std::move(fresh), events);
    return fed;
  }

  Result<void> finish(std::vector<Event>& events) override {
    std::vector<Event> fresh;
    const Result<void> finished = inner_->finish(fresh);
    restorer_.pass(std::move(fresh), events);
    return finished;
  }

  bool is_concluding() const override { return inner_->is_concluding(); }
  std::string_view forwardable() const override { return inner_->forwardable(); }
  std::unique_ptr<StreamDecoder> clone() const override { return std::make_unique<RestoringDecoder>(*this); }

 private:
  std::unique_ptr<StreamDecoder> inner_;
  AnswerRestorer restorer_;
};

}  // namespace

void note_restore(DownleveledSchema& made, CallNotes& notes) {
  if (made.needs_restore()) notes.restores.make().emplace("", std::move(made.restore));
}

std::string answer_schema(std::string_view schema, const SchemaRules& rules, CallNotes& notes) {
  DownleveledSchema made =
      downlevel_schema(schema, rules, SchemaUse::answer, kAnswerSchemaPointer, notes.fidelity);
  note_restore(made, notes);
  return std::move(made.text);
}

std::vector<Event> with_text_restored(std::vector<Event> events, const CallNotes& notes) {
  if (notes.json_tool.empty() && notes.restores->empty()) return events;
  AnswerRestorer restorer(notes);
  if (!restorer.is_needed()) return events;
  std::vector<Event> out;
  restorer.pass(std::move(events), out);
  return out;
}

std::unique_ptr<StreamDecoder> with_text_restored(std::unique_ptr<StreamDecoder> decoder,
                                                  const CallNotes& notes) {
  AnswerRestorer restorer(notes);
  if (!restorer.is_needed()) return decoder;
  return std::make_unique<RestoringDecoder>(std::move(decoder), std::move(restorer));
}

}  // namespace weir
