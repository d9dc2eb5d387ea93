#include <ctime>
#include <fmt/chrono.h>
#include <fmt/core.h>

#include "codec/anthropic.h"

namespace weir {
namespace {

void write_id(JsonWriter& json, std::string_view key, const AnthropicModelEntry* model) {
  json.key(key);
  if (model) {
    json.value(model->id);
  } else {
    json.null();
  }
}

}  // namespace

std::string encode_models_anthropic(std::span<const AnthropicModelEntry> models, bool has_more) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("data").begin_array();
  for (const AnthropicModelEntry& model : models) {
    json.begin_object().key("type").value("model").key("id").value(model.id);
    json.key("display_name").value(model.display_name.empty() ? model.id : model.display_name);
    const auto created = static_cast<std::time_t>(model.created_s);
    json.key("created_at").value(fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(created))).end_object();
  }
  json.end_array().key("has_more").value(has_more);
  write_id(json, "first_id", models.empty() ? nullptr : &models.front());
  write_id(json, "last_id", models.empty() ? nullptr : &models.back());
  json.end_object();
  return body;
}

}  // namespace weir
