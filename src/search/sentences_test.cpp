#include "search/sentences.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

using Texts = std::vector<std::string>;

Texts sentences_of(std::string_view text) {
  Texts out;
  for (const Sentence& sentence : split_sentences(text)) out.emplace_back(sentence.in(text));
  return out;
}

TEST(SplitSentences, EndsAtMarksFollowedByABlank) {
  EXPECT_EQ(sentences_of("It rains. Does it? Yes! So what... Fine"),
            (Texts{"It rains.", "Does it?", "Yes!", "So what...", "Fine"}));
  EXPECT_EQ(sentences_of("  One.\tTwo.  "), (Texts{"One.", "Two."}));
  EXPECT_EQ(sentences_of(""), Texts{});
  EXPECT_EQ(sentences_of(" \n\t\n"), Texts{});
}

TEST(SplitSentences, GoesOnAfterAbbreviationsAndInitials) {
  EXPECT_EQ(sentences_of("Dr. Berg met Mrs. A. B. Lund in St. Ives. They left."),
            (Texts{"Dr. Berg met Mrs. A. B. Lund in St. Ives.", "They left."}));
  EXPECT_EQ(sentences_of("Use a rope, e.g. Nylon, cf. Fig. 3 and vol. 2. See No. 5."),
            (Texts{"Use a rope, e.g. Nylon, cf. Fig. 3 and vol. 2.", "See No. 5."}));
  EXPECT_EQ(sentences_of("It opened on Jan. 5 at Smith Inc. headquarters."),
            (Texts{"It opened on Jan. 5 at Smith Inc. headquarters."}));
  EXPECT_EQ(sentences_of("Er kam am 3. Mai an. Dann ging er."),
            (Texts{"Er kam am 3. Mai an.", "Dann ging er."}));
}

TEST(SplitSentences, EndsAfterAnAbbreviationBeforeAWordThatStartsSentences) {
  EXPECT_EQ(sentences_of("The shop opens at 9 a.m. The bank opens later."),
            (Texts{"The shop opens at 9 a.m.", "The bank opens later."}));
  EXPECT_EQ(sentences_of("We sell ropes, hooks, etc. They are cheap."),
            (Texts{"We sell ropes, hooks, etc.", "They are cheap."}));
  EXPECT_EQ(sentences_of("Eat vitamin C. It helps."), (Texts{"Eat vitamin C.", "It helps."}));
}

TEST(SplitSentences, LeavesNumbersAndNamesWithPointsWhole) {
  EXPECT_EQ(sentences_of("Pi is 3.14159. Run node.js v2.1 from example.com/a.b now."),
            (Texts{"Pi is 3.14159.", "Run node.js v2.1 from example.com/a.b now."}));
  EXPECT_EQ(sentences_of("It was built in 1998. Then it burned."),
            (Texts{"It was built in 1998.", "Then it burned."}));
}

TEST(SplitSentences, KeepsClosingQuotesAndBracketsWithTheirSentence) {
  EXPECT_EQ(sentences_of("\"Stop!\" he cried. (It was late.) \u201cWhy?\u201d She ran."),
            (Texts{"\"Stop!\" he cried.", "(It was late.)", "\u201cWhy?\u201d", "She ran."}));
}

TEST(SplitSentences, EndsAtAPointThatStandsAlone) {
  EXPECT_EQ(sentences_of("the flow was measured . the results agree ."),
            (Texts{"the flow was measured .", "the results agree ."}));
}

TEST(SplitSentences, KnowsTheFullStopsOfOtherScripts) {
  EXPECT_EQ(sentences_of("你好。世界！「对吗？」是的"), (Texts{"你好。", "世界！", "「对吗？」", "是的"}));
  EXPECT_EQ(sentences_of("नदी बहती है। पानी साफ है।"), (Texts{"नदी बहती है।", "पानी साफ है।"}));
}

TEST(SplitSentences, JoinsWrappedLinesAndPartsParagraphs) {
  const std::string_view text =
      "The lock was built by the town in the year of the flood, and\nit stands to this day. It works.\n\nA "
      "second "
      "paragraph.";
  EXPECT_EQ(sentences_of(text),
            (Texts{"The lock was built by the town in the year of the flood, and\nit stands to this day.",
                   "It works.", "A second paragraph."}));
  const auto sentences = split_sentences(text);
  EXPECT_EQ(sentences[0].paragraph, sentences[1].paragraph);
  EXPECT_NE(sentences[1].paragraph, sentences[2].paragraph);
  EXPECT_EQ(plain_text(text, sentences[0]),
            "The lock was built by the town in the year of the flood, and it stands to this day.");
}

TEST(SplitSentences, ReadsLinesOfFactsOneByOne) {
  EXPECT_EQ(sentences_of("Name: Ada Berg\nBorn: 1911\nTrade: lock keeper"),
            (Texts{"Name: Ada Berg", "Born: 1911", "Trade: lock keeper"}));
}

TEST(SplitSentences, ReadsMarkdown) {
  const std::string_view text =
      "# The lock\n\nOpening hours\n\nIt opens daily:\n- in summer at 6\n  or before. Bring light.\n* in "
      "winter at 8\n1. "
      "Ring. 2. Wait.\n\n| a | b |\n|---|---|\nTitle\n=====\nText.";
  const auto sentences = split_sentences(text);
  Texts out;
  std::vector<SentenceKind> kinds;
  for (const Sentence& sentence : sentences) {
    out.push_back(plain_text(text, sentence));
    kinds.push_back(sentence.kind);
  }
  using enum SentenceKind;
  EXPECT_EQ(
      out, (Texts{"The lock", "Opening hours", "It opens daily:", "in summer at 6 or before.", "Bring light.",
                  "in winter at 8", "Ring.", "2.", "Wait.", "| a | b |", "|---|---|", "Title", "Text."}));
  EXPECT_EQ(kinds, (std::vector{heading, heading, prose, list_item, list_item, list_item, list_item,
                                list_item, list_item, table_row, table_row, heading, prose}));
}

TEST(SplitSentences, KeepsFencedCodeWhole) {
  const std::string_view text = "Run this:\n```sh\nmake. build.\n\nmake test\n```\nThen rest.";
  const auto sentences = split_sentences(text);
  ASSERT_EQ(sentences.size(), 3u);
  EXPECT_EQ(sentences[1].kind, SentenceKind::code);
  EXPECT_EQ(sentences[1].in(text), "```sh\nmake. build.\n\nmake test\n```");
}

TEST(SplitSentences, CallsAShortStatementNoHeading) {
  const auto sentences = split_sentences("Paris is the capital of France\n\nNext.");
  EXPECT_EQ(sentences.at(0).kind, SentenceKind::prose);
}

TEST(SplitSentences, TakesLinearTime) {
  std::string text;
  for (int i = 0; i < 40'000; ++i) text += "..\"\"   ";
  for (int i = 0; i < 40'000; ++i) text += "a.b. ";
  EXPECT_GT(split_sentences(text).size(), 1u);
}

}  // namespace
}  // namespace weir
