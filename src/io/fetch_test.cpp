#include "io/fetch.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <map>

#include "io/test_core.h"

namespace weir {
namespace {

struct Page {
  int status = 200;
  std::string body = {};
  std::string location = {};
  std::string content_length = {};
  Duration takes{};
};

class PageResponse final : public ClientResponse {
 public:
  PageResponse(const Page& page, size_t piece) : left_(page.body), piece_(piece) {
    status = page.status;
    if (!page.location.empty()) headers.add("location", page.location);
    if (!page.content_length.empty()) headers.add("content-length", page.content_length);
  }
  Result<std::optional<std::string_view>> take() override {
    given_ = left_.substr(0, piece_);
    left_.erase(0, given_.size());
    return given_;
  }
  bool is_complete() const override { return left_.empty(); }

 private:
  std::string left_;
  std::string given_;
  const size_t piece_;
};

// The web as a map; like the guarded client it refuses the address 10.0.0.1.
class Web final : public HttpClient {
 public:
  Task<std::unique_ptr<ClientResponse>> send(Scope& scope, const ClientRequest& request) override {
    const std::string url = to_string(request.origin) + std::string(request.target);
    asked.push_back(url);
    headers = *request.headers;
    if (request.origin.host == "10.0.0.1") co_return fail(ErrorKind::forbidden, "it leads inside");
    if (request.origin.host == "nowhere")
      co_return fail(ErrorKind::upstream_unreachable, "the provider's host name could not be resolved");
    const Page page = pages.contains(url) ? pages[url] : Page{.status = 404};
    if (page.takes > Duration::zero()) CO_TRY(co_await scope.sleep(page.takes));
    co_return std::make_unique<PageResponse>(page, 4);
  }

  std::map<std::string, Page> pages;
  std::vector<std::string> asked;
  Headers headers;
};

class FetchTest : public testing::Test {
 protected:
  static Task<std::string> run(Core& core, HttpClient& client, std::string url, FetchLimits limits) {
    Scope scope(core);
    co_return co_await fetch_url(scope, client, std::move(url), limits);
  }
  Result<std::string> fetch(std::string url, FetchLimits limits = {}) {
    return test_.run(run(test_.core, web_, std::move(url), limits));
  }
  ErrorKind failure(std::string url, FetchLimits limits = {}) {
    const auto result = fetch(std::move(url), limits);
    EXPECT_FALSE(result);
    return result ? ErrorKind::internal : result.error().kind;
  }

  TestCore test_;
  Web web_;
};

TEST_F(FetchTest, GivesTheBytesAndSendsNoCredentials) {
  web_.pages["https://a.test/cat.png?x=1"] = {.body = "a cat in bytes"};
  EXPECT_EQ(*fetch("https://a.test/cat.png?x=1#part"), "a cat in bytes");
  for (const HeaderField field : web_.headers)
    EXPECT_TRUE(field.name == "user-agent" || field.name == "accept") << field.name;
}

TEST_F(FetchTest, FollowsThreeRedirectsOfEveryForm) {
  web_.pages["http://a.test/x/1"] = {.status = 301, .location = "2"};
  web_.pages["http://a.test/x/2"] = {.status = 302, .location = "/3"};
  web_.pages["http://a.test/3"] = {.status = 307, .location = "//b.test/4"};
  web_.pages["http://b.test/4"] = {.body = "end"};
  EXPECT_EQ(*fetch("http://a.test/x/1"), "end");
  web_.pages["http://b.test/4"] = {.status = 308, .location = "http://b.test/5"};
  web_.pages["http://b.test/5"] = {.body = "too far"};
  EXPECT_EQ(failure("http://a.test/x/1"), ErrorKind::bad_request);
}

TEST_F(FetchTest, ARedirectInsideIsJudgedLikeTheFirstUrl) {
  web_.pages["https://a.test/1"] = {.status = 302, .location = "https://10.0.0.1/secret"};
  EXPECT_EQ(failure("https://a.test/1"), ErrorKind::forbidden);
  EXPECT_EQ(web_.asked.back(), "https://10.0.0.1/secret");
}

TEST_F(FetchTest, RefusesWhatIsNoUrlOfTheWeb) {
  for (const char* url : {"file:///etc/passwd", "ftp://a.test/", "https://user@a.test/", "no"})
    EXPECT_EQ(failure(url), ErrorKind::bad_request) << url;
  EXPECT_TRUE(web_.asked.empty());
  for (const char* location : {"file:///etc/passwd", "http://a.test/plain", ""}) {
    web_.pages["https://a.test/1"] = {.status = 302, .location = location};
    EXPECT_EQ(failure("https://a.test/1"), ErrorKind::bad_request) << location;
  }
}

TEST_F(FetchTest, HoldsTheLimitsOnSizeAndTime) {
  web_.pages["https://a.test/1"] = {.body = std::string(100, 'x')};
  EXPECT_EQ(fetch("https://a.test/1", {.bytes_max = 100})->size(), 100U);
  EXPECT_EQ(failure("https://a.test/1", {.bytes_max = 99}), ErrorKind::body_too_large);
  // Stated, and not read at all.
  web_.pages["https://a.test/2"] = {.body = "short", .content_length = "5000"};
  EXPECT_EQ(failure("https://a.test/2", {.bytes_max = 99}), ErrorKind::body_too_large);
  // Redirects do not start the clock anew.
  web_.pages["https://a.test/3"] = {.status = 302, .location = "/4", .takes = std::chrono::seconds(15)};
  web_.pages["https://a.test/4"] = {.body = "late", .takes = std::chrono::seconds(15)};
  EXPECT_EQ(failure("https://a.test/3"), ErrorKind::upstream_timeout);
}

TEST_F(FetchTest, SpeaksOfTheUrlsServerAndNotOfAProvider) {
  EXPECT_EQ(fetch("https://nowhere/cat.png").error().message, "its server's host name could not be resolved");
}

TEST_F(FetchTest, AStatusOtherThan200IsTold) {
  const auto result = fetch("https://a.test/nothing");
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("404"), std::string::npos);
}

// The examples of RFC 3986 section 5.4.1, for such a base.
TEST(ResolveLocation, FollowsTheRulesOfReferences) {
  const Url base = parse_url("http://a.test/b/c/d;p?q").value();
  const auto resolved = [&](std::string_view location) {
    return resolve_location(base, location).value_or("none");
  };
  EXPECT_EQ(resolved("g"), "http://a.test/b/c/g");
  EXPECT_EQ(resolved("./g"), "http://a.test/b/c/g");
  EXPECT_EQ(resolved("g/"), "http://a.test/b/c/g/");
  EXPECT_EQ(resolved("/g"), "http://a.test/g");
  EXPECT_EQ(resolved("//g.test"), "http://g.test");
  EXPECT_EQ(resolved("?y"), "http://a.test/b/c/d;p?y");
  EXPECT_EQ(resolved("g?y"), "http://a.test/b/c/g?y");
  EXPECT_EQ(resolved("g?y/../x#s"), "http://a.test/b/c/g?y/../x");
  EXPECT_EQ(resolved("."), "http://a.test/b/c/");
  EXPECT_EQ(resolved(".."), "http://a.test/b/");
  EXPECT_EQ(resolved("../g"), "http://a.test/b/g");
  EXPECT_EQ(resolved("../../../../g"), "http://a.test/g");
  EXPECT_EQ(resolved("/./g/../h"), "http://a.test/h");
  EXPECT_EQ(resolved("g?to=http://b.test/"), "http://a.test/b/c/g?to=http://b.test/")
      << "a query may hold anything";
  EXPECT_EQ(resolved("https://b.test/x"), "https://b.test/x");
  for (const char* bad : {"", "ftp://a.test/", "mailto:a@b.test"}) EXPECT_EQ(resolved(bad), "none") << bad;
}

}  // namespace
}  // namespace weir
