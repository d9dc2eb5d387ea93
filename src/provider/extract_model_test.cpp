#include "provider/extract_model.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "llm/tokens.h"
#include "provider/extract_model_phrases.h"

namespace weir {
namespace {

using testing::Test;
using testing::TestWithParam;
using testing::Values;

constexpr std::string_view kLock =
    "The Halden lock was built between 1898 and 1904 by the engineer Ingrid Solberg. It joins the upper "
    "canal to the tidal "
    "river and lifts ships by nine metres. Because the river silts up quickly, the chamber is dredged every "
    "second "
    "spring.\n\n"
    "Today four keepers work at the lock in two shifts. They open the gates from six in the morning until "
    "ten at night, "
    "except in January, when ice closes the canal. A passage takes about twenty-five minutes and costs 18 "
    "euros for boats "
    "under twelve metres; larger ships pay 60 euros.\n\n"
    "In 1953 a storm surge broke the lower gate and flooded the town of Halden. The new gate is made of "
    "steel, weighs 84 "
    "tonnes and closes by itself when the water rises faster than a metre an hour. Since then no flood has "
    "reached the "
    "market square.";

constexpr std::string_view kPolicy =
    "# Returns\n\n"
    "You may return unused goods within 30 days of delivery. To start a return you need:\n"
    "- the order number\n"
    "- the e-mail address of the account\n"
    "- a photo of the item\n\n"
    "Refunds are paid to the original card within five working days. Sale items cannot be returned.\n\n"
    "# Shipping\n\n"
    "We ship to all countries of the European Union. Orders over 80 euros ship free of charge, and smaller "
    "ones cost 6.50 "
    "euros. Express delivery is not offered on islands.\n\n"
    "# Contact\n\n"
    "Write to help@nordgoods.example or call +47 22 33 44 55 on weekdays from 9 to 17.";

constexpr std::string_view kBees =
    "A honeybee colony is a society of one queen, a few hundred drones and up to sixty thousand workers. The "
    "queen lays all "
    "the eggs. Workers live for about six weeks in summer, while a queen can live for four years.\n\n"
    "Foragers tell each other where flowers are by dancing. Karl von Frisch decoded this waggle dance in the "
    "1940s and "
    "received the Nobel Prize for it in 1973. The angle of the dance shows the direction relative to the "
    "sun, and its "
    "length shows the distance.\n\n"
    "In winter the bees form a cluster and shiver to keep the queen warm. They eat the honey that they "
    "stored in summer. "
    "A colony needs around twenty kilograms of honey to survive until spring.";

struct Case {
  std::string_view name;
  std::string_view text;
  std::string_view question;
  std::string_view expected;           // the answer contains it
  std::string_view not_expected = {};  // and not this
};

class AnswersFromText : public TestWithParam<Case> {};

TEST_P(AnswersFromText, WithTheRightSentences) {
  const ExtractAnswer answer = extract({.instructions = "",
                                        .context = std::string(GetParam().text),
                                        .question = std::string(GetParam().question)});
  EXPECT_NE(answer.text.find(GetParam().expected), std::string::npos) << answer.text;
  if (!GetParam().not_expected.empty()) {
    EXPECT_EQ(answer.text.find(GetParam().not_expected), std::string::npos) << answer.text;
  }
  EXPECT_LT(answer.text.size(), 420u) << "an answer is no copy of the text: " << answer.text;
}

INSTANTIATE_TEST_SUITE_P(
    Questions, AnswersFromText,
    Values(Case{"builder", kLock, "Who built the Halden lock?", "Ingrid Solberg", "keepers work"},
           Case{"height", kLock, "How high does the lock lift ships?", "nine metres", "storm"},
           Case{"dredging", kLock, "Why is the chamber dredged?", "Because the river silts up quickly"},
           Case{"ice", kLock, "When is the canal closed by ice?", "January", "storm"},
           Case{"cost", kLock, "How much does a passage cost for a small boat?", "18 euros", "storm"},
           Case{"flood", kLock, "What happened in 1953?", "storm surge broke the lower gate", "dredged"},
           Case{"weight", kLock, "How heavy is the new gate?", "84 tonnes", "January"},
           Case{"keepers", kLock, "How many keepers work there?", "four keepers", "Solberg"},
           Case{"square", kLock, "Has a flood reached the market square since?",
                "no flood has reached the market square"},
           Case{"duration", kLock, "How long does a passage take?", "twenty-five minutes"},
           Case{"returns", kPolicy, "How many days do I have to return goods?", "30 days", "Union"},
           Case{"needed", kPolicy, "What do I need to start a return?", "a photo of the item", "Union"},
           Case{"refund", kPolicy, "When will I get my refund?", "five working days", "Express"},
           Case{"free", kPolicy, "Is shipping free?", "over 80 euros ship free of charge", "photo"},
           Case{"sale", kPolicy, "Can I return sale items?", "Sale items cannot be returned"},
           Case{"islands", kPolicy, "Do you offer express delivery to islands?", "not offered on islands",
                "photo"},
           Case{"email", kPolicy, "What is the email address to write to?", "help@nordgoods.example"},
           Case{"queen", kBees, "How long can a queen live?", "four years", "Nobel"},
           Case{"frisch", kBees, "Who decoded the waggle dance?", "Karl von Frisch", "winter"},
           Case{"prize", kBees, "When did he receive the Nobel Prize?", "1973", "honey"},
           Case{"colony", kBees, "What is a honeybee colony?", "is a society of one queen", "winter"},
           Case{"winter", kBees, "How do bees keep the queen warm in winter?", "form a cluster and shiver",
                "Nobel"},
           Case{"honey", kBees, "How much honey does a colony need to survive?", "twenty kilograms"},
           Case{"distance", kBees, "What shows the distance in the dance?", "its length shows the distance",
                "eggs"},
           Case{"eggs", kBees, "Who lays the eggs?", "The queen lays all the eggs", "Nobel"}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

ExtractAnswer ask(std::string_view text, std::string_view question) {
  return extract({.instructions = "", .context = std::string(text), .question = std::string(question)});
}

TEST(Extract, QuotesNothingButTheText) {
  for (const std::string_view question :
       {"Who built the lock?", "Summarise the text.", "List the prices.", "Why?"}) {
    const std::string answer = ask(kLock, question).text;
    if (answer == kNotFound) continue;
    std::string flat(kLock);
    for (size_t at = 0; (at = flat.find("\n\n", at)) != flat.npos;) flat.replace(at, 2, " ");
    // Each sentence of the answer stands in the text.
    for (std::string_view rest = answer; !rest.empty();) {
      const size_t end = std::min(rest.find(". ", 0), rest.size() - 1) + 1;
      EXPECT_NE(flat.find(rest.substr(0, end)), std::string::npos) << rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
}

TEST(Extract, SaysPlainlyWhatItIsWithoutText) {
  for (const std::string_view question : {"What is the capital of France?", "Hello!", "Who are you?", ""}) {
    const ExtractAnswer answer = ask("", question);
    EXPECT_NE(answer.text.find("weir/extract"), std::string::npos) << question;
    EXPECT_NE(answer.text.find("OPENAI_API_KEY"), std::string::npos) << question;
    EXPECT_EQ(answer.stop_reason, ExtractStop::end_turn);
  }
}

TEST(Extract, SaysThatTheTextDoesNotAnswer) {
  EXPECT_EQ(ask(kLock, "What is the airspeed velocity of a swallow?").text, kNotFound);
  EXPECT_EQ(ask(kBees, "Who won the football championship?").text, kNotFound);
}

TEST(Extract, DoesNotQuoteItsOwnWordsFromEarlierTurns) {
  const std::string earlier = std::string(kNoMaterial) + " " + std::string(kIntroduction);
  EXPECT_EQ(ask(earlier, "Which model is built into Weir?").text, earlier);
  EXPECT_NE(ask(earlier + "\n\n" + std::string(kLock), "Who built the lock?").text.find("Solberg"),
            std::string::npos);
}

TEST(Extract, TakesTheTextFromTheSameMessage) {
  const std::string lock(kLock);
  for (const std::string& message : {lock + "\n\nWho built the lock?", "Who built the lock?\n\n" + lock,
                                     "Context:\n" + lock + "\n\nQuestion: Who built the lock?",
                                     "<document>\n" + lock + "\n</document>\n\nWho built the lock?",
                                     "Answer the question by the text.\n\nText: \"\"\"" + lock +
                                         "\"\"\"\n\nQuestion: Who built the lock?\nAnswer:",
                                     lock + " Who built the lock?"}) {
    const ExtractAnswer answer = ask("", message);
    EXPECT_NE(answer.text.find("Ingrid Solberg"), std::string::npos)
        << message.substr(0, 40) << " -> " << answer.text;
    EXPECT_EQ(answer.text.find("market square"), std::string::npos) << answer.text;
  }
}

TEST(Extract, TakesTheTextFromTheInstructions) {
  const ExtractAnswer tagged =
      extract({.instructions = "Use this. <context>" + std::string(kBees) + "</context>",
               .context = "",
               .question = "Who lays the eggs?"});
  EXPECT_EQ(tagged.text, "The queen lays all the eggs.");
}

TEST(Extract, TellsStatementsInInstructionsFromDirectives) {
  const auto answer = [](std::string_view instructions, std::string_view question) {
    return extract(
               {.instructions = std::string(instructions), .context = "", .question = std::string(question)})
        .text;
  };
  EXPECT_EQ(answer("The weir was built in 1911. It is 40 metres wide.", "When was the weir built?"),
            "The weir was built in 1911.");
  EXPECT_EQ(answer("You are a clerk. Be brief. We open at nine. Never guess.", "When do you open?"),
            "We open at nine.");
  EXPECT_NE(answer("You are a helpful assistant. Answer in one sentence.", "Who built Rome?").find("no text"),
            std::string::npos);
  EXPECT_NE(answer("The tone is friendly.", "Who built Rome?").find("no text"), std::string::npos);
}

TEST(Extract, GoesOnWithTheLastQuestion) {
  const std::string turns =
      std::string(kLock) + "\n\nHow often is the chamber dredged?\n\nEvery second spring.";
  EXPECT_NE(ask(turns, "And why?").text.find("silts up"), std::string::npos) << ask(turns, "And why?").text;
}

TEST(Extract, SummarisesLongTextInFewSentences) {
  const std::string text = std::string(kLock) + "\n\n" + std::string(kBees);
  const ExtractAnswer summary = ask(text, "Summarise this, please.");
  EXPECT_LT(summary.text.size(), text.size() / 2);
  EXPECT_GT(summary.text.size(), 100u);
  EXPECT_EQ(ask("", "Summarize the following text:\n\n" + text).text, summary.text);
  EXPECT_EQ(ask("", text).text, summary.text) << "a long text without a question";
}

size_t count_of(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++count;
  return count;
}

TEST(Extract, KeepsToTheNumberOfSentencesAndBullets) {
  EXPECT_EQ(count_of(ask(kLock, "Summarise in one sentence.").text, "."), 1u);
  EXPECT_EQ(count_of(ask(kLock, "Summarise this in three sentences.").text, ". "), 2u);
  const std::string bullets = ask(kLock, "Give me a summary in 4 bullet points.").text;
  EXPECT_EQ(count_of(bullets, "- "), 4u) << bullets;
  EXPECT_TRUE(bullets.starts_with("- "));
  const ExtractAnswer by_system =
      extract({.instructions = "Always answer in one sentence.",
               .context = std::string(kLock),
               .question = "How is the new gate made and what did the storm do?"});
  EXPECT_EQ(count_of(by_system.text, ". "), 0u) << by_system.text;
}

TEST(Extract, KeepsToANumberOfWords) {
  const std::string text = ask(kLock, "Summarise in at most 12 words.").text;
  EXPECT_LE(count_of(text, " ") + 1, 13u) << text;
  EXPECT_FALSE(text.empty());
}

TEST(Extract, GivesOnlyTheThingWhenOnlyItIsAskedFor) {
  EXPECT_EQ(ask(kBees, "When did Frisch receive the Nobel Prize? Answer with only the year.").text, "1973");
  EXPECT_EQ(ask(kLock, "How heavy is the new gate? Give only the number.").text, "84 tonnes");
}

TEST(Extract, StopsAtMaxTokens) {
  const std::string whole = ask(kLock, "Who built the lock?").text;
  for (int64_t tokens_max = 0; tokens_max < 12; ++tokens_max) {
    const ExtractAnswer cut = extract({.instructions = "",
                                       .context = std::string(kLock),
                                       .question = "Who built the lock?",
                                       .max_tokens = tokens_max});
    EXPECT_EQ(cut.stop_reason, ExtractStop::max_tokens);
    EXPECT_EQ(cut.output_tokens, tokens_max);
    EXPECT_TRUE(whole.starts_with(cut.text));
  }
  const ExtractAnswer enough = extract({.instructions = "",
                                        .context = std::string(kLock),
                                        .question = "Who built the lock?",
                                        .max_tokens = 500});
  EXPECT_EQ(enough.stop_reason, ExtractStop::end_turn);
  EXPECT_EQ(enough.text, whole);
}

TEST(Extract, NeverCutsACharacterAtMaxTokens) {
  const std::string text =
      "The sign reads \xf0\x9f\xa6\xad\xf0\x9f\xa6\xad \xf0\x90\x8d\x88\xf0\x90\x8d\x88.";
  for (int64_t tokens_max = 0; tokens_max < 25; ++tokens_max) {
    const ExtractAnswer cut = extract({.instructions = "",
                                       .context = text,
                                       .question = "What does the sign read?",
                                       .max_tokens = tokens_max});
    EXPECT_TRUE(text.starts_with(cut.text));
    EXPECT_TRUE(cut.text.empty() || (static_cast<uint8_t>(text[cut.text.size()]) & 0xc0) != 0x80) << cut.text;
    EXPECT_LE(cut.output_tokens, tokens_max);
  }
}

TEST(Extract, EndsBeforeTheFirstStopSequence) {
  const ExtractAnswer answer = extract({.instructions = "",
                                        .context = std::string(kLock),
                                        .question = "Who built the lock?",
                                        .stop_sequences = {"never", "engineer", "", "Ingrid"}});
  EXPECT_EQ(answer.stop_reason, ExtractStop::stop_sequence);
  EXPECT_EQ(answer.stop_sequence, "engineer");
  EXPECT_TRUE(answer.text.ends_with("by the "));
}

TEST(Extract, CountsTokensExactly) {
  const ExtractRequest request{
      .instructions = "Be brief.", .context = std::string(kLock), .question = "Who built the lock?"};
  const ExtractAnswer answer = extract(request);
  EXPECT_EQ(answer.input_tokens, count_tokens(Tokenizer::o200k_base, request.instructions) +
                                     count_tokens(Tokenizer::o200k_base, request.context) +
                                     count_tokens(Tokenizer::o200k_base, request.question));
  EXPECT_EQ(answer.output_tokens, count_tokens(Tokenizer::o200k_base, answer.text));
}

TEST(Extract, IsDeterministic) {
  const std::string once = ask(kPolicy, "How do I return goods and what does shipping cost?").text;
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(ask(kPolicy, "How do I return goods and what does shipping cost?").text, once);
}

TEST(Extract, TakesAnyBytes) {
  for (const std::string_view text :
       {"\xff\xfe", "<document>", "\"\"\"", "Question:", "?", "```", "<a", "Context: Question: Answer:"}) {
    EXPECT_FALSE(ask(text, text).text.empty());
    EXPECT_FALSE(ask("", text).text.empty());
  }
}

TEST(StreamChunks, JoinToTheText) {
  const std::string text = ask(kLock, "Summarise this.").text + " \xf0\x9f\xa6\xad \xff!";
  std::string joined;
  const auto chunks = stream_chunks(text);
  for (const std::string_view chunk : chunks) joined += chunk;
  EXPECT_EQ(joined, text);
  EXPECT_GT(chunks.size(), 20u);
  EXPECT_TRUE(stream_chunks("").empty());
}

TEST(ExtractJson, GivesAnAnswerWithQuotes) {
  const ExtractAnswer answer = extract({.instructions = "",
                                        .context = std::string(kBees),
                                        .question = "Who lays the eggs?",
                                        .format = ExtractFormat::json_object});
  const auto doc = JsonDoc::parse(answer.text);
  ASSERT_TRUE(doc.has_value()) << answer.text;
  EXPECT_EQ(doc->root()["answer"].string_or(""), "The queen lays all the eggs.");
  EXPECT_EQ(doc->root()["quotes"].at(0).string_or(""), "The queen lays all the eggs.");
}

TEST(ExtractJson, StaysValidWithoutText) {
  const ExtractAnswer answer = extract(
      {.instructions = "", .context = "", .question = "Say \"hi\"\n", .format = ExtractFormat::json_object});
  const auto doc = JsonDoc::parse(answer.text);
  ASSERT_TRUE(doc.has_value()) << answer.text;
  EXPECT_EQ(doc->root()["quotes"].size(), 0u);
}

ExtractAnswer fill(std::string_view text, std::string_view schema,
                   std::string_view question = "Extract the data.") {
  return extract({.instructions = "",
                  .context = std::string(text),
                  .question = std::string(question),
                  .format = ExtractFormat::json_schema,
                  .json_schema = std::string(schema)});
}

TEST(ExtractJson, FillsASchemaFromProse) {
  const ExtractAnswer answer = fill(
      "Ada Berg lives in Oslo and is 34 years old. You can reach her at ada@berg.example. She joined on 5 "
      "May 2019.",
      R"({"type":"object","properties":{"name":{"type":"string"},"city":{"type":"string"},
          "age":{"type":"integer"},
          "email":{"type":"string"},"joined_date":{"type":"string"}},
          "required":["name","city","age","email","joined_date"],"additionalProperties":false})");
  EXPECT_EQ(answer.stop_reason, ExtractStop::end_turn) << answer.text;
  EXPECT_EQ(
      answer.text,
      R"({"name":"Ada Berg","city":"Oslo","age":34,"email":"ada@berg.example","joined_date":"5 May 2019"})");
}

TEST(ExtractJson, FillsASchemaFromLabelledLines) {
  const ExtractAnswer answer =
      fill("Order number: A-1842\nTotal: 1,240.50\nPaid: yes\nItems: rope, hook, lamp\nStatus: shipped",
           R"({"type":"object","properties":{"orderNumber":{"type":"string"},"total":{"type":"number"},
          "paid":{"type":"boolean"},"items":{"type":"array","items":{"type":"string"}},
          "status":{"enum":["open","shipped"]},
          "note":{"type":["string","null"]}},
           "required":["orderNumber","total","paid","items","status","note"]})");
  EXPECT_EQ(answer.text,
            R"({"orderNumber":"A-1842","total":1240.50,"paid":true,"items":["rope","hook","lamp"],)"
            R"("status":"shipped","note":null})");
}

TEST(ExtractJson, FillsTheAnswerOfASchema) {
  const ExtractAnswer answer =
      fill(kBees, R"({"type":"object","properties":{"answer":{"type":"string"},"quotes":{"type":"array",
          "items":{"type":"string"}}},"required":["answer","quotes"]})",
           "Who lays the eggs?");
  EXPECT_EQ(answer.text,
            R"({"answer":"The queen lays all the eggs.","quotes":["The queen lays all the eggs."]})");
}

TEST(ExtractJson, RefusesWhatTheTextDoesNotSay) {
  const ExtractAnswer answer =
      fill(kBees, R"({"type":"object","properties":{"iban":{"type":"string"}},"required":["iban"]})");
  EXPECT_EQ(answer.stop_reason, ExtractStop::refusal);
  EXPECT_NE(answer.text.find("\"iban\""), std::string::npos);
  EXPECT_EQ(fill(kBees, R"({"type":"array"})").stop_reason, ExtractStop::refusal);
  EXPECT_EQ(fill(kBees, "{").stop_reason, ExtractStop::refusal);
}

TEST(ExtractJson, LeavesOptionalPropertiesOut) {
  EXPECT_EQ(fill(kBees, R"({"type":"object","properties":{"iban":{"type":"string"}}})").text, "{}");
}

}  // namespace
}  // namespace weir
