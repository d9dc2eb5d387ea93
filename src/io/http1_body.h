// The body of an HTTP/1.1 request as it comes off the connection.
#pragma once

#include <optional>

#include "io/byte_budget.h"
#include "io/byte_stream.h"
#include "io/http.h"
#include "io/http1.h"
#include "io/read_buffer.h"

namespace weir {

class Http1BodyReader final : public BodyReader {
 public:
  // What remains of a body that the handler did not read is read and thrown away up to this size.
  static constexpr uint64_t kDrainBytesMax = 64 * 1024;

  // `input` holds what was received behind the head. `on_complete` is called when the last byte was taken;
  // not when there is no body. `timeout`: how long the client may send nothing.
  Http1BodyReader(ByteStream& stream, ReadBuffer& input, ByteBudget& budget, const RequestHead& head,
                  Duration timeout, std::function<void()> on_complete);

  Task<std::string> read_all(Scope& scope, size_t bytes_max) override;
  Task<size_t> read_some(Scope& scope, std::span<char> buffer) override;
  Result<void> hold(size_t bytes) override;

  // Every byte was taken.
  bool is_complete() const { return is_complete_; }
  // Every byte has arrived, as far as can be told without decoding.
  bool is_received() const { return is_complete_ || (!chunks_ && left_ <= input_.view().size()); }
  // Whether draining what is left is worth keeping the connection for.
  bool is_worth_draining() const;
  // Reads the rest and throws it away. False: it was too much, or broken.
  Task<bool> drain(Scope& scope);

 private:
  // What is there as a whole.
  Result<std::string> take_all();
  Task<std::string> read_rest(Scope& scope, size_t bytes_max);
  Task<void> read_known_length(Scope& scope, std::string& body);
  Task<void> read_chunked(Scope& scope, std::string& body, size_t bytes_max);
  // Makes room for `size` bytes of body and the padding of the JSON parser, within the budget.
  Result<void> grow(std::string& body, size_t size);
  // Waits for bytes and reads at least one into `buffer`.
  Task<size_t> receive(Scope& scope, std::span<char> buffer);
  Task<void> receive_input(Scope& scope);
  // The next piece of a chunked body that is in the input already; empty: more input is needed, or the end.
  Result<std::string_view> next_piece(size_t bytes_max);
  Task<void> send_continue(Scope& scope);
  void complete();
  std::unexpected<Error> broken(Error error);

  ByteStream& stream_;
  ReadBuffer& input_;
  ByteBudget::Share share_;
  const Duration timeout_;
  std::function<void()> on_complete_;
  uint64_t left_;  // content-length: bytes still to come
  std::optional<ChunkedDecoder> chunks_;
  bool owes_continue_;
  bool is_complete_;
  bool is_broken_ = false;
};

}  // namespace weir
