// The scripted providers.
#include <charconv>

#include "base/json.h"
#include "base/text.h"
#include "sim/calls.h"
#include "sim/composed.h"
#include "sim/opaque.h"
#include "sim/parts.h"

namespace weir::sim {
namespace {

constexpr size_t kWireRoom = 16 * 1024;

// The value of a header in the raw head; empty when absent.
std::string_view header_of(std::string_view request, std::string_view name) {
  const std::string_view head = request.substr(0, request.find("\r\n\r\n") + 2);
  for (size_t at = head.find("\r\n"); at != std::string_view::npos && at + 2 < head.size();) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    const size_t colon = line.find(':');
    if (equals_ignore_case(line.substr(0, colon), name)) return trim(line.substr(colon + 1));
    at = head.find("\r\n", at + 2);
  }
  return {};
}

size_t number_of(std::string_view text) {
  size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

Task<std::unique_ptr<ByteStream>> Providers::connect(Scope& scope, Origin origin) {
  const size_t target = number_of(std::string_view(origin.host).substr(1));
  if (draw_chance(run_.rng, run_.plan.refusal_share)) {
    ++run_.record.refusals;
    run_.trace("p{} refuses a connection", target);
    co_return fail(ErrorKind::upstream_unreachable, "connection refused");
  }
  if (draw_chance(run_.rng, 0.3)) {
    CO_TRY(co_await scope.sleep(draw_between(run_.rng, {}, std::chrono::milliseconds(800))));
  }
  MemoryStream::Pair pair = MemoryStream::pair(run_.core, kWireRoom, "10.0.0.1:50000", "10.0.0.2:443");
  scope_.spawn(serve(std::move(pair.second), target));
  co_return std::move(pair.first);
}

void Providers::stop() {
  scope_.cancel(make_error(ErrorKind::cancelled, "the run is over"));
}

Task<void> Providers::serve(std::unique_ptr<MemoryStream> stream, size_t target) {
  for (;;) {
    const std::string request = CO_TRY(co_await read_request(*stream));
    if (request.empty()) co_return {};
    const size_t index = run_.record.served.size();
    Served served;
    served.target = target;
    served.at = run_.core.now();
    const Asked asked = look_at(request, target, served);
    served.script = draw_script(run_.rng, run_.plan, asked, index, run_.clock.wall_ns());
    run_.trace("p{} gets {} of {} (span {}){}: {}{}", target, asked.is_streamed ? "stream" : "whole",
               served.exchange_id, served.span_id, served.wrong ? " WRONG " + *served.wrong : "",
               fault_row(served.script.fault).name, served.script.reports_usage ? "" : ", no usage");
    run_.record.served.push_back(std::move(served));
    const Result<void> answered = co_await answer(*stream, index);
    const Ending ending = run_.record.served[index].script.ending;
    if (!answered) {
      if (!run_.record.served[index].gone) run_.record.served[index].gone = run_.core.now();
      run_.trace("p{} could not go on: {}", target, answered.error().message);
      co_return {};
    }
    if (ending == Ending::resets) stream->reset();
    if (ending == Ending::stalls) co_return co_await await_close(*stream, index);
    if (ending != Ending::keeps) co_return {};
  }
}

Task<std::string> Providers::read_request(MemoryStream& stream) {
  std::string request;
  std::string buffer(4096, '\0');
  for (;;) {
    const size_t head_end = request.find("\r\n\r\n");
    if (head_end != std::string::npos) {
      const size_t size = head_end + 4 + number_of(header_of(request, "content-length"));
      if (request.size() >= size) co_return request;
    }
    CO_TRY(co_await stream.readable(scope_));
    const IoResult got = stream.try_read(buffer);
    if (got.state == IoState::would_block) continue;
    if (got.state != IoState::done) co_return std::string();
    request.append(buffer, 0, got.bytes);
  }
}

Asked Providers::look_at(std::string_view request, size_t target, Served& served) const {
  Asked asked;
  asked.is_anthropic = run_.plan.targets[target].is_anthropic;
  served.exchange_id = exchange_of(header_of(request, "x-request-id"));
  asked.is_part = served.exchange_id != header_of(request, "x-request-id");
  const std::string_view traceparent = header_of(request, "traceparent");
  if (traceparent.size() == 55) served.span_id = traceparent.substr(36, 16);
  const bool is_gemini = run_.plan.targets[target].is_gemini;
  const std::string_view key = header_of(request, asked.is_anthropic ? "x-api-key"
                                                  : is_gemini        ? "x-goog-api-key"
                                                                     : "authorization");
  const std::string_view path = request.substr(0, request.find(" HTTP/1.1\r\n"));
  asked.ask = ask_of_path(path);
  if (is_gemini) {
    look_at_call(request, target, asked, served);
  } else if (path.ends_with(kEmbeddingsPath)) {
    look_at_inputs(request, target, asked, served);
  } else if (asked.ask == Ask::chat) {
    look_at_chat(request, target, asked, served);
  } else {
    look_at_bytes(request, target, asked, served);
  }
  if (!key.ends_with(fmt::format("-of-p{}", target))) served.wrong = "the key is another provider's";
  if (served.exchange_id.empty()) served.wrong = "there is no x-request-id";
  return asked;
}

void Providers::look_at_chat(std::string_view request, size_t target, Asked& asked, Served& served) const {
  const std::string_view path = request.substr(0, request.find(" HTTP/1.1\r\n"));
  const auto body = JsonDoc::parse(std::string(request.substr(request.find("\r\n\r\n") + 4)));
  if (!body) {
    served.wrong = "not JSON: " + body.error().message;
    return;
  }
  const JsonValue root = body->root();
  asked.ask = ask_of_chat(request);
  asked.is_part = asked.is_part || asked.ask == Ask::schema;
  if (!root["n"].is_absent()) served.wrong = "this provider gives one choice at a time";
  asked.is_streamed = root["stream"].bool_or(false);
  asked.wants_usage = root["stream_options"]["include_usage"].bool_or(false);
  asked.model = root["model"].string_or("");
  if (asked.model != fmt::format("m{}", target)) served.wrong = "the model is " + asked.model;
  if (path != (asked.is_anthropic ? "POST /v1/messages" : "POST /v1/chat/completions"))
    served.wrong = "the path is " + std::string(path);
  if (!root["messages"].is_array() || root["messages"].size() == 0) served.wrong = "there are no messages";
}

void Providers::look_at_call(std::string_view request, size_t target, Asked& asked, Served& served) const {
  const std::string_view path = request.substr(0, request.find(" HTTP/1.1\r\n"));
  asked.ask = Ask::call;
  asked.model = fmt::format("m{}", target);
  asked.is_streamed = path == "POST " + calls_path(asked.model, true);
  if (!asked.is_streamed && path != "POST " + calls_path(asked.model, false))
    served.wrong = "the path is " + std::string(path);
  const auto body = JsonDoc::parse(std::string(request.substr(request.find("\r\n\r\n") + 4)));
  if (!body || body->root()["contents"].size() == 0 || body->root()["tools"].size() == 0)
    served.wrong = "no chat with a tool";
}

void Providers::look_at_inputs(std::string_view request, size_t target, Asked& asked, Served& served) const {
  asked.ask = Ask::embeddings;
  asked.model = fmt::format("m{}", target);
  const auto body = JsonDoc::parse(std::string(request.substr(request.find("\r\n\r\n") + 4)));
  if (!body || body->root()["model"].string_or("") != asked.model) {
    served.wrong = "no embeddings of this model";
    return;
  }
  asked.inputs = body->root()["input"].size();
  if (asked.inputs == 0 || asked.inputs > kInputsMax)
    served.wrong = fmt::format("{} inputs in one batch", asked.inputs);
  if (asked.is_anthropic) served.wrong = "this provider serves chats alone";
}

void Providers::look_at_bytes(std::string_view request, size_t target, Asked& asked, Served& served) const {
  const std::string_view bytes = request.substr(request.find("\r\n\r\n") + 4);
  asked.model = fmt::format("m{}", target);
  const std::string_view streams =
      asked.ask == Ask::image ? "\"stream\" :true" : "name=\"stream\"\r\n\r\ntrue";
  asked.is_streamed = bytes.find(streams) != std::string_view::npos;
  if (const std::string wrong = wrong_in_opaque(run_.plan, asked.ask, bytes, asked.model); !wrong.empty())
    served.wrong = wrong;
  if (header_of(request, "content-type") != opaque_content_type(asked.ask))
    served.wrong = "the content-type is another one";
  if (asked.is_anthropic) served.wrong = "this provider serves chats alone";
}

Task<void> Providers::answer(MemoryStream& stream, size_t index) {
  const Script script = run_.record.served[index].script;  // a copy: the vector grows meanwhile
  stream.dribble(script.dribble);
  if (script.head_pause > Duration::zero()) CO_TRY(co_await scope_.sleep(script.head_pause));
  if (script.head.empty()) co_return {};
  std::string head = script.head;
  if (!head.ends_with("\r\n\r\n") && script.fault != Fault::cuts_head) {
    if (script.framing == Framing::chunked) head += "transfer-encoding: chunked\r\n";
    if (script.framing == Framing::sized) head += fmt::format("content-length: {}\r\n", script.length);
    if (script.ending != Ending::keeps) head += "connection: close\r\n";
    head += "\r\n";
  }
  CO_TRY(co_await send(stream, head));
  for (const std::string& piece : script.pieces) {
    if (script.piece_pause > Duration::zero()) CO_TRY(co_await scope_.sleep(script.piece_pause));
    CO_TRY(co_await send(stream, framed(script, piece)));
  }
  if (script.completes_body && script.framing == Framing::chunked) CO_TRY(co_await send(stream, "0\r\n\r\n"));
  run_.record.served[index].is_sent = true;
  co_return {};
}

Task<void> Providers::send(MemoryStream& stream, std::string_view bytes) {
  const std::array<std::string_view, 1> pieces = {bytes};
  co_return co_await write_all(scope_, stream, pieces);
}

Task<void> Providers::await_close(MemoryStream& stream, size_t index) {
  std::string buffer(256, '\0');
  for (;;) {
    CO_TRY(co_await stream.readable(scope_));
    const IoResult got = stream.try_read(buffer);
    if (got.state == IoState::done || got.state == IoState::would_block) continue;
    run_.record.served[index].gone = run_.core.now();
    run_.trace("p{} sees the end of its connection", run_.record.served[index].target);
    co_return {};
  }
}

}  // namespace weir::sim
