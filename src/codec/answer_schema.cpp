#include "codec/answer_schema.h"

#include <iterator>
#include <optional>

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

// The call of the forced tool is a text block.
class ToolUnwrapper {
 public:
  explicit ToolUnwrapper(std::string tool) : tool_(std::move(tool)) {}

  void pass(Event event, std::vector<Event>& out) {
    if (auto* started = std::get_if<BlockStart>(&event)) on_start(*started);
    if (auto* finish = std::get_if<Finish>(&event);
        finish && finish->reason == StopReason::tool && !has_calls_)
      finish->reason = StopReason::end;
    out.push_back(std::move(event));
  }

 private:
  void on_start(BlockStart& started) {
    if (started.kind != BlockKind::tool_call) return;
    if (started.tool_name == tool_) {
      started = BlockStart{.choice = started.choice, .index = started.index, .dialect = started.dialect};
    } else if (started.tool_kind != ToolKind::server) {
      has_calls_ = true;
    }
  }

  std::string tool_;
  bool has_calls_ = false;  // of the caller's tools
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
