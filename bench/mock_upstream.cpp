// A model provider for `make bench` that costs next to nothing: one thread, edge-triggered epoll, answers
// built once and sent as they are. It speaks OpenAI Chat Completions, and Anthropic Messages on /v1/messages.
// The model that a request names says what it gets:
//   mock-json                a whole answer of 1,024 bytes (what every unknown name gets too)
//   mock-sse-40              a stream of 40 content events, sent in one write
//   mock-sse-paced-20ms-41   a stream of 41 content events, one write each, 20 ms apart
// usage: mock_upstream [PORT]      PORT 0 or none: a free one. Prints "127.0.0.1:PORT" when it accepts.
#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fmt/core.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

using Nanoseconds = int64_t;

Nanoseconds now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// What is sent, ready as bytes. The first piece starts with the head.
struct Answer {
  std::vector<std::string> pieces;
  Nanoseconds pace = 0;  // between two pieces
};

struct Wanted {
  size_t events = 0;  // 0: a whole answer
  Nanoseconds pace = 0;
};

// The number at the front of the text, which it is removed from.
std::optional<size_t> take_number(std::string_view& text) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

Wanted wanted_of(std::string_view model) {
  constexpr std::string_view kStream = "mock-sse-";
  constexpr std::string_view kPaced = "paced-";
  constexpr size_t kEventsMax = 100'000;
  if (!model.starts_with(kStream)) return {};
  model.remove_prefix(kStream.size());
  Wanted wanted;
  if (model.starts_with(kPaced)) {
    model.remove_prefix(kPaced.size());
    wanted.pace = static_cast<Nanoseconds>(take_number(model).value_or(20)) * 1'000'000;
    if (model.starts_with("ms-")) model.remove_prefix(3);
  }
  wanted.events = std::clamp<size_t>(take_number(model).value_or(40), 1, kEventsMax);
  return wanted;
}

// Text of exactly that many bytes.
std::string words(size_t bytes) {
  constexpr std::string_view kText = "The weir holds the river back and measures what it lets through. ";
  std::string text;
  while (text.size() < bytes) text += kText;
  text.resize(bytes);
  return text;
}

constexpr std::string_view kOpenaiHead =
    R"({"id":"chatcmpl-mock0000000000000000","object":"chat.completion","created":1767225600,"model":"mock",)"
    R"("choices":[{"index":0,"message":{"role":"assistant","content":")";
constexpr std::string_view kOpenaiTail =
    R"("},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":200,"completion_tokens":120,)"
    R"("total_tokens":320,"prompt_tokens_details":{"cached_tokens":0},)"
    R"("completion_tokens_details":{"reasoning_tokens":0}},"system_fingerprint":"fp_mock"})";
constexpr std::string_view kAnthropicHead =
    R"({"id":"msg_mock00000000000000000000","type":"message","role":"assistant","model":"mock",)"
    R"("content":[{"type":"text","text":")";
constexpr std::string_view kAnthropicTail =
    R"("}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":200,"output_tokens":120,)"
    R"("cache_creation_input_tokens":0,"cache_read_input_tokens":0}})";
constexpr std::string_view kDelta = "measured water ";

Answer whole_answer(bool is_anthropic) {
  constexpr size_t kBodyBytes = 1024;
  const std::string_view head = is_anthropic ? kAnthropicHead : kOpenaiHead;
  const std::string_view tail = is_anthropic ? kAnthropicTail : kOpenaiTail;
  const std::string body = fmt::format("{}{}{}", head, words(kBodyBytes - head.size() - tail.size()), tail);
  return {.pieces = {fmt::format("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n"
                                 "x-request-id: req_mock\r\n\r\n{}",
                                 body.size(), body)}};
}

std::string openai_event(std::string_view delta, std::string_view finish) {
  return fmt::format(R"(data: {{"id":"chatcmpl-mock0000000000000000","object":"chat.completion.chunk",)"
                     R"("created":1767225600,"model":"mock","system_fingerprint":"fp_mock",)"
                     R"("choices":[{{"index":0,"delta":{{{}}},"finish_reason":{}}}]}})"
                     "\n\n",
                     delta, finish);
}

struct StreamParts {
  std::string start;    // events before the content
  std::string content;  // one event of it
  std::string end;      // events after it
};

StreamParts openai_stream() {
  return {.start = openai_event(R"("role":"assistant","content":"")", "null"),
          .content = openai_event(fmt::format(R"("content":"{}")", kDelta), "null"),
          .end = openai_event("", R"("stop")") +
                 R"(data: {"id":"chatcmpl-mock0000000000000000","object":"chat.completion.chunk",)"
                 R"("created":1767225600,"model":"mock","choices":[],)"
                 R"("usage":{"prompt_tokens":200,"completion_tokens":120,"total_tokens":320}})"
                 "\n\ndata: [DONE]\n\n"};
}

StreamParts anthropic_stream() {
  return {.start =
              "event: message_start\n"
              R"(data: {"type":"message_start","message":{"id":"msg_mock00000000000000000000",)"
              R"("type":"message","role":"assistant","model":"mock","content":[],"stop_reason":null,)"
              R"("stop_sequence":null,"usage":{"input_tokens":200,"output_tokens":1,)"
              R"("cache_creation_input_tokens":0,"cache_read_input_tokens":0}}})"
              "\n\nevent: content_block_start\n"
              R"(data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"
              "\n\n",
          .content = fmt::format("event: content_block_delta\ndata: "
                                 R"({{"type":"content_block_delta","index":0,)"
                                 R"("delta":{{"type":"text_delta","text":"{}"}}}})"
                                 "\n\n",
                                 kDelta),
          .end =
              "event: content_block_stop\n"
              R"(data: {"type":"content_block_stop","index":0})"
              "\n\nevent: message_delta\n"
              R"(data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},)"
              R"("usage":{"output_tokens":120}})"
              "\n\nevent: message_stop\n"
              R"(data: {"type":"message_stop"})"
              "\n\n"};
}

Answer stream_answer(bool is_anthropic, const Wanted& wanted) {
  const StreamParts parts = is_anthropic ? anthropic_stream() : openai_stream();
  Answer answer{.pieces = {}, .pace = wanted.pace};
  for (size_t i = 0; i < wanted.events; ++i) {
    const std::string text =
        (i == 0 ? parts.start : "") + parts.content + (i + 1 == wanted.events ? parts.end : "");
    std::string chunk = fmt::format("{:x}\r\n{}\r\n", text.size(), text);
    if (i == 0 || wanted.pace > 0) answer.pieces.emplace_back();
    answer.pieces.back() += chunk;
  }
  answer.pieces.front().insert(
      0,
      "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
      "transfer-encoding: chunked\r\nx-request-id: req_mock\r\n\r\n");
  answer.pieces.back() += "0\r\n\r\n";
  return answer;
}

// Builds each answer once; answers stay where they are as long as the program runs.
class Answers {
 public:
  const Answer& find(bool is_anthropic, std::string_view model) {
    auto& known = by_model_[is_anthropic ? 1 : 0];
    for (const auto& [name, answer] : known) {
      if (name == model) return *answer;
    }
    const Wanted wanted = wanted_of(model);
    // Names that nobody knows must not fill the memory.
    const bool is_whole = wanted.events == 0 || known.size() >= kAnswersMax;
    if (is_whole && model != kWhole) return find(is_anthropic, kWhole);
    Answer answer = is_whole ? whole_answer(is_anthropic) : stream_answer(is_anthropic, wanted);
    known.emplace_back(model, std::make_unique<Answer>(std::move(answer)));
    return *known.back().second;
  }

 private:
  static constexpr std::string_view kWhole = "mock-json";
  static constexpr size_t kAnswersMax = 256;
  std::vector<std::pair<std::string, std::unique_ptr<Answer>>> by_model_[2];
};

struct RequestView {
  bool is_anthropic = false;
  bool is_refused = false;  // chunked: this mock wants a content-length
  std::string_view body;
  size_t size = 0;  // of the whole request
};

// The value of content-length in a head, 0 without one.
size_t content_length_of(std::string_view head, bool& is_chunked) {
  size_t length = 0;
  for (size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    std::string_view line = head.substr(at + 2);
    if (line.size() > 15 && strncasecmp(line.data(), "content-length:", 15) == 0) {
      line.remove_prefix(15);
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      length = take_number(line).value_or(0);
    } else if (line.size() > 18 && strncasecmp(line.data(), "transfer-encoding:", 18) == 0) {
      is_chunked = true;
    }
  }
  return length;
}

// Nothing while the head is incomplete; `size` may be more than there is.
std::optional<RequestView> parse_request(std::string_view bytes) {
  const size_t head_end = bytes.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return std::nullopt;
  RequestView request;
  const std::string_view head = bytes.substr(0, head_end + 2);
  const size_t length = content_length_of(head, request.is_refused);
  const std::string_view line = head.substr(0, head.find('\r'));
  request.is_anthropic = line.find("/messages") != std::string_view::npos;
  request.size = head_end + 4 + length;
  request.body = bytes.substr(head_end + 4, length);
  return request;
}

// The first "model" member of the body; the mock's clients write it near the front.
std::string_view model_of(std::string_view body) {
  constexpr std::string_view kKey = "\"model\"";
  const size_t at = body.find(kKey);
  if (at == std::string_view::npos) return {};
  const size_t start = body.find('"', at + kKey.size());
  if (start == std::string_view::npos) return {};
  const size_t end = body.find('"', start + 1);
  return end == std::string_view::npos ? std::string_view() : body.substr(start + 1, end - start - 1);
}

struct Connection {
  int fd = -1;
  uint64_t generation = 0;  // of the use of this file descriptor
  std::string in;           // what has come of a request that is not complete
  size_t wanted = 0;        // its size, once known
  const Answer* answer = nullptr;
  size_t piece = 0;         // the one being sent or to be sent next
  size_t offset = 0;        // into it
  bool is_blocked = false;  // the socket took less than was given: the rest follows when it is writable
};

class Mock {
 public:
  explicit Mock(int listener) : listener_(listener), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = listener_}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
    scratch_.resize(kScratchBytes);
  }

  [[noreturn]] void run() {
    std::vector<epoll_event> events(512);
    for (;;) {
      const int count = wait(events);
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<size_t>(i)];
        if (event.data.fd == listener_) {
          accept_all();
        } else {
          Connection& connection = *connections_[static_cast<size_t>(event.data.fd)];
          if (event.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) read(connection);
          if (connection.fd >= 0 && connection.is_blocked && (event.events & EPOLLOUT)) {
            send_piece(connection);
          }
        }
      }
      send_due();
    }
  }

 private:
  static constexpr size_t kScratchBytes = 256 * 1024;

  struct Due {
    Nanoseconds at;
    int fd;
    uint64_t generation;
    bool operator>(const Due& other) const { return at > other.at; }
  };

  int wait(std::vector<epoll_event>& events) const {
    if (due_.empty()) return epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    const Nanoseconds left = std::max<Nanoseconds>(0, due_.top().at - now());
    const timespec timeout{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
    return epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
  }

  void accept_all() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      while (connections_.size() <= static_cast<size_t>(fd)) {
        connections_.push_back(std::make_unique<Connection>());
      }
      Connection& connection = *connections_[static_cast<size_t>(fd)];
      connection.fd = fd;
      epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.fd = fd}};
      epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }
  }

  void close_connection(Connection& connection) {
    close(connection.fd);
    const uint64_t generation = connection.generation + 1;
    connection = Connection();
    connection.generation = generation;
  }

  void read(Connection& connection) {
    for (;;) {
      const ssize_t count = recv(connection.fd, scratch_.data(), scratch_.size(), 0);
      if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (count <= 0) return close_connection(connection);
      take(connection, {scratch_.data(), static_cast<size_t>(count)});
      // A short read has emptied the socket: the next bytes make a new edge.
      if (connection.fd < 0 || static_cast<size_t>(count) < scratch_.size()) return;
    }
  }

  void take(Connection& connection, std::string_view bytes) {
    if (!connection.in.empty()) {
      connection.in += bytes;
      if (connection.in.size() < connection.wanted) return;
      bytes = connection.in;
    }
    const std::optional<RequestView> request = parse_request(bytes);
    if (!request || bytes.size() < request->size) {
      connection.wanted = request ? request->size : 0;
      if (connection.in.empty()) connection.in = bytes;
      return;
    }
    if (request->is_refused) return close_connection(connection);
    connection.answer = &answers_.find(request->is_anthropic, model_of(request->body));
    connection.in.clear();
    connection.wanted = 0;
    connection.piece = 0;
    connection.offset = 0;
    send_piece(connection);
  }

  // Sends the rest of the current piece; then the answer is done, or the next piece is due later.
  void send_piece(Connection& connection) {
    const Answer& answer = *connection.answer;
    const std::string& piece = answer.pieces[connection.piece];
    const ssize_t sent =
        send(connection.fd, piece.data() + connection.offset, piece.size() - connection.offset, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return close_connection(connection);
    connection.offset += static_cast<size_t>(std::max<ssize_t>(sent, 0));
    connection.is_blocked = connection.offset < piece.size();
    if (connection.is_blocked) return;
    connection.offset = 0;
    if (++connection.piece == answer.pieces.size()) {
      connection.answer = nullptr;
    } else {
      due_.push({.at = now() + answer.pace, .fd = connection.fd, .generation = connection.generation});
    }
  }

  void send_due() {
    if (due_.empty()) return;
    const Nanoseconds at = now();
    while (!due_.empty() && due_.top().at <= at) {
      const Due due = due_.top();
      due_.pop();
      Connection& connection = *connections_[static_cast<size_t>(due.fd)];
      if (connection.generation == due.generation && connection.answer) send_piece(connection);
    }
  }

  int listener_;
  int epoll_;
  std::string scratch_;
  Answers answers_;
  std::vector<std::unique_ptr<Connection>> connections_;  // by file descriptor
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
};

int listen_on(uint16_t port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 8192) != 0) {
    return -1;
  }
  return listener;
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view port_text = argc > 1 ? argv[1] : "0";
  const std::optional<size_t> port = take_number(port_text);
  const int listener = port && *port <= 65'535 ? listen_on(static_cast<uint16_t>(*port)) : -1;
  if (listener < 0) {
    fmt::print(stderr, "mock_upstream: port {} cannot be listened on\n", argc > 1 ? argv[1] : "0");
    return 1;
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  // Paced events leave when they are due, not up to 50 µs later.
  prctl(PR_SET_TIMERSLACK, 1);

  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  fmt::print("127.0.0.1:{}\n", ntohs(address.sin_port));
  std::fflush(stdout);
  Mock(listener).run();
}
