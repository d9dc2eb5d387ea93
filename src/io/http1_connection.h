// An HTTP/1.1 connection of a server: reads heads, calls the handler, keeps the connection alive.
#pragma once

#include "io/http1.h"
#include "io/http1_body.h"
#include "io/http1_response.h"
#include "io/http_service.h"

namespace weir {

class Http1Connection final : public HttpConnection {
 public:
  // `scope`: the connection's own; it is cancelled to end the connection.
  Http1Connection(HttpService& service, Scope& scope, ByteStream& stream, bool is_tls);
  ~Http1Connection() override;

  // Serves until the connection ends and closes the stream; or until the client turns out to have opened with
  // the preface of HTTP/2: then the stream is open, and what was read is in input(). The frame of this is all
  // that an idle connection keeps.
  Task<void> run();
  bool is_http2() const { return is_http2_; }
  ReadBuffer& input() { return input_; }

  void drain() override;

 private:
  void start_idling();
  // Reads what woke the idle connection up.
  IoState take_first_bytes();
  // One request and its answer, from the first byte on. Sets goes_on_ when another may follow. Not inlined,
  // or the optimiser would make frames of it a part of run()'s.
  [[gnu::noinline]] Task<void> exchange();
  enum class HeadState : uint8_t {
    complete,    // in head_, and taken off the input
    incomplete,  // more bytes are needed
    refused,     // the connection is over, or (is_http2_) was never HTTP/1
  };
  HeadState parse_head();
  // Waits for the rest of a head, then serves the request.
  Task<void> read_and_serve();
  Task<void> receive();
  bool is_preface_prefix() const;
  [[gnu::noinline]] Task<void> serve(std::unique_ptr<RequestHead> head);
  // For an exchange that did not end in the usual way.
  [[gnu::noinline]] Task<void> finish_exchange(Scope& request_scope, Result<void> handled,
                                               Http1BodyReader& body, Http1ResponseWriter& response);
  void refuse(const Error& error);
  // What can be read of the head that is refused: at most method and target.
  HttpRequest refused_request() const;
  [[gnu::noinline]] Task<void> linger();

  HttpService& service_;
  Scope& scope_;
  ByteStream& stream_;
  ReadBuffer input_;
  RequestHeadParser parser_;
  std::unique_ptr<RequestHead> head_;  // parsed and not being served yet
  MonoTime first_byte_at_;
  const bool is_tls_;
  bool is_first_ = true;
  bool is_idle_ = false;
  bool is_http2_ = false;
  bool is_draining_ = false;
  bool goes_on_ = true;
  bool lingers_ = false;  // the client may still be sending: a plain close could destroy the answer
};

}  // namespace weir
