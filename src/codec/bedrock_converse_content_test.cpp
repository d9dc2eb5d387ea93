#include "codec/bedrock_converse_content.h"

#include <array>
#include <gtest/gtest.h>

namespace weir {
namespace {

struct FormatCase {
  std::string_view kind;
  std::string_view format;
  std::string_view mime;
};

// Both ways: the word that a body has, and the type that the rest of Weir speaks of.
TEST(ConverseContent, KnowsTheTypeOfEveryFormat) {
  constexpr std::array<FormatCase, 26> kBothWays = {{
      {"image", "png", "image/png"},
      {"image", "jpeg", "image/jpeg"},
      {"image", "gif", "image/gif"},
      {"image", "webp", "image/webp"},
      {"document", "pdf", "application/pdf"},
      {"document", "txt", "text/plain"},
      {"document", "md", "text/markdown"},
      {"document", "csv", "text/csv"},
      {"document", "html", "text/html"},
      {"document", "doc", "application/msword"},
      {"document", "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
      {"document", "xls", "application/vnd.ms-excel"},
      {"document", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
      {"video", "mp4", "video/mp4"},
      {"video", "mov", "video/quicktime"},
      {"video", "mkv", "video/x-matroska"},
      {"video", "webm", "video/webm"},
      {"video", "flv", "video/x-flv"},
      {"video", "mpeg", "video/mpeg"},
      {"video", "wmv", "video/x-ms-wmv"},
      {"video", "three_gp", "video/3gpp"},
      {"audio", "mp3", "audio/mpeg"},
      {"audio", "wav", "audio/wav"},
      {"audio", "flac", "audio/flac"},
      {"audio", "ogg", "audio/ogg"},
      {"audio", "m4a", "audio/mp4"},
  }};
  for (const auto& [kind, format, mime] : kBothWays) {
    EXPECT_EQ(converse_media_type(kind, format), mime);
    EXPECT_EQ(converse_format(kind, mime), format);
  }
  EXPECT_EQ(converse_media_type("video", "mpg"), "video/mpeg");
  EXPECT_EQ(converse_format("image", "image/jpg"), "jpeg");
}

TEST(ConverseContent, KnowsAFormatOfItsOwnKindOnly) {
  EXPECT_EQ(converse_media_type("document", "png"), "");
  EXPECT_EQ(converse_media_type("image", "tiff"), "");
  EXPECT_EQ(converse_format("image", "application/pdf"), "");
  EXPECT_EQ(converse_format("audio", "video/mp4"), "");
}

}  // namespace
}  // namespace weir
