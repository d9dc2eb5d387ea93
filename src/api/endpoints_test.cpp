#include "api/endpoints.h"

#include <gtest/gtest.h>

#include "codec/gemini.h"
#include "codec/openai.h"

namespace weir {
namespace {

TEST(Endpoints, FindsAnEndpointUnderEachOfItsBasePaths) {
  for (const std::string_view path : {"/v1/messages", "/anthropic/v1/messages"}) {
    const Result<EndpointMatch> match = find_endpoint("POST", path);
    ASSERT_TRUE(match) << path;
    EXPECT_EQ(match->row->path, "/v1/messages");
  }
}

TEST(Endpoints, KnowsTheResponsesApi) {
  const std::pair<std::string_view, std::string_view> paths[] = {
      {"/v1/responses", "/v1/responses"},
      {"/openai/v1/responses", "/v1/responses"},
      {"/v1/responses/input_tokens", "/v1/responses/input_tokens"}};
  for (const auto& [path, row] : paths) {
    const Result<EndpointMatch> match = find_endpoint("POST", path);
    ASSERT_TRUE(match) << path;
    EXPECT_EQ(match->row->path, row);
    EXPECT_EQ(match->row->codec()->dialect(), Dialect::openai_responses);
  }
}

TEST(Endpoints, GivesTheSegmentsThatTheStarStandsFor) {
  const Result<EndpointMatch> match = find_endpoint("GET", "/v1/models/meta%2Fllama/3");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->rest, "meta/llama/3");
  for (const std::string_view path : {"/v1/models/", "/v1/messages/", "*", ""}) {
    EXPECT_FALSE(find_endpoint("GET", path)) << path;
  }
}

TEST(Endpoints, FindsGooglesActionsBelowEachOfItsPlaces) {
  for (const std::string_view place :
       {"/v1/models/", "/v1beta/models/", "/gemini/v1beta/models/", "/v1beta1/publishers/google/models/",
        "/v1/projects/p/locations/europe-west1/publishers/google/models/", "/v1beta/tunedModels/"}) {
    const Result<EndpointMatch> match =
        find_endpoint("POST", std::string(place) + "gemini%2Fx:generateContent");
    ASSERT_TRUE(match) << place;
    EXPECT_EQ(match->model, "gemini/x");
    EXPECT_EQ(match->row->codec(), &gemini_generate_client());
  }
  const Result<EndpointMatch> slashes =
      find_endpoint("POST", "/v1/models/openai/gpt:5:streamGenerateContent");
  ASSERT_TRUE(slashes);
  EXPECT_EQ(slashes->model, "openai/gpt:5");
  EXPECT_EQ(slashes->row->codec(), &gemini_stream_client());
  EXPECT_FALSE(find_endpoint("POST", "/v1/models/:generateContent"));
  EXPECT_FALSE(find_endpoint("POST", "/v1/models/gemini-x"));
}

TEST(Endpoints, GivesErrorsInGooglesFormToItsClients) {
  Headers headers;
  EXPECT_EQ(&codec_for_errors("/v1/nothing", headers), &openai_chat_client());
  headers.add("x-goog-api-client", "google-genai-sdk/1.0");
  EXPECT_EQ(&codec_for_errors("/v1/nothing", headers), &gemini_generate_client());
}

TEST(Endpoints, TellsTheMethodsOfAKnownPath) {
  const Result<EndpointMatch> match = find_endpoint("PUT", "/v1/messages");
  ASSERT_FALSE(match);
  EXPECT_EQ(match.error().kind, ErrorKind::method_not_allowed);
  EXPECT_EQ(match.error().detail, "POST, OPTIONS");
  EXPECT_EQ(allowed_methods("/v1/models"), "GET, HEAD, OPTIONS");
}

TEST(Endpoints, NamesTheNearestPathOfAnUnknownOne) {
  const Result<EndpointMatch> match = find_endpoint("POST", "/v1/chat/completion");
  ASSERT_FALSE(match);
  EXPECT_EQ(match.error().kind, ErrorKind::not_found);
  EXPECT_NE(match.error().message.find("/v1/chat/completions"), std::string::npos) << match.error().message;
}

}  // namespace
}  // namespace weir
