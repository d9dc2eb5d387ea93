// A decoded request is views into the client's body: it holds the body for as long as it lives.
#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"
#include "codec/gemini_test_util.h"
#include "codec/openai.h"
#include "codec/openai_opaque.h"
#include "codec/openai_responses.h"
#include "codec/rerank.h"

namespace weir {
namespace {

struct Case {
  const ClientCodec& codec;
  std::string body;
};

TEST(DecodedRequests, HoldTheBodyThatTheyAreViewsOf) {
  const std::string messages = R"("messages":[{"role":"user","content":"a"}])";
  const std::string contents = R"("contents":[{"parts":[{"text":"a"}]}])";
  const std::string blocks = R"("messages":[{"role":"user","content":[{"text":"a"}]}])";
  const std::vector<Case> cases = {
      {openai_chat_client(), R"({"model":"m",)" + messages + "}"},
      {openai_completions_client(), R"({"model":"m","prompt":"a"})"},
      {openai_embeddings_client(), R"({"model":"m","input":"a"})"},
      {rerank_client(), R"({"model":"m","query":"q","documents":["a"]})"},
      {opaque_client(OpaqueTask::moderation), R"({"model":"m","input":"a"})"},
      {openai_responses_client(), R"({"model":"m","input":"a"})"},
      {openai_responses_input_tokens_client(), R"({"model":"m","input":"a"})"},
      {anthropic_messages_client(), R"({"model":"m","max_tokens":1,)" + messages + "}"},
      {anthropic_count_tokens_client(), R"({"model":"m",)" + messages + "}"},
      {bedrock_converse_client(), "{" + blocks + "}"},
      {bedrock_invoke_client(), R"({"max_tokens":1,)" + messages + "}"},
      {bedrock_count_tokens_client(), R"({"input":{"converse":{)" + blocks + "}}}"},
      {gemini_generate_client(), "{" + contents + "}"},
      {gemini_stream_client(), "{" + contents + "}"},
      {gemini_count_tokens_client(), "{" + contents + "}"},
      {gemini_embed_client(), R"({"content":{"parts":[{"text":"a"}]}})"},
      {gemini_batch_embed_client(), R"({"requests":[{"content":{"parts":[{"text":"a"}]}}]})"}};
  for (const Case& one : cases) {
    std::weak_ptr<const JsonDoc> body;
    const Result<Request> request = [&] {
      ClientCall call = test::model_call(one.codec, one.body, "m");
      body = call.body;
      return one.codec.decode_request(call);
    }();
    ASSERT_TRUE(request) << one.body << request.error().message;
    EXPECT_FALSE(body.expired()) << one.body;
  }
}

}  // namespace
}  // namespace weir
