#include "llm/bpe.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <zstd.h>

namespace weir {
namespace {

constexpr size_t kInlineKeyBytes = 8;
// Up to this length scanning all pairs for the lowest rank beats a heap.
constexpr size_t kScanBytesMax = 96;
// Bounds what a damaged or hostile frame can claim.
constexpr size_t kUnpackedBytesMax = size_t{16} << 20;

uint64_t mix(uint64_t value) {
  value *= 0x9e3779b97f4a7c15u;
  return value ^ (value >> 29);
}

uint64_t load(const char* bytes, size_t count) {
  uint64_t value = 0;
  std::memcpy(&value, bytes, count);
  return value;
}

// Up to eight bytes as one number, read with at most two fixed-size loads.
uint64_t short_key(std::string_view bytes) {
  const char* data = bytes.data();
  const size_t size = bytes.size();
  if (size >= 4) return load(data, 4) | load(data + size - 4, 4) << (8 * (size - 4));
  if (size == 3) return load(data, 2) | load(data + 2, 1) << 16;
  return size == 2 ? load(data, 2) : load(data, 1);
}

uint64_t key_of(std::string_view bytes) {
  if (bytes.size() <= kInlineKeyBytes) return short_key(bytes);
  uint64_t hash = 0;
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) hash = mix(hash ^ load(bytes.data() + at, 8));
  return mix(hash ^ load(bytes.data() + bytes.size() - 8, 8));
}

size_t home_slot(uint64_t key, size_t length, size_t mask) {
  return (mix(key + length) >> 7) & mask;
}

std::array<uint8_t, 256> base64_values() {
  std::array<uint8_t, 256> values;
  values.fill(0xff);
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < kDigits.size(); ++i)
    values[static_cast<uint8_t>(kDigits[i])] = static_cast<uint8_t>(i);
  return values;
}

// Appends the bytes of a base64 text (RFC 4648, padded); false when it is malformed.
bool append_base64(std::string_view text, std::string& out) {
  static const std::array<uint8_t, 256> kValues = base64_values();
  if (text.empty() || text.size() % 4 != 0) return false;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  for (size_t i = 0; i < text.size(); i += 4) {
    uint32_t group = 0;
    const size_t digits = i + 4 == text.size() ? 4 - padding : 4;
    for (size_t k = 0; k < 4; ++k) {
      const uint8_t value = k < digits ? kValues[static_cast<uint8_t>(text[i + k])] : 0;
      if (value == 0xff) return false;
      group = group << 6 | value;
    }
    for (size_t k = 0; k + 1 < digits; ++k) out.push_back(static_cast<char>(group >> (16 - 8 * k)));
  }
  return true;
}

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorKind::internal, "the token ranks are damaged: " + std::string(what));
}

// The parts of a short piece: where each starts, and the rank of it joined with its successor.
struct ScanPart {
  uint32_t start;
  uint32_t rank;
};

// Merges a short piece in place; returns how many parts are left. `parts` ends with one part at the piece's
// end.
size_t merge_by_scan(const BpeRanks& ranks, std::string_view piece, ScanPart* parts) {
  size_t count = piece.size();
  const auto pair_rank = [&](size_t i) {
    return i + 2 <= count ? ranks.find(piece.substr(parts[i].start, parts[i + 2].start - parts[i].start))
                          : BpeRanks::kNotAToken;
  };
  for (size_t i = 0; i <= count; ++i) parts[i] = {static_cast<uint32_t>(i), BpeRanks::kNotAToken};
  for (size_t i = 0; i + 1 < count; ++i) parts[i].rank = pair_rank(i);
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i) {
      if (parts[i].rank < parts[best].rank) best = i;
    }
    if (parts[best].rank == BpeRanks::kNotAToken) break;
    std::memmove(parts + best + 1, parts + best + 2, (count - best - 1) * sizeof(ScanPart));
    --count;
    parts[best].rank = pair_rank(best);
    if (best > 0) parts[best - 1].rank = pair_rank(best - 1);
  }
  return count;
}

// The parts of a long piece as a list over byte positions, with a heap of candidate pairs. An entry of the
// heap is (rank << 32 | position); it is stale, and skipped, when the part at that position has another pair
// rank by now.
class HeapMerge {
 public:
  HeapMerge(const BpeRanks& ranks, std::string_view piece)
      : ranks_(ranks),
        piece_(piece),
        next_(piece.size() + 1),
        previous_(piece.size() + 1),
        rank_(piece.size() + 1) {}

  // Returns how many parts are left.
  size_t run() {
    const auto size = static_cast<uint32_t>(piece_.size());
    for (uint32_t i = 0; i <= size; ++i) {
      next_[i] = std::min(i + 1, size);
      previous_[i] = i == 0 ? 0 : i - 1;
    }
    heap_.reserve(size);
    for (uint32_t i = 0; i < size; ++i) {
      rank_[i] = pair_rank(i);
      if (rank_[i] != BpeRanks::kNotAToken) heap_.push_back(entry(i));
    }
    std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
    size_t count = size;
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
      const uint64_t top = heap_.back();
      heap_.pop_back();
      const auto at = static_cast<uint32_t>(top);
      if (rank_[at] != static_cast<uint32_t>(top >> 32)) continue;
      join(at);
      --count;
    }
    return count;
  }

  uint32_t part_end(uint32_t start) const { return next_[start]; }

 private:
  uint64_t entry(uint32_t at) const { return uint64_t{rank_[at]} << 32 | at; }

  uint32_t pair_rank(uint32_t at) const {
    const uint32_t second = next_[at];
    if (second == piece_.size()) return BpeRanks::kNotAToken;
    return ranks_.find(piece_.substr(at, next_[second] - at));
  }

  void refresh(uint32_t at) {
    rank_[at] = pair_rank(at);
    if (rank_[at] == BpeRanks::kNotAToken) return;
    heap_.push_back(entry(at));
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  }

  void join(uint32_t at) {
    const uint32_t gone = next_[at];
    const uint32_t after = next_[gone];
    next_[at] = after;
    previous_[after] = at;
    rank_[gone] = BpeRanks::kNotAToken;
    refresh(at);
    if (at != 0) refresh(previous_[at]);
  }

  const BpeRanks& ranks_;
  std::string_view piece_;
  std::vector<uint32_t> next_, previous_, rank_;
  std::vector<uint64_t> heap_;
};

// Calls `with_token(bytes)` for each part in order and returns their number; parts are tokens of the
// vocabulary.
template <class WithToken>
size_t encode_window(const BpeRanks& ranks, std::string_view piece, WithToken with_token) {
  if (piece.size() <= kScanBytesMax) {
    std::array<ScanPart, kScanBytesMax + 1> parts;
    const size_t count = merge_by_scan(ranks, piece, parts.data());
    for (size_t i = 0; i < count; ++i) {
      with_token(piece.substr(parts[i].start, parts[i + 1].start - parts[i].start));
    }
    return count;
  }
  HeapMerge merge(ranks, piece);
  const size_t count = merge.run();
  for (uint32_t at = 0; at < piece.size(); at = merge.part_end(at)) {
    with_token(piece.substr(at, merge.part_end(at) - at));
  }
  return count;
}

template <class WithToken>
size_t encode_piece(const BpeRanks& ranks, std::string_view piece, WithToken with_token) {
  if (piece.empty()) return 0;
  if (ranks.find(piece) != BpeRanks::kNotAToken) {
    with_token(piece);
    return 1;
  }
  size_t count = 0;
  while (!piece.empty()) {
    const std::string_view window = piece.substr(0, BpeRanks::kWindowBytes);
    count += encode_window(ranks, window, with_token);
    piece.remove_prefix(window.size());
  }
  return count;
}

}  // namespace

Result<BpeRanks> BpeRanks::parse(std::string_view lines) {
  BpeRanks ranks;
  const auto line_count = static_cast<size_t>(std::ranges::count(lines, '\n'));
  ranks.bytes_.reserve(lines.size() / 2);
  ranks.offsets_.reserve(line_count + 1);
  ranks.offsets_.push_back(0);
  size_t slot_count = 1024;
  while (slot_count < 2 * line_count) slot_count *= 2;
  ranks.slots_.resize(slot_count);
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    if (end == lines.npos) return damaged("the last line has no end");
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    const size_t space = line.find(' ');
    if (space == line.npos || !append_base64(line.substr(0, space), ranks.bytes_))
      return damaged("not base64");
    const auto rank = static_cast<uint32_t>(ranks.size());
    uint32_t written = kNotAToken;
    std::from_chars(line.data() + space + 1, line.data() + line.size(), written);
    if (written != rank) return damaged("ranks have a gap");
    ranks.offsets_.push_back(static_cast<uint32_t>(ranks.bytes_.size()));
    if (!ranks.insert(rank)) return damaged("a token occurs twice");
  }
  for (int byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(byte);
    if (ranks.find({&text, 1}) == kNotAToken) return damaged("a single byte is missing");
  }
  ranks.bytes_.shrink_to_fit();
  return ranks;
}

Result<BpeRanks> BpeRanks::unpack(std::string_view zstd_frame) {
  const unsigned long long size = ZSTD_getFrameContentSize(zstd_frame.data(), zstd_frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kUnpackedBytesMax) {
    return damaged("not a zstd frame of known size");
  }
  const auto buffer = std::make_unique_for_overwrite<char[]>(size);
  const size_t written = ZSTD_decompress(buffer.get(), size, zstd_frame.data(), zstd_frame.size());
  if (ZSTD_isError(written) != 0) return damaged(ZSTD_getErrorName(written));
  return parse({buffer.get(), written});
}

bool BpeRanks::insert(uint32_t rank) {
  const std::string_view bytes = token(rank);
  const uint64_t key = key_of(bytes);
  const size_t mask = slots_.size() - 1;
  size_t at = home_slot(key, bytes.size(), mask);
  for (; slots_[at].length != 0; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.key == key && slot.length == bytes.size() && token(slot.rank) == bytes) return false;
  }
  slots_[at] = {key, rank, static_cast<uint32_t>(bytes.size())};
  longest_ = std::max(longest_, bytes.size());
  return true;
}

uint32_t BpeRanks::find(std::string_view bytes) const {
  if (bytes.empty() || bytes.size() > longest_) return kNotAToken;
  const uint64_t key = key_of(bytes);
  const size_t mask = slots_.size() - 1;
  for (size_t at = home_slot(key, bytes.size(), mask); slots_[at].length != 0; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.key != key || slot.length != bytes.size()) continue;
    if (bytes.size() <= kInlineKeyBytes || token(slot.rank) == bytes) return slot.rank;
  }
  return kNotAToken;
}

size_t BpeRanks::count(std::string_view piece) const {
  return encode_piece(*this, piece, [](std::string_view) {});
}

void BpeRanks::encode(std::string_view piece, std::vector<uint32_t>& out) const {
  encode_piece(*this, piece, [&](std::string_view token) { out.push_back(find(token)); });
}

}  // namespace weir
