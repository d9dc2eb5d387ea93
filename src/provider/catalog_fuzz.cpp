// Fuzzes the loader of both tables with YAML text. The first byte chooses the table. Whatever parses must be
// usable: every row is found under its own name, and its price can be computed.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "provider/catalog.h"
#include "provider/pricing.h"

namespace {

// Few rows, so that a run takes microseconds; a fuzzed price file refers to them.
constexpr std::string_view kProviders = R"(providers:
  - {name: openai, display_name: O, dialect: openai_chat, serves: [chat], auth: none,
     otel_name: o, source: https://o}
  - {name: groq, display_name: G, dialect: openai_chat, serves: [chat], auth: none,
     otel_name: g, source: https://g}
)";

void check_models(const weir::Catalog& catalog) {
  for (const weir::ModelRow& row : catalog.models()) {
    if (catalog.find_model(row.provider, row.model) != &row) std::abort();
    weir::Usage usage;
    usage.in_uncached = 1'000'000;
    usage.out_text = 1'000'000;
    const auto dollars = weir::cost(row, usage);
    if (dollars && *dollars < 0) std::abort();
    (void)catalog.capabilities(row.provider, row.model);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const weir::CatalogText fuzzed{"fuzz.yaml", text};
  const weir::CatalogText providers{"providers.yaml", kProviders};
  const bool fuzzes_prices = data[0] % 2 == 0;
  const auto catalog = fuzzes_prices ? weir::Catalog().extended({&providers, 1}, {&fuzzed, 1})
                                     : weir::Catalog().extended({&fuzzed, 1}, {});
  if (!catalog) {
    if (catalog.error().message.empty()) std::abort();
    return 0;
  }
  for (const weir::ProviderKind& kind : catalog->kinds()) {
    if (catalog->find_kind(kind.name) != &kind) std::abort();
  }
  check_models(*catalog);
  return 0;
}
