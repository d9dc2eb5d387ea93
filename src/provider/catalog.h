// The registry of vendors and models: what config/providers.yaml and config/prices.yaml say, compiled.
// Immutable once parsed; share it inside the Snapshot. What the tables do not say is unknown, and stays
// unknown: an unlisted model is nullptr, an unlisted price is nullopt, never zero.
//
//   const Catalog& catalog = Catalog::embedded();
//   const ProviderKind* kind = catalog.find_kind("openai");
//   const ModelRow* row = catalog.find_model("openai", "gpt-4o-2024-08-06");   // through an alias pattern
//   Capabilities capabilities = catalog.capabilities("openai", "gpt-4o");      // of row and endpoint
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "llm/capabilities.h"
#include "llm/dialect.h"

namespace weir {

// config/providers.yaml and config/prices.yaml as they are in the binary: trees that the build made of them
// (cmake/WeirEmbed.cmake, provider/yaml_tree.h).
namespace embedded {
extern const std::string_view providers;
extern const std::string_view prices;
}  // namespace embedded

enum class AuthScheme : uint8_t {
  bearer,          // authorization: Bearer <key>
  x_api_key,       // x-api-key: <key>
  api_key_header,  // <auth_header>: <key>
  // With a source of credentials that end. A key, where one is configured, is used instead: in the
  // auth_header if the row has one, else as a bearer.
  sigv4,   // signed with an AWS pair; a key without an access key id is Bedrock's bearer key
  google,  // a token of Google's
  entra,   // a token of Microsoft Entra ID
  none,
};
// Whether there is a source of credentials beside keys.
bool has_source(AuthScheme scheme);
std::string_view to_string(AuthScheme scheme);
std::optional<AuthScheme> auth_scheme_from_string(std::string_view name);

// What an endpoint serves, each at a path of its own.
enum class Endpoint : uint8_t {
  chat,
  text_completion,
  embeddings,
  rerank,
  count_tokens,
  moderation,
  speech,
  transcription,
  translation,
  image_generation,
  image_edit,
  image_variation,
  models
};
inline constexpr size_t kEndpointCount = static_cast<size_t>(Endpoint::models) + 1;
std::string_view to_string(Endpoint endpoint);

// A day, as in "2026-11-20".
struct Date {
  int year = 0;
  int month = 0;  // 1 to 12
  int day = 0;    // 1 to 31
  auto operator<=>(const Date&) const = default;
};
std::optional<Date> parse_date(std::string_view text);

// One vendor, or one kind of server.
struct ProviderKind {
  std::string name;          // key in configuration and label in metrics: "azure_openai"
  std::string display_name;  // for people: "Azure OpenAI"
  Dialect dialect = Dialect::openai_chat;
  std::optional<std::string> base_url;  // without a slash at the end; nullopt: the user must give it
  std::bitset<kEndpointCount> served;   // by Endpoint
  // By Endpoint, where it differs from the dialect's own, else empty. Relative to the base URL; "{model}"
  // stands for the percent-encoded model.
  std::array<std::string, kEndpointCount> paths;
  AuthScheme auth = AuthScheme::bearer;
  std::string auth_header;           // of keys; lower case; empty for none
  bool needs_key = true;             // false: a key is sent when there is one
  std::vector<std::string> key_env;  // usual environment variables of the key, first found wins
  bool enabled_by_env = false;       // on without configuration when such a variable is set
  bool is_local = false;             // usually on this machine: its base URL may be a loopback address
  std::vector<std::pair<std::string, std::string>> headers;  // sent with each request
  std::vector<std::pair<std::string, std::string>> query;    // appended to each URL
  std::string otel_name;                                     // gen_ai.provider.name
  // Another provider whose models these are, by another dialect: its rows count where there is none of this
  // provider's own, and what `defaults` says of the endpoint is then above them. Empty: none.
  std::string models_of;
  bool own_prices = false;  // what the rows of models_of say of prices does not hold here
  Capabilities defaults;    // of a model that is not listed; quirks included
  std::string source;       // URL of the vendor's documentation

  bool serves(Endpoint endpoint) const { return served.test(static_cast<size_t>(endpoint)); }
};

// Nano-dollars for a million tokens of each bucket of Usage; nullopt: unknown.
struct Price {
  std::optional<int64_t> input;
  std::optional<int64_t> output;
  std::optional<int64_t> cache_read;
  std::optional<int64_t> cache_write_5m;
  std::optional<int64_t> cache_write_1h;
  std::optional<int64_t> reasoning;  // the output price where the row does not bill it apart
  std::optional<int64_t> audio_in;
  std::optional<int64_t> audio_out;
  std::optional<int64_t> image_in;   // the input price where the row does not bill it apart
  std::optional<int64_t> image_out;  // the output price, likewise

  bool operator==(const Price&) const = default;
};

// Prices of a request whose whole input (cached or not) is longer than `above_input` tokens.
struct PriceTier {
  int64_t above_input = 0;
  Price price;

  bool operator==(const PriceTier&) const = default;
};

// The price of an image of that size and quality, as the vendor calls them; an empty one: whatever it is.
struct ImagePrice {
  std::string size;
  std::string quality;
  int64_t nano_usd = 0;

  bool operator==(const ImagePrice&) const = default;
};

enum class ModelUse : uint8_t {
  chat,
  text_completion,
  embeddings,
  rerank,
  moderation,
  speech,
  transcription,
  image
};
std::string_view to_string(ModelUse use);

struct ModelRow {
  std::string provider;              // name of a ProviderKind, or "weir" for built-in models
  std::string model;                 // the provider's name for it
  std::vector<std::string> aliases;  // other names; `*` stands for any run of characters, `#` for one digit
  ModelUse use = ModelUse::chat;
  Price price;
  std::vector<PriceTier> tiers;                     // by rising above_input
  std::optional<int64_t> nano_usd_per_request = 0;  // fee beside the tokens; nullopt: there is one, unknown
  std::optional<int64_t> nano_usd_per_search;       // of one web search by the provider
  std::optional<int64_t> nano_usd_per_minute;       // of sound that is listened to
  std::optional<int64_t> nano_usd_per_mchar;        // of a million characters that are spoken
  std::optional<int64_t> nano_usd_per_image;        // of an image that is made, whatever its form
  std::vector<ImagePrice> image_prices;  // by form; the first is that of a request which asks for none
  bool is_free = false;                  // documented as free; only then may a price be zero
  bool is_upper_bound = false;           // the vendor may charge less (off-peak hours, a promotion)
  Capabilities capabilities;             // as listed; Catalog::capabilities() joins the endpoint's
  std::string source;                    // URL, or "built in"
  std::optional<Date> as_of;             // when the source said so; nullopt: the source carries no date
};

// A file of a table, with the name that messages use for it.
struct CatalogText {
  std::string_view file;
  std::string_view text;
};

class Catalog {
 public:
  Catalog();  // knows nothing
  ~Catalog();
  Catalog(Catalog&&) noexcept;
  Catalog& operator=(Catalog&&) noexcept;

  // The two files in the binary, read on the first call (any thread), which takes about 1 ms.
  static const Catalog& embedded();

  // This catalog with more files on top, e.g. an operator's own. Rows of a later file replace those of an
  // earlier one with the same key (name; provider and model), and the names of a later file win over the same
  // names in an earlier one. Errors: bad_request, "<file> line <n>: ..." for unknown keys (with the nearest),
  // values out of range, duplicates in one file, unknown providers and profiles.
  Result<Catalog> extended(std::span<const CatalogText> providers, std::span<const CatalogText> prices) const;

  // nullptr when unknown. Pointers live as long as the catalog, which may be moved.
  const ProviderKind* find_kind(std::string_view name) const;
  // By exact name, else by the alias pattern with the most literal characters (of equals: the first in the
  // file); then the same among the provider's models_of; then both again by the name without what the
  // endpoint adds to it: Bedrock's profiles and ARNs, Vertex AI's versions.
  const ModelRow* find_model(std::string_view kind, std::string_view model) const;
  // The row's capabilities over the kind's defaults (a row of models_of: under them); for an unknown model
  // the defaults; for an unknown kind nothing.
  Capabilities capabilities(std::string_view kind, std::string_view model) const;

  std::span<const ProviderKind> kinds() const;  // in the order of the files
  std::span<const ModelRow> models() const;

 private:
  struct State;
  static Result<Catalog> read_embedded();
  const ModelRow* find_own_model(std::string_view kind, std::string_view model) const;

  std::unique_ptr<State> state_;
};

// Whether `name` matches an alias pattern.
bool matches_pattern(std::string_view pattern, std::string_view name);

// "2.50" dollars as nano-dollars, exactly: digits with at most nine decimals, up to a million dollars.
std::optional<int64_t> parse_usd(std::string_view text);

}  // namespace weir
