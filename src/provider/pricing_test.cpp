#include "provider/pricing.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <sstream>

#include "base/json.h"

namespace weir {
namespace {

const ModelRow& model(std::string_view kind, std::string_view name) {
  const ModelRow* row = Catalog::embedded().find_model(kind, name);
  EXPECT_NE(row, nullptr) << kind << "/" << name;
  static const ModelRow kNothing;
  return row != nullptr ? *row : kNothing;
}

// The dollars of a decimal text as nano-dollars: 0.0105 is 10'500'000.
constexpr int64_t kMicro = 1'000;

TEST(Cost, IsExactToTheNanoDollar) {
  Usage usage;
  usage.in_uncached = 1'000;
  usage.out_text = 500;
  // 1,000 at 2.50 and 500 at 10.00 a million.
  EXPECT_EQ(cost(model("openai", "gpt-4o"), usage), 7'500 * kMicro);
  // 1,000 at 0.15 and 500 at 0.60 a million.
  EXPECT_EQ(cost(model("openai", "gpt-4o-mini"), usage), 450 * kMicro);
  usage.cache_read = 2'000;
  // and 2,000 at 0.075 a million.
  EXPECT_EQ(cost(model("openai", "gpt-4o-mini"), usage), 600 * kMicro);
}

TEST(Cost, PricesEachBucketOfACachedAnthropicAnswerApart) {
  Usage usage;
  usage.in_uncached = 10;
  usage.cache_read = 100'000;
  usage.cache_write_5m = 2'000;
  usage.cache_write_1h = 3'000;
  usage.out_text = 400;
  usage.out_reasoning = 600;
  // 10 * 3 + 100,000 * 0.30 + 2,000 * 3.75 + 3,000 * 6 + 1,000 * 15 dollars a million.
  EXPECT_EQ(cost(model("anthropic", "claude-sonnet-4-5-20250929"), usage),
            (30 + 30'000 + 7'500 + 18'000 + 15'000) * kMicro);
}

// A price by the minute is a whole number of parts for each millisecond: nothing is rounded before the end.
TEST(Cost, OfSoundCharactersAndImagesIsExact) {
  Usage sound;
  sound.in_sound_ms = 8'470;
  // 8.47 seconds at 0.006 dollars a minute.
  EXPECT_EQ(cost(model("openai", "whisper-1"), sound), 847 * kMicro);
  sound.in_sound_ms = 1;
  EXPECT_EQ(cost(model("openai", "whisper-1"), sound), 100);
  ModelRow odd;
  odd.nano_usd_per_minute = 60'001;
  EXPECT_EQ(cost(odd, sound), 2) << "1 and a part of a nano-dollar";
  sound.in_sound_ms = 60'000;
  EXPECT_EQ(cost(odd, sound), 60'001);

  Usage speech;
  speech.in_characters = 4'096;
  // At 15 dollars a million.
  EXPECT_EQ(cost(model("openai", "tts-1"), speech), 61'440 * kMicro);
  EXPECT_EQ(cost(model("openai", "tts-1-hd"), speech), 122'880 * kMicro);
  EXPECT_EQ(cost(model("openai", "gpt-4o-mini-tts"), speech), std::nullopt) << "billed by the token";

  Usage images;
  images.images = 3;
  ModelRow row;
  EXPECT_EQ(cost(row, images), std::nullopt);
  row.nano_usd_per_image = 20'000'000;
  EXPECT_EQ(cost(row, images), 60'000'000);
  images.images = -1;
  EXPECT_EQ(cost(row, images), std::nullopt);
}

TEST(Cost, OfImagesByFormIsExact) {
  const auto of = [](std::string_view name, int64_t images, ImageForm form) {
    Usage usage;
    usage.images = images;
    return cost(model("openai", name), usage, form);
  };
  constexpr int64_t kCent = 10'000'000;
  EXPECT_EQ(of("dall-e-3", 1, {}), 4 * kCent) << "what it makes unless asked otherwise";
  EXPECT_EQ(of("dall-e-3", 3, {.size = "1792x1024", .quality = "hd"}), 36 * kCent);
  EXPECT_EQ(of("dall-e-3", 1, {.size = "1024x1792"}), 8 * kCent);
  EXPECT_EQ(of("dall-e-3", 1, {.quality = "hd"}), 8 * kCent);
  EXPECT_EQ(of("dall-e-3", 1, {.size = "640x480"}), std::nullopt) << "nobody knows its price";
  EXPECT_EQ(of("dall-e-2", 10, {.size = "256x256", .quality = "standard"}), 16 * kCent);
  EXPECT_EQ(of("dall-e-2", 2, {}), 4 * kCent);
  EXPECT_EQ(of("dall-e-2", -1, {}), std::nullopt);
  ModelRow row;
  row.nano_usd_per_image = 7;
  row.image_prices.push_back({.size = "1x1", .quality = "", .nano_usd = 5});
  Usage usage;
  usage.images = 2;
  EXPECT_EQ(cost(row, usage, {.size = "1x1"}), 10);
  EXPECT_EQ(cost(row, usage, {.size = "2x2"}), 14) << "the price of all that is not listed";
}

TEST(Cost, OfImageTokensIsThatOfImages) {
  Usage usage;
  usage.in_uncached = 50;
  usage.out_image = 4'160;
  // 50 at 5 and 4,160 at 40 dollars a million.
  EXPECT_EQ(cost(model("openai", "gpt-image-1"), usage), (250 + 166'400) * kMicro);
  usage.out_text = 1;
  EXPECT_EQ(cost(model("openai", "gpt-image-1"), usage), std::nullopt) << "it is not said to write text";
}

TEST(Cost, RoundsUpOnceAtTheEnd) {
  ModelRow row;
  row.price.input = 1;  // a nano-dollar for a million tokens
  row.price.output = 1;
  row.nano_usd_per_request = 0;
  Usage usage;
  usage.in_uncached = 1;
  EXPECT_EQ(cost(row, usage), 1) << "a millionth of a nano-dollar is rounded up";
  usage.out_text = 1;
  EXPECT_EQ(cost(row, usage), 1) << "not once for each bucket";
  usage.in_uncached = 999'999;
  EXPECT_EQ(cost(row, usage), 1) << "exactly one nano-dollar is not rounded";
  usage.out_text = 2;
  EXPECT_EQ(cost(row, usage), 2);
  usage.in_uncached = 0;
  usage.out_text = 0;
  EXPECT_EQ(cost(row, usage), 0);
}

TEST(Cost, ChargesARankingForEachOfItsUnits) {
  ModelRow row;
  row.nano_usd_per_request = 2'000'000;
  Usage usage;
  usage.search_units = 3;
  EXPECT_EQ(cost(row, usage), 6'000'000);
}

TEST(Cost, IsUnknownWhenANeededPriceIs) {
  ModelRow row;
  row.price.input = 1'000'000;
  Usage usage;
  usage.in_uncached = 5;
  EXPECT_EQ(cost(row, usage), 5);
  usage.out_text = 0;
  EXPECT_EQ(cost(row, usage), 5) << "an empty bucket needs no price";
  usage.out_text = 1;
  EXPECT_EQ(cost(row, usage), std::nullopt);
  usage.out_text = std::nullopt;
  usage.web_searches = 1;
  EXPECT_EQ(cost(row, usage), std::nullopt);
  row.nano_usd_per_search = 10'000'000;
  EXPECT_EQ(cost(row, usage), 10'000'005);
  row.nano_usd_per_request = std::nullopt;
  EXPECT_EQ(cost(row, usage), std::nullopt);
}

TEST(Cost, IsUnknownWithoutUsage) {
  EXPECT_EQ(cost(model("openai", "gpt-4o"), Usage()), std::nullopt);
}

TEST(Cost, OfPerplexityStaysUnknownBecauseOfItsFee) {
  Usage usage;
  usage.in_uncached = 11;
  usage.out_text = 434;
  EXPECT_EQ(cost(model("perplexity", "sonar"), usage), std::nullopt);
}

TEST(Cost, OfTheBuiltInModelIsZero) {
  Usage usage;
  usage.in_uncached = 1'000;
  usage.out_text = 1'000;
  EXPECT_EQ(cost(model("weir", "extract"), usage), 0);
}

TEST(Cost, TakesTheTierThatTheWholeInputFallsInto) {
  const ModelRow& row = model("openai", "gpt-5.4");
  Usage usage;
  usage.in_uncached = 72'000;
  usage.cache_read = 200'000;
  usage.out_text = 1'000;
  // Exactly 272,000 tokens: 72,000 * 2.50 + 200,000 * 0.25 + 1,000 * 15.
  EXPECT_EQ(cost(row, usage), (180'000 + 50'000 + 15'000) * kMicro);
  usage.in_uncached = 72'001;
  // One more: 72,001 * 5 + 200,000 * 0.50 + 1,000 * 22.50, the whole request.
  EXPECT_EQ(cost(row, usage), (360'005 + 100'000 + 22'500) * kMicro);
}

TEST(Cost, OfATierWithoutPricesIsUnknown) {
  const ModelRow& row = model("anthropic", "claude-sonnet-4-5");
  Usage usage;
  usage.in_uncached = 200'000;
  usage.out_text = 1;
  EXPECT_EQ(cost(row, usage), 600'015 * kMicro);
  usage.in_uncached = 200'001;
  EXPECT_EQ(cost(row, usage), std::nullopt);
}

TEST(Cost, SurvivesAbsurdCounts) {
  constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
  Usage usage;
  usage.in_uncached = kHuge;
  usage.cache_read = kHuge;
  usage.out_text = kHuge;
  EXPECT_EQ(cost(model("openai", "gpt-4o"), usage), std::nullopt) << "does not fit";
  usage = Usage();
  usage.in_uncached = -1;
  EXPECT_EQ(cost(model("openai", "gpt-4o"), usage), std::nullopt);
  usage.in_uncached = 1;
  usage.out_text = -1;
  EXPECT_EQ(cost(model("openai", "gpt-4o"), usage), std::nullopt);
  usage.out_text = kHuge;
  EXPECT_EQ(cost(model("openai", "gpt-4o"), usage), std::nullopt);
}

std::filesystem::path shared_directory() {
  const char* from_environment = std::getenv("WEIR_SHARED_DIR");
  return from_environment != nullptr ? from_environment : "../shared";
}

// xAI states in each answer what it charged, in ticks of a ten-billionth of a dollar. Nothing checks a price
// table and its arithmetic better than the vendor's own bill.
TEST(Cost, AgreesWithTheBillsThatXaiWroteIntoItsAnswers) {
  const auto fixtures = shared_directory() / "recordings/vercel-ai/xai/src/__fixtures__";
  if (!std::filesystem::exists(fixtures)) GTEST_SKIP() << "no recordings at " << fixtures;
  size_t bills = 0;
  for (const char* name : {"xai-text.json", "xai-tool-call.json"}) {
    std::ifstream file(fixtures / name);
    std::stringstream text;
    text << file.rdbuf();
    auto doc = JsonDoc::parse(text.str());
    ASSERT_TRUE(doc) << name;
    const JsonValue said = doc->root()["usage"];
    if (!said["cost_in_usd_ticks"]) continue;
    const int64_t cached = said["prompt_tokens_details"]["cached_tokens"].int_or(0);
    Usage usage;
    usage.in_uncached = said["prompt_tokens"].int_or(0) - cached;
    usage.cache_read = cached;
    usage.out_text = said["completion_tokens"].int_or(0);  // quirk reasoning_not_in_completion
    usage.out_reasoning = said["completion_tokens_details"]["reasoning_tokens"].int_or(0);
    const auto computed = cost(model("xai", doc->root()["model"].string_or("")), usage);
    ASSERT_TRUE(computed) << name;
    EXPECT_EQ(*computed * 10, said["cost_in_usd_ticks"].int_or(0)) << name;
    ++bills;
  }
  EXPECT_EQ(bills, 2U);
}

}  // namespace
}  // namespace weir
