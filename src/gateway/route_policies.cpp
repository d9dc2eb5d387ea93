#include "gateway/route_policies.h"

#include "codec/chat_policies.h"

namespace weir {
namespace {

// What is to be done, by step.
struct Steps {
  bool adds_results = false;
  bool marks_prefixes = false;
  bool pads = false;
  bool any() const { return adds_results || marks_prefixes || pads; }
};

Steps steps_for(const TranslationSettings& policy, const Candidate& target, const Chat& chat) {
  const Dialect dialect = target.target->provider->kind.dialect;
  const Capabilities& capabilities = target.capabilities;
  return {.adds_results = policy.missing_results == "repair" && lacks_results(chat),
          .marks_prefixes = policy.cache_markers && capabilities.cache_control == CacheControl::markers &&
                            !has_cache_markers(chat),
          .pads = policy.first_assistant == "pad" && wants_user_first(dialect, capabilities) &&
                  begins_with_assistant(chat)};
}

}  // namespace

bool needs_policies(const Exchange& exchange) {
  static const TranslationSettings kUsual;
  const Chat* chat = chat_of(exchange.sent());
  const TranslationSettings& policy = exchange.route->translation;
  if (!chat || policy == kUsual || exchange.target->target->provider->local) return false;
  return steps_for(policy, *exchange.target, *chat).any();
}

void apply_policies(const Exchange& exchange, Chat& chat, Fidelity& fidelity) {
  const Steps steps = steps_for(exchange.route->translation, *exchange.target, chat);
  if (steps.adds_results) add_missing_results(chat, fidelity);
  if (steps.marks_prefixes) mark_prefixes(chat, fidelity);
  // Last, since it moves the messages that the records of the others name.
  if (steps.pads) pad_beginning(chat, fidelity);
}

}  // namespace weir
