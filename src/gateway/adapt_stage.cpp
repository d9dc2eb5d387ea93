#include "gateway/adapt_stage.h"

#include <algorithm>
#include <fmt/core.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/log.h"
#include "codec/chat_policies.h"
#include "gateway/fan_out.h"
#include "gateway/kept_answer.h"
#include "gateway/kept_turns.h"
#include "gateway/metered_part.h"
#include "gateway/route_policies.h"
#include "gateway/snapshot.h"
#include "gateway/stored_responses.h"
#include "gateway/structured_answer.h"
#include "gateway/turn_keys.h"

namespace weir {
namespace {

Dialect dialect_of(const Exchange& exchange) {
  return exchange.target->target->provider->kind.dialect;
}

// Whether the target signs turns and wants that back, and the client's dialect has no place of its own for
// it. A client whose dialect has one sends it back itself, and so may one that speaks as the target does.
bool loses_turns(const Exchange& exchange) {
  const Provider& provider = *exchange.target->target->provider;
  const Dialect dialect = provider.kind.dialect;
  const Dialect client = exchange.call.dialect;
  const Quirks& quirks = exchange.target->capabilities.quirks;
  const bool signs_turns = traits(dialect).signs_turns || quirks.thinking_blocks || quirks.reasoning_details;
  return !provider.local && signs_turns && dialect != client &&
         !(traits(client).signs_turns && shares_signatures(dialect, client)) &&
         exchange.target->capabilities.thinking != ThinkingMode::none;
}

bool needs_turns(const Exchange& exchange, const Chat& chat) {
  if (chat.messages.size() < 2 || !loses_turns(exchange)) return false;
  const Dialect dialect = dialect_of(exchange);
  return std::any_of(chat.messages.begin(), chat.messages.end(),
                     [dialect](const Message& message) { return lacks_turn(message, dialect).has_value(); });
}

// What Weir counts itself needs nothing that only a target wants.
bool is_for_target(const Exchange& exchange) {
  return operation_of(exchange.request) != Operation::count_tokens ||
         exchange.target->target->provider->kind.serves(Endpoint::count_tokens);
}

bool needs_adapting(const Exchange& exchange, const AdaptParts& parts) {
  const Chat* chat = exchange.chat();
  if (!chat) return false;
  if (parts.responses && !chat->previous_response_id.empty()) return true;
  if (parts.responses && names_provider_ids(exchange)) return true;
  if (needs_policies(exchange)) return true;
  return is_for_target(exchange) &&
         ((parts.turns && needs_turns(exchange, *chat)) || needs_media(*chat, *exchange.target));
}

Chat& chat_in(Request& request) {
  if (auto* count = std::get_if<CountTokens>(&request)) return count->chat;
  return std::get<Chat>(request);
}

// A message of a person, which ends a loop of calls and results.
bool speaks_anew(const Message& message) {
  return message.role == Role::user &&
         std::none_of(message.content.begin(), message.content.end(),
                      [](const Block& block) { return std::holds_alternative<ToolResultBlock>(block.body); });
}

// More choices than the target gives in one answer.
size_t choices_to_fan_out(const Exchange& exchange) {
  const auto* chat = std::get_if<Chat>(&exchange.request);
  const int64_t wanted = chat ? chat->choices.value_or(1) : 1;
  if (wanted <= 1 || exchange.target->target->provider->local) return 0;
  const bool has_choices = traits(dialect_of(exchange)).has_choices;
  if (has_choices && exchange.target->capabilities.n_max.value_or(wanted) >= wanted) return 0;
  std::string_view policy = exchange.call.headers.get_or("x-weir-choices", "");
  if (policy.empty()) policy = exchange.route->choices;
  if (policy.empty()) policy = exchange.snapshot->settings.choices;
  return policy == "fanout" ? static_cast<size_t>(wanted) : 0;
}

// The most inputs of one call, when there are more.
size_t inputs_to_batch(const Exchange& exchange) {
  const auto* embed = std::get_if<Embed>(&exchange.request);
  const auto limit = exchange.target->capabilities.inputs_max;
  if (!embed || !limit || *limit < 1 || exchange.target->target->provider->local) return 0;
  const size_t inputs = std::max(embed->inputs.size(), embed->token_inputs.size());
  return inputs > static_cast<size_t>(*limit) ? static_cast<size_t>(*limit) : 0;
}

// The request that this attempt may change, made when the first change comes.
Adaptation& adaptation_of(Exchange& exchange) {
  if (!exchange.adapted) {
    exchange.adapted = std::make_unique<Adaptation>(Adaptation{.request = exchange.request});
    Chat& chat = chat_in(exchange.adapted->request);
    // What this attempt adds goes with it.
    chat.arena = chat.arena.fork();
  }
  return *exchange.adapted;
}

// Puts a kept turn into the message, or records that it is another issuer's.
void restore_one(Exchange& exchange, size_t index, const std::string& kept) {
  const Dialect dialect = dialect_of(exchange);
  Result<KeptTurn> turn = turn_from_json(kept);
  if (!turn) {
    log_warn("a kept turn cannot be read", {{"error", turn.error().message}});
    return;
  }
  Adaptation& adapted = adaptation_of(exchange);
  if (!shares_signatures(turn->issuer, dialect)) {
    adapted.fidelity.add(Severity::info, LossReason::signature_dropped, fmt::format("/messages/{}", index),
                         std::string(to_string(turn->issuer)));
    return;
  }
  Chat& chat = chat_in(adapted.request);
  Message& message = chat.messages[index];
  if (lacks_call_ids(message)) take_call_ids(*turn, message);
  restore_turn(message, *turn, dialect, *chat.arena);
}

// What the turns of this attempt's messages were kept under.
class TurnNames {
 public:
  explicit TurnNames(const Exchange& exchange) : exchange_(exchange) {}

  // Of the message at `index`, whose first call has this id. Where the client named none, the keys are made
  // of the conversation as it came, so a message that a policy put before it has no part in them.
  std::string find(size_t index, std::string_view call_id) {
    const Chat& sent = *chat_of(exchange_.sent());
    if (!lacks_call_ids(sent.messages[index])) return std::string(call_id);
    const Chat& came = *exchange_.chat();
    const size_t padding = begins_with_assistant(came) && !begins_with_assistant(sent) ? 1 : 0;
    if (!keys_) keys_.emplace(came.messages);
    return keys_->at(index - padding, called_tools(sent.messages[index]));
  }

 private:
  const Exchange& exchange_;
  std::optional<TurnKeys> keys_;
};

Task<std::unique_ptr<EventSource>> call_child(Exchange& child, Next next) {
  if (needs_validation(child)) co_return co_await validated_answer(child, next);
  co_return metered_part(CO_TRY(co_await next(child)), child);
}

}  // namespace

// Not a coroutine: a request that needs nothing costs no frame.
Task<std::unique_ptr<EventSource>> AdaptStage::handle(Exchange& exchange, Next next) {
  exchange.adapted.reset();
  exchange.conversation.reset();
  exchange.is_composed = false;
  const bool needs_nothing = !needs_hashed_user(exchange) && !needs_adapting(exchange, parts_) &&
                             choices_to_fan_out(exchange) == 0 && inputs_to_batch(exchange) == 0 &&
                             !needs_validation(exchange) && keepers_of(exchange).empty();
  return needs_nothing ? next(exchange) : adapt(exchange, next);
}

Task<std::unique_ptr<EventSource>> AdaptStage::adapt(Exchange& exchange, Next next) {
  if (needs_hashed_user(exchange)) CO_TRY(co_await hash_user(exchange));
  if (needs_adapting(exchange, parts_)) CO_TRY(co_await adapt_chat(exchange));
  if (exchange.adapted) CO_TRY(check_strict(exchange, exchange.adapted->fidelity));
  std::unique_ptr<EventSource> source = CO_TRY(co_await call(exchange, next));
  co_return keep_answer(exchange, std::move(source), keepers_of(exchange));
}

// A turn is kept where tools are offered and the client's dialect does not carry all of it.
AnswerKeepers AdaptStage::keepers_of(const Exchange& exchange) const {
  const auto* chat = std::get_if<Chat>(&exchange.request);
  if (!chat) return {};
  const bool keeps_turns = !chat->tools.empty() && loses_turns(exchange);
  return {.turns = keeps_turns ? parts_.turns : nullptr,
          .responses = is_to_be_stored(exchange) ? parts_.responses : nullptr};
}

// Once for all attempts. The request is read anew from the client's body with the hash in it: so the raw way,
// the translated one and what is stored say the same.
Task<void> AdaptStage::hash_user(Exchange& exchange) {
  const std::shared_ptr<const JsonDoc> body = exchange.call.body;
  const std::shared_ptr<const Secret> key = exchange.snapshot->user_key;
  WEIR_ASSERT(key, "a configuration that hashes users is given a key for it");
  const auto make = [body, key, dialect = exchange.call.dialect] {
    return body_with_hashed_user(dialect, *body, *key);
  };
  std::shared_ptr<const JsonDoc> hashed;
  if (body->source().size() <= kJsonBytesOnCoreMax) {
    hashed = CO_TRY(make());
  } else {
    hashed = CO_TRY(co_await parts_.media.cpu->run(*exchange.scope, make));
  }
  if (!hashed) co_return {};
  exchange.call.body = std::move(hashed);
  exchange.request = CO_TRY(exchange.client_codec->decode_request(exchange.call));
  exchange.user_is_hashed = true;
  co_return {};
}

Task<void> AdaptStage::adapt_chat(Exchange& exchange) {
  if (parts_.responses && names_provider_ids(exchange))
    CO_TRY(co_await check_provider_ids(exchange, *parts_.responses));
  if (!exchange.chat()->previous_response_id.empty() && parts_.responses)
    CO_TRY(co_await continue_response(exchange, *parts_.responses, *parts_.media.cpu));
  if (!is_for_target(exchange)) co_return {};
  if (needs_policies(exchange)) {
    Adaptation& adapted = adaptation_of(exchange);
    apply_policies(exchange, chat_in(adapted.request), adapted.fidelity);
  }
  const Chat& chat = *chat_of(exchange.sent());
  const bool restores = parts_.turns && needs_turns(exchange, chat);
  const bool fetches = needs_media(chat, *exchange.target);
  if (restores) CO_TRY(co_await restore_turns(exchange));
  if (fetches) {
    Adaptation& adapted = adaptation_of(exchange);
    CO_TRY(co_await fetch_media(*exchange.scope, parts_.media, exchange.snapshot->fetch, *exchange.target,
                                chat_in(adapted.request), adapted.fidelity));
  }
  co_return {};
}

// From the newest turn back. What is not found stays away: the codec then asks for no thinking, and says so.
// Where the loop of calls that is under way began, the first turn that is not found ends the search: targets
// want the turns of that loop, and those before are welcome. The disk is asked only when thinking is.
Task<void> AdaptStage::restore_turns(Exchange& exchange) {
  const Dialect dialect = dialect_of(exchange);
  const Chat& original = *chat_of(exchange.sent());
  const bool thinks = (original.reasoning.is_set() && !original.reasoning.is_disabled) ||
                      exchange.target->capabilities.thinking_forced == true;
  bool is_in_loop = true;
  TurnNames names(exchange);
  for (size_t i = original.messages.size(); i-- > 0;) {
    const Message& message = chat_of(exchange.sent())->messages[i];
    is_in_loop = is_in_loop && !speaks_anew(message);
    const auto call_id = lacks_turn(message, dialect);
    if (!call_id) continue;
    const std::string name = names.find(i, *call_id);
    std::shared_ptr<const std::string> kept = parts_.turns->find_in_memory(*exchange.principal, name);
    if (!kept && thinks) {
      Result<std::shared_ptr<const std::string>> found =
          co_await parts_.turns->find_on_disk(*exchange.scope, *exchange.principal, name);
      CO_TRY(exchange.scope->check());
      // A store out of order, which it says itself: the conversation goes on without its thinking.
      if (found) kept = std::move(*found);
    }
    if (kept) {
      restore_one(exchange, i, *kept);
    } else if (!is_in_loop) {
      co_return {};
    }
  }
  co_return {};
}

// Not a coroutine: a request that needs nothing costs no frame.
Task<std::unique_ptr<EventSource>> AdaptStage::call(Exchange& exchange, Next next) {
  if (const size_t choices = choices_to_fan_out(exchange); choices > 0)
    return call_for_choices(exchange, next, choices, &call_child);
  if (const size_t inputs = inputs_to_batch(exchange); inputs > 0)
    return call_in_batches(exchange, next, inputs);
  if (needs_validation(exchange)) return validated_answer(exchange, next);
  return next(exchange);
}

}  // namespace weir
