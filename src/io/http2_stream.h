// One stream of an HTTP/2 connection: the request's head and body as they arrive, and the response.
#pragma once

#include <optional>
#include <string>

#include "io/http_service.h"

struct nghttp2_session;

namespace weir {

class Http2Connection;

class Http2Stream final : public BodyReader, public ResponseWriter {
 public:
  Http2Stream(Http2Connection& connection, int32_t id);
  ~Http2Stream() override;

  int32_t id() const { return id_; }
  HttpRequest& request() { return request_; }

  // The head. `refusal` afterwards: an error to answer instead of calling the handler.
  void add_header(std::string_view name, std::string_view value);
  void end_head();
  const std::optional<Error>& refusal() const { return refusal_; }

  // What the connection reports.
  void on_data(std::string_view bytes);
  void on_input_end();
  void on_close(bool is_in_order);
  // The connection is gone, with its client.
  void on_connection_lost();
  // Gives at most `size` bytes of the response to nghttp2 and says whether they are its last.
  // Gives nothing when the handler has to write first.
  std::optional<size_t> on_output(char* bytes, size_t size, bool& is_end);

  // After the answer: gives a client that still sends a moment to see it, since several (curl 7) drop an
  // answer that a reset follows at once. What it sends is thrown away, within its window.
  Task<void> linger(Scope& scope);

  // From here on the client's reset of the stream cancels `exchange`.
  void set_exchange(Scope* exchange);
  bool is_closed() const { return is_closed_; }
  bool is_input_ended() const { return is_input_ended_; }
  bool is_finished() const { return state_ == State::finished; }

  Task<std::string> read_all(Scope& scope, size_t bytes_max) override;
  Task<size_t> read_some(Scope& scope, std::span<char> buffer) override;
  Result<void> hold(size_t bytes) override;
  Task<void> send(Scope& scope, int status, const Headers& headers, std::string_view body) override;
  Task<void> start(Scope& scope, int status, const Headers& headers) override;
  Task<void> write(Scope& scope, std::string_view bytes) override;
  Task<void> finish(Scope& scope, std::string_view last_bytes) override;
  bool is_started() const override { return state_ != State::fresh; }
  uint64_t bytes_taken() const override { return bytes_taken_; }

 private:
  enum class State : uint8_t { fresh, started, finishing, finished, broken };
  struct Wait;

  Result<void> check_head();
  Task<void> wait_for_input(Scope& scope);
  void send_continue();
  // Tells the client that the handler took that many bytes of the body.
  void consume(size_t bytes);
  Result<void> submit(int status, const Headers& headers, std::optional<uint64_t> length, bool has_body);
  // Waits until everything given was taken by nghttp2 (and so by the client's window and the socket).
  Task<void> wait_for_output(Scope& scope);
  std::unexpected<Error> hung_up(Error why);

  Http2Connection& connection_;
  const int32_t id_;
  HttpRequest request_;
  size_t head_bytes_ = 0;
  std::optional<Error> refusal_;
  std::optional<uint64_t> content_length_;

  std::string input_;  // received and not read; within the windows
  size_t input_begin_ = 0;
  ByteBudget::Share share_;
  bool is_collecting_ = false;  // read_all() takes what arrives at once
  bool is_discarding_ = false;  // nobody reads any more
  bool is_starved_ = false;     // the process has no room for the body
  bool owes_continue_ = false;
  bool is_input_ended_ = false;
  bool is_closed_ = false;
  Wait* reader_ = nullptr;

  State state_ = State::fresh;
  bool has_body_ = true;
  std::string_view output_;  // of the write that waits
  uint64_t bytes_taken_ = 0;
  Wait* writer_ = nullptr;
  Scope* writer_wait_ = nullptr;  // its deadline moves with each byte that the client takes

  Scope* exchange_ = nullptr;
};

}  // namespace weir
