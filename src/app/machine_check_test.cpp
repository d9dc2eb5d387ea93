#include "app/machine_check.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace weir {
namespace {

// All problems of a `server` section, one a line.
std::string complaint(std::string_view server) {
  const Config config = parse_config("weir.yaml", fmt::format("server:\n  {}\n", server)).value();
  const std::vector<Error> problems = check_machine(config);
  return problems.empty() ? "" : as_one_error(problems).message;
}

TEST(MachineCheck, TheDefaultsAreFine) {
  EXPECT_TRUE(check_machine(Config{}).empty());
}

TEST(MachineCheck, ACertificateAndItsKeyBelongTogether) {
  EXPECT_EQ(complaint("tls_certificate: /a.pem"),
            "weir.yaml line 2: server.tls_certificate: it needs server.tls_key");
  EXPECT_EQ(complaint("tls_key: /a.pem"),
            "weir.yaml line 2: server.tls_key: it goes with server.tls_certificate");
  const std::string missing = complaint("tls_certificate: /no/such.pem\n  tls_key: /no/such.key");
  EXPECT_NE(missing.find("/no/such.pem: No such file or directory"), std::string::npos) << missing;
}

TEST(MachineCheck, TheLogMustBeWritable) {
  EXPECT_EQ(complaint("access_log: on"), "");
  EXPECT_EQ(complaint("access_log: " + testing::TempDir() + "/weir-machine-check.log"), "");
  EXPECT_FALSE(std::filesystem::exists(testing::TempDir() + "/weir-machine-check.log")) << "it makes nothing";
  EXPECT_EQ(complaint("access_log: /no/such/log"),
            "weir.yaml line 2: server.access_log: /no/such/log cannot be written");
  EXPECT_NE(complaint("access_log: /tmp"), "");
}

TEST(MachineCheck, DataNeedsAFolderThatIsOrCanBeMade) {
  EXPECT_EQ(complaint("data_dir: " + testing::TempDir() + "/weir-not-there/data"), "");
  EXPECT_EQ(complaint("data_dir: /etc/passwd"),
            "weir.yaml line 2: server.data_dir: /etc/passwd is no folder");
  EXPECT_EQ(complaint("data_dir: /etc/passwd/data"),
            "weir.yaml line 2: server.data_dir: /etc/passwd is no folder");
}

TEST(MachineCheck, ThePlanesNeedPortsOfTheirOwn) {
  EXPECT_EQ(complaint("listen: \"127.0.0.1:7480\"\n  admin_listen: \"127.0.0.1:7480\""),
            "weir.yaml line 3: server.admin_listen: port 7480 is the data plane's already");
  EXPECT_NE(complaint("listen: \"0.0.0.0:7480\"\n  admin_listen: \"127.0.0.1:7480\""), "");
  EXPECT_EQ(complaint("listen: \"127.0.0.1:0\"\n  admin_listen: \"127.0.0.1:0\""), "");
  EXPECT_EQ(complaint("listen: \"127.0.0.1:7480\"\n  admin_listen: \"127.0.0.2:7480\""), "");
}

}  // namespace
}  // namespace weir
