// Fuzzes the down-leveller of JSON schemas with the rules of each vendor: what it writes is one JSON object
// within bounds, and the restorer gives the same for an answer in any cut.
#include <array>
#include <cstdlib>

#include "codec/anthropic_request.h"
#include "codec/gemini_request.h"
#include "codec/openai.h"
#include "codec/schema_restore.h"

namespace weir {
namespace {

void check(std::string_view schema, const SchemaRules& rules, SchemaUse use, std::string_view answer) {
  Fidelity fidelity;
  const DownleveledSchema made = downlevel_schema(schema, rules, use, "/s", fidelity);
  const auto parsed = JsonDoc::parse(made.text, {.depth_max = 512});
  if (JsonDoc::parse(std::string(schema)) && (!parsed || parsed->source().size() > 64 * kMiB))
    __builtin_trap();
  const std::string whole = restore_json(answer, made.restore);
  StreamRestore stream(made.restore);
  std::string pieces;
  for (const char c : answer) pieces += stream.feed(std::string_view(&c, 1));
  pieces += stream.finish();
  if (pieces != whole) __builtin_trap();
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t half = input.find('\n');
  const std::string_view schema = input.substr(0, half);
  const std::string_view answer =
      half == std::string_view::npos ? std::string_view() : input.substr(half + 1);
  Capabilities old;
  old.openapi_schema = true;
  const std::array<const SchemaRules*, 4> all = {&gemini_schema_rules(old), &gemini_schema_rules({}),
                                                 &anthropic_schema_rules(), &openai_strict_rules()};
  for (const SchemaRules* rules : all) {
    for (const SchemaUse use : {SchemaUse::arguments, SchemaUse::answer}) check(schema, *rules, use, answer);
  }
  return 0;
}
