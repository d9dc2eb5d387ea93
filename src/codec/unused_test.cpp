#include "codec/unused.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "codec/codecs.h"

namespace weir {
namespace {

// A chat that states all that not every dialect has.
Chat full_chat() {
  Chat chat;
  chat.model = "m";
  chat.max_tokens = 100;
  chat.messages.push_back({.role = Role::user, .content = {}});
  chat.messages[0].content.push_back({.body = TextBlock{"x"}, .cache = {}, .pointer = {}});
  chat.stop = {"END"};
  chat.top_k = 4;
  chat.frequency_penalty = 0.5;
  chat.presence_penalty = 0.5;
  chat.seed = 7;
  chat.logprobs = true;
  chat.verbosity = "low";
  chat.end_user = "u";
  chat.service_tier = "scale";
  chat.prompt_cache_key = "k";
  chat.metadata = {{.key = "a", .value = "b"}};
  chat.reasoning.effort = EffortLevel::low;
  return chat;
}

TEST(Unused, ReportsWhatIsStatedAndNotTaken) {
  Fidelity fidelity;
  report_unused(full_chat(), {ChatField::stop, ChatField::top_k, ChatField::reasoning}, fidelity);
  EXPECT_EQ(fidelity.header_value(),
            "dropped;/frequency_penalty;0.5>, dropped;/presence_penalty;0.5>, dropped;/seed;7>, "
            "dropped;/logprobs, dropped;/verbosity;low>, dropped;/user, dropped;/service_tier;scale>, "
            "dropped;/prompt_cache_key, dropped;/metadata");
  Fidelity nothing;
  Chat usual;
  usual.service_tier = "auto";
  usual.frequency_penalty = 0;
  usual.reasoning.is_disabled = true;
  report_unused(usual, {}, nothing);
  EXPECT_TRUE(nothing.empty());
}

// Each of these fields is in the request that is sent, or in the report.
TEST(Unused, NoDialectLosesAFieldInSilence) {
  struct Target {
    Dialect dialect;
    std::string_view model;
    std::vector<std::string_view> sent;  // names of fields in the body
  };
  const std::vector<Target> targets = {
      {Dialect::anthropic_messages, "claude", {}},
      {Dialect::bedrock_converse, "amazon.nova-lite-v1:0", {}},
      {Dialect::bedrock_converse, "meta.llama3-8b-instruct-v1:0", {}},
      {Dialect::bedrock_invoke, "meta.llama3-8b-instruct-v1:0", {}},
      {Dialect::bedrock_invoke, "mistral.mistral-large-2407-v1:0", {}},
      {Dialect::bedrock_invoke, "amazon.titan-text-express-v1", {}},
      {Dialect::gemini, "gemini-x", {}},
  };
  const Capabilities plain;
  for (const Target& target : targets) {
    const auto call = provider_codec(target.dialect)
                          .encode_request(full_chat(), {.model = target.model, .capabilities = &plain});
    ASSERT_TRUE(call) << target.model;
    std::vector<std::string> reported;
    for (const FidelityRecord& record : call->notes.fidelity.records()) reported.push_back(record.pointer);
    for (const std::string_view field : {"/verbosity", "/prompt_cache_key"})
      EXPECT_EQ(std::count(reported.begin(), reported.end(), field), 1) << target.model << ' ' << field;
    EXPECT_EQ(std::count(reported.begin(), reported.end(), "/service_tier"), 1) << target.model;
  }
}

}  // namespace
}  // namespace weir
