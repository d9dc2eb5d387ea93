#include "ops/trace_context.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr std::string_view kTrace = "0af7651916cd43dd8448eb211c80319c";

TEST(TraceContext, TakesACallersTrace) {
  const auto context = parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id, kTrace);
  EXPECT_EQ(context->parent_span_id, "b7ad6b7169203331");
  EXPECT_TRUE(context->is_sampled);
}

TEST(TraceContext, LooksAtTheSampledBitAlone) {
  EXPECT_FALSE(parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02")->is_sampled);
  EXPECT_TRUE(parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0b")->is_sampled);
}

TEST(TraceContext, TakesLaterVersionsWithMoreBehind) {
  EXPECT_TRUE(parse_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes"));
  EXPECT_FALSE(parse_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what-comes"));
}

TEST(TraceContext, RefusesWhatIsMalformed) {
  for (const std::string_view text : {
           "",
           "00",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
           "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
           "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
           "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
       }) {
    EXPECT_FALSE(parse_traceparent(text)) << text;
  }
}

TEST(TraceContext, GoesOnWithACallersTraceInASpanOfItsOwn) {
  Rng rng(1);
  const Headers headers = {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}};
  const TraceContext context = trace_from(headers, rng, 1.0);
  EXPECT_EQ(context.trace_id, kTrace);
  EXPECT_EQ(context.span_id.size(), 16U);
  EXPECT_NE(context.span_id, context.parent_span_id);
  EXPECT_FALSE(context.is_sampled) << "the caller's decision wins";
}

TEST(TraceContext, SamplesTheShareOfNewTracesThatWasAskedFor) {
  Rng rng(2);
  int sampled = 0;
  for (int i = 0; i < 10'000; ++i) sampled += trace_from({}, rng, 0.25).is_sampled ? 1 : 0;
  EXPECT_NEAR(sampled, 2500, 200);
  EXPECT_FALSE(trace_from({}, rng, 0).is_sampled);
  EXPECT_TRUE(trace_from({}, rng, 1).is_sampled);
}

TEST(TraceContext, BeginsATraceThatParses) {
  Rng rng(3);
  const TraceContext context = trace_from({}, rng);
  EXPECT_TRUE(context.parent_span_id.empty());
  const std::string text = fmt::format("00-{}-{}-01", context.trace_id.view(), context.span_id.view());
  EXPECT_TRUE(parse_traceparent(text)) << text;
}

}  // namespace
}  // namespace weir
