// The tables of providers and models that the binary holds.
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>

#include "base/text.h"
#include "provider/catalog.h"
#include "provider/catalog_yaml.h"
#include "provider/yaml_tree.h"

namespace weir {
namespace {

class EmbeddedCatalog : public ::testing::Test {
 protected:
  const Catalog& catalog_ = Catalog::embedded();
};

// Of the repository, in which tests run.
std::string file_text(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// First of all, so that a mistake in the files shows as a message with its line and not as a failed
// assertion.
TEST(EmbeddedCatalogFiles, Parse) {
  const std::string providers_text = file_text("config/providers.yaml");
  const std::string prices_text = file_text("config/prices.yaml");
  const CatalogText providers{"config/providers.yaml", providers_text};
  const CatalogText prices{"config/prices.yaml", prices_text};
  const auto catalog = Catalog().extended({&providers, 1}, {&prices, 1});
  ASSERT_TRUE(catalog) << catalog.error().message;
}

TEST(EmbeddedCatalogFiles, AreTheRepositorysTables) {
  for (const auto& [path, tree] :
       {std::pair("config/providers.yaml", embedded::providers), {"config/prices.yaml", embedded::prices}}) {
    const std::string text = file_text(path);
    const auto root = parse_yaml(path, text);
    ASSERT_TRUE(root) << root.error().message;
    EXPECT_GT(root->children.back().children.size(), 20U) << path;
    EXPECT_EQ(read_yaml_tree(tree), *root) << path;
  }
}

TEST(EmbeddedCatalogFiles, CanBeExtendedWithPricesOfOnesOwn) {
  const CatalogText own{"own.yaml", R"(
models:
  - {provider: openai, model: gpt-4o, input: 2.00, output: 8.00,
     source: https://contract.example, as_of: 2026-11-01}
  - {provider: vllm, model: our-model, input: 0.30, output: 0.30, source: https://wiki.example, as_of: null}
)"};
  const auto catalog = Catalog::embedded().extended({}, {&own, 1});
  ASSERT_TRUE(catalog) << catalog.error().message;
  EXPECT_EQ(catalog->find_model("openai", "gpt-4o")->price.input, 2'000'000'000);
  EXPECT_EQ(catalog->find_model("openai", "gpt-4o-2024-08-06"), nullptr)
      << "a replaced row takes its aliases along";
  EXPECT_NE(catalog->find_model("vllm", "our-model"), nullptr);
  EXPECT_EQ(catalog->models().size(), Catalog::embedded().models().size() + 1);
  EXPECT_EQ(Catalog::embedded().find_model("openai", "gpt-4o")->price.input, 2'500'000'000) << "unchanged";
}

TEST_F(EmbeddedCatalog, HasEveryVendorThatTheDocumentationPromises) {
  constexpr std::string_view kNames =
      "openai anthropic azure_openai azure_openai_deployments mistral groq deepseek xai together fireworks "
      "openrouter cerebras perplexity ollama vllm llama_cpp lm_studio litellm custom custom_anthropic cohere "
      "voyage "
      "jina gemini vertex vertex_anthropic bedrock bedrock_invoke bedrock_openai openai_responses";
  for (const std::string_view name : split(kNames, ' ')) {
    const ProviderKind* kind = catalog_.find_kind(name);
    ASSERT_NE(kind, nullptr) << name;
    const bool only_embeds = name == "voyage" || name == "jina";
    EXPECT_EQ(kind->serves(Endpoint::chat), !only_embeds) << name;
    EXPECT_TRUE(kind->source.starts_with("https://")) << name;
    EXPECT_FALSE(kind->otel_name.empty()) << name;
    EXPECT_EQ(kind->is_local, kind->base_url && kind->base_url->starts_with("http://127.0.0.1:")) << name;
  }
}

TEST_F(EmbeddedCatalog, SpeaksToGoogleAsItsDocumentationSays) {
  const ProviderKind* gemini = catalog_.find_kind("gemini");
  ASSERT_NE(gemini, nullptr);
  EXPECT_EQ(gemini->dialect, Dialect::gemini);
  EXPECT_EQ(gemini->auth, AuthScheme::api_key_header);
  EXPECT_EQ(gemini->auth_header, "x-goog-api-key");
  EXPECT_EQ(gemini->base_url, "https://generativelanguage.googleapis.com/v1beta");
  EXPECT_TRUE(gemini->serves(Endpoint::embeddings));
  EXPECT_TRUE(gemini->serves(Endpoint::count_tokens));
  EXPECT_FALSE(gemini->defaults.quirks.vertex_shapes);
  const ProviderKind* vertex = catalog_.find_kind("vertex");
  ASSERT_NE(vertex, nullptr);
  EXPECT_FALSE(vertex->base_url) << "it names the project and the place";
  EXPECT_TRUE(vertex->defaults.quirks.vertex_shapes);
  const auto* pro = catalog_.find_model("gemini", "gemini-2.5-pro");
  ASSERT_NE(pro, nullptr);
  EXPECT_EQ(pro->capabilities.thinking, ThinkingMode::budget);
  EXPECT_EQ(pro->capabilities.thinking_budget_min, 128);
  EXPECT_EQ(pro->capabilities.thinking_budget_max, 32'768);
  EXPECT_EQ(pro->price.input, 1'250'000'000);
  const Capabilities& old = catalog_.find_model("gemini", "gemini-2.0-flash-001")->capabilities;
  EXPECT_EQ(old.openapi_schema, true);
  EXPECT_EQ(old.own_tools_with_functions, false);
  EXPECT_EQ(pro->capabilities.own_tools_with_functions, false);
  EXPECT_EQ(catalog_.capabilities("vertex", "gemini-2.5-flash").own_tools_with_functions, false);
  EXPECT_EQ(catalog_.capabilities("gemini", "gemini-3.5-flash").own_tools_with_functions, true);
}

TEST_F(EmbeddedCatalog, SaysHowManyTextsOneRequestMayEmbed) {
  EXPECT_EQ(catalog_.find_kind("gemini")->defaults.inputs_max, 100);
  EXPECT_EQ(catalog_.find_kind("cohere")->defaults.inputs_max, 96);
  const auto inputs_max = [this](std::string_view model) {
    return catalog_.find_model("bedrock_invoke", model)->capabilities.inputs_max;
  };
  EXPECT_EQ(inputs_max("amazon.titan-embed-text-v2:0"), 1);
  EXPECT_EQ(inputs_max("cohere.embed-multilingual-v3"), 96);
  EXPECT_EQ(catalog_.capabilities("vertex", "gemini-embedding-001").inputs_max, 1);
  EXPECT_EQ(catalog_.capabilities("vertex", "text-embedding-005").inputs_max, 250);
}

// Requests of dialects that need no limit get the model's.
TEST_F(EmbeddedCatalog, SaysHowMuchClaudeGivesOnBedrock) {
  const auto most = [this](std::string_view model) {
    return catalog_.find_model("bedrock_invoke", model)->capabilities.output_max;
  };
  EXPECT_EQ(most("eu.anthropic.claude-sonnet-4-5-20250929-v1:0"), 64'000);
  EXPECT_EQ(most("us.anthropic.claude-opus-4-20250514-v1:0"), 32'000);
  EXPECT_EQ(most("us.anthropic.claude-opus-4-5-20251101-v1:0"), 64'000);
  EXPECT_EQ(most("global.anthropic.claude-opus-4-6-v1"), 128'000);
  EXPECT_EQ(most("anthropic.claude-3-5-haiku-20241022-v1:0"), 8192);
  EXPECT_EQ(most("anthropic.claude-3-opus-20240229-v1:0"), 4096);
}

// Profiles and ARNs are names of the same model; an application's own profile names none.
TEST_F(EmbeddedCatalog, KnowsBedrocksModelsByEveryName) {
  for (const std::string_view kind : {"bedrock", "bedrock_invoke"}) {
    for (const std::string_view name :
         {"anthropic.claude-opus-4-7", "us.anthropic.claude-opus-4-7", "sa.anthropic.claude-opus-4-7",
          "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-7",
          "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-4-7"}) {
      const Capabilities opus = catalog_.capabilities(kind, name);
      EXPECT_EQ(opus.thinking, ThinkingMode::adaptive) << kind << " " << name;
      EXPECT_EQ(opus.json_schema, JsonSchemaSupport::tool) << kind << " " << name;
      EXPECT_EQ(opus.allows_sampling, false) << kind << " " << name;
    }
    EXPECT_EQ(catalog_.find_model(kind, "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc"),
              nullptr);
    const auto schema = [&](std::string_view name) { return catalog_.capabilities(kind, name).json_schema; };
    EXPECT_EQ(schema("eu.anthropic.claude-sonnet-4-6"), JsonSchemaSupport::native);
    EXPECT_EQ(schema("us.anthropic.claude-haiku-4-5-20251001-v1:0"), JsonSchemaSupport::native);
    EXPECT_EQ(schema("us.anthropic.claude-sonnet-4-20250514-v1:0"), JsonSchemaSupport::tool);
    EXPECT_EQ(catalog_.capabilities(kind, "us.anthropic.claude-sonnet-5-5").forced_tool, false);
    EXPECT_EQ(catalog_.capabilities(kind, "us.anthropic.claude-haiku-5-5").thinking, ThinkingMode::adaptive);
  }
}

// The same models as at their vendors, though what they cost there is not known.
TEST_F(EmbeddedCatalog, KnowsWhatModelsCanDoOnVertexAi) {
  for (const std::string_view name : {"claude-opus-4-7", "claude-opus-4-7@default"}) {
    EXPECT_EQ(catalog_.capabilities("vertex_anthropic", name).thinking, ThinkingMode::adaptive) << name;
    EXPECT_EQ(catalog_.capabilities("vertex_anthropic", name).output_max, 128'000) << name;
  }
  EXPECT_EQ(catalog_.find_model("vertex_anthropic", "claude-sonnet-4-5@20250929")->model,
            "claude-sonnet-4-5");
  EXPECT_EQ(catalog_.find_model("vertex_anthropic", "claude-3-5-haiku@20241022")->model,
            "claude-3-5-haiku-20241022");
  EXPECT_EQ(catalog_.capabilities("vertex", "gemini-3.1-pro-preview").thinking_forced, true);
  EXPECT_TRUE(catalog_.find_kind("vertex")->own_prices);
  EXPECT_TRUE(catalog_.find_kind("vertex_anthropic")->own_prices);
}

TEST_F(EmbeddedCatalog, SpeaksToAnthropicAsItsDocumentationSays) {
  const ProviderKind* kind = catalog_.find_kind("anthropic");
  ASSERT_NE(kind, nullptr);
  EXPECT_EQ(kind->dialect, Dialect::anthropic_messages);
  EXPECT_EQ(kind->auth, AuthScheme::x_api_key);
  EXPECT_EQ(kind->auth_header, "x-api-key");
  EXPECT_THAT(kind->headers, ::testing::ElementsAre(::testing::Pair("anthropic-version", "2023-06-01")));
  EXPECT_TRUE(kind->serves(Endpoint::chat));
  EXPECT_TRUE(kind->serves(Endpoint::count_tokens));
  EXPECT_FALSE(kind->serves(Endpoint::embeddings));
}

TEST_F(EmbeddedCatalog, PutsAzuresDeploymentIntoThePath) {
  const ProviderKind* kind = catalog_.find_kind("azure_openai_deployments");
  ASSERT_NE(kind, nullptr);
  EXPECT_FALSE(kind->base_url);
  EXPECT_EQ(kind->auth_header, "api-key");
  EXPECT_EQ(kind->paths[static_cast<size_t>(Endpoint::chat)], "/openai/deployments/{model}/chat/completions");
  EXPECT_THAT(kind->query, ::testing::ElementsAre(::testing::Pair("api-version", "2024-10-21")));
}

TEST_F(EmbeddedCatalog, KnowsWhoseCredentialsAreRenewed) {
  EXPECT_EQ(catalog_.find_kind("azure_openai")->auth, AuthScheme::entra);
  EXPECT_EQ(catalog_.find_kind("azure_openai")->auth_header, "api-key");
  EXPECT_EQ(catalog_.find_kind("bedrock_openai")->auth, AuthScheme::sigv4);
  EXPECT_EQ(catalog_.find_kind("vertex_anthropic")->auth, AuthScheme::google);
  EXPECT_EQ(catalog_.find_kind("vertex_anthropic")->auth_header, "authorization");
  EXPECT_TRUE(catalog_.find_kind("vertex_anthropic")->defaults.quirks.vertex_anthropic);
  for (const AuthScheme scheme :
       {AuthScheme::bearer, AuthScheme::sigv4, AuthScheme::google, AuthScheme::entra}) {
    EXPECT_EQ(auth_scheme_from_string(to_string(scheme)), scheme);
    EXPECT_EQ(has_source(scheme), scheme != AuthScheme::bearer);
  }
  EXPECT_FALSE(auth_scheme_from_string("basic"));
}

TEST_F(EmbeddedCatalog, TurnsOnFromTheEnvironmentOnlyWhatHasAKeyAndAnAddress) {
  std::set<std::string> variables;
  for (const ProviderKind& kind : catalog_.kinds()) {
    if (!kind.enabled_by_env) continue;
    EXPECT_TRUE(kind.base_url) << kind.name;
    EXPECT_TRUE(kind.needs_key) << kind.name;
    for (const std::string& variable : kind.key_env) {
      EXPECT_TRUE(variables.insert(variable).second) << variable << " would turn on two providers";
    }
  }
  EXPECT_THAT(variables, ::testing::IsSupersetOf({"OPENAI_API_KEY", "ANTHROPIC_API_KEY", "MISTRAL_API_KEY",
                                                  "GROQ_API_KEY", "DEEPSEEK_API_KEY", "XAI_API_KEY"}));
}

TEST_F(EmbeddedCatalog, SaysForEachModelWhereItsPricesComeFrom) {
  EXPECT_GE(catalog_.models().size(), 60U);
  for (const ModelRow& row : catalog_.models()) {
    EXPECT_FALSE(row.source.empty()) << row.model;
    EXPECT_EQ(row.source == "built in", row.provider == "weir") << row.model;
    if (row.as_of) EXPECT_LE(*row.as_of, (Date{2026, 11, 20})) << row.model << " is of the future";
  }
}

void expect_no_zero(const Price& price, const std::string& model) {
  for (const auto& bucket :
       {price.input, price.output, price.cache_read, price.cache_write_5m, price.cache_write_1h,
        price.reasoning, price.audio_in, price.audio_out, price.image_in, price.image_out}) {
    EXPECT_NE(bucket, 0) << model;
  }
}

TEST_F(EmbeddedCatalog, GivesNothingAwayButTheBuiltInModelAndWhatItsVendorCallsFree) {
  for (const ModelRow& row : catalog_.models()) {
    EXPECT_EQ(row.is_free, row.provider == "weir" || row.model == "omni-moderation-latest") << row.model;
    if (row.is_free) continue;
    expect_no_zero(row.price, row.model);
    for (const PriceTier& tier : row.tiers) expect_no_zero(tier.price, row.model);
  }
}

TEST_F(EmbeddedCatalog, HoldsOnlyPricesAndLimitsThatMakeSense) {
  for (const ModelRow& row : catalog_.models()) {
    if (row.price.input && row.price.cache_read)
      EXPECT_LE(*row.price.cache_read, *row.price.input) << row.model;
    if (row.price.input && row.price.output) EXPECT_LE(*row.price.input, *row.price.output) << row.model;
    if (row.price.cache_write_5m && row.price.cache_write_1h) {
      EXPECT_LE(*row.price.cache_write_5m, *row.price.cache_write_1h) << row.model;
    }
    for (const PriceTier& tier : row.tiers) {
      if (tier.price.input && row.price.input) EXPECT_GT(*tier.price.input, *row.price.input) << row.model;
    }
    const Capabilities& can = row.capabilities;
    if (can.context && can.output_max) EXPECT_LE(*can.output_max, *can.context) << row.model;
    if (can.thinking == ThinkingMode::none) EXPECT_NE(can.thinking_forced, true) << row.model;
    EXPECT_EQ(can.dimensions.has_value() && row.use != ModelUse::embeddings, false) << row.model;
  }
}

TEST_F(EmbeddedCatalog, KnowsTheModelsOfTheRecordings) {
  const std::pair<std::string_view, std::string_view> seen[] = {
      {"openai", "gpt-4.1-nano-2025-04-14"},
      {"openai", "gpt-5-mini-2025-08-07"},
      {"openai", "gpt-5.4-2026-03-05"},
      {"openai", "gpt-3.5-turbo-instruct:20230824-v2"},
      {"openai", "gpt-5.6-sol"},
      {"anthropic", "claude-sonnet-4-5-20250929"},
      {"anthropic", "claude-haiku-4-5-20251001"},
      {"anthropic", "claude-opus-4-1-20250805"},
      {"anthropic", "claude-3-haiku-20240307"},
      {"anthropic", "claude-fable-5"},
      {"mistral", "magistral-medium-2507"},
      {"groq", "llama-3.3-70b-versatile"},
      {"groq", "qwen/qwen3-32b"},
      {"deepseek", "deepseek-reasoner"},
      {"xai", "grok-3-mini"},
      {"xai", "grok-4-fast-non-reasoning"},
      {"perplexity", "sonar"},
  };
  for (const auto& [kind, model] : seen)
    EXPECT_NE(catalog_.find_model(kind, model), nullptr) << kind << "/" << model;
}

TEST_F(EmbeddedCatalog, KeepsSnapshotsOfSiblingsApart) {
  const auto model_of = [&](std::string_view name) {
    const ModelRow* row = catalog_.find_model("openai", name);
    return row != nullptr ? row->model : "";
  };
  EXPECT_EQ(model_of("gpt-4o-2024-08-06"), "gpt-4o");
  EXPECT_EQ(model_of("gpt-4o-2024-05-13"), "gpt-4o-2024-05-13") << "an exact row wins over the pattern";
  EXPECT_EQ(model_of("gpt-4o-mini-2024-07-18"), "gpt-4o-mini");
  EXPECT_EQ(model_of("gpt-4o-realtime-preview"), "");
  EXPECT_EQ(catalog_.find_model("anthropic", "claude-opus-4-20250514")->model, "claude-opus-4-0");
  EXPECT_EQ(catalog_.find_model("anthropic", "claude-opus-4-1-20250805")->model, "claude-opus-4-1");
}

TEST_F(EmbeddedCatalog, AssumesNothingOfAModelThatItDoesNotKnow) {
  EXPECT_EQ(catalog_.find_model("openai", "gpt-99"), nullptr);
  EXPECT_EQ(catalog_.find_model("nobody", "gpt-4o"), nullptr);
  EXPECT_EQ(catalog_.find_kind("nobody"), nullptr);
  EXPECT_EQ(catalog_.capabilities("nobody", "gpt-4o"), Capabilities());
  Capabilities other;
  other.quirks.reasoning_content = true;
  EXPECT_EQ(catalog_.capabilities("custom", "gpt-4o"), other) << "what comes back in a history passes";
  EXPECT_EQ(catalog_.capabilities("groq", "unheard-of").n_max, 1) << "what is true of the endpoint is known";
}

TEST_F(EmbeddedCatalog, JoinsWhatModelAndEndpointSay) {
  const Capabilities groq = catalog_.capabilities("groq", "openai/gpt-oss-120b");
  EXPECT_EQ(groq.thinking, ThinkingMode::effort);
  EXPECT_EQ(groq.n_max, 1);
  EXPECT_TRUE(groq.quirks.usage_in_x_groq);
  const Capabilities opus = catalog_.capabilities("anthropic", "claude-opus-5-5");
  EXPECT_EQ(opus.thinking, ThinkingMode::adaptive);
  EXPECT_EQ(opus.thinking_forced, true);
  EXPECT_EQ(opus.forced_tool, false);
  EXPECT_EQ(opus.output_max, 128'000);
  EXPECT_EQ(catalog_.capabilities("openai", "gpt-4o").tokenizer, TokenizerKind::o200k_base);
  EXPECT_EQ(catalog_.capabilities("openai", "o3").max_tokens_field, MaxTokensField::max_completion_tokens);
}

// The same models by another dialect cost the same and can do the same, but for what the endpoint cannot.
TEST_F(EmbeddedCatalog, KnowsTheModelsOfAProviderByItsOtherDialect) {
  const ModelRow* row = catalog_.find_model("openai_responses", "gpt-4o");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row, catalog_.find_model("openai", "gpt-4o"));
  EXPECT_EQ(catalog_.capabilities("openai", "gpt-4o").n_max, 128);
  EXPECT_EQ(catalog_.capabilities("openai_responses", "gpt-4o").n_max, 1);
  EXPECT_EQ(catalog_.capabilities("openai_responses", "gpt-4o").vision, true);
  EXPECT_EQ(catalog_.find_model("openai_responses", "gpt-99"), nullptr);
  const ProviderKind* kind = catalog_.find_kind("openai_responses");
  ASSERT_NE(kind, nullptr);
  EXPECT_FALSE(kind->enabled_by_env) << "the key alone must not make two of each model";
}

}  // namespace
}  // namespace weir
