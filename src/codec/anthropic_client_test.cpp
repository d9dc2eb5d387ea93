#include <gtest/gtest.h>

#include "codec/anthropic_test_util.h"

namespace weir {
namespace {

using test::decode_messages;
using test::messages_chat;

template <class T>
const T& body_at(const Chat& chat, size_t message, size_t block) {
  return std::get<T>(chat.messages.at(message).content.at(block).body);
}

// What a broken request is told.
std::string refusal(std::string body) {
  const Result<Request> request = decode_messages(std::move(body));
  return request ? "accepted" : request.error().path + ": " + request.error().message;
}

TEST(AnthropicClient, ReadsAPlainRequest) {
  const Chat chat = messages_chat(
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi \u00e4"}],"temperature":0.5,)"
      R"("top_p":0.9,"top_k":5,"stop_sequences":["x"],"stream":true,"metadata":{"user_id":"u"},)"
      R"("service_tier":"auto"})");
  EXPECT_EQ(chat.model, "m");
  EXPECT_EQ(chat.max_tokens, 9);
  EXPECT_EQ(body_at<TextBlock>(chat, 0, 0).text, "Hi ä");
  EXPECT_EQ(chat.temperature, 0.5);
  EXPECT_EQ(chat.top_p, 0.9);
  EXPECT_EQ(chat.top_k, 5);
  EXPECT_EQ(chat.stop, std::vector<std::string_view>{"x"});
  EXPECT_TRUE(chat.is_streamed);
  EXPECT_TRUE(chat.includes_usage);
  EXPECT_EQ(chat.end_user, "u");
  EXPECT_EQ(chat.service_tier, "auto");
  EXPECT_TRUE(chat.extras.empty());
}

TEST(AnthropicClient, PutsTheSystemFieldFirstAndKeepsSystemMessagesInTheirPlace) {
  const Chat chat = messages_chat(
      R"({"messages":[{"role":"user","content":"a"},{"role":"system","content":"later"}],"model":"m",)"
      R"("max_tokens":1,"system":[{"type":"text","text":"one","cache_control":{"type":"ephemeral","ttl":"1h"}},)"
      R"({"type":"text","text":"two"}]})");
  ASSERT_EQ(chat.messages.size(), 3u);
  EXPECT_EQ(chat.messages[0].role, Role::system);
  EXPECT_EQ(body_at<TextBlock>(chat, 0, 1).text, "two");
  ASSERT_TRUE(chat.messages[0].content[0].cache);
  EXPECT_EQ(chat.messages[0].content[0].cache->ttl, CacheTtl::one_hour);
  EXPECT_EQ(chat.messages[1].role, Role::user);
  EXPECT_EQ(chat.messages[2].role, Role::system);
}

TEST(AnthropicClient, ReadsEveryKindOfBlock) {
  const Chat chat = messages_chat(R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":[
      {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},
      {"type":"image","source":{"type":"url","url":"https://x/y.png"}},
      {"type":"image","source":{"type":"file","file_id":"file_1"}},
      {"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"},"title":"T",
       "context":"C","citations":{"enabled":true}},
      {"type":"document","source":{"type":"text","media_type":"text/plain","data":"words"}},
      {"type":"document","source":{"type":"url","url":"https://x/y.pdf"}},
      {"type":"document","source":{"type":"content","content":"c"}},
      {"type":"search_result","source":"s","title":"t","content":[]}]},
    {"role":"assistant","content":[
      {"type":"thinking","thinking":"hm","signature":"sig"},
      {"type":"redacted_thinking","data":"enc"},
      {"type":"tool_use","id":"toolu_1","name":"f","input":{"a": 1.0}},
      {"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}]},
    {"role":"user","content":[
      {"type":"tool_result","tool_use_id":"toolu_1","is_error":true,"content":[{"type":"text","text":"bad"},
       {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]},
      {"type":"tool_result","tool_use_id":"toolu_2","content":"ok"},
      {"type":"tool_result","tool_use_id":"toolu_3"}]}]})");
  EXPECT_EQ(body_at<ImageBlock>(chat, 0, 0).media.base64, "AAAA");
  EXPECT_EQ(body_at<ImageBlock>(chat, 0, 1).media.url, "https://x/y.png");
  EXPECT_EQ(body_at<ImageBlock>(chat, 0, 2).media.file_id, "file_1");
  const auto& document = body_at<DocumentBlock>(chat, 0, 3);
  EXPECT_EQ(document.media.mime, "application/pdf");
  EXPECT_EQ(document.title, "T");
  EXPECT_EQ(document.context, "C");
  EXPECT_TRUE(document.wants_citations);
  EXPECT_EQ(body_at<DocumentBlock>(chat, 0, 4).text, "words");
  EXPECT_EQ(body_at<DocumentBlock>(chat, 0, 5).media.url, "https://x/y.pdf");
  EXPECT_EQ(body_at<DocumentBlock>(chat, 0, 6).parts, std::vector<std::string_view>{"c"});
  EXPECT_EQ(body_at<UnknownBlock>(chat, 0, 7).raw.text,
            R"({"type":"search_result","source":"s","title":"t","content":[]})");
  EXPECT_EQ(body_at<ThinkingBlock>(chat, 1, 0).signature, "sig");
  EXPECT_EQ(body_at<ThinkingBlock>(chat, 1, 0).issuer, Dialect::anthropic_messages);
  EXPECT_EQ(body_at<RedactedThinkingBlock>(chat, 1, 1).data, "enc");
  EXPECT_EQ(body_at<ToolCallBlock>(chat, 1, 2).arguments, R"({"a": 1.0})");
  EXPECT_EQ(body_at<UnknownBlock>(chat, 1, 3).type, "server_tool_use");
  EXPECT_TRUE(body_at<ToolResultBlock>(chat, 2, 0).is_error);
  EXPECT_EQ(body_at<ToolResultBlock>(chat, 2, 0).content.size(), 2u);
  EXPECT_EQ(std::get<TextBlock>(body_at<ToolResultBlock>(chat, 2, 1).content[0].body).text, "ok");
  EXPECT_TRUE(body_at<ToolResultBlock>(chat, 2, 2).content.empty());
}

TEST(AnthropicClient, ReadsToolsAndTheirChoice) {
  const Chat chat =
      messages_chat(R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"a"}],"tools":[
      {"name":"f","description":"d","input_schema":{"type":"object"},"strict":true,
       "cache_control":{"type":"ephemeral"}},
      {"type":"custom","name":"g","input_schema":{"type":"object"}},
      {"type":"web_search_20250305","name":"web_search","max_uses":3}],
    "tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true}})");
  ASSERT_EQ(chat.tools.size(), 3u);
  EXPECT_EQ(chat.tools[0].kind, ToolKind::function);
  EXPECT_EQ(chat.tools[0].schema.text, R"({"type":"object"})");
  EXPECT_EQ(chat.tools[0].strict, true);
  ASSERT_TRUE(chat.tools[0].cache);
  EXPECT_FALSE(chat.tools[0].cache->states_ttl);
  EXPECT_EQ(chat.tools[1].kind, ToolKind::function);
  EXPECT_EQ(chat.tools[2].kind, ToolKind::server);
  EXPECT_EQ(chat.tools[2].type, "web_search_20250305");
  ASSERT_TRUE(chat.tool_choice);
  EXPECT_EQ(chat.tool_choice->mode, ToolChoiceMode::named);
  EXPECT_EQ(chat.tool_choice->name, "f");
  EXPECT_EQ(chat.parallel_tools, false);
}

TEST(AnthropicClient, ReadsThinkingEffortAndFormat) {
  const Chat chat = messages_chat(
      R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"a"}],)"
      R"("thinking":{"type":"enabled","budget_tokens":2000,"display":"omitted"},)"
      R"("output_config":{"effort":"max","format":{"type":"json_schema","schema":{"a":1}},"task_budget":{"n":2}}})");
  EXPECT_EQ(chat.reasoning.budget_tokens, 2000);
  EXPECT_EQ(chat.reasoning.display, "omitted");
  EXPECT_EQ(chat.reasoning.effort, EffortLevel::max);
  EXPECT_EQ(chat.format.kind, FormatKind::json_schema);
  EXPECT_EQ(chat.format.schema.text, R"({"a":1})");
  ASSERT_EQ(chat.extras.size(), 1u);
  EXPECT_EQ(chat.extras[0].key, "output_config.task_budget");
  EXPECT_TRUE(messages_chat(R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"a"}],)"
                            R"("thinking":{"type":"adaptive"}})")
                  .reasoning.is_adaptive);
}

TEST(AnthropicClient, KeepsUnknownFieldsAndBetasAsExtras) {
  const Result<Request> request =
      decode_messages(R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"a"}],)"
                      R"("mcp_servers":[{"url":"u"}],"container":"c"})",
                      {{"anthropic-beta", "a-1"}, {"Anthropic-Beta", "b-2"}});
  ASSERT_TRUE(request);
  const auto& extras = std::get<Chat>(*request).extras;
  ASSERT_EQ(extras.size(), 3u);
  EXPECT_EQ(extras[0].key, "mcp_servers");
  EXPECT_EQ(extras[0].raw.text, R"([{"url":"u"}])");
  EXPECT_EQ(extras[1].key, "container");
  EXPECT_EQ(extras[2].raw.text, R"("a-1,b-2")");
}

TEST(AnthropicClient, NamesTheFieldThatIsWrong) {
  const std::string rest = R"("messages":[{"role":"user","content":"a"}]})";
  EXPECT_EQ(refusal(R"({"model":"m",)" + rest).substr(0, 11), "max_tokens:");
  EXPECT_EQ(refusal(R"({"max_tokens":1,)" + rest).substr(0, 6), "model:");
  EXPECT_EQ(refusal(R"({"model":"m","max_tokens":-1,)" + rest).substr(0, 11), "max_tokens:");
  EXPECT_EQ(refusal(R"({"model":"m","max_tokens":"9",)" + rest).substr(0, 11), "max_tokens:");
  EXPECT_EQ(refusal(R"({"model":"m","max_tokens":1})").substr(0, 9), "messages:");
  EXPECT_EQ(refusal(R"({"model":"m","max_tokens":1,"messages":[]})").substr(0, 9), "messages:");
  const auto at = [](std::string_view message) {
    std::string said = refusal(R"({"model":"m","max_tokens":1,"messages":[)" + std::string(message) + "]}");
    return said.substr(0, said.find(": "));
  };
  EXPECT_EQ(at(R"({"role":"user"})"), "messages[0].content");
  EXPECT_EQ(at(R"({"role":"user","content":[{"text":"a"}]})"), "messages[0].content[0].type");
  EXPECT_EQ(at(R"({"role":"user","content":[{"type":"text","text":7}]})"), "messages[0].content[0].text");
  EXPECT_EQ(at(R"({"role":"user","content":[{"type":"image"}]})"), "messages[0].content[0].source");
  EXPECT_EQ(at(R"({"role":"assistant","content":[{"type":"tool_use","id":"a","name":"b","input":"{}"}]})"),
            "messages[0].content[0].input");
  EXPECT_EQ(at(R"({"role":"user","content":[{"type":"tool_result","content":"x"}]})"),
            "messages[0].content[0].tool_use_id");
}

TEST(AnthropicClient, RefusesAThreadWithTheCodeThatMakesTheSdkSendItsHistory) {
  const Result<Request> request = decode_messages(
      R"({"model":"m","max_tokens":1,"thread":{"id":"t"},"messages":[{"role":"user","content":"a"}]})");
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().code, "thread_unsupported_request");
  const ClientReply reply = anthropic_messages_client().encode_error(request.error(), "req_1");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.headers.get_or("request-id", ""), "req_1");
  EXPECT_EQ(reply.body, R"({"type":"error","error":{"type":"invalid_request_error","message":)"
                        R"("thread is not supported here: send the whole history in messages",)"
                        R"("details":{"error_code":"thread_unsupported_request"}},"request_id":"req_1"})");
}

TEST(AnthropicClient, CountsTokensWithoutMaxTokens) {
  const Result<Request> request = anthropic_count_tokens_client().decode_request(test::client_call(
      Dialect::anthropic_messages, R"({"model":"m","messages":[{"role":"user","content":"a"}]})"));
  ASSERT_TRUE(request);
  EXPECT_EQ(std::get<CountTokens>(*request).chat.messages.size(), 1u);
  Answer answer;
  answer.usage.in_uncached = 14;
  EXPECT_EQ(anthropic_count_tokens_client().encode_answer(answer, test::answer_context(*request)).body,
            R"({"input_tokens":14})");
}

TEST(AnthropicClient, WantsASchemaThatIsAnObject) {
  for (const std::string_view schema : {"", R"(,"schema":5)", R"(,"schema":[])", R"(,"schema":null)"}) {
    const auto request = test::decode_messages(
        fmt::format(R"({{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"hi"}}],)"
                    R"("output_config":{{"format":{{"type":"json_schema"{}}}}}}})",
                    schema));
    ASSERT_FALSE(request) << schema;
    EXPECT_EQ(request.error().kind, ErrorKind::bad_request);
    EXPECT_TRUE(request.error().path.starts_with("output_config.format")) << request.error().path;
  }
}

}  // namespace
}  // namespace weir
