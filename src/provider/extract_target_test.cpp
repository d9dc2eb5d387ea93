#include "provider/extract_target.h"

#include <gtest/gtest.h>
#include <thread>

#include "io/test_core.h"
#include "llm/request.h"

namespace weir {
namespace {

class ExtractTargetTest : public testing::Test {
 protected:
  static Chat chat(BlockBody body = TextBlock{"Who built the weir? Ann built the weir."}) {
    Chat made;
    made.model = "weir/extract";
    Message& message = made.messages.emplace_back();
    message.content.push_back({.body = std::move(body), .cache = {}, .pointer = {}});
    return made;
  }
  // The records as the header has them; for an error its kind and path.
  std::string losses(Chat chat) const {
    const Result<Fidelity> found = model_->losses(std::move(chat));
    if (found) return found->header_value();
    return std::string(to_string(found.error().kind)) + " " + found.error().path;
  }
  static Task<Usage> ask(Core& core, LocalModel& model, const Request& request) {
    Scope scope(core);
    std::unique_ptr<EventSource> source = CO_TRY(co_await model.answer(scope, request));
    const EventBatch* batch = CO_TRY(co_await source->next(scope));
    Usage usage;
    for (const Event& event : batch->events) {
      if (const auto* report = std::get_if<UsageReport>(&event)) usage = report->usage;
    }
    co_return usage;
  }

  // The text is read on a thread of the pool, which the core has to wait for.
  Usage usage_of(const Request& request) {
    struct Keeper {
      static Task<void> keep(Task<Usage> task, std::optional<Result<Usage>>& result) {
        result = co_await std::move(task);
        co_return {};
      }
    };
    std::optional<Result<Usage>> result;
    Scope scope(test_.core);
    scope.spawn(Keeper::keep(ask(test_.core, *model_, request), result));
    while (!result) {
      if (!test_.core.poll()) std::this_thread::yield();
    }
    return result->value();
  }

  TestCore test_;
  Pool pool_{"cpu", 1, 4};
  std::shared_ptr<LocalModel> model_ = make_extract_target(pool_);
};

TEST_F(ExtractTargetTest, WhatItAnswersByIsNoLoss) {
  Chat plain = chat();
  plain.max_tokens = 10;
  plain.stop = {"."};
  plain.choices = 1;
  plain.tool_choice = ToolChoice{.mode = ToolChoiceMode::none};
  plain.tools.push_back({.name = "f"});
  EXPECT_EQ(losses(plain), "");
  EXPECT_EQ(losses(chat(DocumentBlock{.text = "Ann built it."})), "");
}

TEST_F(ExtractTargetTest, WhatItDoesNotLookAtIsReported) {
  Chat full = chat();
  full.temperature = 0.5;
  full.seed = 1;
  full.logprobs = true;
  full.tools.push_back({.name = "f"});
  full.extras.push_back({.key = "surprise"});
  const std::string told = losses(full);
  for (const std::string_view part : {"/temperature", "/seed", "/logprobs", "/tools", "/surprise"})
    EXPECT_NE(told.find(part), std::string::npos) << part << " in " << told;
}

TEST_F(ExtractTargetTest, WhatAnAnswerCannotLeaveOutIsRefused) {
  EXPECT_EQ(losses(chat(ImageBlock{.media = {.base64 = "AA=="}})), "unsupported messages[0].content");
  EXPECT_EQ(losses(chat(DocumentBlock{.media = {.base64 = "AA=="}})), "unsupported messages[0].content");
  Chat forced = chat();
  forced.tools.push_back({.name = "f"});
  forced.tool_choice = ToolChoice{.mode = ToolChoiceMode::required};
  EXPECT_EQ(losses(forced), "unsupported tool_choice");
  Chat many = chat();
  many.choices = 2;
  EXPECT_EQ(losses(many), "unsupported n");
}

TEST_F(ExtractTargetTest, CountsWhatTheAnswerSaysThatItRead) {
  const Request request = chat();
  const Request count = CountTokens{chat()};
  const Usage of_answer = usage_of(request);
  const Usage of_count = usage_of(count);
  EXPECT_GT(of_answer.in_uncached.value_or(0), 0);
  EXPECT_EQ(of_count.in_uncached, of_answer.in_uncached);
}

}  // namespace
}  // namespace weir
