#include "codec/openai_responses_decode.h"

#include <algorithm>
#include <fmt/core.h>

#include "codec/call_ids.h"
#include "codec/error_text.h"
#include "codec/openai_decode.h"
#include "codec/provider_json.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::openai_responses;

std::string_view type_of(JsonValue item) {
  return item["type"].string_or("");
}

// Errors of an answer carry a code and no type: what type it would have been.
std::string_view type_of_code(std::string_view code) {
  if (code == "rate_limit_exceeded") return "rate_limit_error";
  if (code == "server_error" || code == "vector_store_timeout" || code.empty()) return "";
  // The rest of the vendor's closed list blames the request: invalid_prompt, image_too_large, ...
  const bool blames_request = code.starts_with("invalid_") || code.find("image") != std::string_view::npos ||
                              code.ends_with("_policy") || code == "data_residency_mismatch";
  return blames_request ? "invalid_request_error" : "";
}

}  // namespace

Error responses_error_of(JsonValue error, int status) {
  const std::string_view code = error["code"].string_or("");
  // An error event's own type is "error", which says nothing.
  std::string_view type = type_of(error);
  if (type.empty() || type == "error") type = type_of_code(code);
  const std::string_view message =
      error.is_string() ? error.string_or("") : error["message"].string_or("the provider gave no reason");
  Error made = classify_provider_error({.status = status, .type = type, .code = code, .message = message});
  made.path = error["param"].string_or("");
  return made;
}

Start decode_responses_start(JsonValue response) {
  Start start;
  start.id = response["id"].string_or("");
  start.model = response["model"].string_or("");
  start.created_s = response["created_at"].int_or(0);
  start.service_tier = response["service_tier"].string_or("");
  return start;
}

Finish decode_responses_finish(JsonValue response, const ResponsesSeen& seen) {
  Finish finish;
  finish.native = response["status"].string_or("");
  if (finish.native == "incomplete") {
    const std::string_view reason = response["incomplete_details"]["reason"].string_or("");
    if (!reason.empty()) finish.native = reason;
    finish.reason = reason == "content_filter"      ? StopReason::filter
                    : reason == "max_output_tokens" ? StopReason::length
                    : reason.empty()                ? StopReason::pause
                                                    : StopReason::other;
    return finish;
  }
  if (seen.has_tool_calls) {
    finish.reason = StopReason::tool;
  } else if (seen.has_refusal) {
    finish.reason = StopReason::refusal;
  }
  return finish;
}

Usage decode_responses_usage(JsonValue response, const ResponsesSeen& seen) {
  const JsonValue usage = response["usage"];
  Usage into;
  if (!usage.is_object()) return into;
  const JsonValue input = usage["input_tokens_details"];
  into.cache_read = count_of(input["cached_tokens"]);
  into.cache_write_5m = count_of(input["cache_write_tokens"]);
  if (const auto total = count_of(usage["input_tokens"])) {
    const int64_t apart = into.cache_read.value_or(0) + into.cache_write_5m.value_or(0);
    into.in_uncached = std::max<int64_t>(0, *total - apart);
  }
  into.out_reasoning = count_of(usage["output_tokens_details"]["reasoning_tokens"]);
  if (const auto total = count_of(usage["output_tokens"]))
    into.out_text = std::max<int64_t>(0, *total - into.out_reasoning.value_or(0));
  if (into.in_uncached && into.out_text) into.stated_total = count_of(usage["total_tokens"]);
  const int64_t counted = count_of(response["tool_usage"]["web_search"]["num_requests"]).value_or(0);
  if (const int64_t searches = std::max(counted, seen.web_searches); searches > 0)
    into.web_searches = searches;
  return into;
}

std::string responses_reasoning_text(JsonValue item) {
  std::string text;
  for (const std::string_view key : {"summary", "content"}) {
    for (const JsonValue part : item[key]) {
      const std::string_view words = part["text"].string_or("");
      if (words.empty()) continue;
      if (!text.empty()) text += "\n\n";
      text += words;
    }
    if (!text.empty()) break;
  }
  return text;
}

std::string responses_image_mime(JsonValue item) {
  return fmt::format("image/{}", item["output_format"].string_or("png"));
}

void look_at_responses_item(JsonValue item, ResponsesSeen& seen) {
  const std::string_view type = type_of(item);
  if (type == "function_call" || type == "custom_tool_call") seen.has_tool_calls = true;
  if (type == "web_search_call") ++seen.web_searches;
  if (type != "message") return;
  for (const JsonValue part : item["content"]) {
    if (type_of(part) == "refusal") seen.has_refusal = true;
  }
}

std::string responses_call_id(JsonValue item, std::string_view answer_id, int block) {
  for (const std::string_view key : {"call_id", "id"}) {
    if (const std::string_view id = item[key].string_or(""); !id.empty()) return std::string(id);
  }
  return made_call_id(answer_id, 0, block);
}

void ResponsesItemDecoder::decode(JsonValue item) {
  const std::string_view type = type_of(item);
  if (type == "message") {
    for (const JsonValue content : item["content"]) part(content);
  } else if (type == "function_call" || type == "custom_tool_call") {
    call(item, type == "custom_tool_call");
  } else if (type == "reasoning") {
    reasoning(item);
  } else if (type == "image_generation_call" && !item["result"].string_or("").empty()) {
    image(item);
  } else if (item.is_object()) {
    unknown(item);
  }
}

void ResponsesItemDecoder::part(JsonValue part) {
  // Some servers tell of reasoning as they tell of a message's parts; it is read by its item.
  if (type_of(part) == "reasoning_text") return;
  const bool is_refusal = type_of(part) == "refusal";
  const std::string_view text = is_refusal ? part["refusal"].string_or("") : part["text"].string_or("");
  const JsonValue annotations = part["annotations"];
  if (text.empty() && annotations.size() == 0) return;
  if (is_refusal) seen_.has_refusal = true;
  start({.kind = is_refusal ? BlockKind::refusal : BlockKind::text});
  delta(DeltaKind::content, text);
  for (const JsonValue annotation : annotations) delta(DeltaKind::citation, annotation.raw());
  end();
  const JsonValue logprobs = part["logprobs"];
  if (logprobs.is_array() && logprobs.size() > 0)
    events_.push_back(Logprobs{.choice = 0, .raw = std::string(logprobs.raw())});
}

void ResponsesItemDecoder::call(JsonValue item, bool is_custom) {
  BlockStart started{.kind = BlockKind::tool_call};
  started.tool_id = responses_call_id(item, answer_id_, next_index_);
  started.tool_name = notes_.tool_names.original(item["name"].string_or(""));
  started.tool_kind = is_custom ? ToolKind::custom : ToolKind::function;
  start(std::move(started));
  const JsonValue arguments = item[is_custom ? "input" : "arguments"];
  delta(DeltaKind::content, arguments.is_object() ? arguments.raw() : arguments.string_or(""));
  end();
  seen_.has_tool_calls = true;
}

void ResponsesItemDecoder::reasoning(JsonValue item) {
  const std::string text = responses_reasoning_text(item);
  const std::string_view encrypted = item["encrypted_content"].string_or("");
  // The vendor sends empty ones for each round of thought; without content they are of no use to anybody.
  if (text.empty() && encrypted.empty()) return;
  start({.kind = BlockKind::thinking, .id = std::string(item["id"].string_or(""))});
  delta(DeltaKind::content, text);
  delta(DeltaKind::signature, encrypted);
  end();
}

void ResponsesItemDecoder::image(JsonValue item) {
  start({.kind = BlockKind::image, .data = responses_image_mime(item)});
  delta(DeltaKind::content, item["result"].string_or(""));
  end();
}

void ResponsesItemDecoder::unknown(JsonValue item) {
  if (type_of(item) == "web_search_call") ++seen_.web_searches;
  start({.kind = BlockKind::unknown, .data = std::string(item.raw())});
  end();
}

void ResponsesItemDecoder::start(BlockStart started) {
  started.index = next_index_;
  started.dialect = kDialect;
  events_.push_back(std::move(started));
}

void ResponsesItemDecoder::delta(DeltaKind kind, std::string_view text) {
  if (text.empty()) return;
  events_.push_back(
      Delta{.index = next_index_, .kind = kind, .text = std::string(text), .dialect = kDialect});
}

void ResponsesItemDecoder::end() {
  events_.push_back(BlockEnd{.index = next_index_});
  ++next_index_;
}

Result<std::vector<Event>> decode_responses_answer(const WireReply& reply, const CallNotes& notes) {
  JsonScratch scratch;
  const JsonValue root = TRY(parse_answer(scratch, reply.body));
  const std::string_view status = root["status"].string_or("completed");
  if (root["error"].is_object()) return fail(responses_error_of(root["error"], 0));
  if (!root["output"].is_array() || (status != "completed" && status != "incomplete")) {
    Error error = make_error(ErrorKind::upstream_malformed,
                             root["output"].is_array()
                                 ? fmt::format("the provider's answer is {} and not finished", status)
                                 : "the provider's answer has no output");
    error.provider_body = reply.body.substr(0, kProviderBodyMax);
    return fail(std::move(error));
  }
  std::vector<Event> events;
  events.push_back(decode_responses_start(root));
  ResponsesSeen seen;
  int next_index = 0;
  ResponsesItemDecoder decoder(root["id"].string_or(""), events, next_index, seen, notes);
  for (const JsonValue item : root["output"]) {
    // On the raw way the bytes pass as they are; the finish and the usage are all that is asked for.
    if (notes.is_raw) {
      look_at_responses_item(item, seen);
    } else {
      decoder.decode(item);
    }
  }
  events.push_back(decode_responses_finish(root, seen));
  const Usage usage = decode_responses_usage(root, seen);
  if (!usage.empty()) events.push_back(UsageReport{usage});
  events.push_back(End{});
  return events;
}

Result<std::vector<Event>> decode_responses_count(const WireReply& reply) {
  JsonScratch scratch;
  const JsonValue root = TRY(parse_answer(scratch, reply.body));
  const auto count = count_of(root["input_tokens"]);
  if (!count) return fail(ErrorKind::upstream_malformed, "the provider's answer has no input_tokens");
  UsageReport report;
  report.usage.in_uncached = count;
  return std::vector<Event>{std::move(report), End{}};
}

}  // namespace weir
