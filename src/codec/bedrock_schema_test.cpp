// What Weir sends to Bedrock and writes for its clients, held against the service's own model: no member that
// the model does not know, none of a wrong type, none missing that is required.
#include <array>
#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

constexpr std::string_view kNamespace = "com.amazonaws.bedrockruntime#";

// Members that the service has had since the copy of its model was made.
constexpr std::array<std::string_view, 8> kNewer = {
    "cachePoint", "outputConfig",         "serviceTier",           "citations",
    "context",    "cacheReadInputTokens", "cacheWriteInputTokens", "cacheDetails"};

class ServiceModel {
 public:
  ServiceModel() {
    const std::filesystem::path path =
        test::recordings_folder().parent_path() / "vectors/bedrock-smithy/bedrock-runtime-2023-09-30.json";
    Result<JsonDoc> parsed = JsonDoc::parse(test::read_whole(path), {.nodes_max = 10'000'000});
    if (parsed) doc_ = std::move(*parsed);
  }
  bool is_there() const { return doc_.root()["shapes"].is_object(); }

  // What is wrong with the value, a line each; nothing when it is right.
  std::string check(std::string_view shape, std::string_view json) const {
    const Result<JsonDoc> parsed = JsonDoc::parse(std::string(json));
    if (!parsed) return "not JSON: " + parsed.error().message;
    std::string wrong;
    check(std::string(kNamespace) + std::string(shape), parsed->root(), wrong);
    return wrong;
  }

 private:
  void check(const std::string& name, JsonValue value, std::string& wrong) const {
    const JsonValue shape = doc_.root()["shapes"][name];
    const std::string_view type = shape["type"].string_or(name);
    const auto expect = [&](bool is_right) {
      if (!is_right) wrong += fmt::format("{} is no {}: {}\n", value.path(), name, value.raw());
    };
    if (type == "structure" || type == "union") {
      expect(value.is_object() && (type != "union" || value.size() == 1));
      check_members(shape["members"], value, wrong);
    } else if (type == "list") {
      expect(value.is_array());
      for (const JsonValue element : value)
        check(std::string(shape["member"]["target"].string_or("")), element, wrong);
    } else if (type == "map") {
      expect(value.is_object());
      for (const JsonValue element : value)
        check(std::string(shape["value"]["target"].string_or("")), element, wrong);
    } else if (type == "enum") {
      bool is_known = false;
      for (const JsonValue member : shape["members"])
        is_known |= member["traits"]["smithy.api#enumValue"].string_or("") == value.string_or("?");
      expect(is_known);
    } else if (type == "string" || type == "smithy.api#String") {
      expect(value.is_string());
      const size_t least = static_cast<size_t>(shape["traits"]["smithy.api#length"]["min"].int_or(0));
      expect(value.string_or("").size() >= least);
    } else if (type == "blob" || type == "smithy.api#Blob") {
      expect(base64_decode(value.string_or("?")).has_value());
    } else if (type == "integer" || type == "long" || type.ends_with("#Integer") || type.ends_with("#Long")) {
      expect(value.as_int().has_value());
    } else if (type == "float" || type == "double" || type.ends_with("#Float") || type.ends_with("#Double")) {
      expect(value.is_number());
    }
  }

  void check_members(JsonValue members, JsonValue value, std::string& wrong) const {
    for (const JsonValue member : value) {
      if (const JsonValue known = members[member.key()]) {
        check(std::string(known["target"].string_or("")), member, wrong);
      } else if (std::find(kNewer.begin(), kNewer.end(), member.key()) == kNewer.end()) {
        wrong += fmt::format("{} is unknown\n", member.path());
      }
    }
    for (const JsonValue member : members) {
      const bool is_required = bool(member["traits"]["smithy.api#required"]);
      // What the path and the headers carry is not in the body.
      const bool is_outside = bool(member["traits"]["smithy.api#httpLabel"]);
      if (is_required && !is_outside && !value[member.key()])
        wrong += fmt::format("{}.{} is missing\n", value.path(), member.key());
    }
  }

  JsonDoc doc_;
};

constexpr std::string_view kRich = R"({"model":"m","max_tokens":2048,"temperature":0.3,"top_k":3,
  "system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],)"
                                   R"("metadata":{"user_id":"u"},
  "tools":[{"name":"mcp.f/g","description":"d","input_schema":{"type":"object"},)"
                                   R"("cache_control":{"type":"ephemeral"}}],
  "tool_choice":{"type":"tool","name":"mcp.f/g"},"stop_sequences":["x"],"messages":[
  {"role":"user","content":[{"type":"text","text":"a"},
    {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},
    {"type":"document","title":"a_b","source":{"type":"base64",)"
                                   R"("media_type":"application/pdf","data":"AAAA"}}]},
  {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},
    {"type":"redacted_thinking","data":"QUJD"},{"type":"tool_use","id":"toolu_1",)"
                                   R"("name":"mcp.f/g","input":{"a":1}}]},
  {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1",)"
                                   R"("is_error":true,"content":[
    {"type":"text","text":"r"},{"type":"image","source":{"type":"base64",)"
                                   R"("media_type":"image/png","data":"AAAA"}}]}]}]})";

constexpr std::string_view kOpenAi =
    R"({"model":"m","user":"u","metadata":{"a":"b"},"service_tier":"priority","seed":1,
  "reasoning_effort":"high","response_format":{"type":"json_schema",)"
    R"("json_schema":{"name":"n","schema":{"type":"object"}}},
  "messages":[{"role":"developer","content":"s"},{"role":"user","content":"a"},
  {"role":"assistant","tool_calls":[{"id":"c.1","type":"function",)"
    R"("function":{"name":"f","arguments":"{}"}}]},
  {"role":"tool","tool_call_id":"c.1","content":"r"}]})";

TEST(BedrockSchema, RequestsAreOfTheServicesModel) {
  const ServiceModel model;
  if (!model.is_there()) GTEST_SKIP() << "no service model beside the repository; set WEIR_SHARED_DIR";
  const Capabilities native = test::caps(&Capabilities::json_schema, JsonSchemaSupport::native);
  for (const std::string_view id : {"anthropic.claude-x", "amazon.nova-x", "meta.llama3-x",
                                    "mistral.mistral-large-x", "openai.gpt-oss-x"}) {
    for (const Chat& chat :
         {test::messages_chat(std::string(kRich)), test::openai_chat(std::string(kOpenAi))}) {
      for (const Capabilities& caps : {Capabilities{}, native}) {
        const auto call = test::encode_for(bedrock_converse_provider(), chat, id, caps);
        ASSERT_TRUE(call) << call.error().message;
        EXPECT_EQ(model.check("ConverseRequest", call->wire.body), "") << id << call->wire.body;
      }
    }
  }
  EXPECT_NE(model.check("ConverseRequest", R"({"messages":[{"role":"tool","content":[]}]})"), "")
      << "it can fail";
}

TEST(BedrockSchema, AnswersAndEventsAreOfTheServicesModel) {
  const ServiceModel model;
  if (!model.is_there()) GTEST_SKIP() << "no service model beside the repository; set WEIR_SHARED_DIR";
  const Dialect own = Dialect::bedrock_converse;
  const std::vector<Event> events = {
      Start{},
      BlockStart{.index = 0, .kind = BlockKind::thinking, .dialect = own},
      Delta{.index = 0, .text = "hmm"},
      Delta{.index = 0, .kind = DeltaKind::signature, .text = "s", .dialect = own},
      BlockEnd{.index = 0},
      BlockStart{.index = 1, .kind = BlockKind::redacted_thinking, .data = "not base64", .dialect = own},
      BlockEnd{.index = 1},
      BlockStart{.index = 2},
      Delta{.index = 2, .text = "Hi"},
      BlockEnd{.index = 2},
      BlockStart{.index = 3, .kind = BlockKind::tool_call, .tool_id = "call.1/x", .tool_name = "f"},
      BlockEnd{.index = 3},
      Finish{.reason = StopReason::tool},
      test::usage_report(4, 2, 1, 1),
      End{}};
  const Request request = Chat{};
  const AnswerContext context = test::answer_context(request);
  const std::string whole = bedrock_converse_client().encode_answer(test::fold(events), context).body;
  EXPECT_EQ(model.check("ConverseResponse", whole), "") << whole;
  const auto encoder = bedrock_converse_stream_client().stream_encoder(context);
  std::string bytes = test::encode_stream(*encoder, events);
  encoder->fail(make_error(ErrorKind::upstream_error, "why"), bytes);
  std::string_view rest = bytes;
  EventStreamDecoder decoder;
  size_t count = 0;
  while (const auto message = decoder.next(rest)) {
    if (!*message) break;
    const std::string type(
        (*message)->header(":event-type").value_or((*message)->header(":exception-type").value_or("")));
    const std::string member = fmt::format("{{\"{}\":{}}}", type, (*message)->payload);
    EXPECT_EQ(model.check("ConverseStreamOutput", member), "") << member;
    ++count;
  }
  EXPECT_EQ(count, 13u);
}

}  // namespace
}  // namespace weir
