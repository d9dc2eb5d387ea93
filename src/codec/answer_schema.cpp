#include "codec/answer_schema.h"

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

class RestoringDecoder final : public StreamDecoder {
 public:
  RestoringDecoder(std::unique_ptr<StreamDecoder> inner, const SchemaRestore& restore)
      : inner_(std::move(inner)), restorer_(restore) {}
  RestoringDecoder(const RestoringDecoder& other)
      : inner_(other.inner_->clone()), restorer_(other.restorer_) {}

  Result<void> feed(std::string_view bytes, std::vector<Event>& events) override {
    std::vector<Event> fresh;
    const Result<void> fed = inner_->feed(bytes, fresh);
    pass(std::move(fresh), events);
    return fed;
  }

  Result<void> finish(std::vector<Event>& events) override {
    std::vector<Event> fresh;
    const Result<void> finished = inner_->finish(fresh);
    pass(std::move(fresh), events);
    return finished;
  }

  bool is_concluding() const override { return inner_->is_concluding(); }
  std::string_view forwardable() const override { return inner_->forwardable(); }
  std::unique_ptr<StreamDecoder> clone() const override { return std::make_unique<RestoringDecoder>(*this); }

 private:
  void pass(std::vector<Event> fresh, std::vector<Event>& events) {
    for (Event& event : fresh) restorer_.pass(std::move(event), events);
  }

  std::unique_ptr<StreamDecoder> inner_;
  TextRestorer restorer_;
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
  const SchemaRestore* restore = find_restore(notes, "");
  if (!restore) return events;
  TextRestorer restorer(*restore);
  std::vector<Event> out;
  for (Event& event : events) restorer.pass(std::move(event), out);
  return out;
}

std::unique_ptr<StreamDecoder> with_text_restored(std::unique_ptr<StreamDecoder> decoder,
                                                  const CallNotes& notes) {
  const SchemaRestore* restore = find_restore(notes, "");
  if (!restore) return decoder;
  return std::make_unique<RestoringDecoder>(std::move(decoder), *restore);
}

}  // namespace weir
