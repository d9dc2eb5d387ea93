// For tests of codecs: samples (tests/samples/*.txt) read into sections, and targets with capabilities and
// calls made of them.
#pragma once

#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "codec/replay_test_util.h"
#include "llm/codec.h"

namespace weir::test {

// "== to gemini model=x output_max=9" and the lines below it.
struct SampleSection {
  std::string head;
  std::string verb;                                            // "to"
  std::string name;                                            // "gemini"
  std::vector<std::pair<std::string, std::string>> options{};  // {"model", "x"}; {"no_user", ""}
  std::string text{};

  std::string option(std::string_view key, std::string_view fallback) const {
    for (const auto& [name_of, value] : options) {
      if (name_of == key) return value;
    }
    return std::string(fallback);
  }
  bool has(std::string_view key) const { return option(key, "-") != "-"; }
};

struct Sample {
  std::string comment;
  std::vector<SampleSection> sections{};
};

inline SampleSection sample_section(std::string_view head) {
  SampleSection section;
  section.head = head;
  for (const std::string_view word : split(head, ' ')) {
    const auto pair = split_once(word, '=');
    if (section.verb.empty()) {
      section.verb = word;
    } else if (section.name.empty() && !pair) {
      section.name = word;
    } else {
      section.options.emplace_back(pair ? pair->first : word, pair ? pair->second : "");
    }
  }
  return section;
}

inline Sample read_sample(const std::filesystem::path& path) {
  Sample sample;
  const std::string whole = read_whole(path);
  std::string* into = &sample.comment;
  std::string_view rest = whole;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size() - 1);
    const std::string_view line = rest.substr(0, end + 1);
    rest.remove_prefix(end + 1);
    if (line.starts_with("== ")) {
      sample.sections.push_back(sample_section(trim(line.substr(3))));
      into = &sample.sections.back().text;
    } else {
      *into += line;
    }
  }
  return sample;
}

inline std::string write_sample(const Sample& sample) {
  std::string out = sample.comment;
  for (const SampleSection& section : sample.sections)
    out += fmt::format("== {}\n{}", section.head, section.text);
  return out;
}

// The lines "> name: value" at the start of a section, and what follows them.
struct SampleMessage {
  Headers headers;
  std::string body;
};

inline SampleMessage sample_message(std::string_view text) {
  SampleMessage message;
  while (text.starts_with("> ")) {
    const std::string_view line = text.substr(2, text.find('\n') - 2);
    const auto pair = split_once(line, ':');
    if (pair) message.headers.add(trim(pair->first), trim(pair->second));
    text.remove_prefix(std::min(text.size(), line.size() + 3));
  }
  message.body = text;
  return message;
}

// ---- Capabilities

inline bool read_capability(std::string_view text, std::optional<bool>& into) {
  into = text == "true";
  return text == "true" || text == "false";
}

inline bool read_capability(std::string_view text, std::optional<int64_t>& into) {
  int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  into = number;
  return failed == std::errc() && end == text.data() + text.size();
}

// "low,high"
inline bool read_capability(std::string_view text, std::optional<EffortSet>& into) {
  into.emplace();
  for (const std::string_view name : split(text, ',')) {
    const auto level = from_string<EffortLevel>(name);
    if (!level) return false;
    into->insert(*level);
  }
  return true;
}

// "0..1"
inline bool read_capability(std::string_view text, std::optional<TemperatureRange>& into) {
  const size_t dots = text.find("..");
  if (dots == std::string_view::npos) return false;
  into = {.min = std::stod(std::string(text.substr(0, dots))),
          .max = std::stod(std::string(text.substr(dots + 2)))};
  return true;
}

inline bool read_capability(std::string_view text, std::optional<ModelFamily>& into) {
  for (auto family = ModelFamily::anthropic;;
       family = static_cast<ModelFamily>(static_cast<int>(family) + 1)) {
    into = family;
    if (to_string(family) == text) return true;
    if (family == ModelFamily::other) return false;
  }
}

template <class Enum>
bool read_capability(std::string_view text, std::optional<Enum>& into) {
  into = from_string<Enum>(text);
  return into.has_value();
}

// Options that are neither a capability nor a quirk are the caller's.
inline Capabilities sample_capabilities(const SampleSection& section) {
  Capabilities made;
  for (const auto& [key, value] : section.options) {
    for_each_capability([&](std::string_view name, auto member) {
      if (name == key) EXPECT_TRUE(read_capability(value, made.*member)) << section.head;
    });
    for_each_quirk([&](std::string_view name, bool Quirks::* member) {
      if (name == key) made.quirks.*member = true;
    });
  }
  return made;
}

}  // namespace weir::test
