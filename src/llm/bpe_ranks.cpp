#include "llm/bpe_ranks.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <zstd.h>

#include "base/encoding.h"

namespace weir {
namespace {

constexpr size_t kInlineKeyBytes = 8;
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

// Where a token belongs, before it is cut to the size of a table.
size_t place_of(uint64_t key, size_t length) {
  return mix(key + length) >> 7;
}

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorKind::internal, "the token ranks are damaged: " + std::string(what));
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
  ranks.taken_.resize(kPlaces / 64);
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    if (end == lines.npos) return damaged("the last line has no end");
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    const size_t space = line.find(' ');
    if (space == line.npos) return damaged("a line has no rank");
    const auto bytes = base64_decode(line.substr(0, space));
    if (!bytes || bytes->empty()) return damaged("not base64");
    if (bytes->size() > kTokenBytesMax) return damaged("a token is too long");
    ranks.bytes_ += *bytes;
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
  const size_t place = place_of(key, bytes.size());
  size_t at = place & mask;
  for (; slots_[at].length != 0; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.key == key && slot.length == bytes.size() && token(slot.rank) == bytes) return false;
  }
  slots_[at] = {key, rank, static_cast<uint32_t>(bytes.size())};
  taken_[place % kPlaces / 64] |= uint64_t{1} << place % 64;
  longest_ = std::max(longest_, bytes.size());
  return true;
}

uint32_t BpeRanks::find(std::string_view bytes) const {
  if (bytes.empty() || bytes.size() > longest_) return kNotAToken;
  const uint64_t key = key_of(bytes);
  const size_t place = place_of(key, bytes.size());
  if ((taken_[place % kPlaces / 64] >> place % 64 & 1) == 0) return kNotAToken;
  const size_t mask = slots_.size() - 1;
  for (size_t at = place & mask; slots_[at].length != 0; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.key != key || slot.length != bytes.size()) continue;
    if (bytes.size() <= kInlineKeyBytes || token(slot.rank) == bytes) return slot.rank;
  }
  return kNotAToken;
}

}  // namespace weir
