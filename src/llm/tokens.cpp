#include "llm/tokens.h"

#include <array>

#include "base/assert.h"
#include "base/encoding.h"
#include "llm/bpe_encoder.h"
#include "llm/tokens_split.h"

namespace weir {
namespace embedded {
extern const std::string_view o200k_base;  // third_party/openai-ranks
extern const std::string_view cl100k_base;
}  // namespace embedded

namespace {

struct Encoding {
  BpeEncoder encoder;
  TokenSplitter splitter;
};

// The embedded tables are part of the program: a damaged one is a broken build.
BpeEncoder unpack_embedded(std::string_view frame) {
  constexpr const char* kWhole = "the token ranks in third_party/openai-ranks are whole";
  auto ranks = BpeRanks::unpack(frame);
  WEIR_ASSERT(ranks.has_value(), kWhole);
  auto encoder = BpeEncoder::create(*std::move(ranks));
  WEIR_ASSERT(encoder.has_value(), kWhole);
  return *std::move(encoder);
}

const Encoding& encoding(Tokenizer tokenizer) {
  if (tokenizer == Tokenizer::cl100k_base) {
    static const Encoding kCl100k{unpack_embedded(embedded::cl100k_base),
                                  TokenSplitter(SplitPattern::cl100k_base)};
    return kCl100k;
  }
  static const Encoding kO200k{unpack_embedded(embedded::o200k_base),
                               TokenSplitter(SplitPattern::o200k_base)};
  return kO200k;
}

// Calls with_piece(bytes) for each piece of the text, in order.
template <class WithPiece>
void for_each_piece(const TokenSplitter& splitter, std::string_view text, WithPiece with_piece) {
  while (!text.empty()) {
    const std::string_view valid = text.substr(0, utf8_valid_prefix(text));
    for (size_t at = 0; at < valid.size();) {
      const size_t size = splitter.piece_at(valid, at);
      with_piece(valid.substr(at, size));
      at += size;
    }
    text.remove_prefix(valid.size());
    size_t invalid = 0;
    while (invalid < text.size() && utf8_valid_prefix(text.substr(invalid, 4)) == 0) ++invalid;
    if (invalid > 0) with_piece(text.substr(0, invalid));
    text.remove_prefix(invalid);
  }
}

struct ModelRow {
  std::string_view prefix;
  Tokenizer tokenizer;
};

// The first prefix that fits decides. Source: tiktoken/model.py, and OpenAI's notes on models since.
constexpr std::array<ModelRow, 17> kModels = {{
    {"gpt-4o", Tokenizer::o200k_base},
    {"gpt-4.1", Tokenizer::o200k_base},
    {"gpt-4.5", Tokenizer::o200k_base},
    {"gpt-5", Tokenizer::o200k_base},
    {"gpt-oss", Tokenizer::o200k_base},
    {"chatgpt-4o", Tokenizer::o200k_base},
    {"codex-mini", Tokenizer::o200k_base},
    {"o1", Tokenizer::o200k_base},
    {"o3", Tokenizer::o200k_base},
    {"o4", Tokenizer::o200k_base},
    {"gpt-4", Tokenizer::cl100k_base},
    {"gpt-3.5", Tokenizer::cl100k_base},
    {"gpt-35", Tokenizer::cl100k_base},
    {"text-embedding-3-", Tokenizer::cl100k_base},
    {"text-embedding-ada-002", Tokenizer::cl100k_base},
    {"davinci-002", Tokenizer::cl100k_base},
    {"babbage-002", Tokenizer::cl100k_base},
}};

}  // namespace

Tokenizer tokenizer_for_model(std::string_view model) {
  const auto fits = [&](std::string_view prefix) {
    if (!model.starts_with(prefix)) return false;
    // "o1" and "gpt-4" end a word: "o1-mini" and "gpt-4-0613" fit, "o100" and "gpt-45" do not.
    const char last = prefix.back();
    const char next = model.size() > prefix.size() ? model[prefix.size()] : '-';
    return !(last >= '0' && last <= '9' && next >= '0' && next <= '9');
  };
  if (model == "weir/extract") return Tokenizer::o200k_base;
  if (const size_t slash = model.rfind('/'); slash != model.npos) model.remove_prefix(slash + 1);
  if (model.starts_with("ft:")) model.remove_prefix(3);
  for (const ModelRow& row : kModels) {
    if (fits(row.prefix)) return row.tokenizer;
  }
  return Tokenizer::estimate;
}

void preload(Tokenizer tokenizer) {
  if (tokenizer != Tokenizer::estimate) encoding(tokenizer);
}

int64_t count_tokens(Tokenizer tokenizer, std::string_view text) {
  if (tokenizer == Tokenizer::estimate) return estimate_tokens(text);
  const Encoding& chosen = encoding(tokenizer);
  size_t count = 0;
  for_each_piece(chosen.splitter, text,
                 [&](std::string_view piece) { count += chosen.encoder.count(piece); });
  return static_cast<int64_t>(count);
}

std::vector<uint32_t> encode_tokens(Tokenizer tokenizer, std::string_view text) {
  const Encoding& chosen = encoding(tokenizer);
  std::vector<uint32_t> tokens;
  for_each_piece(chosen.splitter, text,
                 [&](std::string_view piece) { chosen.encoder.encode(piece, tokens); });
  return tokens;
}

std::string decode_tokens(Tokenizer tokenizer, std::span<const uint32_t> tokens) {
  const BpeRanks& ranks = encoding(tokenizer).encoder.ranks();
  std::string text;
  for (const uint32_t token : tokens) {
    if (token < ranks.size()) text += ranks.token(token);
  }
  return text;
}

std::vector<std::string_view> split_pieces(Tokenizer tokenizer, std::string_view text) {
  std::vector<std::string_view> pieces;
  for_each_piece(encoding(tokenizer).splitter, text,
                 [&](std::string_view piece) { pieces.push_back(piece); });
  return pieces;
}

}  // namespace weir
