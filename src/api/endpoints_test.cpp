#include "api/endpoints.h"

#include <gtest/gtest.h>

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
