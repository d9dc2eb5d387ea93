#include "gateway/stored_responses.h"

#include <fmt/core.h>

#include "base/limits.h"
#include "base/log.h"
#include "codec/responses_history.h"
#include "gateway/answer_writer.h"

namespace weir {
namespace {

// The target keeps that answer itself, under the same id, and this caller got it: Weir's key at the provider
// is shared, so an id that Weir does not know is never passed on.
bool is_kept_by_target(const Exchange& exchange, JsonValue kept) {
  const Provider& provider = *exchange.target->target->provider;
  return !provider.local && provider.kind.dialect == exchange.call.dialect && kept["is_raw"].bool_or(false) &&
         kept["provider"].string_or("") == provider.name;
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

void keep(const Exchange& exchange, KeptTexts& responses, std::string_view response, bool is_raw) {
  const Result<JsonDoc> doc = JsonDoc::parse(std::string(response), {.replaces_lone_surrogates = true});
  const std::string_view id = doc ? doc->root()["id"].string_or("") : std::string_view();
  if (id.empty()) {
    log_warn("an answer cannot be stored: it has no id", {{"exchange", exchange.id}});
    return;
  }
  const JsonDoc& body = exchange.conversation ? *exchange.conversation : *exchange.call.body;
  responses.keep(exchange.principal, id,
                 keep_responses_conversation(body.root(), doc->root().raw(),
                                             exchange.target->target->provider->name, is_raw));
}

}  // namespace

Task<void> continue_response(Exchange& exchange, KeptTexts& responses, Pool& cpu) {
  const std::string id(exchange.chat()->previous_response_id);
  const std::shared_ptr<const std::string> kept =
      CO_TRY(co_await responses.find(*exchange.scope, exchange.principal, id));
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
