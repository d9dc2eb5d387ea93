#include "base/secret.h"

#include <gtest/gtest.h>
#include <sstream>

namespace weir {
namespace {

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };

static_assert(!Streamable<Secret>, "a secret must not go to a stream");
static_assert(!fmt::is_formattable<Secret>::value, "a secret must not be formatted");
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, Secret>, "becoming a secret is said, not implied");

TEST(SecretText, IsRevealedOnlyWhenAskedFor) {
  const Secret secret = Secret::copy_of("sk-river");
  EXPECT_EQ(secret.reveal(), "sk-river");
  EXPECT_EQ(secret.size(), 8U);
  EXPECT_TRUE(Secret().empty());
  EXPECT_EQ(Secret().reveal(), "");
}

TEST(SecretText, TakesTheOnlyCopyOfAStringOver) {
  std::string text = "sk-short";  // short enough to live inside the string object
  const char* const bytes = text.data();
  const Secret secret(std::move(text));
  EXPECT_EQ(secret.reveal(), "sk-short");
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.InnerPointer): the bytes are inside `text`, which is still there
  EXPECT_EQ(std::string(bytes, 8), std::string(8, '\0'));
}

TEST(SecretText, ComparesByValue) {
  const Secret secret = Secret::copy_of("sk-river");
  EXPECT_TRUE(secret.matches("sk-river"));
  EXPECT_FALSE(secret.matches("sk-riveR"));
  EXPECT_FALSE(secret.matches("sk-rive"));
  EXPECT_TRUE(secret == Secret::copy_of("sk-river"));
  EXPECT_FALSE(secret == Secret::copy_of("sk-lake!"));
}

TEST(SecretText, CopiesAndMoves) {
  Secret first = Secret::copy_of("one");
  const Secret copy = first;
  const Secret moved = std::move(first);
  EXPECT_EQ(copy.reveal(), "one");
  EXPECT_EQ(moved.reveal(), "one");
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): moved-from is empty by contract
  first = copy;
  EXPECT_EQ(first.reveal(), "one");
}

TEST(SecretText, DoesNotShowInATestFailureEither) {
  EXPECT_EQ(testing::PrintToString(Secret::copy_of("sk-river-deep")).find("river"), std::string::npos);
}

}  // namespace
}  // namespace weir
