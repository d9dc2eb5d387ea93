#include "app/config_watch.h"

#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

#include "app/config.h"

namespace weir {
namespace {

class ConfigWatchTest : public testing::Test {
 protected:
  ~ConfigWatchTest() override {
    for (const std::string& file : {one_, two_}) unlink(file.c_str());
  }
  static void write(const std::string& file, std::string_view text) { std::ofstream(file) << text; }

  const std::string one_ = testing::TempDir() + "config_watch_test.1." + std::to_string(getpid());
  const std::string two_ = testing::TempDir() + "config_watch_test.2." + std::to_string(getpid());
};

TEST_F(ConfigWatchTest, TellsAChangeOfAnyFileOnceAndWhenItHasSettled) {
  write(one_, "a");
  write(two_, "a");
  ConfigWatch watch([this] { return std::vector<std::string>{one_, two_}; });
  EXPECT_FALSE(watch.has_changed());
  for (const std::string& file : {one_, two_}) {
    write(file, "longer");
    EXPECT_FALSE(watch.has_changed()) << "it may be written on";
    write(file, "longer still");
    EXPECT_FALSE(watch.has_changed());
    EXPECT_TRUE(watch.has_changed());
    EXPECT_FALSE(watch.has_changed());
  }
}

TEST_F(ConfigWatchTest, WatchesWhatIsNamedLaterFromThenOn) {
  write(one_, "a");
  write(two_, "a");
  std::vector<std::string> files = {one_};
  ConfigWatch watch([&files] { return files; });
  files.push_back(two_);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(watch.has_changed()) << "it was read just now";
  write(two_, "other");
  EXPECT_FALSE(watch.has_changed());
  EXPECT_TRUE(watch.has_changed());
  files = {one_};
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(watch.has_changed());
}

TEST_F(ConfigWatchTest, AFileThatIsAwayForAMomentHasNotChanged) {
  write(one_, "a");
  ConfigWatch watch([this] { return std::vector<std::string>{one_}; });
  unlink(one_.c_str());
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(watch.has_changed());
  write(one_, "other");
  EXPECT_FALSE(watch.has_changed());
  EXPECT_TRUE(watch.has_changed());
}

TEST_F(ConfigWatchTest, AFileThatComesIsAChange) {
  write(one_, "a");
  std::vector<std::string> files = {one_};
  ConfigWatch watch([&files] { return files; });
  files.push_back(two_);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(watch.has_changed()) << "it is not there yet";
  write(two_, "");
  EXPECT_FALSE(watch.has_changed());
  EXPECT_TRUE(watch.has_changed());
  EXPECT_FALSE(watch.has_changed());
}

TEST_F(ConfigWatchTest, KnowsWhatAConfigurationReads) {
  const Config config = parse_config("weir.yaml", R"(
server: {tls_certificate: /c.pem, tls_key: /k.pem}
catalog: {providers: [/providers.yaml], prices: [/prices.yaml]}
providers:
  - {name: openai, ca_file: /ca.pem, keys: [{file: /openai.key}, {env: SECOND}]}
  - {name: vertex_anthropic, credentials: {file: /google.json}}
  - {name: azure_openai, credentials: {client_secret_file: /entra.secret}}
keys:
  - {name: team, file: /team.key}
)")
                            .value();
  std::vector<std::string> files = files_named_by(config);
  std::ranges::sort(files);
  EXPECT_EQ(files, (std::vector<std::string>{"/c.pem", "/ca.pem", "/entra.secret", "/google.json", "/k.pem",
                                             "/openai.key", "/prices.yaml", "/providers.yaml", "/team.key"}));
}

}  // namespace
}  // namespace weir
