#include "api/models.h"

#include <algorithm>
#include <charconv>
#include <fmt/core.h>

#include "api/replies.h"
#include "base/json.h"
#include "base/query.h"

namespace weir {
namespace {

// Neither vendor's clients use the date; both shapes require one. The day Weir began.
constexpr int64_t kCreatedS = 1'763'596'800;
constexpr std::string_view kCreatedAt = "2025-11-20T00:00:00Z";
constexpr int64_t kPageDefault = 20;
constexpr int64_t kPageMax = 1000;
constexpr int64_t kGeminiPageDefault = 50;

std::string_view owner_of(const Snapshot& snapshot, std::string_view model) {
  const auto match = snapshot.routes.find(model);
  if (!match || match->route->targets.empty()) return "weir";
  return match->route->targets.front().provider->name;
}

void write_openai(JsonWriter& json, const Snapshot& snapshot, std::string_view model) {
  json.begin_object();
  json.key("id").value(model).key("object").value("model").key("created").value(kCreatedS);
  json.key("owned_by").value(owner_of(snapshot, model)).end_object();
}

void write_anthropic(JsonWriter& json, std::string_view model) {
  json.begin_object().key("type").value("model").key("id").value(model);
  json.key("display_name").value(model).key("created_at").value(kCreatedAt).key("lifecycle").value("active");
  json.end_object();
}

// Vertex AI calls them publisher models, and names them by their publisher.
bool is_vertex_path(std::string_view path) {
  return path.find("/publishers/") != std::string_view::npos;
}

void write_gemini(JsonWriter& json, const Snapshot& snapshot, std::string_view path, std::string_view model) {
  json.begin_object();
  json.key("name").value(fmt::format("{}models/{}", is_vertex_path(path) ? "publishers/google/" : "", model));
  json.key("version").value("001").key("displayName").value(model);
  json.key("description").value(fmt::format("{} at {}", model, owner_of(snapshot, model)));
  json.key("supportedGenerationMethods").begin_array();
  for (const std::string_view method :
       {"generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents"})
    json.value(method);
  json.end_array().end_object();
}

Result<int64_t> page_number(const std::string& value, std::string_view name) {
  int64_t number = 0;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (failed != std::errc() || end != value.data() + value.size() || number < 1 || number > kPageMax) {
    return fail(ErrorKind::bad_request, fmt::format("{} is a number from 1 to {}", name, kPageMax),
                std::string(name));
  }
  return number;
}

// A page's token is the last name of the page before it.
Result<std::string> gemini_page(const Snapshot& snapshot, const std::vector<std::string>& names,
                                std::string_view path, std::string_view query) {
  int64_t size = kGeminiPageDefault;
  std::string token;
  const std::vector<QueryField> fields = TRY(query_fields(query));
  for (const QueryField& field : fields) {
    if (field.name == "pageToken") token = field.value;
    if (field.name == "pageSize" && field.value != "0") size = TRY(page_number(field.value, "pageSize"));
  }
  auto first = names.begin();
  if (!token.empty()) first = std::upper_bound(first, names.end(), token);
  const auto last = names.end() - first > size ? first + size : names.end();
  std::string out;
  JsonWriter json(out);
  json.begin_object().key(is_vertex_path(path) ? "publisherModels" : "models").begin_array();
  for (auto name = first; name != last; ++name) write_gemini(json, snapshot, path, *name);
  json.end_array();
  if (last != names.end()) json.key("nextPageToken").value(*(last - 1));
  json.end_object();
  return out;
}

struct Page {
  int64_t limit = kPageDefault;
  std::string after;
  std::string before;
};

Result<Page> page_of(std::string_view query) {
  Page page;
  const std::vector<QueryField> fields = TRY(query_fields(query));
  for (const QueryField& field : fields) {
    if (field.name == "after_id") page.after = field.value;
    if (field.name == "before_id") page.before = field.value;
    if (field.name == "limit") page.limit = TRY(page_number(field.value, "limit"));
  }
  return page;
}

std::string anthropic_page(const std::vector<std::string>& names, const Page& page) {
  auto first = names.begin();
  auto last = names.end();
  if (!page.after.empty()) first = std::upper_bound(first, last, page.after);
  if (!page.before.empty()) last = std::lower_bound(first, last, page.before);
  const bool has_more = last - first > page.limit;
  if (has_more) {
    // A page before an id is the one that ends there.
    if (page.before.empty()) {
      last = first + page.limit;
    } else {
      first = last - page.limit;
    }
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("data").begin_array();
  for (auto name = first; name != last; ++name) write_anthropic(json, *name);
  json.end_array().key("has_more").value(has_more);
  if (first == last) {
    json.key("first_id").null().key("last_id").null();
  } else {
    json.key("first_id").value(*first).key("last_id").value(*(last - 1));
  }
  json.end_object();
  return out;
}

std::vector<std::string> visible_models(const Snapshot& snapshot, const Principal& principal) {
  std::vector<std::string> names = snapshot.routes.names();
  std::erase_if(names, [&](const std::string& name) { return !may_use(principal, name); });
  return names;
}

enum class Shape : uint8_t { openai, anthropic, gemini };

Shape shape_of(const HttpRequest& request) {
  if (wants_anthropic_shape(request.headers)) return Shape::anthropic;
  return wants_gemini_shape(request.path(), request.headers) ? Shape::gemini : Shape::openai;
}

Result<std::string> list_of_models(const Snapshot& snapshot, const Principal& principal, Shape shape,
                                   std::string_view path, std::string_view query) {
  const std::vector<std::string> names = visible_models(snapshot, principal);
  if (shape == Shape::anthropic) return anthropic_page(names, TRY(page_of(query)));
  if (shape == Shape::gemini) return gemini_page(snapshot, names, path, query);
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("object").value("list").key("data").begin_array();
  for (const std::string& name : names) write_openai(json, snapshot, name);
  json.end_array().end_object();
  return out;
}

}  // namespace

bool wants_anthropic_shape(const Headers& headers) {
  return headers.contains("anthropic-version");
}

bool wants_gemini_shape(std::string_view path, const Headers& headers) {
  return path.find("/v1beta") != std::string_view::npos || headers.contains("x-goog-api-key") ||
         headers.contains("x-goog-api-client");
}

Task<void> send_models(Scope& scope, Pool& cpu, std::shared_ptr<const Snapshot> snapshot,
                       const Principal& principal, const HttpRequest& request, ResponseWriter& response,
                       const Headers& extra) {
  // There may be ten thousand: too long for a core. Of the request there are copies, since the job may
  // outlive it.
  auto listed = [snapshot = std::move(snapshot), &principal, shape = shape_of(request),
                 path = std::string(request.path()), query = std::string(request.query())] {
    return list_of_models(*snapshot, principal, shape, path, query);
  };
  const std::string body = CO_TRY(co_await cpu.run(scope, std::move(listed)));
  co_return co_await send_json(scope, response, 200, body, extra);
}

Task<void> send_model(Scope& scope, const Snapshot& snapshot, const Principal& principal, std::string_view id,
                      const HttpRequest& request, ResponseWriter& response, const Headers& extra) {
  CO_TRY(snapshot.routes.find(id));
  if (!may_use(principal, id)) {
    co_return fail(ErrorKind::model_not_found, fmt::format("there is no model {} for this key", id), "model");
  }
  std::string out;
  JsonWriter json(out);
  switch (shape_of(request)) {
    case Shape::anthropic:
      write_anthropic(json, id);
      break;
    case Shape::gemini:
      write_gemini(json, snapshot, request.path(), id);
      break;
    case Shape::openai:
      write_openai(json, snapshot, id);
      break;
  }
  co_return co_await send_json(scope, response, 200, out, extra);
}

}  // namespace weir
