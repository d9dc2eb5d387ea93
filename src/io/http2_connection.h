// An HTTP/2 connection of a server (RFC 9113) through nghttp2: h2 over TLS by ALPN, or with prior knowledge.
// One coroutine reads; each stream's handler runs in its own. Frames leave when something was submitted, as
// many as there are in one write; while the client does not read, one more coroutine waits for it.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "io/http_service.h"

struct nghttp2_session;

namespace weir {

class Http2Stream;

// Counts events of one kind within windows of kHttp2FloodWindowMs.
class FloodGauge {
 public:
  explicit FloodGauge(uint32_t count_max) : count_max_(count_max) {}
  // Notes one event. True: that was one too many.
  bool overflows(MonoTime now);

 private:
  const uint32_t count_max_;
  uint32_t count_ = 0;
  MonoTime window_start_{};
};

// The streams of a connection that its client ended last, by their last frame or a reset: nothing more of
// theirs may come but what crosses on the way (RFC 9113 section 5.1). nghttp2 forgets streams that are
// closed.
class EndedStreams {
 public:
  void add(int32_t id) { ids_[next_++ % ids_.size()] = id; }
  bool contains(int32_t id) const { return std::ranges::find(ids_, id) != ids_.end(); }

 private:
  std::array<int32_t, 16> ids_{};
  size_t next_ = 0;
};

class Http2Connection final : public HttpConnection {
 public:
  // `scope`: the connection's own; it is cancelled to end the connection.
  Http2Connection(HttpService& service, Scope& scope, ByteStream& stream, bool is_tls);
  ~Http2Connection() override;

  // Serves until the connection ends and closes the stream. `received`: what was read already, from the
  // client's preface on.
  Task<void> run(std::string received);
  void drain() override;

  // For the streams.
  nghttp2_session* session() { return session_.get(); }
  HttpService& service() { return service_; }
  Scope& scope() { return scope_; }
  // Writes what nghttp2 has to say, as far as the client takes it. What remains follows by itself.
  void pump();

 private:
  friend struct Http2Callbacks;
  struct Free {
    void operator()(nghttp2_session* session) const;
  };

  Task<void> read();
  bool receive(std::string_view bytes);
  void begin_stream(int32_t id);
  void start_streams();
  Task<void> serve(std::unique_ptr<Http2Stream> stream);
  Task<void> finish_stream(Http2Stream& stream, Scope& request_scope, Result<void> handled);
  Task<void> flush_rest();
  void refuse_flood();
  void hang_up(const char* why);
  // The client has so long to say something: an open connection without streams is idle.
  void update_deadline();

  HttpService& service_;
  Scope& scope_;
  ByteStream& stream_;
  const bool is_tls_;
  const bool peer_is_loopback_;
  std::unique_ptr<nghttp2_session, Free> session_;
  std::string out_;                                   // taken from nghttp2, not written yet
  std::unique_ptr<Http2Stream> opening_;              // its head is arriving; there is at most one
  std::vector<std::unique_ptr<Http2Stream>> opened_;  // to be started when nghttp2 has returned
  std::vector<Http2Stream*> active_;                  // streams with a running handler
  const MonoTime began_at_;
  MonoTime read_at_;
  EndedStreams ended_;
  int32_t reset_id_ = 0;   // of the stream that the client has just reset
  int32_t newest_id_ = 0;  // of the client's streams
  FloodGauge resets_{kHttp2ResetsPerWindowMax};
  FloodGauge pings_{kHttp2PingsPerWindowMax};
  FloodGauge settings_{kHttp2SettingsPerWindowMax};
  bool is_in_session_ = false;  // below a call of nghttp2: it must not be called again
  bool is_flushing_ = false;
  bool is_draining_ = false;
  bool is_over_ = false;
};

}  // namespace weir
