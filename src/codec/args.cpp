#include "codec/args.h"

#include "base/text.h"

namespace weir {
namespace {

// Models repeat keys and cut surrogate pairs; neither is a reason to lose a call.
constexpr JsonLimits kLenient{.rejects_duplicate_keys = false, .replaces_lone_surrogates = true};

}  // namespace

ArgumentsRepair write_object_arguments(JsonWriter& json, std::string_view arguments) {
  const std::string_view text = trim(arguments);
  if (text.empty() || text == "{}") {
    json.begin_object().end_object();
    return ArgumentsRepair::none;
  }
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(text), kLenient);
  if (!parsed) {
    json.begin_object().key("_raw").value(arguments).end_object();
    return ArgumentsRepair::wrapped_text;
  }
  if (!parsed->root().is_object()) {
    json.begin_object().key("value").raw(text).end_object();
    return ArgumentsRepair::wrapped_value;
  }
  json.raw(text);
  return ArgumentsRepair::none;
}

std::string custom_tool_input(std::string_view arguments) {
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(arguments), kLenient);
  if (!parsed || !parsed->root()["input"].is_string()) return std::string(arguments);
  return std::string(parsed->root()["input"].string_or(""));
}

}  // namespace weir
