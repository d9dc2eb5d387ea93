#include "codec/coverage.h"

#include <algorithm>
#include <array>

#include "codec/codecs.h"

namespace weir {
namespace {

// The smallest PNG, PDF and WAV that tell what they are.
constexpr std::string_view kPng = "iVBORw0KGgo=";
constexpr std::string_view kPdf = "JVBERi0xLjQKJSVFT0YK";
constexpr std::string_view kWav = "UklGRiQAAABXQVZF";
constexpr std::string_view kSchema =
    R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false})";

Message& last(Chat& chat) {
  return chat.messages.back();
}

void say(Chat& chat, Role role, BlockBody body) {
  chat.messages.push_back({.role = role, .content = {}});
  last(chat).content.push_back({.body = std::move(body), .cache = {}, .pointer = "/messages"});
}

void add(Chat& chat, BlockBody body) {
  last(chat).content.push_back({.body = std::move(body), .cache = {}, .pointer = "/messages/0/content/1"});
}

void offer_tool(Chat& chat) {
  Tool tool;
  tool.name = "look_up";
  tool.description = "Looks something up.";
  tool.schema = {kSchema};
  chat.tools.push_back(tool);
}

void use_tool(Chat& chat, bool is_error, BlockBody result) {
  offer_tool(chat);
  say(chat, Role::assistant, ToolCallBlock{.id = "call_1", .name = "look_up", .arguments = R"({"a":"b"})"});
  ToolResultBlock block{.call_id = "call_1", .tool_name = "look_up", .is_error = is_error, .content = {}};
  block.content.push_back({.body = std::move(result), .cache = {}, .pointer = {}});
  say(chat, Role::tool, std::move(block));
}

struct Feature {
  std::string_view name;
  void (*add)(Chat& chat);  // to a chat that holds one message of the user
  // For what a vendor takes under conditions, which the probe cannot tell from what has no words.
  bool (*has_words)(Dialect client) = nullptr;
};

constexpr std::array kFeatures = {
    Feature{"text", [](Chat&) {}},
    Feature{"system",
            [](Chat& chat) {
              say(chat, Role::system, TextBlock{"Be brief."});
              std::swap(chat.messages.front(), chat.messages.back());
            }},
    Feature{"prefill", [](Chat& chat) { say(chat, Role::assistant, TextBlock{"It is"}); }},
    Feature{"image",
            [](Chat& chat) { add(chat, ImageBlock{.media = {.base64 = kPng, .mime = "image/png"}}); }},
    Feature{"image_url",
            [](Chat& chat) { add(chat, ImageBlock{.media = {.url = "https://example.com/a.png"}}); }},
    Feature{"document",
            [](Chat& chat) {
              DocumentBlock document;
              document.media = {.base64 = kPdf, .mime = "application/pdf"};
              add(chat, document);
            }},
    Feature{"audio",
            [](Chat& chat) {
              add(chat, AudioBlock{.media = {.base64 = kWav, .mime = "audio/wav"}, .format = "wav"});
            }},
    Feature{"video",
            [](Chat& chat) { add(chat, VideoBlock{.media = {.base64 = kPdf, .mime = "video/mp4"}}); }},
    Feature{"citations",
            [](Chat& chat) {
              DocumentBlock document;
              document.media.mime = "text/plain";
              document.text = "A text.";
              document.wants_citations = true;
              add(chat, document);
            }},
    Feature{"cache_marker", [](Chat& chat) { last(chat).content.back().cache = CacheMarker{}; }},
    Feature{"tools", [](Chat& chat) { use_tool(chat, false, TextBlock{"c"}); }},
    Feature{"tool_error", [](Chat& chat) { use_tool(chat, true, TextBlock{"c"}); }},
    Feature{"tool_image",
            [](Chat& chat) {
              use_tool(chat, false, ImageBlock{.media = {.base64 = kPng, .mime = "image/png"}});
            }},
    Feature{"tool_choice_required",
            [](Chat& chat) {
              offer_tool(chat);
              chat.tool_choice = ToolChoice{.mode = ToolChoiceMode::required};
            }},
    Feature{"tool_choice_named",
            [](Chat& chat) {
              offer_tool(chat);
              chat.tool_choice = ToolChoice{.mode = ToolChoiceMode::named, .name = "look_up"};
            }},
    Feature{"tool_choice_none",
            [](Chat& chat) {
              offer_tool(chat);
              chat.tool_choice = ToolChoice{.mode = ToolChoiceMode::none};
            }},
    Feature{"serial_tools",
            [](Chat& chat) {
              offer_tool(chat);
              chat.parallel_tools = false;
            }},
    Feature{"json_schema",
            [](Chat& chat) {
              chat.format.kind = FormatKind::json_schema;
              chat.format.schema = {kSchema};
            }},
    Feature{"json_object", [](Chat& chat) { chat.format.kind = FormatKind::json_object; }},
    Feature{"reasoning_effort",
            [](Chat& chat) {
              chat.max_tokens = 16'000;
              chat.reasoning.effort = EffortLevel::high;
            }},
    Feature{"reasoning_budget",
            [](Chat& chat) {
              chat.max_tokens = 16'000;
              chat.reasoning.budget_tokens = 4096;
            }},
    Feature{"temperature", [](Chat& chat) { chat.temperature = 0.5; }},
    Feature{"top_p", [](Chat& chat) { chat.top_p = 0.9; }},
    Feature{"top_k", [](Chat& chat) { chat.top_k = 40; }},
    Feature{"penalties",
            [](Chat& chat) {
              chat.frequency_penalty = 0.5;
              chat.presence_penalty = 0.5;
            }},
    Feature{"stop", [](Chat& chat) { chat.stop = {"END"}; }},
    Feature{"seed", [](Chat& chat) { chat.seed = 7; }},
    Feature{"choices", [](Chat& chat) { chat.choices = 2; }},
    Feature{"logprobs",
            [](Chat& chat) {
              chat.logprobs = true;
              chat.top_logprobs = 2;
            }},
    Feature{"end_user", [](Chat& chat) { chat.end_user = "user-1"; }},
    Feature{
        "metadata", [](Chat& chat) { chat.metadata = {{.key = "team", .value = "a"}}; },
        // OpenAI's, for answers that are kept.
        [](Dialect client) { return client == Dialect::openai_chat || client == Dialect::openai_responses; }},
    Feature{"service_tier", [](Chat& chat) { chat.service_tier = "auto"; }},
};

Chat probe(const Feature& feature) {
  Chat chat;
  chat.model = "model";
  chat.max_tokens = 1000;
  say(chat, Role::user, TextBlock{"Hello"});
  feature.add(chat);
  return chat;
}

bool is_change(LossReason reason) {
  return reason != LossReason::dropped && reason != LossReason::unsupported_block &&
         reason != LossReason::signature_dropped && reason != LossReason::thinking_dropped &&
         reason != LossReason::cache_dropped;
}

FeatureSupport judge(std::string_view name, const Result<EncodedCall>& call) {
  if (!call) return {.feature = name, .support = Support::refused, .how = call.error().message};
  const Fidelity& fidelity = call->notes.fidelity;
  if (fidelity.empty()) return {.feature = name};
  const bool all_changes = std::ranges::all_of(
      fidelity.records(), [](const FidelityRecord& record) { return is_change(record.reason); });
  return {.feature = name,
          .support = all_changes ? Support::emulated : Support::dropped,
          .how = fidelity.header_value()};
}

// Whether the dialect's clients have words for the feature: its own provider half can write it for a model
// that takes everything.
bool can_say(Dialect dialect, const Chat& chat) {
  const Capabilities anything;
  const Result<EncodedCall> written =
      provider_codec(dialect).encode_request(chat, {.model = "model", .capabilities = &anything});
  return written && judge({}, written).support != Support::dropped;
}

}  // namespace

std::string_view to_string(Support support) {
  constexpr std::array<std::string_view, 5> kNames = {"carried", "emulated", "dropped", "refused", "unsaid"};
  return kNames[static_cast<size_t>(support)];
}

std::vector<FeatureSupport> coverage(Dialect client, const ProviderCodec& target_codec,
                                     const TargetModel& target) {
  std::vector<FeatureSupport> found;
  for (const Feature& feature : kFeatures) {
    const Chat chat = probe(feature);
    const bool is_known = feature.has_words && feature.has_words(client);
    if (!is_known && !can_say(client, chat)) {
      found.push_back({.feature = feature.name, .support = Support::unsaid});
    } else if (client == target_codec.dialect()) {
      found.push_back({.feature = feature.name});
    } else {
      found.push_back(judge(feature.name, target_codec.encode_request(chat, target)));
    }
  }
  return found;
}

}  // namespace weir
