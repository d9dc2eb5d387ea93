#include "provider/catalog.h"

#include <algorithm>
#include <fmt/core.h>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>

#include "base/assert.h"
#include "codec/bedrock_models.h"
#include "provider/catalog_rows.h"
#include "provider/yaml_tree.h"

namespace weir {
namespace {

constexpr std::string_view kBuiltInProvider = "weir";

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <class Value>
using StringMap = std::unordered_map<std::string, Value, StringHash, std::equal_to<>>;

bool is_pattern(std::string_view alias) {
  return alias.find_first_of("*#") != std::string_view::npos;
}

size_t literal_count(std::string_view pattern) {
  return static_cast<size_t>(std::ranges::count_if(pattern, [](char c) { return c != '*' && c != '#'; }));
}

struct Pattern {
  std::string text;
  size_t literals = 0;
  size_t row = 0;
};

// The vendor's name of a model without what the endpoint adds to it.
std::string plain_name(const ProviderKind& kind, std::string_view model) {
  if (kind.dialect == Dialect::bedrock_converse || kind.dialect == Dialect::bedrock_invoke)
    return std::string(bedrock_base_model(model));
  std::string name(model);
  if (!kind.defaults.quirks.vertex_anthropic) return name;
  // NAME@DATE; NAME@default is the newest.
  if (const size_t at = name.find('@'); at != std::string::npos) {
    if (name.substr(at) == "@default") return name.substr(0, at);
    name[at] = '-';
  }
  return name;
}

// The names under which one provider's models are found.
struct NamesOfProvider {
  StringMap<size_t> exact;
  std::vector<Pattern> patterns;  // most literal characters first

  // A name that an earlier file used is taken over.
  void add(const std::string& alias, size_t row) {
    if (!is_pattern(alias)) {
      exact.insert_or_assign(alias, row);
      return;
    }
    const auto same = std::ranges::find(patterns, alias, &Pattern::text);
    if (same != patterns.end()) {
      same->row = row;
    } else {
      patterns.push_back({alias, literal_count(alias), row});
    }
  }
};

// Refuses a key that the same file has used before.
class SeenInFile {
 public:
  explicit SeenInFile(std::string_view file) : file_(file) {}
  Result<void> add(std::string key, int line, std::string_view what) {
    const auto [entry, is_new] = lines_.try_emplace(std::move(key), line);
    if (is_new) return {};
    return fail(
        yaml_error(file_, line, fmt::format("{} is given twice, first in line {}", what, entry->second)));
  }

 private:
  std::string_view file_;
  std::map<std::string, int, std::less<>> lines_;
};

}  // namespace

struct Catalog::State {
  std::vector<ProviderKind> kinds;
  std::vector<ModelRow> models;
  StringMap<size_t> kind_index;
  StringMap<NamesOfProvider> names;

  Result<void> add_providers(std::string_view file, const YamlNode& root);
  Result<void> add_models(std::string_view file, const YamlNode& root);
  Result<void> check_model(SeenInFile& seen, std::string_view file, const RowAt<ModelRow>& at) const;
  void index_models();
};

Result<void> Catalog::State::add_providers(std::string_view file, const YamlNode& root) {
  SeenInFile seen(file);
  for (RowAt<ProviderKind>& at : TRY(read_provider_rows(file, root))) {
    TRY(seen.add(at.row.name, at.line, fmt::format("provider '{}'", at.row.name)));
    if (!at.row.models_of.empty() && !kind_index.contains(at.row.models_of)) {
      return fail(
          yaml_error(file, at.line, fmt::format("models_of: no provider '{}' above", at.row.models_of)));
    }
    const auto [entry, is_new] = kind_index.try_emplace(at.row.name, kinds.size());
    if (is_new) {
      kinds.push_back(std::move(at.row));
    } else {
      kinds[entry->second] = std::move(at.row);
    }
  }
  return {};
}

Result<void> Catalog::State::check_model(SeenInFile& seen, std::string_view file,
                                         const RowAt<ModelRow>& at) const {
  const ModelRow& row = at.row;
  if (row.provider != kBuiltInProvider && !kind_index.contains(row.provider)) {
    return fail(yaml_error(file, at.line, fmt::format("no provider '{}'", row.provider)));
  }
  TRY(seen.add(row.provider + " " + row.model, at.line, fmt::format("'{}' of {}", row.model, row.provider)));
  for (const std::string& alias : row.aliases) {
    TRY(seen.add(row.provider + " " + alias, at.line, fmt::format("'{}' of {}", alias, row.provider)));
  }
  return {};
}

Result<void> Catalog::State::add_models(std::string_view file, const YamlNode& root) {
  SeenInFile seen(file);
  for (RowAt<ModelRow>& at : TRY(read_model_rows(file, root))) {
    TRY(check_model(seen, file, at));
    // The replaced row goes and the new one is last, so that its names win over those of earlier files.
    std::erase_if(models, [&](const ModelRow& earlier) {
      return earlier.provider == at.row.provider && earlier.model == at.row.model;
    });
    models.push_back(std::move(at.row));
  }
  return {};
}

void Catalog::State::index_models() {
  names.clear();
  for (size_t i = 0; i < models.size(); ++i) {
    NamesOfProvider& of_provider = names[models[i].provider];
    of_provider.add(models[i].model, i);
    for (const std::string& alias : models[i].aliases) of_provider.add(alias, i);
  }
  for (auto& [provider, of_provider] : names) {
    std::ranges::sort(of_provider.patterns, [](const Pattern& a, const Pattern& b) {
      return a.literals != b.literals ? a.literals > b.literals : a.row < b.row;
    });
  }
}

Catalog::Catalog() : state_(std::make_unique<State>()) {}
Catalog::~Catalog() = default;
Catalog::Catalog(Catalog&&) noexcept = default;
Catalog& Catalog::operator=(Catalog&&) noexcept = default;

Result<Catalog> Catalog::extended(std::span<const CatalogText> providers,
                                  std::span<const CatalogText> prices) const {
  Catalog catalog;
  *catalog.state_ = *state_;
  for (const auto& [file, text] : providers) {
    const YamlNode root = TRY(parse_yaml(file, text));
    TRY(catalog.state_->add_providers(file, root));
  }
  for (const auto& [file, text] : prices) {
    const YamlNode root = TRY(parse_yaml(file, text));
    TRY(catalog.state_->add_models(file, root));
  }
  catalog.state_->index_models();
  return catalog;
}

Result<Catalog> Catalog::read_embedded() {
  Catalog catalog;
  TRY(catalog.state_->add_providers("config/providers.yaml", read_yaml_tree(embedded::providers)));
  TRY(catalog.state_->add_models("config/prices.yaml", read_yaml_tree(embedded::prices)));
  catalog.state_->index_models();
  return catalog;
}

const Catalog& Catalog::embedded() {
  static const Catalog kEmbedded = [] {
    auto read = read_embedded();
    WEIR_ASSERT(read.has_value(), read.has_value() ? "" : read.error().message.c_str());
    return std::move(read).value();
  }();
  return kEmbedded;
}

const ProviderKind* Catalog::find_kind(std::string_view name) const {
  const auto found = state_->kind_index.find(name);
  return found == state_->kind_index.end() ? nullptr : &state_->kinds[found->second];
}

const ModelRow* Catalog::find_model(std::string_view kind, std::string_view model) const {
  const ProviderKind* provider = find_kind(kind);
  const std::string plain = provider ? plain_name(*provider, model) : std::string(model);
  for (const std::string_view name : {model, std::string_view(plain)}) {
    if (const ModelRow* own = find_own_model(kind, name)) return own;
    if (!provider || provider->models_of.empty()) continue;
    if (const ModelRow* other = find_own_model(provider->models_of, name)) return other;
  }
  return nullptr;
}

const ModelRow* Catalog::find_own_model(std::string_view kind, std::string_view model) const {
  const auto of_provider = state_->names.find(kind);
  if (of_provider == state_->names.end()) return nullptr;
  const NamesOfProvider& names = of_provider->second;
  if (const auto exact = names.exact.find(model); exact != names.exact.end())
    return &state_->models[exact->second];
  for (const Pattern& pattern : names.patterns) {
    if (matches_pattern(pattern.text, model)) return &state_->models[pattern.row];
  }
  return nullptr;
}

Capabilities Catalog::capabilities(std::string_view kind, std::string_view model) const {
  const ProviderKind* provider = find_kind(kind);
  const ModelRow* row = find_model(kind, model);
  const Capabilities general = provider != nullptr ? provider->defaults : Capabilities();
  if (row == nullptr) return general;
  // The endpoint differs from the one that the row was written for.
  if (row->provider != kind) return overlay(row->capabilities, general);
  return overlay(general, row->capabilities);
}

std::span<const ProviderKind> Catalog::kinds() const {
  return state_->kinds;
}
std::span<const ModelRow> Catalog::models() const {
  return state_->models;
}

bool matches_pattern(std::string_view pattern, std::string_view name) {
  // The last `*` seen takes one more character whenever the rest does not match: linear for one star, and
  // never worse than pattern times name.
  size_t p = 0;
  size_t n = 0;
  size_t star = std::string_view::npos;
  size_t star_end = 0;
  while (n < name.size()) {
    const bool is_digit = name[n] >= '0' && name[n] <= '9';
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_end = n;
    } else if (p < pattern.size() && (pattern[p] == '#' ? is_digit : pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_end;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace weir
