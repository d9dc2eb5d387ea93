#include "codec/responses_history.h"

#include <algorithm>
#include <fmt/core.h>
#include <vector>

#include "io/sse.h"

namespace weir {
namespace {

// What a response carries beside its items that a request must not say.
bool is_dropped(std::string_view key) {
  return key == "input" || key == "previous_response_id";
}

// The items of a request's input; plain text is one message of the user.
void write_input(JsonWriter& json, JsonValue input) {
  if (input.is_string()) {
    json.begin_object().key("type").value("message").key("role").value("user").key("content");
    json.raw(input.raw()).end_object();
  }
  for (const JsonValue item : input) json.raw(item.raw());
}

struct Item {
  std::string id;
  std::string text;
};

// A message in the short form (no id, no type, content as plain text) is given in the full one, which clients
// parse; other items as they are, with an id.
Item listed_item(JsonValue item, std::string_view response_id, size_t index) {
  Item made;
  made.id = std::string(item["id"].string_or(""));
  const bool has_id = !made.id.empty();
  if (!has_id) made.id = fmt::format("item_{}_{}", response_id, index);
  const bool is_message = item["type"].string_or("message") == "message";
  JsonWriter json(made.text);
  json.begin_object().key("id").value(made.id);
  if (!item["type"]) json.key("type").value("message");
  for (const JsonValue member : item) {
    if (member.key() == "id") continue;
    json.key(member.key());
    if (is_message && member.key() == "content" && member.is_string()) {
      const bool is_answer = item["role"].string_or("") == "assistant";
      json.begin_array().begin_object().key("type").value(is_answer ? "output_text" : "input_text");
      json.key("text").raw(member.raw());
      if (is_answer) json.key("annotations").begin_array().end_array();
      json.end_object().end_array();
    } else {
      json.raw(member.raw());
    }
  }
  if (is_message && !item["status"]) json.key("status").value("completed");
  json.end_object();
  return made;
}

}  // namespace

std::string keep_responses_conversation(JsonValue body, std::string_view response, std::string_view provider,
                                        bool is_raw) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("provider").value(provider).key("is_raw").value(is_raw);
  json.key("input").begin_array();
  write_input(json, body["input"]);
  json.end_array().key("response").raw(response).end_object();
  return out;
}

Result<std::string> continued_responses_body(JsonValue kept, JsonValue body) {
  const JsonValue input = body["input"];
  if (!input.is_absent() && !input.is_string() && !input.is_array())
    return fail(ErrorKind::bad_request, "input is a text or a list of items", "input");
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  for (const JsonValue member : body) {
    if (!is_dropped(member.key())) json.key(member.key()).raw(member.raw());
  }
  json.key("input").begin_array();
  for (const JsonValue item : kept["input"]) json.raw(item.raw());
  for (const JsonValue item : kept["response"]["output"]) json.raw(item.raw());
  write_input(json, input);
  json.end_array().end_object();
  return out;
}

std::string response_of_stream(std::string_view bytes) {
  SseDecoder decoder;
  std::string found;
  const auto look_at = [&found](std::string_view data) {
    // Only the terminal event tells the whole answer; deltas are not parsed.
    constexpr std::string_view kTypes[] = {"\"response.completed\"", "\"response.incomplete\"",
                                           "\"response.failed\""};
    const std::string_view head = data.substr(0, 256);
    if (std::none_of(std::begin(kTypes), std::end(kTypes),
                     [head](std::string_view type) { return head.find(type) != std::string_view::npos; }))
      return;
    const Result<JsonDoc> doc = JsonDoc::parse(std::string(data), {.replaces_lone_surrogates = true});
    if (doc && doc->root()["response"].is_object()) found = doc->root()["response"].raw();
  };
  for (;;) {
    Result<std::optional<SseEvent>> event = decoder.next(bytes);
    if (!event || !*event) break;
    if (!(*event)->is_comment) look_at((*event)->data);
  }
  if (const auto last = decoder.finish()) look_at(last->data);
  return found;
}

std::string responses_input_list(JsonValue kept, const ItemPage& page) {
  const std::string_view response_id = kept["response"]["id"].string_or("");
  std::vector<Item> items;
  for (const JsonValue item : kept["input"]) items.push_back(listed_item(item, response_id, items.size()));
  if (!page.is_ascending) std::reverse(items.begin(), items.end());
  auto first = items.begin();
  if (!page.after.empty()) {
    first = std::find_if(items.begin(), items.end(), [&](const Item& item) { return item.id == page.after; });
    if (first != items.end()) ++first;
  }
  const bool has_more = items.end() - first > page.limit;
  const auto last = has_more ? first + page.limit : items.end();
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("object").value("list").key("data").begin_array();
  for (auto item = first; item != last; ++item) json.raw(item->text);
  json.end_array();
  if (first == last) {
    json.key("first_id").null().key("last_id").null();
  } else {
    json.key("first_id").value(first->id).key("last_id").value((last - 1)->id);
  }
  json.key("has_more").value(has_more).end_object();
  return out;
}

}  // namespace weir
