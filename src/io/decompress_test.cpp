#include "io/decompress.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "io/test_vectors.h"

namespace weir {
namespace {

std::string deflate_with(std::string_view text, int window_bits) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

struct Inflated {
  std::string text;
  bool is_whole = false;
  std::string error;
  bool operator==(const Inflated&) const = default;
};

Inflated inflate_pieces(ContentCoding coding, const std::vector<std::string_view>& pieces,
                        const DecompressLimits& limits = {}, size_t room = 100) {
  const auto decoder = Decompressor::create(coding, limits);
  Inflated result;
  std::string buffer(room, '\0');
  for (std::string_view piece : pieces) {
    for (;;) {
      const auto written = decoder->next(piece, buffer);
      if (!written) {
        result.error = written.error().message;
        return result;
      }
      result.text.append(buffer, 0, *written);
      if (*written < buffer.size()) break;
    }
    EXPECT_TRUE(piece.empty());
  }
  result.is_whole = decoder->is_at_end();
  return result;
}

struct Coded {
  ContentCoding coding;
  std::string bytes;
};
std::vector<Coded> in_every_coding(std::string_view text) {
  return {{ContentCoding::gzip, deflate_with(text, 15 + 16)},
          {ContentCoding::deflate, deflate_with(text, 15)},
          {ContentCoding::deflate, deflate_with(text, -15)},
          {ContentCoding::zstd, zstd(text)}};
}

std::string sample() {
  std::string text;
  Rng rng(7);
  for (int i = 0; i < 300; ++i) text += "word" + std::to_string(rng.below(1000)) + " ";
  return text;
}

TEST(Decompress, DecodesEveryCodingHoweverItIsCut) {
  const std::string text = sample();
  for (const Coded& coded : in_every_coding(text)) {
    test::for_each_cut(coded.bytes, [&](const std::vector<std::string_view>& pieces) {
      const Inflated inflated = inflate_pieces(coded.coding, pieces);
      EXPECT_EQ(inflated.text, text);
      EXPECT_TRUE(inflated.is_whole);
      EXPECT_EQ(inflated.error, "");
    });
  }
}

TEST(Decompress, DecodesSeveralMembersAndAnEmptyBody) {
  for (const Coded& coded : in_every_coding("abc")) {
    EXPECT_TRUE(inflate_pieces(coded.coding, {}).is_whole);
    const std::string twice = coded.bytes + coded.bytes;
    const Inflated inflated = inflate_pieces(coded.coding, {twice});
    if (coded.coding == ContentCoding::deflate) {
      EXPECT_NE(inflated.error, "");
    } else {
      EXPECT_EQ(inflated.text, "abcabc");
    }
  }
}

TEST(Decompress, KnowsThatItWasCut) {
  for (const Coded& coded : in_every_coding(sample())) {
    const std::string_view cut = std::string_view(coded.bytes).substr(0, coded.bytes.size() - 1);
    const Inflated inflated = inflate_pieces(coded.coding, {cut});
    EXPECT_FALSE(inflated.is_whole);
    EXPECT_EQ(inflated.error, "");
  }
}

TEST(Decompress, RefusesBrokenData) {
  EXPECT_NE(inflate_pieces(ContentCoding::gzip, {"not gzip at all"}).error, "");
  EXPECT_NE(inflate_pieces(ContentCoding::zstd, {"not zstd at all"}).error, "");
  std::string broken = deflate_with(sample(), 15 + 16);
  broken[broken.size() - 6] ^= 1;  // in the checksum
  EXPECT_NE(inflate_pieces(ContentCoding::gzip, {broken}).error, "");
}

TEST(Decompress, StopsAtABomb) {
  const std::string zeros(20 * kMiB, '\0');
  for (const Coded& coded : in_every_coding(zeros)) {
    const Inflated inflated = inflate_pieces(coded.coding, {coded.bytes}, {}, 16 * kKiB);
    EXPECT_NE(inflated.error.find("expands"), std::string::npos);
    EXPECT_LE(inflated.text.size(), 2 * kMiB);
    // Small answers may be as regular as they like.
    const std::string small(kMiB, '\0');
    const Coded fine = {coded.coding,
                        coded.coding == ContentCoding::zstd
                            ? zstd(small)
                            : deflate_with(small, coded.coding == ContentCoding::gzip ? 31 : 15)};
    EXPECT_EQ(inflate_pieces(fine.coding, {fine.bytes}, {}, 16 * kKiB).text, small);
  }
}

TEST(Decompress, CapsTheOutput) {
  const std::string text = sample();
  for (const Coded& coded : in_every_coding(text)) {
    EXPECT_EQ(inflate_pieces(coded.coding, {coded.bytes}, {.bytes_max = text.size()}).error, "");
    EXPECT_NE(inflate_pieces(coded.coding, {coded.bytes}, {.bytes_max = text.size() - 1}).error, "");
  }
}

TEST(Decompress, KnowsTheNamesOfCodings) {
  EXPECT_EQ(parse_content_coding(""), ContentCoding::identity);
  EXPECT_EQ(parse_content_coding("GZIP"), ContentCoding::gzip);
  EXPECT_EQ(parse_content_coding("x-gzip"), ContentCoding::gzip);
  EXPECT_EQ(parse_content_coding("zstd"), ContentCoding::zstd);
  EXPECT_EQ(parse_content_coding("br"), std::nullopt);
  EXPECT_EQ(parse_content_coding("gzip, gzip"), std::nullopt);
}

}  // namespace
}  // namespace weir
