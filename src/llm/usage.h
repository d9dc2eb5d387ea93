// Token usage in disjoint buckets: no token is counted in two of them, so their sum is what was processed. An
// absent bucket means that nobody reported it, which is not zero. (translation.md 4.6.2 tells each dialect's
// convention.)
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir {

enum class UsageSource : uint8_t {
  provider,   // the provider reported it
  estimated,  // counted or estimated by Weir
  partial,    // the answer broke off; what had been reported until then
};
std::string_view to_string(UsageSource source);

struct Usage {
  std::optional<int64_t> in_uncached;  // prompt tokens neither read from nor written to a cache
  std::optional<int64_t> cache_read;
  std::optional<int64_t> cache_write_5m;  // written with the usual lifetime, or one that was not stated
  std::optional<int64_t> cache_write_1h;
  std::optional<int64_t> tool_prompt;  // prompt tokens of built-in tools' results, where counted apart
  std::optional<int64_t> in_audio;
  std::optional<int64_t> in_image;
  std::optional<int64_t> out_text;  // answer tokens that are not reasoning
  std::optional<int64_t> out_reasoning;
  std::optional<int64_t> out_audio;
  std::optional<int64_t> out_image;
  std::optional<int64_t> web_searches;  // server tool calls, billed apiece
  // What is billed by another measure than tokens, where no tokens are stated.
  std::optional<int64_t> in_sound_ms;    // sound that was listened to
  std::optional<int64_t> in_characters;  // text that was spoken
  std::optional<int64_t> images;         // that were made
  std::optional<int64_t> search_units;   // rankings of documents, in the vendor's unit
  // The provider's own sum of all tokens, which should be that of the buckets. Absent: it stated none, or one
  // that is known to leave out what others count.
  std::optional<int64_t> stated_total;
  UsageSource source = UsageSource::provider;

  bool operator==(const Usage&) const = default;

  // Sums over the buckets that are there.
  int64_t input_total() const;
  int64_t output_total() const;
  bool empty() const;  // no bucket is there
  // Whether the provider's own sum is another one than that of what it stated.
  bool total_differs() const { return stated_total && *stated_total != input_total() + output_total(); }
  // Every bucket that is present in `later` replaces the one here (providers report cumulative counts).
  void set_from(const Usage& later);
  // Sums bucket by bucket; one is absent only when it is in both. The less certain source counts.
  void add(const Usage& other);
};

}  // namespace weir
