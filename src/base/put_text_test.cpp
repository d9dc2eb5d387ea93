#include "base/put_text.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(PutText, CopiesTextsOfEveryLengthAndNothingBehindThem) {
  std::string text;
  for (size_t size = 0; size <= 70; ++size, text += static_cast<char>('a' + size % 26)) {
    std::string room(size + 2, '.');
    EXPECT_EQ(put_text(room.data() + 1, text), room.data() + 1 + size);
    EXPECT_EQ(room, "." + text + ".");
  }
}

}  // namespace
}  // namespace weir
