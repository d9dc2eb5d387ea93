// The policies of a route, from the client's bytes to the provider's.
#include "gateway/route_policies.h"

#include <gtest/gtest.h>
#include <thread>

#include "base/metrics.h"
#include "codec/codecs.h"
#include "codec/end_user.h"
#include "gateway/adapt_stage.h"
#include "gateway/call_stage.h"
#include "gateway/test_scripted_target.h"
#include "provider/test_credentials.h"

namespace weir {
namespace {

struct Outcome {
  std::string sent;  // empty: nothing
  std::string fidelity;
  std::string error;  // "kind path: message"; empty: an answer
  bool is_raw = false;
};

std::string answer_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::anthropic_messages:
    case Dialect::bedrock_invoke:
      return R"({"id":"m1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],)"
             R"("stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}})";
    case Dialect::gemini:
      return R"({"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP"}]})";
    case Dialect::openai_chat:
    case Dialect::openai_responses:
    case Dialect::bedrock_converse:
      break;
  }
  return R"({"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,)"
         R"("finish_reason":"stop","message":{"role":"assistant","content":"hello"}}]})";
}

class RoutePolicies : public testing::Test {
 protected:
  RoutePolicies() {
    gateway_.provider->kind.auth = AuthScheme::none;
    gateway_.provider->kind.needs_key = false;
    gateway_.provider->keys = std::make_shared<KeyRing>(std::vector<ProviderKey>{});
    gateway_.snapshot->user_key = std::make_shared<const Secret>("key");
    server_.answer = [this](const test::SeenRequest&) {
      return test::FakeReply{.body = answer_of(gateway_.provider->kind.dialect)};
    };
  }

  // What comes of a client's body at a target.
  Outcome call(Dialect client, std::string body, Dialect target) {
    server_.seen.clear();
    gateway_.provider->kind.dialect = target;
    gateway_.provider->codec = &provider_codec(target);
    const std::unique_ptr<Exchange> exchange = gateway_.exchange(Chat{});
    exchange->client_codec = &chat_client_codec(client, false);
    exchange->call.dialect = client;
    exchange->call.path_model = "m";
    exchange->call.body = std::make_shared<const JsonDoc>(JsonDoc::parse(std::move(body)).value());
    exchange->request = exchange->client_codec->decode_request(exchange->call).value();
    exchange->is_strict = is_strict_;
    const Result<std::vector<Event>> events = run_to_end(*exchange);
    Outcome outcome;
    if (!server_.seen.empty()) outcome.sent = server_.seen.back().body;
    outcome.fidelity = exchange->fidelity.header_value();
    if (!events) {
      const Error& error = events.error();
      outcome.error = std::string(to_string(error.kind)) + " " + error.path + ": " + error.message;
    }
    outcome.is_raw = exchange->is_raw;
    return outcome;
  }

  TranslationSettings& policy() { return gateway_.route.translation; }

  bool is_strict_ = false;
  test::FakeServer server_;
  Pool cpu_{"cpu", 1, 8};
  TestGateway gateway_{nullptr};

 private:
  // A pool may be at work: its thread takes real time.
  Result<std::vector<Event>> run_to_end(Exchange& exchange) {
    std::optional<Result<std::vector<Event>>> result;
    Scope scope(gateway_.test.core);
    scope.spawn(keep(run(exchange), result));
    while (!result) {
      if (!gateway_.test.core.poll()) std::this_thread::yield();
    }
    return *std::move(result);
  }

  static Task<void> keep(Task<std::vector<Event>> task, std::optional<Result<std::vector<Event>>>& result) {
    result = co_await std::move(task);
    co_return {};
  }

  Task<std::vector<Event>> run(Exchange& exchange) {
    std::unique_ptr<EventSource> source = CO_TRY(co_await pipeline_.run(exchange));
    std::vector<Event> all;
    for (;;) {
      const EventBatch* batch = CO_TRY(co_await source->next(*exchange.scope));
      all.insert(all.end(), batch->events.begin(), batch->events.end());
      if (batch->is_raw || (!all.empty() && std::holds_alternative<End>(all.back()))) co_return all;
    }
  }

  std::vector<std::unique_ptr<Stage>> stages() {
    std::vector<std::unique_ptr<Stage>> made;
    made.push_back(std::make_unique<AdaptStage>(
        AdaptParts{.media = {.client = [this]() -> HttpClient& { return server_; },
                             .cpu = &cpu_,
                             .fetches = fetch_counter(metrics_)}}));
    made.push_back(std::make_unique<CallStage>(server_, fetcher_, cpu_));
    return made;
  }

  MetricsRegistry metrics_;
  CredentialFetcher fetcher_{gateway_.test.core, server_, cpu_};
  Pipeline pipeline_{stages()};
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

constexpr std::string_view kOpenCall =
    R"({"model":"m","messages":[{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[)"
    R"({"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"user","content":"well?"}]})";

TEST_F(RoutePolicies, AMissingResultIsAnErrorThatNamesTheCallsUnlessItIsRepaired) {
  const std::string body(kOpenCall);
  EXPECT_TRUE(call(Dialect::openai_chat, body, Dialect::anthropic_messages)
                  .error.starts_with("bad_request messages: the tool calls c1 have no result"));
  const std::string gemini =
      R"({"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"functionCall":{"id":"c1",)"
      R"("name":"f","args":{}}}]},{"role":"user","parts":[{"text":"well?"}]}]})";
  EXPECT_TRUE(
      call(Dialect::gemini, gemini, Dialect::anthropic_messages).error.starts_with("bad_request contents:"))
      << "in the words of the caller's dialect";
  EXPECT_TRUE(server_.seen.empty());

  policy().missing_results = "repair";
  const Outcome repaired = call(Dialect::openai_chat, body, Dialect::anthropic_messages);
  EXPECT_EQ(repaired.error, "");
  EXPECT_TRUE(has(repaired.sent, "tool call was not completed")) << repaired.sent;
  EXPECT_TRUE(has(repaired.fidelity, "synthesised;/messages/1;no_result_of_c1")) << repaired.fidelity;
  is_strict_ = true;
  EXPECT_TRUE(call(Dialect::openai_chat, body, Dialect::anthropic_messages).error.starts_with("unsupported"));
}

// The provider of the caller's own dialect would refuse it too, so that it cannot pass as it is.
TEST_F(RoutePolicies, ARepairClosesTheRawWayAndNothingElseDoes) {
  EXPECT_TRUE(call(Dialect::openai_chat, std::string(kOpenCall), Dialect::openai_chat).is_raw);
  policy().missing_results = "repair";
  const Outcome repaired = call(Dialect::openai_chat, std::string(kOpenCall), Dialect::openai_chat);
  EXPECT_FALSE(repaired.is_raw);
  EXPECT_TRUE(has(repaired.sent, R"("tool_call_id":"c1","content":"ERROR: tool call was not completed")"))
      << repaired.sent;
  EXPECT_TRUE(call(Dialect::openai_chat, R"({"model":"m","messages":[{"role":"user","content":"q"}]})",
                   Dialect::openai_chat)
                  .is_raw)
      << "nothing is missing";
}

TEST_F(RoutePolicies, WhoMustBeginIsPaddedAndPlacesStayTheCallers) {
  const std::string body =
      R"({"model":"m","messages":[{"role":"assistant","content":"hello"},{"role":"user","name":"Ada","content":"q"}]})";
  EXPECT_TRUE(call(Dialect::openai_chat, body, Dialect::bedrock_converse)
                  .error.starts_with("bad_request messages: this model wants the user to begin"));
  policy().first_assistant = "pad";
  const Outcome padded = call(Dialect::openai_chat, body, Dialect::anthropic_messages);
  EXPECT_TRUE(has(padded.sent, R"("messages":[{"role":"user","content":[{"type":"text","text":"."}]})"))
      << padded.sent;
  EXPECT_TRUE(has(padded.fidelity, "synthesised;/messages/0;assistant>a_user_before_it")) << padded.fidelity;
  EXPECT_TRUE(has(padded.fidelity, "dropped;/messages/1/name;Ada")) << padded.fidelity;
}

TEST_F(RoutePolicies, NamesArePrefixedOnlyWhereATargetHasNone) {
  const std::string body = R"({"model":"m","messages":[{"role":"user","name":"Ada","content":"q"}]})";
  policy().user_names = "prefix";
  EXPECT_TRUE(call(Dialect::openai_chat, body, Dialect::openai_chat).is_raw);
  const Outcome prefixed = call(Dialect::openai_chat, body, Dialect::anthropic_messages);
  EXPECT_TRUE(has(prefixed.sent, R"("text":"Ada: q")")) << prefixed.sent;
  EXPECT_TRUE(has(prefixed.fidelity, "emulated;/messages/0/name;Ada>prefix")) << prefixed.fidelity;
}

TEST_F(RoutePolicies, CacheMarkersGoToTargetsThatCacheWhatIsMarked) {
  const std::string body =
      R"({"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"q"}]})";
  policy().cache_markers = true;
  EXPECT_FALSE(has(call(Dialect::openai_chat, body, Dialect::anthropic_messages).sent, "cache_control"))
      << "nothing is known of the model";
  gateway_.capabilities.cache_control = CacheControl::markers;
  const Outcome marked = call(Dialect::openai_chat, body, Dialect::anthropic_messages);
  EXPECT_TRUE(has(marked.sent, R"("text":"q","cache_control":{"type":"ephemeral"})")) << marked.sent;
  EXPECT_TRUE(has(marked.fidelity, "synthesised;/messages/1;>cache_marker")) << marked.fidelity;
  is_strict_ = true;
  EXPECT_EQ(call(Dialect::openai_chat, body, Dialect::anthropic_messages).error, "")
      << "nobody misses anything";

  const std::string own = R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":[)"
                          R"({"type":"text","text":"q","cache_control":{"type":"ephemeral","ttl":"1h"}}]}]})";
  EXPECT_TRUE(call(Dialect::anthropic_messages, own, Dialect::anthropic_messages).is_raw)
      << "the caller marks himself";
}

TEST_F(RoutePolicies, UsersAreHashedOnEveryWay) {
  const std::string ada = hidden_end_user("ada@example.com", *gateway_.snapshot->user_key);
  const std::string body =
      R"({"model":"m", "user":"ada@example.com","messages":[{"role":"user","content":"q"}],"x_unknown":1.0})";
  EXPECT_TRUE(has(call(Dialect::openai_chat, body, Dialect::openai_chat).sent, "ada@example.com"));
  policy().hash_user = true;
  const Outcome raw = call(Dialect::openai_chat, body, Dialect::openai_chat);
  EXPECT_TRUE(raw.is_raw);
  EXPECT_EQ(raw.sent, R"({"model":"m", "user":")" + ada +
                          R"(","messages":[{"role":"user","content":"q"}],"x_unknown":1.0})");
  EXPECT_EQ(raw.fidelity, "emulated;/user;>hmac_sha256");
  for (const Dialect target :
       {Dialect::anthropic_messages, Dialect::openai_responses, Dialect::bedrock_converse}) {
    const Outcome translated = call(Dialect::openai_chat, body, target);
    EXPECT_TRUE(has(translated.sent, ada)) << translated.sent;
    EXPECT_FALSE(has(translated.sent, "ada@example.com"));
  }
  const Outcome anthropic = call(Dialect::anthropic_messages,
                                 R"({"model":"m","max_tokens":9,"metadata":{"user_id":"ada@example.com"},)"
                                 R"("messages":[{"role":"user","content":"q"}]})",
                                 Dialect::anthropic_messages);
  EXPECT_TRUE(anthropic.is_raw);
  EXPECT_TRUE(has(anthropic.sent, R"("metadata":{"user_id":")" + ada + "\"}")) << anthropic.sent;
  EXPECT_EQ(anthropic.fidelity, "emulated;/metadata/user_id;>hmac_sha256");
  const Outcome nobody =
      call(Dialect::openai_chat, R"({"model":"m","messages":[{"role":"user","content":"q"}]})",
           Dialect::openai_chat);
  EXPECT_EQ(nobody.fidelity, "");
}

// Larger than what is parsed on a core.
TEST_F(RoutePolicies, TheUserOfALargeBodyIsHashedInThePool) {
  policy().hash_user = true;
  const std::string words(kJsonBytesOnCoreMax, 'w');
  const Outcome raw =
      call(Dialect::openai_chat,
           R"({"model":"m","user":"ada","messages":[{"role":"user","content":")" + words + "\"}]}",
           Dialect::openai_chat);
  EXPECT_EQ(raw.error, "");
  EXPECT_TRUE(has(raw.sent, R"("user":")" + hidden_end_user("ada", *gateway_.snapshot->user_key)));
}

TEST_F(RoutePolicies, ForeignToolsAreErrorsUnlessTheyAreDropped) {
  const std::string body = R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}],)"
                           R"("tools":[{"type":"bash_20250124","name":"bash"}]})";
  EXPECT_TRUE(
      call(Dialect::anthropic_messages, body, Dialect::openai_chat).error.starts_with("unsupported tools:"));
  policy().server_tools = "drop";
  const Outcome dropped = call(Dialect::anthropic_messages, body, Dialect::openai_chat);
  EXPECT_EQ(dropped.error, "");
  EXPECT_FALSE(has(dropped.sent, "tools")) << dropped.sent;
  EXPECT_TRUE(has(dropped.fidelity, "dropped;/tools/0;bash_20250124")) << dropped.fidelity;
  is_strict_ = true;
  EXPECT_TRUE(call(Dialect::anthropic_messages, body, Dialect::openai_chat).error.starts_with("unsupported"));
}

TEST_F(RoutePolicies, AWebSearchIsMappedOnlyWhereTheRouteAllowsIt) {
  const std::string body = R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}],)"
                           R"("tools":[{"type":"web_search_20250305","name":"web_search"}]})";
  policy().server_tools = "drop";
  EXPECT_FALSE(has(call(Dialect::anthropic_messages, body, Dialect::gemini).sent, "googleSearch"));
  policy().web_search = true;
  const Outcome mapped = call(Dialect::anthropic_messages, body, Dialect::gemini);
  EXPECT_TRUE(has(mapped.sent, R"("tools":[{"googleSearch":{}}])")) << mapped.sent;
  EXPECT_EQ(mapped.fidelity.find("dropped;/tools"), std::string::npos) << mapped.fidelity;
  EXPECT_TRUE(has(mapped.fidelity, "emulated;/tools/0;web_search>googleSearch")) << mapped.fidelity;
  EXPECT_TRUE(
      has(call(Dialect::anthropic_messages, body, Dialect::openai_chat).sent, R"("web_search_options":{})"));
}

TEST_F(RoutePolicies, ASearchBesideFunctionsIsRefusedOrDroppedWhereTheModelTakesNotBoth) {
  const std::string body = R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}],)"
                           R"("tools":[{"type":"web_search_20250305","name":"web_search"},)"
                           R"({"name":"f","input_schema":{"type":"object"}}]})";
  policy().web_search = true;
  const Outcome both = call(Dialect::anthropic_messages, body, Dialect::gemini);
  EXPECT_TRUE(
      has(both.sent, R"({"googleSearch":{}}],"toolConfig":{"includeServerSideToolInvocations":true})"))
      << both.sent;
  gateway_.capabilities.own_tools_with_functions = false;
  const Outcome refused = call(Dialect::anthropic_messages, body, Dialect::gemini);
  EXPECT_TRUE(refused.error.starts_with("unsupported tools: this model runs its own tools (googleSearch)"))
      << refused.error;
  policy().server_tools = "drop";
  const Outcome dropped = call(Dialect::anthropic_messages, body, Dialect::gemini);
  EXPECT_EQ(dropped.error, "");
  EXPECT_TRUE(has(dropped.sent, R"("tools":[{"functionDeclarations":[{"name":"f"}]}])")) << dropped.sent;
  EXPECT_TRUE(has(dropped.fidelity, "dropped;/tools/0;web_search_20250305")) << dropped.fidelity;
  EXPECT_EQ(dropped.fidelity.find("emulated"), std::string::npos) << dropped.fidelity;
  is_strict_ = true;
  EXPECT_TRUE(call(Dialect::anthropic_messages, body, Dialect::gemini).error.starts_with("unsupported"));
}

TEST_F(RoutePolicies, ATemperatureOutOfRangeIsClampedOrRefused) {
  const std::string body =
      R"({"contents":[{"parts":[{"text":"q"}]}],"generationConfig":{"temperature":1.5}})";
  const Outcome clamped = call(Dialect::gemini, body, Dialect::anthropic_messages);
  EXPECT_TRUE(has(clamped.sent, R"("temperature":1})") || has(clamped.sent, R"("temperature":1,)"))
      << clamped.sent;
  EXPECT_TRUE(has(clamped.fidelity, "clamped;/generationConfig/temperature;1.5>1")) << clamped.fidelity;
  policy().sampling = "error";
  const Outcome refused = call(Dialect::gemini, body, Dialect::anthropic_messages);
  EXPECT_TRUE(refused.error.starts_with("bad_request generationConfig.temperature: 1.5 is out of the range"))
      << refused.error;
  EXPECT_EQ(refused.sent, "");
}

}  // namespace
}  // namespace weir
