// For tests of Google's dialect: calls and requests from JSON texts.
#pragma once

#include <string>
#include <utility>

#include "codec/anthropic_test_util.h"
#include "codec/gemini.h"

namespace weir::test {

inline ClientCall gemini_call(std::string body, std::string path = "/v1beta/models/gemini-x:generateContent",
                              std::string query = {}) {
  ClientCall call = client_call(Dialect::gemini, std::move(body));
  call.path = std::move(path);
  call.query = std::move(query);
  call.path_model = "gemini-x";
  return call;
}

inline Result<Request> decode_gemini(std::string body) {
  return gemini_generate_client().decode_request(gemini_call(std::move(body)));
}

inline Usage usage_of(int64_t in, int64_t read, int64_t out, int64_t reasoning) {
  Usage usage;
  usage.in_uncached = in;
  usage.cache_read = read;
  usage.out_text = out;
  usage.out_reasoning = reasoning;
  return usage;
}

// The chat of a request that must decode.
inline Chat gemini_chat(std::string body) {
  Result<Request> request = decode_gemini(std::move(body));
  EXPECT_TRUE(request) << (request ? "" : request.error().message);
  return request ? std::get<Chat>(*request) : Chat{};
}

inline Result<EncodedCall> to_gemini(const Request& request, const Capabilities& capabilities = {}) {
  return gemini_provider().encode_request(request, {.model = "gemini-up", .capabilities = &capabilities});
}

// A request of OpenAI's dialect as the provider gets it.
inline Result<EncodedCall> openai_to_gemini(std::string body, const Capabilities& capabilities = {}) {
  return to_gemini(openai_chat(std::move(body)), capabilities);
}

}  // namespace weir::test
