#include "base/sigv4.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "base/crypto.h"

namespace weir {
namespace {

// The example credentials of AWS's own documentation.
constexpr std::string_view kKeyId = "AKIDEXAMPLE";
constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr int64_t kNow = 1'795'167'181;  // 2026-11-20T09:33:01Z

SigV4Credentials credentials(std::string_view token = "") {
  return {std::string(kKeyId), Secret::copy_of(kSecret), Secret::copy_of(token)};
}

SigV4Options options_for(std::string_view region, bool adds_body_hash) {
  SigV4Options options;
  options.region = region;
  options.service = "bedrock";
  options.unix_seconds = kNow;
  options.adds_body_hash = adds_body_hash;
  return options;
}

// A POST whose parts live as long as this object.
struct Post {
  std::string path = "/model/a-model/converse";
  std::string query;
  std::string body_hash = sha256_hex(R"({"messages":[]})");
  std::vector<SigV4Header> headers = {{"Host", "127.0.0.1:9101"}, {"content-type", "application/json"}};

  SigV4Request request() const { return {"POST", path, query, headers, body_hash}; }
};

struct SignedPost : Post {
  SigV4Signed signature;
  explicit SignedPost(Post post, std::string_view token = "", bool adds_body_hash = true)
      : Post(std::move(post)) {
    signature = sigv4_sign_headers(request(), credentials(token), options_for("us-east-1", adds_body_hash));
    for (const SigV4Addition& added : signature.headers) headers.push_back({added.name, added.value});
  }
  SignedPost(const SignedPost&) = delete;
  SignedPost& operator=(const SignedPost&) = delete;
};

Result<void> verify(const SigV4Request& request, SigV4VerifyOptions options = {.unix_seconds = kNow}) {
  const SigV4Claim claim = TRY(sigv4_parse(request));
  return sigv4_verify(request, claim, Secret::copy_of(kSecret), options);
}

// Expected signatures were computed with a few lines of Python's hmac and hashlib.
TEST(SigV4Signing, EncodesBedrocksPathAgain) {
  Post post;
  post.path = "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse";
  post.headers = {{"content-type", "application/json"},
                  {":authority", "127.0.0.1:9101"},
                  {"accept", "*/*"},
                  {"content-length", "15"},
                  {"x-amz-user-agent", "aws-sdk-js/3.1161.0"}};
  const SigV4Signed result =
      sigv4_sign_headers(post.request(), credentials(), options_for("us-east-1", true));
  EXPECT_EQ(result.signature, "6b7397fb00f5e617ff02ba2959aab2f5be1156395765f70232e60e9cef071701");
  EXPECT_EQ(result.headers.back().value,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/us-east-1/bedrock/aws4_request, SignedHeaders="
            ":authority;accept;content-length;content-type;x-amz-content-sha256;x-amz-date;x-amz-user-agent, "
            "Signature=6b7397fb00f5e617ff02ba2959aab2f5be1156395765f70232e60e9cef071701");
}

TEST(SigV4Signing, EncodesALiteralColonOnce) {
  Post post;
  post.path = "/base/model/us.anthropic.claude-v1:0/invoke";
  post.headers = {{"Host", "127.0.0.1:9101"}};
  const SigV4Signed result =
      sigv4_sign_headers(post.request(), credentials(), options_for("eu-central-1", false));
  EXPECT_EQ(result.signature, "78491708d745cc1a76d446a96fff70ad0b97a95af6e9806f4874b23f7c80ffd4");
}

TEST(SigV4Signing, KeepsTheSlashesInsideAnArn) {
  Post post;
  post.path = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x/converse";
  post.headers = {{"Host", "127.0.0.1:9101"}};
  const SigV4Signed result =
      sigv4_sign_headers(post.request(), credentials(), options_for("us-east-1", false));
  EXPECT_EQ(result.signature, "2f0acf6dcb7b207ef4eba5d73d85cef5cce2f2ad4f55b8076903ea4a04c627ec");
}

TEST(SigV4Signing, LeavesOutWhatProxiesChangeAndReplacesItsOwn) {
  Post post;
  const std::string signature =
      sigv4_sign_headers(post.request(), credentials(), options_for("us-east-1", true)).signature;
  for (const SigV4Header& extra :
       {SigV4Header{"Connection", "close"}, SigV4Header{"User-Agent", "x"},
        SigV4Header{"Authorization", "Bearer x"}, SigV4Header{"X-Amz-Date", "old"}}) {
    Post with_extra = post;
    with_extra.headers.push_back(extra);
    EXPECT_EQ(
        sigv4_sign_headers(with_extra.request(), credentials(), options_for("us-east-1", true)).signature,
        signature)
        << extra.name;
  }
}

struct PathCase {
  std::string_view path, normalized, as_is, encoded_once;
};

TEST(SigV4CanonicalPath, FollowsTheRulesOfTheService) {
  const std::vector<PathCase> cases = {{"", "/", "/", "/"},
                                       {"/", "/", "/", "/"},
                                       {"/a//b", "/a/b", "/a//b", "/a//b"},
                                       {"/a/./b/../c/", "/a/c/", "/a/./b/../c/", "/a/./b/../c/"},
                                       {"/a/..", "/", "/a/..", "/a/.."},
                                       {"/a/b/..", "/a", "/a/b/..", "/a/b/.."},
                                       {"/../../x", "/x", "/../../x", "/../../x"},
                                       {"/a%2Fb", "/a%252Fb", "/a%252Fb", "/a%2Fb"},
                                       {"/a b~", "/a%20b~", "/a%20b~", "/a%20b~"},
                                       {"/100%", "/100%25", "/100%25", "/100%25"}};
  for (const PathCase& c : cases) {
    EXPECT_EQ(sigv4_canonical_path(c.path, {.normalizes = true, .encodes_again = true}), c.normalized)
        << c.path;
    EXPECT_EQ(sigv4_canonical_path(c.path, {.normalizes = false, .encodes_again = true}), c.as_is) << c.path;
    EXPECT_EQ(sigv4_canonical_path(c.path, {.normalizes = false, .encodes_again = false}), c.encoded_once)
        << c.path;
  }
}

TEST(SigV4CanonicalQuery, SortsByKeyThenValueAfterEncoding) {
  EXPECT_EQ(sigv4_canonical_query(""), "");
  EXPECT_EQ(sigv4_canonical_query("b=2&a=1"), "a=1&b=2");
  EXPECT_EQ(sigv4_canonical_query("a=2&a=1"), "a=1&a=2");
  EXPECT_EQ(sigv4_canonical_query("flag&&a"), "a=&flag=");
  EXPECT_EQ(sigv4_canonical_query("a-b=1&a=2"), "a=2&a-b=1") << "by key, not by text";
  EXPECT_EQ(sigv4_canonical_query("k=%7E%2f+"), "k=~%2F%2B");
  EXPECT_EQ(sigv4_canonical_query("k=v=w"), "k=v%3Dw");
  EXPECT_EQ(sigv4_canonical_query("k=100%"), "k=100%25");
}

TEST(SigV4CanonicalHeaders, JoinsValuesAndFoldsWhiteSpace) {
  const std::vector<SigV4Header> headers = {{"B", " one \t two\r\n  three "}, {"a", "1"}, {"b", "four"}};
  EXPECT_EQ(sigv4_canonical_headers(headers, {"a", "b"}), "a:1\nb:one two three,four\n");
}

TEST(SigV4Verifying, AcceptsWhatSigningMade) {
  EXPECT_TRUE(verify(SignedPost(Post{}).request()).has_value());
  EXPECT_TRUE(verify(SignedPost(Post{}, "a session token").request()).has_value());
  EXPECT_TRUE(verify(SignedPost(Post{}, "", false).request()).has_value()) << "without a body hash header";
  Post post;
  post.query = sigv4_sign_query(post.request(), credentials("token"), options_for("us-east-1", true)).query;
  EXPECT_TRUE(verify(post.request()).has_value());
}

TEST(SigV4Verifying, ReadsTheClaim) {
  const SignedPost post(Post{}, "a session token");
  EXPECT_TRUE(std::ranges::any_of(post.request().headers, [](const SigV4Header& header) {
    return is_sigv4_field(header.name, header.value);
  }));
  EXPECT_FALSE(is_sigv4_field("authorization", "Bearer AWS4-HMAC-SHA256"));
  EXPECT_FALSE(is_sigv4_field("x-authorization", "AWS4-HMAC-SHA256 Credential=a"));
  EXPECT_FALSE(has_sigv4_query(Post{}.request().query));
  const SigV4Claim claim = sigv4_parse(post.request()).value();
  EXPECT_EQ(claim.access_key_id, kKeyId);
  EXPECT_EQ(claim.region, "us-east-1");
  EXPECT_EQ(claim.service, "bedrock");
  EXPECT_EQ(claim.signed_at, kNow);
  EXPECT_EQ(claim.session_token, "a session token");
  EXPECT_FALSE(claim.is_presigned);
}

TEST(SigV4Verifying, RefusesEveryChange) {
  const SignedPost good(Post{});
  const std::string other_hash = sha256_hex("another body");
  std::vector<SigV4Request> changed(6, good.request());
  changed[0].method = "PUT";
  changed[1].path = "/model/b-model/converse";
  changed[2].query = "a=1";
  changed[3].body_hash = other_hash;
  changed[4].headers[0].value = "elsewhere";
  changed[5].headers.erase(changed[5].headers.begin() + 1);  // content-type was signed
  for (const SigV4Request& request : changed) {
    const Result<void> result = verify(request);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ErrorKind::unauthenticated);
    EXPECT_EQ(result.error().code, "InvalidSignatureException");
  }
  const SigV4Claim claim = sigv4_parse(good.request()).value();
  EXPECT_FALSE(
      sigv4_verify(good.request(), claim, Secret::copy_of("wrong"), {.unix_seconds = kNow}).has_value());
}

TEST(SigV4Verifying, BoundsTheTime) {
  const SignedPost good(Post{});
  EXPECT_TRUE(verify(good.request(), {.unix_seconds = kNow + 300}).has_value());
  EXPECT_TRUE(verify(good.request(), {.unix_seconds = kNow - 300}).has_value());
  EXPECT_FALSE(verify(good.request(), {.unix_seconds = kNow + 301}).has_value());
  EXPECT_FALSE(verify(good.request(), {.unix_seconds = kNow - 301}).has_value());
  Post post;
  post.query = sigv4_sign_query(post.request(), credentials(), options_for("us-east-1", true)).query;
  EXPECT_TRUE(verify(post.request(), {.unix_seconds = kNow + 3600}).has_value());
  EXPECT_FALSE(verify(post.request(), {.unix_seconds = kNow + 3601}).has_value());
}

TEST(SigV4Verifying, TakesHostAndAuthorityForEachOther) {
  Post over_http2;
  over_http2.headers[0] = {":authority", "127.0.0.1:9101"};
  const SignedPost good(over_http2);
  SigV4Request downgraded = good.request();
  downgraded.headers[0].name = "host";
  EXPECT_TRUE(verify(downgraded).has_value());
  downgraded.headers[0].value = "elsewhere";
  EXPECT_FALSE(verify(downgraded).has_value());
}

TEST(SigV4Verifying, TakesAnUnsignedBodyOnlyWhenAllowed) {
  Post post;
  post.body_hash = kSigV4UnsignedPayload;
  const SignedPost signed_post(post);
  const std::string arrived_hash = sha256_hex("whatever");
  SigV4Request request = signed_post.request();
  request.body_hash = arrived_hash;
  EXPECT_FALSE(verify(request).has_value());
  EXPECT_TRUE(verify(request, {.unix_seconds = kNow, .allows_unsigned_payload = true}).has_value());
}

TEST(SigV4Verifying, DemandsThatHostAndDateAreSigned) {
  const SignedPost good(Post{});
  const std::string authorization = good.signature.headers.back().value;
  for (const std::string_view dropped : {"host;", ";x-amz-date"}) {
    std::string shorter = authorization;
    shorter.erase(shorter.find(dropped), dropped.size());
    SigV4Request request = good.request();
    request.headers.back().value = shorter;
    EXPECT_EQ(verify(request).error().code, "IncompleteSignatureException") << dropped;
  }
}

TEST(SigV4Parsing, RefusesMalformedClaims) {
  const SignedPost good(Post{});
  const std::string fine = good.signature.headers.back().value;
  const auto with = [&fine](std::string_view from, std::string_view to) {
    std::string text = fine;
    return text.replace(text.find(from), from.size(), to);
  };
  const std::vector<std::string> bad = {
      "AWS4-HMAC-SHA256",
      "AWS4-HMAC-SHA256 ,,,",
      with("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"),
      with("/aws4_request", ""),
      with("/aws4_request", "/aws3_request"),
      with("/20261120/", "/20261121/"),
      with("/bedrock/", "//"),
      with("AKIDEXAMPLE", ""),
      with("SignedHeaders=content-type;host", "SignedHeaders=host;content-type"),
      with("SignedHeaders=content-type;host", "SignedHeaders=Content-Type;host"),
      with("SignedHeaders=content-type;host", "SignedHeaders=host;host"),
      with("SignedHeaders=content-type;host", "SignedHeaders=;host"),
      with("Signature=", "Signature=0"),
      with(good.signature.signature, std::string(64, 'g')),
      fine + ", Credential=x",
      fine + ", Other=x"};
  for (const std::string& text : bad) {
    SigV4Request request = good.request();
    request.headers.back().value = text;
    EXPECT_FALSE(sigv4_parse(request).has_value()) << text;
  }
}

TEST(SigV4Parsing, RefusesDoubledOrMissingParts) {
  const SignedPost good(Post{});
  SigV4Request doubled = good.request();
  doubled.headers.push_back(doubled.headers.back());
  EXPECT_FALSE(sigv4_parse(doubled).has_value());
  SigV4Request two_dates = good.request();
  two_dates.headers.push_back({"X-Amz-Date", "20261120T093301Z"});
  EXPECT_FALSE(sigv4_parse(two_dates).has_value());
  SigV4Request both_forms = good.request();
  both_forms.query = "X-Amz-Algorithm=AWS4-HMAC-SHA256";
  EXPECT_FALSE(sigv4_parse(both_forms).has_value());
  EXPECT_EQ(sigv4_parse(Post{}.request()).error().code, "MissingAuthenticationTokenException");
  for (const std::string_view date :
       {"20261120T093301", "20261120 093301Z", "20261320T093301Z", "20260230T093301Z", "2026112xT093301Z",
        "x0261120T093301Z", "20261120T243301Z", ""}) {
    SigV4Request request = good.request();
    for (SigV4Header& header : request.headers) {
      if (header.name == "x-amz-date") header.value = date;
    }
    EXPECT_FALSE(sigv4_parse(request).has_value()) << date;
  }
}

TEST(SigV4Parsing, RefusesBadPresignedQueries) {
  Post post;
  const std::string fine =
      sigv4_sign_query(post.request(), credentials(), options_for("us-east-1", true)).query;
  EXPECT_TRUE(has_sigv4_query(fine));
  const auto with = [&fine](std::string_view from, std::string_view to) {
    std::string text = fine;
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& query : {with("Expires=3600", "Expires=0"), with("Expires=3600", "Expires=604801"),
                                   with("Expires=3600", "Expires=1h"), with("Expires=3600", "Expires="),
                                   with("X-Amz-Date=", "X-Amz-Fate="), with("Credential=", "Credential=%zz"),
                                   fine + "&X-Amz-Signature=00", with("AWS4-HMAC-SHA256", "AWS4")}) {
    EXPECT_FALSE(sigv4_parse({"POST", post.path, query, post.headers, post.body_hash}).has_value()) << query;
  }
}

}  // namespace
}  // namespace weir
