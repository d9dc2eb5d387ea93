// multipart/form-data (RFC 7578, RFC 2046 section 5.1) taken apart without I/O, fed with bytes in any cut.
// Strict where parsers of one chain may differ, which is how a field is smuggled past the first of them: no
// preamble, nothing between a delimiter and its line end, no bare CR or LF, one Content-Disposition with one
// plain name a part, no encoding of a part's content.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"

namespace weir {

// The boundary in the value of a content-type. Errors: unsupported_media_type for another type, bad_request
// for a boundary that is missing, given twice or not valid.
Result<std::string> multipart_boundary(std::string_view content_type);
// The value of a content-type with that boundary.
std::string multipart_content_type(std::string_view boundary);

class MultipartReader {
 public:
  enum class PieceKind : uint8_t {
    head,   // a delimiter with the header fields that follow: a part begins, and part() tells of it
    data,   // of the part's content
    close,  // the delimiter that ends the form
    tail,   // the line end after that
  };
  // The bytes of all pieces together are those that were fed. Views are valid until the next call and as long
  // as the bytes that were fed last.
  struct Piece {
    PieceKind kind = PieceKind::data;
    std::string_view bytes;
  };
  struct Part {
    std::string name;
    bool is_file = false;  // it has a file name
  };

  // REQUIRES a boundary of multipart_boundary().
  explicit MultipartReader(std::string_view boundary);

  // Removes what it used from the front of `bytes` and gives the next piece; nothing when all are used and
  // more are needed. Errors: bad_request; after one the reader is of no more use.
  Result<std::optional<Piece>> next(std::string_view& bytes);
  // The body has ended. Error: bad_request when the form had not.
  Result<void> finish() const;
  // The part that began last.
  const Part& part() const { return part_; }
  bool is_closed() const { return state_ == State::tail; }

 private:
  enum class State : uint8_t {
    delimiter,  // within one, of which matched_ bytes have come
    after_delimiter,
    head,
    data,
    tail
  };

  Result<std::optional<Piece>> take_delimiter(std::string_view& bytes);
  Result<std::optional<Piece>> take_head(std::string_view& bytes);
  std::optional<Piece> take_data(std::string_view& bytes);
  Result<void> read_head(std::string_view fields);
  Result<void> read_field(std::string_view line);
  Result<void> read_disposition(std::string_view value);

  const std::string delimiter_;  // CRLF "--" boundary; the first one lacks its CRLF
  State state_ = State::delimiter;
  size_t matched_ = 2;   // of delimiter_
  std::string pending_;  // the delimiter and the head that follows, as far as they have come
  std::string given_;    // what a piece of the last call is a view of
  size_t parts_ = 0;
  size_t tail_bytes_ = 0;
  bool has_disposition_ = false;
  Part part_;
};

}  // namespace weir
