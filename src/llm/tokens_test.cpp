#include "llm/tokens.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sstream>

#include "base/json.h"

namespace weir {
namespace {

constexpr Tokenizer kBoth[] = {Tokenizer::o200k_base, Tokenizer::cl100k_base};

std::filesystem::path shared_dir() {
  const char* dir = std::getenv("WEIR_SHARED_DIR");
  return dir != nullptr ? dir : "../shared";
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string repeated(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(CountTokens, AgreesWithTheReferenceOnItsVectors) {
  const auto path = shared_dir() / "vectors/tiktoken-vectors/vectors.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is absent";
  const auto doc = JsonDoc::parse(read_file(path));
  ASSERT_TRUE(doc.has_value()) << doc.error().message;
  for (const Tokenizer tokenizer : kBoth) {
    const JsonValue vectors = doc->root()["encodings"][to_string(tokenizer)];
    ASSERT_GT(vectors.size(), 50u);
    for (const JsonValue vector : vectors) {
      const std::string_view text = vector["text"].string_or("");
      std::vector<uint32_t> expected;
      for (const JsonValue token : vector["tokens"])
        expected.push_back(static_cast<uint32_t>(token.int_or(-1)));
      EXPECT_EQ(encode_tokens(tokenizer, text), expected) << to_string(tokenizer) << ": " << text;
      EXPECT_EQ(count_tokens(tokenizer, text), static_cast<int64_t>(expected.size())) << text;
    }
  }
}

TEST(CountTokens, CountsPlainSentences) {
  EXPECT_EQ(count_tokens(Tokenizer::o200k_base, ""), 0);
  EXPECT_EQ(count_tokens(Tokenizer::o200k_base, "hello world"), 2);
  EXPECT_EQ(count_tokens(Tokenizer::cl100k_base, "hello world"), 2);
  EXPECT_EQ(count_tokens(Tokenizer::o200k_base, "The quick brown fox jumps over the lazy dog."), 10);
  EXPECT_EQ(count_tokens(Tokenizer::o200k_base, "1234567"), 3);
}

TEST(CountTokens, TakesContractionsOffInBothCases) {
  // cl100k_base parts "'RE" from its word, o200k_base keeps it in the word's piece.
  const auto cl100k = split_pieces(Tokenizer::cl100k_base, "WE'RE we've");
  EXPECT_EQ(cl100k, (std::vector<std::string_view>{"WE", "'RE", " we", "'ve"}));
  const auto o200k = split_pieces(Tokenizer::o200k_base, "WE'RE we've CamelCase");
  EXPECT_EQ(o200k, (std::vector<std::string_view>{"WE'RE", " we've", " Camel", "Case"}));
}

TEST(CountTokens, LeavesTheLastBlankToTheNextWord) {
  const auto pieces = split_pieces(Tokenizer::o200k_base, "a   b\n\n  c \n");
  EXPECT_EQ(pieces, (std::vector<std::string_view>{"a", "  ", " b", "\n\n", " ", " c", " \n"}));
}

TEST(CountTokens, TreatsUnicodeSpacesAsTheReferenceDoes) {
  // U+0085 is white space, U+180E is not.
  EXPECT_EQ(split_pieces(Tokenizer::cl100k_base, "!\u0085\u0085x"),
            (std::vector<std::string_view>{"!", "\u0085", "\u0085x"}));
  EXPECT_EQ(split_pieces(Tokenizer::cl100k_base, "!\u180e!"), (std::vector<std::string_view>{"!\u180e!"}));
}

TEST(CountTokens, EncodesWhatDecodesToTheSameBytes) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string text(random() % 200, '\0');
    for (char& c : text) c = static_cast<char>(round % 2 == 0 ? random() % 128 : random());
    for (const Tokenizer tokenizer : kBoth) {
      const auto tokens = encode_tokens(tokenizer, text);
      EXPECT_EQ(decode_tokens(tokenizer, tokens), text);
      EXPECT_EQ(count_tokens(tokenizer, text), static_cast<int64_t>(tokens.size()));
      EXPECT_GE(cheap_upper_estimate(text), static_cast<int64_t>(tokens.size()));
    }
  }
}

TEST(CountTokens, CountsInvalidUtf8ByItsBytes) {
  EXPECT_EQ(decode_tokens(Tokenizer::o200k_base, encode_tokens(Tokenizer::o200k_base, "a\xff\xfe b")),
            "a\xff\xfe b");
  EXPECT_GE(count_tokens(Tokenizer::o200k_base, "\xff\xff\xff"), 1);
  EXPECT_LE(count_tokens(Tokenizer::o200k_base, "\xff\xff\xff"), 3);
  EXPECT_EQ(count_tokens(Tokenizer::o200k_base, "\xe2\x82"), 1) << "a cut character is a token of its own";
}

class Pathological : public testing::TestWithParam<std::string_view> {};

// A text without a break must take a time that grows as its length; a quadratic merge would need hours, so
// the test's own time limit is the check.
TEST_P(Pathological, TextsTakeBoundedTime) {
  const std::string text = repeated(GetParam(), 60'000 / GetParam().size());
  for (const Tokenizer tokenizer : kBoth) {
    const int64_t count = count_tokens(tokenizer, text);
    EXPECT_GT(count, 0);
    EXPECT_LE(count, cheap_upper_estimate(text));
  }
}
INSTANTIATE_TEST_SUITE_P(AllKinds, Pathological,
                         testing::Values("a", "A", " ", "\n", "\t ", "ab", "=", "'", "'s", "\xff", "\u00e9",
                                         "\u0301", "\u4e16", "9", "\u00a0", "Aa", "zq", "\xf0\x9f\x98\x80",
                                         "\r\n", "\xe4"));

TEST(CountTokens, TakesAMillionLettersInOnePiece) {
  const std::string text(1'000'000, 'a');
  EXPECT_EQ(split_pieces(Tokenizer::o200k_base, text).size(), 1u);
  EXPECT_EQ(count_tokens(Tokenizer::o200k_base, text), 125'000) << "the longest token of a's has eight";
}

TEST(Vocabularies, HoldWhatTheUpperEstimateRestsOn) {
  for (const Tokenizer tokenizer : kBoth) {
    for (int number = 0; number < 1000; ++number) {
      const std::string digits = std::to_string(number);
      EXPECT_EQ(encode_tokens(tokenizer, digits).size(), 1u) << digits;
      EXPECT_EQ(encode_tokens(tokenizer, repeated("0", 3 - digits.size()) + digits).size(), 1u) << digits;
    }
    for (size_t spaces = 1; spaces <= 79; ++spaces) {
      EXPECT_EQ(encode_tokens(tokenizer, std::string(spaces, ' ')).size(), 1u) << spaces;
    }
    for (char letter = 'a'; letter <= 'z'; ++letter) {
      EXPECT_EQ(encode_tokens(tokenizer, std::string(" ") + letter).size(), 1u) << letter;
      for (char second = 'a'; second <= 'z'; ++second) {
        const std::string pair = {letter, second};
        EXPECT_GE(cheap_upper_estimate(pair), static_cast<int64_t>(encode_tokens(tokenizer, pair).size()))
            << pair;
      }
    }
  }
}

TEST(CheapUpperEstimate, IsAtMostAByteATokenAndFarLessForProse) {
  const std::string prose = "A weir is a low barrier built across a river to raise or measure its flow. ";
  EXPECT_LE(cheap_upper_estimate(prose), static_cast<int64_t>(prose.size() * 8 / 10));
  EXPECT_EQ(cheap_upper_estimate(""), 0);
  EXPECT_EQ(cheap_upper_estimate("123456"), 2);
  EXPECT_EQ(cheap_upper_estimate(std::string(79, ' ')), 1);
  EXPECT_EQ(cheap_upper_estimate("\xff\xff"), 2);
}

struct Sample {
  std::string_view name;
  std::string_view text;
};

class Estimate : public testing::TestWithParam<Sample> {};

TEST_P(Estimate, LiesNearTheExactCount) {
  const auto exact = static_cast<double>(count_tokens(Tokenizer::o200k_base, GetParam().text));
  const auto estimate = static_cast<double>(estimate_tokens(GetParam().text));
  EXPECT_GE(estimate, 0.9 * exact) << exact << " tokens, estimated " << estimate;
  EXPECT_LE(estimate, 1.45 * exact) << exact << " tokens, estimated " << estimate;
}

INSTANTIATE_TEST_SUITE_P(
    Texts, Estimate,
    testing::Values(
        Sample{"english",
               "The harbour master keeps a ledger of every vessel that passes the lock. Each entry names the "
               "ship, "
               "its flag, the draught measured at the bow, and the hour at which the gates closed behind it. "
               "When the "
               "river runs high, he writes the level twice a day, once at dawn and once after the evening "
               "tide."},
        Sample{"code",
               "int main(int argc, char** argv) {\n  std::vector<std::string> names(argv + 1, argv + argc);\n"
               "  for (const auto& name : names) {\n    if (name.empty()) continue;\n"
               "    fmt::print(\"hello, {}\\n\", name);\n  }\n  return names.empty() ? 1 : 0;\n}\n"},
        Sample{
            "json",
            "{\"id\": \"order-1842\", \"customer\": {\"name\": \"Ada Berg\", \"city\": \"Oslo\"}, \"items\": "
            "[{\"sku\": \"A-17\", \"count\": 3, \"price\": 19.95}, {\"sku\": \"B-02\", \"count\": 1, "
            "\"price\": "
            "240.00}], \"paid\": true}"},
        Sample{
            "german",
            "Die Schleuse am unteren Kanal wurde im Frühjahr erneuert. Seitdem können auch größere Schiffe "
            "den "
            "Hafen erreichen, ohne auf das Hochwasser zu warten. Die Gebühren richten sich nach der Länge."},
        Sample{
            "french",
            "L'écluse a été rénovée au printemps. Depuis, les grands navires peuvent rejoindre le port sans "
            "attendre la marée haute, et les droits de passage dépendent de la longueur du bateau."},
        Sample{"russian",
               "Шлюз на нижнем канале был обновлён весной. С тех пор большие суда могут заходить в порт, не "
               "дожидаясь "
               "высокой воды. Плата зависит от длины судна."},
        Sample{"chinese",
               "下游运河的船闸在春天进行了翻修。从那以后,"
               "大型船只不必等待涨潮就可以进入港口。费用取决于船的长度。"},
        Sample{"japanese",
               "下流の運河の水門は春に改修されました。それ以来、大型船は満潮を待たずに港に入ることができます"
               "。"}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

TEST(TokenizerForModel, KnowsOpenAisModelsByName) {
  for (const std::string_view model :
       {"gpt-4o", "gpt-4o-mini-2024-07-18", "gpt-4.1", "gpt-4.1-nano", "gpt-5", "gpt-5.2-pro", "o1",
        "o1-preview", "o3-mini", "o4-mini", "chatgpt-4o-latest", "gpt-oss-120b", "openai/gpt-4o",
        "ft:gpt-4o-mini:acme::abc123", "weir/extract"}) {
    EXPECT_EQ(tokenizer_for_model(model), Tokenizer::o200k_base) << model;
  }
  for (const std::string_view model : {"gpt-4", "gpt-4-0613", "gpt-4-turbo", "gpt-3.5-turbo", "gpt-35-turbo",
                                       "text-embedding-3-large", "text-embedding-ada-002", "azure/gpt-4"}) {
    EXPECT_EQ(tokenizer_for_model(model), Tokenizer::cl100k_base) << model;
  }
  for (const std::string_view model : {"claude-opus-4", "gemini-2.5-pro", "llama-3.1-70b", "o100", "gpt-45",
                                       "mistral-large", "", "command-r", "other/extract"}) {
    EXPECT_EQ(tokenizer_for_model(model), Tokenizer::estimate) << model;
  }
}

}  // namespace
}  // namespace weir
