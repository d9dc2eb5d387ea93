#include "io/descriptor.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <unistd.h>
#include <utility>

#include "base/assert.h"

namespace weir {

namespace asio = boost::asio;
using boost::system::error_code;

// What the loop's handlers hold on to. A handler may still be queued when its Descriptor is gone; it then
// finds no owner. Counted without atomics: everything happens on the core's thread.
struct Descriptor::Registration {
  using AsioDescriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

  Registration(Core& core, Descriptor* its_owner)
      : descriptor(core.context().get_executor()), owner(its_owner) {}

  class Reference {
   public:
    explicit Reference(Registration* registration) : registration_(registration) {
      ++registration_->references;
    }
    Reference(Reference&& other) noexcept : registration_(std::exchange(other.registration_, nullptr)) {}
    Reference(const Reference& other) : Reference(other.registration_) {}
    Reference& operator=(const Reference&) = delete;
    ~Reference() {
      if (registration_) registration_->release();
    }
    Descriptor* owner() const { return registration_->owner; }

   private:
    Registration* registration_;
  };

  void release() {
    if (--references == 0) delete this;
  }

  AsioDescriptor descriptor;
  Descriptor* owner;
  unsigned references = 1;
};

struct Descriptor::ReadHandler {
  Registration::Reference registration;
  void operator()(const error_code&) const {
    if (Descriptor* owner = registration.owner()) owner->on_readable();
  }
};

struct Descriptor::WriteHandler {
  Registration::Reference registration;
  void operator()(const error_code&) const {
    if (Descriptor* owner = registration.owner()) owner->on_writable();
  }
};

struct Descriptor::ReadWait final : Waiter {
  explicit ReadWait(Descriptor& its_owner) : owner(its_owner) { owner.reader_ = this; }
  void detach() override { owner.reader_ = nullptr; }
  Descriptor& owner;
};

struct Descriptor::WriteWait final : Waiter {
  explicit WriteWait(Descriptor& its_owner) : owner(its_owner) { owner.writer_ = this; }
  void detach() override { owner.writer_ = nullptr; }
  Descriptor& owner;
};

Descriptor::Descriptor(Core& core, int fd)
    : core_(core), registration_(new Registration(core, this)), fd_(fd) {
  error_code failed;
  registration_->descriptor.assign(fd, failed);
  if (!failed) return;
  // The kernel has no room for one more watch: to the user the descriptor is one that broke at once.
  ::close(fd);
  fd_ = -1;
}

Descriptor::~Descriptor() {
  close();
  registration_->owner = nullptr;
  registration_->release();
}

void Descriptor::arm_read() {
  if (is_read_armed_) return;
  is_read_armed_ = true;
  registration_->descriptor.async_wait(asio::posix::descriptor_base::wait_read,
                                       ReadHandler{Registration::Reference(registration_)});
}

Task<void> Descriptor::readable(Scope& scope) {
  // Two coroutines, since each idle connection keeps the frame of one.
  if (!is_open() || std::exchange(is_readable_, false)) return return_at_once(scope);
  return wait_for_input(scope);
}

Task<void> Descriptor::return_at_once(Scope& scope) {
  co_return scope.check();
}

Task<void> Descriptor::wait_for_input(Scope& scope) {
  WEIR_ASSERT(!reader_, "one coroutine waits for input at a time");
  arm_read();
  ReadWait wait(*this);
  co_return co_await wait.on(scope);
}

Task<void> Descriptor::writable(Scope& scope) {
  if (!is_open()) co_return scope.check();
  WEIR_ASSERT(!writer_, "one coroutine waits for room at a time");
  if (!is_write_armed_) {
    is_write_armed_ = true;
    registration_->descriptor.async_wait(asio::posix::descriptor_base::wait_write,
                                         WriteHandler{Registration::Reference(registration_)});
  }
  WriteWait wait(*this);
  co_return co_await wait.on(scope);
}

void Descriptor::watch_input(std::function<void()> on_input) {
  on_input_ = std::move(on_input);
  if (on_input_ && is_open()) arm_read();
}

void Descriptor::on_readable() {
  is_read_armed_ = false;
  // Resuming may destroy this object: it is the last thing done.
  if (ReadWait* reader = std::exchange(reader_, nullptr)) return reader->complete_inline();
  is_readable_ = true;
  if (on_input_) std::exchange(on_input_, nullptr)();
}

void Descriptor::on_writable() {
  is_write_armed_ = false;
  if (WriteWait* writer = std::exchange(writer_, nullptr)) writer->complete_inline();
}

void Descriptor::close() {
  if (!is_open()) return;
  fd_ = -1;
  on_input_ = nullptr;
  error_code ignored;
  registration_->descriptor.close(ignored);
  if (ReadWait* reader = std::exchange(reader_, nullptr)) reader->complete();
  if (WriteWait* writer = std::exchange(writer_, nullptr)) writer->complete();
}

}  // namespace weir
