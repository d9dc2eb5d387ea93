#include "base/metrics.h"

#include <cmath>
#include <cstdio>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

namespace weir {
namespace {

MetricPoint only_point(const MetricsRegistry& registry) {
  const std::vector<MetricSnapshot> families = registry.collect();
  EXPECT_EQ(families.size(), 1U);
  EXPECT_EQ(families.at(0).points.size(), 1U);
  return families.at(0).points.at(0);
}

TEST(Metrics, CountAndShowAsPrometheusText) {
  MetricsRegistry registry;
  const CounterFamily requests = registry.counter(
      {.name = "weir_requests_total", .help = "Requests answered.", .labels = {"route", "status_class"}});
  requests.with({"chat", "2xx"}).add();
  requests.with({"chat", "2xx"}).add(4);
  requests.with({"embed", "5xx"}).add();
  registry.gauge({.name = "weir_rss_bytes", .help = "Memory."}).with({}).set(1.5);
  EXPECT_EQ(registry.prometheus_text(),
            "# HELP weir_requests_total Requests answered.\n"
            "# TYPE weir_requests_total counter\n"
            "weir_requests_total{route=\"chat\",status_class=\"2xx\"} 5\n"
            "weir_requests_total{route=\"embed\",status_class=\"5xx\"} 1\n"
            "# HELP weir_rss_bytes Memory.\n"
            "# TYPE weir_rss_bytes gauge\n"
            "weir_rss_bytes 1.5\n");
}

TEST(Metrics, EscapeHelpAndLabelValues) {
  MetricsRegistry registry;
  registry.counter({.name = "weir_a_total", .help = "A \\ and \"b\"\nand c.", .labels = {"model"}})
      .with({"q\"uote\\back\nline"})
      .add();
  EXPECT_EQ(registry.prometheus_text(),
            "# HELP weir_a_total A \\\\ and \"b\"\\nand c.\n"
            "# TYPE weir_a_total counter\n"
            "weir_a_total{model=\"q\\\"uote\\\\back\\nline\"} 1\n");
}

TEST(Metrics, WithoutLabelsShowZeroFromTheStart) {
  MetricsRegistry registry;
  registry.counter({.name = "weir_log_dropped_total", .help = "Lines."});
  registry.counter({.name = "weir_never_total", .help = "Has labels, so no series yet.", .labels = {"kind"}});
  EXPECT_EQ(only_point(registry).value, 0.0);
}

TEST(Metrics, FamiliesAreKnownBeforeTheyHaveASeries) {
  MetricsRegistry registry;
  registry.counter({.name = "weir_never_total", .help = "Never.", .labels = {"kind"}});
  const std::vector<MetricSnapshot> families = registry.families();
  ASSERT_EQ(families.size(), 2U);
  EXPECT_EQ(families[0].name, "weir_metrics_overflow_total");
  EXPECT_EQ(families[1].name, "weir_never_total");
  EXPECT_EQ(families[1].label_names, std::vector<std::string>{"kind"});
  EXPECT_TRUE(registry.collect().empty());
}

TEST(Histograms, CountInclusiveUpperBounds) {
  MetricsRegistry registry;
  const std::array<double, 3> bounds = {1, 2, 4};
  const Histogram histogram =
      registry.histogram({.name = "weir_size_bytes", .help = "Sizes.", .labels = {"kind"}}, bounds)
          .with({"body"});
  for (const double value : {0.5, 1.0, 1.5, 2.0, 4.0, 4.5, 1000.0}) histogram.observe(value);
  histogram.observe(std::nan(""));
  EXPECT_EQ(only_point(registry).bucket_counts, (std::vector<uint64_t>{2, 2, 1, 2}));
  EXPECT_EQ(registry.prometheus_text(),
            "# HELP weir_size_bytes Sizes.\n"
            "# TYPE weir_size_bytes histogram\n"
            "weir_size_bytes_bucket{kind=\"body\",le=\"1\"} 2\n"
            "weir_size_bytes_bucket{kind=\"body\",le=\"2\"} 4\n"
            "weir_size_bytes_bucket{kind=\"body\",le=\"4\"} 5\n"
            "weir_size_bytes_bucket{kind=\"body\",le=\"+Inf\"} 7\n"
            "weir_size_bytes_sum{kind=\"body\"} 1013.5\n"
            "weir_size_bytes_count{kind=\"body\"} 7\n");
}

TEST(Histograms, FindTheRightBucketOfEveryListInUse) {
  const std::vector<std::span<const double>> lists = {kTokenBuckets, kDurationBuckets,
                                                      kTimeToFirstTokenBuckets, kTimePerOutputTokenBuckets,
                                                      kOverheadBuckets};
  for (const std::span<const double> bounds : lists) {
    MetricsRegistry registry;
    const Histogram histogram = registry.histogram({.name = "weir_x", .help = "X."}, bounds).with({});
    for (const double bound : bounds) {
      histogram.observe(bound);
      histogram.observe(std::nextafter(bound, INFINITY));
    }
    // Each bound falls into its own bucket, and the next number into the one above.
    std::vector<uint64_t> expected(bounds.size() + 1, 2);
    expected.front() = expected.back() = 1;
    EXPECT_EQ(only_point(registry).bucket_counts, expected);
  }
}

TEST(Metrics, PastTheCapCountAsOther) {
  MetricsRegistry registry;
  const CounterFamily family = registry.counter(
      {.name = "weir_calls_total", .help = "Calls.", .labels = {"model", "kind"}, .series_max = 2});
  family.with({"a", "x"}).add();
  family.with({"b", "x"}).add();
  family.with({"c", "x"}).add(5);
  family.with({"d", "y"}).add(7);
  family.with({"a", "x"}).add();
  EXPECT_EQ(
      registry.prometheus_text(),
      "# HELP weir_calls_total Calls.\n"
      "# TYPE weir_calls_total counter\n"
      "weir_calls_total{model=\"a\",kind=\"x\"} 2\n"
      "weir_calls_total{model=\"b\",kind=\"x\"} 1\n"
      "weir_calls_total{model=\"other\",kind=\"other\"} 12\n"
      "# HELP weir_metrics_overflow_total Series refused past their family's cap, and counted as other.\n"
      "# TYPE weir_metrics_overflow_total counter\n"
      "weir_metrics_overflow_total{metric=\"weir_calls_total\"} 2\n");
}

TEST(Metrics, ReplaceLabelValuesThatAreTooLongOrNotText) {
  MetricsRegistry registry;
  const CounterFamily family =
      registry.counter({.name = "weir_calls_total", .help = "Calls.", .labels = {"model", "kind"}});
  family.with({std::string(kMetricLabelBytesMax + 1, 'm'), "x"}).add();
  family.with({"bad \xff", "x"}).add();
  EXPECT_EQ(only_point(registry).label_values, (std::vector<std::string>{"other", "x"}));
  EXPECT_EQ(only_point(registry).value, 2.0);
}

TEST(Metrics, KeepTwoThousandSeriesApart) {
  MetricsRegistry registry;
  const CounterFamily family = registry.counter({.name = "weir_n_total", .help = "N.", .labels = {"n"}});
  for (uint64_t round = 0; round < 2; ++round) {
    for (uint64_t n = 0; n < kMetricSeriesMax; ++n) family.with({std::to_string(n)}).add(n);
  }
  const std::vector<MetricSnapshot> families = registry.collect();
  ASSERT_EQ(families.at(0).points.size(), kMetricSeriesMax);
  for (const MetricPoint& point : families[0].points) {
    EXPECT_EQ(point.value, 2 * std::stod(point.label_values[0]));
  }
}

TEST(Metrics, ShowMoneyByItsDivisor) {
  MetricsRegistry registry;
  registry.counter({.name = "weir_cost_usd_total", .help = "Money.", .divisor = 1'000'000'000})
      .with({})
      .add(123'000'000);
  EXPECT_NE(registry.prometheus_text().find("weir_cost_usd_total 0.123\n"), std::string::npos);
}

TEST(Metrics, GiveTheSameFamilyForTheSameSpec) {
  MetricsRegistry registry;
  const MetricSpec spec{.name = "weir_a_total", .help = "A."};
  registry.counter(spec).with({}).add();
  registry.counter(spec).with({}).add();
  EXPECT_EQ(only_point(registry).value, 2.0);
}

TEST(MetricsDeathTest, EndTheProcessOnABrokenSpec) {
  MetricsRegistry registry;
  registry.counter({.name = "weir_a_total", .help = "A."});
  EXPECT_DEATH(registry.counter({.name = "weir_a_total", .help = "A.", .labels = {"x"}}), "one family");
  EXPECT_DEATH(registry.counter({.name = "weir_b", .help = "B."}), "_total");
  EXPECT_DEATH(registry.gauge({.name = "weir_c_total", .help = "C."}), "_total");
  EXPECT_DEATH(registry.gauge({.name = "weir.d", .help = "D."}), "letters");
  EXPECT_DEATH(registry.gauge({.name = "weir_e", .help = "E.", .labels = {"le"}}), "labels");
  EXPECT_DEATH(registry.histogram({.name = "weir_f", .help = "F."}, std::array<double, 2>{2, 1}), "ascend");
}

TEST(MetricHandles, MadeByDefaultCountNothing) {
  Counter().add();
  UpDownCounter().add(-1);
  Gauge().set(1);
  Histogram().observe(1);
  CounterFamily().with({"any", "labels"}).add();
}

TEST(MetricCallbacks, AreReadAtEachScrapeUntilTheirTokenIsGone) {
  MetricsRegistry registry;
  double value = 1;
  const MetricSpec spec{.name = "weir_depth", .help = "Depth.", .labels = {"queue"}};
  MetricCallback first = registry.gauge_callback(spec, {"a"}, [&value] { return value; });
  {
    const MetricCallback second = registry.gauge_callback(spec, {"b"}, [] { return 7.0; });
    EXPECT_EQ(registry.collect().at(0).points.size(), 2U);
  }
  value = 2;
  EXPECT_EQ(only_point(registry).value, 2.0);
  first = MetricCallback();
  EXPECT_TRUE(registry.collect().empty());
  const MetricCallback dropped =
      registry.counter_callback({.name = "weir_dropped_total", .help = "D."}, {}, [] { return 3.0; });
  EXPECT_EQ(registry.collect().at(0).type, MetricType::counter);
}

TEST(MetricCallbacks, MayOutliveTheRegistry) {
  MetricCallback token;
  {
    MetricsRegistry registry;
    token = registry.gauge_callback({.name = "weir_depth", .help = "D."}, {}, [] { return 1.0; });
  }
}

TEST(MetricThreads, LoseNothingWhileBeingScraped) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 20'000;
  MetricsRegistry registry;
  const CounterFamily counters = registry.counter({.name = "weir_c_total", .help = "C.", .labels = {"n"}});
  const Counter counter = counters.with({"fixed"});
  const UpDownCounter in_flight = registry.up_down_counter({.name = "weir_in_flight", .help = "F."}).with({});
  const Gauge gauge = registry.gauge({.name = "weir_g", .help = "G."}).with({});
  const Histogram histogram = registry.histogram({.name = "weir_h", .help = "H."}, kDurationBuckets).with({});
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (int round = 0; round < kRounds; ++round) {
          counter.add();
          in_flight.add(thread % 2 == 0 ? 1 : -1);  // some threads only ever go down
          histogram.observe(0.5);
          gauge.set(round);
          if (round % 100 == 0) counters.with({std::to_string(round)}).add();
        }
      });
    }
    double before = 0;
    for (int scrape = 0; scrape < 50; ++scrape) {
      const std::vector<MetricSnapshot> families = registry.collect();
      const double now = families.at(0).points.at(0).value;
      EXPECT_GE(now, before) << "a counter never falls";
      before = now;
    }
  }
  const std::vector<MetricSnapshot> families = registry.collect();  // c_total, g, h, in_flight
  ASSERT_EQ(families.size(), 4U);
  EXPECT_EQ(families[0].points.size(), 201U);
  EXPECT_EQ(families[0].points[0].value, kThreads * kRounds);
  EXPECT_EQ(families[0].points[1].value, kThreads);
  EXPECT_EQ(families[1].points[0].value, kRounds - 1);
  EXPECT_EQ(families[2].points[0].bucket_counts[6], static_cast<uint64_t>(kThreads) * kRounds);
  EXPECT_DOUBLE_EQ(families[2].points[0].sum, 0.5 * kThreads * kRounds);
  EXPECT_EQ(families[3].points[0].value, 0.0);
}

TEST(MetricThreads, LeaveTheirCountsWhenTheyEnd) {
  MetricsRegistry registry;
  const Counter counter = registry.counter({.name = "weir_c_total", .help = "C."}).with({});
  for (int i = 0; i < 50; ++i) std::jthread([&counter] { counter.add(); }).join();
  EXPECT_EQ(only_point(registry).value, 50.0);
}

TEST(MetricThreads, UseSeveralRegistriesInTurn) {
  std::jthread([] {
    for (int round = 0; round < 20; ++round) {
      MetricsRegistry first;
      MetricsRegistry second;
      const Counter a = first.counter({.name = "weir_c_total", .help = "C."}).with({});
      const Counter b = second.counter({.name = "weir_c_total", .help = "C."}).with({});
      for (int i = 0; i < 3; ++i) {
        a.add();
        b.add(2);
      }
      EXPECT_EQ(only_point(first).value, 3.0);
      EXPECT_EQ(only_point(second).value, 6.0);
    }
  }).join();
}

TEST(MetricsText, PassesPromtool) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) GTEST_SKIP() << "promtool is not installed";
  MetricsRegistry registry;
  registry.counter({.name = "weir_requests_total", .help = "Requests.", .labels = {"route"}})
      .with({"a\"\\\n"})
      .add();
  registry.gauge({.name = "weir_rss_bytes", .help = "Memory."}).with({}).set(INFINITY);
  const HistogramFamily overhead = registry.histogram(
      {.name = "weir_overhead_seconds", .help = "Weir's own time.", .labels = {"stage"}}, kOverheadBuckets);
  overhead.with({"parse"}).observe(3e-6);
  registry.histogram({.name = "gen_ai_client_token_usage", .help = "Tokens."}, kTokenBuckets)
      .with({})
      .observe(17);
  std::FILE* const promtool = ::popen("promtool check metrics 2>&1", "w");
  ASSERT_NE(promtool, nullptr);
  const std::string text = registry.prometheus_text();
  EXPECT_EQ(std::fwrite(text.data(), 1, text.size(), promtool), text.size());
  EXPECT_EQ(::pclose(promtool), 0) << text;
}

}  // namespace
}  // namespace weir
