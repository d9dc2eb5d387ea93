#include "io/multipart.h"

#include <gtest/gtest.h>
#include <vector>

namespace weir {
namespace {

struct Taken {
  std::string bytes;                                        // all pieces together
  std::vector<std::pair<std::string, std::string>> fields;  // name and content; a file's name has a '*'
  std::string error;
};

Taken take(std::string_view body, size_t step, std::string_view boundary = "b") {
  MultipartReader reader(boundary);
  Taken taken;
  for (size_t at = 0; at < body.size(); at += step) {
    const std::string fed(body.substr(at, step));  // memory of its own, so that a view of it too long shows
    std::string_view rest = fed;
    for (;;) {
      const auto piece = reader.next(rest);
      if (!piece) return taken.error = piece.error().message, taken;
      if (!*piece) break;
      taken.bytes += (*piece)->bytes;
      if ((*piece)->kind == MultipartReader::PieceKind::head)
        taken.fields.emplace_back(reader.part().name + (reader.part().is_file ? "*" : ""), "");
      if ((*piece)->kind == MultipartReader::PieceKind::data) taken.fields.back().second += (*piece)->bytes;
    }
  }
  if (const auto finished = reader.finish(); !finished) taken.error = finished.error().message;
  return taken;
}

std::string form(std::string_view head) {
  return "--b\r\n" + std::string(head) + "\r\n\r\nx\r\n--b--\r\n";
}

TEST(Multipart, TakesAFormApartHoweverItIsCut) {
  using namespace std::string_literals;  // for the NUL
  const std::string whole =
      "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n"
      "--b\r\ncontent-disposition:form-data;name=file; filename=\"a;b.wav\"\r\nContent-Type: audio/wav\r\n"
      "Content-Transfer-Encoding: binary\r\n\r\n"
      "\r\n\r\r\n-\r\n--\r\n--a--b\r\n--B\0\xff\r\n"
      "--b\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--b--\r\n"s;
  for (size_t step = 1; step <= whole.size(); ++step) {
    const Taken taken = take(whole, step);
    ASSERT_EQ(taken.error, "") << step;
    EXPECT_EQ(taken.bytes, whole);
    ASSERT_EQ(taken.fields.size(), 3u);
    EXPECT_EQ(taken.fields[0], std::pair(std::string("model"), std::string("whisper-1")));
    EXPECT_EQ(taken.fields[1].first, "file*");
    EXPECT_TRUE(taken.fields[1].second.starts_with("\r\n\r\r\n-\r\n--\r\n--a--b\r\n--B"));
    EXPECT_EQ(taken.fields[2], std::pair(std::string("empty"), std::string()));
  }
}

TEST(Multipart, TakesAFormWithoutALastLineEnd) {
  EXPECT_EQ(take("--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b--", 3).error, "");
}

// What one parser of a chain takes for content another could take for a field.
TEST(Multipart, RefusesWhatParsersReadInSeveralWays) {
  const std::string name = "Content-Disposition: form-data; name=\"a\"";
  ASSERT_EQ(take(form(name), 1).error, "");
  const std::vector<std::string> bodies = {
      "preamble\r\n" + form(name),
      "\r\n" + form(name),
      form(name) + "--b\r\n",
      form(name) + "x",
      "--b \r\n" + name + "\r\n\r\nx\r\n--b--\r\n",
      "--b\n" + name + "\n\nx\n--b--\n",
      "--b\r\n" + name + "\r\n\r\nx\r\n--bc\r\n--b--\r\n",
      "--b\r\n" + name + "\r\n\r\nx\r\n--b-\r\n--b--\r\n",
      "--b--\r\n",
      "--b\r\n\r\nx\r\n--b--\r\n",
      form("Content-Type: text/plain"),
      form(name + "\r\n" + name),
      form(name + "\r\n folded: 1"),
      form(name + "\r\nno colon"),
      form(name + "\r\nX : y"),
      form(name + "\r\nX: y\nZ: z"),
      form(name + "\r\nX: y\rZ"),
      form(name + "\r\nContent-Transfer-Encoding: quoted-printable"),
      form(name + "; name=\"b\""),
      form(name + "; name*=utf-8''b"),
      form(name + "; filename=\"x\\\"; name=\\\"y\""),
      form(name + "; filename=\"x\\\""),
      form(name + "; filename=\"x"),
      form(name + "; filename"),
      form(name + "; =x"),
      form(name + " filename=x"),
      form("Content-Disposition: form-data; name=\"a\\b\""),
      form("Content-Disposition: form-data; name="),
      form("Content-Disposition: form-data"),
      form("Content-Disposition: attachment; name=\"a\""),
  };
  for (const std::string& body : bodies) {
    const Taken taken = take(body, body.size());
    EXPECT_NE(taken.error, "") << body;
    EXPECT_EQ(take(body, 1).error, taken.error) << body;
  }
}

TEST(Multipart, RefusesAFormThatIsCutOff) {
  const std::string body = form("Content-Disposition: form-data; name=\"a\"");
  for (size_t size = 0; size < body.size() - 2; ++size)
    EXPECT_NE(take(std::string_view(body).substr(0, size), 7).error, "") << size;
}

TEST(Multipart, BoundsThePartsAndTheirHeads) {
  const std::string part = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n";
  std::string body;
  for (size_t i = 0; i < kFormPartsMax; ++i) body += part;
  EXPECT_EQ(take(body + "--b--\r\n", 1000).error, "");
  EXPECT_NE(take(body + part + "--b--\r\n", 1000).error.find("parts"), std::string::npos);
  EXPECT_NE(take("--b\r\nX: " + std::string(kFormPartHeadBytesMax, 'y'), 1000).error.find("too long"),
            std::string::npos);
}

TEST(Multipart, ReadsTheBoundaryOfAContentType) {
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=abc").value(), "abc");
  EXPECT_EQ(multipart_boundary("Multipart/Form-Data;charset=utf-8; Boundary=\"a/b=c\" ").value(), "a/b=c");
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=----WebKitFormBoundary7MA4").value(),
            "----WebKitFormBoundary7MA4");
  for (const std::string& wrong :
       {std::string("multipart/form-data"), std::string("multipart/form-data; boundary="),
        std::string("multipart/form-data; boundary=a; boundary=b"),
        std::string("multipart/form-data; boundary=\"a"),
        std::string("multipart/form-data; boundary=\"a b\""),
        std::string("multipart/form-data; boundary=\"a\\\"\""),
        "multipart/form-data; boundary=" + std::string(71, 'a')})
    EXPECT_EQ(multipart_boundary(wrong).error().kind, ErrorKind::bad_request) << wrong;
  EXPECT_EQ(multipart_boundary("multipart/mixed; boundary=a").error().kind,
            ErrorKind::unsupported_media_type);
  EXPECT_EQ(multipart_content_type("abc"), "multipart/form-data; boundary=abc");
  EXPECT_EQ(multipart_content_type("a/b"), "multipart/form-data; boundary=\"a/b\"");
}

}  // namespace
}  // namespace weir
