#include "gateway/adapt_media.h"

#include <fmt/core.h>

#include "base/encoding.h"
#include "codec/media_source.h"
#include "io/fetch.h"
#include "llm/media_type.h"

namespace weir {
namespace {

struct Wanted {
  Media* media = nullptr;
  bool is_document = false;
  std::string field;    // of the caller's body, for messages
  std::string pointer;  // the same as a JSON pointer, for reports
};

struct Takes {
  explicit Takes(const Candidate& target) {
    const DialectTraits dialect =
        target.target->provider->local ? DialectTraits{} : traits(target.target->provider->kind.dialect);
    images = target.capabilities.image_url.value_or(dialect.image_urls);
    documents = target.capabilities.document_url.value_or(dialect.document_urls);
    // A target that looks at no image is told so by its codec; nothing is fetched for that.
    if (target.capabilities.vision == false) images = true;
  }
  bool all() const { return images && documents; }

  bool images = true;
  bool documents = true;
};

// Calls visit(Media&, is_document, block, message index, block index) for each URL that has to be fetched.
template <class BlockType, class Visit>
void for_each_url(BlockType& block, const Takes& takes, const Visit& visit) {
  if (auto* image = std::get_if<ImageBlock>(&block.body)) {
    if (!takes.images && is_web_url(image->media.url)) visit(image->media, false, block);
  } else if (auto* document = std::get_if<DocumentBlock>(&block.body)) {
    if (!takes.documents && is_web_url(document->media.url)) visit(document->media, true, block);
  } else if (auto* result = std::get_if<ToolResultBlock>(&block.body)) {
    for (auto& inner : result->content) for_each_url(inner, takes, visit);
  }
}

// "/messages/0/content/1" as "messages[0].content[1]".
std::string field_of(std::string_view pointer) {
  std::string field;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::string_view part = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(part.size());
    if (!part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos) {
      field += fmt::format("[{}]", part);
    } else {
      field += fmt::format("{}{}", field.empty() ? "" : ".", part);
    }
  }
  return field;
}

std::vector<Wanted> wanted_of(Chat& chat, const Takes& takes) {
  std::vector<Wanted> wanted;
  for (size_t i = 0; i < chat.messages.size(); ++i) {
    auto& content = chat.messages[i].content;
    for (size_t j = 0; j < content.size(); ++j) {
      for_each_url(content[j], takes, [&](Media& media, bool is_document, const Block& block) {
        std::string pointer(block.pointer);
        if (pointer.empty()) pointer = fmt::format("/messages/{}/content/{}", i, j);
        wanted.push_back({.media = &media,
                          .is_document = is_document,
                          .field = field_of(pointer),
                          .pointer = std::move(pointer)});
      });
    }
  }
  return wanted;
}

// The label `result` of weir_fetches_total.
std::string_view result_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::forbidden:
      return "forbidden";
    case ErrorKind::body_too_large:
      return "too_large";
    case ErrorKind::unsupported_media_type:
      return "unknown_type";
    case ErrorKind::upstream_timeout:
      return "timeout";
    case ErrorKind::cancelled:
      return "cancelled";
    default:
      return "failed";
  }
}

// What the bytes are, as far as the block can hold it.
Result<std::string_view> type_of(std::string_view bytes, bool is_document) {
  const std::string_view type = media_type_of(bytes);
  if (is_document && type.empty() && !bytes.empty() && is_utf8(bytes)) return "text/plain";
  if (!type.empty() && (is_document || type.starts_with("image/"))) return type;
  return fail(ErrorKind::unsupported_media_type,
              is_document ? "it is neither PDF nor plain text" : "it is none of JPEG, PNG, GIF and WebP");
}

// Of one URL: its text for the arena. Encoding 256 KB takes a core 100 µs.
Task<std::string> encode(Scope& scope, Pool& cpu, std::string bytes) {
  if (bytes.size() <= kJsonBytesOnCoreMax) co_return base64_encode(bytes);
  auto shared = std::make_shared<std::string>(std::move(bytes));
  co_return co_await cpu.run(scope, [shared]() -> Result<std::string> { return base64_encode(*shared); });
}

Task<void> fetch_one(Scope& scope, const MediaFetcher& fetcher, FetchLimits limits, const Wanted& wanted,
                     Arena& arena) {
  const std::string url(wanted.media->url);
  Result<std::string> bytes = co_await fetch_url(scope, fetcher.client(), url, limits);
  Result<std::string_view> type =
      bytes ? type_of(*bytes, wanted.is_document) : Result<std::string_view>(fail(Error(bytes.error())));
  if (!type) {
    fetcher.fetches.with({result_of(type.error())}).add();
    // Not the first failure of this request: its reason stands already.
    if (scope.is_cancelled()) co_return fail(Error(scope.reason()));
    Error error = std::move(type).error();
    error.message = fmt::format("the {} at {} cannot be fetched for this model: {}",
                                wanted.is_document ? "document" : "image", url, error.message);
    error.kind = ErrorKind::bad_request;
    error.path = wanted.field;
    scope.cancel(error);
    co_return fail(std::move(error));
  }
  fetcher.fetches.with({"ok"}).add();
  std::string base64 = CO_TRY(co_await encode(scope, *fetcher.cpu, std::move(*bytes)));
  wanted.media->base64 = arena.keep(std::move(base64));
  wanted.media->mime = *type;
  wanted.media->url = {};
  co_return {};
}

}  // namespace

CounterFamily fetch_counter(MetricsRegistry& metrics) {
  return metrics.counter({.name = "weir_fetches_total",
                          .help = "URLs of images and documents fetched for targets that cannot.",
                          .labels = {"result"}});
}

bool needs_media(const Chat& chat, const Candidate& target) {
  const Takes takes(target);
  if (takes.all()) return false;
  bool needs = false;
  for (const Message& message : chat.messages) {
    for (const Block& block : message.content) {
      for_each_url(block, takes, [&](const Media&, bool, const Block&) { needs = true; });
    }
  }
  return needs;
}

Task<void> fetch_media(Scope& scope, const MediaFetcher& fetcher, const FetchSettings& settings,
                       const Candidate& target, Chat& adapted, Fidelity& fidelity) {
  const std::vector<Wanted> wanted = wanted_of(adapted, Takes(target));
  if (wanted.size() > kFetchesPerRequestMax) {
    co_return fail(
        ErrorKind::bad_request,
        fmt::format("{} images and documents are given by URL and this model takes only their bytes; "
                    "at most {} are fetched: send the others as data",
                    wanted.size(), kFetchesPerRequestMax),
        wanted[kFetchesPerRequestMax].field);
  }
  // All of them together stay within what one body may hold.
  FetchLimits limits{.bytes_max = std::min(settings.bytes_max, kBodyBytesMax / wanted.size()),
                     .timeout = settings.timeout};
  Scope fetches(scope);
  for (const Wanted& one : wanted) {
    fidelity.add(Severity::info, LossReason::emulated, one.pointer, "url", "bytes");
    fetches.spawn(fetch_one(fetches, fetcher, limits, one, *adapted.arena));
  }
  co_return co_await fetches.join_all();
}

}  // namespace weir
