// The checks of calls that pass as bytes see what they are there for.
#include "sim/opaque.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/checks.h"

namespace weir::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kBytes = R"({"data":[{"b64_json":"QQ"}]})";

class OpaqueChecksTest : public ::testing::Test {
 protected:
  OpaqueChecksTest() {
    plan_.targets.resize(1);
    plan_.callers.resize(2);
    plan_.callers[0].ask = Ask::image;
    plan_.callers[1].ask = Ask::transcription;

    Served served;
    served.exchange_id = "req_1";
    served.span_id = "1";
    served.script.ask = Ask::image;
    served.script.text = kBytes;
    served.script.reports_usage = false;
    record_.served.push_back(served);

    record_.calls.resize(2);
    record_.calls[1].hung_up = true;
    Call& call = record_.calls[0];
    call.status = 200;
    call.headers = {{"content-type", "application/json"}, {"x-request-id", "req_1"}};
    call.body = kBytes;
    call.is_complete = true;
    call.ended = call.started;

    Ended ended;
    ended.id = "req_1";
    ended.outcome.status = 200;
    ended.attempts.emplace_back();
    ended.attempts[0].provider = "p0";
    ended.attempts[0].span_id = "1";
    ended.usage.images = 1;
    ended.log_line = "{}";
    record_.ended.push_back(ended);
    record_.started["req_1"] = 1;
  }

  std::vector<std::string> found() const { return check(plan_, record_); }

  Plan plan_;
  Record record_;
};

TEST_F(OpaqueChecksTest, FindNothingInAGoodRun) {
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(OpaqueChecksTest, SeeAByteThatWasNotThere) {
  record_.calls[0].body += '\n';
  EXPECT_THAT(found(), ElementsAre(HasSubstr("is no start of"), HasSubstr("success with")));
}

TEST_F(OpaqueChecksTest, SeeBytesThatAreMissingFromASuccess) {
  record_.calls[0].body.pop_back();
  EXPECT_THAT(found(), ElementsAre(HasSubstr("success with")));
}

TEST_F(OpaqueChecksTest, SeeAnErrorBehindHalfAnEvent) {
  Call& call = record_.calls[0];
  call.headers = {{"content-type", "text/event-stream"}, {"x-request-id", "req_1"}};
  call.is_complete = false;
  record_.served[0].script.text = "data: {\"b64_json\":\"QQ\"}\n\n";
  record_.served[0].script.fault = Fault::cuts_in_event;
  record_.ended[0].outcome.error = make_error(ErrorKind::upstream_truncated, "");
  record_.ended[0].attempts[0].failure = ErrorKind::upstream_truncated;
  const std::string error = "data: {\"error\":{}}\n\n";
  call.body = record_.served[0].script.text + error;
  EXPECT_THAT(found(), IsEmpty());
  call.body = "data: {\"b64" + error;
  EXPECT_THAT(found(), ElementsAre(HasSubstr("an error behind half an event")));
}

TEST_F(OpaqueChecksTest, SeeAnErrorThatIsNone) {
  record_.calls[0].status = 502;
  EXPECT_THAT(found(), ::testing::Contains(HasSubstr("an error that is none")));
}

TEST_F(OpaqueChecksTest, SeeAMeasureThatNobodyStated) {
  record_.ended[0].usage.in_sound_ms = 5;
  EXPECT_THAT(found(), ElementsAre(HasSubstr("5 ms, 1 images; the provider said 0+0, 0 ms, 1 images")));
}

TEST_F(OpaqueChecksTest, KnowTheBytesOfEachCaller) {
  const std::string json = opaque_body(plan_.callers[0], 0, "m1");
  const std::string form = opaque_body(plan_.callers[1], 1, "m1");
  EXPECT_EQ(wrong_in_opaque(plan_, Ask::image, json, "m1"), "");
  EXPECT_EQ(wrong_in_opaque(plan_, Ask::transcription, form, "m1"), "");
  EXPECT_EQ(wrong_in_opaque(plan_, Ask::image, json, "m0"), "not the bytes of c0") << "another model";
  EXPECT_EQ(wrong_in_opaque(plan_, Ask::image, json + " ", "m1"), "not the bytes of c0");
  EXPECT_EQ(wrong_in_opaque(plan_, Ask::transcription, json, "m1"), "a body that no caller sent");
  EXPECT_EQ(wrong_in_opaque(plan_, Ask::image, "{}", "m1"), "a body that no caller sent");
}

}  // namespace
}  // namespace weir::sim
