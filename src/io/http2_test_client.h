// nghttp2's own client for the tests of the HTTP/2 server.
#pragma once

#include <cstdlib>
#include <gtest/gtest.h>
#include <map>
#include <nghttp2/nghttp2.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/http_service.h"
#include "io/memory_stream.h"
#include "io/test_core.h"

namespace weir {

// nghttp2's client over a memory stream.
class Http2TestClient {
 public:
  struct Answer {
    int status = 0;
    std::map<std::string, std::string> headers;
    std::vector<int> interim;
    std::string body;
    bool is_closed = false;
    uint32_t error = 0;
  };

  // `window`: how many bytes of each body the server may send before the client says that it took them.
  Http2TestClient(TestCore& test, HttpService& service, size_t capacity = 1'000'000, bool takes_bodies = true)
      : test_(test) {
    MemoryStream::Pair ends = MemoryStream::pair(test.core, capacity);
    stream = std::move(ends.first);
    service.serve(std::move(ends.second));
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_option* options = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_option_new(&options);
    nghttp2_option_set_no_auto_window_update(options, takes_bodies ? 0 : 1);
    nghttp2_option_set_max_send_header_block_length(options, 1'000'000);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_client_new2(&session, callbacks, this, options);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(options);
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~Http2TestClient() { nghttp2_session_del(session); }
  Http2TestClient(const Http2TestClient&) = delete;
  Http2TestClient& operator=(const Http2TestClient&) = delete;

  // Sends what is to be sent and takes what has arrived, until nothing moves.
  void exchange() {
    for (bool moved = true; moved;) {
      moved = false;
      const uint8_t* bytes = nullptr;
      while (const ssize_t count = nghttp2_session_mem_send(session, &bytes)) {
        ASSERT_GT(count, 0);
        moved = true;
        out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(count));
      }
      moved |= put();
      test_.settle();
      std::array<char, 16384> buffer;
      for (;;) {
        const IoResult read = stream->try_read(buffer);
        is_ended |= read.state == IoState::end || read.state == IoState::broken;
        if (read.state != IoState::done) break;
        moved = true;
        nghttp2_session_mem_recv(session, reinterpret_cast<uint8_t*>(buffer.data()), read.bytes);
        test_.settle();
      }
    }
  }
  // Writes bytes past nghttp2.
  void send_raw(std::string_view bytes) {
    out.append(bytes);
    exchange();
  }

  int32_t submit(std::string method, std::string path,
                 std::vector<std::pair<std::string, std::string>> fields = {},
                 std::optional<std::string> body = {}, bool ends = true) {
    std::vector<std::pair<std::string, std::string>> all = {{":method", std::move(method)},
                                                            {":scheme", "http"},
                                                            {":authority", "weir"},
                                                            {":path", std::move(path)}};
    all.insert(all.end(), fields.begin(), fields.end());
    std::vector<nghttp2_nv> values;
    for (auto& [name, value] : all)
      values.push_back({reinterpret_cast<uint8_t*>(name.data()), reinterpret_cast<uint8_t*>(value.data()),
                        name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    nghttp2_data_provider provider{};
    provider.read_callback = read_body;
    const int32_t id = nghttp2_submit_request(session, nullptr, values.data(), values.size(),
                                              body ? &provider : nullptr, nullptr);
    if (body) uploads[id] = {*body, ends};
    return id;
  }
  Answer& ask(std::string method, std::string path, std::optional<std::string> body = {}) {
    const int32_t id = submit(std::move(method), std::move(path), {}, std::move(body));
    exchange();
    return answers[id];
  }
  void upload(int32_t id, std::string_view more, bool ends) {
    uploads[id].bytes.append(more);
    uploads[id].ends = ends;
    nghttp2_session_resume_data(session, id);
    exchange();
  }

  nghttp2_session* session = nullptr;
  std::unique_ptr<MemoryStream> stream;
  std::map<int32_t, Answer> answers;
  std::string out;
  bool is_ended = false;
  std::optional<uint32_t> goaway;

 private:
  struct Upload {
    std::string bytes;
    bool ends = true;
  };

  bool put() {
    if (out.empty()) return false;
    const std::array<std::string_view, 1> pieces = {out};
    const IoResult written = stream->try_write(pieces);
    if (written.state == IoState::broken) out.clear();
    out.erase(0, written.bytes);
    return written.bytes > 0;
  }

  static Http2TestClient& self(void* user) { return *static_cast<Http2TestClient*>(user); }
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                       const uint8_t* value, size_t value_size, uint8_t, void* user) {
    const std::string key(reinterpret_cast<const char*>(name), name_size);
    const std::string text(reinterpret_cast<const char*>(value), value_size);
    Answer& answer = self(user).answers[frame->hd.stream_id];
    if (key == ":status") {
      if (answer.status >= 100 && answer.status < 200) answer.interim.push_back(answer.status);
      answer.status = std::atoi(text.c_str());
    } else {
      answer.headers[key] = text;
    }
    return 0;
  }
  static int on_data(nghttp2_session*, uint8_t, int32_t id, const uint8_t* bytes, size_t size, void* user) {
    self(user).answers[id].body.append(reinterpret_cast<const char*>(bytes), size);
    return 0;
  }
  static int on_close(nghttp2_session*, int32_t id, uint32_t code, void* user) {
    self(user).answers[id].is_closed = true;
    self(user).answers[id].error = code;
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_GOAWAY) self(user).goaway = frame->goaway.error_code;
    return 0;
  }
  static ssize_t read_body(nghttp2_session*, int32_t id, uint8_t* bytes, size_t size, uint32_t* flags,
                           nghttp2_data_source*, void* user) {
    Upload& upload = self(user).uploads[id];
    const size_t count = std::min(size, upload.bytes.size());
    if (count == 0 && !upload.ends) return NGHTTP2_ERR_DEFERRED;
    upload.bytes.copy(reinterpret_cast<char*>(bytes), count);
    upload.bytes.erase(0, count);
    if (upload.bytes.empty() && upload.ends) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }

  TestCore& test_;
  std::map<int32_t, Upload> uploads;
};

}  // namespace weir
