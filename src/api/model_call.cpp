#include "api/model_call.h"

#include <algorithm>
#include <charconv>

#include "api/replies.h"
#include "base/crypto.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "base/query.h"
#include "base/text.h"
#include "gateway/answer_writer.h"
#include "gateway/client_limit.h"
#include "gateway/form_upload.h"
#include "gateway/model_name.h"
#include "ops/trace_context.h"
#include "security/authenticate.h"

namespace weir {
namespace {

constexpr size_t kTagsMax = 16;

// Counts an exchange as open for as long as it lives.
class Admission {
 public:
  explicit Admission(std::atomic<int64_t>& open) : open_(open), count_(open.fetch_add(1) + 1) {}
  ~Admission() { open_.fetch_sub(1); }
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
  bool is_over_cap() const { return count_ > static_cast<int64_t>(kExchangesMax); }

 private:
  std::atomic<int64_t>& open_;
  const int64_t count_;
};

std::unexpected<Error> bad_wish(std::string_view header, std::string_view what) {
  return fail(ErrorKind::bad_request, fmt::format("{} is {}", header, what), std::string(header));
}

Result<Duration> timeout_of(const Headers& headers, const GatewaySettings& settings) {
  if (headers.contains(kTimeoutHeader) && !said_limit(headers))
    return bad_wish(kTimeoutHeader, "a number of milliseconds above 0");
  return std::min(settings.timeout, client_limit(headers).value_or(settings.timeout));
}

Result<bool> is_strict(const Headers& headers) {
  constexpr std::string_view kStrict = "x-weir-strict";
  const auto said = headers.get(kStrict);
  if (!said) return false;
  for (const std::string_view yes : {"1", "true", "yes", "on"}) {
    if (equals_ignore_case(*said, yes)) return true;
  }
  for (const std::string_view no : {"", "0", "false", "no", "off"}) {
    if (equals_ignore_case(*said, no)) return false;
  }
  return bad_wish(kStrict, "1 or 0 (or true or false)");
}

// The adapt stage reads it, where there is something to choose.
Result<void> check_choices(const Headers& headers) {
  const std::string_view said = headers.get_or("x-weir-choices", "");
  if (said.empty() || said == "error" || said == "fanout") return {};
  return bad_wish("x-weir-choices", "error or fanout");
}

Result<std::vector<Tag>> tags_of(const Headers& headers) {
  std::vector<Tag> tags;
  const std::string_view list = headers.get_or("x-weir-tags", "");
  for (const std::string_view part : split(list, ',')) {
    const std::string_view entry = trim(part);
    if (entry.empty()) continue;
    const size_t equals = entry.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return fail(ErrorKind::bad_request, "x-weir-tags is a list of name=value, separated by commas",
                  "x-weir-tags");
    }
    if (tags.size() == kTagsMax) return fail(ErrorKind::bad_request, "at most 16 tags", "x-weir-tags");
    tags.push_back({std::string(trim(entry.substr(0, equals))), std::string(trim(entry.substr(equals + 1)))});
  }
  return tags;
}

std::vector<std::string> regions_of(const Headers& headers) {
  std::vector<std::string> regions;
  for (const std::string_view part : split(headers.get_or("x-weir-region", ""), ',')) {
    if (const std::string_view region = trim(part); !region.empty()) regions.emplace_back(region);
  }
  return regions;
}

// To InvokeModel the body is bytes of a type that need not be stated: Amazon's SDK for JavaScript then calls
// them just that.
bool is_json(std::string_view type, Dialect dialect) {
  return type == "application/json" || starts_with_ignore_case(type, "application/json") ||
         (dialect == Dialect::bedrock_invoke && starts_with_ignore_case(type, "application/octet-stream"));
}

// Which form of body it is: that the endpoint takes it is checked.
Result<BodyForm> check_content(const Headers& headers, Dialect dialect, BodyForm taken) {
  if (const auto encoding = headers.get("content-encoding"); encoding && *encoding != "identity") {
    return fail(ErrorKind::unsupported_media_type,
                fmt::format("content-encoding {} is not accepted: send the body as it is", *encoding));
  }
  const std::string_view type = headers.get_or("content-type", "application/json");
  if (taken != BodyForm::multipart && is_json(type, dialect)) return BodyForm::json;
  if (taken != BodyForm::json && starts_with_ignore_case(type, "multipart/form-data"))
    return BodyForm::multipart;
  return fail(ErrorKind::unsupported_media_type,
              fmt::format("content-type {} is not accepted here: send {}", type,
                          taken == BodyForm::multipart ? "multipart/form-data" : "application/json"));
}

[[gnu::noinline]] Task<std::shared_ptr<const JsonDoc>> parse_in_pool(Scope& scope, Pool& cpu,
                                                                     std::string text) {
  auto shared = std::make_shared<std::string>(std::move(text));
  co_return co_await cpu.run(scope, [shared]() -> Result<std::shared_ptr<const JsonDoc>> {
    return std::make_shared<const JsonDoc>(TRY(JsonDoc::parse(std::move(*shared))));
  });
}

Result<void> authorise_model(const Principal& principal, std::string_view model) {
  if (may_use(principal, model)) return {};
  return fail(ErrorKind::forbidden, fmt::format("this key may not call the model {}", model), "model");
}

int64_t unix_seconds(const Exchange& exchange) {
  return exchange.wall_ns / 1'000'000'000;
}

// Of a caller who may be known only by the body.
size_t body_bytes_max(const Exchange& exchange, const Caller& caller) {
  const size_t bytes_max = exchange.snapshot->settings.body_bytes_max;
  return caller.principal ? bytes_max : std::min(bytes_max, kAnonymousBodyBytesMax);
}

[[gnu::noinline]] std::unexpected<Error> unread_body(const Caller& caller, Error error) {
  if (!caller.principal && error.kind == ErrorKind::body_too_large) {
    error.message +=
        "; a signed request with a larger body must send the body's hash in x-amz-content-sha256";
  }
  return fail(std::move(error));
}

// The caller of a signed request. The text comes back, since hashing a large one is work for the pool.
[[gnu::noinline]] Task<std::string> admit_signed(CoreServices& services, Exchange& exchange,
                                                 const Caller& caller, const HttpRequest& request,
                                                 std::string text) {
  std::string hash;
  if (text.size() <= kJsonBytesOnCoreMax) {
    hash = sha256_hex(text);
  } else {
    const auto shared = std::make_shared<std::string>(std::move(text));
    hash = CO_TRY(co_await services.cpu->run(
        *exchange.scope, [shared]() -> Result<std::string> { return sha256_hex(*shared); }));
    text = std::move(*shared);
  }
  exchange.principal =
      CO_TRY(admit_body(request, caller, exchange.snapshot->keys, unix_seconds(exchange), hash));
  co_return text;
}

// Most callers ask nothing of Weir itself, and are spared a look-up for each wish.
bool has_wishes(const Headers& headers) {
  for (const HeaderField field : headers) {
    if (starts_with_ignore_case(field.name, "x-weir-")) return true;
  }
  return false;
}

// What the caller asks of Weir itself, in headers of its own.
Result<void> read_wishes(Exchange& exchange, const Headers& headers) {
  if (!has_wishes(headers)) return {};
  exchange.tags = TRY(tags_of(headers));
  if (const auto priority = headers.get("x-weir-priority")) {
    const auto known = priority_from_string(*priority);
    if (!known) return bad_wish("x-weir-priority", "interactive, normal or batch");
    exchange.priority = *known;
  }
  exchange.is_strict = TRY(is_strict(headers));
  TRY(check_choices(headers));
  exchange.session = headers.get_or("x-weir-session", "");
  exchange.regions = regions_of(headers);
  return {};
}

// What a body says of itself becomes tags, behind those of the head, as far as OpenAI's own bounds of
// metadata go (16 pairs, keys of 64 and values of 512): more is no label, and the access log holds each.
void add_metadata(Exchange& exchange) {
  constexpr size_t kKeyBytesMax = 64;
  constexpr size_t kValueBytesMax = 512;
  const Chat* chat = exchange.chat();
  if (!chat) return;
  for (const MetadataEntry& entry : chat->metadata) {
    if (exchange.tags.size() == kTagsMax) return;
    const bool is_label = entry.key.size() <= kKeyBytesMax && entry.value.size() <= kValueBytesMax;
    const bool is_known =
        std::ranges::any_of(exchange.tags, [&](const Tag& tag) { return tag.key == entry.key; });
    if (is_label && !is_known) exchange.tags.push_back({std::string(entry.key), std::string(entry.value)});
  }
}

// The model that is named beside a form; empty for none.
Result<std::string> model_beside(const HttpRequest& request) {
  if (const auto header = request.headers.get("x-weir-model")) return std::string(trim(*header));
  std::optional<std::string> model = TRY(query_value(request.query(), "model"));
  return std::move(model).value_or("");
}

// The length that framing has checked already.
std::optional<uint64_t> length_of(const Headers& headers) {
  const std::string_view text = headers.get_or("content-length", "");
  uint64_t length = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return length;
}

// A form is read as far as the name of its model; the pipeline reads the rest.
[[gnu::noinline]] Task<void> read_form(Exchange& exchange, const Caller& caller, HttpRequest& request,
                                       BodyReader& body) {
  if (caller.is_signed) {
    co_return fail(ErrorKind::unauthenticated,
                   "a form passes before its signature could be checked: send `authorization: Bearer KEY`");
  }
  FormUpload::Head head;
  head.boundary = CO_TRY(multipart_boundary(request.headers.get_or("content-type", "")));
  head.model = CO_TRY(model_beside(request));
  head.bytes_max = exchange.snapshot->settings.body_bytes_max;
  head.length = length_of(request.headers);
  auto form = std::make_unique<FormUpload>(body, std::move(head));
  CO_TRY(co_await form->open(*exchange.scope));
  exchange.form = std::move(form);
  exchange.call.form = exchange.form.get();
  exchange.call.headers = std::move(request.headers);
  exchange.timings.mark(Mark::body, exchange.now());
  co_return {};
}

// The request in what came in, whose model the caller may use.
Result<void> decode(Exchange& exchange) {
  Result<Request> decoded = exchange.client_codec->decode_request(exchange.call);
  if (!decoded) return std::move(decoded).fail();
  // Before the exchange has it: its headers and its line in the log say the name.
  TRY(check_model_name(model_of(*decoded)));
  exchange.request = *std::move(decoded);
  TRY(authorise_model(*exchange.principal, model_of(exchange.request)));
  add_metadata(exchange);
  exchange.timings.mark(Mark::decoded, exchange.now());
  return {};
}

// Everything up to the pipeline. Errors are the caller's to write. Not inlined, or the optimiser would make
// its frame a part of the caller's, which lives as long as the answer.
[[gnu::noinline]] Task<void> prepare(CoreServices& services, Exchange& exchange, BodyForm taken,
                                     HttpRequest& request, BodyReader& body) {
  const Snapshot& snapshot = *exchange.snapshot;
  const Caller caller = CO_TRY(authenticate(
      request, snapshot.keys, {.allowed_origins = snapshot.settings.cors_origins}, unix_seconds(exchange)));
  if (caller.principal) exchange.principal = caller.principal;
  const BodyForm form = CO_TRY(check_content(request.headers, exchange.call.dialect, taken));
  CO_TRY(read_wishes(exchange, request.headers));
  const Duration timeout = CO_TRY(timeout_of(request.headers, snapshot.settings));
  exchange.scope->set_deadline(request.first_byte_at + timeout);
  if (form == BodyForm::multipart) {
    CO_TRY(co_await read_form(exchange, caller, request, body));
    co_return decode(exchange);
  }
  Result<std::string> read = co_await body.read_all(*exchange.scope, body_bytes_max(exchange, caller));
  if (!read) co_return unread_body(caller, std::move(read).error());
  std::string& text = *read;
  if (caller.is_signed)
    text = CO_TRY(co_await admit_signed(services, exchange, caller, request, std::move(text)));
  exchange.timings.mark(Mark::body, exchange.lately(Mark::head));
  if (text.empty()) co_return fail(ErrorKind::bad_request, "the request has no body: send a JSON object");
  exchange.call.headers = std::move(request.headers);
  if (text.size() <= kJsonBytesOnCoreMax) {
    exchange.call.body = std::make_shared<const JsonDoc>(CO_TRY(JsonDoc::parse(std::move(text))));
  } else {
    exchange.call.body = CO_TRY(co_await parse_in_pool(*exchange.scope, *services.cpu, std::move(text)));
  }
  co_return decode(exchange);
}

[[gnu::noinline]] void begin(Exchange& exchange, CoreServices& services, EndpointMatch& match, Scope& scope,
                             HttpRequest& request) {
  const ClientCodec& codec = match.row->codec();
  exchange.wall_ns = services.core->clock().wall_ns();
  exchange.id = make_id("req", exchange.wall_ns, services.core->rng());
  exchange.scope = &scope;
  exchange.snapshot = services.snapshot;
  exchange.call.dialect = codec.dialect();
  exchange.call.method = request.method;
  exchange.call.path = request.path();
  exchange.call.query = request.query();
  exchange.call.path_model = std::move(match.model);
  exchange.client_codec = &codec.for_call(exchange.call);
  exchange.trace = trace_from(request.headers, services.core->rng(), services.trace_sample_ratio);
  exchange.timings.mark(Mark::first_byte, request.first_byte_at);
  exchange.timings.mark(Mark::head, request.head_at);
}

[[gnu::noinline]] std::unexpected<Error> too_many() {
  Error error =
      make_error(ErrorKind::overloaded, "too many model calls are under way; try again in a second");
  error.retry_after_ms = 1000;
  return fail(std::move(error));
}

}  // namespace

Task<void> serve_model_call(CoreServices& services, EndpointMatch match, Scope& scope, HttpRequest& request,
                            BodyReader& body, ResponseWriter& response) {
  Exchange exchange;
  begin(exchange, services, match, scope, request);
  const Headers extra = cors_headers(request, exchange.snapshot->settings);

  const Admission admission(*services.exchanges_open);
  Result<void> prepared;
  if (admission.is_over_cap()) {
    prepared = too_many();
  } else {
    prepared = co_await prepare(services, exchange, match.row->body, request, body);
  }
  services.observer->started(exchange);
  Result<void> written;
  AnswerWriter writer(exchange, response, extra);
  if (!prepared) {
    written = co_await writer.fail_with(prepared.error());
  } else {
    writer.watch_silence();
    Result<std::unique_ptr<EventSource>> source = co_await services.pipeline->run(exchange);
    written = source ? co_await writer.write(**source) : co_await writer.fail_with(source.error());
    if (source && exchange.drains()) (void)co_await writer.drain(**source);
    // The source is gone before the outcome is told: what it settles on its way out is part of the record.
  }
  // Of an answer that left whole the writer has marked it.
  if (!exchange.timings.has(Mark::done)) exchange.timings.mark(Mark::done, exchange.now());
  services.observer->ended(exchange, writer.outcome(written));
  co_return written;
}

}  // namespace weir
