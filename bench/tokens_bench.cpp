// Token counting: bytes per second of exact counts, of the upper estimate and of the estimate, on prose, code
// and East Asian text; and what a piece of a megabyte costs.
#include <benchmark/benchmark.h>
#include <string>

#include "llm/bpe.h"
#include "llm/tokens.h"

namespace {

using weir::Tokenizer;

constexpr std::string_view kProse =
    "The harbour master keeps a ledger of every vessel that passes the lock. Each entry names the ship, its "
    "flag, the "
    "draught measured at the bow, and the hour at which the gates closed behind it; in 1904 there were 2,318 "
    "of them. "
    "When the river runs high, he doesn't wait: he writes the level twice a day, once at dawn and once after "
    "the "
    "evening tide, and telegraphs it to the weirs upstream.\n\n";
constexpr std::string_view kCode =
    "  for (size_t i = 0; i < names.size(); ++i) {\n    if (names[i].empty()) continue;\n    "
    "fmt::print(\"{}: {}\\n\", "
    "i, names[i]);  // one per line\n    total_bytes += names[i].size() * sizeof(char);\n  }\n\n";
constexpr std::string_view kChinese =
    "下游运河的船闸在春天进行了翻修。从那以后,大型船只不必等待涨潮就可以进入港口。费用取决于船的长度。\n";

std::string text_of(std::string_view unit, size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += unit;
  return text;
}

void count_exactly(benchmark::State& state, Tokenizer tokenizer, std::string_view unit) {
  const std::string text = text_of(unit, 100'000);
  weir::preload(tokenizer);
  for (auto _ : state) benchmark::DoNotOptimize(weir::count_tokens(tokenizer, text));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK_CAPTURE(count_exactly, o200k_prose, Tokenizer::o200k_base, kProse);
BENCHMARK_CAPTURE(count_exactly, o200k_code, Tokenizer::o200k_base, kCode);
BENCHMARK_CAPTURE(count_exactly, o200k_chinese, Tokenizer::o200k_base, kChinese);
BENCHMARK_CAPTURE(count_exactly, cl100k_prose, Tokenizer::cl100k_base, kProse);
BENCHMARK_CAPTURE(count_exactly, cl100k_code, Tokenizer::cl100k_base, kCode);

void bound_from_above(benchmark::State& state) {
  const std::string text = text_of(kProse, 100'000);
  for (auto _ : state) benchmark::DoNotOptimize(weir::cheap_upper_estimate(text));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(bound_from_above);

void estimate(benchmark::State& state) {
  const std::string text = text_of(kProse, 100'000);
  for (auto _ : state) benchmark::DoNotOptimize(weir::estimate_tokens(text));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(estimate);

// A piece without a break: n log n, so bytes per second fall slowly from left to right.
void count_one_piece(benchmark::State& state) {
  const std::string text(static_cast<size_t>(state.range(0)), 'a');
  weir::preload(Tokenizer::o200k_base);
  for (auto _ : state) benchmark::DoNotOptimize(weir::count_tokens(Tokenizer::o200k_base, text));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(count_one_piece)->Arg(1 << 10)->Arg(1 << 15)->Arg(1 << 20);

}  // namespace
