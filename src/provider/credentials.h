// The short-lived credential of one provider: fetched once for all cores, renewed before it ends.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/scope.h"
#include "provider/credential.h"

namespace weir {

// How long one fetch may take.
inline constexpr Duration kCredentialFetchMax = std::chrono::seconds(10);

class Credentials;

// Runs the fetches of one core, in a scope of their own: the request that starts one need not wait for it.
class CredentialFetcher {
 public:
  // The tools outlive the fetcher.
  CredentialFetcher(Core& core, HttpClient& client, Pool& files);
  // REQUIRES that no fetch runs: stop() has reported.
  ~CredentialFetcher();

  // On this core's thread.
  void start(std::shared_ptr<Credentials> credentials);
  // Cancels what runs and calls `on_stopped` from the loop when nothing does any more.
  void stop(std::function<void()> on_stopped);

 private:
  Task<void> fetch(std::shared_ptr<Credentials> credentials);
  Task<void> report_stopped(std::function<void()> on_stopped);

  CredentialTools tools_;
  Scope root_;
  Scope closing_;
};

// Thread-safe: one short lock, never held while anything waits. Held by shared_ptr: a fetch outlives the
// configuration that it was begun under.
class Credentials : public std::enable_shared_from_this<Credentials> {
 public:
  // Renewed when less than this is left, while requests go on with what there is.
  static constexpr Duration kRenewAhead = std::chrono::minutes(4);
  // Not used any more when less than this is left: the call takes its time too.
  static constexpr Duration kMargin = std::chrono::seconds(30);
  // The next fetch after a failed one comes no sooner: a dead token endpoint is not asked by each request.
  static constexpr Duration kPauseAfterFailure = std::chrono::seconds(2);
  // Nor after a good one: some servers give the same token until it has all but ended.
  static constexpr Duration kPauseAfterSuccess = std::chrono::seconds(15);

  // `provider` is named in messages.
  Credentials(std::string provider, ChosenSource chosen);

  // The one there is, at once, while it is good. Else waits for a fetch, which all callers of all cores
  // share. Errors: upstream_auth with the remedy, the scope's reason.
  Task<std::shared_ptr<const Credential>> get(Scope& scope, CredentialFetcher& fetcher);
  // The provider refused this one: the next get() fetches another, unless this one has only just come.
  // Whether get() will give another.
  bool reject(const Credential& refused, MonoTime now);

  const std::string& name() const { return name_; }          // of the source
  const std::string& identity() const { return identity_; }  // ChosenSource's

  struct Counts {
    uint64_t fetched = 0;
    uint64_t failed = 0;
  };
  Counts counts() const;

 private:
  friend class CredentialFetcher;
  struct Waiting;
  using Outcome = Result<std::shared_ptr<const Credential>>;

  bool is_good(int64_t wall_ns) const;       // REQUIRES the lock
  bool should_renew(int64_t wall_ns) const;  // REQUIRES the lock
  bool begin_fetch(MonoTime now);            // REQUIRES the lock; false: not now
  void settle(Result<Credential> fetched, MonoTime now, int64_t wall_ns);

  const std::string provider_;
  const std::string name_;
  const std::string identity_;
  const std::unique_ptr<CredentialSource> source_;

  mutable std::mutex mutex_;
  std::shared_ptr<const Credential> current_;
  std::optional<Error> failure_;  // of the last fetch; nullopt: it was good
  MonoTime not_before_{};         // of the next fetch
  bool is_fetching_ = false;
  std::vector<std::shared_ptr<Waiting>> waiting_;  // at most one a model call under way
  Counts counts_;
};

}  // namespace weir
