// Answers of providers of the Responses dialect, whole and streamed, as events.
#include <gtest/gtest.h>

#include "codec/call_ids.h"
#include "codec/openai_responses_test_util.h"

namespace weir {
namespace {

using test::Decoded;

Decoded decode(const std::vector<std::string>& data, const CallNotes& notes = {}) {
  std::string body;
  for (const std::string& one : data) body += "data: " + one + "\n\n";
  const auto decoder = openai_responses_provider().stream_decoder(notes);
  const auto fresh = decoder->clone();
  Decoded whole = test::decode_whole(*decoder, body);
  test::expect_same_however_cut(*fresh, body, whole);
  return whole;
}

const std::string kCreated =
    R"({"type":"response.created","response":{"id":"resp_1","model":"gpt","created_at":5,"status":"in_progress"}})";

std::string completed(std::string_view output = "[]", std::string_view more = "") {
  return fmt::format(
      R"({{"type":"response.completed","response":{{"id":"resp_1","model":"gpt","status":"completed","output":{}{}}}}})",
      output, more);
}

// The events of a stream between its start and its end; or its error.
std::string events(std::vector<std::string> data, std::string end = completed(),
                   const CallNotes& notes = {}) {
  data.insert(data.begin(), kCreated);
  data.push_back(std::move(end));
  const Decoded decoded = decode(data, notes);
  std::string text = decoded.error.empty() ? test::describe(decoded.events) : decoded.error;
  constexpr std::string_view kStart = "start resp_1 gpt\n";
  if (text.starts_with(kStart)) text.erase(0, kStart.size());
  return text;
}

Result<std::vector<Event>> decode_body(std::string_view body, const CallNotes& notes = {}) {
  const Headers headers;
  return openai_responses_provider().decode_answer({.headers = &headers, .body = body}, notes);
}

std::string whole_events(std::string_view output, std::string_view more = "") {
  const auto decoded = decode_body(
      fmt::format(R"({{"id":"resp_1","model":"gpt","status":"completed","output":{}{}}})", output, more));
  if (!decoded) return decoded.error().message;
  std::string text = test::describe(*decoded);
  return text.substr(text.find('\n') + 1);
}

std::string added(std::string_view item, int index = 0) {
  return fmt::format(R"({{"type":"response.output_item.added","output_index":{},"item":{}}})", index, item);
}
std::string done(std::string_view item, int index = 0) {
  return fmt::format(R"({{"type":"response.output_item.done","output_index":{},"item":{}}})", index, item);
}
std::string delta(std::string_view kind, std::string_view text, int index = 0, std::string_view more = "") {
  return fmt::format(R"({{"type":"response.{}.delta","output_index":{},"delta":"{}"{}}})", kind, index, text,
                     more);
}

const std::string kMessage =
    R"({"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"Hello",)"
    R"("annotations":[{"type":"url_citation","url":"u"}],"logprobs":[{"token":"a"}]},)"
    R"({"type":"refusal","refusal":"no"}]})";
const std::string kMessageEvents =
    "block 0 kind=0   0 \ndelta 0 0 Hello\ndelta 0 2 {\"type\":\"url_citation\",\"url\":\"u\"}\nend of block "
    "0\n"
    "logprobs [{\"token\":\"a\"}]\nblock 1 kind=4   0 \ndelta 1 0 no\nend of block 1\n"
    "finish refusal  completed\nend\n";

TEST(ResponsesDecode, ReadsAWholeAnswer) {
  EXPECT_EQ(whole_events("[" + kMessage + "]"), kMessageEvents);
  EXPECT_EQ(
      whole_events(
          R"([{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"},)"
          R"({"type":"summary_text","text":"so"}],"encrypted_content":"SEALED"},)"
          R"({"type":"reasoning","id":"rs_2","summary":[]},)"
          R"({"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"a\":1}"},)"
          R"({"type":"custom_tool_call","call_id":"call_2","name":"p","input":"x"},)"
          R"({"type":"web_search_call","id":"ws_1"},)"
          R"({"type":"image_generation_call","id":"ig_1","output_format":"webp","result":"AAAA"}])",
          R"(,"usage":{"input_tokens":20,"input_tokens_details":{"cached_tokens":5,"cache_write_tokens":3},)"
          R"("output_tokens":9,"output_tokens_details":{"reasoning_tokens":4},"total_tokens":29})"),
      "block 0 kind=2   0 \ndelta 0 0 hm\n\nso\ndelta 0 1 SEALED\nend of block 0\n"
      "block 1 kind=1 call_1 f 0 \ndelta 1 0 {\"a\":1}\nend of block 1\n"
      "block 2 kind=1 call_2 p 1 \ndelta 2 0 x\nend of block 2\n"
      "block 3 kind=7   0 {\"type\":\"web_search_call\",\"id\":\"ws_1\"}\nend of block 3\n"
      "block 4 kind=6   0 image/webp\ndelta 4 0 AAAA\nend of block 4\n"
      "finish tool  completed\nusage in=12 read=5 write5m=3 out=5 reasoning=4 searches=1\nend\n");
}

TEST(ResponsesDecode, SaysWhoseReasoningIsAndItsId) {
  const auto decoded = decode_body(
      R"({"status":"completed","output":[{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"S"}]})");
  ASSERT_TRUE(decoded);
  const AnswerBlock block = test::fold(*decoded).choices[0].blocks[0];
  EXPECT_EQ(block.id, "rs_1");
  EXPECT_EQ(block.signature, "S");
  EXPECT_EQ(block.dialect, Dialect::openai_responses);
}

TEST(ResponsesDecode, JoinsTheThoughtsThatSaySomething) {
  EXPECT_EQ(whole_events(R"([{"type":"reasoning","summary":[{"text":"hm"},{"text":""},{"text":"so"}]}])"),
            "block 0 kind=2   0 \ndelta 0 0 hm\n\nso\nend of block 0\nfinish end  completed\nend\n");
}

TEST(ResponsesDecode, TellsHowAnAnswerEnded) {
  const auto finish = [](std::string_view status, std::string_view details) {
    const auto decoded =
        decode_body(fmt::format(R"({{"status":"{}","incomplete_details":{},"output":[]}})", status, details));
    return decoded ? test::describe((*decoded)[1]) : std::string(to_string(decoded.error().kind));
  };
  EXPECT_EQ(finish("completed", "null"), "finish end  completed");
  EXPECT_EQ(finish("incomplete", R"({"reason":"max_output_tokens"})"), "finish length  max_output_tokens");
  EXPECT_EQ(finish("incomplete", R"({"reason":"content_filter"})"), "finish filter  content_filter");
  EXPECT_EQ(finish("incomplete", R"({"reason":"news"})"), "finish other  news");
  EXPECT_EQ(finish("incomplete", "null"), "finish pause  incomplete");
  EXPECT_EQ(finish("in_progress", "null"), "upstream_malformed");
  EXPECT_EQ(finish("queued", "null"), "upstream_malformed");
}

TEST(ResponsesDecode, RefusesWhatIsNoAnswer) {
  for (const std::string_view body : {"", "[]", "{}", R"({"output":3})", R"({"id":"x","choices":[]})"}) {
    const auto decoded = decode_body(body);
    ASSERT_FALSE(decoded) << body;
    EXPECT_EQ(decoded.error().kind, ErrorKind::upstream_malformed) << body;
  }
}

TEST(ResponsesDecode, KnowsTheErrorsOfAnAnswerByTheirCode) {
  const auto kind = [](std::string_view code) {
    const auto decoded = decode_body(
        fmt::format(R"({{"status":"failed","error":{{"code":"{}","message":"m"}},"output":[]}})", code));
    EXPECT_FALSE(decoded);
    return decoded ? ErrorKind::internal : decoded.error().kind;
  };
  EXPECT_EQ(kind("server_error"), ErrorKind::upstream_error);
  EXPECT_EQ(kind("rate_limit_exceeded"), ErrorKind::upstream_rate_limited);
  EXPECT_EQ(kind("insufficient_quota"), ErrorKind::upstream_quota);
  EXPECT_EQ(kind("invalid_prompt"), ErrorKind::bad_request);
  EXPECT_EQ(kind("image_too_large"), ErrorKind::bad_request);
  EXPECT_EQ(kind("context_length_exceeded"), ErrorKind::context_too_long);
  EXPECT_EQ(kind("server_is_overloaded"), ErrorKind::upstream_overloaded);
}

TEST(ResponsesDecode, ReadsErrorBodies) {
  Headers headers;
  headers.add("retry-after", "7");
  const Error error = openai_responses_provider().decode_error(
      {.status = 429,
       .headers = &headers,
       .body = R"({"error":{"message":"later","type":"rate_limit_error","param":null,"code":null}})"},
      0);
  EXPECT_EQ(error.kind, ErrorKind::upstream_rate_limited);
  EXPECT_EQ(error.message, "later");
  EXPECT_EQ(error.retry_after_ms, 7000);
}

TEST(ResponsesStreamDecode, ReadsTextWithCitationsAndLogprobs) {
  EXPECT_EQ(
      events({added(R"({"type":"message","id":"msg_1","content":[]})"),
              R"({"type":"response.content_part.added","output_index":0,"content_index":0,"part":{}})",
              delta("output_text", "Hel"),
              delta("output_text", "lo", 0, R"(,"logprobs":[{"token":"a","logprob":-1}])"),
              R"({"type":"response.output_text.annotation.added","output_index":0,"content_index":0,)"
              R"("annotation_index":0,"annotation":{"type":"url_citation","url":"u"}})",
              R"({"type":"response.output_text.done","output_index":0,"content_index":0,"text":"Hello"})",
              R"({"type":"response.content_part.done","output_index":0,"content_index":0,"part":)"
              R"({"type":"output_text","text":"Hello","annotations":[{"type":"url_citation","url":"u"},)"
              R"({"type":"url_citation","url":"v"}]}})",
              delta("refusal", "no", 0, R"(,"content_index":1)"), done(kMessage)}),
      "block 0 kind=0   0 \ndelta 0 0 Hel\ndelta 0 0 lo\nlogprobs "
      R"([{"token":"a","logprob":-1,"bytes":[97],"top_logprobs":[]}])"
      "\n"
      "delta 0 2 {\"type\":\"url_citation\",\"url\":\"u\"}\n"
      "delta 0 2 {\"type\":\"url_citation\",\"url\":\"v\"}\nend of block 0\n"
      "block 1 kind=4   0 \ndelta 1 0 no\nend of block 1\nfinish refusal  completed\nend\n");
}

TEST(ResponsesStreamDecode, ReadsReasoningAndCalls) {
  EXPECT_EQ(
      events({added(R"({"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"HALF"})"),
              delta("reasoning_summary_text", "hm", 0, R"(,"summary_index":0)"),
              delta("reasoning_summary_text", "so", 0, R"(,"summary_index":1)"),
              done(R"({"type":"reasoning","id":"rs_1","summary":[{"text":"hm"},{"text":"so"}],)"
                   R"("encrypted_content":"SEALED"})"),
              added(R"({"type":"function_call","call_id":"call_1","name":"f","arguments":""})", 1),
              delta("function_call_arguments", R"({\"a\")", 1),
              added(R"({"type":"custom_tool_call","call_id":"call_2","name":"p","input":""})", 2),
              delta("custom_tool_call_input", "x", 2), delta("function_call_arguments", ":1}", 1),
              done(R"({"type":"function_call","call_id":"call_1","name":"f","arguments":"{\"a\":1}"})", 1),
              done(R"({"type":"custom_tool_call","call_id":"call_2","name":"p","input":"xy"})", 2)}),
      "block 0 kind=2   0 \ndelta 0 0 hm\ndelta 0 0 \n\n\ndelta 0 0 so\ndelta 0 1 SEALED\nend of block 0\n"
      "block 1 kind=1 call_1 f 0 \ndelta 1 0 {\"a\"\nblock 2 kind=1 call_2 p 1 \ndelta 2 0 x\n"
      "delta 1 0 :1}\nend of block 1\ndelta 2 0 y\nend of block 2\nfinish tool  completed\nend\n");
}

TEST(ResponsesStreamDecode, ReadsPlainReasoningOfOpenServers) {
  EXPECT_EQ(
      events({added(R"({"type":"reasoning","id":"rs_1"})"), delta("reasoning_text", "hm"),
              R"({"type":"response.content_part.done","output_index":0,"content_index":0,"part":)"
              R"({"type":"reasoning_text","text":"hm"}})",
              done(R"({"type":"reasoning","id":"rs_1","content":[{"type":"reasoning_text","text":"hm"}]})")}),
      "block 0 kind=2   0 \ndelta 0 0 hm\nend of block 0\nfinish end  completed\nend\n");
}

// The same answer whatever the server leaves out.
TEST(ResponsesStreamDecode, NeedsNoMoreThanTheLastEvent) {
  EXPECT_EQ(events({}, completed("[" + kMessage + "]")), kMessageEvents);
  EXPECT_EQ(events({done(kMessage)}, completed("[" + kMessage + "]")), kMessageEvents);
  EXPECT_EQ(events({added(R"({"type":"message"})"), delta("output_text", "Hello")}),
            "block 0 kind=0   0 \ndelta 0 0 Hello\nend of block 0\nfinish end  completed\nend\n");
  EXPECT_EQ(
      events({R"({"type":"response.output_text.done","output_index":0,"content_index":0,"text":"Hello"})"}),
      "block 0 kind=0   0 \ndelta 0 0 Hello\nend of block 0\nfinish end  completed\nend\n");
  EXPECT_EQ(events({R"({"type":"response.function_call_arguments.delta","output_index":0,"delta":"{}"})",
                    done(R"({"type":"function_call","call_id":"c","name":"f","arguments":"{}"})")}),
            "block 0 kind=1 c f 0 \ndelta 0 0 {}\nend of block 0\nfinish tool  completed\nend\n");
}

// Some proxies give an item a new id in each event.
TEST(ResponsesStreamDecode, KnowsItemsByTheirPlace) {
  EXPECT_EQ(
      events({added(R"({"type":"message","id":"a"})"), delta("output_text", "x", 0, R"(,"item_id":"b")"),
              delta("output_text", "y", 0, R"(,"item_id":"c")"),
              done(R"({"type":"message","id":"d","content":[{"type":"output_text","text":"xy"}]})")}),
      "block 0 kind=0   0 \ndelta 0 0 x\ndelta 0 0 y\nend of block 0\nfinish end  completed\nend\n");
}

TEST(ResponsesStreamDecode, GivesItemsOfOtherKindsWhole) {
  EXPECT_EQ(events({added(R"({"type":"web_search_call","id":"ws_1"})"),
                    R"({"type":"response.web_search_call.searching","output_index":0})",
                    R"({"type":"response.brand_new","output_index":0})",
                    done(R"({"type":"web_search_call","id":"ws_1"})")},
                   completed("[]", R"(,"usage":{"input_tokens":1,"output_tokens":2})")),
            "block 0 kind=7   0 {\"type\":\"web_search_call\",\"id\":\"ws_1\"}\nend of block 0\n"
            "finish end  completed\nusage in=1 out=2 searches=1\nend\n");
}

TEST(ResponsesStreamDecode, TellsAnIncompleteAnswer) {
  EXPECT_EQ(
      events({delta("output_text", "Hel")},
             R"({"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":)"
             R"({"reason":"max_output_tokens"},"output":[],"usage":{"input_tokens":1,"output_tokens":2}}})"),
      "block 0 kind=0   0 \ndelta 0 0 Hel\nend of block 0\nfinish length  max_output_tokens\n"
      "usage in=1 out=2\nend\n");
}

TEST(ResponsesStreamDecode, FailsOnEachFormOfAnError) {
  EXPECT_EQ(
      events(
          {R"({"type":"error","error":{"type":"insufficient_quota","code":"insufficient_quota","message":"m"}})"}),
      "upstream_quota: m");
  EXPECT_EQ(events({R"({"type":"error","code":"rate_limit_exceeded","message":"m","param":null})"}),
            "upstream_rate_limited: m");
  EXPECT_EQ(events({R"({"error":{"message":"m"}})"}), "upstream_error: m");
  EXPECT_EQ(
      events({R"({"type":"response.failed","response":{"status":"failed","error":{"code":"server_error",)"
              R"("message":"m"}}})"}),
      "upstream_error: m");
  EXPECT_EQ(events({R"({"type":"response.failed","response":{"status":"failed","error":)"
                    R"({"code":"context_length_exceeded","message":"m"}}})"}),
            "context_too_long: m");
  EXPECT_TRUE(events({"{oops"}).starts_with("upstream_malformed"));
}

TEST(ResponsesStreamDecode, KnowsAStreamThatBrokeOff) {
  const Decoded decoded = decode({kCreated, delta("output_text", "Hel")});
  EXPECT_TRUE(decoded.error.starts_with("upstream_truncated")) << decoded.error;
  EXPECT_FALSE(test::fold(decoded.events).is_complete);
}

TEST(ResponsesStreamDecode, PassesTheBytesOnTheRawWayAndReadsTheirEnd) {
  const std::string call = R"({"type":"function_call","call_id":"c","name":"f","arguments":"{}"})";
  const std::vector<std::string> data = {kCreated,
                                         added(R"({"type":"message"})"),
                                         delta("output_text", "Hel"),
                                         delta("output_text", R"(say \"response.completed\" and \"error\")"),
                                         R"({"type":"response.brand_new","x":[1.0, 2]})",
                                         done(call, 1),
                                         completed("[" + call + R"(,{"type":"web_search_call"}])",
                                                   R"(,"usage":{"input_tokens":1,"output_tokens":2})")};
  CallNotes notes;
  notes.is_raw = true;
  std::string body;
  for (const std::string& one : data) body += "data: " + one + "\n\n";
  const auto decoder = openai_responses_provider().stream_decoder(notes);
  const Decoded raw = test::decode_whole(*decoder, body + "data: [DONE]\n\n");
  EXPECT_EQ(raw.error, "");
  EXPECT_EQ(raw.forwarded, body) << "the dialect has no end marker";
  EXPECT_EQ(test::describe(raw.events).find("say"), std::string::npos) << "what passes is not read";
  const Answer answer = test::fold(raw.events);
  EXPECT_EQ(answer.choices.at(0).finish.reason, StopReason::tool);
  EXPECT_EQ(answer.usage.web_searches, 1);
  EXPECT_EQ(answer.usage.output_total(), 2);
  EXPECT_TRUE(answer.is_complete);
}

TEST(ResponsesStreamDecode, CountsASearchBeforeTheTextOnceOnTheRawWay) {
  CallNotes notes;
  notes.is_raw = true;
  const std::string search = R"({"type":"web_search_call","id":"ws_1"})";
  const Decoded raw =
      decode({kCreated, done(search), delta("output_text", "Hel", 1),
              completed("[" + search + "]", R"(,"usage":{"input_tokens":1,"output_tokens":2})")},
             notes);
  EXPECT_EQ(raw.error, "");
  EXPECT_EQ(test::fold(raw.events).usage.web_searches, 1);
}

TEST(ResponsesStreamDecode, ForwardsNothingFromAFailureOn) {
  CallNotes notes;
  notes.is_raw = true;
  const std::string first = fmt::format("data: {}\n\ndata: {}\n\n", kCreated, delta("output_text", "Hel"));
  const auto decoder = openai_responses_provider().stream_decoder(notes);
  const Decoded raw = test::decode_whole(
      *decoder, first + "data: {\"type\":\"error\",\"message\":\"m\",\"code\":null}\n\ndata: {}\n\n");
  EXPECT_EQ(raw.error, "upstream_error: m");
  EXPECT_EQ(raw.forwarded, first);
}

TEST(ResponsesStreamDecode, ADoneOfOtherDialectsIsDropped) {
  EXPECT_EQ(decode({kCreated, "[DONE]", completed()}).error, "");
}

TEST(ResponsesStreamDecode, ThatHasNothingButItsEndBegins) {
  EXPECT_TRUE(test::describe(decode({completed()}).events).starts_with("start resp_1 gpt\n"));
}

const std::string kAnnotation =
    R"({"type":"response.output_text.annotation.added","output_index":0,"content_index":0,)"
    R"("annotation":{"type":"url_citation","url":"u"}})";

TEST(ResponsesStreamDecode, CitesBeforeTheTextToo) {
  EXPECT_EQ(events({added(R"({"type":"message"})"), kAnnotation, delta("output_text", "x")}),
            "block 0 kind=0   0 \ndelta 0 2 {\"type\":\"url_citation\",\"url\":\"u\"}\ndelta 0 0 x\n"
            "end of block 0\nfinish end  completed\nend\n");
}

TEST(ResponsesStreamDecode, CitesNothingInATextThatHasEnded) {
  EXPECT_EQ(events({delta("output_text", "Hello"),
                    R"({"type":"response.content_part.done","output_index":0,"content_index":0,"part":)"
                    R"({"type":"output_text","text":"Hello","annotations":[]}})",
                    done(R"({"type":"message","content":[{"type":"output_text","text":"Hello",)"
                         R"("annotations":[{"type":"url_citation","url":"u"}]}]})")}),
            "block 0 kind=0   0 \ndelta 0 0 Hello\nend of block 0\nfinish end  completed\nend\n");
}

TEST(ResponsesStreamDecode, KeepsTheArgumentsThatWereGivenOut) {
  for (const std::string_view whole : {"", R"({\"a\":2})", R"({\"a\": 1 })"}) {
    EXPECT_EQ(
        events({added(R"({"type":"function_call","call_id":"c","name":"f","arguments":""})"),
                delta("function_call_arguments", R"({\"a\":1})"),
                done(fmt::format(R"({{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}})",
                                 whole))}),
        "block 0 kind=1 c f 0 \ndelta 0 0 {\"a\":1}\nend of block 0\nfinish tool  completed\nend\n");
  }
}

TEST(ResponsesStreamDecode, KnowsReasoningByTheIdThatItBeganWith) {
  const Decoded decoded = decode({kCreated, added(R"({"type":"reasoning","id":"rs_1"})"),
                                  delta("reasoning_text", "hm", 0, R"(,"item_id":"other")"), completed()});
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(test::fold(decoded.events).choices.at(0).blocks.at(0).id, "rs_1");
}

TEST(ResponsesStreamDecode, TellsArgumentsThatComeWholeOnce) {
  EXPECT_EQ(events({added(R"({"type":"function_call","call_id":"c","name":"f","arguments":""})"),
                    R"({"type":"response.function_call_arguments.done","output_index":0,"arguments":"{}"})",
                    done(R"({"type":"function_call","call_id":"c","name":"f","arguments":"{}"})")}),
            "block 0 kind=1 c f 0 \ndelta 0 0 {}\nend of block 0\nfinish tool  completed\nend\n");
}

// Of the answer and of the place in it, whole and streamed alike, also where the last event alone tells of
// it.
TEST(ResponsesStreamDecode, ACallWithoutAnyIdGetsOneOfTheAnswer) {
  const std::string call = R"({"type":"function_call","call_id":"","name":"f","arguments":"{}"})";
  const std::string expected = made_call_id("resp_1", 0, 0) + " f";
  EXPECT_NE(events({added(R"({"type":"function_call","name":"f"})"), done(call)}).find(expected),
            std::string::npos);
  EXPECT_NE(events({}, completed("[" + call + "]")).find(expected), std::string::npos);
  EXPECT_NE(whole_events("[" + call + "]").find(expected), std::string::npos);
  EXPECT_NE(made_call_id("resp_2", 0, 0), made_call_id("resp_1", 0, 0));
}

TEST(ResponsesStreamDecode, AnEmptyDeltaBeginsNothing) {
  EXPECT_EQ(events({added(R"({"type":"message"})"), delta("output_text", "")}).find("block"),
            std::string::npos);
}

}  // namespace
}  // namespace weir
