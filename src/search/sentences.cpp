#include "search/sentences.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>

#include "base/text.h"
#include "search/sentence_marks.h"
#include "search/unicode.h"

namespace weir {
namespace {

// A line that ends before this many bytes was not wrapped by its width.
constexpr size_t kShortLineBytes = 48;
constexpr size_t kHeadingBytesMax = 80;
constexpr size_t kLabelBytesMax = 24;

struct Line {
  size_t offset = 0;      // of the first byte that is not blank
  std::string_view text;  // trimmed
  size_t indent = 0;
};

enum class LineKind : uint8_t { blank, text, heading, underline, item, fence, row };

size_t leading(std::string_view text, char c) {
  return std::min(text.find_first_not_of(c), text.size());
}

bool is_underline(std::string_view line) {
  return line.size() >= 3 && (leading(line, '=') == line.size() || leading(line, '-') == line.size());
}

LineKind kind_of(std::string_view line) {
  if (line.empty()) return LineKind::blank;
  if (line.starts_with("```") || line.starts_with("~~~")) return LineKind::fence;
  if (heading_marker_size(line) > 0) return LineKind::heading;
  if (is_underline(line)) return LineKind::underline;
  if (list_marker_size(line) > 0) return LineKind::item;
  return line.front() == '|' ? LineKind::row : LineKind::text;
}

// "Opened: 1904", "Owner: the town": a line that says a fact by itself.
bool is_labelled(std::string_view line) {
  const size_t colon = line.find(": ");
  return colon != line.npos && colon <= kLabelBytesMax && is_upper(decode_utf8(line, 0).value);
}

// Whether a line end after `line` is more than a wrapped line's.
bool ends_by_itself(std::string_view line, std::string_view next) {
  if (ends_sentence(line)) return false;  // the sentence splitter finds that end
  if (line.back() == ',' || line.back() == ';' || line.back() == '-') return false;
  const char32_t first = decode_utf8(next, 0).value;
  if (is_lower(first)) return false;
  return is_labelled(next) || (line.size() < kShortLineBytes && (is_labelled(line) || is_upper(first)));
}

// A verb makes a short line a statement rather than a heading.
bool has_common_verb(std::string_view line) {
  constexpr std::string_view kVerbs[] = {" is ",   " are ", " was ", " were ", " has ",
                                         " have ", " had ", " can ", " will ", " does "};
  return std::ranges::any_of(kVerbs, [&](std::string_view verb) { return line.contains(verb); });
}

class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  std::vector<Sentence> run() {
    while (auto line = next_line()) take(*line);
    if (in_fence_) flush(SentenceKind::code);
    flush(block_kind_);
    return std::move(sentences_);
  }

 private:
  std::optional<Line> next_line() {
    if (at_ >= text_.size()) return std::nullopt;
    const size_t end = std::min(text_.find('\n', at_), text_.size());
    const std::string_view raw = text_.substr(at_, end - at_);
    const size_t indent = std::min(raw.find_first_not_of(" \t\r\v\f"), raw.size());
    const Line line{at_ + indent, trim(raw), indent};
    at_ = end + 1;
    return line;
  }

  void take(const Line& line) {
    LineKind kind = kind_of(line.text);
    if (in_fence_ || kind == LineKind::fence) return take_code(line, kind);
    // A list item goes on in lines that are indented; elsewhere four blanks mean nothing here.
    if (kind == LineKind::underline) return take_underline(line);
    if (kind == LineKind::blank) {
      flush_as_heading_if_short();
      return;
    }
    if (kind != LineKind::text) {
      flush(block_kind_);
      open(line, kind == LineKind::item      ? SentenceKind::list_item
                 : kind == LineKind::heading ? SentenceKind::heading
                                             : SentenceKind::table_row);
      if (kind != LineKind::item) flush(block_kind_);
      return;
    }
    if (!has_block_) return open(line, SentenceKind::prose);
    const SentenceKind before = block_kind_;
    if (ends_by_itself(last_line_, line.text)) {
      flush(before);
      // A line after an item that is not indented belongs to no list any more.
      return open(line, before == SentenceKind::list_item && line.indent > 0 ? before : SentenceKind::prose);
    }
    extend(line);
  }

  void take_code(const Line& line, LineKind kind) {
    if (!in_fence_) {
      flush(block_kind_);
      open(line, SentenceKind::code);
      in_fence_ = true;
      fence_ = line.text.front();
      return;
    }
    if (!line.text.empty()) extend(line);
    if (kind == LineKind::fence && line.text.front() == fence_) {
      in_fence_ = false;
      flush(SentenceKind::code);
    }
  }

  // Under a single line it makes that line a heading, elsewhere it is a rule between paragraphs.
  void take_underline(const Line& line) {
    if (has_block_ && block_lines_ == 1 && block_kind_ == SentenceKind::prose) {
      extend(line);
      flush(SentenceKind::heading);
      return;
    }
    flush(block_kind_);
    open(line, SentenceKind::heading);
    flush(SentenceKind::heading);
  }

  void open(const Line& line, SentenceKind kind) {
    has_block_ = true;
    block_kind_ = kind;
    block_start_ = line.offset;
    block_lines_ = 0;
    extend(line);
  }

  void extend(const Line& line) {
    block_end_ = line.offset + line.text.size();
    last_line_ = line.text;
    ++block_lines_;
  }

  void flush_as_heading_if_short() {
    const bool is_heading = has_block_ && block_kind_ == SentenceKind::prose && block_lines_ == 1 &&
                            last_line_.size() <= kHeadingBytesMax && !ends_sentence(last_line_) &&
                            last_line_.back() != ',' && !is_labelled(last_line_) &&
                            !has_common_verb(last_line_) && is_upper(decode_utf8(last_line_, 0).value);
    flush(is_heading ? SentenceKind::heading : block_kind_);
  }

  void flush(SentenceKind kind) {
    if (!std::exchange(has_block_, false)) return;
    const bool is_whole = kind != SentenceKind::prose && kind != SentenceKind::list_item;
    size_t start = block_start_;
    const size_t marker =
        kind == SentenceKind::list_item ? list_marker_size(text_.substr(start, block_end_ - start)) : 0;
    while (start < block_end_) {
      const size_t from = start == block_start_ ? start + marker : start;
      const size_t end = is_whole ? block_end_ : sentence_end(text_.substr(0, block_end_), from);
      add(start, end, kind);
      start = end;
      while (start < block_end_) {
        const CodePoint c = decode_utf8(text_, start);
        if (char_class(c.value) != CharClass::space) break;
        start += c.size;
      }
    }
    ++paragraph_;
  }

  void add(size_t start, size_t end, SentenceKind kind) {
    while (end > start && is_space(text_[end - 1])) --end;
    if (end > start) sentences_.push_back({start, end - start, paragraph_, kind});
  }

  std::string_view text_;
  size_t at_ = 0;
  std::vector<Sentence> sentences_;
  uint32_t paragraph_ = 0;

  // The block that is being gathered: lines from block_start_ to block_end_.
  bool has_block_ = false;
  SentenceKind block_kind_ = SentenceKind::prose;
  size_t block_start_ = 0;
  size_t block_end_ = 0;
  size_t block_lines_ = 0;
  std::string_view last_line_;
  bool in_fence_ = false;
  char fence_ = '`';
};

}  // namespace

std::vector<Sentence> split_sentences(std::string_view text) {
  return Splitter(text).run();
}

std::string plain_text(std::string_view source, const Sentence& sentence) {
  std::string_view text = sentence.in(source);
  if (sentence.kind == SentenceKind::code || sentence.kind == SentenceKind::table_row)
    return std::string(text);
  if (sentence.kind == SentenceKind::list_item) text.remove_prefix(list_marker_size(text));
  if (sentence.kind == SentenceKind::heading) {
    text.remove_prefix(heading_marker_size(text));
    text = trim(text.substr(0, text.find('\n')));
  }
  std::string out;
  for (const char c : text) {
    const bool is_blank = is_space(c);
    if (!is_blank) out += c;
    if (is_blank && !out.empty() && out.back() != ' ') out += ' ';
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace weir
