// Reads the answers of one connection for the load generator: fed with bytes in any cut, it tells how many
// events of a stream have come and when the answer is whole. Bodies are counted, not kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/http1.h"
#include "io/sse.h"

namespace weir {

class LoadResponse {
 public:
  // Before each request. `method`: an answer to HEAD has no body. REQUIRES a literal.
  void start(std::string_view method);
  // Takes bytes that came. Errors: upstream_malformed; bytes behind the end of the answer are one.
  Result<void> feed(std::string_view bytes);
  // The connection was closed by the server. Errors: upstream_truncated when the answer needed more.
  Result<void> end();

  bool has_begun() const { return has_begun_; }  // a byte of the answer has come
  bool is_complete() const { return is_complete_; }
  int status() const { return status_; }  // 0 before the head
  bool keep_alive() const { return keep_alive_; }
  bool is_event_stream() const { return is_event_stream_; }
  uint64_t events() const { return events_; }  // so far, comments left out
  uint64_t body_bytes() const { return body_bytes_; }
  // Whether the stream said that it is done: OpenAI's "[DONE]", Anthropic's message_stop.
  bool has_final_event() const { return has_final_event_; }
  bool has_error_event() const { return has_error_event_; }

 private:
  Result<void> take_head(std::string_view& bytes);
  Result<void> take_body(std::string_view bytes);
  Result<void> take_events(std::string_view bytes);

  ResponseHeadParser parser_;
  std::string head_;  // the start of a head that was cut
  std::string_view method_ = "POST";
  std::optional<ChunkedDecoder> chunked_;
  SseDecoder sse_;
  BodyFraming framing_ = BodyFraming::none;
  uint64_t left_ = 0;  // of a body with content-length
  int status_ = 0;
  uint64_t events_ = 0;
  uint64_t body_bytes_ = 0;
  bool has_begun_ = false;
  bool has_head_ = false;
  bool is_complete_ = false;
  bool keep_alive_ = true;
  bool is_event_stream_ = false;
  bool has_final_event_ = false;
  bool has_error_event_ = false;
};

}  // namespace weir
