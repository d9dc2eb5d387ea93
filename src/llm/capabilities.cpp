#include "llm/capabilities.h"

#include <cstdlib>
#include <utility>

namespace weir {
namespace {

// One list per enum: the place that knows the spelling.
template <class Enum>
struct Names;

template <>
struct Names<ThinkingMode> {
  static constexpr auto list =
      std::to_array<std::pair<ThinkingMode, std::string_view>>({{ThinkingMode::none, "none"},
                                                                {ThinkingMode::budget, "budget"},
                                                                {ThinkingMode::adaptive, "adaptive"},
                                                                {ThinkingMode::effort, "effort"}});
};

template <>
struct Names<EffortLevel> {
  static constexpr auto list =
      std::to_array<std::pair<EffortLevel, std::string_view>>({{EffortLevel::off, "none"},
                                                               {EffortLevel::minimal, "minimal"},
                                                               {EffortLevel::low, "low"},
                                                               {EffortLevel::medium, "medium"},
                                                               {EffortLevel::high, "high"},
                                                               {EffortLevel::xhigh, "xhigh"},
                                                               {EffortLevel::max, "max"}});
};

template <>
struct Names<JsonSchemaSupport> {
  static constexpr auto list =
      std::to_array<std::pair<JsonSchemaSupport, std::string_view>>({{JsonSchemaSupport::none, "none"},
                                                                     {JsonSchemaSupport::native, "native"},
                                                                     {JsonSchemaSupport::tool, "tool"}});
};

template <>
struct Names<CacheControl> {
  static constexpr auto list = std::to_array<std::pair<CacheControl, std::string_view>>(
      {{CacheControl::none, "none"}, {CacheControl::automatic, "auto"}, {CacheControl::markers, "explicit"}});
};

template <>
struct Names<SystemRole> {
  static constexpr auto list = std::to_array<std::pair<SystemRole, std::string_view>>(
      {{SystemRole::system, "system"}, {SystemRole::developer, "developer"}, {SystemRole::field, "field"}});
};

template <>
struct Names<MaxTokensField> {
  static constexpr auto list = std::to_array<std::pair<MaxTokensField, std::string_view>>(
      {{MaxTokensField::max_tokens, "max_tokens"},
       {MaxTokensField::max_completion_tokens, "max_completion_tokens"}});
};

template <>
struct Names<ModelFamily> {
  static constexpr auto list =
      std::to_array<std::pair<ModelFamily, std::string_view>>({{ModelFamily::anthropic, "anthropic"},
                                                               {ModelFamily::nova, "nova"},
                                                               {ModelFamily::titan, "titan"},
                                                               {ModelFamily::llama, "llama"},
                                                               {ModelFamily::mistral, "mistral"},
                                                               {ModelFamily::cohere, "cohere"},
                                                               {ModelFamily::other, "other"}});
};

template <>
struct Names<TokenizerKind> {
  static constexpr auto list =
      std::to_array<std::pair<TokenizerKind, std::string_view>>({{TokenizerKind::estimate, "estimate"},
                                                                 {TokenizerKind::cl100k_base, "cl100k_base"},
                                                                 {TokenizerKind::o200k_base, "o200k_base"}});
};

template <class Enum>
std::string_view name_of(Enum value) {
  for (const auto& [candidate, name] : Names<Enum>::list) {
    if (candidate == value) return name;
  }
  std::abort();  // not one of the enumerators: a bug
}

template <class T>
void take_known(std::optional<T>& into, const std::optional<T>& from) {
  if (from) into = from;
}

Quirks either(const Quirks& a, const Quirks& b) {
  Quirks both;
  for_each_quirk([&](std::string_view, bool Quirks::* quirk) { both.*quirk = a.*quirk || b.*quirk; });
  return both;
}

}  // namespace

EffortLevel EffortSet::nearest(EffortLevel wanted) const {
  const bool only_off = *this == EffortSet{EffortLevel::off};
  EffortLevel best = wanted;
  int best_distance = kEffortLevelCount;
  for (size_t i = 0; i < kEffortLevelCount; ++i) {
    const auto level = static_cast<EffortLevel>(i);
    if (!contains(level)) continue;
    if (level == EffortLevel::off && wanted != EffortLevel::off && !only_off) continue;
    const int distance = std::abs(static_cast<int>(level) - static_cast<int>(wanted));
    if (distance < best_distance) {
      best = level;
      best_distance = distance;
    }
  }
  return best;
}

Capabilities overlay(const Capabilities& general, const Capabilities& specific) {
  Capabilities joined = general;
  for_each_capability([&](std::string_view, auto member) { take_known(joined.*member, specific.*member); });
  if (specific.tokenizer != TokenizerKind::estimate) joined.tokenizer = specific.tokenizer;
  joined.quirks = either(general.quirks, specific.quirks);
  return joined;
}

std::string_view to_string(ThinkingMode mode) {
  return name_of(mode);
}
std::string_view to_string(EffortLevel level) {
  return name_of(level);
}
std::string_view to_string(JsonSchemaSupport support) {
  return name_of(support);
}
std::string_view to_string(CacheControl control) {
  return name_of(control);
}
std::string_view to_string(SystemRole role) {
  return name_of(role);
}
std::string_view to_string(MaxTokensField field) {
  return name_of(field);
}
std::string_view to_string(ModelFamily family) {
  return name_of(family);
}
std::string_view to_string(TokenizerKind kind) {
  return name_of(kind);
}

template <class Enum>
std::optional<Enum> from_string(std::string_view text) {
  for (const auto& [candidate, name] : Names<Enum>::list) {
    if (name == text) return candidate;
  }
  return std::nullopt;
}
template std::optional<ThinkingMode> from_string(std::string_view);
template std::optional<EffortLevel> from_string(std::string_view);
template std::optional<JsonSchemaSupport> from_string(std::string_view);
template std::optional<CacheControl> from_string(std::string_view);
template std::optional<SystemRole> from_string(std::string_view);
template std::optional<MaxTokensField> from_string(std::string_view);
template std::optional<ModelFamily> from_string(std::string_view);
template std::optional<TokenizerKind> from_string(std::string_view);

}  // namespace weir
