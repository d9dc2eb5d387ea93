// Chunks of Google's dialect into events. Parts have no index: a run of texts is one block, whatever else
// comes is a block of its own (S17).
#include <algorithm>
#include <array>
#include <fmt/core.h>

#include "base/crypto.h"
#include "codec/args.h"
#include "codec/gemini_decode.h"
#include "codec/gemini_fields.h"
#include "codec/retry_after.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::gemini;
constexpr int kCandidatesMax = 64;  // an index past it is not one that a request could ask for

// The fields of the vendor's answer: a body with none of them is not its dialect's.
bool is_of_dialect(JsonValue chunk) {
  constexpr std::array<std::string_view, 6> kFields = {"candidates",   "promptFeedback", "usageMetadata",
                                                       "modelVersion", "responseId",     "createTime"};
  return std::any_of(kFields.begin(), kFields.end(), [&](std::string_view key) { return !!chunk[key]; });
}

Start start_of(JsonValue chunk) {
  Start start;
  start.id = chunk["responseId"].string_or("");
  start.model = chunk["modelVersion"].string_or("");
  // The time has fractions of a second, which nobody needs.
  const std::string_view created = chunk["createTime"].string_or("");
  start.created_s = parse_rfc3339(std::string(created.substr(0, created.find('.'))) +
                                  (created.find('.') == std::string_view::npos ? "" : "Z"))
                        .value_or(0);
  return start;
}

// `logprobsResult` as OpenAI's entries.
std::string openai_logprobs(JsonValue result) {
  std::string out;
  JsonWriter json(out);
  const auto write_token = [&json](JsonValue entry) {
    const std::string_view token = entry["token"].string_or("");
    json.key("token").value(token).key("logprob").value(entry["logProbability"].double_or(0));
    json.key("bytes").begin_array();
    for (const char c : token) json.value(static_cast<int>(static_cast<unsigned char>(c)));
    json.end_array();
  };
  json.begin_array();
  size_t at = 0;
  for (const JsonValue chosen : result["chosenCandidates"]) {
    json.begin_object();
    write_token(chosen);
    json.key("top_logprobs").begin_array();
    for (const JsonValue top : result["topCandidates"].at(at++)["candidates"]) {
      json.begin_object();
      write_token(top);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
  return out;
}

}  // namespace

Result<void> GeminiChunks::add(JsonValue chunk, std::vector<Event>& events) {
  if (std::optional<Error> error = gemini_error_in(chunk, 0)) return fail(std::move(*error));
  if (!chunk.is_object() || !is_of_dialect(chunk)) {
    Error error = make_error(ErrorKind::upstream_malformed, "the provider sent what is not its dialect's");
    error.provider_body = chunk.raw().substr(0, kProviderBodyMax);
    return fail(std::move(error));
  }
  if (!std::exchange(has_started_, true)) {
    Start start = start_of(chunk);
    response_id_ = start.id;
    events.push_back(std::move(start));
  }
  const Usage usage = decode_gemini_usage(chunk["usageMetadata"]);
  if (!usage.empty() && usage != usage_) {
    usage_ = usage;
    events.push_back(UsageReport{usage});
  }
  const JsonValue feedback = chunk["promptFeedback"];
  if (const JsonValue reason = feedback["blockReason"]; reason.is_string()) {
    is_blocked_ = true;
    block_reason_ = reason.string_or("");
  } else if (feedback["blockReasonMessage"]) {
    is_blocked_ = true;
  }
  int position = 0;
  for (const JsonValue candidate : chunk["candidates"]) {
    const int64_t index = candidate["index"].int_or(position++);
    if (index >= 0 && index < kCandidatesMax) on_candidate(static_cast<int>(index), candidate, events);
  }
  if (has_overflown_)
    return fail(ErrorKind::upstream_malformed, "the arguments of the provider's call grow without end");
  return {};
}

void GeminiChunks::on_candidate(int choice, JsonValue source, std::vector<Event>& events) {
  Candidate& candidate = candidates_[choice];
  for (const JsonValue part : source["content"]["parts"]) on_part(choice, candidate, part, events);
  on_citations(choice, candidate, source, events);
  if (const JsonValue logprobs = source["logprobsResult"]; logprobs["chosenCandidates"].size() > 0)
    events.push_back(Logprobs{.choice = choice, .raw = openai_logprobs(logprobs)});
  if (const std::string_view reason = source["finishReason"].string_or(""); !reason.empty())
    candidate.finish = reason;
}

void GeminiChunks::on_part(int choice, Candidate& candidate, JsonValue part, std::vector<Event>& events) {
  const std::string_view signature = part["thoughtSignature"].string_or("");
  if (const JsonValue call = part["functionCall"]; call.is_object())
    return on_call(choice, candidate, call, signature, events);
  if (part["text"].is_string()) return on_text(choice, candidate, part, signature, events);
  settle_partial(choice, candidate, events);
  if (const JsonValue data = part["inlineData"]; data.is_object()) {
    add_media(choice, candidate, data, events);
  } else if (part.size() > 0) {
    add_unknown(choice, candidate, part, events);
  }
}

void GeminiChunks::on_text(int choice, Candidate& candidate, JsonValue part, std::string_view signature,
                           std::vector<Event>& events) {
  const bool is_thought = part["thought"].bool_or(false);
  const std::string_view text = part["text"].string_or("");
  if (!text.empty()) {
    settle_partial(choice, candidate, events);
    if (candidate.is_signed) close(choice, candidate, events);
    const int index = open(choice, candidate, is_thought ? BlockKind::thinking : BlockKind::text, events);
    candidate.has_content = true;
    std::string shown = candidate.restore && !is_thought ? candidate.restore->feed(text) : std::string(text);
    if (!shown.empty()) events.push_back(Delta{.choice = choice, .index = index, .text = std::move(shown)});
  }
  if (signature.empty()) return;
  settle_partial(choice, candidate, events);
  const auto sign = [&](int index) {
    events.push_back(Delta{.choice = choice,
                           .index = index,
                           .kind = DeltaKind::signature,
                           .text = std::string(signature),
                           .dialect = kDialect});
  };
  if (is_thought) {
    sign(open(choice, candidate, BlockKind::thinking, events));
    return close(choice, candidate, events);
  }
  // The signature of what was thought before an answer comes with the answer's last text: a block of its own
  // behind a text that stays open for its citations.
  const bool is_behind_text = candidate.open >= 0 && candidate.open_kind == BlockKind::text;
  if (!is_behind_text) close(choice, candidate, events);
  const int index = candidate.blocks++;
  events.push_back(BlockStart{.choice = choice,
                              .index = index,
                              .kind = BlockKind::thinking,
                              .is_signature_only = true,
                              .dialect = kDialect});
  sign(index);
  events.push_back(BlockEnd{.choice = choice, .index = index});
  candidate.is_signed = is_behind_text;
}

void GeminiChunks::on_call(int choice, Candidate& candidate, JsonValue call, std::string_view signature,
                           std::vector<Event>& events) {
  const std::string_view name = call["name"].string_or("");
  const bool continues = call["willContinue"].bool_or(false);
  if (!name.empty()) {
    settle_partial(choice, candidate, events);
    if (!continues && !call["partialArgs"]) {
      add_call(choice, candidate, std::string(call["id"].string_or("")), name,
               call["args"].is_object() ? call["args"].raw() : "{}", signature, events);
      return;
    }
    candidate.partial.emplace();
    candidate.partial_name = name;
    candidate.partial_id = call["id"].string_or("");
    candidate.partial_signature = signature;
  }
  if (!candidate.partial) return;  // the empty part behind a call that is over
  candidate.partial->add(call["partialArgs"]);
  has_overflown_ = has_overflown_ || candidate.partial->is_too_large();
  if (candidate.partial_signature.empty()) candidate.partial_signature = signature;
  if (!continues) settle_partial(choice, candidate, events);
}

// A call whose pieces have all come, as far as anything says.
void GeminiChunks::settle_partial(int choice, Candidate& candidate, std::vector<Event>& events) {
  if (!candidate.partial) return;
  const std::string args = candidate.partial->text();
  candidate.partial.reset();
  add_call(choice, candidate, std::move(candidate.partial_id), candidate.partial_name, args,
           candidate.partial_signature, events);
}

std::string GeminiChunks::made_up_id(int choice, const Candidate& candidate, std::string_view name,
                                     std::string_view args) const {
  constexpr size_t kDigits = 24;
  return "call_" +
         sha256_hex(fmt::format("{}/{}/{}/{}/{}", response_id_, choice, candidate.blocks, name, args))
             .substr(0, kDigits);
}

void GeminiChunks::add_call(int choice, Candidate& candidate, std::string id, std::string_view wire_name,
                            std::string_view args, std::string_view signature, std::vector<Event>& events) {
  close(choice, candidate, events);
  const std::string_view name = notes_.tool_names.original(wire_name);
  const bool is_custom = notes_.custom_tools->contains(name);
  BlockStart started{
      .choice = choice, .index = candidate.blocks, .kind = BlockKind::tool_call, .dialect = kDialect};
  started.tool_id = id.empty() ? made_up_id(choice, candidate, name, args) : std::move(id);
  started.tool_name = name;
  if (is_custom) started.tool_kind = ToolKind::custom;
  events.push_back(std::move(started));
  std::string text = is_custom ? custom_tool_input(args) : std::string(args);
  if (const SchemaRestore* restore = find_restore(notes_, name); restore && !name.empty())
    text = restore_json(text, *restore);
  events.push_back(Delta{.choice = choice, .index = candidate.blocks, .text = std::move(text)});
  if (!signature.empty()) {
    events.push_back(Delta{.choice = choice,
                           .index = candidate.blocks,
                           .kind = DeltaKind::signature,
                           .text = std::string(signature),
                           .dialect = kDialect});
  }
  events.push_back(BlockEnd{.choice = choice, .index = candidate.blocks++});
  candidate.has_calls = true;
  candidate.has_content = true;
}

void GeminiChunks::add_media(int choice, Candidate& candidate, JsonValue data, std::vector<Event>& events) {
  close(choice, candidate, events);
  const std::string_view mime = data["mimeType"].string_or("");
  const BlockKind kind = mime.starts_with("audio/") ? BlockKind::audio : BlockKind::image;
  events.push_back(BlockStart{.choice = choice,
                              .index = candidate.blocks,
                              .kind = kind,
                              .data = std::string(mime),
                              .dialect = kDialect});
  events.push_back(
      Delta{.choice = choice, .index = candidate.blocks, .text = std::string(data["data"].string_or(""))});
  events.push_back(BlockEnd{.choice = choice, .index = candidate.blocks++});
  candidate.has_content = true;
}

void GeminiChunks::add_unknown(int choice, Candidate& candidate, JsonValue part, std::vector<Event>& events) {
  close(choice, candidate, events);
  events.push_back(BlockStart{.choice = choice,
                              .index = candidate.blocks,
                              .kind = BlockKind::unknown,
                              .data = std::string(part.raw()),
                              .dialect = kDialect});
  events.push_back(BlockEnd{.choice = choice, .index = candidate.blocks++});
  candidate.has_content = true;
}

void GeminiChunks::on_citations(int choice, Candidate& candidate, JsonValue source,
                                std::vector<Event>& events) {
  const JsonValue metadata = source["citationMetadata"];
  // The Gemini API says citationSources, Vertex AI citations.
  for (const JsonValue one : metadata["citationSources"])
    cite(choice, candidate, "citationSource", one, events);
  for (const JsonValue one : metadata["citations"]) cite(choice, candidate, "citationSource", one, events);
  for (const std::string_view key :
       {std::string_view("groundingMetadata"), std::string_view("urlContextMetadata")}) {
    if (source[key].size() > 0) cite(choice, candidate, key, source[key], events);
  }
}

void GeminiChunks::cite(int choice, Candidate& candidate, std::string_view key, JsonValue value,
                        std::vector<Event>& events) {
  const int index = open(choice, candidate, BlockKind::text, events);
  std::string raw = fmt::format("{{\"{}\":{}}}", key, value.raw());
  events.push_back(Delta{.choice = choice,
                         .index = index,
                         .kind = DeltaKind::citation,
                         .text = std::move(raw),
                         .dialect = kDialect});
}

int GeminiChunks::open(int choice, Candidate& candidate, BlockKind kind, std::vector<Event>& events) {
  if (candidate.open >= 0 && candidate.open_kind == kind) return candidate.open;
  close(choice, candidate, events);
  candidate.open = candidate.blocks++;
  candidate.open_kind = kind;
  if (kind == BlockKind::text) {
    if (const SchemaRestore* restore = find_restore(notes_, "")) candidate.restore.emplace(*restore);
  }
  events.push_back(BlockStart{.choice = choice, .index = candidate.open, .kind = kind, .dialect = kDialect});
  return candidate.open;
}

void GeminiChunks::close(int choice, Candidate& candidate, std::vector<Event>& events) {
  if (candidate.open < 0) return;
  if (candidate.restore) {
    std::string rest = candidate.restore->finish();
    candidate.restore.reset();
    if (!rest.empty())
      events.push_back(Delta{.choice = choice, .index = candidate.open, .text = std::move(rest)});
  }
  events.push_back(BlockEnd{.choice = choice, .index = candidate.open});
  candidate.open = -1;
  candidate.is_signed = false;
}

Result<void> GeminiChunks::conclude(Source source, std::vector<Event>& events) {
  // Blocks of a candidate without a finish end too: the caller has what came.
  for (auto& [choice, candidate] : candidates_) {
    settle_partial(choice, candidate, events);
    close(choice, candidate, events);
  }
  // A prompt that was refused has no candidates: that is an answer, and an empty 200 would hide it.
  if (candidates_.empty() && is_blocked_) {
    events.push_back(Finish{.reason = StopReason::filter, .native = block_reason_});
    events.push_back(End{});
    return {};
  }
  const bool may_lack_finish = source == Source::whole;
  for (const auto& [choice, candidate] : candidates_) {
    if (!candidate.finish.empty() || (may_lack_finish && candidate.has_content)) continue;
    if (source == Source::whole)
      return fail(ErrorKind::upstream_malformed, "the provider's answer has neither content nor a finish");
    return fail(ErrorKind::upstream_truncated, "the provider's stream ended before its answer was finished");
  }
  if (candidates_.empty()) {
    return fail(source == Source::whole ? ErrorKind::upstream_malformed : ErrorKind::upstream_truncated,
                "the provider's answer has no candidates");
  }
  for (const auto& [choice, candidate] : candidates_) {
    events.push_back(Finish{.choice = choice,
                            .reason = decode_gemini_finish(candidate.finish, candidate.has_calls),
                            .native = candidate.finish});
  }
  events.push_back(End{});
  return {};
}

}  // namespace weir
