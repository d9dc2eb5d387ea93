// The response of an HTTP/1.1 exchange as it goes onto the connection.
#pragma once

#include <optional>
#include <string>

#include "io/byte_stream.h"
#include "io/http.h"
#include "io/http1.h"

namespace weir {

class Http1BodyReader;
class HttpService;

class Http1ResponseWriter final : public ResponseWriter {
 public:
  // `exchange`: the request's scope, cancelled when the client cannot be written to; `connection`: the one
  // around it. All references must outlive the writer.
  Http1ResponseWriter(HttpService& service, Scope& connection, Scope& exchange, ByteStream& stream,
                      const RequestHead& head, const Http1BodyReader& body);

  Task<void> send(Scope& scope, int status, const Headers& headers, std::string_view body) override;
  Task<void> start(Scope& scope, int status, const Headers& headers) override;
  Task<void> write(Scope& scope, std::string_view bytes) override;
  Task<void> finish(Scope& scope, std::string_view last_bytes) override;
  bool is_started() const override { return state_ != State::fresh; }
  uint64_t bytes_taken() const override { return bytes_taken_; }

  bool is_finished() const { return state_ == State::finished; }
  // Whether another request may follow on the connection.
  bool keeps_alive() const { return keeps_alive_ && is_finished(); }

 private:
  enum class State : uint8_t { fresh, started, finished, broken };
  // What is still to be written: a head, and of the body the start of a chunk, its bytes, its end, and the
  // last chunk.
  struct Output {
    static constexpr size_t kBody = 2;
    std::array<std::string_view, 5> pieces;
    size_t first = 0;
    // What was written. Gives how much of it was of the body.
    size_t drop(size_t bytes);
    bool is_empty();
  };

  Result<void> begin(int status, const Headers& headers, BodyFraming framing, uint64_t length);
  // Appends a chunk or a part of a body that is counted. Errors: internal, when that is too much.
  Result<void> add_body(Output& output, ChunkStart& chunk, std::string_view bytes);
  // Writes what is to be written; the state is `then` afterwards.
  Task<void> deliver(Scope& scope, Output output, const ChunkStart& chunk, State then);
  [[gnu::noinline]] Task<void> deliver_later(Scope& scope, Output output, ChunkStart chunk, State then);
  void note_delivered(State then);
  // Writes what the socket takes at once, which is nearly always everything. True: everything.
  Result<bool> put(Output& output);
  Task<void> put_rest(Scope& scope, Output& output);
  std::unexpected<Error> hung_up(Error why);
  bool has_body() const { return !is_head_ && has_body_; }

  HttpService& service_;
  Scope& connection_;
  Scope& exchange_;
  ByteStream& stream_;
  const Http1BodyReader& request_body_;
  const HttpVersion version_;
  const bool is_head_;
  bool keeps_alive_;
  bool has_body_ = true;
  // send() gave all of it at once. That is told to a client that has ended its sending, too: it may have half
  // closed the connection, and nothing is asked of anybody for its sake any more.
  bool is_whole_ = false;
  State state_ = State::fresh;
  BodyFraming framing_ = BodyFraming::none;
  uint64_t left_ = 0;  // of a streamed body with a content-length
  std::string head_;   // not written yet
  uint64_t bytes_taken_ = 0;
};

}  // namespace weir
