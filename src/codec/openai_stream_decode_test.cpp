// Answers of OpenAI's chat dialect, whole and streamed, with the faults of the servers that copy it.
#include <gtest/gtest.h>

#include "codec/anthropic_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

using test::Decoded;

Decoded decode(const std::vector<std::string>& data, const CallNotes& notes = {}) {
  std::string body;
  for (const std::string& one : data) body += "data: " + one + "\n\n";
  const auto decoder = openai_chat_provider().stream_decoder(notes);
  const auto fresh = decoder->clone();
  Decoded whole = test::decode_whole(*decoder, body);
  test::expect_same_however_cut(*fresh, body, whole);
  return whole;
}

// A chunk of one choice.
std::string chunk(std::string_view delta, std::string_view finish = "null", int index = 0) {
  return fmt::format(
      R"({{"id":"chatcmpl-1","model":"gpt","choices":[{{"index":{},"delta":{},"finish_reason":{}}}]}})",
      index, delta, finish);
}

constexpr std::string_view kStop = R"("stop")";

// The events behind `start`, without `end`.
std::string events(const std::vector<std::string>& data, const CallNotes& notes = {}) {
  const Decoded decoded = decode(data, notes);
  return decoded.error.empty() ? test::describe(decoded.events) : decoded.error;
}

Answer answer(const std::vector<std::string>& data) {
  const Decoded decoded = decode(data);
  EXPECT_EQ(decoded.error, "");
  Answer folded = test::fold(decoded.events);
  if (folded.choices.empty()) folded.choices.resize(1);
  return folded;
}

TEST(OpenAiStream, ExpandsAFirstChunkThatHoldsEverything) {
  EXPECT_EQ(events({R"({"id":"chatcmpl-1","model":"gpt","choices":[{"index":0,"delta":{"role":"assistant",)"
                    R"("content":"hi","tool_calls":[{"index":0,"id":"c","type":"function","function":)"
                    R"({"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}],)"
                    R"("usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}})",
                    "[DONE]"}),
            "start chatcmpl-1 gpt\nblock 0 kind=0   0 \ndelta 0 0 hi\nend of block 0\n"
            "block 1 kind=1 c f 0 \ndelta 1 0 {}\nusage in=2 out=1\nend of block 1\n"
            "finish tool  tool_calls\nend\n");
}

TEST(OpenAiStream, HoldsTheFinishUntilTheUsageHasCome) {
  EXPECT_EQ(events({chunk(R"({"content":"a"})"), chunk("{}", kStop),
                    R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,)"
                    R"("prompt_tokens_details":{"cached_tokens":4},)"
                    R"("completion_tokens_details":{"reasoning_tokens":1}}})",
                    "[DONE]"}),
            "start chatcmpl-1 gpt\nblock 0 kind=0   0 \ndelta 0 0 a\nusage in=1 read=4 out=1 reasoning=1\n"
            "end of block 0\nfinish end  stop\nend\n");
}

TEST(OpenAiStream, StripsTheUsageThatWeirAloneAskedFor) {
  const std::vector<std::string> data = {
      chunk(R"({"content":"a"})", kStop),
      R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}})", "[DONE]"};
  CallNotes notes;
  notes.strips_usage = true;
  const Decoded decoded = decode(data, notes);
  EXPECT_EQ(decoded.forwarded, "data: " + data[0] + "\n\ndata: [DONE]\n\n");
  EXPECT_EQ(test::fold(decoded.events).usage.input_total(), 5);
}

TEST(OpenAiStream, IsWholeWithoutItsEndMarkerButNotWithoutAFinish) {
  const Decoded whole = decode({chunk(R"({"content":"a"})", kStop)});
  EXPECT_EQ(whole.error, "");
  EXPECT_TRUE(whole.forwarded.ends_with("data: [DONE]\n\n"));
  EXPECT_EQ(decode({chunk(R"({"content":"a"})")}).error.substr(0, 18), "upstream_truncated");
  EXPECT_EQ(decode({chunk(R"({"content":"a"})"), "[DONE]"}).error.substr(0, 18), "upstream_truncated");
  EXPECT_EQ(decode({}).error.substr(0, 18), "upstream_truncated");
  EXPECT_EQ(decode({"[DONE]"}).error.substr(0, 18), "upstream_truncated");
}

TEST(OpenAiStream, TellsOneFinishHoweverOftenItIsSaid) {
  const std::string said = events({chunk(R"({"content":"a"})", kStop), chunk("{}", kStop), "[DONE]", "[DONE]",
                                   chunk(R"({"content":"late"})")});
  EXPECT_EQ(said.find("finish"), said.rfind("finish"));
  EXPECT_EQ(said.find("late"), std::string::npos);
}

TEST(OpenAiStream, KeepsCallsApartByIndexByIdOrAsTheLast) {
  const auto call = [](std::string_view fields, std::string_view function) {
    return chunk(fmt::format(R"({{"tool_calls":[{{{}"function":{}}}]}})", fields, function));
  };
  const Answer indexed = answer({call(R"("index":1,"id":"b",)", R"({"name":"g","arguments":"{\"x\""})"),
                                 call(R"("index":0,"id":"a",)", R"({"name":"f","arguments":""})"),
                                 call(R"("index":1,)", R"({"arguments":":1}"})"),
                                 call(R"("index":0,)", R"({"arguments":"{}"})"), chunk("{}", kStop)});
  ASSERT_EQ(indexed.choices[0].blocks.size(), 2U);
  EXPECT_EQ(indexed.choices[0].blocks[0].tool_name, "g");
  EXPECT_EQ(indexed.choices[0].blocks[0].text, R"({"x":1})");
  EXPECT_EQ(indexed.choices[0].blocks[1].text, "{}");
  EXPECT_EQ(indexed.choices[0].finish.reason, StopReason::tool);

  const Answer unnumbered = answer(
      {call(R"("id":"a",)", R"({"name":"f","arguments":"{\"x\""})"), call("", R"({"arguments":":1}"})"),
       call(R"("id":"b",)", R"({"name":"g","arguments":"["})"), call(R"("id":"b",)", R"({"arguments":"]"})"),
       call(R"("id":"a",)", R"({"arguments":" "})"), chunk("{}", kStop)});
  ASSERT_EQ(unnumbered.choices[0].blocks.size(), 2U);
  EXPECT_EQ(unnumbered.choices[0].blocks[0].text, R"({"x":1} )");
  EXPECT_EQ(unnumbered.choices[0].blocks[1].text, "[]");
}

TEST(OpenAiStream, HoldsArgumentsBackUntilTheNameHasCome) {
  const Answer late =
      answer({chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]})"),
              chunk(R"({"tool_calls":[{"index":0,"id":"c","function":{"name":"f"}}]})"),
              chunk(R"({"tool_calls":[{"index":0,"function":{"name":"f","arguments":":1}"}}]})"),
              chunk("{}", R"("tool_calls")")});
  ASSERT_EQ(late.choices[0].blocks.size(), 1U);
  EXPECT_EQ(late.choices[0].blocks[0].tool_name, "f");
  EXPECT_EQ(late.choices[0].blocks[0].tool_id, "c");
  EXPECT_EQ(late.choices[0].blocks[0].text, R"({"a":1})");
}

// Servers in front of Gemini give each call an id, and all the same index.
TEST(OpenAiStream, TellsCallsThatShareAnIndexApartByTheirIds) {
  const auto call = [](std::string_view id, std::string_view function) {
    return chunk(fmt::format(R"({{"tool_calls":[{{"index":0,"id":"{}","function":{}}}]}})", id, function));
  };
  const Answer shared =
      answer({call("a", R"({"name":"f","arguments":"{\"a\":1}"})"),
              call("b", R"({"name":"g","arguments":"{\"a\""})"), call("", R"({"arguments":":2"})"),
              call("made up for this delta", R"({"arguments":"}"})"),
              call("c", R"({"name":"f","arguments":"{}"})"), call("c", R"({"name":"f","arguments":" "})"),
              chunk(R"({"tool_calls":[{"index":1,"id":"d","function":{"name":"h","arguments":"{}"}}]})"),
              chunk("{}", R"("tool_calls")")});
  std::string calls;
  for (const auto& block : shared.choices.at(0).blocks)
    calls += fmt::format("{} {} {}\n", block.tool_id, block.tool_name, block.text);
  EXPECT_EQ(calls, "a f {\"a\":1}\nb g {\"a\":2}\nc f {} \nd h {}\n");
}

TEST(OpenAiStream, TakesAnyNumberForAnIndex) {
  const auto call = [](std::string_view place) {
    return chunk(fmt::format(R"({{"tool_calls":[{{{}"function":{{"name":"f"}}}}]}})", place));
  };
  EXPECT_EQ(answer({call(R"("index":9223372036854775807,"id":"a",)"), call(R"("id":"b",)"),
                    chunk("{}", R"("tool_calls")")})
                .choices.at(0)
                .blocks.size(),
            1U);
}

TEST(OpenAiStream, ReadsReasoningRefusalsPartsAndCitations) {
  const Answer mixed = answer(
      {chunk(R"({"reasoning_content":"h"})"), chunk(R"({"reasoning":"m"})"),
       chunk(
           R"({"content":[{"type":"thinking","thinking":[{"type":"text","text":"!"}]},{"type":"text","text":"a"}]})"),
       chunk(R"({"annotations":[{"type":"url_citation"}]})"), chunk(R"({"refusal":"no"})"),
       chunk("{}", kStop)});
  ASSERT_EQ(mixed.choices[0].blocks.size(), 3U);
  EXPECT_EQ(mixed.choices[0].blocks[0].text, "hm!");
  EXPECT_EQ(mixed.choices[0].blocks[1].text, "a");
  EXPECT_EQ(mixed.choices[0].blocks[1].citations.size(), 1U);
  EXPECT_EQ(mixed.choices[0].blocks[2].kind, BlockKind::refusal);
  EXPECT_EQ(mixed.choices[0].finish.reason, StopReason::refusal);
}

TEST(OpenAiStream, JoinsThePiecesOfAThought) {
  constexpr std::string_view kContent =
      R"({"content":[{"type":"thinking","thinking":[{"type":"text","text":"one "},{"type":"text","text":"two"}]},)"
      R"({"type":"text","text":"a"}]})";
  const Headers headers;
  const std::string body =
      fmt::format(R"({{"choices":[{{"message":{},"finish_reason":"stop"}}]}})", kContent);
  const auto whole = openai_chat_provider().decode_answer({.headers = &headers, .body = body}, {});
  ASSERT_TRUE(whole);
  for (const Answer& one : {test::fold(*whole), answer({chunk(kContent, kStop)})}) {
    ASSERT_EQ(one.choices.at(0).blocks.size(), 2U);
    EXPECT_EQ(one.choices[0].blocks[0].kind, BlockKind::thinking);
    EXPECT_EQ(one.choices[0].blocks[0].text, "one two");
    EXPECT_EQ(one.choices[0].blocks[1].text, "a");
  }
}

TEST(OpenAiStream, KeepsChoicesApart) {
  const Answer two =
      answer({chunk(R"({"content":"b"})", "null", 1), chunk(R"({"content":"a"})"),
              chunk(R"({"content":"B"})", R"("length")", 1), chunk(R"({"content":"A"})", kStop)});
  ASSERT_EQ(two.choices.size(), 2U);
  EXPECT_EQ(two.choices[0].blocks.at(0).text, "aA");
  EXPECT_EQ(two.choices[1].blocks.at(0).text, "bB");
  EXPECT_EQ(two.choices[1].finish.reason, StopReason::length);
}

TEST(OpenAiStream, TakesWhatServersDoInsteadOfTheDialect) {
  // Azure begins with filter results alone; some send null where a list or object belongs; Groq repeats
  // usage.
  const Answer odd = answer({R"({"choices":[],"prompt_filter_results":[]})", R"({"id":"x","choices":null})",
                             chunk(R"({"content":null,"tool_calls":null,"refusal":null})"), chunk("null"),
                             chunk(R"({"content":"a\ud83d"})"),
                             R"({"id":"x","choices":[{"delta":{},"finish_reason":"eos"}],"x_groq":{"usage":)"
                             R"({"prompt_tokens":1,"completion_tokens":2}}})"});
  EXPECT_EQ(odd.choices[0].blocks.at(0).text, "a\xEF\xBF\xBD");
  EXPECT_EQ(odd.choices[0].finish.reason, StopReason::end);
  EXPECT_EQ(odd.usage.input_total(), 1);
  EXPECT_TRUE(answer({chunk(R"({"content":"a"})", kStop), "[DONE]"}).usage.empty());
}

TEST(OpenAiStream, TakesAnEventWithoutDataForNothing) {
  EXPECT_EQ(answer({"", chunk(R"({"content":"a"})"), "", chunk("{}", kStop), "[DONE]"})
                .choices[0]
                .blocks.at(0)
                .text,
            "a");
}

TEST(OpenAiStream, TellsACallThatNeverGetsAName) {
  const Answer nameless = answer(
      {chunk(R"({"tool_calls":[{"index":0,"id":"c","function":{"arguments":"{}"}}]})"), chunk("{}", kStop)});
  ASSERT_EQ(nameless.choices[0].blocks.size(), 1U);
  EXPECT_EQ(nameless.choices[0].blocks[0].tool_id, "c");
  EXPECT_EQ(nameless.choices[0].blocks[0].text, "{}");
}

TEST(OpenAiStream, SeesAnErrorOnTheRawWay) {
  CallNotes notes;
  notes.is_raw = true;
  const std::string said = chunk(R"({"content":"a"})");
  const Decoded decoded =
      decode({said, said, R"({"error":{"message":"slow down","type":"rate_limit_error"}})"}, notes);
  EXPECT_EQ(decoded.error, "upstream_rate_limited: slow down");
  EXPECT_EQ(decoded.forwarded, fmt::format("data: {}\n\ndata: {}\n\n", said, said));
}

// Behind the first content what is wrong within the braces of an event passes as it came.
TEST(OpenAiStream, ReadsNoMoreThanItMustOnTheRawWay) {
  CallNotes notes;
  notes.is_raw = true;
  const std::string said = chunk(R"({"content":"a"})");
  const std::string odd =
      R"({"id":"x","choices":[{"index":0,,"delta":{"content":"b"},"finish_reason":null}]})";
  const Decoded decoded = decode({said, odd, chunk("{}", kStop), "[DONE]"}, notes);
  EXPECT_EQ(decoded.error, "");
  EXPECT_NE(decoded.forwarded.find(odd), std::string::npos);
}

TEST(OpenAiStream, EndsWithTheErrorThatTheServerSends) {
  const Decoded decoded =
      decode({chunk(R"({"content":"a"})"), R"({"error":{"message":"slow down","type":"rate_limit_error"}})",
              chunk(R"({"content":"b"})", kStop)});
  EXPECT_EQ(decoded.error, "upstream_rate_limited: slow down");
  EXPECT_EQ(decoded.forwarded, "data: " + chunk(R"({"content":"a"})") + "\n\n");
  EXPECT_EQ(decode({R"({"error":"broken"})"}).error, "upstream_error: broken");
  EXPECT_EQ(decode({R"({"error":{"message":"m","type":"tokens","code":"rate_limit_exceeded"}})"}).error,
            "upstream_rate_limited: m");
  EXPECT_EQ(decode({"{oops"}).error.substr(0, 18), "upstream_malformed");
}

// ---- Usage

Usage usage_of(std::string_view usage, const CallNotes& notes = {}) {
  const Headers headers;
  const std::string body = fmt::format(
      R"({{"choices":[{{"message":{{"content":"a"}},"finish_reason":"stop"}}],"usage":{}}})", usage);
  const auto events = openai_chat_provider().decode_answer({.headers = &headers, .body = body}, notes);
  EXPECT_TRUE(events);
  return events ? test::fold(*events).usage : Usage{};
}

TEST(OpenAiUsage, WhatNoCallCouldUseIsNoCount) {
  for (const char* absurd : {"9000000000000000000", "9223372036854775807", "18446744073709551615", "1e30"}) {
    const Usage usage = usage_of(fmt::format(
        R"({{"prompt_tokens":{0},"completion_tokens":{0},"total_tokens":{0},"prompt_tokens_details":)"
        R"({{"cached_tokens":{0},"audio_tokens":{0}}},"completion_tokens_details":{{"reasoning_tokens":{0}}}}})",
        absurd));
    EXPECT_TRUE(usage.empty()) << absurd;
  }
  EXPECT_EQ(usage_of(R"({"prompt_tokens":1000000000000,"completion_tokens":1})").in_uncached,
            1'000'000'000'000);
  EXPECT_EQ(usage_of(R"({"prompt_tokens":1,"completion_tokens":9e18})").in_uncached, 1) << "the rest counts";
}

TEST(OpenAiUsage, IsSplitIntoDisjointBuckets) {
  const Usage usage =
      usage_of(R"({"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,)"
               R"("prompt_tokens_details":{"cached_tokens":60,"audio_tokens":10,"cache_write_tokens":5},)"
               R"("completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":5}})");
  EXPECT_EQ(usage.in_uncached, 25);
  EXPECT_EQ(usage.cache_read, 60);
  EXPECT_EQ(usage.cache_write_5m, 5);
  EXPECT_EQ(usage.in_audio, 10);
  EXPECT_EQ(usage.out_text, 25);
  EXPECT_EQ(usage.out_reasoning, 20);
  EXPECT_EQ(usage.out_audio, 5);
  EXPECT_EQ(usage.stated_total, 150);
  EXPECT_FALSE(usage.total_differs());
  EXPECT_TRUE(usage_of(R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":16})").total_differs());
  EXPECT_FALSE(usage_of(R"({"prompt_tokens":10,"total_tokens":16})").total_differs()) << "half is missing";
  EXPECT_EQ(usage_of(R"({"prompt_tokens":10,"prompt_cache_hit_tokens":4})").cache_read, 4);
  EXPECT_EQ(usage_of(R"({"prompt_tokens":1,"prompt_tokens_details":{"cached_tokens":9}})").in_uncached, 0);
  EXPECT_EQ(usage_of(R"({"prompt_tokens":-5,"completion_tokens":"x"})").output_total(), 0);
}

TEST(OpenAiUsage, KnowsServersThatCountReasoningApart) {
  constexpr std::string_view kReasoning = R"("completion_tokens_details":{"reasoning_tokens":228})";
  const auto xai = [&](std::string_view counts, bool has_quirk) {
    CallNotes notes;
    notes.counts_reasoning_apart = has_quirk;
    return usage_of(fmt::format("{{{},{}}}", counts, kReasoning), notes).output_total();
  };
  EXPECT_EQ(xai(R"("prompt_tokens":12,"completion_tokens":1,"total_tokens":241)", false), 229);
  EXPECT_EQ(xai(R"("prompt_tokens":12,"completion_tokens":1)", true), 229);
  // The stated total overrules the quirk: the server counts like OpenAI after all.
  EXPECT_EQ(xai(R"("prompt_tokens":12,"completion_tokens":229,"total_tokens":241)", true), 229);
  EXPECT_EQ(xai(R"("prompt_tokens":12,"completion_tokens":229)", false), 229);
  const Capabilities plain;
  Capabilities quirky;
  quirky.quirks.reasoning_not_in_completion = true;
  const Request request = Chat{};
  const auto notes_of = [&](const Capabilities& capabilities) {
    return openai_chat_provider()
        .encode_request(request, {.model = "m", .capabilities = &capabilities})
        ->notes;
  };
  EXPECT_FALSE(notes_of(plain).counts_reasoning_apart);
  EXPECT_TRUE(notes_of(quirky).counts_reasoning_apart);
}

TEST(OpenAiStream, ReadsTheSignatureOfThinkingThatCameAsReasoningContent) {
  const Answer folded =
      answer({chunk(R"({"reasoning_content":"hm"})"),
              chunk(R"({"thinking_blocks":[{"type":"thinking","thinking":"hm","signature":"s"}]})"),
              chunk(R"({"thinking_blocks":[{"type":"redacted_thinking","data":"d"}]})"),
              chunk(R"({"content":"a"})", kStop), "[DONE]"});
  const auto& blocks = folded.choices.at(0).blocks;
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(blocks[0].text, "hm");
  EXPECT_EQ(blocks[0].signature, "s");
  EXPECT_EQ(blocks[1].kind, BlockKind::redacted_thinking);
  EXPECT_EQ(blocks[1].text, "d");
  EXPECT_EQ(blocks[2].text, "a");
}

TEST(OpenAiStream, ReadsThinkingThatComesInBlocksAlone) {
  const Answer folded =
      answer({chunk(R"({"thinking_blocks":[{"type":"thinking","thinking":"h"}]})"),
              chunk(R"({"thinking_blocks":[{"type":"thinking","thinking":"m"}]})"),
              chunk(R"({"thinking_blocks":[{"type":"thinking","thinking":"","signature":"s"}]})"),
              chunk(R"({"content":"a"})", kStop), "[DONE]"});
  const auto& blocks = folded.choices.at(0).blocks;
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].text, "hm");
  EXPECT_EQ(blocks[0].signature, "s");
}

TEST(OpenAiStream, TakesTheLastOfTotalsThatComeInEveryChunk) {
  const auto counted = [](int tokens, std::string_view finish) {
    return fmt::format(R"({{"id":"x","choices":[{{"index":0,"delta":{{"content":"a"}},"finish_reason":{}}}],)"
                       R"("usage":{{"prompt_tokens":9,"completion_tokens":{}}}}})",
                       finish, tokens);
  };
  const Answer folded = answer({counted(1, "null"), counted(2, "null"), counted(3, R"("stop")"), "[DONE]"});
  EXPECT_EQ(folded.usage.in_uncached, 9);
  EXPECT_EQ(folded.usage.out_text, 3);
}

TEST(OpenAiStream, KeepsSignedThoughtsApart) {
  const auto blocks_of = [](const std::vector<std::string>& data) {
    std::string told;
    for (const auto& block : answer(data).choices.at(0).blocks)
      told += fmt::format("{}/{} ", block.text, block.signature);
    return told;
  };
  const auto thought = [](std::string_view text, std::string_view signature) {
    return fmt::format(R"({{"type":"thinking","thinking":"{}","signature":"{}"}})", text, signature);
  };
  const auto signs = [&](std::string_view text, std::string_view signature) {
    return chunk(fmt::format(R"({{"thinking_blocks":[{}]}})", thought(text, signature)));
  };
  EXPECT_EQ(
      blocks_of({chunk(R"({"reasoning_content":"A"})"), signs("A", "a"),
                 chunk(R"({"reasoning_content":"B"})"), signs("B", "b"), chunk(R"({"content":"x"})", kStop)}),
      "A/a B/b x/ ");
  EXPECT_EQ(blocks_of({signs("A", "a"), signs("B", "b"), chunk(R"({"content":"x"})", kStop)}), "A/a B/b x/ ");
  EXPECT_EQ(
      blocks_of({chunk(fmt::format(R"({{"thinking_blocks":[{},{}]}})", thought("A", "a"), thought("", "b")),
                       kStop)}),
      "A/a /b ");
}

// ---- Whole answers

TEST(OpenAiAnswer, ReadsAMessageWhole) {
  const Headers headers;
  CallNotes notes;
  notes.tool_names.add("srv_tool", "srv.tool");
  const auto decoded = openai_chat_provider().decode_answer(
      {.headers = &headers,
       .body =
           R"({"id":"x","model":"m","created":5,"service_tier":"default","choices":[{"index":0,"message":)"
           R"({"content":"a","refusal":null,"thinking_blocks":[{"type":"thinking","thinking":"t",)"
           R"("signature":"s"},{"type":"redacted_thinking","data":"d"}],"tool_calls":[{"id":"c",)"
           R"("function":{"name":"srv_tool","arguments":"{}"}}]},"logprobs":{"content":[{"token":"a"}]},)"
           R"("finish_reason":"stop"}]})"},
      notes);
  ASSERT_TRUE(decoded);
  const Answer folded = test::fold(*decoded);
  const auto& blocks = folded.choices.at(0).blocks;
  ASSERT_EQ(blocks.size(), 4U);
  EXPECT_EQ(blocks[0].signature, "s");
  EXPECT_EQ(blocks[1].kind, BlockKind::redacted_thinking);
  EXPECT_EQ(blocks[1].text, "d");
  EXPECT_EQ(blocks[3].tool_name, "srv.tool");
  EXPECT_EQ(folded.choices[0].finish.reason, StopReason::tool);
  EXPECT_EQ(folded.choices[0].logprobs.at(0), R"([{"token":"a"}])");
  EXPECT_EQ(folded.start.created_s, 5);
}

TEST(OpenAiAnswer, ARefusalThatEndsWithStopIsARefusal) {
  const Headers headers;
  const auto reason = [&](std::string_view message) {
    const std::string body =
        fmt::format(R"({{"choices":[{{"message":{},"finish_reason":"stop"}}]}})", message);
    const auto decoded = openai_chat_provider().decode_answer({.headers = &headers, .body = body}, {});
    return decoded ? test::fold(*decoded).choices.at(0).finish.reason : StopReason::other;
  };
  EXPECT_EQ(reason(R"({"content":null,"refusal":"I will not"})"), StopReason::refusal);
  EXPECT_EQ(reason(R"({"content":"yes","refusal":null})"), StopReason::end);
}

// On the raw way nothing but the server's word tells of the calls.
TEST(OpenAiAnswer, TakesTheServersWordForACall) {
  CallNotes notes;
  notes.is_raw = true;
  for (const std::string_view word : {"tool_calls", "function_call"}) {
    const Headers headers;
    const std::string body =
        fmt::format(R"({{"choices":[{{"message":{{"content":null}},"finish_reason":"{}"}}]}})", word);
    const auto decoded = openai_chat_provider().decode_answer({.headers = &headers, .body = body}, notes);
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(test::fold(*decoded).choices.at(0).finish.reason, StopReason::tool) << word;
  }
}

TEST(OpenAiAnswer, SaysWhichStopSequenceMatchedWhereTheServerDoes) {
  CallNotes notes;
  notes.sent_stops = {"END"};
  const auto finish = [&](std::string_view reason, std::string_view stop_reason) {
    const std::string choice = fmt::format(
        R"({{"choices":[{{"index":0,"message":{{}},"delta":{{}},"finish_reason":"{}","stop_reason":{}}}]}})",
        reason, stop_reason);
    const Headers headers;
    const Result<std::vector<Event>> whole =
        openai_chat_provider().decode_answer({.headers = &headers, .body = choice}, notes);
    const Decoded streamed = decode({choice, "[DONE]"}, notes);
    EXPECT_TRUE(whole && streamed.error.empty());
    const Finish one = test::fold(*whole).choices[0].finish;
    const Finish other = test::fold(streamed.events).choices[0].finish;
    EXPECT_EQ(one.reason, other.reason);
    EXPECT_EQ(one.stop_sequence, other.stop_sequence);
    return fmt::format("{} {}", to_string(one.reason), one.stop_sequence);
  };
  EXPECT_EQ(finish("stop", R"("END")"), "stop_sequence END");
  EXPECT_EQ(finish("stop", "null"), "end ");
  EXPECT_EQ(finish("stop", "128009"), "end ") << "a token";
  EXPECT_EQ(finish("stop", R"("end_turn")"), "end ") << "a word of the server's";
  EXPECT_EQ(finish("length", R"("END")"), "length ");
}

TEST(OpenAiAnswer, RefusesWhatIsNoAnswer) {
  const Headers headers;
  for (const std::string_view body : {"", "<html>", "[]", "{}", R"({"choices":{}})", R"({"choices":[]})"}) {
    const auto decoded = openai_chat_provider().decode_answer({.headers = &headers, .body = body}, {});
    ASSERT_FALSE(decoded) << body;
    EXPECT_EQ(decoded.error().kind, ErrorKind::upstream_malformed) << body;
  }
  const auto error = openai_chat_provider().decode_answer(
      {.headers = &headers, .body = R"({"error":{"message":"overloaded","type":"overloaded_error"}})"}, {});
  ASSERT_FALSE(error);
  EXPECT_NE(error.error().kind, ErrorKind::upstream_malformed);
}

// Servers between vendors have sent their 200 already when the vendor fails.
TEST(OpenAiAnswer, TakesANumberedCodeForTheStatusThatAGoodAnswerHides) {
  const Headers headers;
  const auto whole = [&](std::string_view body) {
    const auto decoded =
        openai_chat_provider().decode_answer({.status = 200, .headers = &headers, .body = body}, {});
    EXPECT_FALSE(decoded) << body;
    return decoded ? ErrorKind::internal : decoded.error().kind;
  };
  const auto streamed = [](std::string_view code) {
    return decode({fmt::format(R"({{"error":{{"message":"m","code":{}}}}})", code)}).error;
  };
  EXPECT_EQ(whole(R"({"error":{"message":"m","code":429}})"), ErrorKind::upstream_rate_limited);
  EXPECT_EQ(whole(R"({"error":{"message":"m","code":400},"choices":[]})"), ErrorKind::bad_request);
  EXPECT_EQ(streamed("429"), "upstream_rate_limited: m");
  EXPECT_EQ(streamed(R"("503")"), "upstream_overloaded: m");
  EXPECT_EQ(streamed("402"), "upstream_quota: m");
  EXPECT_EQ(streamed("1302"), "upstream_error: m") << "a number of the vendor's own";
  EXPECT_EQ(streamed("200"), "upstream_error: m");
}

// OpenRouter's vendor failed after the answer had begun.
TEST(OpenAiAnswer, FailsWhereAChoiceEndedInAnError) {
  const Headers headers;
  const auto whole = [&](std::string_view choice, std::string_view beside = "") {
    const std::string body = fmt::format(
        R"({{"choices":[{{"message":{{"content":""}},"finish_reason":"error"{}}}]{}}})", choice, beside);
    for (const bool is_raw : {false, true}) {
      CallNotes notes;
      notes.is_raw = is_raw;
      const auto decoded =
          openai_chat_provider().decode_answer({.status = 200, .headers = &headers, .body = body}, notes);
      EXPECT_FALSE(decoded) << body;
      if (is_raw && !decoded)
        return fmt::format("{}: {}", to_string(decoded.error().kind), decoded.error().message);
    }
    return std::string();
  };
  EXPECT_EQ(whole(R"(,"error":{"code":503,"message":"m"})"), "upstream_overloaded: m");
  EXPECT_EQ(whole("", R"(,"error":{"code":429,"message":"m"})"), "upstream_rate_limited: m");
  EXPECT_EQ(whole(""), "upstream_error: the provider ended its answer with an error");
  EXPECT_EQ(decode({R"({"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error",)"
                    R"("error":{"code":503,"message":"m"}}]})"})
                .error,
            "upstream_overloaded: m");
}

TEST(OpenAiErrors, AreReadInEveryFormInUse) {
  Headers headers;
  headers.add("retry-after", "3");
  const auto error = [&](int status, std::string_view body) {
    return openai_chat_provider().decode_error({.status = status, .headers = &headers, .body = body}, 0);
  };
  const Error full =
      error(400, R"({"error":{"message":"bad n","type":"invalid_request_error","param":"n","code":"c"}})");
  EXPECT_EQ(full.kind, ErrorKind::bad_request);
  EXPECT_EQ(full.path, "n");
  EXPECT_EQ(full.code, "c");
  EXPECT_EQ(full.retry_after_ms, 3000);
  EXPECT_EQ(full.upstream_status, 400);
  for (const std::string_view body : {R"({"error":"sorry"})", R"({"message":"sorry"})",
                                      R"({"detail":"sorry"})", R"([{"error":{"message":"sorry"}}])"}) {
    EXPECT_EQ(error(500, body).message, "sorry") << body;
    EXPECT_EQ(error(500, body).kind, ErrorKind::upstream_error) << body;
  }
  EXPECT_EQ(error(502, "<html>bad gateway</html>").kind, ErrorKind::upstream_error);
}

}  // namespace
}  // namespace weir
