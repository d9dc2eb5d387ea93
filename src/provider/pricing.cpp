#include "provider/pricing.h"

#include <limits>

namespace weir {
namespace {

// The sum can pass 2^63 before it is divided: a million tokens at a thousand dollars are 10^18 already.
using Wide = __int128;
constexpr Wide kTokensPerPrice = 1'000'000;
constexpr Wide kMsPerMinute = 60'000;
// What the sum counts is a part of a nano-dollar that both the price of a token and that of a millisecond are
// whole numbers of.
constexpr Wide kPartsPerNano = 6 * kTokensPerPrice;

class Bill {
 public:
  // Tokens or characters, at the price of a million of them.
  void add(const std::optional<int64_t>& count, const std::optional<int64_t>& nano_usd_per_million) {
    add_at(count, nano_usd_per_million, kPartsPerNano / kTokensPerPrice);
  }
  void add_each(const std::optional<int64_t>& count, const std::optional<int64_t>& nano_usd) {
    add_at(count, nano_usd, kPartsPerNano);
  }
  void add_ms(const std::optional<int64_t>& ms, const std::optional<int64_t>& nano_usd_per_minute) {
    add_at(ms, nano_usd_per_minute, kPartsPerNano / kMsPerMinute);
  }

  std::optional<int64_t> total() const {
    if (!is_known_) return std::nullopt;
    const Wide rounded = (sum_ + kPartsPerNano - 1) / kPartsPerNano;
    if (rounded > std::numeric_limits<int64_t>::max()) return std::nullopt;
    return static_cast<int64_t>(rounded);
  }

 private:
  void add_at(const std::optional<int64_t>& count, const std::optional<int64_t>& price, Wide parts) {
    if (!count || *count == 0) return;
    if (*count < 0 || !price) {
      is_known_ = false;
      return;
    }
    sum_ += static_cast<Wide>(*count) * *price * parts;
  }

  Wide sum_ = 0;
  bool is_known_ = true;
};

// The sum of the input buckets; nullopt when a count is negative or the sum absurd. (Usage::input_total() may
// be asked only for counts that are known to be sane; these come from a provider.)
std::optional<int64_t> input_total(const Usage& usage) {
  Wide total = 0;
  for (const auto& count : {usage.in_uncached, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h,
                            usage.tool_prompt, usage.in_audio, usage.in_image}) {
    if (count.value_or(0) < 0) return std::nullopt;
    total += count.value_or(0);
  }
  if (total > std::numeric_limits<int64_t>::max()) return std::nullopt;
  return static_cast<int64_t>(total);
}

}  // namespace

const Price& price_for_input(const ModelRow& row, int64_t input_tokens) {
  const Price* price = &row.price;
  for (const PriceTier& tier : row.tiers) {
    if (input_tokens > tier.above_input) price = &tier.price;
  }
  return *price;
}

std::optional<int64_t> price_of_image(const ModelRow& row, const ImageForm& form) {
  if (row.image_prices.empty()) return row.nano_usd_per_image;
  const ImagePrice& usual = row.image_prices.front();
  const std::string_view size = form.size.empty() ? usual.size : form.size;
  const std::string_view quality = form.quality.empty() ? usual.quality : form.quality;
  for (const ImagePrice& price : row.image_prices) {
    const bool has_size = price.size.empty() || price.size == size;
    if (has_size && (price.quality.empty() || price.quality == quality)) return price.nano_usd;
  }
  return row.nano_usd_per_image;
}

std::optional<int64_t> cost(const ModelRow& row, const Usage& usage, const ImageForm& form) {
  const std::optional<int64_t> input = input_total(usage);
  if (usage.empty() || !input) return std::nullopt;
  const Price& price = price_for_input(row, *input);
  Bill bill;
  bill.add(usage.in_uncached, price.input);
  bill.add(usage.tool_prompt, price.input);
  bill.add(usage.cache_read, price.cache_read);
  bill.add(usage.cache_write_5m, price.cache_write_5m);
  bill.add(usage.cache_write_1h, price.cache_write_1h);
  bill.add(usage.in_audio, price.audio_in);
  bill.add(usage.in_image, price.image_in);
  bill.add(usage.out_text, price.output);
  bill.add(usage.out_reasoning, price.reasoning);
  bill.add(usage.out_audio, price.audio_out);
  bill.add(usage.out_image, price.image_out);
  bill.add_each(usage.web_searches, row.nano_usd_per_search);
  bill.add_ms(usage.in_sound_ms, row.nano_usd_per_minute);
  bill.add(usage.in_characters, row.nano_usd_per_mchar);
  if (usage.images) bill.add_each(usage.images, price_of_image(row, form));
  // A long ranking is charged as several.
  bill.add_each(usage.search_units.value_or(1), row.nano_usd_per_request);
  return bill.total();
}

}  // namespace weir
