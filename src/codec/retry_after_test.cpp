#include "codec/retry_after.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

// Fri, 20 Nov 2026 11:33:14 GMT
constexpr int64_t kNowS = 1'795'174'394;
constexpr int64_t kNowNs = kNowS * 1'000'000'000;

std::optional<int64_t> wait(const std::vector<std::pair<std::string, std::string>>& fields) {
  Headers headers;
  for (const auto& [name, value] : fields) headers.add(name, value);
  return retry_after_ms(headers, kNowNs);
}

TEST(RetryAfter, ReadsMillisecondsBeforeSecondsBeforeDates) {
  EXPECT_EQ(wait({{"retry-after", "3"}}), 3000);
  EXPECT_EQ(wait({{"retry-after", " 0.5 "}}), 500);
  EXPECT_EQ(wait({{"retry-after", "3"}, {"retry-after-ms", "250"}}), 250);
  EXPECT_EQ(wait({{"retry-after", "3"}, {"retry-after-ms", "soon"}}), 3000);
  EXPECT_EQ(wait({{"retry-after", "Fri, 20 Nov 2026 11:33:24 GMT"}}), 10'000);
  EXPECT_EQ(wait({{"retry-after", "Fri, 20 Nov 2026 11:33:04 GMT"}}), 0);
}

TEST(RetryAfter, SaysNothingForNonsenseAndADayForAnAge) {
  EXPECT_EQ(wait({}), std::nullopt);
  for (const std::string text : {"", "-1", "nan", "1e", "3 s", "tomorrow", "Fri, 31 Feb 2026 11:33:24 GMT",
                                 "Fri, 20 Nux 2026 11:33:24 GMT", "Fri, 20 Nov 2026 25:33:24 GMT"}) {
    EXPECT_EQ(wait({{"retry-after", text}}), std::nullopt) << text;
  }
  EXPECT_EQ(wait({{"retry-after", "inf"}}), 86'400'000);
  EXPECT_EQ(wait({{"retry-after", "1e300"}}), 86'400'000);
  EXPECT_EQ(wait({{"retry-after", "Fri, 20 Nov 2099 11:33:24 GMT"}}), 86'400'000);
}

TEST(RetryAfter, WaitsForTheLaterOfTheExhaustedLimits) {
  EXPECT_EQ(wait({{"x-ratelimit-remaining-requests", "0"},
                  {"x-ratelimit-reset-requests", "20ms"},
                  {"x-ratelimit-remaining-tokens", "0"},
                  {"x-ratelimit-reset-tokens", "1m30s"}}),
            90'000);
  EXPECT_EQ(wait({{"x-ratelimit-remaining-requests", "9"}, {"x-ratelimit-reset-requests", "1m"}}),
            std::nullopt);
  EXPECT_EQ(wait({{"x-ratelimit-remaining-tokens", "0"}, {"x-ratelimit-reset-tokens", "2.5"}}), 2500);
}

TEST(RetryAfter, ReadsAnthropicsDates) {
  EXPECT_EQ(wait({{"anthropic-ratelimit-tokens-remaining", "0"},
                  {"anthropic-ratelimit-tokens-reset", "2026-11-20T11:33:19Z"}}),
            5000);
  EXPECT_EQ(wait({{"anthropic-ratelimit-tokens-remaining", "5"},
                  {"anthropic-ratelimit-tokens-reset", "2026-11-20T11:33:19Z"}}),
            std::nullopt);
}

TEST(RetryAfter, ParsesDatesOfBothForms) {
  EXPECT_EQ(parse_http_date("Fri, 20 Nov 2026 11:33:14 GMT"), kNowS);
  EXPECT_EQ(parse_rfc3339("2026-11-20T11:33:14Z"), kNowS);
  EXPECT_EQ(parse_rfc3339("2026-11-20T12:33:14.123+01:00"), kNowS);
  EXPECT_EQ(parse_rfc3339("2026-11-20T06:33:14-05:00"), kNowS);
  for (const std::string_view text : {"", "2026-11-20", "2026-11-20T11:33:14", "2026-11-20T11:33:14+1:00",
                                      "2026-13-20T11:33:14Z", "20x6-11-20T11:33:14Z"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

TEST(RetryAfter, LooksAtEveryLimitThatIsCounted) {
  for (const std::string what : {"requests", "tokens", "input-tokens", "output-tokens"}) {
    EXPECT_EQ(wait({{"x-ratelimit-remaining-" + what, "0"}, {"x-ratelimit-reset-" + what, "7s"}}), 7000)
        << what;
    EXPECT_EQ(wait({{"anthropic-ratelimit-" + what + "-remaining", "0"},
                    {"anthropic-ratelimit-" + what + "-reset", "2026-11-20T11:33:19Z"}}),
              5000)
        << what;
  }
}

}  // namespace
}  // namespace weir
