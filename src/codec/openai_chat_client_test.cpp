// Requests of OpenAI's chat dialect into the IR: every field, and every refusal with the path of what is
// wrong.
#include <gtest/gtest.h>

#include "codec/anthropic_test_util.h"

namespace weir {
namespace {

using test::openai_chat;

Result<Request> decode(std::string body) {
  return openai_chat_client().decode_request(test::client_call(Dialect::openai_chat, std::move(body)));
}

// "path | message" of a request that is refused.
std::string refusal(std::string body) {
  const Result<Request> request = decode(std::move(body));
  if (request) return "accepted";
  EXPECT_EQ(request.error().kind, ErrorKind::bad_request);
  EXPECT_FALSE(request.error().message.empty());
  return request.error().path;
}

// A request with one field beside the required ones.
std::string with(std::string_view field) {
  return fmt::format(R"({{"model":"m","messages":[{{"role":"user","content":"hi"}}],{}}})", field);
}

std::string with_message(std::string_view message) {
  return fmt::format(R"({{"model":"m","messages":[{}]}})", message);
}

std::string with_part(std::string_view part) {
  return with_message(fmt::format(R"({{"role":"user","content":[{{"type":"text","text":"a"}},{}]}})", part));
}

template <class T>
const T& block(const Chat& chat, size_t message, size_t at) {
  return std::get<T>(chat.messages.at(message).content.at(at).body);
}

TEST(OpenAiChatClient, ReadsEveryPlainField) {
  const Chat chat = openai_chat(
      with(R"("stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":20,)"
           R"("temperature":0.5,"top_p":0.9,"top_k":3,"frequency_penalty":1,"presence_penalty":-1,"seed":7,)"
           R"("n":2,"logprobs":true,"top_logprobs":4,"stop":["a","b"],"parallel_tool_calls":false,)"
           R"("reasoning_effort":"high","user":"u","service_tier":"flex","metadata":{"k":"v","n":1},)"
           R"("logit_bias":{"5":-100})"));
  EXPECT_EQ(chat.model, "m");
  EXPECT_TRUE(chat.is_streamed);
  EXPECT_TRUE(chat.includes_usage);
  EXPECT_EQ(chat.max_tokens, 20);
  EXPECT_EQ(chat.temperature, 0.5);
  EXPECT_EQ(chat.top_p, 0.9);
  EXPECT_EQ(chat.top_k, 3);
  EXPECT_EQ(chat.frequency_penalty, 1);
  EXPECT_EQ(chat.presence_penalty, -1);
  EXPECT_EQ(chat.seed, 7);
  EXPECT_EQ(chat.choices, 2);
  EXPECT_EQ(chat.logprobs, true);
  EXPECT_EQ(chat.top_logprobs, 4);
  EXPECT_EQ(chat.stop, (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(chat.parallel_tools, false);
  EXPECT_EQ(chat.reasoning.effort, EffortLevel::high);
  EXPECT_EQ(chat.end_user, "u");
  EXPECT_EQ(chat.service_tier, "flex");
  ASSERT_EQ(chat.metadata.size(), 2U);
  EXPECT_EQ(chat.metadata[0].value, "v");
  EXPECT_EQ(chat.metadata[1].value, "1");
  ASSERT_EQ(chat.extras.size(), 1U);
  EXPECT_EQ(chat.extras[0].key, "logit_bias");
  EXPECT_EQ(chat.extras[0].raw.text, R"({"5":-100})");
}

TEST(OpenAiChatClient, TakesNullForAbsent) {
  const Chat chat = openai_chat(with(R"("stream":null,"temperature":null,"stop":null,"tools":null,)"
                                     R"("tool_choice":null,"response_format":null,"stream_options":null)"));
  EXPECT_FALSE(chat.is_streamed);
  EXPECT_FALSE(chat.includes_usage);
  EXPECT_FALSE(chat.temperature);
  EXPECT_TRUE(chat.stop.empty());
  EXPECT_FALSE(chat.tool_choice);
}

TEST(OpenAiChatClient, LetsTheNewerNameOfTheLimitCount) {
  EXPECT_EQ(openai_chat(with(R"("max_completion_tokens":5,"max_tokens":9)")).max_tokens, 5);
  EXPECT_EQ(openai_chat(with(R"("max_tokens":9,"max_completion_tokens":5)")).max_tokens, 5);
  EXPECT_EQ(openai_chat(with(R"("max_tokens":9)")).max_tokens, 9);
}

TEST(OpenAiChatClient, ReadsEveryKindOfPart) {
  const Chat chat = openai_chat(with_message(
      R"({"role":"user","name":"ann","content":[)"
      R"({"type":"text","text":"look","cache_control":{"type":"ephemeral","ttl":"1h"}},)"
      R"({"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw==","detail":"low"}},)"
      R"({"type":"image_url","image_url":{"url":"https://a.example/b.png"}},)"
      R"({"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}},)"
      R"({"type":"file","file":{"file_data":"data:application/pdf;base64,JVBE","filename":"a.pdf"}},)"
      R"({"type":"file","file":{"file_id":"file-1"}},{"type":"new_thing","x":1}]})"));
  EXPECT_EQ(chat.messages[0].name, "ann");
  EXPECT_EQ(block<TextBlock>(chat, 0, 0).text, "look");
  ASSERT_TRUE(chat.messages[0].content[0].cache);
  EXPECT_EQ(chat.messages[0].content[0].cache->ttl, CacheTtl::one_hour);
  EXPECT_EQ(block<ImageBlock>(chat, 0, 1).media.mime, "image/png");
  EXPECT_EQ(block<ImageBlock>(chat, 0, 1).media.base64, "iVBORw==");
  EXPECT_EQ(block<ImageBlock>(chat, 0, 1).detail, "low");
  EXPECT_EQ(block<ImageBlock>(chat, 0, 2).media.url, "https://a.example/b.png");
  EXPECT_EQ(block<AudioBlock>(chat, 0, 3).format, "wav");
  EXPECT_EQ(block<DocumentBlock>(chat, 0, 4).media.mime, "application/pdf");
  EXPECT_EQ(block<DocumentBlock>(chat, 0, 4).title, "a.pdf");
  EXPECT_EQ(block<DocumentBlock>(chat, 0, 5).media.file_id, "file-1");
  EXPECT_EQ(block<UnknownBlock>(chat, 0, 6).raw.text, R"({"type":"new_thing","x":1})");
}

TEST(OpenAiChatClient, ReadsAHistoryOfCallsAndResults) {
  const Chat chat = openai_chat(with_message(
      R"({"role":"developer","content":"be kind"},)"
      R"({"role":"assistant","content":null,"reasoning_content":"hm","refusal":"no","tool_calls":[)"
      R"({"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},)"
      R"({"id":"c2","type":"custom","custom":{"name":"g","input":"raw text"}}]},)"
      R"({"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"one"}]},)"
      R"({"role":"assistant","content":"x","function_call":{"name":"old","arguments":"{}"}},)"
      R"({"role":"function","name":"old","content":"two"})"));
  ASSERT_EQ(chat.messages.size(), 5U);
  EXPECT_EQ(chat.messages[0].role, Role::developer);
  EXPECT_EQ(block<ThinkingBlock>(chat, 1, 0).text, "hm");
  EXPECT_EQ(block<RefusalBlock>(chat, 1, 1).text, "no");
  EXPECT_EQ(block<ToolCallBlock>(chat, 1, 2).arguments, R"({"a":1})");
  EXPECT_EQ(block<ToolCallBlock>(chat, 1, 3).kind, ToolKind::custom);
  EXPECT_EQ(block<ToolCallBlock>(chat, 1, 3).arguments, "raw text");
  EXPECT_EQ(block<ToolResultBlock>(chat, 2, 0).call_id, "c1");
  EXPECT_EQ(block<ToolCallBlock>(chat, 3, 1).id, "old");
  EXPECT_EQ(block<ToolResultBlock>(chat, 4, 0).call_id, "old");
}

TEST(OpenAiChatClient, ReadsSignedThinkingBlocks) {
  const Chat chat = openai_chat(with_message(
      R"({"role":"assistant","content":"x","reasoning_content":"ignored","thinking_blocks":[)"
      R"({"type":"thinking","thinking":"t","signature":"s"},{"type":"redacted_thinking","data":"d"}]})"));
  EXPECT_EQ(block<ThinkingBlock>(chat, 0, 0).signature, "s");
  EXPECT_EQ(block<ThinkingBlock>(chat, 0, 0).issuer, Dialect::anthropic_messages);
  EXPECT_EQ(block<RedactedThinkingBlock>(chat, 0, 1).data, "d");
  EXPECT_EQ(chat.messages[0].content.size(), 3U);
}

TEST(OpenAiChatClient, ReadsToolsChoicesAndFormats) {
  const Chat chat = openai_chat(with(
      R"("tools":[{"type":"function","function":{"name":"f","description":"d","strict":true,)"
      R"("parameters":{"type":"object"}}},{"type":"custom","custom":{"name":"g"}},{"type":"web_search"}],)"
      R"("tool_choice":{"type":"function","function":{"name":"f"}},)"
      R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},)"
      R"("strict":true}})"));
  ASSERT_EQ(chat.tools.size(), 3U);
  EXPECT_EQ(chat.tools[0].schema.text, R"({"type":"object"})");
  EXPECT_EQ(chat.tools[0].strict, true);
  EXPECT_EQ(chat.tools[1].kind, ToolKind::custom);
  EXPECT_EQ(chat.tools[2].kind, ToolKind::server);
  EXPECT_EQ(chat.tool_choice->mode, ToolChoiceMode::named);
  EXPECT_EQ(chat.tool_choice->name, "f");
  EXPECT_EQ(chat.format.kind, FormatKind::json_schema);
  EXPECT_EQ(chat.format.schema.text, R"({"type":"object"})");
  const Chat allowed =
      openai_chat(with(R"("tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[)"
                       R"({"type":"function","function":{"name":"f"}}]}})"));
  EXPECT_EQ(allowed.tool_choice->mode, ToolChoiceMode::required);
  EXPECT_EQ(allowed.tool_choice->allowed, std::vector<std::string_view>{"f"});
  const Chat automatic = openai_chat(with(R"("tool_choice":"auto")"));
  EXPECT_EQ(automatic.tool_choice->mode, ToolChoiceMode::automatic);
  EXPECT_FALSE(automatic.only_raw);
  const Chat low = openai_chat(with(R"("reasoning_effort":"low")"));
  EXPECT_EQ(low.reasoning.effort, EffortLevel::low);
  EXPECT_FALSE(low.only_raw);
  const Chat old = openai_chat(with(R"("functions":[{"name":"f"}],"function_call":{"name":"f"})"));
  EXPECT_EQ(old.tools.at(0).name, "f");
  EXPECT_EQ(old.tool_choice->name, "f");
}

TEST(OpenAiChatClient, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(refusal(R"({"messages":[{"role":"user","content":"a"}]})"), "model");
  EXPECT_EQ(refusal(R"({"model":"m"})"), "messages");
  EXPECT_EQ(refusal(R"({"model":"m","messages":[]})"), "messages");
  EXPECT_EQ(refusal(R"({"model":"m","messages":"hi"})"), "messages");
  EXPECT_EQ(refusal(R"({"model":5,"messages":[]})"), "model");
  for (const std::string_view field : {"temperature",
                                       "top_p",
                                       "top_k",
                                       "seed",
                                       "n",
                                       "max_tokens",
                                       "max_completion_tokens",
                                       "stream",
                                       "user",
                                       "logprobs",
                                       "top_logprobs",
                                       "frequency_penalty",
                                       "presence_penalty",
                                       "stop",
                                       "tools",
                                       "metadata",
                                       "parallel_tool_calls",
                                       "response_format",
                                       "stream_options",
                                       "functions",
                                       "reasoning_effort"}) {
    const bool takes_arrays = field == "stop" || field == "tools" || field == "functions";
    EXPECT_EQ(refusal(with(fmt::format(R"("{}":{})", field, takes_arrays ? "{}" : "[1]"))), field);
  }
  EXPECT_EQ(refusal(with(R"("max_tokens":-1)")), "max_tokens");
  EXPECT_EQ(refusal(with(R"("n":0)")), "n");
  EXPECT_EQ(refusal(with(R"("seed":1.5)")), "seed");
  EXPECT_EQ(refusal(with(R"("stop":["a",1])")), "stop[1]");
  EXPECT_EQ(refusal(with(R"("tool_choice":{"type":"function","function":{}})")), "tool_choice.function.name");
  EXPECT_EQ(refusal(with(R"("response_format":{"type":"json_schema"})")), "response_format.json_schema");
  EXPECT_EQ(refusal(with(R"("tools":[{"type":"function","function":{}}])")), "tools[0].function.name");
  EXPECT_EQ(refusal(with(R"("tools":[{"type":"function","function":{"name":"f","parameters":1}}])")),
            "tools[0].function.parameters");
}

TEST(OpenAiChatClient, NamesTheMessageAndThePartThatAreWrong) {
  EXPECT_EQ(refusal(with_message("1")), "messages[0]");
  EXPECT_EQ(refusal(with_message(R"({"content":"a"})")), "messages[0].role");
  EXPECT_EQ(refusal(with_message(R"({"role":"user"})")), "messages[0].content");
  EXPECT_EQ(refusal(with_message(R"({"role":"user","content":5})")), "messages[0].content");
  EXPECT_EQ(refusal(with_message(R"({"role":"tool","content":"a"})")), "messages[0].tool_call_id");
  EXPECT_EQ(refusal(with_message(R"({"role":"assistant","tool_calls":[{"id":"a"}]})")),
            "messages[0].tool_calls[0]");
  EXPECT_EQ(refusal(with_part("5")), "messages[0].content[1]");
  EXPECT_EQ(refusal(with_part("{}")), "messages[0].content[1].type");
  EXPECT_EQ(refusal(with_part(R"({"type":"text"})")), "messages[0].content[1].text");
  EXPECT_EQ(refusal(with_part(R"({"type":"image_url"})")), "messages[0].content[1].image_url");
  EXPECT_EQ(refusal(with_part(R"({"type":"image_url","image_url":{"url":5}})")),
            "messages[0].content[1].image_url.url");
  EXPECT_EQ(refusal(with_part(R"({"type":"input_audio","input_audio":"x"})")),
            "messages[0].content[1].input_audio");
  EXPECT_EQ(refusal(with_part(R"({"type":"file","file":{}})")), "messages[0].content[1].file");
}

TEST(OpenAiChatClient, RefusesWhatIsNotBase64) {
  const auto image = [](std::string_view data) {
    return refusal(with_part(
        fmt::format(R"({{"type":"image_url","image_url":{{"url":"data:image/png;base64,{}"}}}})", data)));
  };
  for (const std::string_view good : {"AAAA", "AA==", "AAA=", "AA", "az09AZ+/"}) {
    EXPECT_EQ(image(good), "accepted") << good;
  }
  for (const std::string_view bad :
       {"", "A", "@@", "AA=A", "A===", "AAA==", "AA A", "AA\\nAA", "a-_b", "\u00e9A"}) {
    EXPECT_EQ(image(bad), "messages[0].content[1].image_url") << bad;
  }
  EXPECT_EQ(refusal(with_part(R"({"type":"input_audio","input_audio":{"data":"@@","format":"wav"}})")),
            "messages[0].content[1].input_audio.data");
  EXPECT_EQ(refusal(with_part(R"({"type":"file","file":{"file_data":"@@"}})")),
            "messages[0].content[1].file.file_data");
  EXPECT_EQ(refusal(with_part(R"({"type":"file","file":{"file_data":"data:application/pdf;base64,@@"}})")),
            "messages[0].content[1].file.file_data");
}

TEST(OpenAiCompletionsClient, TurnsAPromptIntoOneUserMessage) {
  const auto completion = [](std::string_view fields) {
    return openai_completions_client().decode_request(
        test::client_call(Dialect::openai_chat, fmt::format("{{{}}}", fields)));
  };
  const Result<Request> request =
      completion(R"("model":"m","prompt":["once"],"stop":"x","echo":true,"max_tokens":4)");
  ASSERT_TRUE(request);
  const Chat& chat = std::get<Chat>(*request);
  EXPECT_TRUE(chat.is_text_completion);
  EXPECT_TRUE(chat.echoes_prompt);
  EXPECT_EQ(block<TextBlock>(chat, 0, 0).text, "once");
  EXPECT_EQ(operation_of(*request), Operation::text_completion);
  EXPECT_EQ(completion(R"("model":"m")").error().path, "prompt");
  EXPECT_EQ(completion(R"("prompt":"a")").error().path, "model");
}

TEST(OpenAiEmbeddingsClient, ReadsTextsOrTokens) {
  const auto embeddings = [](std::string_view fields) {
    return openai_embeddings_client().decode_request(
        test::client_call(Dialect::openai_chat, fmt::format("{{{}}}", fields)));
  };
  const Result<Request> texts =
      embeddings(R"("model":"m","input":["a","b"],"encoding_format":"base64","dimensions":8,"x":1)");
  ASSERT_TRUE(texts);
  EXPECT_EQ(std::get<Embed>(*texts).inputs, (std::vector<std::string_view>{"a", "b"}));
  EXPECT_TRUE(std::get<Embed>(*texts).wants_base64);
  EXPECT_EQ(std::get<Embed>(*texts).dimensions, 8);
  EXPECT_EQ(std::get<Embed>(*texts).extras.at(0).key, "x");
  const Result<Request> tokens = embeddings(R"("model":"m","input":[[1,2],[3]])");
  ASSERT_TRUE(tokens);
  EXPECT_EQ(std::get<Embed>(*tokens).token_inputs, (std::vector<std::vector<int64_t>>{{1, 2}, {3}}));
  for (const std::string_view input : {"5", "[]", "{}", R"(["a",[1]])", "null"}) {
    const Result<Request> refused = embeddings(fmt::format(R"("model":"m","input":{})", input));
    EXPECT_FALSE(refused) << input;
    if (!refused) EXPECT_EQ(refused.error().path.substr(0, 5), "input");
  }
  EXPECT_EQ(embeddings(R"("model":"m","input":"a","encoding_format":"int8")").error().path,
            "encoding_format");
}

}  // namespace
}  // namespace weir
