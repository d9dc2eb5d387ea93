#include "base/error.h"

#include <gtest/gtest.h>
#include <set>

#include "base/result.h"

namespace weir {
namespace {

TEST(ErrorTable, EveryKindHasANameOfItsOwnAndAnErrorStatus) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kErrorKindCount; ++i) {
    const ErrorRow& row = error_row(static_cast<ErrorKind>(i));
    EXPECT_GE(row.http_status, 400) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
  }
}

TEST(ErrorTable, OnlyTheProvidersFaultsTripABreaker) {
  for (size_t i = 0; i < kErrorKindCount; ++i) {
    const ErrorRow& row = error_row(static_cast<ErrorKind>(i));
    if (row.trips_breaker) EXPECT_EQ(row.blame, Blame::provider) << row.name;
  }
}

Result<int> half(int number) {
  if (number % 2 != 0) return fail(ErrorKind::bad_request, "odd", "number");
  return number / 2;
}

Result<int> quarter(int number) {
  const int once = TRY(half(number));
  return half(once);
}

TEST(Try, GivesTheValueOrReturnsTheError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(7).error().path, "number");
  EXPECT_EQ(quarter(6).error().kind, ErrorKind::bad_request);
}

}  // namespace
}  // namespace weir
