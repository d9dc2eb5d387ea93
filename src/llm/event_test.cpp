#include "llm/event.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(IsContent, WhatOnlyAnnouncesIsNone) {
  EXPECT_FALSE(is_content(Start{.id = "a"}));
  EXPECT_FALSE(is_content(Ping{}));
  EXPECT_FALSE(is_content(UsageReport{}));
  EXPECT_FALSE(is_content(Delta{}));
  EXPECT_FALSE(is_content(BlockEnd{}));
  for (const BlockKind kind : {BlockKind::text, BlockKind::thinking, BlockKind::refusal, BlockKind::audio,
                               BlockKind::image, BlockKind::redacted_thinking, BlockKind::tool_call}) {
    EXPECT_FALSE(is_content(BlockStart{.kind = kind})) << static_cast<int>(kind);
  }
  EXPECT_FALSE(is_content(BlockStart{.kind = BlockKind::image, .data = "image/png"})) << "only its type";
}

TEST(IsContent, WhatTheModelSaidIsSome) {
  EXPECT_TRUE(is_content(Delta{.text = "x"}));
  EXPECT_TRUE(is_content(Delta{.kind = DeltaKind::signature, .text = "x"}));
  EXPECT_TRUE(is_content(BlockStart{.kind = BlockKind::tool_call, .tool_name = "f"}));
  EXPECT_TRUE(is_content(BlockStart{.kind = BlockKind::redacted_thinking, .data = "x"}));
  EXPECT_TRUE(is_content(BlockStart{.kind = BlockKind::unknown, .data = "{}"}));
  EXPECT_TRUE(is_content(Logprobs{}));
}

TEST(IsContent, TheEndOfAnAnswerIsSome) {
  EXPECT_TRUE(is_content(Finish{}));
  EXPECT_TRUE(is_content(Payload{}));
  EXPECT_TRUE(is_content(End{}));
}

}  // namespace
}  // namespace weir
