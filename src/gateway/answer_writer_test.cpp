#include "gateway/answer_writer.h"

#include <gtest/gtest.h>

#include "codec/codecs.h"
#include "gateway/test_exchange.h"

namespace weir {
namespace {

using std::chrono::seconds;

// A provider that is silent but for a ping each ten seconds.
class Pinging final : public EventSource {
 public:
  explicit Pinging(int pings) : pings_(pings) {}
  const AnswerHead& head() const override { return head_; }
  Task<const EventBatch*> next(Scope& scope) override {
    batch_.clear();
    if (!has_started_) {
      has_started_ = true;
      batch_.events = {Start{.id = "a"}, BlockStart{}, Delta{.text = "Hello"}};
      co_return &batch_;
    }
    CO_TRY(co_await scope.sleep(seconds(10)));
    if (pings_-- > 0) {
      batch_.events = {Ping{}};
    } else {
      batch_.events = {BlockEnd{}, Finish{}, End{}};
    }
    co_return &batch_;
  }

 private:
  AnswerHead head_;
  EventBatch batch_;
  bool has_started_ = false;
  int pings_;
};

// A client that notes when it reads a ping.
class Read final : public ResponseWriter {
 public:
  explicit Read(const Clock& clock) : clock_(clock) {}
  Task<void> send(Scope&, int, const Headers&, std::string_view) override { co_return {}; }
  Task<void> start(Scope&, int, const Headers&) override { co_return is_started_ = true, Result<void>{}; }
  Task<void> write(Scope&, std::string_view bytes) override { co_return note(bytes), Result<void>{}; }
  Task<void> finish(Scope&, std::string_view bytes) override { co_return note(bytes), Result<void>{}; }
  bool is_started() const override { return is_started_; }

  std::vector<int64_t> pinged_at_s;

 private:
  void note(std::string_view bytes) {
    if (bytes.find("ping") == std::string_view::npos) return;
    pinged_at_s.push_back(std::chrono::duration_cast<seconds>(clock_.now() - start_).count());
  }

  const Clock& clock_;
  const MonoTime start_ = clock_.now();
  bool is_started_ = false;
};

// The seconds at which a client of the dialect reads a ping or keep-alive, of a provider that pings four
// times.
std::vector<int64_t> pinged_at_s(Dialect dialect) {
  TestGateway gateway(std::make_unique<ScriptedCall>());
  Chat chat;
  chat.is_streamed = true;
  const std::unique_ptr<Exchange> exchange = gateway.exchange(chat);
  exchange->call.dialect = dialect;
  exchange->client_codec = &chat_client_codec(dialect, true);
  Read read(gateway.test.clock);
  const Headers none;
  AnswerWriter writer(*exchange, read, none);
  writer.watch_silence();
  Pinging source(4);
  EXPECT_TRUE(gateway.test.run(writer.write(source)));
  return read.pinged_at_s;
}

TEST(AnswerWriter, KeepsAliveWhereTheProvidersPingsWriteNothing) {
  using Seconds = std::vector<int64_t>;
  EXPECT_EQ(pinged_at_s(Dialect::bedrock_converse), (Seconds{15, 30, 45}));
  // Anthropic's clients get the pings themselves, and nothing of Weir's.
  EXPECT_EQ(pinged_at_s(Dialect::anthropic_messages), (Seconds{10, 20, 30, 40}));
}

}  // namespace
}  // namespace weir
