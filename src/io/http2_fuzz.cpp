// Arbitrary bytes behind the preface of HTTP/2: nothing may crash, hang or leave a request running.
#include "base/assert.h"
#include "io/http_service.h"
#include "io/memory_stream.h"
#include "io/test_core.h"
#include "io/test_handler.h"

namespace weir {
namespace {

constexpr std::string_view kOpening =
    std::string_view("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", 33);

void read_everything(TestCore& test, ByteStream& client) {
  std::array<char, 4096> buffer;
  for (int reads = 0; reads < 64 && client.try_read(buffer).state == IoState::done; ++reads) test.settle();
}

void serve(std::string_view input) {
  TestCore test;
  TestHandler handler;
  handler.body_bytes_max = 10'000;
  HttpServerSettings settings;
  HttpResources resources;
  HttpService service(test.core, settings, resources, handler);
  MemoryStream::Pair ends = MemoryStream::pair(test.core, 32 * 1024);
  service.serve(std::move(ends.second));
  const std::array<std::string_view, 1> opening = {kOpening};
  ends.first->try_write(opening);
  test.settle();
  // Each piece starts with its length; between the pieces a little time passes.
  while (!input.empty()) {
    const size_t size = std::min<size_t>(static_cast<uint8_t>(input.front()) + 1u, input.size() - 1);
    const std::array<std::string_view, 1> pieces = {input.substr(1, size)};
    input.remove_prefix(1 + size);
    ends.first->try_write(pieces);
    test.pass(std::chrono::milliseconds(100));
    read_everything(test, *ends.first);
  }
  if (handler.calls % 2 == 1) ends.first->close();
  test.settle();
  bool is_stopped = false;
  service.stop(std::chrono::seconds(1), [&is_stopped] { is_stopped = true; });
  test.pass(std::chrono::seconds(40));
  WEIR_ASSERT(is_stopped, "a stopped service ends");
  WEIR_ASSERT(handler.active == 0, "no handler outlives its connection");
  WEIR_ASSERT(resources.bodies.used() == 0, "every byte of the budget comes back");
  WEIR_ASSERT(resources.connections == 0, "every connection is counted off");
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weir::serve({reinterpret_cast<const char*>(data), size});
  return 0;
}
