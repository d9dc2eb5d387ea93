// Answers in the Responses dialect, whole and streamed, as clients get them.
#include <gtest/gtest.h>

#include "codec/openai_responses_test_util.h"

namespace weir {
namespace {

constexpr Dialect kOwn = Dialect::openai_responses;

Request plain_request() {
  return test::responses_chat(R"("input":"hi")");
}

std::string stream_of(const std::vector<Event>& events, const Request& request = plain_request()) {
  const AnswerContext context = test::answer_context(request);
  std::string out = test::encode_stream(*openai_responses_client().stream_encoder(context), events);
  test::expect_good_stream(out);
  return out;
}

std::string whole_of(const std::vector<Event>& events, const Request& request = plain_request()) {
  const ClientReply reply =
      openai_responses_client().encode_answer(test::fold(events), test::answer_context(request));
  EXPECT_EQ(reply.status, 200);
  test::expect_good_response(reply.body);
  return reply.body;
}

// Member of the whole answer, as raw JSON: "output", "usage", ...
std::string member(const std::string& body, std::string_view key) {
  const Result<JsonDoc> parsed = JsonDoc::parse(body);
  EXPECT_TRUE(parsed) << body;
  return parsed ? std::string(parsed->root()[key].raw()) : "";
}

// The response object of the last event.
std::string last_response(const std::string& stream) {
  const std::vector<std::string> events = test::event_data(stream);
  return events.empty() ? "" : member(events.back(), "response");
}

std::vector<Event> with_start(std::vector<Event> events) {
  events.insert(events.begin(), Start{.id = "resp_7", .model = "gpt-x", .created_s = 1'700'000'000});
  events.emplace_back(End{});
  return events;
}

UsageReport usage(int64_t input, int64_t output) {
  UsageReport report;
  report.usage.in_uncached = input;
  report.usage.out_text = output;
  return report;
}

UsageReport cached_usage() {
  UsageReport report = usage(5, 2);
  report.usage.cache_read = 3;
  report.usage.cache_write_5m = 2;
  report.usage.out_reasoning = 4;
  return report;
}

std::vector<Event> text_answer(StopReason reason = StopReason::end) {
  return with_start({BlockStart{}, Delta{.text = "Hel"}, Delta{.text = "lo"}, BlockEnd{},
                     Finish{.reason = reason}, usage(5, 2)});
}

std::vector<Event> thinking_and_calls() {
  return with_start({
      BlockStart{.kind = BlockKind::thinking, .id = "rs_9", .dialect = kOwn},
      Delta{.text = "hm"},
      Delta{.kind = DeltaKind::signature, .text = "SEALED", .dialect = kOwn},
      BlockEnd{},
      BlockStart{.index = 1},
      Delta{.index = 1, .text = "I look"},
      BlockEnd{.index = 1},
      BlockStart{.index = 2, .kind = BlockKind::tool_call, .tool_id = "call_1", .tool_name = "look"},
      Delta{.index = 2, .text = "{\"a\""},
      Delta{.index = 2, .text = ":1}"},
      BlockEnd{.index = 2},
      BlockStart{.index = 3, .kind = BlockKind::tool_call, .tool_id = "call_2", .tool_name = "now"},
      BlockEnd{.index = 3},
      BlockStart{.index = 4,
                 .kind = BlockKind::tool_call,
                 .tool_id = "call_3",
                 .tool_name = "patch",
                 .tool_kind = ToolKind::custom},
      Delta{.index = 4, .text = "*** Begin"},
      BlockEnd{.index = 4},
      Finish{.reason = StopReason::tool},
      cached_usage(),
  });
}

TEST(ResponsesEncode, WritesTheWholeResponseObject) {
  EXPECT_EQ(
      whole_of(text_answer()),
      R"({"id":"resp_7","object":"response","created_at":1700000000,"status":"completed","background":false,)"
      R"("error":null,"incomplete_details":null,"instructions":null,"max_output_tokens":null,)"
      R"("max_tool_calls":null,"model":"gpt-x","output":[{"id":"msg_01J_0","type":"message",)"
      R"("status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],)"
      R"("logprobs":[],"text":"Hello"}]}],"parallel_tool_calls":true,"previous_response_id":null,)"
      R"("prompt_cache_key":null,"reasoning":{"effort":null,"summary":null},"safety_identifier":null,)"
      R"("store":true,"temperature":1,"text":{"format":{"type":"text"},"verbosity":"medium"},)"
      R"("tool_choice":"auto","tools":[],"top_logprobs":0,"top_p":1,"truncation":"disabled",)"
      R"("service_tier":"default","usage":{"input_tokens":5,"input_tokens_details":{"cached_tokens":0,)"
      R"("cache_write_tokens":0},"output_tokens":2,"output_tokens_details":{"reasoning_tokens":0},)"
      R"("total_tokens":7},"metadata":{}})");
}

TEST(ResponsesEncode, RepeatsTheSettingsOfTheRequest) {
  const Request request = test::responses_chat(
      R"("input":"hi","instructions":"be kind","max_output_tokens":99,"temperature":0.5,"top_p":0.25,)"
      R"("text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true},)"
      R"("verbosity":"low"},"reasoning":{"effort":"high","summary":"auto"},"metadata":{"a":"b"},)"
      R"("safety_identifier":"u","prompt_cache_key":"k","store":false,"previous_response_id":"resp_1",)"
      R"("max_tool_calls":4,"truncation":"auto","parallel_tool_calls":false,"top_logprobs":2,)"
      R"("tools":[{"type":"function","name":"f","parameters":{"type":"object"}},{"type":"web_search"}],)"
      R"("tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"}]})");
  const std::string body = whole_of(text_answer(), request);
  const std::pair<std::string_view, std::string_view> expected[] = {
      {"instructions", R"("be kind")"},
      {"max_output_tokens", "99"},
      {"temperature", "0.5"},
      {"top_p", "0.25"},
      {"text", R"({"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true},)"
               R"("verbosity":"low"})"},
      {"reasoning", R"({"effort":"high","summary":"auto"})"},
      {"metadata", R"({"a":"b"})"},
      {"safety_identifier", R"("u")"},
      {"prompt_cache_key", R"("k")"},
      {"store", "false"},
      {"previous_response_id", R"("resp_1")"},
      {"max_tool_calls", "4"},
      {"truncation", R"("auto")"},
      {"parallel_tool_calls", "false"},
      {"top_logprobs", "2"},
      {"tools", R"([{"type":"function","name":"f","description":null,"parameters":{"type":"object"},)"
                R"("strict":true},{"type":"web_search"}])"},
      {"tool_choice", R"({"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"}]})"},
  };
  for (const auto& [key, value] : expected) EXPECT_EQ(member(body, key), value) << key;
  const std::string stream = stream_of(text_answer(), request);
  for (const auto& [key, value] : expected) EXPECT_EQ(member(last_response(stream), key), value) << key;
}

// A stage that restores earlier turns puts them in front.
TEST(ResponsesEncode, RepeatsTheInstructionsWhereverTheyStand) {
  Chat chat = test::responses_chat(R"("input":"hi","instructions":"be kind")");
  chat.messages.insert(chat.messages.begin(), Message{});
  EXPECT_EQ(member(whole_of(text_answer(), chat), "instructions"), R"("be kind")");
}

TEST(ResponsesEncode, WritesEveryKindOfItem) {
  EXPECT_EQ(
      member(whole_of(thinking_and_calls()), "output"),
      R"([{"id":"rs_9","type":"reasoning","summary":[{"type":"summary_text","text":"hm"}],)"
      R"("encrypted_content":"SEALED"},{"id":"msg_01J_1","type":"message","status":"completed",)"
      R"("role":"assistant","content":[{"type":"output_text","annotations":[],"logprobs":[],)"
      R"("text":"I look"}]},{"id":"fc_01J_2","type":"function_call","status":"completed",)"
      R"("call_id":"call_1","name":"look","arguments":"{\"a\":1}"},{"id":"fc_01J_3",)"
      R"("type":"function_call","status":"completed","call_id":"call_2","name":"now","arguments":"{}"},)"
      R"({"id":"ctc_01J_4","type":"custom_tool_call","status":"completed","call_id":"call_3",)"
      R"("name":"patch","input":"*** Begin"}])");
  EXPECT_EQ(member(whole_of(thinking_and_calls()), "usage"),
            R"({"input_tokens":10,"input_tokens_details":{"cached_tokens":3,"cache_write_tokens":2},)"
            R"("output_tokens":6,"output_tokens_details":{"reasoning_tokens":4},"total_tokens":16})");
}

TEST(ResponsesEncode, StreamsTextInTheOrderThatClientsInsistOn) {
  const std::string stream = stream_of(text_answer());
  EXPECT_EQ(test::event_types(stream),
            "response.created response.in_progress response.output_item.added response.content_part.added "
            "response.output_text.delta response.output_text.done response.content_part.done "
            "response.output_item.done response.completed");
  EXPECT_NE(stream.find("event: response.output_text.delta\n"
                        R"(data: {"type":"response.output_text.delta","sequence_number":4,)"
                        R"("item_id":"msg_01J_0","output_index":0,"content_index":0,"delta":"Hel",)"
                        R"("logprobs":[]})"
                        "\n\n"),
            std::string::npos)
      << stream;
  EXPECT_NE(stream.find(R"("status":"in_progress")"), std::string::npos);
  EXPECT_EQ(last_response(stream), whole_of(text_answer())) << "the last event is the whole response";
}

TEST(ResponsesEncode, StreamsReasoningAndCallsOfBothKinds) {
  const std::string stream = stream_of(thinking_and_calls());
  EXPECT_EQ(test::event_types(stream),
            "response.created response.in_progress response.output_item.added "
            "response.reasoning_summary_part.added response.reasoning_summary_text.delta "
            "response.reasoning_summary_text.done response.reasoning_summary_part.done "
            "response.output_item.done response.output_item.added response.content_part.added "
            "response.output_text.delta response.output_text.done response.content_part.done "
            "response.output_item.done response.output_item.added "
            "response.function_call_arguments.delta response.function_call_arguments.done "
            "response.output_item.done response.output_item.added "
            "response.function_call_arguments.delta response.function_call_arguments.done "
            "response.output_item.done response.output_item.added "
            "response.custom_tool_call_input.delta response.custom_tool_call_input.done "
            "response.output_item.done response.completed");
  EXPECT_EQ(last_response(stream), whole_of(thinking_and_calls()));
}

TEST(ResponsesEncode, KeepsSeveralTextsAsPartsOfOneMessage) {
  const std::vector<Event> events = with_start(
      {BlockStart{}, Delta{.text = "a"}, BlockEnd{}, BlockStart{.index = 1}, Delta{.index = 1, .text = "b"},
       Delta{.index = 1,
             .kind = DeltaKind::citation,
             .text = R"({"type":"url_citation","url":)"
                     R"("https://x.example","title":"t",)"
                     R"("start_index":0,"end_index":1})",
             .dialect = kOwn},
       BlockEnd{.index = 1}, BlockStart{.index = 2, .kind = BlockKind::refusal},
       Delta{.index = 2, .text = "no"}, BlockEnd{.index = 2}, Finish{}});
  EXPECT_EQ(member(whole_of(events), "output"),
            R"([{"id":"msg_01J_0","type":"message","status":"completed","role":"assistant","content":[)"
            R"({"type":"output_text","annotations":[],"logprobs":[],"text":"a"},{"type":"output_text",)"
            R"("annotations":[{"type":"url_citation","url":"https://x.example","title":"t","start_index":0,)"
            R"("end_index":1}],"logprobs":[],"text":"b"},{"type":"refusal","refusal":"no"}]}])");
  const std::string stream = stream_of(events);
  EXPECT_EQ(last_response(stream), whole_of(events));
  EXPECT_NE(stream.find(R"("content_index":1,"annotation_index":0,"annotation":{"type":"url_citation")"),
            std::string::npos)
      << stream;
  EXPECT_NE(stream.find(R"("content_index":2,"delta":"no"})"), std::string::npos) << stream;
}

TEST(ResponsesEncode, KeepsBlocksApartThatInterleave) {
  const std::vector<Event> events = with_start(
      {BlockStart{}, BlockStart{.index = 1, .kind = BlockKind::tool_call, .tool_id = "c1", .tool_name = "f"},
       BlockStart{.index = 2, .kind = BlockKind::tool_call, .tool_id = "c2", .tool_name = "g"},
       Delta{.index = 2, .text = "{\"b\":2}"}, Delta{.text = "text"}, Delta{.index = 1, .text = "{\"a\":1}"},
       BlockEnd{.index = 2}, BlockEnd{.index = 1}, BlockEnd{}, Finish{.reason = StopReason::tool}});
  const std::string stream = stream_of(events);
  EXPECT_EQ(last_response(stream), whole_of(events)) << stream;
  EXPECT_NE(stream.find(R"("item_id":"fc_01J_2","output_index":2,"delta":"{\"b\":2}")"), std::string::npos);
}

TEST(ResponsesEncode, TellsHowAnAnswerEnded) {
  struct Row {
    StopReason reason;
    std::string_view status;
    std::string_view details;
    std::string_view event;
  };
  const Row rows[] = {
      {StopReason::end, R"("completed")", "null", "response.completed"},
      {StopReason::stop_sequence, R"("completed")", "null", "response.completed"},
      {StopReason::tool, R"("completed")", "null", "response.completed"},
      {StopReason::other, R"("completed")", "null", "response.completed"},
      {StopReason::length, R"("incomplete")", R"({"reason":"max_output_tokens"})", "response.incomplete"},
      {StopReason::context_full, R"("incomplete")", R"({"reason":"max_output_tokens"})",
       "response.incomplete"},
      {StopReason::filter, R"("incomplete")", R"({"reason":"content_filter"})", "response.incomplete"},
      {StopReason::guardrail, R"("incomplete")", R"({"reason":"content_filter"})", "response.incomplete"},
      {StopReason::pause, R"("incomplete")", "null", "response.incomplete"},
      {StopReason::bad_tool, R"("failed")", "null", "response.failed"},
  };
  for (const Row& row : rows) {
    const std::string whole = whole_of(text_answer(row.reason));
    EXPECT_EQ(member(whole, "status"), row.status) << to_string(row.reason);
    EXPECT_EQ(member(whole, "incomplete_details"), row.details) << to_string(row.reason);
    EXPECT_EQ(member(whole, "error") == "null", row.reason != StopReason::bad_tool);
    const std::string stream = stream_of(text_answer(row.reason));
    EXPECT_TRUE(test::event_types(stream).ends_with(row.event)) << to_string(row.reason);
    EXPECT_EQ(member(last_response(stream), "status"), row.status);
  }
}

TEST(ResponsesEncode, SaysARefusalWithoutWordsAsAPart) {
  const std::vector<Event> events = with_start({Finish{.reason = StopReason::refusal}});
  const std::string whole = whole_of(events);
  EXPECT_NE(member(whole, "output").find(R"({"type":"refusal","refusal":"The model refused to answer."})"),
            std::string::npos)
      << whole;
  EXPECT_EQ(last_response(stream_of(events)), whole);
  EXPECT_EQ(member(whole, "status"), R"("completed")");
}

TEST(ResponsesEncode, LeavesOutWhatOnlyOtherDialectsUnderstand) {
  const std::vector<Event> events = with_start(
      {BlockStart{.kind = BlockKind::thinking, .dialect = Dialect::anthropic_messages}, Delta{.text = "hm"},
       Delta{.kind = DeltaKind::signature, .text = "SIG", .dialect = Dialect::anthropic_messages}, BlockEnd{},
       BlockStart{.index = 1, .kind = BlockKind::unknown, .data = R"({"x":1})", .dialect = Dialect::gemini},
       BlockEnd{.index = 1},
       BlockStart{.index = 2,
                  .kind = BlockKind::redacted_thinking,
                  .data = "R",
                  .dialect = Dialect::anthropic_messages},
       BlockEnd{.index = 2},
       BlockStart{.index = 3,
                  .kind = BlockKind::unknown,
                  .data = "{\"type\":\"web_search_call\",\n\"id\":\"ws_1\",\"status\":\"completed\","
                          "\"action\":{\"type\":\"search\",\"query\":\"q\"}}",
                  .dialect = kOwn},
       BlockEnd{.index = 3}, Finish{}});
  const std::string stream = stream_of(events);
  EXPECT_EQ(stream.find("SIG"), std::string::npos);
  EXPECT_EQ(stream.find(R"({"x":1})"), std::string::npos);
  EXPECT_NE(stream.find(R"("item":{"type":"web_search_call", "id":"ws_1")"), std::string::npos)
      << "a line break inside would end the event: " << stream;
  EXPECT_NE(whole_of(events).find(R"("encrypted_content":null)"), std::string::npos);
}

TEST(ResponsesEncode, GivesPicturesAsResultsOfTheImageTool) {
  const std::vector<Event> events = with_start({BlockStart{.kind = BlockKind::image, .data = "image/webp"},
                                                Delta{.text = "AAAA"}, BlockEnd{}, Finish{}});
  const std::string stream = stream_of(events);
  EXPECT_EQ(member(last_response(stream), "output"),
            R"([{"id":"ig_01J_0","type":"image_generation_call","status":"completed","result":"AAAA",)"
            R"("output_format":"webp"}])");
  EXPECT_EQ(last_response(stream), whole_of(events));
}

TEST(ResponsesEncode, GivesLogprobsWithTheFinishedText) {
  const std::string one = R"({"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[]})";
  const std::vector<Event> events =
      with_start({BlockStart{}, Delta{.text = "a"}, Logprobs{.raw = "[" + one + "]"}, Delta{.text = "a"},
                  Logprobs{.raw = "[" + one + "]"}, BlockEnd{}, Finish{}});
  const std::string both = fmt::format(R"("logprobs":[{},{}])", one, one);
  EXPECT_NE(whole_of(events).find(both), std::string::npos) << whole_of(events);
  const std::string stream = stream_of(events);
  EXPECT_EQ(last_response(stream), whole_of(events));
  const std::string bare = R"({"token":"a","logprob":-0.5,"top_logprobs":[]})";
  EXPECT_NE(stream.find(fmt::format(R"("text":"aa","logprobs":[{},{}]}})", bare, bare)), std::string::npos)
      << stream;
}

TEST(ResponsesEncode, FailsWithAnEventThatSdksRaiseForAndOneThatHoldsTheResponse) {
  const Request request = plain_request();
  const AnswerContext context = test::answer_context(request);
  const auto encoder = openai_responses_client().stream_encoder(context);
  std::string out;
  encoder->encode(Start{.id = "resp_7"}, out);
  encoder->encode(BlockStart{}, out);
  encoder->encode(Delta{.text = "Hel"}, out);
  encoder->fail(make_error(ErrorKind::upstream_truncated, "cut off"), out);
  test::expect_good_stream(out);
  EXPECT_TRUE(test::event_types(out).ends_with("response.output_text.delta error response.failed"));
  EXPECT_NE(out.find(R"({"type":"error","sequence_number":5,"code":"upstream_error","message":"cut off",)"
                     R"("param":null,"error":{"message":"cut off","type":"api_error","param":null,)"
                     R"("code":"upstream_error"}})"),
            std::string::npos)
      << out;
  const std::string response = last_response(out);
  EXPECT_EQ(member(response, "status"), R"("failed")");
  EXPECT_EQ(member(response, "error"), R"({"code":"server_error","message":"cut off"})");
  EXPECT_NE(response.find(R"("status":"incomplete","role":"assistant")"), std::string::npos);
}

TEST(ResponsesEncode, FailsBeforeTheFirstEventToo) {
  const Request request = plain_request();
  const AnswerContext context = test::answer_context(request);
  const auto encoder = openai_responses_client().stream_encoder(context);
  std::string out;
  encoder->keep_alive(out);
  EXPECT_EQ(out, ": keep-alive\n\n") << "no event: an empty one makes SDKs throw";
  encoder->fail(make_error(ErrorKind::timeout, "too late"), out);
  test::expect_good_stream(out);
  EXPECT_EQ(test::event_types(out), "error response.failed");
}

TEST(ResponsesEncode, AcceptsADeltaOfABlockThatWasNeverStarted) {
  const std::string stream = stream_of({Delta{.text = "hi"}, End{}});
  EXPECT_TRUE(test::event_types(stream).starts_with("response.created"));
  EXPECT_NE(last_response(stream).find(R"("text":"hi")"), std::string::npos);
}

TEST(ResponsesEncode, LosesNothingThatIsSaidBehindTheEndOfItsBlock) {
  const std::string stream = stream_of({BlockStart{.index = 0}, Delta{.text = "first"}, BlockEnd{.index = 0},
                                        Delta{.text = "late"}, Finish{}, End{}});
  const std::string response = last_response(stream);
  EXPECT_NE(response.find(R"("text":"first")"), std::string::npos) << response;
  EXPECT_NE(response.find(R"("text":"late")"), std::string::npos) << response;
  EXPECT_NE(stream.find(R"("delta":"late")"), std::string::npos) << stream;
}

TEST(ResponsesEncoder, RepeatsTheChoiceOfToolsAsItWasMade) {
  const auto choice = [](std::string_view asked) {
    return member(whole_of(with_start({Finish{}}),
                           test::responses_chat(fmt::format(
                               R"("input":"hi","tools":[{{"type":"function","name":"f","parameters":)"
                               R"({{"type":"object"}}}}]{})",
                               asked))),
                  "tool_choice");
  };
  EXPECT_EQ(choice(""), R"("auto")");
  for (const std::string_view word : {R"("auto")", R"("required")", R"("none")"})
    EXPECT_EQ(choice(fmt::format(R"(,"tool_choice":{})", word)), word);
  const std::string_view named = R"({"type":"function","name":"f"})";
  EXPECT_EQ(choice(fmt::format(R"(,"tool_choice":{})", named)), named);
  for (const std::string_view mode : {"auto", "required"}) {
    const std::string allowed = fmt::format(
        R"({{"type":"allowed_tools","mode":"{}","tools":[{{"type":"function","name":"f"}}]}})", mode);
    EXPECT_EQ(choice(fmt::format(R"(,"tool_choice":{})", allowed)), allowed);
  }
}

TEST(ResponsesStreamEncoder, AThoughtWithoutWordsHasNoSummary) {
  const std::string stream = stream_of(with_start(
      {BlockStart{.kind = BlockKind::thinking, .id = "rs_9", .dialect = kOwn},
       Delta{.kind = DeltaKind::signature, .text = "SEALED", .dialect = kOwn}, BlockEnd{},
       BlockStart{.index = 1}, Delta{.index = 1, .text = "x"}, BlockEnd{.index = 1}, Finish{}, usage(1, 1)}));
  EXPECT_EQ(stream.find("reasoning_summary"), std::string::npos) << stream;
}

TEST(ResponsesStreamEncoder, ACallIsDoneWhenItEnds) {
  const Request request = plain_request();
  const AnswerContext context = test::answer_context(request);
  const auto encoder = openai_responses_client().stream_encoder(context);
  std::string out;
  encoder->encode(Start{}, out);
  EXPECT_NE(out.find("response.created"), std::string::npos) << "at once";
  encoder->encode(BlockStart{.kind = BlockKind::tool_call, .tool_id = "c", .tool_name = "f"}, out);
  encoder->encode(Delta{.text = "{}"}, out);
  EXPECT_EQ(out.find("response.output_item.done"), std::string::npos) << out;
  encoder->encode(BlockEnd{}, out);
  EXPECT_NE(out.find("response.output_item.done"), std::string::npos) << out;
}

TEST(ResponsesStreamEncoder, AnAnswerThatNobodyStartedBegins) {
  EXPECT_EQ(test::event_types(stream_of({End{}})),
            "response.created response.in_progress response.completed");
  EXPECT_TRUE(test::event_types(stream_of({BlockStart{}, Delta{.text = "x"}, BlockEnd{}, End{}}))
                  .starts_with("response.created response.in_progress response.output_item.added"));
}

TEST(ResponsesStreamEncoder, EmptyLogprobsAndThoseOfAnotherChoiceAreNone) {
  const std::string stream = stream_of(with_start(
      {BlockStart{}, Delta{.text = "a"}, Logprobs{.raw = "[]"},
       Logprobs{.choice = 1, .raw = R"([{"token":"b","logprob":-1}])"}, BlockEnd{}, Finish{}, usage(1, 1)}));
  EXPECT_NE(stream.find(R"("logprobs":[])"), std::string::npos) << stream;
  EXPECT_EQ(stream.find(R"("token")"), std::string::npos) << stream;
}

}  // namespace
}  // namespace weir
