#include "api/responses.h"

#include <charconv>
#include <fmt/core.h>

#include "api/replies.h"
#include "base/limits.h"
#include "base/query.h"
#include "codec/responses_history.h"
#include "gateway/stored_responses.h"

namespace weir {
namespace {

constexpr int64_t kPageMax = 100;

// Null for what is kept beside answers, too.
Task<std::shared_ptr<const std::string>> find(Scope& scope, KeptTexts& responses, const Principal& principal,
                                              std::string id) {
  if (id.starts_with(kItemKeyStart)) co_return nullptr;
  co_return co_await responses.find(scope, principal, std::move(id));
}

// The provider that keeps the answer too, under the same id; empty: there is none.
std::string keeper_of(const std::string& kept) {
  const Result<JsonDoc> doc = JsonDoc::parse(kept, {.replaces_lone_surrogates = true});
  if (!doc || !doc->root()["is_raw"].bool_or(false)) return {};
  return std::string(doc->root()["provider"].string_or(""));
}

std::unexpected<Error> unknown(std::string_view id) {
  return fail(ErrorKind::not_found, fmt::format("there is no stored response {}", id), "response_id");
}

Result<ItemPage> page_of(std::string_view query) {
  ItemPage page;
  const std::vector<QueryField> fields = TRY(query_fields(query));
  for (const auto& [name, value] : fields) {
    if (name == "limit") {
      const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), page.limit);
      if (failed != std::errc() || end != value.data() + value.size() || page.limit < 1 ||
          page.limit > kPageMax)
        return fail(ErrorKind::bad_request, "limit is a number from 1 to 100", "limit");
    } else if (name == "order") {
      if (value != "asc" && value != "desc")
        return fail(ErrorKind::bad_request, "order is asc or desc", "order");
      page.is_ascending = value == "asc";
    } else if (name == "after") {
      page.after = value;
    }
  }
  return page;
}

Result<std::string> body_of(const std::string& kept, StoredPart part, const ItemPage& page) {
  const JsonDoc doc = TRY(JsonDoc::parse(kept, {.replaces_lone_surrogates = true}));
  if (part == StoredPart::input_items) return responses_input_list(doc.root(), page);
  return std::string(doc.root()["response"].raw());
}

}  // namespace

Task<void> send_stored_response(Scope& scope, Pool& cpu, KeptTexts& responses, const Principal& principal,
                                std::string id, StoredPart part, const HttpRequest& request,
                                ResponseWriter& response, const Headers& extra) {
  const ItemPage page = CO_TRY(page_of(request.query()));
  const std::shared_ptr<const std::string> kept = CO_TRY(co_await find(scope, responses, principal, id));
  if (!kept) co_return unknown(id);
  Result<std::string> body = std::string();
  if (kept->size() <= kJsonBytesOnCoreMax) {
    body = body_of(*kept, part, page);
  } else {
    body = co_await cpu.run(scope, [kept, part, page] { return body_of(*kept, part, page); });
  }
  const std::string json = CO_TRY(std::move(body));
  co_return co_await send_json(scope, response, 200, json, extra);
}

Task<void> refuse_to_cancel(Scope& scope, KeptTexts& responses, const Principal& principal, std::string id) {
  if (!CO_TRY(co_await find(scope, responses, principal, id))) co_return unknown(id);
  co_return fail(ErrorKind::bad_request,
                 fmt::format("{} cannot be cancelled: only a response that was created with background: true "
                             "can, and this one is complete",
                             id),
                 "response_id");
}

Task<void> delete_stored_response(Scope& scope, Pool& cpu, KeptTexts& responses, const Principal& principal,
                                  std::string id, DeleteCopy delete_copy, ResponseWriter& response,
                                  const Headers& extra) {
  const std::shared_ptr<const std::string> kept = CO_TRY(co_await find(scope, responses, principal, id));
  if (!kept) co_return unknown(id);
  std::string provider;
  if (kept->size() <= kJsonBytesOnCoreMax) {
    provider = keeper_of(*kept);
  } else {
    provider = CO_TRY(co_await cpu.run(scope, [kept]() -> Result<std::string> { return keeper_of(*kept); }));
  }
  bool is_gone = true;
  if (!provider.empty()) is_gone = CO_TRY(co_await delete_copy(std::move(provider), id));
  CO_TRY(co_await responses.forget(scope, principal, id));
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("id").value(id).key("object").value("response");
  json.key("deleted").value(is_gone).end_object();
  co_return co_await send_json(scope, response, 200, body, extra);
}

}  // namespace weir
