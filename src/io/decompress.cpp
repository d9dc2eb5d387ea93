#include "io/decompress.h"

#include <limits>
#include <zlib.h>
#include <zstd.h>

#include "base/assert.h"
#include "io/headers.h"

namespace weir {
namespace {

// What RFC 9659 lets a zstd content coding ask of a reader: 8 MB.
constexpr int kZstdWindowLogMax = 23;

// gzip and deflate, both of which wrap the same data.
class Inflate final : public Decompressor {
 public:
  explicit Inflate(ContentCoding coding) : is_gzip_(coding == ContentCoding::gzip) {}
  ~Inflate() override {
    if (is_initialised_) inflateEnd(&stream_);
  }
  bool is_at_end() const override { return is_between_members_; }

 protected:
  std::optional<Progress> step(std::string_view input, std::span<char> output) override {
    if (is_between_members_) {
      if (input.empty()) return Progress{};
      if (!begin_member(input.front())) return std::nullopt;
    }
    constexpr size_t kMax = std::numeric_limits<uInt>::max();
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = static_cast<uInt>(std::min(input.size(), kMax));
    stream_.next_out = reinterpret_cast<Bytef*>(output.data());
    stream_.avail_out = static_cast<uInt>(std::min(output.size(), kMax));
    const uInt in_before = stream_.avail_in;
    const uInt out_before = stream_.avail_out;
    const int status = inflate(&stream_, Z_NO_FLUSH);
    if (status == Z_STREAM_END) is_between_members_ = true;
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) return std::nullopt;
    return Progress{in_before - stream_.avail_in, out_before - stream_.avail_out};
  }

 private:
  // A gzip body may be several members (RFC 1952 section 2.2); a deflate body is one. "deflate" should be in
  // the zlib format, but some servers send it bare; a zlib header's first byte cannot start bare data in
  // practice.
  bool begin_member(char first) {
    if (is_initialised_) {
      if (!is_gzip_) return false;
      inflateReset(&stream_);
    } else {
      const bool is_zlib_format = (static_cast<uint8_t>(first) & 0x8F) == 0x08;
      const int window_bits = is_gzip_ ? 15 + 16 : is_zlib_format ? 15 : -15;
      WEIR_ASSERT(inflateInit2(&stream_, window_bits) == Z_OK, "zlib allocates its window");
      is_initialised_ = true;
    }
    is_between_members_ = false;
    return true;
  }

  const bool is_gzip_;
  bool is_initialised_ = false;
  bool is_between_members_ = true;  // also before the first byte: an empty body is no error
  z_stream stream_{};
};

class Zstd final : public Decompressor {
 public:
  Zstd() : context_(ZSTD_createDCtx()) {
    WEIR_ASSERT(context_, "zstd allocates its context");
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kZstdWindowLogMax);
  }
  ~Zstd() override { ZSTD_freeDCtx(context_); }
  bool is_at_end() const override { return is_between_frames_; }

 protected:
  std::optional<Progress> step(std::string_view input, std::span<char> output) override {
    if (is_between_frames_ && input.empty()) return Progress{};
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{output.data(), output.size(), 0};
    const size_t status = ZSTD_decompressStream(context_, &out, &in);
    if (ZSTD_isError(status)) return std::nullopt;
    is_between_frames_ = status == 0;
    return Progress{in.pos, out.pos};
  }

 private:
  ZSTD_DCtx* context_;
  bool is_between_frames_ = true;
};

}  // namespace

std::optional<ContentCoding> parse_content_coding(std::string_view value) {
  if (value.empty() || equals_ignoring_case(value, "identity")) return ContentCoding::identity;
  if (equals_ignoring_case(value, "gzip") || equals_ignoring_case(value, "x-gzip"))
    return ContentCoding::gzip;
  if (equals_ignoring_case(value, "deflate")) return ContentCoding::deflate;
  if (equals_ignoring_case(value, "zstd")) return ContentCoding::zstd;
  return std::nullopt;
}

std::unique_ptr<Decompressor> Decompressor::create(ContentCoding coding, const DecompressLimits& limits) {
  WEIR_ASSERT(coding != ContentCoding::identity, "identity needs no decoder");
  std::unique_ptr<Decompressor> decompressor;
  if (coding == ContentCoding::zstd) {
    decompressor = std::make_unique<Zstd>();
  } else {
    decompressor = std::make_unique<Inflate>(coding);
  }
  decompressor->limits_ = limits;
  return decompressor;
}

Result<size_t> Decompressor::next(std::string_view& input, std::span<char> output) {
  size_t written = 0;
  while (written < output.size()) {
    const std::optional<Progress> progress = step(input, output.subspan(written));
    if (!progress) return fail(ErrorKind::upstream_malformed, "the provider's compressed answer is broken");
    input.remove_prefix(progress->used);
    written += progress->written;
    bytes_in_ += progress->used;
    bytes_out_ += progress->written;
    const bool is_bomb =
        bytes_out_ > limits_.ratio_applies_from && bytes_out_ / limits_.ratio_max > bytes_in_;
    if (is_bomb || bytes_out_ > limits_.bytes_max)
      return fail(ErrorKind::upstream_malformed, "the provider's compressed answer expands beyond the limit");
    if (progress->used == 0 && progress->written == 0) break;
  }
  return written;
}

}  // namespace weir
