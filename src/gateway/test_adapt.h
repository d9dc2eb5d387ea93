// What the tests of the adapt stage share: the stage between a scripted call and a web of one page.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/adapt_stage.h"
#include "gateway/test_kept.h"
#include "gateway/test_scripted_target.h"
#include "llm/answer.h"

namespace weir {

// The web: one page for every URL.
class OnePage final : public HttpClient {
 public:
  class Response final : public ClientResponse {
   public:
    explicit Response(std::string body) : body_(std::move(body)) { status = 200; }
    Result<std::optional<std::string_view>> take() override {
      given_ = std::exchange(body_, {});
      return given_;
    }
    bool is_complete() const override { return body_.empty(); }

   private:
    std::string body_;
    std::string given_;
  };
  Task<std::unique_ptr<ClientResponse>> send(Scope& scope, const ClientRequest& request) override {
    ++asked;
    CO_TRY(scope.check());
    if (request.origin.host == "10.0.0.1") co_return fail(ErrorKind::forbidden, "it leads inside");
    co_return std::make_unique<Response>(body);
  }
  std::string body = "\x89PNG\r\n\x1a\nand so on";
  int asked = 0;
};

class AdaptStageTest : public testing::Test {
 protected:
  AdaptParts parts() {
    return {.media = {.client = [this]() -> HttpClient& { return web_; },
                      .cpu = &cpu_,
                      .fetches = fetch_counter(metrics_)},
            .turns = &turns_,
            .responses = nullptr};
  }

  static Chat chat(std::vector<Message> messages = {}) {
    Chat made;
    made.model = "m";
    made.messages = std::move(messages);
    return made;
  }
  static Message message(Role role, std::vector<BlockBody> bodies) {
    Message made;
    made.role = role;
    for (BlockBody& body : bodies)
      made.content.push_back({.body = std::move(body), .cache = {}, .pointer = {}});
    return made;
  }
  // A whole answer: text, or what the blocks say.
  static std::vector<Event> answer(std::string text, int64_t tokens = 5) {
    Usage usage;
    usage.in_uncached = 10;
    usage.out_text = tokens;
    return {Start{.id = "a"},   BlockStart{}, Delta{.text = std::move(text)}, BlockEnd{}, Finish{},
            UsageReport{usage}, End{}};
  }
  static std::vector<Event> thinking_answer(std::string call_id) {
    return {
        Start{},
        BlockStart{.kind = BlockKind::thinking, .dialect = Dialect::anthropic_messages},
        Delta{.text = "hm"},
        Delta{.kind = DeltaKind::signature, .text = "sig", .dialect = Dialect::anthropic_messages},
        BlockEnd{},
        BlockStart{.index = 1, .kind = BlockKind::tool_call, .tool_id = std::move(call_id), .tool_name = "f"},
        BlockEnd{.index = 1},
        Finish{.reason = StopReason::tool},
        End{}};
  }
  static Answer fold(const std::vector<Event>& events) {
    AnswerFolder folder;
    for (const Event& event : events) folder.add(event);
    return folder.take();
  }
  Chat with_image(std::string_view url) {
    return chat({message(Role::user, {TextBlock{"look"}, ImageBlock{.media = {.url = url}}})});
  }
  // The loop that a plain client sends: no thinking.
  Chat tool_loop(std::string_view call_id) {
    Chat made =
        chat({message(Role::user, {TextBlock{"q"}}),
              message(Role::assistant, {ToolCallBlock{.id = call_id, .name = "f", .arguments = "{}"}}),
              message(Role::tool, {ToolResultBlock{.call_id = call_id, .content = {}}})});
    made.tools.push_back({.name = "f"});
    made.reasoning.budget_tokens = 1024;
    return made;
  }
  MetricsRegistry metrics_;
  Pool cpu_{"cpu", 1, 16};
  ManualClock clock_;
  KeptTexts turns_{"turn", small_limits(), nullptr, clock_, metrics_};
  OnePage web_;
  TestGateway gateway_{std::make_unique<AdaptStage>(parts())};
  ScriptedCall& call_ = *gateway_.call;
};

}  // namespace weir
