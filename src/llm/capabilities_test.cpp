#include "llm/capabilities.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(EffortSet, FindsTheNearestLevelThatTheModelAccepts) {
  const EffortSet low_to_high = {EffortLevel::low, EffortLevel::medium, EffortLevel::high};
  EXPECT_EQ(low_to_high.nearest(EffortLevel::medium), EffortLevel::medium);
  EXPECT_EQ(low_to_high.nearest(EffortLevel::max), EffortLevel::high);
  EXPECT_EQ(low_to_high.nearest(EffortLevel::minimal), EffortLevel::low);
  EXPECT_EQ(low_to_high.nearest(EffortLevel::off), EffortLevel::low);
  const EffortSet none_and_high = {EffortLevel::off, EffortLevel::high};
  EXPECT_EQ(none_and_high.nearest(EffortLevel::off), EffortLevel::off);
  EXPECT_EQ(none_and_high.nearest(EffortLevel::minimal), EffortLevel::high) << "a wish to reason is kept";
  EXPECT_EQ((EffortSet{EffortLevel::low, EffortLevel::high}).nearest(EffortLevel::medium), EffortLevel::low);
  EXPECT_EQ((EffortSet{EffortLevel::off}).nearest(EffortLevel::high), EffortLevel::off);
}

TEST(Capabilities, OverlayTakesWhatTheSpecificOneKnows) {
  Capabilities endpoint;
  endpoint.n_max = 1;
  endpoint.system_role = SystemRole::system;
  endpoint.quirks.no_stream_options = true;
  Capabilities model;
  model.n_max = 8;
  model.vision = false;
  model.tokenizer = TokenizerKind::o200k_base;
  model.quirks.no_user = true;

  const Capabilities joined = overlay(endpoint, model);
  EXPECT_EQ(joined.n_max, 8);
  EXPECT_EQ(joined.vision, false);
  EXPECT_EQ(joined.system_role, SystemRole::system);
  EXPECT_EQ(joined.tokenizer, TokenizerKind::o200k_base);
  EXPECT_TRUE(joined.quirks.no_stream_options);
  EXPECT_TRUE(joined.quirks.no_user);
  EXPECT_FALSE(joined.tools.has_value()) << "what neither knows stays unknown";
  EXPECT_EQ(overlay(endpoint, Capabilities()), endpoint);
}

// Where the struct ends when its members are the listed ones, in the listed order, and nothing else.
class Layout {
 public:
  template <class Member>
  void add() {
    size_ = aligned(alignof(Member)) + sizeof(Member);
    alignment_ = std::max(alignment_, alignof(Member));
  }
  size_t size() const { return aligned(alignment_); }

 private:
  size_t aligned(size_t to) const { return (size_ + to - 1) / to * to; }
  size_t size_ = 0;
  size_t alignment_ = 1;
};

template <class Member>
void add_to(Layout& layout, Member Capabilities::* /*member*/) {
  layout.add<Member>();
}

TEST(Capabilities, EveryMemberIsInTheListThatLoaderAndOverlayUse) {
  Layout layout;
  for_each_capability([&](std::string_view, auto member) { add_to(layout, member); });
  layout.add<TokenizerKind>();
  layout.add<Quirks>();
  EXPECT_EQ(layout.size(), sizeof(Capabilities)) << "a member is missing in for_each_capability()";
  size_t quirks = 0;
  for_each_quirk([&](std::string_view, bool Quirks::*) { ++quirks; });
  EXPECT_EQ(quirks * sizeof(bool), sizeof(Quirks)) << "a quirk is missing in for_each_quirk()";

  Capabilities full;
  for_each_capability([&](std::string_view, auto member) { (full.*member).emplace(); });
  EXPECT_EQ(overlay(Capabilities(), full), full);
}

TEST(Capabilities, EnumNamesReadBackToThemselves) {
  for (const auto mode :
       {ThinkingMode::none, ThinkingMode::budget, ThinkingMode::adaptive, ThinkingMode::effort}) {
    EXPECT_EQ(from_string<ThinkingMode>(to_string(mode)), mode);
  }
  for (size_t i = 0; i < kEffortLevelCount; ++i) {
    const auto level = static_cast<EffortLevel>(i);
    EXPECT_EQ(from_string<EffortLevel>(to_string(level)), level);
  }
  EXPECT_EQ(to_string(EffortLevel::off), "none") << "the spelling of the wire";
  EXPECT_EQ(from_string<CacheControl>("explicit"), CacheControl::markers);
  EXPECT_EQ(from_string<CacheControl>("auto"), CacheControl::automatic);
  EXPECT_EQ(from_string<SystemRole>("developer"), SystemRole::developer);
  EXPECT_EQ(from_string<MaxTokensField>("max_completion_tokens"), MaxTokensField::max_completion_tokens);
  EXPECT_EQ(from_string<TokenizerKind>("o200k_base"), TokenizerKind::o200k_base);
  EXPECT_EQ(from_string<JsonSchemaSupport>("tool"), JsonSchemaSupport::tool);
  EXPECT_EQ(from_string<ThinkingMode>("Budget"), std::nullopt);
  EXPECT_EQ(from_string<EffortLevel>(""), std::nullopt);
}

}  // namespace
}  // namespace weir
