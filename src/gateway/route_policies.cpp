#include "gateway/route_policies.h"

#include <algorithm>
#include <fmt/core.h>

#include "codec/chat_policies.h"
#include "codec/end_user.h"
#include "codec/offered_tools.h"
#include "codec/web_search.h"
#include "gateway/route_plan.h"

namespace weir {
namespace {

// What is to be done, by step.
struct Steps {
  bool maps_web_search = false;
  bool drops_tools = false;
  bool adds_results = false;
  bool prefixes_names = false;
  bool marks_prefixes = false;
  bool pads = false;
  bool any() const {
    return maps_web_search || drops_tools || adds_results || prefixes_names || marks_prefixes || pads;
  }
};

bool takes_names(Dialect dialect, const Capabilities& capabilities) {
  return dialect == Dialect::openai_chat && !capabilities.quirks.no_message_name;
}

TargetModel model_of(const Candidate& target) {
  return {.model = target.model, .capabilities = &target.capabilities};
}

Steps steps_for(const TranslationSettings& policy, const Candidate& target, const Chat& chat) {
  const Dialect dialect = target.target->provider->kind.dialect;
  const Capabilities& capabilities = target.capabilities;
  const bool drops = policy.server_tools == "drop";
  // A search that would be dropped then is not asked for first.
  const bool has_room = !(drops && has_functions_in_the_way(chat, capabilities));
  return {.maps_web_search = policy.web_search && has_room && has_foreign_web_search(chat, dialect),
          .drops_tools = drops && has_foreign_tools(chat, dialect, model_of(target)),
          .adds_results = policy.missing_results == "repair" && lacks_results(chat),
          .prefixes_names =
              policy.user_names == "prefix" && !takes_names(dialect, capabilities) && has_user_names(chat),
          .marks_prefixes = policy.cache_markers && capabilities.cache_control == CacheControl::markers &&
                            !has_cache_markers(chat),
          .pads = policy.first_assistant == "pad" && wants_user_first(dialect, capabilities) &&
                  begins_with_assistant(chat)};
}

// An opaque body has not been read for it.
bool may_name_user(const Request& request) {
  if (const Chat* chat = chat_of(request)) return !chat->end_user.empty();
  if (const auto* embed = std::get_if<Embed>(&request)) return !embed->end_user.empty();
  return std::holds_alternative<Opaque>(request);
}

}  // namespace

bool needs_policies(const Exchange& exchange) {
  if (exchange.plan && !exchange.plan->has_policies) return false;
  const Chat* chat = chat_of(exchange.sent());
  if (!chat || exchange.target->target->provider->local) return false;
  return steps_for(exchange.route->translation, *exchange.target, *chat).any();
}

void apply_policies(const Exchange& exchange, Chat& chat, Fidelity& fidelity) {
  const Dialect dialect = exchange.target->target->provider->kind.dialect;
  const Steps steps = steps_for(exchange.route->translation, *exchange.target, chat);
  if (steps.maps_web_search) map_web_search(chat, dialect, fidelity);
  // A search that was mapped is the target's own now.
  const TargetModel target = model_of(*exchange.target);
  if (steps.drops_tools && has_foreign_tools(chat, dialect, target))
    drop_foreign_tools(chat, dialect, target, fidelity);
  if (steps.adds_results) add_missing_results(chat, fidelity);
  if (steps.prefixes_names) prefix_user_names(chat, fidelity);
  if (steps.marks_prefixes) mark_prefixes(chat, fidelity);
  // Last, since it moves the messages that the records of the others name.
  if (steps.pads) pad_beginning(chat, fidelity);
}

bool needs_hashed_user(const Exchange& exchange) {
  return exchange.route->translation.hash_user && !exchange.user_is_hashed && exchange.call.body &&
         exchange.client_codec && may_name_user(exchange.request);
}

Result<std::shared_ptr<const JsonDoc>> body_with_hashed_user(Dialect dialect, const JsonDoc& body,
                                                             const Secret& key) {
  std::optional<std::string> text = with_hidden_end_user(dialect, body, key);
  if (!text) return nullptr;
  return std::make_shared<const JsonDoc>(TRY(JsonDoc::parse(*std::move(text))));
}

Result<void> check_sampling(const Exchange& exchange, const Fidelity& fidelity) {
  if (fidelity.empty() || exchange.route->translation.sampling != "error") return {};
  const auto& records = fidelity.records();
  const auto found = std::ranges::find_if(records, [](const FidelityRecord& record) {
    return record.reason == LossReason::clamped &&
           (record.pointer == "/temperature" || record.pointer == "/top_p");
  });
  if (found == records.end()) return {};
  return fail(ErrorKind::bad_request,
              fmt::format("{} is out of the range of {}, which takes at most {}", found->from,
                          exchange.target->model, found->to),
              found->pointer.substr(1));
}

}  // namespace weir
