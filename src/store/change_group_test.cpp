#include "store/change_group.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>

namespace weir {
namespace {

struct ChangeGroupTest : testing::Test {
  // A change whose `done` writes down what it is told, and throws then if it is to.
  void add(std::string name, bool throws = false) {
    group.add({.statements = {}, .done = [this, name, throws](const Result<int64_t>& outcome) {
                 told.push_back(name + (outcome ? fmt::format(": {}", *outcome) : ": failed"));
                 if (throws) throw std::runtime_error("a bug");
               }});
  }
  void tell() {
    group.tell([this](const Result<int64_t>&) { ++noted; });
  }

  ChangeGroup group;
  std::vector<std::string> told;
  int noted = 0;
};

TEST_F(ChangeGroupTest, WhoIsToldAfterAFailureHearsThatItsChangeIsDurable) {
  add("a");
  add("b", true);
  add("c");
  group.settle({1, 2, 3});
  EXPECT_THROW(tell(), std::runtime_error);
  // As the writer that is started again does.
  group.fail_rest(make_error(ErrorKind::internal, "the store failed while it wrote"));
  tell();
  EXPECT_EQ(told, (std::vector<std::string>{"a: 1", "b: 2", "c: 3"})) << "each once";
  EXPECT_EQ(noted, 3);
  EXPECT_TRUE(group.empty());
}

TEST_F(ChangeGroupTest, WhatWasNotCommittedHasFailed) {
  add("a");
  add("b");
  group.fail_rest(make_error(ErrorKind::internal, "the store failed while it wrote"));
  tell();
  EXPECT_EQ(told, (std::vector<std::string>{"a: failed", "b: failed"}));
}

}  // namespace
}  // namespace weir
