// The checks see what they are there for: a run that keeps every promise, spoiled in one way each.
#include "sim/checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kText = R"(data: {"choices":[{"index":0,"delta":{"content":"a0w0"}}]})"
                                   "\n\n";
constexpr std::string_view kDone = "data: [DONE]\n\n";
constexpr std::string_view kError = R"(data: {"error":{"message":"late"}})"
                                    "\n\n";

class ChecksTest : public ::testing::Test {
 protected:
  ChecksTest() {
    plan_.targets.resize(1);
    plan_.callers.resize(1);
    plan_.callers[0].is_streamed = true;

    Served served;
    served.exchange_id = "req_1";
    served.span_id = "1";
    served.script.is_streamed = true;
    served.script.text = "a0w0";
    served.script.input_tokens = 5;
    served.script.output_tokens = 7;
    record_.served.push_back(served);

    Call call;
    call.status = 200;
    call.headers = {{"content-type", "text/event-stream"}, {"x-request-id", "req_1"}};
    call.body = std::string(kText) + std::string(kDone);
    call.is_complete = true;
    call.ended = call.started;
    record_.calls.push_back(call);

    Ended ended;
    ended.id = "req_1";
    ended.outcome.status = 200;
    ended.attempts.push_back(attempt("1"));
    ended.usage.in_uncached = 5;
    ended.usage.out_text = 7;
    ended.log_line = "{}";
    record_.ended.push_back(ended);
    record_.started["req_1"] = 1;
  }

  static Attempt attempt(std::string_view span_id) {
    Attempt attempt;
    attempt.provider = "p0";
    attempt.span_id = span_id;
    return attempt;
  }

  std::vector<std::string> found() const { return check(plan_, record_); }

  Plan plan_;
  Record record_;
};

TEST_F(ChecksTest, FindNothingInAGoodRun) {
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(ChecksTest, SeeASecondEnd) {
  record_.calls[0].body += kDone;
  EXPECT_THAT(found(), ElementsAre(HasSubstr("2 success marks")));
}

TEST_F(ChecksTest, SeeAnErrorBesideSuccess) {
  record_.calls[0].body += kError;
  EXPECT_THAT(found(), ElementsAre(HasSubstr("1 success marks and 1 errors")));
}

TEST_F(ChecksTest, SeeAnAnswerThatIsNeitherGoodNorBad) {
  record_.calls[0].body = kText;
  EXPECT_THAT(found(), ElementsAre(HasSubstr("neither success nor error"), HasSubstr("its caller saw none")));
}

TEST_F(ChecksTest, SeeTextThatNobodySaid) {
  record_.served[0].script.text = "a0w1";
  EXPECT_THAT(found(), ElementsAre(HasSubstr("is no start of"), HasSubstr("success with")));
}

TEST_F(ChecksTest, SeeAnAttemptAfterTheFirstContent) {
  Served again = record_.served[0];
  again.span_id = "2";
  again.script.text = "a1w0";
  record_.served.push_back(again);
  record_.ended[0].attempts.push_back(attempt("2"));
  EXPECT_THAT(found(), ::testing::Contains(HasSubstr("yet another followed")));
  EXPECT_THAT(found(), ::testing::Contains(HasSubstr("is no start of")));
}

// A malformed call, and what was asked for after it.
class AskedAgainTest : public ChecksTest {
 protected:
  AskedAgainTest() {
    plan_.callers[0].ask = Ask::call;
    record_.served[0].script.text.clear();
    record_.served[0].script.is_malformed = true;
    follow("2", false);
  }
  void follow(std::string_view span_id, bool is_malformed) {
    Served again = record_.served[0];
    again.span_id = span_id;
    again.script.text = "a0w0";
    again.script.is_malformed = is_malformed;
    record_.served.push_back(again);
    record_.ended[0].attempts.push_back(attempt(span_id));
    record_.ended[0].usage.in_uncached = 5 * static_cast<int64_t>(record_.served.size());
    record_.ended[0].usage.out_text = 7 * static_cast<int64_t>(record_.served.size());
  }
};

TEST_F(AskedAgainTest, FindsNothingInAGoodRun) {
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(AskedAgainTest, SeesASecondTime) {
  record_.served[1].script.is_malformed = true;
  follow("3", false);
  EXPECT_THAT(found(), ElementsAre(HasSubstr("asked for 2 times more")));
}

TEST_F(AskedAgainTest, SeesThatItWasNotDone) {
  record_.ended[0].attempts.pop_back();
  record_.served.pop_back();
  record_.served[0].script.is_streamed = false;
  record_.served[0].script.text = "a0w0";
  record_.ended[0].usage.in_uncached = 5;
  record_.ended[0].usage.out_text = 7;
  EXPECT_THAT(found(), ElementsAre(HasSubstr("was not asked for again")));
  plan_.retry.attempts_max = 1;
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(AskedAgainTest, SeesUsageThatWasForgotten) {
  record_.ended[0].usage.in_uncached = 5;
  record_.ended[0].usage.out_text = 7;
  EXPECT_THAT(found(), ElementsAre(HasSubstr("usage 5+7, the providers said 10+14 in all")));
}

TEST_F(ChecksTest, SeeAMissedDeadline) {
  record_.ended[0].at += kTimeout + std::chrono::seconds(1);
  EXPECT_THAT(found(), ElementsAre(HasSubstr("its deadline was 60000 ms")));
}

TEST_F(ChecksTest, SeeAnExchangeThatEndsTwice) {
  record_.ended.push_back(record_.ended[0]);
  EXPECT_THAT(found(), ::testing::Contains(HasSubstr("ended 2 times")));
}

TEST_F(ChecksTest, SeeWrongUsage) {
  record_.ended[0].usage.out_text = 8;
  EXPECT_THAT(found(), ElementsAre(HasSubstr("usage 5+8 (provider), the provider said 5+7")));
}

TEST_F(ChecksTest, SeeUsageThatNobodyReported) {
  record_.served[0].script.reports_usage = false;
  EXPECT_THAT(found(), ElementsAre(HasSubstr("usage that nobody reported")));
}

TEST_F(ChecksTest, SeeAFailureThatWasNoneOfTheProviders) {
  record_.calls[0].body = std::string(kText) + std::string(kError);
  record_.calls[0].is_complete = false;
  record_.ended[0].outcome.error = make_error(ErrorKind::upstream_error, "");
  record_.ended[0].attempts[0].failure = ErrorKind::upstream_error;
  EXPECT_THAT(found(), ElementsAre(HasSubstr("the attempt is called upstream_error"),
                                   HasSubstr("although p0 answered (none)")));
}

TEST_F(ChecksTest, SeeWhatDidNotSettle) {
  record_.leaks.push_back("p0/m0: permits are held");
  EXPECT_THAT(found(), ElementsAre(HasSubstr("permits are held")));
}

TEST_F(ChecksTest, SeeWorkForACallerThatIsGone) {
  record_.calls[0].hung_up = true;
  record_.ended[0].at += std::chrono::seconds(1);
  EXPECT_THAT(found(), ElementsAre(HasSubstr("went on after its caller was gone")));
}

}  // namespace
}  // namespace weir::sim
