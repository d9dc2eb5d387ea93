#include "provider/credentials.h"

#include "provider/test_credentials.h"

namespace weir {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kLife = minutes(60);

// Gives "token 1", "token 2", ... after a while, or fails.
class FakeSource final : public CredentialSource {
 public:
  struct State {
    int fetches = 0;
    Duration takes = seconds(1);
    Duration life = kLife;
    bool fails = false;
  };
  explicit FakeSource(State& state) : state_(state) {}

  Task<Credential> fetch(Scope& scope, CredentialTools tools) const override {
    const int number = ++state_.fetches;
    CO_TRY(co_await scope.sleep(state_.takes));
    if (state_.fails) co_return fail(ErrorKind::upstream_unreachable, "the token endpoint cannot be reached");
    co_return Credential{.secret = Secret("token " + std::to_string(number)),
                         .is_token = true,
                         .expires_at_ns = tools.clock.wall_ns() + state_.life.count()};
  }

 private:
  State& state_;
};

class CredentialsTest : public test::CredentialTest {
 protected:
  using Got = std::optional<Result<std::shared_ptr<const Credential>>>;

  void SetUp() override {
    credentials_ = std::make_shared<Credentials>(
        "bedrock",
        ChosenSource{.name = "a fake", .identity = "1", .source = std::make_unique<FakeSource>(source_)});
  }

  // Asks and lets nothing but what is ready happen.
  void ask(Scope& scope, Got& got) {
    scope.spawn(keep(credentials_->get(scope, fetcher_), got));
    core_.settle();
  }
  // The token that a call gets without any wait; "" when it would wait.
  std::string at_once() {
    Scope scope(core_.core);
    Got got;
    ask(scope, got);
    std::string token = got ? (*got ? std::string((**got)->secret.reveal()) : "error") : "";
    scope.cancel(make_error(ErrorKind::cancelled, "enough"));
    core_.settle();
    return token;
  }
  void fetch_first() {
    Scope scope(core_.core);
    Got got;
    ask(scope, got);
    core_.pass(seconds(2));
    ASSERT_TRUE(got && *got);
  }

  FakeSource::State source_;
  std::shared_ptr<Credentials> credentials_;
  CredentialFetcher fetcher_{core_.core, server_, files_pool_};
};

TEST_F(CredentialsTest, CallsThatComeTogetherShareOneFetch) {
  Scope scope(core_.core);
  std::array<Got, 20> got;
  for (Got& one : got) ask(scope, one);
  EXPECT_FALSE(got[0]);
  core_.pass(seconds(2));
  for (const Got& one : got) {
    ASSERT_TRUE(one && *one);
    EXPECT_EQ((**one)->secret.reveal(), "token 1");
  }
  EXPECT_EQ(source_.fetches, 1);
  EXPECT_EQ(at_once(), "token 1");
  EXPECT_EQ(credentials_->counts().fetched, 1u);
}

TEST_F(CredentialsTest, IsRenewedAheadOfItsEndWhileCallsGoOnWithIt) {
  fetch_first();
  core_.pass(kLife - Credentials::kRenewAhead - minutes(1));
  EXPECT_EQ(at_once(), "token 1");
  EXPECT_EQ(source_.fetches, 1) << "too early";
  core_.pass(minutes(1));
  EXPECT_EQ(at_once(), "token 1") << "nobody waits for the renewal";
  EXPECT_EQ(at_once(), "token 1");
  EXPECT_EQ(source_.fetches, 2);
  core_.pass(seconds(2));
  EXPECT_EQ(at_once(), "token 2");
  EXPECT_EQ(source_.fetches, 2);
}

TEST_F(CredentialsTest, WhatHasAllButEndedIsNotUsed) {
  fetch_first();
  core_.pass(kLife - seconds(20));
  EXPECT_EQ(at_once(), "") << "waits for a fetch";
  core_.pass(seconds(2));
  EXPECT_EQ(at_once(), "token 2");
}

TEST_F(CredentialsTest, AFailedRenewalCostsNoCallWhileTheOldOneIsGood) {
  fetch_first();
  core_.pass(kLife - minutes(3));
  source_.fails = true;
  EXPECT_EQ(at_once(), "token 1");
  core_.pass(seconds(3));
  EXPECT_EQ(credentials_->counts().failed, 1u);
  source_.fails = false;
  EXPECT_EQ(at_once(), "token 1") << "and the next renewal has begun";
  core_.pass(seconds(3));
  EXPECT_EQ(at_once(), "token 3");
}

TEST_F(CredentialsTest, AFailureIsToldToAllWhoWaitAndNotAskedForAgainAtOnce) {
  source_.fails = true;
  Scope scope(core_.core);
  std::array<Got, 3> got;
  for (Got& one : got) ask(scope, one);
  core_.pass(seconds(1));
  for (const Got& one : got) {
    ASSERT_TRUE(one);
    ASSERT_FALSE(*one);
    EXPECT_EQ(one->error().kind, ErrorKind::upstream_auth);
    EXPECT_EQ(one->error().message,
              "no credentials for the provider bedrock (a fake): the token endpoint cannot be reached");
  }
  EXPECT_EQ(at_once(), "error");
  EXPECT_EQ(source_.fetches, 1) << "a dead endpoint is not asked by each call";
  source_.fails = false;
  core_.pass(Credentials::kPauseAfterFailure);
  EXPECT_EQ(at_once(), "");
  core_.pass(seconds(2));
  EXPECT_EQ(at_once(), "token 2");
}

TEST_F(CredentialsTest, ASourceThatHangsEndsAsAFailure) {
  source_.takes = minutes(10);
  Scope scope(core_.core);
  Got got;
  ask(scope, got);
  core_.pass(kCredentialFetchMax + seconds(1));
  ASSERT_TRUE(got && !*got);
  EXPECT_EQ(got->error().kind, ErrorKind::upstream_auth);
}

TEST_F(CredentialsTest, ACallThatIsCancelledLeavesTheFetchToTheOthers) {
  Got first;
  Got second;
  Scope patient(core_.core);
  {
    Scope hasty(core_.core);
    ask(hasty, first);
    ask(patient, second);
    hasty.cancel(make_error(ErrorKind::cancelled, "gone"));
    core_.settle();
  }
  ASSERT_TRUE(first && !*first);
  EXPECT_EQ(first->error().kind, ErrorKind::cancelled);
  core_.pass(seconds(2));
  ASSERT_TRUE(second && *second);
  EXPECT_EQ(source_.fetches, 1);
}

TEST_F(CredentialsTest, WhatTheProviderRefusedIsReplacedUnlessItHasJustCome) {
  fetch_first();
  Scope scope(core_.core);
  Got got;
  ask(scope, got);
  EXPECT_FALSE(credentials_->reject(***got, core_.core.now()));
  EXPECT_EQ(at_once(), "token 1") << "another one would be refused too";
  core_.pass(Credentials::kPauseAfterSuccess);
  EXPECT_TRUE(credentials_->reject(***got, core_.core.now()));
  EXPECT_EQ(at_once(), "");
  core_.pass(seconds(2));
  EXPECT_EQ(at_once(), "token 2");
  EXPECT_TRUE(credentials_->reject(***got, core_.core.now()));
  EXPECT_EQ(at_once(), "token 2") << "the one that was refused has been replaced already";
}

TEST_F(CredentialsTest, AServerThatGivesWhatHasEndedIsAFailure) {
  source_.life = seconds(5);
  Scope scope(core_.core);
  Got got;
  ask(scope, got);
  core_.pass(seconds(2));
  ASSERT_TRUE(got && !*got);
  EXPECT_NE(got->error().message.find("expired already"), std::string::npos);
}

TEST_F(CredentialsTest, StoppingEndsWhatRuns) {
  source_.takes = minutes(10);
  Scope scope(core_.core);
  Got got;
  ask(scope, got);
  bool is_stopped = false;
  fetcher_.stop([&] { is_stopped = true; });
  core_.settle();
  EXPECT_TRUE(is_stopped);
  ASSERT_TRUE(got && !*got);
}

}  // namespace
}  // namespace weir
