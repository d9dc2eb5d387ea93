// Token counting: bytes per second of exact counts, of the upper estimate and of the estimate, on prose, code
// and East Asian text; and what a piece of a megabyte costs.
#include <benchmark/benchmark.h>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "base/encoding.h"
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

bool is_ideographs(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const auto lead = static_cast<uint8_t>(bytes[at]);
    if (lead < 0xe4 || lead > 0xe9 || !weir::is_utf8(bytes.substr(at, 3))) return false;
  }
  return !bytes.empty();
}

// Chinese of all its words: tokens of o200k drawn at random, the lower in rank the likelier, in clauses. A
// sentence repeated is found in the processor's fastest caches, this is not.
std::string drawn_chinese() {
  std::vector<std::string> words;
  for (uint32_t token = 0; token < 200'000; ++token) {
    std::string word = weir::decode_tokens(Tokenizer::o200k_base, std::vector{token});
    if (is_ideographs(word)) words.push_back(std::move(word));
  }
  std::mt19937 random(1);
  std::string text;
  while (text.size() < 2'000'000) {
    const double uniform = std::generate_canonical<double, 32>(random);
    text += words[static_cast<size_t>(std::pow(static_cast<double>(words.size()), uniform)) - 1];
    if (random() % 7 == 0) text += "，";
  }
  return text;
}

std::string prose() {
  return text_of(kProse, 100'000);
}
std::string code() {
  return text_of(kCode, 100'000);
}
std::string chinese() {
  return text_of(kChinese, 100'000);
}

void count_exactly(benchmark::State& state, Tokenizer tokenizer, std::string make_text()) {
  const std::string text = make_text();
  weir::preload(tokenizer);
  for (auto _ : state) benchmark::DoNotOptimize(weir::count_tokens(tokenizer, text));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK_CAPTURE(count_exactly, o200k_prose, Tokenizer::o200k_base, prose);
BENCHMARK_CAPTURE(count_exactly, o200k_code, Tokenizer::o200k_base, code);
BENCHMARK_CAPTURE(count_exactly, o200k_chinese, Tokenizer::o200k_base, chinese);
BENCHMARK_CAPTURE(count_exactly, o200k_chinese_drawn, Tokenizer::o200k_base, drawn_chinese);
BENCHMARK_CAPTURE(count_exactly, cl100k_prose, Tokenizer::cl100k_base, prose);
BENCHMARK_CAPTURE(count_exactly, cl100k_code, Tokenizer::cl100k_base, code);
BENCHMARK_CAPTURE(count_exactly, cl100k_chinese_drawn, Tokenizer::cl100k_base, drawn_chinese);

void bound_from_above(benchmark::State& state) {
  const std::string text = prose();
  for (auto _ : state) benchmark::DoNotOptimize(weir::cheap_upper_estimate(text));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(bound_from_above);

void estimate(benchmark::State& state) {
  const std::string text = prose();
  for (auto _ : state) benchmark::DoNotOptimize(weir::estimate_tokens(text));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(estimate);

// Pieces without a break, and what costs most: characters with a hundred tokens of a run of them.
void count_one_piece(benchmark::State& state, std::string_view unit) {
  const std::string text = text_of(unit, size_t{1} << 20);
  weir::preload(Tokenizer::o200k_base);
  for (auto _ : state) benchmark::DoNotOptimize(weir::count_tokens(Tokenizer::o200k_base, text));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK_CAPTURE(count_one_piece, letters, "a");
BENCHMARK_CAPTURE(count_one_piece, dashes, "-");
BENCHMARK_CAPTURE(count_one_piece, tabs_and_spaces, "\t" + std::string(127, ' '));

}  // namespace
