#include "api/responses.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "gateway/stored_responses.h"
#include "gateway/test_kept.h"
#include "io/test_core.h"

namespace weir {
namespace {

class SentResponse final : public ResponseWriter {
 public:
  Task<void> send(Scope&, int sent_status, const Headers&, std::string_view sent_body) override {
    status = sent_status;
    body = sent_body;
    co_return {};
  }
  Task<void> start(Scope&, int, const Headers&) override { co_return {}; }
  Task<void> write(Scope&, std::string_view) override { co_return {}; }
  Task<void> finish(Scope&, std::string_view) override { co_return {}; }
  bool is_started() const override { return status != 0; }
  uint64_t bytes_taken() const override { return body.size(); }

  int status = 0;
  std::string body;
};

class ResponsesTest : public testing::Test {
 protected:
  ResponsesTest() {
    responses_.keep(ann_, "resp_1",
                    R"({"provider":"p","is_raw":false,"input":[{"role":"user","content":"a"},)"
                    R"({"type":"function_call_output","id":"fo_1","output":"b"}],)"
                    R"("response":{"id":"resp_1","temperature":1.0}})");
  }

  static Task<void> ask(Core& core, Pool& cpu, KeptTexts& responses, const Principal& caller,
                        std::string rest, const HttpRequest& request, DeleteCopy copies, SentResponse& sent) {
    Scope scope(core);
    if (request.method == "DELETE")
      co_return co_await delete_stored_response(scope, cpu, responses, caller, std::move(rest), copies, sent,
                                                Headers());
    if (request.method == "POST")
      co_return co_await refuse_to_cancel(scope, responses, caller, std::move(rest));
    StoredPart part = StoredPart::response;
    if (rest.ends_with("/input_items")) {
      part = StoredPart::input_items;
      rest.resize(rest.find('/'));
    }
    co_return co_await send_stored_response(scope, cpu, responses, caller, std::move(rest), part, request,
                                            sent, Headers());
  }
  // The body; for a failure its kind.
  std::string call(std::string method, std::string rest, const Principal& caller, std::string query = "") {
    HttpRequest request;
    request.method = std::move(method);
    request.target = "/v1/responses/" + rest + query;
    SentResponse sent;
    const Result<void> done =
        test_.run(ask(test_.core, cpu_, responses_, caller, std::move(rest), request, copies(), sent));
    return done ? sent.body : std::string(to_string(done.error().kind));
  }

  // The provider's half: notes what is deleted there, and answers what the test says.
  DeleteCopy copies() {
    return [this](std::string provider, std::string id) {
      deleted_there_.push_back(provider + '/' + id);
      return answer(provider_says_);
    };
  }
  static Task<bool> answer(Result<bool> says) { co_return says; }

  std::vector<std::string> deleted_there_;
  Result<bool> provider_says_ = true;
  TestCore test_;
  MetricsRegistry metrics_;
  Pool cpu_{"cpu", 1, 4};
  KeptTexts responses_{"response", small_limits(), nullptr, test_.clock, metrics_};
  const Principal ann_{.tenant = "t", .key_id = "ann", .key_name = {}, .models = {}};
  const Principal bob_{.tenant = "t", .key_id = "bob", .key_name = {}, .models = {}};
};

TEST_F(ResponsesTest, AStoredResponseComesBackAsItWas) {
  EXPECT_EQ(call("GET", "resp_1", ann_), R"({"id":"resp_1","temperature":1.0})");
  EXPECT_EQ(call("GET", "resp_2", ann_), "not_found");
  EXPECT_EQ(call("GET", "resp_1", bob_), "not_found");
}

TEST_F(ResponsesTest, ItsItemsComeInPagesTheNewestFirst) {
  const auto list = JsonDoc::parse(call("GET", "resp_1/input_items", ann_, "?limit=1")).value();
  EXPECT_EQ(list.root()["object"].string_or(""), "list");
  EXPECT_EQ(list.root()["first_id"].string_or(""), "fo_1");
  EXPECT_TRUE(list.root()["has_more"].bool_or(false));
  const auto rest =
      JsonDoc::parse(call("GET", "resp_1/input_items", ann_, "?limit=1&after=fo_1&order=desc")).value();
  EXPECT_EQ(rest.root()["data"].at(0)["content"].at(0)["text"].string_or(""), "a");
  EXPECT_EQ(call("GET", "resp_1/input_items", ann_, "?limit=0"), "bad_request");
  EXPECT_EQ(call("GET", "resp_1/input_items", ann_, "?order=up"), "bad_request");
}

TEST_F(ResponsesTest, WhatIsCompleteCannotBeCancelled) {
  EXPECT_EQ(call("POST", "resp_1", ann_), "bad_request");
  EXPECT_EQ(call("POST", "resp_1", bob_), "not_found");
  EXPECT_EQ(call("POST", "resp_2", ann_), "not_found");
  EXPECT_NE(call("GET", "resp_1", ann_), "not_found") << "it is still there";
}

TEST_F(ResponsesTest, WhatIsKeptOfItemsIsNoResponse) {
  responses_.keep(ann_, std::string(kItemKeyStart) + "msg_1", "p");
  for (const char* method : {"GET", "POST", "DELETE"})
    EXPECT_EQ(call(method, "item msg_1", ann_), "not_found") << method;
}

TEST_F(ResponsesTest, ADeletedResponseIsGoneForGood) {
  EXPECT_EQ(call("DELETE", "resp_1", bob_), "not_found");
  EXPECT_EQ(call("DELETE", "resp_1", ann_), R"({"id":"resp_1","object":"response","deleted":true})");
  EXPECT_EQ(call("GET", "resp_1", ann_), "not_found");
  EXPECT_EQ(call("DELETE", "resp_1", ann_), "not_found");
}

TEST_F(ResponsesTest, ACopyThatAProviderKeepsIsDeletedThereFirst) {
  const auto keep = [this](std::string_view id) {
    responses_.keep(ann_, id,
                    fmt::format(R"({{"provider":"p","is_raw":true,"response":{{"id":"{}"}}}})", id));
  };
  keep("resp_raw");
  provider_says_ = fail(ErrorKind::upstream_unreachable, "no");
  EXPECT_EQ(call("DELETE", "resp_raw", bob_), "not_found");
  EXPECT_TRUE(deleted_there_.empty()) << "it is not bob's";
  EXPECT_EQ(call("DELETE", "resp_raw", ann_), "upstream_unreachable");
  EXPECT_NE(call("GET", "resp_raw", ann_), "not_found") << "it can be tried again";
  provider_says_ = true;
  EXPECT_EQ(call("DELETE", "resp_raw", ann_), R"({"id":"resp_raw","object":"response","deleted":true})");
  EXPECT_EQ(call("GET", "resp_raw", ann_), "not_found");
  EXPECT_EQ(deleted_there_, (std::vector<std::string>{"p/resp_raw", "p/resp_raw"}));
  // What is not true is not said.
  keep("resp_raw");
  provider_says_ = false;
  EXPECT_EQ(call("DELETE", "resp_raw", ann_), R"({"id":"resp_raw","object":"response","deleted":false})");
  EXPECT_EQ(call("GET", "resp_raw", ann_), "not_found");
  // An answer that Weir wrote is known to nobody else.
  EXPECT_EQ(call("DELETE", "resp_1", ann_), R"({"id":"resp_1","object":"response","deleted":true})");
  EXPECT_EQ(deleted_there_.size(), 3U);
}

}  // namespace
}  // namespace weir
