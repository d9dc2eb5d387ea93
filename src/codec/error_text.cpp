#include "codec/error_text.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>

#include "base/encoding.h"
#include "base/text.h"

namespace weir {
namespace {

// Words by which the vendors say that a prompt does not fit.
constexpr std::array<std::string_view, 9> kTooLong = {
    "context_length_exceeded",
    "prompt is too long",
    "input is too long",
    "input token count",
    "context window",
    "too many tokens",
    "exceeds the maximum number of tokens",
    "context length",
    "reduce the length of the messages",
};
constexpr std::array<std::string_view, 6> kPolicy = {
    "content_filter", "content_policy", "content management policy",
    "safety system",  "responsible ai", "flagged as potentially",
};
constexpr std::array<std::string_view, 5> kQuota = {
    "insufficient_quota", "exceeded your current quota", "credit balance is too low",
    "billing_hard_limit", "insufficient balance",
};
// Of a 401 or 403 that is about what the request names: the key itself is good.
constexpr std::array<std::string_view, 8> kNoRight = {
    "not have permission", "not have access",   "don't have access",   "insufficient permission",
    "missing scope",       "not authorized to", "unsupported_country", "access_terminated",
};
// Of a 403 that is about the key.
constexpr std::array<std::string_view, 9> kBadKey = {
    "api key",        "api_key",      "apikey",           "authentication",     "credential",
    "security token", "expiredtoken", "invalidsignature", "unrecognizedclient",
};
// By which an error without a status tells of load; "per min" of tokens or requests.
constexpr std::array<std::string_view, 5> kRate = {
    "rate limit", "rate_limit", "ratelimit", "too many requests", "per min",
};
constexpr std::array<std::string_view, 3> kOverloaded = {"overloaded", "over capacity", "at capacity"};
constexpr std::array<std::string_view, 3> kNoModel = {"model_not_found", "model not found", "unknown model"};

bool contains_ignore_case(std::string_view text, std::string_view word) {
  const auto found = std::search(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b);
  });
  return found != text.end();
}

template <size_t N>
bool says(const ProviderErrorWords& words, const std::array<std::string_view, N>& list) {
  return std::any_of(list.begin(), list.end(), [&](std::string_view word) {
    return contains_ignore_case(words.code, word) || contains_ignore_case(words.type, word) ||
           contains_ignore_case(words.message, word);
  });
}

// Much else may be missing: a vector store, a file, a conversation.
bool says_no_model(const ProviderErrorWords& words) {
  return says(words, kNoModel) || (contains_ignore_case(words.message, "model") &&
                                   contains_ignore_case(words.message, "does not exist"));
}

ErrorKind kind_of_status(int status) {
  switch (status) {
    case 401:
      return ErrorKind::upstream_auth;
    case 403:
      return ErrorKind::forbidden;
    case 402:
      return ErrorKind::upstream_quota;
    case 404:
      return ErrorKind::model_not_found;
    case 408:
    case 504:
      return ErrorKind::upstream_timeout;
    case 413:
      return ErrorKind::body_too_large;
    case 429:
      return ErrorKind::upstream_rate_limited;
    case 503:
    case 529:
      return ErrorKind::upstream_overloaded;
    default:
      return status >= 500 ? ErrorKind::upstream_error : ErrorKind::bad_request;
  }
}

// The status that the code or the type of an error would have had; 0: the word does not tell.
int status_of_word(std::string_view word) {
  struct Row {
    std::string_view word;
    int status;
  };
  constexpr std::array<Row, 16> kRows = {{{"context_length_exceeded", 400},
                                          {"content_filter", 400},
                                          {"invalid_prompt", 400},
                                          {"invalid_request_error", 400},
                                          {"authentication_error", 401},
                                          {"invalid_api_key", 401},
                                          {"billing_error", 402},
                                          {"permission_error", 403},
                                          {"not_found_error", 404},
                                          {"model_not_found", 404},
                                          {"request_too_large", 413},
                                          {"rate_limit_error", 429},
                                          {"rate_limit_exceeded", 429},
                                          {"server_is_overloaded", 503},
                                          {"overloaded_error", 529},
                                          {"timeout_error", 504}}};
  const auto* const row = std::ranges::find(kRows, word, &Row::word);
  return row == kRows.end() ? 0 : row->status;
}

// Errors inside a good answer have no status, and a type that says little ("tokens", "server_error"): the
// code tells more than the type, and both more than the words.
int status_meant(const ProviderErrorWords& words) {
  if (words.status >= 400) return words.status;
  for (const std::string_view word : {words.code, words.type}) {
    if (const int status = status_of_word(word)) return status;
  }
  // A limit of tokens in a minute speaks of too many tokens as well.
  if (says(words, kRate)) return 429;
  if (says(words, kTooLong) || says(words, kPolicy)) return 400;
  return says(words, kOverloaded) ? 503 : 500;
}

ErrorKind kind_of(const ProviderErrorWords& words) {
  const int status = status_meant(words);
  if (says(words, kQuota)) return ErrorKind::upstream_quota;
  if (status >= 500 || status == 429) return kind_of_status(status);
  if (status == 401) return says(words, kNoRight) ? ErrorKind::forbidden : ErrorKind::upstream_auth;
  if (says(words, kTooLong)) return ErrorKind::context_too_long;
  if (says(words, kPolicy)) return ErrorKind::content_policy;
  if ((status == 400 || status == 403) && says_no_model(words)) return ErrorKind::model_not_found;
  // A refusal of what one caller named must not cost all the others the key.
  if (status == 403 && !says(words, kNoRight) && says(words, kBadKey)) return ErrorKind::upstream_auth;
  return kind_of_status(status);
}

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_key_char(char c) {
  return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.' || c == '/' || c == '+';
}

}  // namespace

std::string hide_keys(std::string_view text) {
  // An ARN of AWS's users and roles, and OpenAI's id of an organisation, name the operator's account.
  constexpr std::array<std::string_view, 9> kStarts = {
      "sk-", "Bearer ", "wk_", "AIza", "gsk_", "xai-", "org-", "arn:aws:iam::", "arn:aws:sts::"};
  constexpr size_t kSecretMin = 8;
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const bool is_within_word = at > 0 && is_letter_or_digit(text[at - 1]);
    const auto start = is_within_word ? kStarts.end()
                                      : std::ranges::find_if(
                                            kStarts, [&](std::string_view s) { return rest.starts_with(s); });
    size_t length = 0;
    if (start != kStarts.end()) {
      length = start->size();
      while (length < rest.size() && (is_key_char(rest[length]) || rest[length] == '*')) ++length;
    }
    if (start != kStarts.end() && length >= std::max(kSecretMin + 3, start->size() + 4)) {
      out.append(*start).append("…");
      at += length;
    } else {
      out.push_back(text[at++]);
    }
  }
  return out;
}

Error classify_provider_error(const ProviderErrorWords& words) {
  Error error = make_error(kind_of(words), hide_keys(words.message));
  error.upstream_status = words.status;
  if (error.kind == ErrorKind::upstream_auth) {
    // The provider's refusal of Weir's key is not the caller's to fix, and names things of the operator's.
    error.detail = std::move(error.message);
    error.message =
        "the provider refused Weir's credentials; the operator of this gateway must look at its key";
  }
  if (error.kind == ErrorKind::bad_request && !words.code.empty()) error.code = words.code;
  return error;
}

Error error_of_foreign_body(int status, std::string_view body) {
  constexpr size_t kShown = 200;
  std::string shown;
  for (const char c : sanitize_utf8(clip_utf8(body, kShown))) {
    shown.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
  }
  // The words of a body that is no dialect's count only where they tell a bad key from a wish too many.
  Error error = classify_provider_error(
      {.status = status, .type = {}, .code = {}, .message = status == 403 ? std::string_view(shown) : ""});
  if (error.kind == ErrorKind::upstream_auth) return error;
  // A page instead of an answer, or nothing, is trouble on the way, whatever the status says of the request.
  const bool is_page = contains_ignore_case(body.substr(0, 512), "<html") ||
                       contains_ignore_case(body.substr(0, 512), "<!doctype");
  const bool blames_request = error.kind == ErrorKind::bad_request ||
                              error.kind == ErrorKind::model_not_found || error.kind == ErrorKind::forbidden;
  if ((is_page || body.empty()) && blames_request) error.kind = ErrorKind::upstream_error;
  error.message = fmt::format("the provider answered {} with {}", status,
                              body.empty() ? "no body" : "a body that is not its dialect's");
  if (!body.empty()) error.message += ": " + hide_keys(trim(shown));
  return error;
}

}  // namespace weir
