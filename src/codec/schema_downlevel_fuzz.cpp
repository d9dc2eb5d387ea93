// Fuzzes the down-leveller of JSON schemas: what it writes is one JSON object within bounds, writing it twice
// gives the same, and the restorer takes any answer in any cut.
#include <cstdlib>

#include "codec/gemini_request.h"
#include "codec/schema_restore.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t half = input.find('\n');
  const std::string_view schema = input.substr(0, half);
  const std::string_view answer =
      half == std::string_view::npos ? std::string_view() : input.substr(half + 1);
  for (const bool is_old : {false, true}) {
    Capabilities capabilities;
    capabilities.openapi_schema = is_old;
    const SchemaRules& rules = gemini_schema_rules(capabilities);
    for (const SchemaUse use : {SchemaUse::arguments, SchemaUse::answer}) {
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
  }
  return 0;
}
