#include "io/client_pool.h"

#include <algorithm>

namespace weir {

size_t ClientPool::OriginHash::operator()(const Origin& origin) const {
  return std::hash<std::string_view>()(origin.host) * 31 + origin.port * 2U + (origin.is_tls ? 1 : 0);
}

ClientPool::~ClientPool() {
  close_idle();
}

ClientPool::Place::~Place() {
  if (group_) pool_.leave(*static_cast<Group*>(group_));
}

void ClientPool::leave(Group& group) {
  // A group without connections goes: origins that users name must not pile up.
  if (--group.open > 0) return;
  if (last_found_ == &group) last_found_ = nullptr;
  groups_.erase(Origin(group.origin));
}

ClientPool::Group* ClientPool::find(const Origin& origin) {
  if (last_found_ && last_found_->origin == origin) return last_found_;
  const auto found = groups_.find(origin);
  last_found_ = found == groups_.end() ? nullptr : &found->second;
  return last_found_;
}

Result<ClientPool::Place> ClientPool::reserve(const Origin& origin) {
  Group& group = groups_[origin];
  if (group.open >= options_.total_per_origin_max)
    return fail(ErrorKind::overloaded, "too many connections to the provider are in use");
  if (group.open++ == 0) group.origin = origin;
  ++connects_;
  return Place(*this, &group);
}

std::unique_ptr<ClientConnection> ClientPool::take(const Origin& origin) {
  Group* const group = find(origin);
  if (!group || group->idle.empty()) return nullptr;
  std::unique_ptr<ClientConnection> connection = std::move(group->idle.back());
  group->idle.pop_back();
  connection->rest();
  connection->stream().watch_input(nullptr);
  ++reuses_;
  return connection;
}

void ClientPool::give(std::unique_ptr<ClientConnection> connection) {
  // Bytes behind the answer belong to no request: the two sides do not agree about the framing.
  if (!connection->buffer().empty() || !connection->stream().is_open() || options_.idle_per_origin_max == 0)
    return;
  Group& group = *static_cast<Group*>(connection->place_.group_);
  if (group.idle.size() >= options_.idle_per_origin_max) drop(*group.idle.front());
  connection->buffer().release();
  ClientConnection& idle = *connection;
  group.idle.push_back(std::move(connection));
  core_.timers().arm(idle, core_.turn_began() + options_.idle_timeout);
  idle.stream().watch_input([&idle] { idle.pool_.drop(idle); });
}

void ClientPool::drop(ClientConnection& connection) {
  Group& group = *static_cast<Group*>(connection.place_.group_);
  const auto found = std::ranges::find(group.idle, &connection, &std::unique_ptr<ClientConnection>::get);
  const std::unique_ptr<ClientConnection> dropped =
      std::move(*found);  // destroyed last: it may end the group
  group.idle.erase(found);
}

void ClientPool::close_idle() {
  std::vector<std::unique_ptr<ClientConnection>> dropped;
  for (auto& [origin, group] : groups_) {
    std::ranges::move(group.idle, std::back_inserter(dropped));
    group.idle.clear();
  }
}

ClientPoolStats ClientPool::stats() const {
  ClientPoolStats stats{.connects = connects_, .reuses = reuses_};
  for (const auto& [origin, group] : groups_) {
    stats.open += group.open;
    stats.idle += group.idle.size();
  }
  return stats;
}

ClientConnection::~ClientConnection() {
  stream_->close();
}

IoState ClientConnection::write(Output& output) {
  for (;;) {
    const IoResult written = stream_->try_write(output);
    if (written.state != IoState::done) return written.state;
    size_t left = written.bytes;
    for (std::string_view& piece : output) {
      const size_t of_this = std::min(left, piece.size());
      piece.remove_prefix(of_this);
      left -= of_this;
    }
    if (std::ranges::all_of(output, &std::string_view::empty)) return IoState::done;
  }
}

Task<bool> ClientConnection::write_rest(Scope& scope, Output output) {
  for (;;) {
    if (CO_TRY(co_await is_answered_early(scope))) co_return false;
    const IoState state = write(output);
    if (state != IoState::would_block) co_return state == IoState::done;
  }
}

Task<bool> ClientConnection::is_answered_early(Scope& scope) {
  const size_t first =
      CO_TRY(co_await first_of(scope, {[this](Scope& race) { return stream_->writable(race); },
                                       [this](Scope& race) { return stream_->readable(race); }}));
  co_return first == 1 && is_answered();
}

bool ClientConnection::is_answered() {
  return receive() != IoState::would_block;
}

Task<void> ClientConnection::readable(Scope& scope) {
  if (buffer_.empty()) buffer_.release();
  return stream_->readable(scope);
}

IoState ClientConnection::receive() {
  const IoResult received = stream_->try_read(buffer_.room());
  if (received.state == IoState::done) buffer_.commit(received.bytes);
  return received.state;
}

}  // namespace weir
