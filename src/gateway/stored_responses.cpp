#include "gateway/stored_responses.h"

#include <algorithm>
#include <fmt/core.h>

#include "base/limits.h"
#include "base/log.h"
#include "codec/responses_history.h"
#include "gateway/answer_writer.h"
#include "gateway/snapshot.h"

namespace weir {
namespace {

// The target keeps that answer itself, under the same id, and this caller got it: Weir's key at the provider
// is shared, so an id that Weir does not know is never passed on.
bool is_kept_by_target(const Exchange& exchange, JsonValue kept) {
  const Provider& provider = *exchange.target->target->provider;
  return !provider.local && provider.kind.dialect == exchange.call.dialect && kept["is_raw"].bool_or(false) &&
         kept["provider"].string_or("") == provider.name;
}

const UnknownBlock* reference_in(const Block& block) {
  const auto* unknown = std::get_if<UnknownBlock>(&block.body);
  return unknown && unknown->is_reference ? unknown : nullptr;
}

struct Continued {
  std::shared_ptr<const JsonDoc> body;
  std::shared_ptr<const JsonDoc> kept;
};

Result<Continued> continue_body(const std::shared_ptr<const std::string>& kept,
                                const std::shared_ptr<const JsonDoc>& body) {
  Continued made;
  made.kept = std::make_shared<const JsonDoc>(TRY(JsonDoc::parse(*kept, {.replaces_lone_surrogates = true})));
  std::string text = TRY(continued_responses_body(made.kept->root(), body->root()));
  made.body = std::make_shared<const JsonDoc>(
      TRY(JsonDoc::parse(std::move(text), {.replaces_lone_surrogates = true})));
  return made;
}

std::string item_key(std::string_view id) {
  return std::string(kItemKeyStart).append(id);
}

void keep(const Exchange& exchange, KeptTexts& responses, std::string_view response, bool is_raw) {
  const Result<JsonDoc> doc = JsonDoc::parse(std::string(response), {.replaces_lone_surrogates = true});
  const std::string_view id = doc ? doc->root()["id"].string_or("") : std::string_view();
  if (id.empty()) {
    log_warn("an answer cannot be stored: it has no id", {{"exchange", exchange.id}});
    return;
  }
  const JsonDoc& body = exchange.conversation ? *exchange.conversation : *exchange.call.body;
  const std::string& provider = exchange.target->target->provider->name;
  responses.keep(*exchange.principal, id,
                 keep_responses_conversation(body.root(), doc->root().raw(), provider, is_raw));
  for (const JsonValue item : doc->root()["output"]) {
    const std::string_view item_id = item["id"].string_or("");
    if (is_raw && !item_id.empty()) responses.keep(*exchange.principal, item_key(item_id), provider);
  }
}

std::unexpected<Error> not_own(std::string_view what, std::string_view remedy, std::string path) {
  return fail(ErrorKind::bad_request,
              fmt::format("{} is kept by the provider, and not known as this caller's own: {}", what, remedy),
              std::move(path));
}

}  // namespace

Task<void> continue_response(Exchange& exchange, KeptTexts& responses, Pool& cpu) {
  const std::string id(exchange.chat()->previous_response_id);
  std::shared_ptr<const std::string> kept;
  if (!id.starts_with(kItemKeyStart))
    kept = CO_TRY(co_await responses.find(*exchange.scope, *exchange.principal, id));
  if (!kept) {
    co_return fail(ErrorKind::not_found,
                   fmt::format("there is no stored response {}: its time may be over, or it was not stored; "
                               "send the whole conversation as input",
                               id),
                   "previous_response_id");
  }
  const std::shared_ptr<const JsonDoc> body = exchange.call.body;
  Continued continued;
  if (kept->size() + body->source().size() <= kJsonBytesOnCoreMax) {
    continued = CO_TRY(continue_body(kept, body));
  } else {
    continued = CO_TRY(co_await cpu.run(*exchange.scope, [kept, body] { return continue_body(kept, body); }));
  }
  exchange.conversation = continued.body;
  if (is_kept_by_target(exchange, continued.kept->root())) co_return {};
  ClientCall call = exchange.call;
  call.body = continued.body;
  exchange.adapted = std::make_unique<Adaptation>(
      Adaptation { .request = CO_TRY(exchange.client_codec->decode_request(call)) });
  co_return {};
}

bool names_provider_ids(const Exchange& exchange) {
  const Provider& provider = *exchange.target->target->provider;
  const Chat* chat = exchange.chat();
  if (!chat || !exchange.call.body || !traits(exchange.call.dialect).keeps_answers || provider.local ||
      provider.kind.dialect != exchange.call.dialect || exchange.principal->key_id.empty() ||
      exchange.snapshot->keys.size() < 2)
    return false;
  if (!exchange.call.body->root()["conversation"].is_absent()) return true;
  return std::ranges::any_of(chat->messages, [](const Message& message) {
    return std::ranges::any_of(message.content, [](const Block& block) { return reference_in(block); });
  });
}

Task<void> check_provider_ids(Exchange& exchange, KeptTexts& responses) {
  if (!exchange.call.body->root()["conversation"].is_absent())
    co_return not_own("the conversation", "continue with previous_response_id", "conversation");
  const std::string& provider = exchange.target->target->provider->name;
  for (const Message& message : exchange.chat()->messages) {
    for (const Block& block : message.content) {
      const UnknownBlock* reference = reference_in(block);
      if (!reference) continue;
      const JsonDoc doc = CO_TRY(JsonDoc::parse(std::string(reference->raw.text)));
      std::string key = item_key(doc.root()["id"].string_or(""));
      const std::shared_ptr<const std::string> kept =
          CO_TRY(co_await responses.find(*exchange.scope, *exchange.principal, std::move(key)));
      if (!kept || *kept != provider)
        co_return not_own("the item", "send the item itself", std::string(block.pointer));
    }
  }
  co_return {};
}

bool is_to_be_stored(const Exchange& exchange) {
  const auto* chat = std::get_if<Chat>(&exchange.request);
  return chat && exchange.client_codec && exchange.call.body && traits(exchange.call.dialect).keeps_answers &&
         chat->is_stored.value_or(true) && (chat->previous_response_id.empty() || exchange.conversation);
}

void store_response(const Exchange& exchange, KeptTexts& responses, const Answer& answer) {
  const ClientReply reply = exchange.client_codec->encode_answer(answer, answer_context(exchange));
  keep(exchange, responses, reply.body, false);
}

void store_raw_response(const Exchange& exchange, KeptTexts& responses, std::string_view bytes) {
  if (bytes.starts_with('{')) return keep(exchange, responses, bytes, true);
  keep(exchange, responses, response_of_stream(bytes), true);
}

}  // namespace weir
