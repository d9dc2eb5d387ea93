#include "app/loadgen.h"

#include <atomic>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "app/loadgen_histogram.h"
#include "app/loadgen_response.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

TEST(LoadHistogram, KnowsSmallValuesExactly) {
  LoadHistogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.record(nanoseconds(i));
  EXPECT_EQ(histogram.percentile(0.5), nanoseconds(50));
  EXPECT_EQ(histogram.percentile(0.99), nanoseconds(99));
  EXPECT_EQ(histogram.percentile(1), nanoseconds(100));
  EXPECT_EQ(histogram.mean(), nanoseconds(50));
}

TEST(LoadHistogram, KnowsLargeValuesToOnePartIn128) {
  for (int64_t value = 128; value < INT64_MAX / 3; value = value * 3 + 1) {
    LoadHistogram histogram;
    histogram.record(nanoseconds(value));
    histogram.record(nanoseconds(INT64_MAX));
    const int64_t median = histogram.percentile(0.5).count();
    EXPECT_GE(median, value);
    EXPECT_LE(median - value, value / 128);
  }
}

TEST(LoadHistogram, GivesNothingForNothing) {
  const LoadHistogram histogram;
  EXPECT_EQ(histogram.percentile(0.99), Duration::zero());
  EXPECT_EQ(histogram.mean(), Duration::zero());
}

constexpr std::string_view kStream =
    "HTTP/1.1 100 Continue\r\n\r\n"
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    "d\r\ndata: {\"a\":1}\r\n1b\r\n\n\n: ping\n\ndata: {\"a\":2}\n\nda\r\nc\r\nta: [DONE]\n\n\r\n0\r\n\r\n";

TEST(LoadResponse, CountsTheEventsOfAStreamInAnyCut) {
  for (size_t cut = 1; cut < kStream.size(); ++cut) {
    LoadResponse response;
    response.start("POST");
    ASSERT_TRUE(response.feed(kStream.substr(0, cut))) << cut;
    EXPECT_FALSE(response.is_complete()) << cut;
    ASSERT_TRUE(response.feed(kStream.substr(cut))) << cut;
    EXPECT_TRUE(response.is_complete()) << cut;
    EXPECT_EQ(response.events(), 3u) << cut;
    EXPECT_TRUE(response.has_final_event()) << cut;
    EXPECT_EQ(response.status(), 200) << cut;
  }
}

TEST(LoadResponse, ForgetsTheAnswerBefore) {
  LoadResponse response;
  response.start("POST");
  ASSERT_TRUE(response.feed(kStream));
  response.start("POST");
  EXPECT_FALSE(response.has_final_event());
  ASSERT_TRUE(
      response.feed("HTTP/1.1 429 Too Many Requests\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno"));
  EXPECT_TRUE(response.is_complete());
  EXPECT_EQ(response.status(), 429);
  EXPECT_EQ(response.body_bytes(), 2u);
  EXPECT_FALSE(response.keep_alive());
  EXPECT_EQ(response.events(), 0u);
}

TEST(LoadResponse, RefusesBytesBehindTheEndAndEarlyEnds) {
  LoadResponse response;
  response.start("POST");
  EXPECT_FALSE(response.feed("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nxy"));
  response.start("POST");
  ASSERT_TRUE(response.feed("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nx"));
  EXPECT_FALSE(response.end());
  response.start("POST");
  ASSERT_TRUE(response.feed("HTTP/1.0 200 OK\r\n\r\nx"));
  EXPECT_TRUE(response.end());
  EXPECT_TRUE(response.is_complete());
}

// A server with one thread that serves one connection after the other, and answers each request (all of them
// end with an empty line) with the same bytes.
class SmallServer {
 public:
  explicit SmallServer(std::string answer) : answer_(std::move(answer)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~SmallServer() {
    // Ends accept(); the connection under way ends with its client.
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  LoadPlan plan() const {
    LoadPlan plan;
    plan.address = *resolve_load_address({.host = "127.0.0.1", .port = port_, .is_tls = false});
    plan.request = "POST / HTTP/1.1\r\n\r\n";
    plan.timeout = std::chrono::seconds(30);
    return plan;
  }
  uint64_t served() const { return served_; }

 private:
  void serve() {
    for (int fd = accept(listener_, nullptr, nullptr); fd >= 0; fd = accept(listener_, nullptr, nullptr)) {
      char bytes[1024];
      std::string in;
      for (ssize_t count = recv(fd, bytes, sizeof bytes, 0); count > 0;
           count = recv(fd, bytes, sizeof bytes, 0)) {
        in.append(bytes, static_cast<size_t>(count));
        if (!in.ends_with("\r\n\r\n")) continue;
        in.clear();
        ++served_;
        if (send(fd, answer_.data(), answer_.size(), MSG_NOSIGNAL) < 0 ||
            answer_.find("close") != std::string::npos)
          break;
      }
      close(fd);
    }
  }

  std::string answer_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<uint64_t> served_ = 0;
  std::thread thread_;
};

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

TEST(Load, SendsExactlyTheRequestsAskedForOverOneConnection) {
  const SmallServer server{std::string(kAnswer)};
  LoadPlan plan = server.plan();
  plan.requests_max = 200;
  const Result<LoadReport> report = run_load(plan);
  ASSERT_TRUE(report);
  EXPECT_EQ(server.served(), 200u);
  EXPECT_EQ(report->completed, 200u);
  EXPECT_EQ(report->body_bytes, 1000u);
  EXPECT_EQ(report->connections_opened, 1u);
  EXPECT_EQ(report->errors_count(), 0u);
  EXPECT_EQ(report->latency.count(), 200u);
}

// All 500 requests are due within half a millisecond and there is one connection: the last one has to wait
// for nearly all of the run, and its latency says so.
TEST(Load, ChargesAnOpenLoopForTheWaitBeforeSending) {
  const SmallServer server{std::string(kAnswer)};
  LoadPlan plan = server.plan();
  plan.requests_max = 500;
  plan.rate = 1e6;
  const Result<LoadReport> report = run_load(plan);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->completed, 500u);
  EXPECT_GE(report->latency.max() + milliseconds(1), report->elapsed);
  EXPECT_GE(report->latency.percentile(0.9), report->elapsed / 2);
}

TEST(Load, KeepsToItsRate) {
  const SmallServer server{std::string(kAnswer)};
  LoadPlan plan = server.plan();
  plan.requests_max = 50;
  plan.rate = 1000;
  const Result<LoadReport> report = run_load(plan);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->completed, 50u);
  // The last one is due after 49 ms, however fast the server is.
  EXPECT_GE(report->elapsed, milliseconds(49));
}

TEST(Load, LeavesTheWarmUpOut) {
  const SmallServer server{std::string(kAnswer)};
  LoadPlan plan = server.plan();
  plan.requests_max = 50;
  plan.rate = 1000;
  plan.warm_up = milliseconds(20);
  const Result<LoadReport> report = run_load(plan);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->completed, 30u);
  EXPECT_EQ(report->completed_with_warm_up, 50u);
}

TEST(Load, OpensAConnectionAnewAfterTheServerClosedIt) {
  const SmallServer server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  LoadPlan plan = server.plan();
  plan.requests_max = 5;
  const Result<LoadReport> report = run_load(plan);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->completed, 5u);
  EXPECT_EQ(report->connections_opened, 5u);
}

TEST(Load, CountsErrorsByKind) {
  LoadPlan refused;
  {
    const SmallServer server("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n");
    refused = server.plan();
    refused.requests_max = 3;
    const Result<LoadReport> report = run_load(refused);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->completed, 0u);
    EXPECT_EQ(report->errors.at("status_503"), 3u);
  }
  // The server is gone.
  const Result<LoadReport> report = run_load(refused);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->errors.at("connect"), 3u);

  const SmallServer server("HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nshort");
  LoadPlan truncated = server.plan();
  truncated.requests_max = 2;
  const Result<LoadReport> second = run_load(truncated);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->errors.at("truncated"), 2u);
}

TEST(Load, WantsAStreamToSayThatItIsDone) {
  const std::string head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ";
  for (const auto& [body, kind] : {std::pair<std::string, std::string>{"data: 1\n\ndata: [DONE]\n\n", ""},
                                   {"data: 1\n\n", "no_final_event"},
                                   {"data: {\"error\":{}}\n\n", "error_event"}}) {
    const SmallServer server(head + std::to_string(body.size()) + "\r\n\r\n" + body);
    LoadPlan plan = server.plan();
    plan.requests_max = 2;
    plan.is_stream = true;
    const Result<LoadReport> report = run_load(plan);
    ASSERT_TRUE(report);
    if (kind.empty()) {
      EXPECT_EQ(report->completed, 2u);
      EXPECT_EQ(report->events, 4u);
      EXPECT_EQ(report->first_event.count(), 2u);
      EXPECT_EQ(report->event_gap.count(), 2u);
    } else {
      EXPECT_EQ(report->errors.at(kind), 2u);
    }
  }
}

TEST(LoadAddress, KnowsLoopback) {
  EXPECT_TRUE(resolve_load_address({.host = "127.1.2.3", .port = 1})->is_loopback());
  EXPECT_TRUE(resolve_load_address({.host = "::1", .port = 1})->is_loopback());
  EXPECT_FALSE(resolve_load_address({.host = "192.0.2.1", .port = 1})->is_loopback());
  EXPECT_FALSE(resolve_load_address({.host = "::", .port = 1})->is_loopback());
}

}  // namespace
}  // namespace weir
