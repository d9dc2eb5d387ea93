#include "base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <semaphore>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/log_redact.h"

namespace weir {
namespace {

constexpr int64_t kWallNs = 1'795'173'753'123'456'789;  // 2026-11-20T11:22:33.123456789Z

class CapturingSink final : public LogSink {
 public:
  bool write(std::string_view lines) override {
    text.append(lines);
    ++writes;
    return !is_failing;
  }
  std::string text;
  int writes = 0;
  bool is_failing = false;
};

// Holds the writer inside write() until released, so that a test decides what is queued meanwhile.
class BlockingSink final : public LogSink {
 public:
  bool write(std::string_view lines) override {
    entered.release();
    may_go.acquire();
    text.append(lines);
    ++writes;
    return true;
  }
  std::binary_semaphore entered{0};
  std::counting_semaphore<1000> may_go{0};
  std::string text;
  int writes = 0;
};

std::string json_line(LogLevel level, std::string_view message, LogFields fields = {}) {
  std::string out;
  append_log_line(out, LogFormat::json, kWallNs, level, message, fields);
  return out;
}

std::string text_line(std::string_view message, LogFields fields = {}) {
  std::string out;
  append_log_line(out, LogFormat::text, kWallNs, LogLevel::warn, message, fields);
  return out;
}

TEST(LogLines, AreJsonWithTypedFields) {
  EXPECT_EQ(json_line(LogLevel::info, "config reloaded",
                      {{"generation", 3},
                       {"ratio", 0.5},
                       {"ok", true},
                       {"file", "weir.yaml"},
                       {"big", UINT64_MAX},
                       {"low", int8_t{-7}},
                       {"letter", std::string("x")}}),
            R"({"ts":"2026-11-20T11:22:33.123456Z","level":"info","msg":"config reloaded","generation":3,)"
            R"("ratio":0.5,"ok":true,"file":"weir.yaml","big":18446744073709551615,"low":-7,"letter":"x"})"
            "\n");
}

TEST(LogLines, StayOneValidLineWhateverTheTextHolds) {
  const std::string line = json_line(LogLevel::error, "bad\n\"quote\" \xff", {{"a\tb", "line\r\nline"}});
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const Result<JsonDoc> doc = JsonDoc::parse(line);
  ASSERT_TRUE(doc.has_value()) << line;
  EXPECT_EQ(doc->root()["a\tb"].as_string().value(), "line\r\nline");
}

TEST(LogLines, AreReadableTextForPeople) {
  EXPECT_EQ(
      text_line("target down", {{"target", "openai/gpt"}, {"for", 3}, {"why", "no route"}, {"empty", ""}}),
      "2026-11-20T11:22:33.123456Z warn  target down target=openai/gpt for=3 why=\"no route\" empty=\"\"\n");
  EXPECT_EQ(text_line("forged\nline \x1b[2J", {{"v", "a\x1b[2J"}}),
            "2026-11-20T11:22:33.123456Z warn  forged?line ?[2J v=\"a\\u001b[2J\"\n");
}

TEST(LogLines, HideSecretsByShapeAndByName) {
  const std::string line =
      json_line(LogLevel::info, "sent Authorization: Bearer abc.def",
                {{"url", "http://x/?key=sk-abcdefgh123"}, {"password", "hunter2"}, {"n", 1}});
  EXPECT_EQ(line,
            R"({"ts":"2026-11-20T11:22:33.123456Z","level":"info","msg":"sent Authorization: Bearer ***",)"
            R"("url":"http://x/?key=sk-***","password":"***","n":1})"
            "\n");
  EXPECT_EQ(text_line("m", {{"x-api-key", "plain"}}), "2026-11-20T11:22:33.123456Z warn  m x-api-key=***\n");
}

static_assert(!std::is_constructible_v<LogField, std::string_view, Secret>, "a Secret is no field");

TEST(Redaction, KnowsSecretsByTheirShape) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"", ""},
      {"nothing to hide", "nothing to hide"},
      {"sk-proj-abcdefgh", "sk-***"},
      {"key wk_0123456789ab, next", "key wk_***, next"},
      {"a gsk_abcdefgh b xai-abcdefgh c", "a gsk_*** b xai-*** c"},
      {"?key=AIzaSyAbCdEfGh&x=1", "?key=AIza***&x=1"},
      {"authorization: bearer AbC+/=", "authorization: bearer ***"},
      {"Basic dXNlcjpwYXNz", "Basic ***"},
      {"jwt eyJhbGciOi.eyJzdWIi.c2ln end", "jwt eyJ*** end"},
      {"task-abcdefghij is no key", "task-abcdefghij is no key"},
      {"sk-learn", "sk-learn"},
      {"Bearer ", "Bearer "},
      {"Bearer x", "Bearer ***"},
      {"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
       "-----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----"},
      {"-----BEGIN RSA PRIVATE KEY-----\nMIIE", "-----BEGIN RSA PRIVATE KEY-----***"},
      {"-----BEGIN PUBLIC KEY-----\nMIIB", "-----BEGIN PUBLIC KEY-----\nMIIB"},
      {"{\"api\":\"sk-abcdefgh\"}", "{\"api\":\"sk-***\"}"}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(redact(text), expected) << text;
}

TEST(Redaction, KnowsSecretHeadersByTheirName) {
  EXPECT_EQ(redact_header("Authorization", "anything"), "***");
  EXPECT_EQ(redact_header("X-API-Key", "anything"), "***");
  EXPECT_EQ(redact_header("cookie", "a=b"), "***");
  EXPECT_EQ(redact_header("x-custom", "sk-abcdefgh"), "sk-***");
  EXPECT_EQ(redact_header("content-type", "application/json"), "application/json");
}

TEST(LogLevels, HaveNames) {
  for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error}) {
    EXPECT_EQ(parse_log_level(to_string(level)), level);
  }
  EXPECT_EQ(parse_log_level("loud"), std::nullopt);
}

TEST(LoggerQueue, WritesLinesOfEachThreadInOrder) {
  CapturingSink sink;
  const ManualClock clock;
  {
    Logger logger(sink, clock, {});
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&logger, thread] {
        for (int i = 0; i < 500; ++i) logger.line(fmt::format("{} {}", thread, i));
      });
    }
    threads.clear();
  }
  std::array<int, 4> next{};
  size_t lines = 0;
  for (size_t at = 0; at < sink.text.size(); ++lines) {
    const size_t end = sink.text.find('\n', at);
    const int thread = sink.text[at] - '0';
    const int number = std::stoi(sink.text.substr(at + 2, end - at - 2));
    EXPECT_EQ(number, next.at(static_cast<size_t>(thread))++);
    at = end + 1;
  }
  EXPECT_EQ(lines, 2000U);
  EXPECT_LT(sink.writes, 500) << "lines share system calls";
}

TEST(LoggerQueue, BatchesWhatComesWhileItWrites) {
  BlockingSink sink;
  const ManualClock clock;
  Logger logger(sink, clock, {.batch_delay = std::chrono::milliseconds(0)});
  logger.line("first");
  sink.entered.acquire();
  for (int i = 0; i < 100; ++i) logger.line("more");
  sink.may_go.release(2);
  logger.flush();
  EXPECT_EQ(sink.writes, 2);
  EXPECT_EQ(std::count(sink.text.begin(), sink.text.end(), '\n'), 101);
}

TEST(LoggerQueue, DropsAndCountsWhatDoesNotFit) {
  BlockingSink sink;
  const ManualClock clock;
  MetricsRegistry registry;
  Logger logger(sink, clock, {.batch_delay = std::chrono::milliseconds(0)});
  const MetricCallback exposed = logger.expose(registry, "process");
  logger.line("first");
  sink.entered.acquire();
  const std::string line(kKiB - 1, 'x');
  for (size_t i = 0; i < kLogQueueBytesMax / kKiB + 10; ++i) logger.line(line);
  EXPECT_EQ(logger.dropped(), 10U);
  EXPECT_NE(registry.prometheus_text().find("weir_log_dropped_total{log=\"process\"} 10\n"),
            std::string::npos);
  sink.may_go.release(100);
  logger.flush();
  logger.line("after");
  logger.flush();
  EXPECT_TRUE(sink.text.ends_with("after\n")) << "the queue takes lines again";
  EXPECT_EQ(logger.dropped(), 10U);
}

TEST(LoggerQueue, CountsLinesThatTheSinkLoses) {
  CapturingSink sink;
  sink.is_failing = true;
  const ManualClock clock;
  Logger logger(sink, clock, {});
  logger.line("one");
  logger.line("two");
  logger.flush();
  EXPECT_EQ(logger.dropped(), 2U);
}

TEST(LoggerQueue, IsWrittenOutAtTheEnd) {
  CapturingSink sink;
  const ManualClock clock;
  {
    Logger logger(sink, clock, {.batch_delay = std::chrono::hours(1)});
    logger.log(LogLevel::info, "last words", {});
  }
  EXPECT_EQ(sink.text,
            "{\"ts\":\"2026-01-01T00:00:01.000000Z\",\"level\":\"info\",\"msg\":\"last words\"}\n");
}

TEST(LoggerLevel, DecidesWhatIsLogged) {
  CapturingSink sink;
  const ManualClock clock;
  Logger logger(sink, clock, {.level = LogLevel::warn, .format = LogFormat::text});
  logger.log(LogLevel::info, "no", {});
  logger.log(LogLevel::warn, "yes", {});
  logger.set_level(LogLevel::debug);
  logger.log(LogLevel::debug, "also", {});
  logger.flush();
  EXPECT_EQ(sink.text, "2026-01-01T00:00:01.000000Z warn  yes\n2026-01-01T00:00:01.000000Z debug also\n");
}

TEST(ProcessLogger, TakesWhatTheFreeFunctionsLog) {
  CapturingSink sink;
  const ManualClock clock;
  {
    Logger logger(sink, clock, {.level = LogLevel::debug});
    set_process_logger(&logger);
    log_debug("a");
    log_info("b", {{"n", 1}});
    log_warn("c");
    log_error("d");
    log_line(R"({"access":true})");
    set_process_logger(nullptr);
    log_line("lost");
  }
  EXPECT_EQ(std::count(sink.text.begin(), sink.text.end(), '\n'), 5);
  EXPECT_NE(sink.text.find(R"("level":"error","msg":"d")"), std::string::npos);
  EXPECT_NE(sink.text.find("{\"access\":true}\n"), std::string::npos);
}

TEST(ProcessLogger, MissingLeavesWarningsOnStderr) {
  testing::internal::CaptureStderr();
  log_info("quiet");
  log_error("loud", {{"n", 1}});
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find("quiet"), std::string::npos);
  EXPECT_TRUE(text.ends_with(" error loud n=1\n")) << text;
}

TEST(FdSink, WritesWholeLinesAFewAtATime) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);  // keeps the calls apart
  std::string lines;
  for (int i = 0; i < 50; ++i) lines += std::string(1'000, 'x') + '\n';
  lines += std::string(20'000, 'y') + '\n' + "the last\n";
  ASSERT_TRUE(FdLogSink(ends[0]).write(lines));
  ::close(ends[0]);
  std::vector<std::string> calls;
  std::string buffer(lines.size(), '\0');
  for (ssize_t count = 0; (count = ::read(ends[1], buffer.data(), buffer.size())) > 0;)
    calls.push_back(buffer.substr(0, static_cast<size_t>(count)));
  ::close(ends[1]);
  std::string all;
  for (const std::string& call : calls) {
    all += call;
    EXPECT_TRUE(call.ends_with('\n'));
    EXPECT_TRUE(call.size() <= 16'384 || call.front() == 'y') << call.size();
  }
  EXPECT_EQ(all, lines);
  EXPECT_GT(calls.size(), 4u);
}

TEST(FdSink, WaitsForAFullPipeThatSomebodyMadeNonBlocking) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  const std::string lines(300'000, 'x');
  std::jthread writer([&] {
    EXPECT_TRUE(FdLogSink(ends[1]).write(lines));
    ::close(ends[1]);
  });
  ASSERT_EQ(::fcntl(ends[0], F_SETFL, 0), 0);
  size_t total = 0;
  std::array<char, 4096> buffer{};
  for (ssize_t count = 0; (count = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
    total += static_cast<size_t>(count);
  }
  EXPECT_EQ(total, lines.size());
  ::close(ends[0]);
  EXPECT_FALSE(FdLogSink(ends[0]).write("x")) << "a closed descriptor loses lines";
}

}  // namespace
}  // namespace weir
