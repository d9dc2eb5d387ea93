#include "llm/usage.h"

#include <algorithm>
#include <array>

namespace weir {
namespace {

constexpr std::array kBuckets = {
    &Usage::in_uncached,   &Usage::cache_read,    &Usage::cache_write_5m, &Usage::cache_write_1h,
    &Usage::tool_prompt,   &Usage::in_audio,      &Usage::in_image,       &Usage::out_text,
    &Usage::out_reasoning, &Usage::out_audio,     &Usage::out_image,      &Usage::web_searches,
    &Usage::in_sound_ms,   &Usage::in_characters, &Usage::images,         &Usage::search_units,
};

}  // namespace

std::string_view to_string(UsageSource source) {
  constexpr std::array<std::string_view, 3> kNames = {"provider", "estimated", "partial"};
  return kNames[static_cast<size_t>(source)];
}

int64_t Usage::input_total() const {
  return in_uncached.value_or(0) + cache_read.value_or(0) + cache_write_5m.value_or(0) +
         cache_write_1h.value_or(0) + tool_prompt.value_or(0) + in_audio.value_or(0) + in_image.value_or(0);
}

int64_t Usage::output_total() const {
  return out_text.value_or(0) + out_reasoning.value_or(0) + out_audio.value_or(0) + out_image.value_or(0);
}

bool Usage::empty() const {
  for (const auto bucket : kBuckets) {
    if (this->*bucket) return false;
  }
  return true;
}

void Usage::set_from(const Usage& later) {
  for (const auto bucket : kBuckets) {
    if (later.*bucket) this->*bucket = later.*bucket;
  }
  if (later.stated_total) stated_total = later.stated_total;
  source = later.source;
}

void Usage::add(const Usage& other) {
  for (const auto bucket : kBuckets) {
    if (other.*bucket) this->*bucket = (this->*bucket).value_or(0) + *(other.*bucket);
  }
  // A sum of which a part is missing says nothing.
  stated_total =
      stated_total && other.stated_total ? std::optional(*stated_total + *other.stated_total) : std::nullopt;
  source = std::max(source, other.source);
}

}  // namespace weir
