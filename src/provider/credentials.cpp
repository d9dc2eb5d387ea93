#include "provider/credentials.h"

#include <fmt/core.h>

#include "base/assert.h"
#include "base/log.h"

namespace weir {

// One waiting call; the fetch answers it by a message to its core.
struct Credentials::Waiting {
  struct Wait final : Waiter {
    void detach() override {}
  };
  Core* core = nullptr;
  Wait wait;                       // its core's thread only
  std::optional<Outcome> outcome;  // set before the message is sent
};

CredentialFetcher::CredentialFetcher(Core& core, HttpClient& client, Pool& files)
    : tools_{.client = client, .files = files, .clock = core.clock()}, root_(core), closing_(core) {}

CredentialFetcher::~CredentialFetcher() {
  WEIR_ASSERT(root_.running() == 0, "fetches are stopped before their fetcher is destroyed");
}

void CredentialFetcher::start(std::shared_ptr<Credentials> credentials) {
  root_.spawn(fetch(std::move(credentials)));
}

void CredentialFetcher::stop(std::function<void()> on_stopped) {
  root_.cancel(make_error(ErrorKind::shutting_down, "the server shuts down"));
  closing_.spawn(report_stopped(std::move(on_stopped)));
}

Task<void> CredentialFetcher::report_stopped(std::function<void()> on_stopped) {
  (void)co_await root_.join_all();
  // From the loop: whoever is told may destroy the fetcher, and this coroutine is part of it.
  closing_.core().post_remote(std::move(on_stopped));
  co_return {};
}

Task<void> CredentialFetcher::fetch(std::shared_ptr<Credentials> credentials) {
  Scope scope(root_);
  scope.set_deadline(scope.now() + kCredentialFetchMax, ErrorKind::upstream_timeout,
                     "the source of credentials did not answer in time");
  Result<Credential> fetched = co_await credentials->source_->fetch(scope, tools_);
  credentials->settle(std::move(fetched), scope.now(), tools_.clock.wall_ns());
  co_return {};
}

Credentials::Credentials(std::string provider, ChosenSource chosen)
    : provider_(std::move(provider)),
      name_(std::move(chosen.name)),
      identity_(std::move(chosen.identity)),
      source_(std::move(chosen.source)) {}

bool Credentials::is_good(int64_t wall_ns) const {
  return current_ && (!current_->expires_at_ns || wall_ns < *current_->expires_at_ns - kMargin.count());
}

bool Credentials::should_renew(int64_t wall_ns) const {
  return current_ && current_->expires_at_ns && wall_ns >= *current_->expires_at_ns - kRenewAhead.count();
}

bool Credentials::begin_fetch(MonoTime now) {
  if (is_fetching_ || now < not_before_) return false;
  is_fetching_ = true;
  return true;
}

Task<std::shared_ptr<const Credential>> Credentials::get(Scope& scope, CredentialFetcher& fetcher) {
  const int64_t wall_ns = scope.core().clock().wall_ns();
  std::shared_ptr<const Credential> good;
  std::shared_ptr<Waiting> waiting;
  bool starts = false;
  {
    const std::lock_guard lock(mutex_);
    if (is_good(wall_ns)) {
      good = current_;
      starts = should_renew(wall_ns) && begin_fetch(scope.now());
    } else {
      starts = begin_fetch(scope.now());
      // Nobody fetches, and nobody may yet: what the last fetch said still holds.
      if (!is_fetching_ && failure_) co_return fail(*failure_);
      waiting = std::make_shared<Waiting>();
      waiting->core = &scope.core();
      waiting_.push_back(waiting);
      // What was fetched a moment ago has all but ended: the pause after a success does not count.
      if (!is_fetching_) starts = is_fetching_ = true;
    }
  }
  if (starts) fetcher.start(shared_from_this());
  if (good) co_return good;
  CO_TRY(co_await waiting->wait.on(scope));
  co_return std::move(*waiting->outcome);
}

bool Credentials::reject(const Credential& refused, MonoTime now) {
  const std::lock_guard lock(mutex_);
  if (current_.get() != &refused) return true;
  if (now < not_before_) return false;
  current_ = nullptr;
  return true;
}

Credentials::Counts Credentials::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void Credentials::settle(Result<Credential> fetched, MonoTime now, int64_t wall_ns) {
  std::vector<std::shared_ptr<Waiting>> woken;
  Outcome outcome;
  {
    const std::lock_guard lock(mutex_);
    is_fetching_ = false;
    if (fetched && fetched->expires_at_ns && *fetched->expires_at_ns - kMargin.count() <= wall_ns) {
      fetched = fail(ErrorKind::upstream_auth, "what it gave has expired already: check the clocks");
    }
    if (fetched) {
      ++counts_.fetched;
      current_ = std::make_shared<const Credential>(*std::move(fetched));
      failure_.reset();
      not_before_ = now + kPauseAfterSuccess;
      outcome = current_;
    } else {
      ++counts_.failed;
      Error error = std::move(fetched).error();
      error.kind = ErrorKind::upstream_auth;
      error.message =
          fmt::format("no credentials for the provider {} ({}): {}", provider_, name_, error.message);
      failure_ = std::move(error);
      not_before_ = now + kPauseAfterFailure;
      outcome = fail(*failure_);
    }
    woken.swap(waiting_);
  }
  // Callers tell of a failure that they met; of one that nobody waited for only the log can.
  if (!outcome && woken.empty()) {
    log_warn("credentials could not be renewed",
             {{"error", outcome.error().message}, {"detail", outcome.error().detail}});
  }
  for (const std::shared_ptr<Waiting>& waiting : woken) {
    waiting->outcome = outcome;
    waiting->core->post_remote([waiting] { waiting->wait.complete(); });
  }
}

}  // namespace weir
