#include "gateway/route.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

std::unique_ptr<Route> route(std::string pattern) {
  auto made = std::make_unique<Route>();
  made->pattern = std::move(pattern);
  return made;
}

RouteTable table(std::initializer_list<const char*> patterns,
                 std::vector<std::pair<std::string, std::string>> aliases = {}) {
  std::vector<std::unique_ptr<Route>> routes;
  for (const char* pattern : patterns) routes.push_back(route(pattern));
  return RouteTable::make(std::move(routes), std::move(aliases)).value();
}

TEST(RouteTable, ExactNamesWinOverWildcardsAndLongerWildcardsOverShorter) {
  const RouteTable routes = table({"openai/*", "openai/gpt-*", "openai/gpt-4o", "*-mini"});
  EXPECT_EQ(routes.find("openai/gpt-4o")->route->pattern, "openai/gpt-4o");
  EXPECT_EQ(routes.find("openai/gpt-5")->route->pattern, "openai/gpt-*");
  EXPECT_EQ(routes.find("openai/o3")->route->pattern, "openai/*");
  EXPECT_EQ(routes.find("phi-mini")->route->pattern, "*-mini");
}

TEST(RouteTable, TellsWhatTheStarStoodFor) {
  const RouteTable routes = table({"openai/*", "*-mini"});
  EXPECT_EQ(routes.find("openai/a/b")->wildcard, "a/b");
  EXPECT_EQ(routes.find("phi-mini")->wildcard, "phi");
  EXPECT_FALSE(routes.find("openai/")) << "a star stands for at least one character";
}

TEST(RouteTable, AliasesReachExactAndWildcardRoutes) {
  const RouteTable routes = table({"gpt-4o", "openai/*"}, {{"smart", "gpt-4o"}, {"fast", "openai/o4-mini"}});
  EXPECT_EQ(routes.find("smart")->route->pattern, "gpt-4o");
  EXPECT_EQ(routes.find("fast")->route->pattern, "openai/*");
  EXPECT_EQ(routes.find("fast")->wildcard, "o4-mini");
  EXPECT_EQ(routes.names(), (std::vector<std::string>{"fast", "gpt-4o", "smart"}));
}

TEST(RouteTable, ListsWhatIsKnownOfItsWildcards) {
  std::vector<std::unique_ptr<Route>> routes;
  for (const char* pattern : {"openai/*", "openai/gpt-4o", "smart"}) routes.push_back(route(pattern));
  const RouteTable made =
      RouteTable::make(std::move(routes), {}, {"openai/o3", "openai/gpt-4o", "mistral/large"}).value();
  EXPECT_EQ(made.names(), (std::vector<std::string>{"openai/gpt-4o", "openai/o3", "smart"}));
}

TEST(RouteTable, TakesBedrocksIdsAndArns) {
  const RouteTable routes =
      table({"gpt-4o", "anthropic.*", "arn:aws:bedrock:*", "us.anthropic.claude-x-v1:0"},
            {{"anthropic.claude-3-5-sonnet-20241022-v2:0", "gpt-4o"}});
  EXPECT_EQ(routes.find("anthropic.claude-3-5-sonnet-20241022-v2:0")->route->pattern, "gpt-4o");
  EXPECT_EQ(routes.find("anthropic.claude-3-haiku-20240307-v1:0")->wildcard, "claude-3-haiku-20240307-v1:0");
  EXPECT_EQ(routes.find("us.anthropic.claude-x-v1:0")->route->pattern, "us.anthropic.claude-x-v1:0");
  EXPECT_EQ(routes.find("arn:aws:bedrock:us-east-1:1:inference-profile/us.x")->wildcard,
            "us-east-1:1:inference-profile/us.x");
}

TEST(RouteTable, AnUnknownModelIsAnsweredWithTheNearestNames) {
  const RouteTable routes = table({"gpt-4o", "claude-opus"});
  const auto match = routes.find("gpt-4");
  ASSERT_FALSE(match);
  EXPECT_EQ(match.error().kind, ErrorKind::model_not_found);
  EXPECT_NE(match.error().message.find("gpt-4o"), std::string::npos);
  EXPECT_EQ(match.error().path, "model");
}

TEST(RouteTable, WildcardsAndTheirAliasesAreAmongTheNearestNames) {
  const RouteTable routes = table({"oai/*", "openai/*", "anthropic/*", "gpt-4o"}, {{"gpt", "openai/gpt-4o"}});
  const auto told = [&](std::string_view model) { return routes.find(model).error().message; };
  EXPECT_NE(told("OAI/fake-text").find("did you mean 'oai/fake-text'"), std::string::npos)
      << told("OAI/fake-text");
  EXPECT_NE(told("oia/fake-text").find("'oai/fake-text'"), std::string::npos) << told("oia/fake-text");
  EXPECT_NE(told("opnai/gpt-4o-mini").find("did you mean 'openai/gpt-4o-mini'"), std::string::npos)
      << told("opnai/gpt-4o-mini");
  EXPECT_NE(told("gtp").find("did you mean 'gpt'"), std::string::npos) << told("gtp");
  EXPECT_EQ(told("mistral/large-2411-instruct").find("did you mean"), std::string::npos)
      << told("mistral/large-2411-instruct");
}

TEST(RouteTable, RefusesWhatCannotBeMeant) {
  const auto make = [](std::vector<const char*> patterns,
                       std::vector<std::pair<std::string, std::string>> aliases) {
    std::vector<std::unique_ptr<Route>> routes;
    for (const char* pattern : patterns) routes.push_back(route(pattern));
    return RouteTable::make(std::move(routes), std::move(aliases)).has_value();
  };
  EXPECT_FALSE(make({"a", "a"}, {}));
  EXPECT_FALSE(make({"a*", "a*"}, {}));
  EXPECT_FALSE(make({"a*b*"}, {}));
  EXPECT_FALSE(make({"a"}, {{"b", "nothing"}}));
  EXPECT_FALSE(make({"a", "b"}, {{"b", "a"}}));
  EXPECT_TRUE(make({"a", "b"}, {{"c", "a"}}));
}

}  // namespace
}  // namespace weir
