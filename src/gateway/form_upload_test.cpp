#include "gateway/form_upload.h"

#include <gtest/gtest.h>

#include "io/test_core.h"

namespace weir {
namespace {

constexpr std::string_view kModel = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n";
constexpr std::string_view kFile =
    "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
constexpr std::string_view kEnd = "\r\n--b--\r\n";

// What a client sends, in steps; counts what it was asked to hold.
class Sender final : public BodyReader {
 public:
  Sender(std::string body, size_t step) : body_(std::move(body)), step_(step) {}
  Task<std::string> read_all(Scope&, size_t) override { co_return fail(ErrorKind::internal, "not here"); }
  Task<size_t> read_some(Scope&, std::span<char> buffer) override {
    const std::string_view piece =
        std::string_view(body_).substr(taken, std::min({step_, buffer.size(), body_.size() - taken}));
    std::ranges::copy(piece, buffer.begin());
    taken += piece.size();
    co_return piece.size();
  }
  Result<void> hold(size_t bytes) override {
    held_max = std::max(held_max, bytes);
    if (bytes > budget) return fail(ErrorKind::overloaded, "no room");
    return {};
  }
  size_t taken = 0;
  size_t held_max = 0;
  size_t budget = SIZE_MAX;

 private:
  const std::string body_;
  const size_t step_;
};

struct FormUploadTest : testing::Test {
  void make(std::string body, size_t step = SIZE_MAX, bool has_length = true, std::string model = "") {
    FormUpload::Head head{.boundary = "b", .length = {}, .model = std::move(model), .bytes_max = 64 * kMiB};
    if (has_length) head.length = body.size();
    sender = std::make_unique<Sender>(std::move(body), step);
    form = std::make_unique<FormUpload>(*sender, std::move(head));
  }
  Result<void> open() { return test.run(form->open(scope)); }
  // All that is sent from the start on, or the error.
  std::string sent() {
    form->restart();
    std::string all;
    for (;;) {
      const Result<std::string_view> piece = test.run(form->read(scope));
      if (!piece) return "error: " + piece.error().message;
      if (piece->empty()) return all;
      EXPECT_LE(piece->size(), kStreamWindowBytes);
      all += *piece;
    }
  }
  static std::string form_of(std::initializer_list<std::string_view> parts) {
    std::string all;
    for (const std::string_view part : parts) {
      if (!all.empty()) all += "\r\n";
      all += part;
    }
    return all + std::string(kEnd);
  }

  TestCore test;
  Scope scope{test.core};
  std::unique_ptr<Sender> sender;
  std::unique_ptr<FormUpload> form;
};

std::string model_part(std::string_view model) {
  return std::string(kModel) + std::string(model);
}
std::string file_part(size_t size) {
  std::string content(size, 'x');
  for (size_t at = 0; at < size; at += 1009) content.replace(at, 4, "\r\n--", std::min<size_t>(4, size - at));
  return std::string(kFile) + content;
}

TEST_F(FormUploadTest, ExchangesTheModelAloneWhereverItStandsAndHoweverTheFormIsCut) {
  const auto with = [](std::string_view model) {
    return std::pair(form_of({model_part(model), file_part(300)}),
                     form_of({file_part(300), model_part(model)}));
  };
  const auto [first, last] = with("whisper-1");
  const auto [first_wanted, last_wanted] = with("openai/whisper");
  for (const auto& [body, wanted] : {std::pair(first, first_wanted), std::pair(last, last_wanted)}) {
    for (const size_t step : {size_t{1}, size_t{2}, size_t{7}, body.size()}) {
      for (const bool has_length : {true, false}) {
        make(body, step, has_length);
        ASSERT_TRUE(open());
        EXPECT_EQ(form->model(), "whisper-1");
        form->set_model("openai/whisper");
        const std::optional<uint64_t> size = form->size();
        EXPECT_TRUE(size.has_value() || !has_length);
        EXPECT_EQ(size.value_or(wanted.size()), wanted.size());
        EXPECT_EQ(sent(), wanted);
        EXPECT_TRUE(form->can_restart()) << "it fits a window";
        form->set_model("whisper-1");
        EXPECT_EQ(sent(), body) << "another attempt, with another name";
      }
    }
  }
}

TEST_F(FormUploadTest, ReadsNoMoreThanTheModelOfALargeFormBeforeItIsSent) {
  const std::string body = form_of({model_part("m"), file_part(8 * kMiB)});
  make(body);
  ASSERT_TRUE(open());
  EXPECT_LE(sender->taken, 64 * kKiB);
  EXPECT_FALSE(form->is_whole());
  form->set_model("longer");
  EXPECT_EQ(form->size(), body.size() + 5);
  EXPECT_EQ(sent(), form_of({model_part("longer"), file_part(8 * kMiB)}));
  EXPECT_FALSE(form->can_restart());
  EXPECT_LE(sender->held_max, kStreamWindowBytes);
}

TEST_F(FormUploadTest, CanBeSentAgainAsLongAsNoMoreThanAWindowWasRead) {
  make(form_of({model_part("m"), file_part(kMiB)}));
  ASSERT_TRUE(open());
  form->set_model("n");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(test.run(form->read(scope)));
  ASSERT_TRUE(form->can_restart());
  EXPECT_EQ(sent(), form_of({model_part("n"), file_part(kMiB)}));
}

TEST_F(FormUploadTest, HoldsWhatStandsBeforeTheModelUpToALimit) {
  make(form_of({file_part(8 * kMiB), model_part("m")}));
  ASSERT_TRUE(open());
  EXPECT_TRUE(form->can_restart());
  form->set_model("n");
  EXPECT_EQ(sent(), form_of({file_part(8 * kMiB), model_part("n")}));

  make(form_of({file_part(kFormHeldBytesMax + kMiB), model_part("m")}));
  const Result<void> refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::body_too_large);
  EXPECT_NE(refused.error().message.find("put the field `model` before the file"), std::string::npos);
  EXPECT_LE(sender->held_max, kFormHeldBytesMax + 2 * 64 * kKiB);
}

TEST_F(FormUploadTest, TakesTheModelThatIsNamedBesideTheForm) {
  make(form_of({file_part(8 * kMiB), model_part("inner")}), SIZE_MAX, true, "outer");
  ASSERT_TRUE(open());
  EXPECT_EQ(sender->taken, 0u) << "nothing has to be held";
  EXPECT_EQ(form->model(), "outer");
  EXPECT_FALSE(form->size()) << "how long the inner name is shows later";
  form->set_model("wire");
  EXPECT_EQ(sent(), form_of({file_part(8 * kMiB), model_part("wire")}));

  for (const size_t size : {size_t{10}, size_t{kMiB}}) {
    make(form_of({file_part(size)}), SIZE_MAX, true, "outer");
    ASSERT_TRUE(open());
    form->set_model("wire");
    EXPECT_EQ(sent(), form_of({file_part(size), model_part("wire")})) << "it had no such field";
  }
}

// The provider may read another one of two than the one that was checked.
TEST_F(FormUploadTest, RefusesASecondModelWhereverItComes) {
  for (const size_t size : {size_t{10}, size_t{kMiB}}) {
    for (const std::string& second :
         {model_part("other"),
          std::string("--b\r\nContent-Disposition: form-data; name=\"model[]\"\r\n\r\nother")}) {
      make(form_of({model_part("m"), file_part(size), second}));
      const Result<void> opened = open();
      const std::string told = opened ? sent() : "error: " + opened.error().message;
      EXPECT_EQ(told, "error: model is one field of text, given once") << size;
    }
  }
}

TEST_F(FormUploadTest, RefusesAFormWithoutANameForItsModel) {
  const std::string as_file =
      "--b\r\nContent-Disposition: form-data; name=\"model\"; filename=\"m\"\r\n\r\nm";
  for (const std::string& body :
       {form_of({file_part(10)}), form_of({model_part("")}), form_of({model_part("a b")}),
        form_of({model_part(std::string(257, 'm'))}), form_of({as_file}),
        form_of({"--b\r\nContent-Disposition: form-data; name=\"model[]\"\r\n\r\nm"})}) {
    make(body);
    const Result<void> refused = open();
    ASSERT_FALSE(refused) << body;
    EXPECT_EQ(refused.error().kind, ErrorKind::bad_request);
    EXPECT_EQ(refused.error().path, "model");
  }
}

TEST_F(FormUploadTest, EndsWithTheErrorOfABrokenForm) {
  make("--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b");
  EXPECT_FALSE(open()) << "small enough to be read whole";
  make(form_of({model_part("m"), file_part(kMiB)}) + "more");
  ASSERT_TRUE(open());
  EXPECT_EQ(sent(), "error: the form cannot be read: there is something after its end");
}

TEST_F(FormUploadTest, IsBoundByTheSizeOfABodyAndTheBudgetOfAll) {
  make(form_of({model_part("m"), file_part(65 * kMiB)}));
  EXPECT_EQ(open().error().kind, ErrorKind::body_too_large);
  EXPECT_EQ(sender->taken, 0u) << "the length says it";
  make(form_of({model_part("m"), file_part(65 * kMiB)}), SIZE_MAX, false);
  ASSERT_TRUE(open());
  EXPECT_EQ(sent(), "error: the form is larger than 67108864 bytes");
  make(form_of({file_part(8 * kMiB), model_part("m")}));
  sender->budget = kMiB;
  EXPECT_EQ(open().error().kind, ErrorKind::overloaded);
}

}  // namespace
}  // namespace weir
