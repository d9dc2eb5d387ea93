#include "dialects.h"

#include <array>

#include "codec/codecs.h"
#include "provider/catalog.h"

namespace weir::conformance {
namespace {

struct Usual {
  Dialect dialect;
  std::string_view provider;  // rows of config/providers.yaml and config/prices.yaml
  std::string_view model;
};

constexpr std::array kUsual = {
    Usual{Dialect::openai_chat, "openai", "gpt-5"},
    Usual{Dialect::openai_responses, "openai_responses", "gpt-5"},
    Usual{Dialect::anthropic_messages, "anthropic", "claude-sonnet-4-5"},
    Usual{Dialect::bedrock_converse, "bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0"},
    Usual{Dialect::bedrock_invoke, "bedrock_invoke", "anthropic.claude-sonnet-4-5-20250929-v1:0"},
    Usual{Dialect::gemini, "gemini", "gemini-2.5-pro"},
};

}  // namespace

const ClientCodec& DialectUnderTest::client(bool is_streamed) const {
  return chat_client_codec(dialect, is_streamed);
}

const std::vector<DialectUnderTest>& dialects_under_test() {
  static const std::vector<DialectUnderTest> dialects = [] {
    std::vector<DialectUnderTest> found;
    for (const Usual& usual : kUsual) {
      found.push_back({.dialect = usual.dialect,
                       .provider = &provider_codec(usual.dialect),
                       .capabilities = Catalog::embedded().capabilities(usual.provider, usual.model),
                       .model = std::string(usual.model)});
    }
    return found;
  }();
  return dialects;
}

}  // namespace weir::conformance
