// What is particular about Task (base/task.h) needs a core to run on.
#include "base/task.h"

#include <gtest/gtest.h>

#include "io/test_core.h"

namespace weir {
namespace {

Task<std::string> ended(bool is_good) {
  if (!is_good) return fail(ErrorKind::bad_request, "no");
  return Result<std::string>("yes");
}

Task<std::string> add_to(bool is_good) {
  const std::string text = CO_TRY(co_await ended(is_good));
  co_return text + "!";
}

// TRY passes errors up from a function that is no coroutine, too.
Task<std::string> pass_on(Result<std::string> result) {
  return Result<std::string>(TRY(std::move(result)) + "?");
}

TEST(Task, MayHaveEndedBeforeItIsAwaited) {
  TestCore test;
  EXPECT_EQ(test.run(ended(true)), "yes");
  EXPECT_EQ(test.run(ended(false)).error().message, "no");
  EXPECT_EQ(test.run(add_to(true)), "yes!");
  EXPECT_EQ(test.run(add_to(false)).error().message, "no");
  EXPECT_EQ(test.run(pass_on("why")), "why?");
  EXPECT_EQ(test.run(pass_on(fail(ErrorKind::internal, "broken"))).error().message, "broken");
}

TEST(Task, KeepsItsResultWhenItIsMoved) {
  TestCore test;
  Task<std::string> first = ended(true);
  Task<std::string> second = std::move(first);
  first = add_to(true);
  EXPECT_EQ(test.run(std::move(first)), "yes!");
  EXPECT_EQ(test.run(std::move(second)), "yes");
}

}  // namespace
}  // namespace weir
