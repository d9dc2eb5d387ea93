#include "app/file_text.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

#include "app/compile.h"
#include "app/config.h"
#include "base/limits.h"
#include "io/pool.h"
#include "provider/extract_target.h"

namespace weir {
namespace {

std::string test_path() {
  const std::string path = testing::TempDir() + "/weir_file_text_test." + std::to_string(getpid());
  std::filesystem::remove_all(path);
  return path;
}

TEST(FileText, GivesTheWholeOfAFile) {
  const std::string path = test_path();
  const std::string text(300'000, 'x');
  std::ofstream(path) << text;
  EXPECT_EQ(read_file_text(path).value(), text);
  std::ofstream(path, std::ios::trunc).flush();
  EXPECT_EQ(read_file_text(path).value(), "");
  std::filesystem::remove(path);
}

TEST(FileText, WhatIsNoFileIsAnErrorThatNamesIt) {
  EXPECT_EQ(read_file_text(testing::TempDir()).error().message,
            testing::TempDir() + ": cannot be read: Is a directory");
  EXPECT_EQ(read_file_text("/nonexistent/x").error().message,
            "/nonexistent/x: cannot be read: No such file or directory");
}

TEST(FileText, AFileWithoutEndIsNotReadToIt) {
  const Result<std::string> text = read_file_text("/dev/zero");
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().message.find("larger than"), std::string::npos) << text.error().message;
}

TEST(FileText, ADirectoryAsConfigurationOrAsAFileOfItIsAProblemOfItsLine) {
  EXPECT_EQ(read_config_file(testing::TempDir()).problems.size(), 1u);
  const Config config =
      parse_config("weir.yaml", "catalog: {prices: [/]}\nkeys:\n  - {name: k, file: /}\n").value();
  Pool pool("cpu", 1, 4);
  const Compilation made = try_compile(
      {.config = &config, .environment = {}, .extract = make_extract_target(pool), .previous = nullptr});
  ASSERT_EQ(made.problems.size(), 2u);
  EXPECT_NE(made.problems[0].message.find("/: cannot be read"), std::string::npos)
      << made.problems[0].message;
  EXPECT_NE(made.problems[1].message.find("line 3"), std::string::npos) << made.problems[1].message;
}

}  // namespace
}  // namespace weir
