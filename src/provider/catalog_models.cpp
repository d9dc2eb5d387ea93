// Reads config/prices.yaml: one row for each model, and the named profiles that rows of a family share.
#include <algorithm>
#include <fmt/core.h>
#include <map>

#include "provider/catalog_rows.h"

namespace weir {
namespace {

constexpr std::array kModelUses = {
    ModelUse::chat,       ModelUse::text_completion, ModelUse::embeddings,    ModelUse::rerank,
    ModelUse::moderation, ModelUse::speech,          ModelUse::transcription, ModelUse::image};
constexpr int64_t kUnitsPerThousand = 1'000;  // fees are listed for a thousand requests or searches

using Profiles = std::map<std::string, Capabilities, std::less<>>;

// The price of a bucket. Only a model that is documented as free may cost nothing.
Result<std::optional<int64_t>> read_usd(const YamlFields& fields, std::string_view key, bool is_free) {
  auto text = TRY(fields.optional_text(key));
  if (!text) return std::nullopt;
  const auto nano_usd = parse_usd(*text);
  if (!nano_usd) {
    return fail(
        fields.error(key, fmt::format("'{}' is not an amount of dollars with at most 9 decimals", *text)));
  }
  if (*nano_usd == 0 && !is_free)
    return fail(fields.error(key, "0 is only for rows with free: true; unknown is null"));
  return nano_usd;
}

// A price that the row may leave out because it is `usual` then; null still means unknown.
Result<std::optional<int64_t>> read_usd_or(const YamlFields& fields, std::string_view key, bool is_free,
                                           const std::optional<int64_t>& usual) {
  if (!fields.has(key)) return usual;
  return read_usd(fields, key, is_free);
}

Result<Price> read_price(const YamlFields& fields, bool is_free) {
  Price price;
  price.input = TRY(read_usd(fields, "input", is_free));
  price.output = TRY(read_usd(fields, "output", is_free));
  price.cache_read = TRY(read_usd(fields, "cache_read", is_free));
  price.cache_write_5m = TRY(read_usd(fields, "cache_write_5m", is_free));
  price.cache_write_1h = TRY(read_usd(fields, "cache_write_1h", is_free));
  price.reasoning = TRY(read_usd_or(fields, "reasoning", is_free, price.output));
  price.audio_in = TRY(read_usd(fields, "audio_in", is_free));
  price.audio_out = TRY(read_usd(fields, "audio_out", is_free));
  price.image_in = TRY(read_usd_or(fields, "image_in", is_free, price.input));
  price.image_out = TRY(read_usd_or(fields, "image_out", is_free, price.output));
  return price;
}

Result<std::vector<PriceTier>> read_tiers(std::string_view file, const YamlFields& row, bool is_free) {
  std::vector<PriceTier> tiers;
  const YamlNode* list = TRY(row.optional_node("tiers", YamlType::sequence));
  if (list == nullptr) return tiers;
  for (const YamlNode& node : list->children) {
    const YamlFields fields(file, node, "a tier");
    TRY(fields.check({"above_input", "input", "output", "cache_read", "cache_write_5m", "cache_write_1h",
                      "reasoning", "audio_in", "audio_out", "image_in", "image_out"}));
    PriceTier tier;
    const auto above = TRY(fields.optional_int("above_input", 1, 1'000'000'000));
    if (!above) return fail(fields.error("above_input", "is missing"));
    tier.above_input = *above;
    if (!tiers.empty() && tiers.back().above_input >= *above) {
      return fail(fields.error("above_input", "tiers must stand in rising order"));
    }
    tier.price = TRY(read_price(fields, is_free));
    tiers.push_back(std::move(tier));
  }
  return tiers;
}

// An image's size or quality where the price depends on it.
Result<std::string> read_form(const YamlFields& fields, std::string_view key) {
  auto text = TRY(fields.optional_text(key));
  if (!text) return std::string();
  if (text->empty() || text->size() > 40 ||
      !std::ranges::all_of(*text, [](char c) { return c > ' ' && c < 0x7f; }))
    return fail(fields.error(key, "must be a word such as 1024x1024 or hd"));
  return std::move(*text);
}

Result<std::vector<ImagePrice>> read_image_prices(std::string_view file, const YamlFields& row,
                                                  bool is_free) {
  std::vector<ImagePrice> prices;
  const YamlNode* list = TRY(row.optional_node("image_prices", YamlType::sequence));
  if (list == nullptr) return prices;
  for (const YamlNode& node : list->children) {
    const YamlFields fields(file, node, "a price of images");
    TRY(fields.check({"size", "quality", "per_image"}));
    ImagePrice price {
      .size = TRY(read_form(fields, "size"))
      , .quality = TRY(read_form(fields, "quality"))
    };
    const auto nano_usd = TRY(read_usd(fields, "per_image", is_free));
    if (!nano_usd)
      return fail(fields.error("per_image", "is missing; leave out the form whose price is unknown"));
    price.nano_usd = *nano_usd;
    const auto is_same = [&](const ImagePrice& other) {
      return other.size == price.size && other.quality == price.quality;
    };
    if (std::ranges::any_of(prices, is_same))
      return fail(fields.error("size", "this form has a price already"));
    prices.push_back(std::move(price));
  }
  return prices;
}

bool is_model_name(std::string_view name) {
  return !name.empty() && name.size() <= 200 &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f; });
}

Result<void> read_names(const YamlFields& fields, ModelRow& row) {
  row.provider = TRY(fields.text("provider"));
  row.model = TRY(fields.text("model"));
  if (!is_model_name(row.model) || row.model.find_first_of("*#") != std::string::npos) {
    return fail(fields.error("model", "must be an exact name; patterns belong into aliases"));
  }
  row.aliases = TRY(fields.texts("aliases"));
  for (const std::string& alias : row.aliases) {
    if (!is_model_name(alias) || alias.front() == '*') {
      return fail(
          fields.error("aliases", fmt::format("'{}' must be a name that does not start with *", alias)));
    }
  }
  return {};
}

Result<void> read_fees(const YamlFields& fields, ModelRow& row) {
  if (fields.has("per_1k_requests")) {
    row.nano_usd_per_request = TRY(read_usd(fields, "per_1k_requests", row.is_free));
    if (row.nano_usd_per_request) *row.nano_usd_per_request /= kUnitsPerThousand;
  }
  row.nano_usd_per_search = TRY(read_usd(fields, "per_1k_searches", row.is_free));
  if (row.nano_usd_per_search) *row.nano_usd_per_search /= kUnitsPerThousand;
  row.nano_usd_per_minute = TRY(read_usd(fields, "per_minute", row.is_free));
  row.nano_usd_per_mchar = TRY(read_usd(fields, "per_1m_characters", row.is_free));
  row.nano_usd_per_image = TRY(read_usd(fields, "per_image", row.is_free));
  return {};
}

Result<void> read_capabilities(std::string_view file, const YamlFields& fields, const Profiles& profiles,
                               ModelRow& row) {
  if (auto name = TRY(fields.optional_text("profile"))) {
    const auto profile = profiles.find(*name);
    if (profile == profiles.end())
      return fail(fields.error("profile", fmt::format("no profile '{}'", *name)));
    row.capabilities = profile->second;
  }
  if (const YamlNode* own = TRY(fields.optional_node("capabilities", YamlType::map))) {
    row.capabilities = overlay(row.capabilities, TRY(parse_capabilities(file, *own)));
  }
  return {};
}

// Both keys must be there, so that nobody forgets them; as_of may be null.
Result<void> read_provenance(const YamlFields& fields, ModelRow& row) {
  row.source = TRY(fields.text("source"));
  if (row.source != "built in" && !row.source.starts_with("https://")) {
    return fail(fields.error("source", "must be an https:// address, or \"built in\""));
  }
  if (!fields.has("as_of"))
    return fail(fields.error("as_of", "is missing; write null when the source has no date"));
  if (auto day = TRY(fields.optional_text("as_of"))) {
    row.as_of = parse_date(*day);
    if (!row.as_of) return fail(fields.error("as_of", "must be a day such as 2026-11-20"));
  }
  return {};
}

Result<ModelRow> read_model(std::string_view file, const YamlNode& node, const Profiles& profiles) {
  const YamlFields fields(file, node, "a model");
  TRY(fields.check({"provider",
                    "model",
                    "aliases",
                    "use",
                    "free",
                    "upper_bound",
                    "input",
                    "output",
                    "cache_read",
                    "cache_write_5m",
                    "cache_write_1h",
                    "reasoning",
                    "audio_in",
                    "audio_out",
                    "image_in",
                    "image_out",
                    "tiers",
                    "per_1k_requests",
                    "per_1k_searches",
                    "per_minute",
                    "per_1m_characters",
                    "per_image",
                    "image_prices",
                    "profile",
                    "capabilities",
                    "source",
                    "as_of"}));
  ModelRow row;
  TRY(read_names(fields, row));
  row.use = TRY(enum_field(fields, "use", kModelUses))
  .value_or(ModelUse::chat);
  row.is_free = TRY(fields.optional_bool("free"))
  .value_or(false);
  row.is_upper_bound = TRY(fields.optional_bool("upper_bound"))
  .value_or(false);
  row.price = TRY(read_price(fields, row.is_free));
  row.tiers = TRY(read_tiers(file, fields, row.is_free));
  TRY(read_fees(fields, row));
  row.image_prices = TRY(read_image_prices(file, fields, row.is_free));
  TRY(read_capabilities(file, fields, profiles, row));
  TRY(read_provenance(fields, row));
  return row;
}

Result<Profiles> read_profiles(std::string_view file, const YamlFields& fields) {
  Profiles profiles;
  const YamlNode* map = TRY(fields.optional_node("profiles", YamlType::map));
  if (map == nullptr) return profiles;
  for (const YamlNode& node : map->children) {
    profiles.emplace(node.key, TRY(parse_capabilities(file, node)));
  }
  return profiles;
}

}  // namespace

std::string_view to_string(ModelUse use) {
  switch (use) {
    case ModelUse::chat:
      return "chat";
    case ModelUse::text_completion:
      return "text_completion";
    case ModelUse::embeddings:
      return "embeddings";
    case ModelUse::rerank:
      return "rerank";
    case ModelUse::moderation:
      return "moderation";
    case ModelUse::speech:
      return "speech";
    case ModelUse::transcription:
      return "transcription";
    case ModelUse::image:
      return "image";
  }
  return "";
}

std::optional<int64_t> parse_usd(std::string_view text) {
  constexpr int64_t kNanoPerUsd = 1'000'000'000;
  constexpr int64_t kUsdMax = 1'000'000;
  const size_t dot = text.find('.');
  const std::string_view whole = text.substr(0, dot);
  const std::string_view decimals = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
  if (whole.empty() || whole.size() > 7 || decimals.size() > 9 ||
      (dot != std::string_view::npos && decimals.empty())) {
    return std::nullopt;
  }
  int64_t nano = 0;
  for (char c : whole) {
    if (c < '0' || c > '9') return std::nullopt;
    nano = nano * 10 + (c - '0');
  }
  if (nano > kUsdMax) return std::nullopt;
  nano *= kNanoPerUsd;
  int64_t unit = kNanoPerUsd;
  for (char c : decimals) {
    if (c < '0' || c > '9') return std::nullopt;
    unit /= 10;
    nano += unit * (c - '0');
  }
  return nano;
}

std::optional<Date> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto number = [&](size_t from, size_t count) {
    int value = 0;
    for (char c : text.substr(from, count)) {
      if (c < '0' || c > '9') return -1;
      value = value * 10 + (c - '0');
    }
    return value;
  };
  const Date date{number(0, 4), number(5, 2), number(8, 2)};
  const bool valid =
      date.year >= 2000 && date.month >= 1 && date.month <= 12 && date.day >= 1 && date.day <= 31;
  return valid ? std::optional(date) : std::nullopt;
}

Result<std::vector<RowAt<ModelRow>>> read_model_rows(std::string_view file, const YamlNode& root) {
  const YamlFields fields(file, root, "the file");
  TRY(fields.check({"profiles", "models"}));
  const Profiles profiles = TRY(read_profiles(file, fields));
  const YamlNode* list = TRY(fields.optional_node("models", YamlType::sequence));
  std::vector<RowAt<ModelRow>> rows;
  if (list == nullptr) return rows;
  for (const YamlNode& node : list->children) {
    rows.push_back({
      TRY(read_model(file, node, profiles))
      , node.line
    });
  }
  return rows;
}

}  // namespace weir
