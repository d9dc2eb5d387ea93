#include <gtest/gtest.h>

#include "io/http.h"

namespace weir {
namespace {

TEST(Url, TakesHttpUrlsApart) {
  const auto plain = parse_url("https://API.example.com");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->origin, (Origin{.host = "api.example.com", .port = 443, .is_tls = true}));
  EXPECT_EQ(plain->target, "/");
  const auto full = parse_url("HTTP://127.0.0.1:8080/v1/x?y=%20");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->origin, (Origin{.host = "127.0.0.1", .port = 8080, .is_tls = false}));
  EXPECT_EQ(full->target, "/v1/x?y=%20");
  const auto literal = parse_url("http://[::1]?a");
  ASSERT_TRUE(literal);
  EXPECT_EQ(literal->origin.host, "::1");
  EXPECT_EQ(literal->target, "/?a");
}

TEST(Url, RefusesWhatItWouldHaveToGuess) {
  for (const std::string_view text : {"",
                                      "ftp://a/",
                                      "//a/",
                                      "http://",
                                      "http:///x",
                                      "http://u@a/",
                                      "http://u:p@a/",
                                      "http://a:0/",
                                      "http://a:65536/",
                                      "http://a:x/",
                                      "http://a b/",
                                      "http://a/#f",
                                      "http://a/ b",
                                      "http://a/\r\nx: y",
                                      "http://[::1/",
                                      "http://[]/",
                                      "http://a..b/",
                                      "http://a%41/",
                                      "http://\xC3\xA4/",
                                      "http://.a/"}) {
    const auto url = parse_url(text);
    EXPECT_FALSE(url) << text;
    if (!url) EXPECT_EQ(url.error().kind, ErrorKind::bad_request);
  }
}

TEST(Url, WritesOriginsThatReadBack) {
  EXPECT_EQ(to_string(Origin{.host = "a", .port = 443, .is_tls = true}), "https://a");
  EXPECT_EQ(to_string(Origin{.host = "a", .port = 443, .is_tls = false}), "http://a:443");
  EXPECT_EQ(to_string(Origin{.host = "::1", .port = 80, .is_tls = false}), "http://[::1]");
  EXPECT_EQ(parse_url("http://[::1]:81/")->origin, (Origin{.host = "::1", .port = 81, .is_tls = false}));
}

}  // namespace
}  // namespace weir
