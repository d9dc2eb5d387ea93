// A whole Weir in this process, reloaded while clients are served.
#include "app/server.h"

#include <filesystem>
#include <fmt/ranges.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

#include "app/file_text.h"
#include "app/loadgen.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

namespace weir {
namespace {

constexpr std::string_view kKey = "wk_server_test";
constexpr double kSwapMsMax = 10;  // of one core, with 10,000 models and keys

std::string data_dir() {
  return testing::TempDir() + fmt::format("server_test.{}.data", getpid());
}

std::string base_yaml() {
  return fmt::format(
      "server: {{listen: \"127.0.0.1:0\", admin_listen: \"127.0.0.1:0\", threads: 2, access_log: \"off\", "
      "data_dir: \"{}\"}}\n"
      "keys:\n  - {{name: operator, hash: \"{}\", admin: true}}\n",
      data_dir(), to_string(hash_api_key(kKey)));
}

std::string yaml_with_models_and_keys(int count) {
  std::string yaml = base_yaml();
  for (int i = 0; i < count; ++i) yaml += fmt::format("  - {{name: k{}, hash: \"sha256:{:064x}\"}}\n", i, i);
  yaml += "routes:\n";
  for (int i = 0; i < count; ++i) {
    yaml += fmt::format("  - {{model: model-{}, targets: [{{provider: weir, model: extract}}]}}\n", i);
  }
  return yaml;
}

class RunningServer : public testing::Test {
 protected:
  void SetUp() override {
    write(base_yaml());
    server_ = std::make_unique<Server>(load_config(path_).value(), path_);
    server_->set_on_reload([this](const Config& now) { told_ = now.server; });
    const Result<void> started = server_->start();
    ASSERT_TRUE(started) << started.error().message;
  }
  void TearDown() override {
    server_->stop();
    unlink(path_.c_str());
    std::filesystem::remove_all(data_dir());
  }

  void write(const std::string& yaml) const { std::ofstream(path_) << yaml; }

  JsonDoc reload() {
    Result<std::string> told = server_->reload();
    EXPECT_TRUE(told) << told.error().message;
    return JsonDoc::parse(std::move(told).value_or("{}")).value();
  }

  static std::string request(std::string_view method, std::string_view target, std::string_view body) {
    return fmt::format(
        "{} {} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n"
        "content-length: {}\r\n\r\n{}",
        method, target, kKey, body.size(), body);
  }
  static std::string ask(std::string_view model, bool is_stream) {
    return request("POST", "/v1/chat/completions",
                   fmt::format(R"({{"model":"{}","stream":{},"messages":[{{"role":"user","content":)"
                               R"("Sum this up: A weir regulates a river. It is a low dam."}}]}})",
                               model, is_stream));
  }
  static LoadReport run(const std::string& url, std::string request, uint64_t count, bool is_stream = false) {
    LoadPlan plan;
    plan.address = resolve_load_address(parse_url(url)->origin).value();
    if (request.starts_with("GET")) plan.method = "GET";
    plan.request = std::move(request);
    plan.connections_max = 4;
    plan.requests_max = count;
    plan.is_stream = is_stream;
    return run_load(plan).value();
  }
  bool metrics_say(std::string_view line) const {
    return server_->metrics().prometheus_text().find(line) != std::string::npos;
  }

  const std::string path_ = testing::TempDir() + "server_test." + std::to_string(getpid()) + ".yaml";
  std::unique_ptr<Server> server_;
  ServerSettings told_;
};

std::string errors_of(const LoadReport& report) {
  std::string out;
  for (const auto& [kind, count] : report.errors) out += fmt::format("{} x {}; ", count, kind);
  return out;
}

TEST_F(RunningServer, ReloadsTenThousandModelsAndKeysWhileNoRequestFailsAndNoStreamDrops) {
  std::atomic<bool> is_over = false;
  struct Load {
    uint64_t asked = 0;
    uint64_t completed = 0;
    std::string errors;
  };
  // Until the last reload is over, so that all of them fall into it.
  const auto keep_on = [&](Load& load, const std::string& url, const std::string& request, bool is_stream) {
    for (constexpr uint64_t kCount = 20; !is_over; load.asked += kCount) {
      const LoadReport report = run(url, request, kCount, is_stream);
      load.completed += report.completed;
      load.errors += errors_of(report);
    }
  };
  Load whole;
  Load streams;
  Load scrapes;
  std::thread asking([&] { keep_on(whole, server_->url(), ask("weir/extract", false), false); });
  std::thread streaming([&] { keep_on(streams, server_->url(), ask("weir/extract", true), true); });
  // A scrape reads the newest snapshot, and must not wait for the reload that waits for its core.
  std::thread scraping(
      [&] { keep_on(scrapes, server_->admin_url(), request("GET", "/metrics", ""), false); });
  write(yaml_with_models_and_keys(10'000));
  for (uint64_t round = 2; round <= 4; ++round) {
    const JsonDoc told = reload();
    EXPECT_EQ(told.root()["generation"].int_or(0), static_cast<int64_t>(round));
    const double swap_ms = told.root()["swap_ms_slowest_core"].double_or(1e9);
    std::printf("10,000 models and keys: read and compiled in %.0f ms, swapped in %.4f ms (bar %.0f)\n",
                told.root()["compile_ms"].double_or(0), swap_ms, kSwapMsMax);
    EXPECT_LE(swap_ms, kSwapMsMax);
  }
  is_over = true;
  asking.join();
  streaming.join();
  scraping.join();
  for (const Load* load : {&whole, &streams, &scrapes}) {
    EXPECT_GT(load->asked, 0u) << "the reloads were over before it began";
    EXPECT_EQ(load->completed, load->asked) << load->errors;
  }
  EXPECT_EQ(run(server_->url(), ask("model-9999", false), 1).completed, 1u) << "what is new is served";
  EXPECT_TRUE(metrics_say("weir_config_reload_seconds_count 3"));
  EXPECT_TRUE(metrics_say("weir_config_reload_failures_total 0"));
}

TEST_F(RunningServer, ABadFileChangesNothingAndIsCounted) {
  write(base_yaml() + "routes: [{model: lost, targets: [{provider: nobody}]}]\n");
  Result<std::string> told = server_->reload();
  ASSERT_FALSE(told);
  EXPECT_NE(told.error().message.find("there is no provider nobody"), std::string::npos);
  write("keys: [");
  EXPECT_FALSE(server_->reload());
  unlink(path_.c_str());
  EXPECT_FALSE(server_->reload());
  EXPECT_TRUE(metrics_say("weir_config_reload_failures_total 3"));
  EXPECT_EQ(run(server_->url(), ask("weir/extract", false), 1).completed, 1u) << "the key still counts";
  write(base_yaml());
  EXPECT_EQ(reload().root()["generation"].int_or(0), 2) << "no generation was spent on them";
}

TEST_F(RunningServer, AReloadSaysWhichChangesWaitForANewStart) {
  std::string yaml = base_yaml();
  EXPECT_EQ(reload().root()["restart_needed"].size(), 0u);
  yaml.replace(yaml.find("threads: 2"), 10, "threads: 3, log_level: warn");
  write(yaml + "telemetry: {service_name: other}\n");
  for (int round = 0; round < 2; ++round) {
    const JsonDoc told = reload();
    ASSERT_EQ(told.root()["restart_needed"].size(), 2u) << "each time, until the new start";
    EXPECT_EQ(told.root()["restart_needed"].at(0).string_or(""), "server.threads");
    EXPECT_EQ(told.root()["restart_needed"].at(1).string_or(""), "telemetry.service_name");
  }
  EXPECT_EQ(told_.threads, 2) << "what is in effect is told";
  EXPECT_EQ(told_.log_level, "warn");
}

TEST_F(RunningServer, HashesUsersByAKeyOfItsMasterKeyAndMakesNoneOtherwise) {
  const std::filesystem::path folder = testing::TempDir() + "server_test.data." + std::to_string(getpid());
  Config config = load_config(path_).value();
  config.server.data_dir = folder.string();
  ASSERT_TRUE(Server(config, path_).start());
  EXPECT_FALSE(std::filesystem::exists(folder / "master.key"));
  config.translation.hash_user = true;
  ASSERT_TRUE(Server(config, path_).start());
  EXPECT_EQ(std::filesystem::file_size(folder / "master.key"), kMasterKeyBytes);
  std::filesystem::resize_file(folder / "master.key", 7);
  const Result<void> started = Server(config, path_).start();
  ASSERT_FALSE(started) << "ids would be hashed by no key, or by another one";
  EXPECT_NE(started.error().message.find("translation.hash_user"), std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST_F(RunningServer, OneServerAtATimeHasADataDirectory) {
  {
    Server second(load_config(path_).value(), path_);
    const Result<void> started = second.start();
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message, testing::HasSubstr(fmt::format("(process {})", getpid())));
  }
  server_->stop();
  Server next(load_config(path_).value(), path_);
  EXPECT_TRUE(next.start()) << "the first has ended";
}

TEST_F(RunningServer, WhatWaitsForANewStartIsLogged) {
  class Sink final : public LogSink {
   public:
    bool write(std::string_view lines) override {
      text += lines;
      return true;
    }
    std::string text;
  } sink;
  {
    Logger logger(sink, SystemClock::instance(), {});
    set_process_logger(&logger);
    std::string yaml = base_yaml();
    yaml.replace(yaml.find("threads: 2"), 10, "threads: 3");
    yaml.replace(yaml.find(data_dir()), data_dir().size(), "/elsewhere");
    write(yaml);
    reload();
    set_process_logger(nullptr);
  }
  EXPECT_NE(sink.text.find("server.data_dir, server.threads"), std::string::npos) << sink.text;
}

TEST_F(RunningServer, TheFilesOfARefusedConfigurationAreNamedUntilOneIsTaken) {
  const auto names = [this](std::string_view file) {
    const std::vector<std::string> files = server_->named_files();
    return std::ranges::find(files, file) != files.end();
  };
  for (const char* more : {"  - {name: late, file: /no/such/key}\n",
                           "  - {name: late, file: /no/such/key}\n  - {nmae: mistyped}\n"}) {
    write(base_yaml() + more);
    EXPECT_FALSE(server_->reload());
    EXPECT_TRUE(names("/no/such/key")) << more;
  }
  write(base_yaml());
  reload();
  EXPECT_FALSE(names("/no/such/key"));
}

TEST_F(RunningServer, APortThatIsTakenIsAnError) {
  Config config = load_config(path_).value();
  config.server.data_dir = data_dir() + "/second";
  config.server.listen =
      parse_url(server_->url())->origin.host + ":" + std::to_string(parse_url(server_->url())->origin.port);
  Server second(std::move(config), path_);
  EXPECT_FALSE(second.start());
}

// With everything on that has metrics of its own.
TEST(Docs, EveryMetricFamilyHasItsRow) {
  const std::string access_log = testing::TempDir() + fmt::format("server_test.{}.access.log", getpid());
  const std::string yaml = fmt::format(
      "server: {{listen: \"127.0.0.1:0\", admin_listen: \"127.0.0.1:0\", threads: 1, access_log: \"{}\", "
      "data_dir: \"{}\"}}\n"
      "telemetry: {{otlp_endpoint: \"http://127.0.0.1:1/v1/traces\", gen_ai_latest: true}}\n",
      access_log, data_dir());
  Server server(parse_config("weir.yaml", yaml).value(), "");
  const Result<void> started = server.start();
  ASSERT_TRUE(started) << started.error().message;
  const std::string page = read_file_text("docs/operations.md").value();
  const std::vector<MetricSnapshot> families = server.metrics().families();
  for (const MetricSnapshot& family : families) {
    const std::string row = fmt::format("| `{}` | {} | {} |", family.name, to_string(family.type),
                                        fmt::join(family.label_names, ", "));
    EXPECT_NE(page.find("\n" + row), std::string::npos) << row << " is not in docs/operations.md";
  }
  size_t rows_on_page = 0;
  for (const std::string_view line : split(page, '\n')) {
    if (line.starts_with("| `weir_") || line.starts_with("| `gen_ai_")) ++rows_on_page;
  }
  EXPECT_EQ(rows_on_page, families.size()) << "the page has rows of no metric";
  server.stop();
  unlink(access_log.c_str());
  std::filesystem::remove_all(data_dir());
}

}  // namespace
}  // namespace weir
