// For tests of the Responses dialect: requests, answers and streams from JSON texts.
#pragma once

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

#include "codec/anthropic_test_util.h"
#include "codec/openai_responses.h"
#include "codec/replay_test_util.h"
#include "codec/schema_test_util.h"

namespace weir::test {

inline Result<Request> decode_responses(std::string body) {
  return openai_responses_client().decode_request(client_call(Dialect::openai_responses, std::move(body)));
}

// The chat of a request that must decode; `rest` follows the model.
inline Chat responses_chat(std::string_view rest) {
  Result<Request> request = decode_responses(fmt::format(R"({{"model":"gpt-5",{}}})", rest));
  EXPECT_TRUE(request) << (request ? "" : request.error().message);
  return request ? std::get<Chat>(*request) : Chat{};
}

inline Result<EncodedCall> to_responses(const Request& request, const Capabilities& capabilities = {}) {
  return openai_responses_provider().encode_request(request, {.model = "gpt", .capabilities = &capabilities});
}

// The data of each server-sent event of a body.
inline std::vector<std::string> event_data(std::string_view body) {
  std::vector<std::string> found;
  for (const std::string_view line : split_on(body, '\n')) {
    if (line.starts_with("data: ")) found.emplace_back(line.substr(6));
  }
  return found;
}

// "response.created response.in_progress ...": the types in order, each run of one type once.
inline std::string event_types(std::string_view body) {
  std::string types;
  std::string last;
  for (const std::string& data : event_data(body)) {
    const Result<JsonDoc> parsed = JsonDoc::parse(data);
    EXPECT_TRUE(parsed) << data;
    if (!parsed) continue;
    std::string type(parsed->root()["type"].string_or("none"));
    if (type != last) types += (types.empty() ? "" : " ") + type;
    last = std::move(type);
  }
  return types;
}

// Every event is one of the vendor's, and numbered without a gap. True without the vendor's document, since
// that part is then not looked at.
inline void expect_good_stream(std::string_view body) {
  const OpenApiSchemas* schemas = OpenApiSchemas::openai();
  int64_t number = 0;
  for (const std::string& data : event_data(body)) {
    const Result<JsonDoc> parsed = JsonDoc::parse(data);
    ASSERT_TRUE(parsed) << data;
    EXPECT_EQ(parsed->root()["sequence_number"].int_or(-1), number++) << data;
    if (schemas) EXPECT_EQ(schemas->problems("ResponseStreamEvent", data), "") << data;
  }
  EXPECT_EQ(body.find("[DONE]"), std::string_view::npos);
}

inline void expect_good_response(std::string_view body) {
  if (const OpenApiSchemas* schemas = OpenApiSchemas::openai())
    EXPECT_EQ(schemas->problems("Response", body), "") << body;
}

}  // namespace weir::test
