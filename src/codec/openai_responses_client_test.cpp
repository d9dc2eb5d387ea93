// Requests of clients of the Responses dialect, as the IR has them.
#include <gtest/gtest.h>

#include "codec/openai_responses_test_util.h"

namespace weir {
namespace {

using test::responses_chat;

template <class Body>
const Body& block(const Chat& chat, size_t message, size_t index) {
  return std::get<Body>(chat.messages.at(message).content.at(index).body);
}

TEST(ResponsesClient, ReadsATextAsTheUsersMessage) {
  const Chat chat = responses_chat(R"("input":"hi","instructions":"be kind")");
  EXPECT_EQ(chat.model, "gpt-5");
  ASSERT_EQ(chat.messages.size(), 2u);
  EXPECT_EQ(chat.messages[0].role, Role::system);
  EXPECT_EQ(block<TextBlock>(chat, 0, 0).text, "be kind");
  EXPECT_EQ(chat.messages[0].content[0].pointer, "/instructions");
  EXPECT_EQ(chat.messages[1].role, Role::user);
  EXPECT_EQ(block<TextBlock>(chat, 1, 0).text, "hi");
}

TEST(ResponsesClient, ReadsEveryKindOfPart) {
  const Chat chat = responses_chat(
      R"("input":[{"role":"developer","content":"rules"},{"type":"message","role":"user","content":[)"
      R"({"type":"input_text","text":"look"},)"
      R"({"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"low"},)"
      R"({"type":"input_image","image_url":"https://x.example/a.jpg","detail":"auto"},)"
      R"({"type":"input_image","file_id":"file-1"},)"
      R"({"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,QUJD"},)"
      R"({"type":"input_file","file_url":"https://x.example/b.pdf"},{"type":"input_hologram","x":1}]}])");
  ASSERT_EQ(chat.messages.size(), 2u);
  EXPECT_EQ(chat.messages[0].role, Role::developer);
  EXPECT_EQ(block<ImageBlock>(chat, 1, 1).media.base64, "AAAA");
  EXPECT_EQ(block<ImageBlock>(chat, 1, 1).media.mime, "image/png");
  EXPECT_EQ(block<ImageBlock>(chat, 1, 1).detail, "low");
  EXPECT_EQ(block<ImageBlock>(chat, 1, 2).media.url, "https://x.example/a.jpg");
  EXPECT_EQ(block<ImageBlock>(chat, 1, 3).media.file_id, "file-1");
  EXPECT_EQ(block<DocumentBlock>(chat, 1, 4).media.base64, "QUJD");
  EXPECT_EQ(block<DocumentBlock>(chat, 1, 4).title, "a.pdf");
  EXPECT_EQ(block<DocumentBlock>(chat, 1, 5).media.url, "https://x.example/b.pdf");
  EXPECT_EQ(block<UnknownBlock>(chat, 1, 6).raw.text, R"({"type":"input_hologram","x":1})");
}

TEST(ResponsesClient, JoinsWhatTheModelSaidInARowIntoOneMessage) {
  const Chat chat = responses_chat(
      R"("input":[{"role":"user","content":"go"},)"
      R"({"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"},)"
      R"({"type":"summary_text","text":"so"}],"encrypted_content":"SEALED"},)"
      R"({"type":"message","role":"assistant","id":"msg_1","status":"completed","content":[)"
      R"({"type":"output_text","text":"I look","annotations":[]},{"type":"refusal","refusal":"not that"}]},)"
      R"({"type":"function_call","id":"fc_1","call_id":"call_1","name":"look","arguments":"{\"a\":1}"},)"
      R"({"type":"custom_tool_call","call_id":"call_2","name":"patch","input":"*** Begin"},)"
      R"({"type":"function_call_output","call_id":"call_1","output":"seen","status":"incomplete"},)"
      R"({"type":"custom_tool_call_output","call_id":"call_2","output":[{"type":"input_text","text":"ok"},)"
      R"({"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"auto"}]}])");
  ASSERT_EQ(chat.messages.size(), 4u);
  EXPECT_EQ(chat.messages[1].role, Role::assistant);
  ASSERT_EQ(chat.messages[1].content.size(), 5u);
  const auto& thinking = block<ThinkingBlock>(chat, 1, 0);
  EXPECT_EQ(thinking.text, "hm\n\nso");
  EXPECT_EQ(thinking.signature, "SEALED");
  EXPECT_EQ(thinking.id, "rs_1");
  EXPECT_EQ(thinking.issuer, Dialect::openai_responses);
  EXPECT_EQ(block<TextBlock>(chat, 1, 1).text, "I look");
  EXPECT_EQ(block<RefusalBlock>(chat, 1, 2).text, "not that");
  EXPECT_EQ(block<ToolCallBlock>(chat, 1, 3).id, "call_1");
  EXPECT_EQ(block<ToolCallBlock>(chat, 1, 3).arguments, R"({"a":1})");
  EXPECT_EQ(block<ToolCallBlock>(chat, 1, 4).kind, ToolKind::custom);
  EXPECT_EQ(block<ToolCallBlock>(chat, 1, 4).arguments, "*** Begin");
  EXPECT_EQ(chat.messages[2].role, Role::tool);
  EXPECT_TRUE(block<ToolResultBlock>(chat, 2, 0).is_error);
  EXPECT_EQ(block<ToolResultBlock>(chat, 3, 0).call_id, "call_2");
  EXPECT_EQ(block<ToolResultBlock>(chat, 3, 0).content.size(), 2u);
}

TEST(ResponsesClient, KeepsItemsThatOnlyItsOwnDialectKnows) {
  const Chat chat =
      responses_chat(R"("input":[{"type":"web_search_call","id":"ws_1","status":"completed"},)"
                     R"({"type":"local_shell_call_output","id":"l","output":"x"},{"id":"msg_7"},)"
                     R"({"type":"item_reference","id":"rs_7"}])");
  ASSERT_EQ(chat.messages.size(), 3u);
  EXPECT_EQ(block<UnknownBlock>(chat, 0, 0).type, "web_search_call");
  EXPECT_EQ(block<UnknownBlock>(chat, 0, 0).raw.text,
            R"({"type":"web_search_call","id":"ws_1","status":"completed"})");
  EXPECT_FALSE(block<UnknownBlock>(chat, 0, 0).is_reference);
  EXPECT_EQ(chat.messages[1].role, Role::tool);
  EXPECT_TRUE(block<UnknownBlock>(chat, 2, 0).is_reference);
  EXPECT_EQ(chat.messages[2].content[0].pointer, "/input/2");
  EXPECT_TRUE(block<UnknownBlock>(chat, 2, 1).is_reference);
}

TEST(ResponsesClient, ReadsToolsOfEveryKind) {
  const Chat chat = responses_chat(
      R"("input":"hi","tools":[{"type":"function","name":"f","description":"d","strict":true,)"
      R"("parameters":{"type":"object"}},{"type":"custom","name":"patch","format":{"type":"grammar",)"
      R"("syntax":"lark","definition":"start: X"}},{"type":"web_search","search_context_size":"low"}],)"
      R"("tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"},)"
      R"({"type":"web_search"}]},"parallel_tool_calls":false)");
  ASSERT_EQ(chat.tools.size(), 3u);
  EXPECT_EQ(chat.tools[0].kind, ToolKind::function);
  EXPECT_EQ(chat.tools[0].schema.text, R"({"type":"object"})");
  EXPECT_EQ(chat.tools[0].strict, true);
  EXPECT_EQ(chat.tools[1].kind, ToolKind::custom);
  EXPECT_EQ(chat.tools[1].grammar_syntax, "lark");
  EXPECT_EQ(chat.tools[1].grammar, "start: X");
  EXPECT_EQ(chat.tools[2].kind, ToolKind::server);
  EXPECT_EQ(chat.tools[2].raw.text, R"({"type":"web_search","search_context_size":"low"})");
  ASSERT_TRUE(chat.tool_choice);
  EXPECT_EQ(chat.tool_choice->mode, ToolChoiceMode::required);
  EXPECT_EQ(chat.tool_choice->allowed, (std::vector<std::string_view>{"f", "web_search"}));
  EXPECT_EQ(chat.parallel_tools, false);
  EXPECT_EQ(responses_chat(R"("input":"hi","tool_choice":{"type":"custom","name":"p"})").tool_choice->name,
            "p");
  EXPECT_EQ(responses_chat(R"("input":"hi","tool_choice":{"type":"file_search"})").tool_choice->name,
            "file_search");
}

TEST(ResponsesClient, ReadsEverySetting) {
  const Chat chat = responses_chat(
      R"("input":"hi","stream":true,"max_output_tokens":99,"temperature":0.5,"top_p":0.9,"top_logprobs":3,)"
      R"("text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true},)"
      R"("verbosity":"low"},"reasoning":{"effort":"high","summary":"auto"},"metadata":{"a":"b","n":1},)"
      R"("include":["reasoning.encrypted_content","message.output_text.logprobs"],"truncation":"disabled",)"
      R"("safety_identifier":"u","service_tier":"flex","prompt_cache_key":"k","store":false,)"
      R"("previous_response_id":"resp_1","background":false,"conversation":null,)"
      R"("stream_options":{"include_obfuscation":false},"max_tool_calls":4)");
  EXPECT_TRUE(chat.is_streamed);
  EXPECT_EQ(chat.max_tokens, 99);
  EXPECT_EQ(chat.temperature, 0.5);
  EXPECT_EQ(chat.top_p, 0.9);
  EXPECT_EQ(chat.top_logprobs, 3);
  EXPECT_EQ(chat.logprobs, true);
  EXPECT_EQ(chat.format.kind, FormatKind::json_schema);
  EXPECT_EQ(chat.format.schema.text, R"({"type":"object"})");
  EXPECT_EQ(chat.verbosity, "low");
  EXPECT_EQ(chat.reasoning.effort, EffortLevel::high);
  EXPECT_EQ(chat.reasoning.display, "auto");
  EXPECT_EQ(chat.metadata.size(), 2u);
  EXPECT_EQ(chat.end_user, "u");
  EXPECT_EQ(chat.service_tier, "flex");
  EXPECT_EQ(chat.prompt_cache_key, "k");
  EXPECT_EQ(chat.is_stored, false);
  EXPECT_EQ(chat.previous_response_id, "resp_1");
  ASSERT_EQ(chat.extras.size(), 1u) << "what Weir understands is no extra";
  EXPECT_EQ(chat.extras[0].key, "max_tool_calls");
}

TEST(ResponsesClient, AcceptsEmptyArraysAndNulls) {
  const Chat chat = responses_chat(
      R"("input":"hi","include":[],"tools":[],"instructions":null,"text":null,"reasoning":null,"tool_choice":null,)"
      R"("metadata":null,"store":null,"previous_response_id":null,"truncation":null)");
  EXPECT_TRUE(chat.tools.empty());
  EXPECT_TRUE(chat.extras.empty());
  EXPECT_FALSE(chat.is_stored);
  EXPECT_EQ(chat.messages.size(), 1u);
}

TEST(ResponsesClient, KeepsForItsOwnDialectWhatTheIrHasNoPlaceFor) {
  const Chat chat = responses_chat(
      R"("input":"hi","include":["web_search_call.action.sources"],"truncation":"auto","prompt":{"id":"p"})");
  ASSERT_EQ(chat.extras.size(), 3u);
  EXPECT_EQ(chat.extras[0].key, "include");
  EXPECT_EQ(chat.extras[1].key, "truncation");
  EXPECT_EQ(chat.extras[2].raw.text, R"({"id":"p"})");
}

TEST(ResponsesClient, NamesTheFieldThatIsWrong) {
  const std::pair<std::string_view, std::string_view> bad[] = {
      {R"({"input":"hi"})", "model"},
      {R"({"model":"m"})", "input"},
      {R"({"model":"m","input":[]})", "input"},
      {R"({"model":"m","input":3})", "input"},
      {R"({"model":"m","input":[{"content":"x"}]})", "input[0].type"},
      {R"({"model":"m","input":[{"role":"user"}]})", "input[0].content"},
      {R"({"model":"m","input":[{"role":"user","content":[{"type":"input_text"}]}]})",
       "input[0].content[0].text"},
      {R"({"model":"m","input":[{"role":"user","content":[{"type":"input_image"}]}]})",
       "input[0].content[0]"},
      {R"({"model":"m","input":[{"role":"user","content":[{"type":"input_file"}]}]})", "input[0].content[0]"},
      {R"({"model":"m","input":[{"role":"user","content":[{"type":"input_file","file_data":"%"}]}]})",
       "input[0].content[0].file_data"},
      {R"({"model":"m","input":[{"type":"function_call","name":"f"}]})", "input[0].call_id"},
      {R"({"model":"m","input":[{"type":"function_call_output","output":"x"}]})", "input[0].call_id"},
      {R"({"model":"m","input":"x","tools":[{"type":"function","function":{"name":"f"}}]})", "tools[0].name"},
      {R"({"model":"m","input":"x","text":{"format":{"type":"json_schema","name":"n"}}})",
       "text.format.schema"},
      {R"({"model":"m","input":"x","max_output_tokens":-1})", "max_output_tokens"},
      {R"({"model":"m","input":"x","background":true})", "background"},
      {R"({"model":"m","input":"x","include":"all"})", "include"},
  };
  for (const auto& [body, path] : bad) {
    const Result<Request> decoded = test::decode_responses(std::string(body));
    ASSERT_FALSE(decoded) << body;
    EXPECT_EQ(decoded.error().kind, ErrorKind::bad_request) << body;
    EXPECT_EQ(decoded.error().path, path) << body;
    EXPECT_FALSE(decoded.error().message.empty());
  }
}

TEST(ResponsesClient, CountsTheTokensOfAnInput) {
  const ClientCodec& codec = openai_responses_input_tokens_client();
  const Result<Request> request = codec.decode_request(
      test::client_call(Dialect::openai_responses, R"({"model":"m","input":"hi","stream":true})"));
  ASSERT_TRUE(request);
  EXPECT_TRUE(std::holds_alternative<CountTokens>(*request));
  EXPECT_FALSE(is_streamed(*request));
  Answer answer;
  answer.usage.in_uncached = 11;
  const ClientReply reply = codec.encode_answer(answer, test::answer_context(*request));
  EXPECT_EQ(reply.body, R"({"object":"response.input_tokens","input_tokens":11})");
}

TEST(ResponsesClient, WritesErrorsWithAllFourKeys) {
  Error error = make_error(ErrorKind::upstream_rate_limited, "slow down", "input");
  error.retry_after_ms = 2500;
  const ClientReply reply = openai_responses_client().encode_error(error, "req_1");
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.headers.get("retry-after"), "3");
  EXPECT_EQ(reply.body, R"({"error":{"message":"slow down","type":"rate_limit_error","param":"input",)"
                        R"("code":"rate_limit_exceeded"}})");
}

TEST(ResponsesClient, JoinsThePartsOfReasoningThatSaySomething) {
  const auto thought = [](std::string_view summary) {
    const Chat chat =
        test::responses_chat(fmt::format(R"("input":[{{"type":"message","role":"user","content":"hi"}},)"
                                         R"({{"type":"reasoning","id":"rs_1","summary":{}}}])",
                                         summary));
    return std::string(std::get<ThinkingBlock>(chat.messages.back().content.back().body).text);
  };
  EXPECT_EQ(thought("[]"), "");
  EXPECT_EQ(thought(R"([{"type":"summary_text","text":"a"}])"), "a");
  EXPECT_EQ(thought(R"([{"type":"summary_text","text":"a"},{"type":"summary_text","text":""}])"), "a");
  EXPECT_EQ(thought(R"([{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"},)"
                    R"({"type":"summary_text","text":"c"}])"),
            "a\n\nb\n\nc");
}

TEST(ResponsesClient, TakesTextForTheFormatThatItIs) {
  const Chat chat = responses_chat(R"("input":"hi","text":{"format":{"type":"text"}})");
  EXPECT_EQ(chat.format.kind, FormatKind::text);
  EXPECT_FALSE(chat.only_raw);
}

TEST(ResponsesClient, KnowsTheUsualWordsForItsChoices) {
  const Chat chat = responses_chat(
      R"("input":"hi","include":null,"stream_options":null,"conversation":null,"tool_choice":"auto","reasoning":{"effort":"high"})");
  EXPECT_EQ(chat.tool_choice->mode, ToolChoiceMode::automatic);
  EXPECT_EQ(chat.reasoning.effort, EffortLevel::high);
  EXPECT_TRUE(chat.extras.empty());
  EXPECT_FALSE(chat.only_raw) << chat.only_raw->message;
}

}  // namespace
}  // namespace weir
