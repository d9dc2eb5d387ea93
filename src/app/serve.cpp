#include "app/serve.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sys/resource.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "app/config_watch.h"
#include "app/file_text.h"
#include "app/server.h"
#include "base/json.h"
#include "base/log.h"

namespace weir {
namespace {

constexpr Duration kConfigWatchPause = std::chrono::milliseconds(500);

int complain(const Error& error) {
  std::fprintf(stderr, "weir: %s\n", error.message.c_str());
  return 1;
}

// Sockets are files: every proxied stream takes two.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The file that says where requests are served, there while they are.
class ReadyFile {
 public:
  // An empty path: none is wanted. What another run has left is removed.
  explicit ReadyFile(std::string path) : path_(std::move(path)) {
    if (!path_.empty()) unlink(path_.c_str());
  }
  ~ReadyFile() { remove(); }
  ReadyFile(const ReadyFile&) = delete;
  ReadyFile& operator=(const ReadyFile&) = delete;

  Result<void> write(const Server& server) {
    if (path_.empty()) return {};
    JsonWriter json(text_);
    json.begin_object().key("url").value(server.url()).key("admin_url").value(server.admin_url());
    json.key("pid").value(static_cast<int64_t>(getpid())).end_object();
    text_ += "\n";
    // Written aside and renamed: whoever waits for the file finds it whole.
    const std::string aside = path_ + ".new";
    std::ofstream out(aside);
    out << text_;
    out.close();
    if (out && std::rename(aside.c_str(), path_.c_str()) == 0) return {};
    const int why = errno;
    unlink(aside.c_str());
    return fail(ErrorKind::bad_request, fmt::format("the ready file {} cannot be written: {}", path_,
                                                    std::generic_category().message(why)));
  }

  // A server that has taken this one's place meanwhile keeps its own.
  void remove() {
    if (text_.empty()) return;
    if (const Result<std::string> now = read_file_text(path_); now && *now == text_) unlink(path_.c_str());
    text_.clear();
  }

 private:
  const std::string path_;
  std::string text_;  // as written; empty: not yet
};

void reload(Server& server) {
  if (Result<std::string> reloaded = server.reload(); !reloaded) {
    log_error("the configuration was not reloaded: nothing has changed",
              {{"error", reloaded.error().message}});
  }
}

// Serves until SIGTERM or SIGINT; SIGHUP and a changed file, of the configuration or one that it names,
// reload.
void run_until_stopped(Server& server, const std::string& config_path, const sigset_t& signals) {
  ConfigWatch watch([&] {
    std::vector<std::string> files = server.named_files();
    files.push_back(config_path);
    return files;
  });
  std::unique_ptr<Worker> watcher;
  if (!config_path.empty()) {
    watcher = server.workers().start("config_watch", [&](const std::stop_token& stop) -> Result<void> {
      while (pause(stop, kConfigWatchPause)) {
        // Looked at again at once: what the new configuration names is known before it changes.
        while (watch.has_changed()) reload(server);
      }
      return {};
    });
  }
  for (;;) {
    const int signal = sigwaitinfo(&signals, nullptr);
    if (signal == SIGTERM || signal == SIGINT) return;
    if (signal == SIGHUP) reload(server);
  }
}

// Whoever asks for the end again does not wait for it: the second SIGTERM or SIGINT cancels what is in
// flight.
void stop_or_hurry(Server& server, const sigset_t& signals) {
  constexpr timespec kLook{.tv_sec = 0, .tv_nsec = 50'000'000};
  const std::jthread second([&](const std::stop_token& is_over) {
    while (!is_over.stop_requested()) {
      const int signal = sigtimedwait(&signals, nullptr, &kLook);
      if (signal != SIGTERM && signal != SIGINT) continue;
      log_warn("stopping at once: what is in flight is cancelled");
      server.hurry();
      return;
    }
  });
  server.stop();
}

}  // namespace

int serve_command(const ServeOptions& options) {
  // Signals are taken by this thread alone; the others inherit the mask.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  raise_file_limit();

  Result<Config> config = load_config(options.config);
  if (!config) return complain(config.error());
  if (!options.listen.empty()) config->server.listen = options.listen;
  if (!options.admin_listen.empty()) config->server.admin_listen = options.admin_listen;
  if (!options.data_dir.empty()) config->server.data_dir = options.data_dir;

  FdLogSink sink(STDERR_FILENO);
  Logger logger(sink, SystemClock::instance(),
                {.level = parse_log_level(config->server.log_level).value_or(LogLevel::info),
                 .format = isatty(STDERR_FILENO) ? LogFormat::text : LogFormat::json});
  set_process_logger(&logger);
  int status = 0;
  ReadyFile ready_file(options.ready_file);
  {
    Server server(std::move(*config), options.config);
    const MetricCallback dropped_lines = logger.expose(server.metrics(), "process");
    server.set_on_reload([&logger](const Config& now) {
      logger.set_level(parse_log_level(now.server.log_level).value_or(LogLevel::info));
    });
    if (Result<void> started = server.start(); !started) {
      status = complain(started.error());
    } else if (Result<void> told = ready_file.write(server); !told) {
      status = complain(told.error());
    } else {
      log_info("serving", {{"url", server.url()}, {"admin_url", server.admin_url()}});
      run_until_stopped(server, options.config, signals);
      ready_file.remove();
      log_info("stopping: draining requests in flight");
    }
    stop_or_hurry(server, signals);
  }
  set_process_logger(nullptr);
  return status;
}

}  // namespace weir
