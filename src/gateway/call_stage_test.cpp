#include "gateway/call_stage.h"

#include "codec/codecs.h"
#include "gateway/test_scripted_target.h"
#include "provider/test_credentials.h"

namespace weir {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::string_view kAnswer =
    R"({"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,)"
    R"("finish_reason":"stop","message":{"role":"assistant","content":"hello"}}]})";

// Gives "token 1", "token 2", ...
class Tokens final : public CredentialSource {
 public:
  explicit Tokens(int& fetched) : fetched_(fetched) {}
  Task<Credential> fetch(Scope&, CredentialTools tools) const override {
    co_return Credential{.secret = Secret(fmt::format("token {}", ++fetched_)),
                         .is_token = true,
                         .expires_at_ns = tools.clock.wall_ns() + Duration(hours(1)).count()};
  }

 private:
  int& fetched_;
};

class CallStageTest : public testing::Test {
 protected:
  CallStageTest() {
    Provider& provider = *gateway_.provider;
    provider.kind.dialect = Dialect::openai_chat;
    provider.kind.auth = AuthScheme::bearer;
    provider.codec = &provider_codec(Dialect::openai_chat);
    provider.keys = std::make_shared<KeyRing>(std::vector<ProviderKey>{});
    provider.credentials = std::make_shared<Credentials>(
        "p", ChosenSource{.name = "a fake", .identity = "1", .source = std::make_unique<Tokens>(fetched_)});
    server_.answer = [this](const test::SeenRequest& request) {
      const bool is_good = request.headers.get_or("authorization", "") == "Bearer " + good_token_;
      return test::FakeReply{.status = is_good ? 200 : 401, .body = std::string(is_good ? kAnswer : "{}")};
    };
  }
  static Chat a_chat() {
    Chat chat;
    chat.messages.push_back(
        {.role = Role::user, .content = {{.body = TextBlock{"hi"}, .cache = {}, .pointer = {}}}, .name = {}});
    return chat;
  }
  // Whether there is an answer.
  Task<void> answers(Exchange& exchange, std::optional<bool>& answered) {
    answered = (co_await TestGateway::gather(pipeline_, exchange)).has_value();
    co_return {};
  }
  // The error of the call, or "ok", and how many attempts there were.
  std::pair<std::string, size_t> call() {
    const std::unique_ptr<Exchange> exchange = gateway_.exchange(a_chat());
    const Result<std::vector<Event>> events = gateway_.test.run(TestGateway::gather(pipeline_, *exchange));
    return {events ? "ok" : std::string(to_string(events.error().kind)), exchange->attempts.size()};
  }

  int fetched_ = 0;
  std::string good_token_ = "token 1";
  test::FakeServer server_;
  Pool cpu_{"cpu", 1, 8};
  TestGateway gateway_{nullptr};
  CredentialFetcher fetcher_{gateway_.test.core, server_, cpu_};
  Pipeline pipeline_{stages()};

 private:
  std::vector<std::unique_ptr<Stage>> stages() {
    std::vector<std::unique_ptr<Stage>> made;
    made.push_back(std::make_unique<CallStage>(server_, fetcher_, cpu_));
    return made;
  }
};

using Outcome = std::pair<std::string, size_t>;

TEST_F(CallStageTest, ATokenThatIsRefusedIsReplacedOnce) {
  EXPECT_EQ(call(), Outcome("ok", 1));
  gateway_.test.pass(Credentials::kPauseAfterSuccess);
  good_token_ = "token 2";
  EXPECT_EQ(call(), Outcome("ok", 2)) << "the first was revoked before its time";
  EXPECT_EQ(fetched_, 2);
}

TEST_F(CallStageTest, ATokenThatHasOnlyJustComeIsNotReplaced) {
  good_token_ = "token 2";
  EXPECT_EQ(call(), Outcome("upstream_auth", 1));
  EXPECT_EQ(fetched_, 1);
}

TEST_F(CallStageTest, WhoIsRefusedWithEveryTokenIsToldAfterTheSecond) {
  EXPECT_EQ(call(), Outcome("ok", 1));
  gateway_.test.pass(Credentials::kPauseAfterSuccess);
  good_token_ = "another's";
  EXPECT_EQ(call(), Outcome("upstream_auth", 2));
  EXPECT_EQ(fetched_, 2);
}

// What one caller names and may not have is no reason to take the provider from the others.
TEST_F(CallStageTest, ARightThatIsMissingCostsNoKey) {
  const auto key = [](std::string name) {
    return ProviderKey{.name = name, .secret = std::make_shared<const Secret>(Secret::copy_of(name))};
  };
  gateway_.provider->credentials = nullptr;
  gateway_.provider->keys = std::make_shared<KeyRing>(std::vector{key("a"), key("b")});
  server_.answer = [](const test::SeenRequest&) {
    return test::FakeReply{.status = 403, .body = R"({"error":{"message":"you have no access to file_1"}})"};
  };
  EXPECT_EQ(call(), Outcome("forbidden", 2)) << "the other key may belong to who has it";
  server_.answer = [](const test::SeenRequest&) { return test::FakeReply{.body = std::string(kAnswer)}; };
  EXPECT_EQ(call(), Outcome("ok", 1));
}

TEST_F(CallStageTest, NothingIsAskedForAClientThatIsGone) {
  gateway_.route.on_client_gone = "drain";
  gateway_.scope.cancel(make_error(ErrorKind::cancelled, "the client hung up"));
  EXPECT_EQ(call(), Outcome("cancelled", 0)) << "no attempt was made";
  EXPECT_TRUE(server_.seen.empty());
}

TEST_F(CallStageTest, AClientThatLeavesWhileItsCallConnectsTakesTheCallAlong) {
  gateway_.route.on_client_gone = "drain";
  server_.connects = seconds(5);
  Scope client(gateway_.test.core);
  const std::unique_ptr<Exchange> exchange = gateway_.exchange(a_chat());
  exchange->scope = &client;
  std::optional<bool> answered;
  gateway_.scope.spawn(answers(*exchange, answered));
  gateway_.test.pass(seconds(1));
  client.cancel(make_error(ErrorKind::cancelled, "the client hung up"));
  gateway_.test.pass(seconds(9));
  EXPECT_EQ(answered, false);
  EXPECT_TRUE(server_.seen.empty()) << "nothing was paid for";
}

TEST_F(CallStageTest, ADrainingCallGoesOnWithoutItsClient) {
  server_.takes = seconds(5);
  for (const std::string policy : {"drain", "cancel"}) {
    gateway_.route.on_client_gone = policy;
    Scope client(gateway_.test.core);
    const std::unique_ptr<Exchange> exchange = gateway_.exchange(a_chat());
    exchange->scope = &client;
    std::optional<bool> answered;
    gateway_.scope.spawn(answers(*exchange, answered));
    gateway_.test.pass(seconds(1));
    client.cancel(make_error(ErrorKind::cancelled, "the client hung up"));
    gateway_.test.pass(seconds(1));
    EXPECT_EQ(answered.has_value(), policy == "cancel") << policy;
    EXPECT_EQ(exchange->drains(), policy == "drain");
    gateway_.test.pass(seconds(4));
    ASSERT_TRUE(answered);
    EXPECT_EQ(*answered, policy == "drain");
    EXPECT_EQ(exchange->attempts.size(), 1U);
  }
}

TEST_F(CallStageTest, ARequestThatADeadConnectionTookIsNotRepeatedForAClientThatLeaves) {
  gateway_.route.on_client_gone = "drain";
  server_.takes = seconds(5);
  // The client leaves before the connection turns out to be dead, while the next one is made, and after the
  // request was sent once more.
  for (const int leaves_after : {6, 12, 16}) {
    server_.seen.clear();
    server_.connects = seconds(5);
    server_.loses_first = true;
    Scope client(gateway_.test.core);
    const std::unique_ptr<Exchange> exchange = gateway_.exchange(a_chat());
    exchange->scope = &client;
    std::optional<bool> answered;
    gateway_.scope.spawn(answers(*exchange, answered));
    gateway_.test.pass(seconds(leaves_after));
    client.cancel(make_error(ErrorKind::cancelled, "the client hung up"));
    gateway_.test.pass(seconds(leaves_after == 6 ? 5 : 1));
    EXPECT_EQ(answered.has_value(), leaves_after < 16) << leaves_after;
    gateway_.test.pass(seconds(20));
    EXPECT_EQ(answered, leaves_after == 16) << leaves_after;
    EXPECT_EQ(exchange->attempts.size(), 1U);
  }
}

TEST_F(CallStageTest, APromptThatWouldBeShortenedIsNotCounted) {
  Chat chat = a_chat();
  chat.extras.push_back({.dialect = Dialect::openai_responses, .key = "truncation", .raw = {R"("auto")"}});
  const std::unique_ptr<Exchange> exchange = gateway_.exchange(CountTokens{std::move(chat)});
  const Result<std::vector<Event>> events = gateway_.test.run(TestGateway::gather(pipeline_, *exchange));
  ASSERT_FALSE(events);
  EXPECT_EQ(events.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(events.error().path, "truncation");
}

TEST_F(CallStageTest, NotesWhatTheProviderCallsTheCallGoodOrNot) {
  server_.reply_headers.add("x-request-id", "theirs");
  for (const std::string token : {"token 1", "another's"}) {
    good_token_ = token;
    const std::unique_ptr<Exchange> exchange = gateway_.exchange(a_chat());
    const Result<std::vector<Event>> events = gateway_.test.run(TestGateway::gather(pipeline_, *exchange));
    EXPECT_EQ(events.has_value(), token == "token 1");
    ASSERT_FALSE(exchange->attempts.empty());
    EXPECT_EQ(exchange->attempts.back().upstream_id, "theirs");
  }
}

}  // namespace
}  // namespace weir
