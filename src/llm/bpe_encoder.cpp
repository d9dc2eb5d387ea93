#include "llm/bpe_encoder.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <span>

#include "base/assert.h"

namespace weir {
namespace {

// Pieces up to this length, which is nearly all of them, are encoded without allocating.
constexpr size_t kSmallPieceBytes = 128;

std::vector<std::string_view> tokens_of(const BpeRanks& ranks) {
  std::vector<std::string_view> tokens;
  tokens.reserve(ranks.size());
  for (uint32_t rank = 0; rank < ranks.size(); ++rank) tokens.push_back(ranks.token(rank));
  return tokens;
}

}  // namespace

BpeEncoder::BpeEncoder(BpeRanks ranks)
    : ranks_(std::move(ranks)),
      trie_(tokens_of(ranks_)),
      verdicts_(std::make_unique<std::atomic<uint64_t>[]>(kVerdicts)) {
  splits_.reserve(ranks_.size());
}

Result<BpeEncoder> BpeEncoder::create(BpeRanks ranks) {
  BpeEncoder encoder(std::move(ranks));
  for (uint32_t rank = 0; rank < encoder.ranks_.size(); ++rank) {
    const Split split = encoder.split_of(rank);
    if (split.left == BpeRanks::kNotAToken)
      return fail(ErrorKind::internal, fmt::format("no two tokens are joined to token {}", rank));
    encoder.splits_.push_back(split);
  }
  return encoder;
}

// REQUIRES the splits of all lower ranks.
BpeEncoder::Split BpeEncoder::split_of(uint32_t rank) const {
  const std::string_view bytes = ranks_.token(rank);
  if (bytes.size() == 1) return {rank, rank, 1};
  for (uint32_t left = trie_.shorter(rank); left != TokenTrie::kNone; left = trie_.shorter(left)) {
    if (left > rank) continue;
    const auto left_size = static_cast<uint32_t>(ranks_.token(left).size());
    const std::string_view rest = bytes.substr(left_size);
    const uint32_t right = ranks_.find(rest);
    if (right > rank) continue;
    const SizedToken sized_right = {right, static_cast<uint32_t>(rest.size())};
    if (meet_unjoined({left, left_size}, sized_right, rest.data())) return {left, right, left_size};
  }
  return {};
}

// Whether joining leaves these two tokens, which meet at `boundary`, as they are. To see that, their making
// is undone, the last join first: what meets at the boundary in between must have no rank below that of the
// join which ends its meeting. Of equal ranks the leftmost was joined first. What the two are joined to
// themselves is not asked.
bool BpeEncoder::meet_unjoined(SizedToken left, SizedToken right, const char* boundary) const {
  while (left.size > 1 || right.size > 1) {
    uint32_t limit;
    if (right.size == 1 || (left.size > 1 && left.id > right.id)) {
      const Split& split = splits_[left.id];
      limit = left.id;
      left = {split.right, left.size - split.left_size};
    } else {
      const Split& split = splits_[right.id];
      limit = right.id + 1;
      right = {split.left, split.left_size};
    }
    if (ranks_.find({boundary - left.size, left.size + right.size}) < limit) return false;
  }
  return true;
}

// Whether both can be tokens of a text. The answer is remembered: texts repeat themselves, and a run of one
// character has a hundred tokens of it to try at each place.
bool BpeEncoder::stay_apart(SizedToken left, SizedToken right, const char* boundary) const {
  const uint64_t question = (uint64_t{left.id} + 1) << 32 | uint64_t{right.id} << 1;
  std::atomic<uint64_t>& verdict = verdicts_[(left.id * 31 + right.id) % kVerdicts];
  const uint64_t known = verdict.load(std::memory_order_relaxed);
  if ((known & ~uint64_t{1}) == question) return (known & 1) != 0;
  const bool apart = ranks_.find({boundary - left.size, left.size + right.size}) == BpeRanks::kNotAToken &&
                     meet_unjoined(left, right, boundary);
  verdict.store(question | (apart ? 1 : 0), std::memory_order_relaxed);
  return apart;
}

// Writes the sizes of the tokens and returns their number. A bit of `dead_ends` says that no tokens of this
// piece meet there.
size_t BpeEncoder::encode_parts(std::string_view piece, uint8_t* sizes, uint64_t* dead_ends) const {
  size_t count = 0;
  size_t at = 0;
  SizedToken before = {};  // the token that ends at `at`; none at 0
  SizedToken token = trie_.longest(piece);
  while (true) {
    const size_t end = at + token.size;
    const bool dead = (dead_ends[end / 64] >> end % 64 & 1) != 0;
    if (!dead && (count == 0 || stay_apart(before, token, piece.data() + at))) {
      sizes[count++] = static_cast<uint8_t>(token.size);
      if (end == piece.size()) return count;
      before = token;
      at = end;
      token = trie_.longest(piece.substr(at));
      continue;
    }
    token.id = trie_.shorter(token.id);
    if (token.id != TokenTrie::kNone) {
      token.size = static_cast<uint32_t>(ranks_.token(token.id).size());
      continue;
    }
    WEIR_ASSERT(count > 0, "joining ends with some tokens, which are found here");
    dead_ends[at / 64] |= uint64_t{1} << at % 64;
    --count;
    token = before;
    at -= token.size;
    if (count > 0)
      before = {ranks_.find(piece.substr(at - sizes[count - 1], sizes[count - 1])), sizes[count - 1]};
  }
}

// Calls with_sizes(sizes of the tokens) and returns their number.
template <class WithSizes>
size_t BpeEncoder::encode_piece(std::string_view piece, WithSizes with_sizes) const {
  const auto encode_in = [&](std::span<uint8_t> sizes, std::span<uint64_t> dead_ends) {
    const size_t count = encode_parts(piece, sizes.data(), dead_ends.data());
    with_sizes(sizes.first(count));
    return count;
  };
  if (piece.size() <= kSmallPieceBytes) {
    std::array<uint8_t, kSmallPieceBytes> sizes;
    std::array<uint64_t, kSmallPieceBytes / 64 + 1> dead_ends{};
    return encode_in(sizes, dead_ends);
  }
  std::vector<uint8_t> sizes(piece.size());
  std::vector<uint64_t> dead_ends(piece.size() / 64 + 1);
  return encode_in(sizes, dead_ends);
}

size_t BpeEncoder::count(std::string_view piece) const {
  if (piece.empty()) return 0;
  if (ranks_.find(piece) != BpeRanks::kNotAToken) return 1;
  return encode_piece(piece, [](std::span<const uint8_t>) {});
}

void BpeEncoder::encode(std::string_view piece, std::vector<uint32_t>& out) const {
  if (piece.empty()) return;
  if (const uint32_t whole = ranks_.find(piece); whole != BpeRanks::kNotAToken) {
    out.push_back(whole);
    return;
  }
  encode_piece(piece, [&](std::span<const uint8_t> sizes) {
    for (size_t at = 0; const uint8_t size : sizes) {
      out.push_back(ranks_.find(piece.substr(at, size)));
      at += size;
    }
  });
}

}  // namespace weir
