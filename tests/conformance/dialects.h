// The dialects that the matrix runs over, each with a usual model behind it.
#pragma once

#include <vector>

#include "llm/codec.h"

namespace weir::conformance {

struct DialectUnderTest {
  Dialect dialect = Dialect::openai_chat;
  const ProviderCodec* provider = nullptr;
  Capabilities capabilities;  // of a usual model behind a provider of the dialect
  std::string model;          // that model's name, which some dialects read their manners from

  const ClientCodec& client(bool is_streamed) const;
};

// By the order of the enum.
const std::vector<DialectUnderTest>& dialects_under_test();

}  // namespace weir::conformance
