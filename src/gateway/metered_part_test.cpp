// What is spent by answers that are made of several calls, whatever becomes of the answer.
#include "gateway/metered_part.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "codec/codecs.h"
#include "gateway/adapt_stage.h"
#include "gateway/call_stage.h"
#include "gateway/meter_stage.h"
#include "gateway/test_scripted_target.h"
#include "llm/prompt_tokens.h"
#include "llm/tokens.h"
#include "provider/test_credentials.h"

namespace weir {
namespace {

using std::chrono::seconds;

constexpr std::string_view kMessage =
    R"({"id":"m1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],)"
    R"("stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":5}})";

class SpentTest : public testing::Test {
 protected:
  SpentTest() {
    Provider& provider = *gateway_.provider;
    provider.kind.auth = AuthScheme::none;
    provider.kind.needs_key = false;
    provider.codec = &provider_codec(Dialect::anthropic_messages);
    provider.keys = std::make_shared<KeyRing>(std::vector<ProviderKey>{});
    server_.answer = [](const test::SeenRequest&) {
      return test::FakeReply{.status = 200, .body = std::string(kMessage)};
    };
    gateway_.route.choices = "fanout";
    row_.price.input = 1'000'000;  // a nano-dollar a token
    row_.price.output = 2'000'000;
    row_.nano_usd_per_request = 100;
    row_.nano_usd_per_search = 0;
  }

  static std::vector<Event> answer(std::string text) {
    Usage usage;
    usage.in_uncached = 10;
    usage.out_text = 5;
    return {Start{.id = "a"},   BlockStart{}, Delta{.text = std::move(text)}, BlockEnd{}, Finish{},
            UsageReport{usage}, End{}};
  }
  static std::vector<Event> vectors(size_t count) {
    Usage usage;
    usage.in_uncached = 2;
    return {Payload{.body = EmbedAnswer{.vectors = {count, {1.0F}}}}, UsageReport{usage}, End{}};
  }
  static Chat asks(int64_t choices) {
    Chat chat;
    chat.model = "m";
    chat.max_tokens = 9;
    chat.messages.push_back(
        {.role = Role::user, .content = {{.body = TextBlock{"hi"}, .cache = {}, .pointer = {}}}, .name = {}});
    if (choices > 1) chat.choices = choices;
    return chat;
  }
  Chat asks_for_json() {
    gateway_.capabilities.json_schema = JsonSchemaSupport::none;
    Chat chat = asks(1);
    chat.format = {.kind = FormatKind::json_schema, .schema = {R"({"type":"object"})"}};
    return chat;
  }
  static Embed inputs(size_t count) {
    Embed embed;
    embed.inputs.assign(count, "a");
    return embed;
  }

  std::unique_ptr<Exchange> exchange(Request request, Scope& client) {
    auto made = gateway_.exchange(std::move(request));
    gateway_.candidate.row = &row_;
    made->scope = &client;
    return made;
  }
  // How it ended: "ok", or the error's name.
  Task<void> run(const Pipeline& pipeline, Exchange& of, std::string& ended) {
    const Result<std::vector<Event>> events = co_await TestGateway::gather(pipeline, of);
    ended = events ? "ok" : std::string(to_string(events.error().kind));
    co_return {};
  }
  // The exchange of a client that leaves after a while (never: zero), and how it ended.
  std::string run_with(const Pipeline& pipeline, Exchange& of, Scope& client, Duration leaves_after) {
    std::string ended;
    gateway_.scope.spawn(run(pipeline, of, ended));
    if (leaves_after > Duration::zero()) {
      gateway_.test.pass(leaves_after);
      client.cancel(make_error(ErrorKind::cancelled, "the client hung up"));
    }
    gateway_.test.pass(seconds(120));
    return ended;
  }
  std::vector<std::unique_ptr<Stage>> stages(std::unique_ptr<Stage> last) {
    std::vector<std::unique_ptr<Stage>> made;
    made.push_back(std::make_unique<MeterStage>());
    made.push_back(std::make_unique<AdaptStage>(
        AdaptParts{.media = {.client = nullptr, .cpu = &cpu_, .fetches = fetch_counter(metrics_)},
                   .responses = nullptr}));
    made.push_back(std::move(last));
    return made;
  }
  ScriptedCall& scripted() {
    auto call = std::make_unique<ScriptedCall>();
    ScriptedCall& made = *call;
    pipeline_ = std::make_unique<Pipeline>(stages(std::move(call)));
    return made;
  }

  ModelRow row_;
  MetricsRegistry metrics_;
  Pool cpu_{"cpu", 1, 16};
  test::FakeServer server_;
  TestGateway gateway_{nullptr};
  CredentialFetcher fetcher_{gateway_.test.core, server_, cpu_};
  Pipeline calls_{stages(std::make_unique<CallStage>(server_, fetcher_, cpu_))};
  std::unique_ptr<Pipeline> pipeline_;
};

TEST_F(SpentTest, EachCallIsPricedByItself) {
  ScriptedCall& call = scripted();
  for (const char* text : {"one", "two", "three"}) call.answers.push_back(answer(text));
  row_.tiers.push_back({.above_input = 20, .price = {}});  // the sum of the inputs would be in it
  Scope client(gateway_.test.core);
  const auto all = exchange(asks(3), client);
  EXPECT_EQ(run_with(*pipeline_, *all, client, {}), "ok");
  EXPECT_EQ(all->usage.in_uncached, 30);
  EXPECT_EQ(all->usage.out_text, 15);
  EXPECT_EQ(all->cost_nano_usd, 3 * (10 + 2 * 5 + 100));
}

TEST_F(SpentTest, WhatNobodyReportedIsEstimatedForEachCall) {
  ScriptedCall& call = scripted();
  for (int i = 0; i < 2; ++i)
    call.answers.push_back(std::vector<Event>{Start{}, BlockStart{}, Delta{.text = "four words of text"},
                                              BlockEnd{}, Finish{}, End{}});
  Scope client(gateway_.test.core);
  const auto both = exchange(asks(2), client);
  EXPECT_EQ(run_with(*pipeline_, *both, client, {}), "ok");
  EXPECT_EQ(both->usage.source, UsageSource::estimated);
  const int64_t input = *both->usage.in_uncached;
  call.answers.push_back(
      std::vector<Event>{Start{}, BlockStart{}, Delta{.text = "four words of text"}, Finish{}, End{}});
  const auto one = exchange(asks(1), client);
  EXPECT_EQ(run_with(*pipeline_, *one, client, {}), "ok");
  EXPECT_EQ(input, 2 * *one->usage.in_uncached);
}

// Anthropic's streams begin with a usage of a token, and Weir leaves them at a sequence that it watches for.
TEST_F(SpentTest, WhatWasReportedTooEarlyIsEstimatedFromAllThatCame) {
  ScriptedCall& call = scripted();
  Usage first;
  first.in_uncached = 10;
  Usage unsettled;
  unsettled.source = UsageSource::estimated;
  const auto left = [&](int64_t stated) {
    first.out_text = stated;
    call.answers.push_back(
        std::vector<Event>{Start{}, UsageReport{first}, BlockStart{.kind = BlockKind::thinking},
                           Delta{.text = std::string(200, 't')}, BlockEnd{}, BlockStart{.index = 1},
                           Delta{.index = 1, .text = std::string(200, 'a')}, BlockEnd{.index = 1}, Finish{},
                           UsageReport{unsettled}, End{}});
    Scope client(gateway_.test.core);
    const auto one = exchange(asks(1), client);
    EXPECT_EQ(run_with(*pipeline_, *one, client, {}), "ok");
    EXPECT_EQ(one->usage.in_uncached, 10);
    EXPECT_EQ(one->usage.source, UsageSource::estimated);
    return one->usage.out_text;
  };
  EXPECT_EQ(left(1), estimate_tokens_of_bytes(400));
  EXPECT_EQ(left(4000), 4000);
}

TEST_F(SpentTest, TextsToEmbedAreCountedHereWhereNobodyReportsThem) {
  scripted().answers.push_back(
      std::vector<Event>{Payload{.body = EmbedAnswer{.vectors = {3, {1.0F}}}}, End{}});
  Scope client(gateway_.test.core);
  const auto exchange = this->exchange(inputs(3), client);
  EXPECT_EQ(run_with(*pipeline_, *exchange, client, {}), "ok");
  EXPECT_EQ(exchange->usage.in_uncached, 3 * estimate_tokens("a"));
  EXPECT_EQ(exchange->usage.source, UsageSource::estimated);
}

TEST_F(SpentTest, AChoiceThatCameIsPaidForWhenAnotherFails) {
  ScriptedCall& call = scripted();
  call.answers.push_back(answer("one"));
  call.answers.push_back(fail(ErrorKind::upstream_overloaded, "busy"));
  Scope client(gateway_.test.core);
  const auto failed = exchange(asks(2), client);
  EXPECT_EQ(run_with(*pipeline_, *failed, client, {}), "upstream_overloaded");
  EXPECT_EQ(failed->usage.input_total(), 10);
  EXPECT_EQ(failed->usage.source, UsageSource::provider);
  EXPECT_EQ(failed->cost_nano_usd, 120);
}

TEST_F(SpentTest, AFirstTryIsPaidForWhenTheSecondFailsOrTheClientLeaves) {
  ScriptedCall& call = scripted();
  call.answers.push_back(answer("no json"));
  call.answers.push_back(fail(ErrorKind::upstream_error, "broken"));
  Scope client(gateway_.test.core);
  const auto failed = exchange(asks_for_json(), client);
  EXPECT_EQ(run_with(*pipeline_, *failed, client, {}), "upstream_error");
  EXPECT_EQ(failed->usage.input_total(), 10);
  EXPECT_EQ(failed->cost_nano_usd, 120);

  call.takes = seconds(2);
  call.answers.push_back(answer("no json"));
  call.answers.push_back(answer("{}"));
  const auto left = exchange(asks_for_json(), client);
  EXPECT_EQ(run_with(*pipeline_, *left, client, seconds(3)), "cancelled");
  EXPECT_EQ(left->usage.output_total(), 5);
  EXPECT_EQ(left->cost_nano_usd, 120);
}

TEST_F(SpentTest, BatchesThatCameArePaidForWhenTheClientLeaves) {
  gateway_.capabilities.inputs_max = 1;
  ScriptedCall& call = scripted();
  call.takes = seconds(2);
  for (int i = 0; i < 20; ++i) call.answers.push_back(vectors(1));
  Scope client(gateway_.test.core);
  const auto left = exchange(inputs(20), client);
  EXPECT_EQ(run_with(*pipeline_, *left, client, seconds(3)), "cancelled");
  EXPECT_EQ(left->usage.in_uncached, 2 * static_cast<int64_t>(kBatchesParallelMax));
  EXPECT_EQ(call.requests.size(), 2 * kBatchesParallelMax) << "the second round was under way";
}

TEST_F(SpentTest, TheFailureOfAnInputCountIsPaidFor) {
  gateway_.capabilities.inputs_max = 1;
  ScriptedCall& call = scripted();
  for (int i = 0; i < 2; ++i) call.answers.push_back(vectors(2));
  Scope client(gateway_.test.core);
  const auto failed = exchange(inputs(2), client);
  EXPECT_EQ(run_with(*pipeline_, *failed, client, {}), "upstream_malformed");
  EXPECT_EQ(failed->usage.in_uncached, 2) << "the second call was not made any more";
}

// By on_client_gone the calls that were sent are read to their end, or broken off.
TEST_F(SpentTest, ChoicesOfAClientThatLeavesAreCountedAsThePolicySays) {
  server_.takes = seconds(5);
  for (const std::string policy : {"drain", "cancel"}) {
    gateway_.route.on_client_gone = policy;
    Scope client(gateway_.test.core);
    const auto left = exchange(asks(3), client);
    run_with(calls_, *left, client, seconds(1));
    EXPECT_EQ(left->usage.input_total(), policy == "drain" ? 30 : 0);
    EXPECT_EQ(left->usage.source, UsageSource::provider);
    EXPECT_EQ(left->cost_nano_usd, policy == "drain" ? std::optional<int64_t>(360) : std::nullopt);
    EXPECT_EQ(left->attempts.size(), 3U);
  }
}

TEST_F(SpentTest, NoSecondTryIsMadeForAClientThatIsGone) {
  server_.takes = seconds(5);
  gateway_.route.on_client_gone = "drain";
  Scope client(gateway_.test.core);
  const auto left = exchange(asks_for_json(), client);
  EXPECT_EQ(run_with(calls_, *left, client, seconds(1)), "cancelled");
  EXPECT_EQ(server_.seen.size(), 1U);
  EXPECT_EQ(left->usage.input_total(), 10);
  EXPECT_EQ(left->usage.source, UsageSource::provider);
}

// Its answers tell what they have used, and break off.
class BrokenCall final : public Stage {
 public:
  explicit BrokenCall(std::vector<Event> events) : events_(std::move(events)) {}
  std::string_view name() const override { return "call"; }
  Task<std::unique_ptr<EventSource>> handle(Exchange&, Next) override {
    co_return std::make_unique<BrokenSource>(events_, make_error(ErrorKind::upstream_truncated, "cut off"));
  }

 private:
  const std::vector<Event> events_;
};

TEST_F(SpentTest, PartsOfAStreamThatBreaksOffAreCountedAsFarAsTheyCame) {
  Usage usage;
  usage.in_uncached = 10;
  const Pipeline broken(stages(std::make_unique<BrokenCall>(
      std::vector<Event>{Start{}, UsageReport{usage}, BlockStart{}, Delta{.text = "four words of text"}})));
  Scope client(gateway_.test.core);
  const auto failed = exchange(asks(2), client);
  EXPECT_EQ(run_with(broken, *failed, client, {}), "upstream_truncated");
  EXPECT_EQ(failed->usage.in_uncached, 20) << "both had come as far";
  EXPECT_EQ(failed->usage.source, UsageSource::partial);
  EXPECT_GT(failed->usage.output_total(), 0);
}

// As Anthropic's streams begin: the count of the output is that of the moment.
TEST_F(SpentTest, AStreamThatBreaksOffIsCountedByWhatCameOfIt) {
  Usage usage;
  usage.in_uncached = 10;
  usage.out_text = 1;
  const std::string text(400, 'a');
  std::vector<Event> events = {Start{}, UsageReport{usage}, BlockStart{}, Delta{.text = text}};
  for (const int64_t choices : {1, 2}) {
    const Pipeline broken(stages(std::make_unique<BrokenCall>(events)));
    Scope client(gateway_.test.core);
    const auto failed = exchange(asks(choices), client);
    EXPECT_EQ(run_with(broken, *failed, client, {}), "upstream_truncated");
    EXPECT_EQ(failed->usage.out_text, choices * estimate_tokens_of_bytes(text.size()));
    EXPECT_EQ(failed->usage.source, UsageSource::partial);
  }
  usage.out_text = 7;
  events.insert(events.end(), {BlockEnd{}, UsageReport{usage}, Finish{}});
  const Pipeline told(stages(std::make_unique<BrokenCall>(events)));
  Scope client(gateway_.test.core);
  const auto failed = exchange(asks(1), client);
  EXPECT_EQ(run_with(told, *failed, client, {}), "upstream_truncated");
  EXPECT_EQ(failed->usage.out_text, 7) << "only its end is missing";
}

}  // namespace
}  // namespace weir
