// For tests of the Anthropic dialect: calls, targets and requests from JSON texts.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>

#include "codec/anthropic.h"
#include "codec/openai.h"

namespace weir::test {

inline ClientCall client_call(Dialect dialect, std::string body, Headers headers = {}) {
  Result<JsonDoc> parsed = JsonDoc::parse(std::move(body));
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  ClientCall call;
  call.dialect = dialect;
  call.method = "POST";
  call.headers = std::move(headers);
  if (parsed) call.body = std::make_shared<const JsonDoc>(std::move(*parsed));
  return call;
}

inline Result<Request> decode_messages(std::string body, Headers headers = {}) {
  return anthropic_messages_client().decode_request(
      client_call(Dialect::anthropic_messages, std::move(body), std::move(headers)));
}

// The chat of a request that must decode.
inline Chat messages_chat(std::string body) {
  Result<Request> request = decode_messages(std::move(body));
  EXPECT_TRUE(request) << (request ? "" : request.error().message);
  return request ? std::get<Chat>(*request) : Chat{};
}

inline Chat openai_chat(std::string body) {
  Result<Request> request =
      openai_chat_client().decode_request(client_call(Dialect::openai_chat, std::move(body)));
  EXPECT_TRUE(request) << (request ? "" : request.error().message);
  return request ? std::get<Chat>(*request) : Chat{};
}

// caps(&Capabilities::output_max, 777, &Capabilities::prefill, false)
inline Capabilities caps() {
  return {};
}
template <class T, class Value, class... Rest>
Capabilities caps(std::optional<T> Capabilities::* member, Value value, Rest... rest) {
  Capabilities made = caps(rest...);
  made.*member = static_cast<T>(value);
  return made;
}

// A request of OpenAI's dialect as the provider gets it.
inline Result<EncodedCall> to_anthropic(std::string openai_body, const Capabilities& capabilities = {}) {
  return anthropic_messages_provider().encode_request(openai_chat(std::move(openai_body)),
                                                      {.model = "claude", .capabilities = &capabilities});
}

inline std::string body_of(const Result<EncodedCall>& call) {
  return call ? call->wire.body : "error: " + call.error().message;
}

inline std::string records_of(const Result<EncodedCall>& call) {
  return call ? call->notes.fidelity.header_value() : "";
}

inline AnswerContext answer_context(const Request& request) {
  return {.exchange_id = "ex_01J",
          .created_s = 1'760'000'000,
          .model = "claude",
          .request = &request,
          .api_version = {},
          .input_tokens_estimate = 33};
}

}  // namespace weir::test
