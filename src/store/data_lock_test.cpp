#include "store/data_lock.h"

#include <filesystem>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weir {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class DataLockTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(directory_); }
  const std::string directory_ = testing::TempDir() + fmt::format("weir_data_lock_{}/data", getpid());
};

TEST_F(DataLockTest, TheSecondIsToldWhoHasTheDirectoryAndWhatToDo) {
  Result<DataLock> first = DataLock::take(directory_);
  ASSERT_TRUE(first) << first.error().message;
  const Result<DataLock> second = DataLock::take(directory_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::bad_request);
  EXPECT_THAT(second.error().message, AllOf(HasSubstr(fmt::format("(process {})", getpid())),
                                            HasSubstr(directory_), HasSubstr("--data-dir")));
  first->release();
  EXPECT_TRUE(DataLock::take(directory_)) << "it was given back";
}

TEST_F(DataLockTest, GoesWithAProcessThatIsKilled) {
  std::array<int, 2> ready{};
  ASSERT_EQ(pipe(ready.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    const Result<DataLock> taken = DataLock::take(directory_);
    const char byte = taken ? 'y' : 'n';
    _exit(write(ready[1], &byte, 1) == 1 ? pause() : 1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  EXPECT_THAT(DataLock::take(directory_).error().message, HasSubstr(fmt::format("(process {})", child)));
  ASSERT_EQ(kill(child, SIGKILL), 0);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(DataLock::take(directory_));
  close(ready[0]);
  close(ready[1]);
}

TEST_F(DataLockTest, IsTheOwnersAlone) {
  const Result<DataLock> lock = DataLock::take(directory_);
  ASSERT_TRUE(lock);
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(directory_).permissions(), perms::owner_all);
  EXPECT_EQ(std::filesystem::status(directory_ + "/weir.lock").permissions(),
            perms::owner_read | perms::owner_write);
}

TEST_F(DataLockTest, SaysWhyADirectoryCannotBeHad) {
  const Result<DataLock> lock = DataLock::take("/dev/null/data");
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().message, HasSubstr("Not a directory"));
}

}  // namespace
}  // namespace weir
