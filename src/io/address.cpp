#include "io/address.h"

#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <string>

namespace weir {
namespace {

struct Range4 {
  uint32_t network;
  int bits;
};
constexpr uint32_t ip4(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}
constexpr Range4 kNotPublic4[] = {
    {ip4(0, 0, 0, 0), 8},         // this network
    {ip4(10, 0, 0, 0), 8},        // private
    {ip4(100, 64, 0, 0), 10},     // shared by carriers; holds Alibaba's metadata service
    {ip4(127, 0, 0, 0), 8},       // loopback
    {ip4(168, 63, 129, 16), 32},  // Azure's platform service, inside a public range
    {ip4(169, 254, 0, 0), 16},    // link-local; holds the metadata services
    {ip4(172, 16, 0, 0), 12},     // private
    {ip4(192, 0, 0, 0), 24},      // protocol assignments; holds Oracle's metadata service
    {ip4(192, 0, 2, 0), 24},      // documentation
    {ip4(192, 88, 99, 0), 24},    // 6to4 relays
    {ip4(192, 168, 0, 0), 16},    // private
    {ip4(198, 18, 0, 0), 15},     // benchmarks
    {ip4(198, 51, 100, 0), 24},   // documentation
    {ip4(203, 0, 113, 0), 24},    // documentation
    {ip4(224, 0, 0, 0), 4},       // multicast
    {ip4(240, 0, 0, 0), 4},       // reserved and broadcast
};

using Bytes16 = std::array<uint8_t, 16>;

struct Range6 {
  Bytes16 network;
  size_t bits;
};
// Parts of 2000::/3, the only global unicast space, that are not public.
constexpr Range6 kNotPublic6[] = {
    {{0x20, 0x01, 0x00}, 23},        // protocol assignments, Teredo, ORCHID
    {{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    {{0x20, 0x02}, 16},              // 6to4
    {{0x3f, 0xff, 0x00}, 20},        // documentation
};
constexpr Range6 kGlobalUnicast = {{0x20}, 3};
constexpr Range6 kMapped = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
constexpr Range6 kNat64 = {{0x00, 0x64, 0xff, 0x9b}, 96};

bool is_public4(uint32_t address) {
  for (const Range4& range : kNotPublic4) {
    if ((address ^ range.network) >> (32 - range.bits) == 0) return false;
  }
  return true;
}

bool is_in(const Bytes16& address, const Range6& range) {
  for (size_t bit = 0; bit < range.bits; ++bit) {
    if (((address[bit / 8] ^ range.network[bit / 8]) >> (7 - bit % 8) & 1) != 0) return false;
  }
  return true;
}

bool is_public6(const Bytes16& address) {
  if (is_in(address, kMapped) || is_in(address, kNat64))
    return is_public4(ip4(address[12], address[13], address[14], address[15]));
  if (!is_in(address, kGlobalUnicast)) return false;
  for (const Range6& range : kNotPublic6) {
    if (is_in(address, range)) return false;
  }
  return true;
}

}  // namespace

bool is_address_literal(std::string_view text) {
  const std::string copy(text);
  Bytes16 bytes;
  return inet_pton(AF_INET, copy.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1;
}

bool is_public_address(std::string_view literal) {
  const std::string copy(literal);
  in_addr v4{};
  if (inet_pton(AF_INET, copy.c_str(), &v4) == 1) return is_public4(ntohl(v4.s_addr));
  Bytes16 v6{};
  return inet_pton(AF_INET6, copy.c_str(), v6.data()) == 1 && is_public6(v6);
}

}  // namespace weir
