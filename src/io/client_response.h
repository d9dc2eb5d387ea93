// The body of an HTTP/1.1 answer as its reader pulls it: framing and content coding taken off, bytes given as
// views of the connection's buffer.
#pragma once

#include "io/client_pool.h"
#include "io/decompress.h"
#include "io/http1.h"

namespace weir {

class Http1ClientResponse final : public ClientResponse {
 public:
  // `head`: the answer's; what follows it is in the connection's buffer. `decompressor`: null for identity.
  Http1ClientResponse(ClientPool& pool, std::unique_ptr<ClientConnection> connection, ResponseHead&& head,
                      std::unique_ptr<Decompressor> decompressor);
  ~Http1ClientResponse() override;

  Result<std::optional<std::string_view>> take() override;
  Task<void> wait(Scope& scope) override;
  void hang_up() override { connection_.reset(); }
  bool is_complete() const override { return is_complete_ || (is_framing_complete_ && !decompressor_); }

 private:
  Result<std::optional<std::string_view>> take_decoded();
  // A piece of the body as it came, in its content coding if it has one; empty at the end.
  Result<std::optional<std::string_view>> take_coded();
  // What is in the buffer, as far as it belongs to the body. The pieces of chunks are moved together, so that
  // one read of the socket is one piece (and one write to the client).
  Result<std::string_view> take_buffered();
  Result<std::string_view> take_chunks();
  Result<void> take_end(IoState state);
  void finish();

  ClientPool& pool_;
  std::unique_ptr<ClientConnection> connection_;  // null after the end
  std::unique_ptr<Decompressor> decompressor_;
  ChunkedDecoder chunked_{ErrorKind::upstream_malformed};
  BodyFraming framing_;
  uint64_t left_;
  bool keep_alive_;
  bool is_framing_complete_ = false;  // the last byte of the body was taken from the buffer
  bool is_complete_ = false;
  bool was_waited_for_ = false;   // the socket may have bytes
  bool may_hold_output_ = false;  // the decompressor filled all of decoded_
  std::string_view coded_;        // not yet decompressed; a view of the buffer
  std::unique_ptr<char[]> decoded_;
};

}  // namespace weir
