// Fuzzes the HTTP/1.1 codec. Whatever the bytes: it stays inside its buffers, the outcome does not depend on
// how they are cut, and what it accepts is accepted by llhttp (Node's parser, compiled in its strict mode as
// the oracle) with the same body and the same length. The first byte chooses side and cuts.
#include <cstdlib>

#include "io/http1.h"

#ifdef WEIR_HAS_LLHTTP
#include <llhttp.h>
#endif

namespace weir {
namespace {

void require(bool condition) {
  if (!condition) __builtin_trap();
}

struct Message {
  std::string method;  // of a request
  int status = 0;      // of a response
  BodyFraming framing = BodyFraming::none;
  bool keep_alive = false;
  std::string body;
  size_t size = 0;  // bytes of the whole message
  bool operator==(const Message&) const = default;
};

struct Outcome {
  std::vector<Message> messages;
  bool is_broken = false;
  bool operator==(const Outcome&) const = default;
};

class Reader {
 public:
  Reader(bool is_response, std::string_view method) : is_response_(is_response), method_(method) {}

  void feed(std::string_view piece) {
    buffer_ += piece;
    while (!outcome_.is_broken && (in_body_ ? read_body() : read_head())) {
    }
  }
  Outcome finish() {
    if (in_body_ && message_.framing == BodyFraming::until_close) outcome_.messages.push_back(message_);
    return outcome_;
  }

 private:
  template <class Head>
  bool take_head(Result<std::unique_ptr<Head>> parsed) {
    if (!parsed) outcome_.is_broken = true;
    if (!parsed || !*parsed) return false;
    Head& head = **parsed;
    message_ = {};
    message_.framing = head.framing;
    message_.keep_alive = head.keep_alive;
    message_.size = head.consumed;
    if constexpr (std::is_same_v<Head, RequestHead>) {
      message_.method = head.request.method;
    } else {
      message_.status = head.status;
    }
    left_ = head.content_length;
    buffer_.erase(0, head.consumed);
    requests_.reset();
    responses_.reset();
    chunked_ = ChunkedDecoder();
    in_body_ = true;
    return true;
  }
  bool read_head() {
    return is_response_ ? take_head(responses_.parse(buffer_, method_)) : take_head(requests_.parse(buffer_));
  }
  bool read_body() {
    std::string_view rest = buffer_;
    bool ended = message_.framing == BodyFraming::none;
    if (message_.framing == BodyFraming::until_close) left_ = rest.size();
    if (message_.framing == BodyFraming::content_length || message_.framing == BodyFraming::until_close) {
      const size_t size = static_cast<size_t>(std::min<uint64_t>(left_, rest.size()));
      message_.body += rest.substr(0, size);
      rest.remove_prefix(size);
      left_ -= size;
      ended = left_ == 0 && message_.framing == BodyFraming::content_length;
    }
    while (message_.framing == BodyFraming::chunked && !ended && !rest.empty()) {
      const auto piece = chunked_.next(rest);
      if (!piece) {
        outcome_.is_broken = true;
        return false;
      }
      message_.body += *piece;
      ended = chunked_.is_done();
    }
    message_.size += buffer_.size() - rest.size();
    buffer_.erase(0, buffer_.size() - rest.size());
    if (!ended) return false;
    outcome_.messages.push_back(message_);
    in_body_ = false;
    return true;
  }

  const bool is_response_;
  const std::string_view method_;
  std::string buffer_;
  RequestHeadParser requests_;
  ResponseHeadParser responses_;
  ChunkedDecoder chunked_;
  Message message_;
  Outcome outcome_;
  uint64_t left_ = 0;
  bool in_body_ = false;
};

#ifdef WEIR_HAS_LLHTTP
struct Oracle {
  llhttp_t parser;
  bool skips_body = false;
  bool is_complete = false;
  bool keep_alive = false;
  std::string body;
};
Oracle& oracle_of(llhttp_t* parser) {
  return *static_cast<Oracle*>(parser->data);
}
int on_body(llhttp_t* parser, const char* at, size_t size) {
  oracle_of(parser).body.append(at, size);
  return 0;
}
int on_headers_complete(llhttp_t* parser) {
  return oracle_of(parser).skips_body ? 1 : 0;
}
int on_message_complete(llhttp_t* parser) {
  require(!oracle_of(parser).is_complete);
  oracle_of(parser).is_complete = true;
  oracle_of(parser).keep_alive = llhttp_should_keep_alive(parser) != 0;  // its flags are reset afterwards
  return 0;
}

// llhttp knows methods by name; the framing does not depend on them, so only common ones are compared.
bool is_known_method(std::string_view method) {
  for (const std::string_view known : {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"})
    if (method == known) return true;
  return false;
}

void compare_with_oracle(const Message& message, std::string_view bytes, bool is_response,
                         std::string_view method) {
  if (is_response ? message.status == 101 : !is_known_method(message.method)) return;
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_body = on_body;
  settings.on_headers_complete = on_headers_complete;
  settings.on_message_complete = on_message_complete;
  Oracle oracle;
  llhttp_init(&oracle.parser, is_response ? HTTP_RESPONSE : HTTP_REQUEST, &settings);
  oracle.parser.data = &oracle;
  // llhttp takes a 204 or 304 with a content-length for one with a body; RFC 9112 section 6.3 says it has
  // none.
  const bool is_bodyless = message.status < 200 || message.status == 204 || message.status == 304;
  oracle.skips_body = is_response && (method == "HEAD" || is_bodyless);
  llhttp_errno error = llhttp_execute(&oracle.parser, bytes.data(), bytes.size());
  if (error == HPE_PAUSED_UPGRADE) error = HPE_OK;
  // llhttp 8.1 refuses a chunk extension after one with a value ("1;a=b;c"), which the grammar allows.
  if (error == HPE_INVALID_CHUNK_SIZE && llhttp_get_error_pos(&oracle.parser)[-1] == ';') return;
  if (error == HPE_OK && message.framing == BodyFraming::until_close) error = llhttp_finish(&oracle.parser);
  require(error == HPE_OK);
  require(oracle.is_complete);
  require(oracle.body == message.body);
  // Tabs around an HTTP/1.0 keep-alive hide it from llhttp; a close must never be missed.
  if (message.keep_alive && oracle.parser.http_minor == 1) require(oracle.keep_alive);
}
#else
void compare_with_oracle(const Message&, std::string_view, bool, std::string_view) {}
#endif

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir;
  if (size == 0) return 0;
  const bool is_response = (data[0] & 1) != 0;
  const std::string_view method = (data[0] & 2) != 0 ? "HEAD" : "POST";
  const size_t step = 1 + (data[0] >> 2);
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);

  Reader whole(is_response, method);
  whole.feed(input);
  const Outcome outcome = whole.finish();
  Reader cut(is_response, method);
  for (size_t at = 0; at < input.size(); at += step) cut.feed(input.substr(at, step));
  require(cut.finish() == outcome);

  size_t at = 0;
  for (const Message& message : outcome.messages) {
    compare_with_oracle(message, input.substr(at, message.size), is_response, method);
    at += message.size;
  }
  return 0;
}
