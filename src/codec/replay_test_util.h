// For tests of codecs: the recordings of real providers (outside the repository, so absent in most clones),
// events as text, and streams fed in pieces.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fmt/core.h>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "io/decompress.h"
#include "llm/codec.h"

namespace weir::test {

// ---- Recordings

// One row of INDEX.tsv with the body of its answer.
struct Recording {
  std::string file;
  int interaction = 0;
  int status = 0;    // 0: not said
  std::string path;  // of the request; empty where it was not recorded
  std::string flags;
  std::string body;
  bool is_stream() const {
    return flags.find("sse") != std::string::npos || flags.find("stream") != std::string::npos ||
           path.find("stream") != std::string::npos;
  }
};

inline std::filesystem::path recordings_folder() {
  const char* configured = std::getenv("WEIR_SHARED_DIR");
  return std::filesystem::path(configured ? configured : "../shared") / "recordings";
}

inline std::string read_whole(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline std::vector<std::string_view> split_on(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

inline std::string gunzip(std::string_view bytes) {
  if (!bytes.starts_with("\x1f\x8b")) return std::string(bytes);
  const auto decoder = Decompressor::create(ContentCoding::gzip);
  std::string out;
  std::vector<char> buffer(65'536);
  while (!bytes.empty() || !decoder->is_at_end()) {
    const auto written = decoder->next(bytes, buffer);
    if (!written || (*written == 0 && bytes.empty())) break;
    out.append(buffer.data(), *written);
  }
  return out;
}

// The scalar of `string:` in a cassette as PyYAML writes it: single or double quotes over several lines, or a
// binary block. `text` begins behind the colon.
class CassetteScalar {
 public:
  explicit CassetteScalar(std::string_view text) : text_(text) {}

  std::string read() {
    while (peek() == ' ' || peek() == '\n') ++at_;
    if (text_.substr(at_).starts_with("!!binary |")) return binary();
    if (peek() == '"') return quoted('"');
    return peek() == '\'' ? quoted('\'') : std::string();
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  std::string binary() {
    const size_t first = text_.find('\n', at_) + 1;
    const size_t indent = text_.find_first_not_of(' ', first) - first;
    std::string base64;
    for (const std::string_view line : split_on(text_.substr(first), '\n')) {
      if (line.size() <= indent || line.find_first_not_of(' ') != indent) break;
      base64 += line.substr(indent);
    }
    return base64_decode(base64).value_or("");
  }

  std::string quoted(char quote) {
    std::string out;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == quote) {
        if (quote == '"' || peek(1) != '\'') return out;
        ++at_;
        out += '\'';
      } else if (c == '\\' && quote == '"') {
        escape(out);
      } else if (c == '\n') {
        fold(out);
      } else {
        out += c;
      }
    }
    return out;
  }

  // A line break is a space, unless empty lines follow: then each of those is a line break.
  void fold(std::string& out) {
    while (!out.empty() && out.back() == ' ') out.pop_back();
    size_t empty_lines = 0;
    for (;;) {
      const size_t next = text_.find_first_not_of(' ', at_ + 1);
      if (next == std::string_view::npos || text_[next] != '\n') {
        at_ = next - 1;
        break;
      }
      ++empty_lines;
      at_ = next;
    }
    out += empty_lines == 0 ? std::string(" ") : std::string(empty_lines, '\n');
  }

  void escape(std::string& out) {
    const char c = text_[++at_];
    constexpr std::string_view kNames = "ntr\"\\/ 0eb";
    constexpr std::string_view kValues("\n\t\r\"\\/ \0\x1b\b", 10);
    if (c == '\n') {
      at_ = text_.find_first_not_of(' ', at_ + 1) - 1;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      append_utf8(out,
                  static_cast<uint32_t>(std::stoul(std::string(text_.substr(at_ + 1, digits)), nullptr, 16)));
      at_ += digits;
    } else if (const size_t known = kNames.find(c); known != std::string_view::npos) {
      out += kValues[known];
    }
  }

  std::string_view text_;
  size_t at_ = 0;
};

inline std::string cassette_body(std::string_view cassette, int interaction) {
  size_t at = 0;
  for (int i = 0; i <= interaction; ++i) {
    at = cassette.find("\n  response:", at);
    if (at == std::string_view::npos) return {};
    ++at;
  }
  constexpr std::string_view kString = "\n      string:";
  const size_t string = cassette.find(kString, at);
  if (string == std::string_view::npos) return {};
  return gunzip(CassetteScalar(cassette.substr(string + kString.size())).read());
}

// The answer in a recording of nock: JSON, text, or bytes in hexadecimal.
inline std::string nock_body(std::string_view text, int interaction) {
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(text));
  if (!parsed) return {};
  const JsonValue response = parsed->root().at(static_cast<size_t>(interaction))["response"];
  if (!response.is_string()) return std::string(response.raw());
  const std::string_view body = response.string_or("");
  const Result<std::string> bytes = hex_decode(body);
  return bytes ? *bytes : std::string(body);
}

// Recordings whose path begins with `folder`; empty where there are none, and then the test must say that it
// skips. Lines of `.chunks.txt` (one event's data each) become server-sent events.
inline std::vector<Recording> recordings(std::string_view folder) {
  std::vector<Recording> found;
  const std::string index = read_whole(recordings_folder() / "INDEX.tsv");
  for (const std::string_view line : split_on(index, '\n')) {
    if (!line.starts_with(folder)) continue;
    const std::vector<std::string_view> fields = split_on(line, '\t');
    Recording& recording = found.emplace_back();
    recording.file = fields[0];
    recording.interaction = std::atoi(std::string(fields[1]).c_str());
    recording.path = fields[3];
    recording.status = std::atoi(std::string(fields[4]).c_str());
    recording.flags = fields[7];
    const std::string text = read_whole(recordings_folder() / recording.file);
    if (recording.file.ends_with(".yaml")) {
      recording.body = cassette_body(text, recording.interaction);
    } else if (recording.file.ends_with(".chunks.txt")) {
      for (const std::string_view chunk : split_on(text, '\n')) {
        if (!trim(chunk).empty()) recording.body += fmt::format("data: {}\n\n", trim(chunk));
      }
    } else if (text.starts_with('[') && text.find("\"scope\"") != std::string::npos) {
      recording.body = nock_body(text, recording.interaction);
    } else {
      recording.body = text;
    }
  }
  return found;
}

// ---- Events

// The same value whatever the white space and escapes; none at all, as of a call without arguments, is {}.
inline std::string normal_json(std::string_view text) {
  const Result<JsonDoc> parsed =
      JsonDoc::parse(text.empty() ? "{}" : std::string(text),
                     {.rejects_duplicate_keys = false, .replaces_lone_surrogates = true});
  if (!parsed) return "not JSON: " + std::string(text);
  std::string out;
  JsonWriter json(out);
  const std::function<void(JsonValue)> write = [&](JsonValue value) {
    if (value.is_object()) {
      json.begin_object();
      for (const JsonValue member : value) {
        json.key(member.key());
        write(member);
      }
      json.end_object();
    } else if (value.is_array()) {
      json.begin_array();
      for (const JsonValue element : value) write(element);
      json.end_array();
    } else if (value.is_string()) {
      json.value(value.string_or(""));
    } else {
      json.raw(value.raw());
    }
  };
  write(parsed->root());
  return out;
}

inline std::string describe(const Usage& usage) {
  std::string out;
  const auto add = [&out](std::string_view name, const std::optional<int64_t>& count) {
    if (count) out += fmt::format(" {}={}", name, *count);
  };
  add("in", usage.in_uncached);
  add("read", usage.cache_read);
  add("write5m", usage.cache_write_5m);
  add("write1h", usage.cache_write_1h);
  add("out", usage.out_text);
  add("reasoning", usage.out_reasoning);
  add("searches", usage.web_searches);
  return out;
}

// One line for an event, whole.
inline std::string describe(const Event& event) {
  if (const auto* start = std::get_if<Start>(&event))
    return fmt::format("start {} {}", start->id, start->model);
  if (const auto* block = std::get_if<BlockStart>(&event)) {
    return fmt::format("block {} kind={} {} {} {} {}", block->index, static_cast<int>(block->kind),
                       block->tool_id, block->tool_name, static_cast<int>(block->tool_kind), block->data);
  }
  if (const auto* delta = std::get_if<Delta>(&event))
    return fmt::format("delta {} {} {}", delta->index, static_cast<int>(delta->kind), delta->text);
  if (const auto* ended = std::get_if<BlockEnd>(&event)) return fmt::format("end of block {}", ended->index);
  if (const auto* finish = std::get_if<Finish>(&event))
    return fmt::format("finish {} {} {}", to_string(finish->reason), finish->stop_sequence, finish->native);
  if (const auto* report = std::get_if<UsageReport>(&event)) return "usage" + describe(report->usage);
  if (std::holds_alternative<Ping>(event)) return "ping";
  if (std::holds_alternative<Logprobs>(event)) return "logprobs " + std::get<Logprobs>(event).raw;
  return std::holds_alternative<End>(event) ? "end" : "payload";
}

inline std::string describe(const std::vector<Event>& events) {
  std::string out;
  for (const Event& event : events) out += describe(event) + "\n";
  return out;
}

inline Answer fold(const std::vector<Event>& events) {
  AnswerFolder folder;
  for (const Event& event : events) folder.add(event);
  return folder.take();
}

// ---- Streams

// What a decoder made of a stream: its events as text, and how it ended ("" when well).
struct Decoded {
  std::vector<Event> events;
  std::string forwarded;
  std::string error;
  std::string summary() const { return fmt::format("{}{}\n{}", describe(events), error, forwarded); }
};

inline void feed(StreamDecoder& decoder, std::string_view bytes, Decoded& into) {
  if (!into.error.empty()) return;
  // A copy of its own, so that a view kept too long is a use after free.
  const std::string copy(bytes);
  const Result<void> fed = decoder.feed(copy, into.events);
  into.forwarded += decoder.forwardable();
  if (!fed) into.error = fmt::format("{}: {}", to_string(fed.error().kind), fed.error().message);
}

inline void finish(StreamDecoder& decoder, Decoded& into) {
  if (!into.error.empty()) return;
  const Result<void> finished = decoder.finish(into.events);
  into.forwarded += decoder.forwardable();
  if (!finished)
    into.error = fmt::format("{}: {}", to_string(finished.error().kind), finished.error().message);
}

inline Decoded decode_whole(StreamDecoder& decoder, std::string_view body) {
  Decoded decoded;
  feed(decoder, body, decoded);
  finish(decoder, decoded);
  return decoded;
}

// DESIGN.md section 8: one byte at a time over the whole; every cut inside each event, from a copy of the
// decoder at that event's start; every cut of the whole for streams up to 4 KB, 64 seeded ones for larger.
inline void expect_same_however_cut(const StreamDecoder& fresh, std::string_view body, const Decoded& whole) {
  constexpr size_t kAllCutsMax = 4096;
  Decoded bytewise;
  auto decoder = fresh.clone();
  for (size_t i = 0; i < body.size(); ++i) feed(*decoder, body.substr(i, 1), bytewise);
  finish(*decoder, bytewise);
  const std::string expected = whole.summary();
  EXPECT_EQ(bytewise.summary(), expected) << "one byte at a time";

  const auto cut_at = [&](size_t at) {
    Decoded decoded;
    auto cut = fresh.clone();
    feed(*cut, body.substr(0, at), decoded);
    feed(*cut, body.substr(at), decoded);
    finish(*cut, decoded);
    EXPECT_EQ(decoded.summary(), expected) << "cut at " << at;
  };
  Rng rng(1);
  const bool is_small = body.size() <= kAllCutsMax;
  for (size_t i = 1; i < (is_small ? body.size() : 64); ++i) cut_at(is_small ? i : rng.below(body.size()));

  auto at_event = fresh.clone();
  for (size_t from = 0; from < body.size();) {
    const size_t blank = body.find("\n\n", from);
    const size_t to = blank == std::string_view::npos ? body.size() : blank + 2;
    const std::string_view event = body.substr(from, to - from);
    Decoded uncut;
    auto next = at_event->clone();
    feed(*next, event, uncut);
    const std::string expected_event = uncut.summary();
    // The whole event's end is a cut too; long events are sampled.
    const size_t step = std::max<size_t>(1, event.size() / 512);
    for (size_t at = 1; at < event.size(); at += step) {
      Decoded decoded;
      auto cut = at_event->clone();
      feed(*cut, event.substr(0, at), decoded);
      feed(*cut, event.substr(at), decoded);
      EXPECT_EQ(decoded.summary(), expected_event) << "event at " << from << " cut at " << at;
    }
    at_event = std::move(next);
    from = to;
  }
}

inline std::string encode_stream(StreamEncoder& encoder, const std::vector<Event>& events) {
  std::string out;
  for (const Event& event : events) encoder.encode(event, out);
  return out;
}

}  // namespace weir::test
