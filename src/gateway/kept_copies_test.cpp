#include "gateway/kept_copies.h"

#include <gtest/gtest.h>

#include "codec/codecs.h"
#include "io/test_core.h"
#include "provider/credentials.h"
#include "provider/key_ring.h"
#include "provider/test_credentials.h"

namespace weir {
namespace {

class KeptCopies : public testing::Test {
 protected:
  KeptCopies() {
    provider_->name = "p";
    provider_->kind.dialect = Dialect::openai_responses;
    provider_->kind.auth = AuthScheme::bearer;
    provider_->codec = &provider_codec(Dialect::openai_responses);
    provider_->base_path = "/v1";
    provider_->origin = {.host = "up", .port = 443, .is_tls = true};
    set_keys({"ann", "bob"});
    snapshot_.providers = {provider_};
  }
  void set_keys(const std::vector<std::string>& secrets) {
    std::vector<ProviderKey> keys;
    for (const std::string& secret : secrets)
      keys.push_back({.name = secret, .secret = std::make_shared<const Secret>(std::string(secret))});
    provider_->keys = std::make_shared<KeyRing>(std::move(keys));
  }
  // "true", "false" or the kind of the failure.
  std::string outcome(std::string provider = "p") {
    const Outward outward{.client = &server_, .credentials = &fetcher_, .cpu = &cpu_};
    Scope scope(test_.core);
    const Result<bool> deleted =
        test_.run(delete_copy(scope, outward, snapshot_, std::move(provider), "resp/1"));
    if (!deleted) return std::string(to_string(deleted.error().kind));
    return *deleted ? "true" : "false";
  }

  TestCore test_;
  Pool cpu_{"cpu", 1, 4};
  test::FakeServer server_;
  CredentialFetcher fetcher_{test_.core, server_, cpu_};
  std::shared_ptr<Provider> provider_ = std::make_shared<Provider>();
  Snapshot snapshot_;
};

TEST_F(KeptCopies, AreDeletedByTheKeyThatMadeThem) {
  server_.answer = [](const test::SeenRequest& request) -> test::FakeReply {
    if (request.headers.get_or("authorization", "") == "Bearer bob") return {.status = 200, .body = "{}"};
    return {.status = 404, .body = "{}"};
  };
  EXPECT_EQ(outcome(), "true");
  EXPECT_EQ(server_.seen.back().method, "DELETE");
  EXPECT_EQ(server_.seen.back().headers.get_or("authorization", ""), "Bearer bob");
  EXPECT_TRUE(server_.seen.back().url.ends_with("/v1/responses/resp%2F1")) << server_.seen.back().url;
}

TEST_F(KeptCopies, AreGoneWhereNoKeyFindsThem) {
  server_.answer = [](const test::SeenRequest&) -> test::FakeReply { return {.status = 404, .body = "{}"}; };
  EXPECT_EQ(outcome(), "true");
  EXPECT_EQ(server_.seen.size(), 2U);
  set_keys({});
  EXPECT_EQ(outcome(), "true");
  EXPECT_FALSE(server_.seen.back().headers.contains("authorization"));
}

TEST_F(KeptCopies, StayWhereTheServerCannotDeleteOrFails) {
  server_.answer = [](const test::SeenRequest&) -> test::FakeReply { return {.status = 405, .body = "{}"}; };
  EXPECT_EQ(outcome(), "false");
  server_.answer = [](const test::SeenRequest&) -> test::FakeReply { return {.status = 500, .body = "{}"}; };
  EXPECT_EQ(outcome(), "upstream_error");
  EXPECT_EQ(outcome("gone"), "not_found");
}

}  // namespace
}  // namespace weir
