#include "codec/openai_logprobs.h"

namespace weir {
namespace {

void write_token(JsonWriter& json, JsonValue entry) {
  json.key("token").raw(entry["token"].raw()).key("logprob").raw(entry["logprob"].raw());
}

void write_bytes(JsonWriter& json, JsonValue entry) {
  json.key("bytes");
  const JsonValue given = entry["bytes"];
  if (given) {
    json.raw(given.raw());
    return;
  }
  json.begin_array();
  for (const char c : entry["token"].string_or(""))
    json.value(static_cast<int>(static_cast<unsigned char>(c)));
  json.end_array();
}

template <class WriteToken>
std::string rewritten(JsonValue entries, WriteToken write) {
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  for (const JsonValue entry : entries) {
    if (!entry["token"].is_string()) continue;
    json.begin_object();
    write(json, entry);
    json.key("top_logprobs").begin_array();
    for (const JsonValue top : entry["top_logprobs"]) {
      json.begin_object();
      write(json, top);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
  return out;
}

}  // namespace

std::string logprobs_with_bytes(JsonValue entries) {
  return rewritten(entries, [](JsonWriter& json, JsonValue entry) {
    write_token(json, entry);
    write_bytes(json, entry);
  });
}

std::string logprobs_without_bytes(JsonValue entries) {
  return rewritten(entries, write_token);
}

}  // namespace weir
