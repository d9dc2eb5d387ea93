#include "codec/gemini_decode.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/core.h>

#include "codec/error_text.h"
#include "codec/provider_json.h"
#include "codec/retry_after.h"

namespace weir {
namespace {

struct FinishRow {
  std::string_view word;
  StopReason reason;
};
// translation.md 4.6.1, and https://ai.google.dev/api/generate-content#FinishReason.
constexpr std::array<FinishRow, 20> kFinishes = {{
    {"STOP", StopReason::end},
    {"MAX_TOKENS", StopReason::length},
    {"SAFETY", StopReason::filter},
    {"RECITATION", StopReason::filter},
    {"BLOCKLIST", StopReason::filter},
    {"PROHIBITED_CONTENT", StopReason::filter},
    {"SPII", StopReason::filter},
    {"IMAGE_SAFETY", StopReason::filter},
    {"IMAGE_PROHIBITED_CONTENT", StopReason::filter},
    {"IMAGE_RECITATION", StopReason::filter},
    {"MODEL_ARMOR", StopReason::filter},
    {"MALFORMED_FUNCTION_CALL", StopReason::bad_tool},
    {"UNEXPECTED_TOOL_CALL", StopReason::bad_tool},
    {"TOO_MANY_TOOL_CALLS", StopReason::bad_tool},
    {"MISSING_THOUGHT_SIGNATURE", StopReason::bad_tool},
    {"LANGUAGE", StopReason::other},
    {"OTHER", StopReason::other},
    {"IMAGE_OTHER", StopReason::other},
    {"NO_IMAGE", StopReason::other},
    {"FINISH_REASON_UNSPECIFIED", StopReason::other},
}};

const FinishRow* find_finish(std::string_view word) {
  const auto row =
      std::find_if(kFinishes.begin(), kFinishes.end(), [&](const auto& one) { return one.word == word; });
  return row == kFinishes.end() ? nullptr : &*row;
}

// https://cloud.google.com/apis/design/errors: for errors inside a stream that state no code.
int status_of_word(std::string_view word) {
  struct Row {
    std::string_view word;
    int status;
  };
  constexpr std::array<Row, 12> kRows = {{{"INVALID_ARGUMENT", 400},
                                          {"FAILED_PRECONDITION", 400},
                                          {"OUT_OF_RANGE", 400},
                                          {"UNAUTHENTICATED", 401},
                                          {"PERMISSION_DENIED", 403},
                                          {"NOT_FOUND", 404},
                                          {"ABORTED", 500},
                                          {"RESOURCE_EXHAUSTED", 429},
                                          {"CANCELLED", 500},
                                          {"INTERNAL", 500},
                                          {"UNAVAILABLE", 503},
                                          {"DEADLINE_EXCEEDED", 504}}};
  for (const Row& row : kRows) {
    if (row.word == word) return row.status;
  }
  return 0;
}

std::optional<int64_t> count_of_modality(JsonValue details, std::string_view modality) {
  for (const JsonValue one : details) {
    if (one["modality"].string_or("") == modality) return count_of(one["tokenCount"]);
  }
  return std::nullopt;
}

// "34.4s"
std::optional<int64_t> duration_ms(std::string_view text) {
  double seconds = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failed != std::errc() || end == text.data() || *(text.data() + text.size() - 1) != 's')
    return std::nullopt;
  constexpr double kDayS = 86'400;
  if (!(seconds >= 0) || seconds > kDayS) return std::nullopt;
  return static_cast<int64_t>(seconds * 1000);
}

// What the details of an error say beside its words.
struct ErrorDetails {
  std::string_view reason;
  std::optional<int64_t> retry_ms;
  bool is_daily = false;  // a quota that comes back tomorrow
};

ErrorDetails details_of(JsonValue error) {
  ErrorDetails details;
  for (const JsonValue one : error["details"]) {
    const std::string_view type = one["@type"].string_or("");
    if (type.ends_with("RetryInfo")) details.retry_ms = duration_ms(one["retryDelay"].string_or(""));
    if (type.ends_with("ErrorInfo")) details.reason = one["reason"].string_or("");
    if (!type.ends_with("QuotaFailure")) continue;
    for (const JsonValue violation : one["violations"]) {
      if (violation["quotaId"].string_or("").find("PerDay") != std::string_view::npos)
        details.is_daily = true;
    }
  }
  return details;
}

Error error_of(JsonValue source, int status) {
  const std::string_view word = source["status"].string_or("");
  if (status == 0) status = status_of_word(word);
  const int64_t code = source["code"].int_or(0);
  if (status == 0 && code >= 400 && code < 600) status = static_cast<int>(code);
  if (status == 0) status = 500;
  const ErrorDetails details = details_of(source);
  Error error = classify_provider_error(
      {.status = status, .type = word, .code = details.reason, .message = source["message"].string_or("")});
  // A bad key is a bad argument to this vendor.
  if (details.reason == "API_KEY_INVALID" || details.reason == "API_KEY_SERVICE_BLOCKED") {
    error = classify_provider_error(
        {.status = 401, .type = word, .code = {}, .message = source["message"].string_or("")});
    error.upstream_status = status;
  }
  // It says "quota" of the requests a minute too: those come back soon.
  if (error.kind == ErrorKind::upstream_quota && status == 429 && details.retry_ms && !details.is_daily)
    error.kind = ErrorKind::upstream_rate_limited;
  error.retry_after_ms = details.retry_ms;
  return error;
}

}  // namespace

std::optional<Error> gemini_error_in(JsonValue body, int status) {
  const JsonValue holder = body.is_array() ? body.at(0) : body;
  const JsonValue error = holder["error"];
  if (!error.is_object()) return std::nullopt;
  return error_of(error, status);
}

StopReason decode_gemini_finish(std::string_view reason, bool has_calls) {
  const FinishRow* row = find_finish(reason);
  // A whole answer may leave it out.
  const StopReason stop = reason.empty() ? StopReason::end : row ? row->reason : StopReason::other;
  return stop == StopReason::end && has_calls ? StopReason::tool : stop;
}

std::string_view gemini_reason_word(std::string_view native) {
  const FinishRow* row = find_finish(native);
  return row ? row->word : std::string_view();
}

Usage decode_gemini_usage(JsonValue usage) {
  Usage into;
  into.cache_read = count_of(usage["cachedContentTokenCount"]);
  into.tool_prompt = count_of(usage["toolUsePromptTokenCount"]);
  into.out_reasoning = count_of(usage["thoughtsTokenCount"]);
  if (const auto audio = count_of_modality(usage["promptTokensDetails"], "AUDIO"); audio.value_or(0) > 0) {
    const int64_t cached = count_of_modality(usage["cacheTokensDetails"], "AUDIO").value_or(0);
    into.in_audio = std::max<int64_t>(0, *audio - cached);
  }
  if (const auto prompt = count_of(usage["promptTokenCount"])) {
    const int64_t rest = *prompt - into.cache_read.value_or(0) - into.in_audio.value_or(0);
    into.in_uncached = std::max<int64_t>(0, rest);
  }
  if (const auto audio = count_of_modality(usage["candidatesTokensDetails"], "AUDIO"); audio.value_or(0) > 0)
    into.out_audio = audio;
  if (const auto image = count_of_modality(usage["candidatesTokensDetails"], "IMAGE"); image.value_or(0) > 0)
    into.out_image = image;
  if (const auto candidates = count_of(usage["candidatesTokenCount"])) {
    const int64_t apart = into.out_audio.value_or(0) + into.out_image.value_or(0);
    into.out_text = std::max<int64_t>(0, *candidates - apart);
    if (into.in_uncached) into.stated_total = count_of(usage["totalTokenCount"]);
  }
  return into;
}

Result<std::vector<Event>> decode_gemini_answer(const WireReply& reply, const CallNotes& notes) {
  JsonScratch scratch;
  const JsonValue root = TRY(parse_answer(scratch, reply.body, JsonType::array));
  std::vector<Event> events;
  GeminiChunks chunks(notes);
  if (root.is_array()) {
    for (const JsonValue chunk : root) TRY(chunks.add(chunk, events));
  } else {
    TRY(chunks.add(root, events));
  }
  TRY(chunks.conclude(GeminiChunks::Source::whole, events));
  return events;
}

Result<std::vector<Event>> decode_gemini_count(const WireReply& reply) {
  JsonScratch scratch;
  const JsonValue root = TRY(parse_answer(scratch, reply.body));
  const auto count = count_of(root["totalTokens"]);
  if (!count) return fail(ErrorKind::upstream_malformed, "the provider's answer has no totalTokens");
  UsageReport report;
  report.usage.cache_read = count_of(root["cachedContentTokenCount"]);
  report.usage.in_uncached = std::max<int64_t>(0, *count - report.usage.cache_read.value_or(0));
  return std::vector<Event>{report, End{}};
}

Error decode_gemini_error(const WireReply& reply, int64_t wall_ns) {
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(reply.body), kProviderJson);
  std::optional<Error> stated;
  if (parsed) stated = gemini_error_in(parsed->root(), reply.status);
  Error error = stated ? std::move(*stated) : error_of_foreign_body(reply.status, reply.body);
  if (error.message.empty()) error = error_of_foreign_body(reply.status, reply.body);
  error.provider_body = reply.body.substr(0, kProviderBodyMax);
  if (const auto wait = retry_after_ms(*reply.headers, wall_ns)) error.retry_after_ms = wait;
  return error;
}

}  // namespace weir
