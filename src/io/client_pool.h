// The connections of one core's client: idle ones by origin, the most recently used first. An idle connection
// holds no buffer, and is dropped when its time is over or anything at all arrives on it.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "io/byte_stream.h"
#include "io/http.h"
#include "io/read_buffer.h"
#include "io/timer_wheel.h"

namespace weir {

class ClientConnection;

struct ClientPoolOptions {
  // Less than the 60 s after which usual load balancers forget an idle connection.
  Duration idle_timeout = std::chrono::seconds(55);
  // As many as streams that end at one time, or the next ones would have to connect.
  size_t idle_per_origin_max = 1'024;
  size_t total_per_origin_max = 10'000;  // idle, in use and being connected; one more is overloaded
};

struct ClientPoolStats {
  size_t open = 0;  // idle, in use and being connected
  size_t idle = 0;
  uint64_t connects = 0;  // begun
  uint64_t reuses = 0;
};

class ClientPool {
 public:
  ClientPool(Core& core, const ClientPoolOptions& options) : core_(core), options_(options) {}
  // REQUIRES that no connection is in use.
  ~ClientPool();
  ClientPool(const ClientPool&) = delete;
  ClientPool& operator=(const ClientPool&) = delete;

  // The right to one more connection to an origin; given back when destroyed.
  class Place {
   public:
    Place(Place&& other) noexcept : pool_(other.pool_), group_(std::exchange(other.group_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    ~Place();

   private:
    friend class ClientPool;
    Place(ClientPool& pool, void* group) : pool_(pool), group_(group) {}
    ClientPool& pool_;
    void* group_;  // a Group, which is private to the pool
  };
  // Errors: overloaded.
  Result<Place> reserve(const Origin& origin);

  // An idle connection; null when there is none.
  std::unique_ptr<ClientConnection> take(const Origin& origin);
  // Takes a connection back whose last answer was read to its end, or drops it when it cannot be used again.
  void give(std::unique_ptr<ClientConnection> connection);
  void close_idle();

  ClientPoolStats stats() const;
  BufferPool& buffers() { return buffers_; }
  Core& core() { return core_; }

 private:
  friend class ClientConnection;
  struct Group {
    Origin origin;
    std::vector<std::unique_ptr<ClientConnection>> idle;  // the most recently used last
    size_t open = 0;
  };
  struct OriginHash {
    size_t operator()(const Origin& origin) const;
  };
  // Null: there is no connection to that origin.
  Group* find(const Origin& origin);
  void drop(ClientConnection& connection);
  void leave(Group& group);

  Core& core_;
  const ClientPoolOptions options_;
  BufferPool buffers_;
  std::unordered_map<Origin, Group, OriginHash> groups_;
  Group* last_found_ = nullptr;  // which the next request is likely to ask for
  uint64_t connects_ = 0;
  uint64_t reuses_ = 0;
};

// A connection to an origin. Destroying it closes it.
class ClientConnection final : private Timer {
 public:
  ClientConnection(ClientPool& pool, ClientPool::Place place, std::unique_ptr<ByteStream> stream)
      : pool_(pool), place_(std::move(place)), stream_(std::move(stream)), buffer_(pool.buffers()) {}
  ~ClientConnection() override;

  // What is to be sent and was not yet: a head, and a body or a piece of one with what frames it.
  using Output = std::array<std::string_view, 4>;
  // Writes what the socket takes at once, which is nearly always everything; `would_block`: not everything.
  IoState write(Output& output);
  // Writes the rest. False: the connection broke, or the peer answers before it has taken everything (a
  // refusal): what it says is there to read. Errors: the scope's reason.
  [[gnu::noinline]] Task<bool> write_rest(Scope& scope, Output output);
  // Whether the peer says something, or has closed, without being waited for: that is in buffer() then.
  bool is_answered();
  // Waits for bytes; holds no memory while it waits with an empty buffer.
  Task<void> readable(Scope& scope);
  // Reads once into buffer(); `done` when there are more bytes. Never waits.
  IoState receive();

  ReadBuffer& buffer() { return buffer_; }
  ByteStream& stream() { return *stream_; }
  Core& core() { return pool_.core(); }

 private:
  friend class ClientPool;
  void fire() override { pool_.drop(*this); }
  // Waits for room to write or for bytes of the peer, which it reads; true when there were any or an end.
  Task<bool> is_answered_early(Scope& scope);

  ClientPool& pool_;
  ClientPool::Place place_;
  std::unique_ptr<ByteStream> stream_;
  ReadBuffer buffer_;
};

}  // namespace weir
