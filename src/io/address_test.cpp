#include "io/address.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Address, KnowsWhatIsPublic) {
  for (const char* text : {"1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.0.1", "100.128.0.1",
                           "192.167.0.1", "168.63.129.17", "223.255.255.255", "2606:4700::1111",
                           "2a00:1450::1", "::ffff:1.1.1.1", "64:ff9b::8.8.8.8", "2001:200::1"})
    EXPECT_TRUE(is_public_address(text)) << text;
}

TEST(Address, KnowsWhatIsNot) {
  for (const char* text : {"0.0.0.0",
                           "10.1.2.3",
                           "100.64.0.1",
                           "100.100.100.200",
                           "127.0.0.1",
                           "127.255.0.1",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.0.1",
                           "192.0.0.192",
                           "192.0.2.1",
                           "192.88.99.1",
                           "198.18.0.1",
                           "198.19.0.1",
                           "198.51.100.1",
                           "203.0.113.1",
                           "224.0.0.1",
                           "255.255.255.255",
                           "168.63.129.16",
                           "::",
                           "::1",
                           "::ffff:127.0.0.1",
                           "::ffff:169.254.169.254",
                           "::ffff:a00:1",
                           "::127.0.0.1",
                           "64:ff9b::10.0.0.1",
                           "64:ff9b::a9fe:a9fe",
                           "64:ff9b:1::1",
                           "fc00::1",
                           "fd00:ec2::254",
                           "fe80::1",
                           "fec0::1",
                           "ff02::1",
                           "2001::1",
                           "2001:db8::1",
                           "2002:7f00:1::",
                           "3fff::1",
                           "100::1",
                           "4000::1"})
    EXPECT_FALSE(is_public_address(text)) << text;
}

TEST(Address, TakesNothingElseForAnAddress) {
  for (const char* text : {"", "localhost", "1.1.1", "01.1.1.1", "0x7f.1", "2130706433", "1.1.1.1 ", "[::1]",
                           "fe80::1%eth0", "1.1.1.1:80"}) {
    EXPECT_FALSE(is_address_literal(text)) << text;
    EXPECT_FALSE(is_public_address(text)) << text;
  }
  EXPECT_TRUE(is_address_literal("::1"));
  EXPECT_TRUE(is_address_literal("127.0.0.1"));
}

}  // namespace
}  // namespace weir
