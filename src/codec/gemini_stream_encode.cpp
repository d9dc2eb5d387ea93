// Streams in Google's dialect: every chunk is an answer of its own, with the parts that are new.
#include <algorithm>
#include <array>
#include <map>

#include "codec/citations.h"
#include "codec/gemini_encode.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::gemini;

// Parts must be whole: arguments of a call, media and blocks of the vendor's own wait for the end of their
// block. Finish, citations and usage leave together at the end (S10).
class GeminiStreamEncoder final : public StreamEncoder {
 public:
  GeminiStreamEncoder(AnswerContext context, GeminiFraming framing)
      : context_(std::move(context)), is_array_(framing == GeminiFraming::array) {}

  void encode(const Event& event, std::string& out) override {
    std::visit([&](const auto& body) { on(body, out); }, event);
  }

  // White space between the elements of an array means nothing, nor does an empty line between events.
  // Google's Python SDK takes a comment for the start of an answer and fails.
  void keep_alive(std::string& out) override {
    if (is_array_) {
      out += is_open_ ? "\n" : "[\n";
      is_open_ = true;
    } else {
      out += "\r\n";
    }
  }

  void fail(const Error& error, std::string& out) override {
    begin_chunk(out);
    JsonWriter json(out);
    json.begin_object().key("error");
    write_gemini_error(json, error);
    json.end_object();
    end_chunk(out);
    if (is_array_) out += ']';
  }

 private:
  struct Block : AnswerBlock {
    int64_t starts_at = 0;  // in the text, in bytes
  };
  struct Choice {
    std::map<int, Block> blocks;  // those that are open
    int64_t text_bytes = 0;
    Finish finish;
    std::vector<std::string> citations;
    std::vector<std::string> logprobs;
  };

  void on(const Start& start, std::string&) { start_ = start; }
  void on(const UsageReport& report, std::string&) { usage_.set_from(report.usage); }
  void on(const Ping&, std::string& out) { keep_alive(out); }
  void on(const Payload&, std::string&) {}
  void on(const Logprobs& logprobs, std::string&) {
    choices_[logprobs.choice].logprobs.push_back(logprobs.raw);
  }
  void on(const Finish& finish, std::string&) { choices_[finish.choice].finish = finish; }

  void on(const BlockStart& started, std::string&) {
    Choice& choice = choices_[started.choice];
    Block& block = choice.blocks[started.index];
    block.starts_at = choice.text_bytes;
    block.kind = started.kind;
    block.tool_id = started.tool_id;
    block.tool_name = started.tool_name;
    block.tool_kind = started.tool_kind;
    block.dialect = started.dialect;
    block.raw = started.data;
  }

  void on(const Delta& delta, std::string& out) {
    Choice& choice = choices_[delta.choice];
    Block& block = choice.blocks[delta.index];
    if (delta.kind == DeltaKind::citation) {
      block.citations.push_back(delta.text);
      block.dialect = delta.dialect;
    } else if (delta.kind == DeltaKind::signature) {
      if (delta.dialect != kDialect) return;
      block.dialect = kDialect;
      block.signature += delta.text;
    } else if (block.kind == BlockKind::text || block.kind == BlockKind::refusal) {
      choice.text_bytes += static_cast<int64_t>(delta.text.size());
      write_text(delta, false, out);
    } else if (block.kind == BlockKind::thinking) {
      block.text = "seen";
      write_text(delta, true, out);
    } else {
      block.text += delta.text;
    }
  }

  void on(const BlockEnd& ended, std::string& out) {
    auto& blocks = choices_[ended.choice].blocks;
    const auto found = blocks.find(ended.index);
    if (found == blocks.end()) return;
    const Block block = std::move(found->second);
    blocks.erase(found);
    finish_block(ended.choice, block, out);
  }

  void on(const End&, std::string& out) {
    for (auto& [index, choice] : choices_) {
      for (const auto& [at, block] : std::exchange(choice.blocks, {})) finish_block(index, block, out);
    }
    if (choices_.empty()) choices_[0];
    begin_chunk(out);
    JsonWriter json(out);
    json.begin_object().key("candidates").begin_array();
    for (const auto& [index, choice] : choices_) {
      json.begin_object().key("content").begin_object();
      json.key("parts").raw(R"([{"text":""}])").key("role").value("model").end_object();
      json.key("finishReason").value(gemini_finish_reason(choice.finish)).key("index").value(index);
      write_gemini_citations(json, choice.citations);
      if (!choice.logprobs.empty()) write_gemini_logprobs(json, choice.logprobs);
      json.end_object();
    }
    json.end_array().key("usageMetadata");
    write_gemini_usage(json, usage_);
    write_gemini_tail(json, start_, context_);
    json.end_object();
    end_chunk(out);
    if (is_array_) out += ']';
  }

  void write_text(const Delta& delta, bool is_thought, std::string& out) {
    if (delta.text.empty()) return;
    JsonWriter json = begin_part(out);
    json.begin_object().key("text").value(delta.text);
    if (is_thought) json.key("thought").value(true);
    json.end_object();
    end_part(json, delta.choice, out);
  }

  void finish_block(int choice, const Block& block, std::string& out) {
    const bool is_own = block.dialect == kDialect;
    switch (block.kind) {
      case BlockKind::thinking:
        if (is_own && !block.signature.empty()) write_signature(choice, block, out);
        return;
      case BlockKind::tool_call: {
        if (block.tool_kind == ToolKind::server) return;
        JsonWriter json = begin_part(out);
        write_gemini_call(json, block);
        return end_part(json, choice, out);
      }
      case BlockKind::image:
      case BlockKind::audio: {
        JsonWriter json = begin_part(out);
        json.begin_object().key("inlineData").begin_object().key("mimeType").value(gemini_mime(block));
        json.key("data").value(block.text).end_object().end_object();
        return end_part(json, choice, out);
      }
      case BlockKind::unknown: {
        if (!is_own) return;
        JsonWriter json = begin_part(out);
        json.raw(block.raw);
        return end_part(json, choice, out);
      }
      case BlockKind::text:
        return cite(choices_[choice], block);
      case BlockKind::refusal:
      case BlockKind::redacted_thinking:
        return;
    }
  }

  // Some vendors cite before the text, and its place is known when it has ended.
  static void cite(Choice& choice, const Block& block) {
    const CitedRange range{.start = block.starts_at, .end = choice.text_bytes};
    for (std::string& form : citation_forms(kDialect, block, range))
      choice.citations.push_back(std::move(form));
  }

  // Of thoughts that were told it closes them; of hidden ones it stands on an empty text (S17).
  void write_signature(int choice, const AnswerBlock& block, std::string& out) {
    JsonWriter json = begin_part(out);
    json.begin_object().key("text").value("");
    if (!block.text.empty()) json.key("thought").value(true);
    json.key("thoughtSignature").value(block.signature).end_object();
    end_part(json, choice, out);
  }

  JsonWriter begin_part(std::string& out) {
    begin_chunk(out);
    JsonWriter json(out);
    json.begin_object().key("candidates").begin_array().begin_object().key("content").begin_object();
    json.key("parts").begin_array();
    return json;
  }

  void end_part(JsonWriter& json, int choice, std::string& out) {
    json.end_array()
        .key("role")
        .value("model")
        .end_object()
        .key("index")
        .value(choice)
        .end_object()
        .end_array();
    if (!usage_.empty()) {
      json.key("usageMetadata");
      write_gemini_usage(json, usage_);
    }
    write_gemini_tail(json, start_, context_);
    json.end_object();
    end_chunk(out);
  }

  void begin_chunk(std::string& out) {
    if (!is_array_) {
      out += "data: ";
    } else {
      if (!is_open_) out += '[';
      if (has_chunk_) out += ",\r\n";
      is_open_ = true;
    }
    has_chunk_ = true;
    chunk_from_ = out.size();
  }

  // JSON as it came may hold line breaks, which can only be white space and would end an event's data.
  void end_chunk(std::string& out) const {
    if (is_array_) return;
    const auto is_break = [](char c) { return c == '\n' || c == '\r'; };
    const auto from = out.begin() + static_cast<std::ptrdiff_t>(chunk_from_);
    out.erase(std::remove_if(from, out.end(), is_break), out.end());
    escape_separators(out, chunk_from_);
    out += "\r\n\r\n";
  }

  // Google's Python SDK ends a line at U+0085, U+2028 and U+2029 too. Only strings can have them.
  static void escape_separators(std::string& out, size_t from) {
    struct Separator {
      std::string_view bytes;
      std::string_view escaped;
    };
    constexpr std::array kSeparators = {Separator{"\xC2\x85", "\\u0085"},
                                        Separator{"\xE2\x80\xA8", "\\u2028"},
                                        Separator{"\xE2\x80\xA9", "\\u2029"}};
    for (const auto& [bytes, escaped] : kSeparators) {
      for (size_t at = out.find(bytes, from); at != std::string::npos;
           at = out.find(bytes, at + escaped.size())) {
        out.replace(at, bytes.size(), escaped);
      }
    }
  }

  const AnswerContext context_;
  const bool is_array_;
  Start start_;
  Usage usage_;
  std::map<int, Choice> choices_;
  bool is_open_ = false;    // the array has begun
  bool has_chunk_ = false;  // and holds a chunk
  size_t chunk_from_ = 0;   // where the chunk that is being written begins
};

}  // namespace

std::unique_ptr<StreamEncoder> make_gemini_stream_encoder(AnswerContext context, GeminiFraming framing) {
  return std::make_unique<GeminiStreamEncoder>(std::move(context), framing);
}

}  // namespace weir
