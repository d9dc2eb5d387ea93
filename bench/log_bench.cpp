// What a line of the log costs the caller, and the hashes that a request meets.
#include <benchmark/benchmark.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/log_redact.h"

namespace weir {
namespace {

class DiscardingSink final : public LogSink {
 public:
  bool write(std::string_view) override { return true; }
};

void log_call_with_three_fields(benchmark::State& state) {
  DiscardingSink sink;
  Logger logger(sink, SystemClock::instance(), {});
  for (auto _ : state) {
    logger.log(LogLevel::info, "target cooled down",
               {{"target", "openai/gpt-4o"}, {"status", 429}, {"wait_ms", 2000}});
  }
  state.counters["dropped"] = static_cast<double>(logger.dropped());
}
BENCHMARK(log_call_with_three_fields);

void log_access_line(benchmark::State& state) {
  DiscardingSink sink;
  Logger logger(sink, SystemClock::instance(), {});
  const std::string line(300, 'x');
  for (auto _ : state) logger.line(line);
  state.counters["dropped"] = static_cast<double>(logger.dropped());
}
BENCHMARK(log_access_line)->Threads(1)->Threads(2);

void log_redact_300_bytes(benchmark::State& state) {
  std::string text;
  while (text.size() < 300) text.append("a sentence of usual words, with a number 42 in it; ");
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_redacted(out, text);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(log_redact_300_bytes);

void crypto_sha256_of_an_api_key(benchmark::State& state) {
  const std::string key = "wk_0123456789abcdef0123456789abcdef";
  for (auto _ : state) benchmark::DoNotOptimize(sha256(key));
}
BENCHMARK(crypto_sha256_of_an_api_key);

void crypto_hmac_sha256_of_a_line(benchmark::State& state) {
  const std::string line(100, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(hmac_sha256("a key of usual length: 32 bytes.", line));
}
BENCHMARK(crypto_hmac_sha256_of_a_line);

}  // namespace
}  // namespace weir
