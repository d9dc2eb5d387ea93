#include "provider/credential_fetch.h"

#include <charconv>
#include <chrono>
#include <fmt/core.h>
#include <fstream>

#include "base/crypto.h"
#include "base/encoding.h"
#include "base/text.h"
#include "io/pool.h"

namespace weir {
namespace {

// Servers that say nothing of a token's life mean an hour.
constexpr int64_t kTokenSecondsDefault = 3600;
constexpr int64_t kTokenSecondsMax = 366 * 86'400;
constexpr int64_t kSecondNs = 1'000'000'000;

std::unexpected<Error> refuse(std::string message, std::string detail = {}) {
  Error error = make_error(ErrorKind::upstream_auth, std::move(message));
  error.detail = std::move(detail);
  return fail(std::move(error));
}

// The two letters of `text` at `at` as a number; -1 for what is none.
int number_at(std::string_view text, size_t at, size_t digits) {
  int value = -1;
  const char* const begin = text.data() + at;
  const auto [end, failed] = std::from_chars(begin, begin + digits, value);
  return failed == std::errc() && end == begin + digits && *begin != '-' ? value : -1;
}

Result<JsonDoc> parse_answer(std::string_view what, std::string body) {
  Result<JsonDoc> doc = JsonDoc::parse(std::move(body), {.depth_max = 8, .nodes_max = 1000});
  if (!doc) return refuse(fmt::format("{} did not answer in JSON", what), doc.error().message);
  return doc;
}

// The whole seconds of "expires_in", which some servers write as text; nullopt for what is neither.
std::optional<int64_t> seconds_of(JsonValue value) {
  if (value.is_absent()) return kTokenSecondsDefault;
  int64_t seconds = value.int_or(-1);
  if (value.is_string()) {
    const std::string_view text = value.string_or("");
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  }
  if (seconds < 0) return std::nullopt;
  return std::min(seconds, kTokenSecondsMax);
}

}  // namespace

Task<CredentialReply> exchange_credential(Scope& scope, CredentialTools tools, CredentialRequest request) {
  const ClientRequest wire{.origin = request.url.origin,
                           .method = request.method,
                           .target = request.url.target,
                           .headers = &request.headers,
                           .body = request.body};
  Result<std::unique_ptr<ClientResponse>> response = co_await tools.client.send(scope, wire);
  if (!response) {
    if (scope.is_cancelled()) co_return fail(scope.reason());
    co_return refuse(fmt::format("{} cannot be reached", request.what), response.error().message);
  }
  CredentialReply reply;
  reply.status = (*response)->status;
  Result<std::string> body = co_await read_all(scope, **response, kCredentialBytesMax);
  if (!body) {
    if (scope.is_cancelled()) co_return fail(scope.reason());
    co_return refuse(fmt::format("the answer of {} is broken or too large", request.what),
                     body.error().message);
  }
  reply.body = *std::move(body);
  co_return reply;
}

Task<std::string> fetch_credential_text(Scope& scope, CredentialTools tools, CredentialRequest request) {
  const std::string what = request.what;
  CredentialReply reply = CO_TRY(co_await exchange_credential(scope, tools, std::move(request)));
  if (reply.status >= 200 && reply.status < 300) co_return std::move(reply.body);
  Error error = make_error(ErrorKind::upstream_auth, fmt::format("{} answered {}", what, reply.status));
  error.upstream_status = reply.status;
  error.provider_body = clip_utf8(reply.body, kProviderBodyMax);
  error.detail = clip_utf8(reply.body, 300);
  co_return fail(std::move(error));
}

std::string form_of(const std::vector<std::pair<std::string_view, std::string_view>>& fields) {
  std::string form;
  for (const auto& [name, value] : fields) {
    if (!form.empty()) form += '&';
    form.append(name).append("=").append(percent_encode(value, UrlPart::unreserved));
  }
  return form;
}

CredentialRequest form_request(std::string what, Url url, std::string form) {
  return {.what = std::move(what),
          .url = std::move(url),
          .method = "POST",
          .headers = {{"content-type", "application/x-www-form-urlencoded"}, {"accept", "application/json"}},
          .body = std::move(form)};
}

Result<Credential> parse_token_answer(std::string_view what, std::string body, int64_t wall_ns) {
  const JsonDoc doc = TRY(parse_answer(what, std::move(body)));
  const std::string_view token = doc.root()["access_token"].string_or("");
  const std::optional<int64_t> seconds = seconds_of(doc.root()["expires_in"]);
  if (token.empty() || !seconds) return refuse(fmt::format("{} answered without a usable token", what));
  return Credential{
      .secret = Secret::copy_of(token), .is_token = true, .expires_at_ns = wall_ns + *seconds * kSecondNs};
}

Result<Credential> parse_metadata_answer(std::string_view what, std::string body) {
  const JsonDoc doc = TRY(parse_answer(what, std::move(body)));
  const JsonValue root = doc.root();
  const std::string_view id = root["AccessKeyId"].string_or("");
  const std::string_view secret = root["SecretAccessKey"].string_or("");
  if (id.empty() || secret.empty()) return refuse(fmt::format("{} answered without a key pair", what));
  Credential credential{.access_key_id = std::string(id),
                        .secret = Secret::copy_of(secret),
                        .session_token = Secret::copy_of(root["Token"].string_or(""))};
  if (root["Expiration"].is_absent()) return credential;
  const std::optional<int64_t> end = parse_utc_seconds(root["Expiration"].string_or(""));
  if (!end) return refuse(fmt::format("{} answered with an Expiration that is no time", what));
  credential.expires_at_ns = *end * kSecondNs;
  return credential;
}

std::optional<int64_t> parse_utc_seconds(std::string_view text) {
  constexpr std::string_view kForm = "2026-11-25T12:00:00";
  if (text.size() < kForm.size() + 1 || !text.ends_with('Z')) return std::nullopt;
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool is_digit = kForm[i] >= '0' && kForm[i] <= '9';
    if (is_digit ? text[i] < '0' || text[i] > '9' : text[i] != kForm[i]) return std::nullopt;
  }
  const std::string_view rest = text.substr(kForm.size(), text.size() - kForm.size() - 1);
  if (!rest.empty() && (rest.front() != '.' || rest.size() < 2 ||
                        rest.find_first_not_of("0123456789", 1) != std::string_view::npos)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day day{std::chrono::year(number_at(text, 0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number_at(text, 5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number_at(text, 8, 2)))};
  const int hour = number_at(text, 11, 2);
  const int minute = number_at(text, 14, 2);
  const int second = number_at(text, 17, 2);
  // Years whose nanoseconds fit an int64.
  const bool fits = number_at(text, 0, 4) >= 1970 && number_at(text, 0, 4) <= 2200;
  if (!day.ok() || !fits || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return std::chrono::sys_days(day).time_since_epoch().count() * 86'400LL + hour * 3600 + minute * 60 +
         second;
}

Result<std::string> read_credential_file(std::string_view what, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return refuse(fmt::format("the file of {} cannot be read", what), path);
  std::string text(kCredentialBytesMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > kCredentialBytesMax)
    return refuse(fmt::format("the file of {} is too large", what), path);
  text = trim(text);
  if (text.empty()) return refuse(fmt::format("the file of {} is empty", what), path);
  return text;
}

Task<std::string> load_credential_file(Scope& scope, CredentialTools tools, std::string what,
                                       std::string path) {
  co_return co_await tools.files.run(
      scope, [what, path]() -> Result<std::string> { return read_credential_file(what, path); });
}

std::string identity_of(const std::vector<std::string_view>& parts) {
  std::string all;
  for (const std::string_view part : parts) all.append(fmt::format("{}:", part.size())).append(part);
  return sha256_hex(all);
}

std::string authority_of(const Origin& origin) {
  const std::string text = to_string(origin);
  return text.substr(text.find("//") + 2);
}

std::string variable(const std::map<std::string, std::string>& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : std::string(trim(found->second));
}

}  // namespace weir
