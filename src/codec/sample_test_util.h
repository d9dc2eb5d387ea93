// For tests of codecs: all that they make, as text. What is left out of a line is empty or absent.
#pragma once

#include <array>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/bedrock_test_util.h"
#include "llm/codec.h"

namespace weir::test {

inline std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// The members of a line: " name=value", where there is one.
class SampleLine {
 public:
  explicit SampleLine(std::string start) : text_(std::move(start)) {}

  SampleLine& add(std::string_view name, std::string_view value) {
    if (!value.empty()) text_ += fmt::format(" {}={}", name, json_text(value));
    return *this;
  }
  SampleLine& add(std::string_view name, const RawJson& raw) {
    if (raw) text_ += fmt::format(" {}={}", name, raw.text);
    return *this;
  }
  SampleLine& add(std::string_view name, const std::optional<Dialect>& dialect) {
    if (dialect) text_ += fmt::format(" {}={}", name, to_string(*dialect));
    return *this;
  }
  SampleLine& add(std::string_view name, const std::optional<EffortLevel>& level) {
    if (level) text_ += fmt::format(" {}={}", name, to_string(*level));
    return *this;
  }
  template <class Number>
  SampleLine& add(std::string_view name, const std::optional<Number>& number) {
    if (number) text_ += fmt::format(" {}={}", name, *number);
    return *this;
  }
  SampleLine& flag(std::string_view name, bool is_set) {
    if (is_set) text_ += fmt::format(" {}", name);
    return *this;
  }
  std::string end() const { return text_ + "\n"; }

 private:
  std::string text_;
};

// ---- Requests

inline std::string_view kind_name(ToolKind kind) {
  return kind == ToolKind::function ? "" : kind == ToolKind::custom ? "custom" : "server";
}

inline std::string describe_blocks(const std::vector<Block>& blocks, const std::string& indent);

inline void describe_media(SampleLine& line, const Media& media) {
  line.add("base64", media.base64).add("url", media.url).add("file_id", media.file_id);
  line.add("mime", media.mime);
}

inline SampleLine describe_body(const BlockBody& body) {
  if (const auto* text = std::get_if<TextBlock>(&body)) return SampleLine("text").add("", text->text);
  if (const auto* image = std::get_if<ImageBlock>(&body)) {
    SampleLine line("image");
    describe_media(line, image->media);
    return line.add("detail", image->detail);
  }
  if (const auto* document = std::get_if<DocumentBlock>(&body)) {
    SampleLine line("document");
    describe_media(line, document->media);
    line.add("text", document->text).add("title", document->title).add("context", document->context);
    return line.flag("cites", document->wants_citations);
  }
  if (const auto* audio = std::get_if<AudioBlock>(&body)) {
    SampleLine line("audio");
    describe_media(line, audio->media);
    return line.add("format", audio->format);
  }
  if (const auto* video = std::get_if<VideoBlock>(&body)) {
    SampleLine line("video");
    describe_media(line, video->media);
    return line;
  }
  if (const auto* call = std::get_if<ToolCallBlock>(&body)) {
    SampleLine line("call");
    line.add("id", call->id).add("name", call->name).add("kind", kind_name(call->kind));
    return line.add("arguments", call->arguments).add("signature", call->signature);
  }
  if (const auto* result = std::get_if<ToolResultBlock>(&body)) {
    SampleLine line("result");
    return line.add("of", result->call_id).add("name", result->tool_name).flag("error", result->is_error);
  }
  if (const auto* thinking = std::get_if<ThinkingBlock>(&body)) {
    SampleLine line("thinking");
    line.add("", thinking->text).add("signature", thinking->signature).add("issuer", thinking->issuer);
    return line.add("id", thinking->id);
  }
  if (const auto* redacted = std::get_if<RedactedThinkingBlock>(&body))
    return SampleLine("redacted").add("data", redacted->data).add("issuer", redacted->issuer);
  if (const auto* refusal = std::get_if<RefusalBlock>(&body))
    return SampleLine("refusal").add("", refusal->text);
  const auto& unknown = std::get<UnknownBlock>(body);
  SampleLine line("unknown");
  line.add("dialect", std::optional(unknown.dialect)).add("type", unknown.type);
  return line.flag("reference", unknown.is_reference).add("raw", unknown.raw);
}

inline void describe_cache(SampleLine& line, const std::optional<CacheMarker>& cache) {
  if (!cache) return;
  line.add("cache", std::string_view(cache->ttl == CacheTtl::one_hour ? "1h"
                                     : cache->states_ttl              ? "5m"
                                                                      : "usual"));
}

inline std::string describe_blocks(const std::vector<Block>& blocks, const std::string& indent) {
  std::string out;
  for (const Block& block : blocks) {
    SampleLine line = describe_body(block.body);
    describe_cache(line, block.cache);
    line.add("at", block.pointer);
    if (block.own) line.add("own", block.own->type).add("form", block.own->raw);
    out += indent + line.end();
    if (const auto* result = std::get_if<ToolResultBlock>(&block.body))
      out += describe_blocks(result->content, indent + "  ");
  }
  return out;
}

inline std::string describe_tools(const Chat& chat) {
  std::string out;
  for (const Tool& tool : chat.tools) {
    SampleLine line("tool");
    line.add("name", tool.name).add("kind", kind_name(tool.kind)).add("description", tool.description);
    line.add("schema", tool.schema).add("strict", tool.strict).add("syntax", tool.grammar_syntax);
    line.add("grammar", tool.grammar).add("type", tool.type).add("dialect", std::optional(tool.dialect));
    describe_cache(line, tool.cache);
    out += line.end();
  }
  if (chat.tool_choice) {
    constexpr std::array<std::string_view, 4> kModes = {"automatic", "required", "none", "named"};
    SampleLine line(fmt::format("choice {}", kModes[static_cast<size_t>(chat.tool_choice->mode)]));
    line.add("name", chat.tool_choice->name);
    for (const std::string_view name : chat.tool_choice->allowed) line.add("allowed", name);
    out += line.end();
  }
  return out;
}

inline std::string describe_settings(const Chat& chat) {
  SampleLine line("settings");
  line.add("max_tokens", chat.max_tokens).add("temperature", chat.temperature).add("top_p", chat.top_p);
  line.add("top_k", chat.top_k).add("frequency_penalty", chat.frequency_penalty);
  line.add("presence_penalty", chat.presence_penalty).add("seed", chat.seed).add("n", chat.choices);
  line.add("logprobs", chat.logprobs).add("top_logprobs", chat.top_logprobs);
  for (const std::string_view stop : chat.stop) line.add("stop", stop);
  line.add("parallel", chat.parallel_tools).add("verbosity", chat.verbosity);
  line.add("end_user", chat.end_user).add("tier", chat.service_tier);
  line.add("cache_key", chat.prompt_cache_key).add("continues", chat.previous_response_id);
  line.add("stored", chat.is_stored).flag("text_completion", chat.is_text_completion);
  std::string out = line.flag("echoes", chat.echoes_prompt).end();
  const Reasoning& reasoning = chat.reasoning;
  if (reasoning.is_set() || !reasoning.display.empty()) {
    SampleLine how("reasoning");
    how.add("effort", reasoning.effort).add("budget", reasoning.budget_tokens);
    how.flag("adaptive", reasoning.is_adaptive).flag("disabled", reasoning.is_disabled);
    out += how.add("display", reasoning.display).end();
  }
  if (chat.format.kind != FormatKind::text) {
    SampleLine format(chat.format.kind == FormatKind::json_object ? "format object" : "format schema");
    format.add("name", chat.format.name).add("description", chat.format.description);
    out += format.add("schema", chat.format.schema).add("strict", chat.format.strict).end();
  }
  for (const MetadataEntry& entry : chat.metadata)
    out += fmt::format("metadata {}={}\n", entry.key, json_text(entry.value));
  return out;
}

inline std::string describe_extras(const std::vector<ExtraField>& extras) {
  std::string out;
  for (const ExtraField& extra : extras)
    out += fmt::format("extra {} {} {}\n", to_string(extra.dialect), extra.key, extra.raw.text);
  return out;
}

inline std::string describe(const Chat& chat) {
  std::string out = SampleLine("chat")
                        .add("model", chat.model)
                        .flag("streamed", chat.is_streamed)
                        .flag("usage", chat.includes_usage)
                        .end();
  for (const Message& message : chat.messages) {
    out += SampleLine(std::string(to_string(message.role))).add("name", message.name).end();
    out += describe_blocks(message.content, "  ");
  }
  return out + describe_tools(chat) + describe_settings(chat) + describe_extras(chat.extras);
}

inline std::string describe(const Request& request) {
  if (const auto* chat = std::get_if<Chat>(&request)) return describe(*chat);
  if (const auto* count = std::get_if<CountTokens>(&request)) return "count of\n" + describe(count->chat);
  if (const auto* embed = std::get_if<Embed>(&request)) {
    SampleLine line("embed");
    line.add("model", embed->model).add("dimensions", embed->dimensions);
    line.flag("base64", embed->wants_base64).add("purpose", embed->purpose).add("end_user", embed->end_user);
    for (const std::string_view input : embed->inputs) line.add("input", input);
    for (const std::vector<int64_t>& tokens : embed->token_inputs)
      line.add("tokens", std::string_view(fmt::format("{}", fmt::join(tokens, " "))));
    return line.end() + describe_extras(embed->extras);
  }
  if (const auto* rerank = std::get_if<Rerank>(&request)) {
    SampleLine line("rerank");
    line.add("model", rerank->model).add("query", rerank->query).add("top_n", rerank->top_n);
    line.flag("returns_documents", rerank->returns_documents);
    for (const std::string_view document : rerank->documents) line.add("document", document);
    return line.end() + describe_extras(rerank->extras);
  }
  return "opaque\n";
}

// ---- Calls and errors

inline std::string describe(const Headers& headers) {
  std::string out;
  for (const HeaderField field : headers) out += fmt::format("{}: {}\n", field.name, field.value);
  return out;
}

inline std::string describe(const Fidelity& fidelity) {
  std::string out;
  for (const FidelityRecord& record : fidelity.records()) {
    SampleLine line(
        fmt::format("{} {} {}", to_string(record.severity), to_string(record.reason), record.pointer));
    out += line.add("from", record.from).add("to", record.to).end();
  }
  return out;
}

inline std::string describe(const CallNotes& notes) {
  SampleLine line("notes");
  line.flag("streamed", notes.is_streamed).add("json_tool", notes.json_tool);
  line.flag("strips_usage", notes.strips_usage).flag("base64", notes.wants_base64);
  line.flag("counts_reasoning_apart", notes.counts_reasoning_apart).flag("raw", notes.is_raw);
  if (notes.choices != 1) line.add("choices", std::optional(notes.choices));
  for (const std::string& tool : *notes.custom_tools) line.add("custom", tool);
  for (const std::string& stop : notes.stops) line.add("watches", stop);
  for (const auto& [tool, restore] : *notes.restores) {
    line.add("restores", tool.empty() ? "answer" : tool).flag("wrapped", restore.is_wrapped);
    for (const auto& literal : restore.literals) line.add(literal.pointer, literal.json);
  }
  return line.end() + describe(notes.fidelity);
}

inline std::string describe(const Error& error) {
  SampleLine line(fmt::format("{} {}", to_string(error.kind), json_text(error.message)));
  line.add("path", error.path).add("code", error.code).add("detail", error.detail);
  if (error.upstream_status != 0) line.add("status", std::optional(error.upstream_status));
  return line.add("retry_after_ms", error.retry_after_ms).add("body", error.provider_body).end();
}

inline std::string describe(const Result<EncodedCall>& call) {
  if (!call) return describe(call.error());
  const WireRequest& wire = call->wire;
  return fmt::format("{} {}\n{}{}{}\n{}", wire.method, wire.path, describe(wire.headers),
                     wire.client_body.empty() ? "" : "(as it came) ", wire.bytes(), describe(call->notes));
}

inline std::string describe(const ClientReply& reply) {
  return fmt::format("{}\n{}{}\n", reply.status, describe(reply.headers), reply.body);
}

// ---- Events

inline std::string describe_usage(const Usage& usage) {
  SampleLine line("usage");
  line.add("in", usage.in_uncached).add("read", usage.cache_read).add("written", usage.cache_write_5m);
  line.add("written_1h", usage.cache_write_1h).add("tool_prompt", usage.tool_prompt);
  line.add("in_audio", usage.in_audio).add("in_image", usage.in_image).add("out", usage.out_text);
  line.add("reasoning", usage.out_reasoning).add("out_audio", usage.out_audio);
  return line.add("searches", usage.web_searches).end();
}

inline std::string describe_payload(const Payload& payload) {
  std::string out = SampleLine("payload").add("id", payload.id).add("model", payload.model).end();
  if (const auto* embeddings = std::get_if<EmbedAnswer>(&payload.body)) {
    for (const std::vector<float>& vector : embeddings->vectors)
      out += fmt::format("  vector {}\n", fmt::join(vector, " "));
  }
  if (const auto* ranking = std::get_if<RerankAnswer>(&payload.body)) {
    for (const RerankAnswer::Hit& hit : ranking->hits)
      out += fmt::format("  hit {} {}\n", hit.index, hit.score);
  }
  return out;
}

inline std::string describe_fully(const Event& event) {
  if (const auto* start = std::get_if<Start>(&event)) {
    SampleLine line("start");
    line.add("id", start->id).add("model", start->model).add("fingerprint", start->system_fingerprint);
    if (start->created_s != 0) line.add("created", std::optional(start->created_s));
    return line.add("tier", start->service_tier).end();
  }
  if (const auto* block = std::get_if<BlockStart>(&event)) {
    constexpr std::array<std::string_view, 8> kKinds = {"text",    "call",  "thinking", "redacted",
                                                        "refusal", "audio", "image",    "unknown"};
    SampleLine line(
        fmt::format("block {}.{} {}", block->choice, block->index, kKinds[static_cast<size_t>(block->kind)]));
    line.add("tool_id", block->tool_id).add("tool", block->tool_name);
    line.add("kind", kind_name(block->tool_kind)).add("data", block->data).add("id", block->id);
    return line.add("dialect", std::optional(block->dialect)).end();
  }
  if (const auto* delta = std::get_if<Delta>(&event)) {
    constexpr std::array<std::string_view, 3> kKinds = {"", " signature", " citation"};
    const size_t kind = static_cast<size_t>(delta->kind);
    SampleLine line(
        fmt::format("delta {}.{}{} {}", delta->choice, delta->index, kKinds[kind], json_text(delta->text)));
    if (kind != 0) line.add("dialect", std::optional(delta->dialect));
    return line.end();
  }
  if (const auto* ended = std::get_if<BlockEnd>(&event))
    return fmt::format("end of {}.{}\n", ended->choice, ended->index);
  if (const auto* finish = std::get_if<Finish>(&event)) {
    SampleLine line(fmt::format("finish {} {}", finish->choice, to_string(finish->reason)));
    return line.add("native", finish->native).add("sequence", finish->stop_sequence).end();
  }
  if (const auto* report = std::get_if<UsageReport>(&event)) return describe_usage(report->usage);
  if (const auto* logprobs = std::get_if<Logprobs>(&event))
    return fmt::format("logprobs {} {}\n", logprobs->choice, logprobs->raw);
  if (const auto* payload = std::get_if<Payload>(&event)) return describe_payload(*payload);
  return std::holds_alternative<Ping>(event) ? "ping\n" : "end\n";
}

inline std::string describe_fully(const std::vector<Event>& events) {
  std::string out;
  for (const Event& event : events) out += describe_fully(event);
  return out;
}

}  // namespace weir::test
