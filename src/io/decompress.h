// Content codings of HTTP (RFC 9110 section 8.4.1, RFC 8878): streaming decoders with caps, so that a small
// answer cannot fill memory. Without I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"

namespace weir {

enum class ContentCoding : uint8_t { identity, gzip, deflate, zstd };

// The value of content-encoding: one coding, without case; empty is identity. Nothing for other codings and
// for lists, which no provider sends.
std::optional<ContentCoding> parse_content_coding(std::string_view value);

struct DecompressLimits {
  uint64_t bytes_max = kGiB;               // of output in all
  uint64_t ratio_max = 200;                // output to input, once there is
  uint64_t ratio_applies_from = 1 * kMiB;  // this much output
};

class Decompressor {
 public:
  // REQUIRES a coding other than identity.
  static std::unique_ptr<Decompressor> create(ContentCoding coding, const DecompressLimits& limits = {});
  virtual ~Decompressor() = default;

  // Removes what it used from the front of `input` and gives how many bytes it put into `output`; less than
  // all of `output` means that `input` is used up. Errors: upstream_malformed for broken data and for output
  // over a limit; after one the decoder is of no more use. REQUIRES an `output` that is not empty.
  Result<size_t> next(std::string_view& input, std::span<char> output);
  // Whether the data may end here: false at the end of a body means that it was cut.
  virtual bool is_at_end() const = 0;

 protected:
  struct Progress {
    size_t used = 0;
    size_t written = 0;
  };
  // One step of the library. Nothing: the data is broken.
  virtual std::optional<Progress> step(std::string_view input, std::span<char> output) = 0;

 private:
  DecompressLimits limits_;
  uint64_t bytes_in_ = 0;
  uint64_t bytes_out_ = 0;
};

}  // namespace weir
