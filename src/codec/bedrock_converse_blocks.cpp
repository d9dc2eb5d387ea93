#include "codec/bedrock_converse_blocks.h"

#include "base/json.h"

namespace weir {
namespace {

// The member that a stream sends in pieces; empty for kinds that have none.
std::string_view streamed_member(std::string_view kind) {
  if (kind == "toolUse") return "input";
  return kind == "toolResult" ? "content" : "";
}

// {"kind": {...}} without one member of the inner object, which is left open.
void begin_without(JsonWriter& json, JsonValue body, std::string_view left_out) {
  json.begin_object().key(body.key()).begin_object();
  for (const JsonValue member : body) {
    if (member.key() != left_out) json.key(member.key()).raw(member.raw());
  }
}

}  // namespace

ConverseBlockPieces split_converse_block(std::string_view block) {
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(block));
  if (!parsed || parsed->root().size() == 0) return {.start = "{}"};
  const JsonValue body = *parsed->root().begin();
  const std::string_view streamed = streamed_member(body.key());
  if (streamed.empty() || !body.is_object()) return {.start = std::string(block)};
  ConverseBlockPieces pieces;
  JsonWriter start(pieces.start);
  begin_without(start, body, streamed);
  start.end_object().end_object();
  const JsonValue held = body[streamed];
  if (held.is_absent()) return pieces;
  JsonWriter delta(pieces.delta);
  delta.begin_object().key(body.key());
  if (streamed == "input") {
    delta.begin_object().key("input").value(held.raw()).end_object();
  } else {
    delta.raw(held.raw());
  }
  delta.end_object();
  return pieces;
}

std::string join_converse_block(std::string_view start, std::string_view held) {
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(start));
  if (!parsed || parsed->root().size() == 0) return std::string(start);
  const JsonValue body = *parsed->root().begin();
  const std::string_view streamed = streamed_member(body.key());
  if (streamed.empty() || !body.is_object()) return std::string(start);
  std::string value(held);
  if (streamed == "input") {
    // An answer that broke off left half of it.
    if (!JsonDoc::parse(value)) value = "{}";
  } else {
    value = "[" + value + "]";
  }
  std::string block;
  JsonWriter json(block);
  begin_without(json, body, streamed);
  json.key(streamed).raw(value).end_object().end_object();
  return block;
}

}  // namespace weir
