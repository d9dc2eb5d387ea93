// The provider half of Google's dialect: requests from the IR, or the client's own bytes with the model in
// the path.
#include <algorithm>
#include <array>
#include <fmt/core.h>

#include "base/encoding.h"
#include "codec/gemini.h"
#include "codec/gemini_decode.h"
#include "codec/gemini_embeddings.h"
#include "codec/gemini_fields.h"
#include "codec/gemini_request.h"
#include "codec/raw_limit.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::gemini;

// "/models/gemini-x:generateContent"; a tuned model's name holds its folder.
std::string path_of(std::string_view model, std::string_view action) {
  constexpr std::string_view kTuned = "tunedModels/";
  const bool is_tuned = model.starts_with(kTuned);
  if (is_tuned) model.remove_prefix(kTuned.size());
  // Always events: without alt=sse a stream is one JSON array.
  return fmt::format("/{}/{}:{}{}", is_tuned ? "tunedModels" : "models",
                     percent_encode(model, UrlPart::segment), action,
                     action == "streamGenerateContent" ? "?alt=sse" : "");
}

std::string_view action_of(const Request& request, const TargetModel& target) {
  switch (operation_of(request)) {
    case Operation::embeddings:
      return target.capabilities->quirks.vertex_shapes ? "predict" : "batchEmbedContents";
    case Operation::count_tokens:
      return "countTokens";
    case Operation::chat:
    case Operation::text_completion:
    case Operation::rerank:
    case Operation::opaque:
      break;
  }
  return is_streamed(request) ? "streamGenerateContent" : "generateContent";
}

EncodedCall new_call(const Request& request, const TargetModel& target, std::string_view action) {
  EncodedCall call;
  call.notes.operation = operation_of(request);
  call.notes.is_streamed = is_streamed(request);
  call.wire.path = path_of(target.model, action);
  call.wire.headers.add("content-type", "application/json");
  call.wire.headers.add("accept", call.notes.is_streamed ? "text/event-stream" : "application/json");
  return call;
}

// Names of the model within a body, which the vendor compares with the path's.
std::vector<JsonValue> model_names(JsonValue root) {
  std::vector<JsonValue> names;
  const auto add = [&names](JsonValue holder) {
    if (const JsonValue name = holder["model"]; name.is_string()) names.push_back(name);
  };
  add(root);
  add(gemini_member(root, "generateContentRequest"));
  if (root["requests"].is_array()) {
    for (const JsonValue request : root["requests"]) add(request);
  }
  return names;
}

class GeminiProvider final : public ProviderCodec {
 public:
  Dialect dialect() const override { return kDialect; }

  Result<EncodedCall> encode_request(const Request& request, const TargetModel& target) const override {
    EncodedCall call = new_call(request, target, action_of(request, target));
    if (const auto* embed = std::get_if<Embed>(&request)) {
      TRY(encode_gemini_embed(*embed, target, call));
      return call;
    }
    const Chat* chat = chat_of(request);
    if (!chat) {
      return fail(ErrorKind::unsupported,
                  fmt::format("this provider has no endpoint for {}", to_string(operation_of(request))));
    }
    TRY(write_gemini_request(*chat, target, call));
    return call;
  }

  Result<EncodedCall> splice_request(const ClientCall& client, const Request& request,
                                     const TargetModel& target) const override {
    // One text or many: the client's path tells.
    std::string_view action = action_of(request, target);
    if (client.path.ends_with(":embedContent")) action = "embedContent";
    EncodedCall call = new_call(request, target, action);
    std::string name;
    append_json_string(name, fmt::format("models/{}", target.model));
    std::vector<JsonEdit> edits;
    for (const JsonValue stated : model_names(client.body->root()))
      edits.push_back({.offset = stated.offset(), .length = stated.raw().size(), .text = name});
    RawLimit limit(request, target);
    if (limit.is_over()) {
      const JsonValue config = gemini_member(client.body->root(), "generationConfig");
      limit.clamp(gemini_member(config, "maxOutputTokens"), edits, call.notes.fidelity);
    }
    std::sort(edits.begin(), edits.end(),
              [](const JsonEdit& a, const JsonEdit& b) { return a.offset < b.offset; });
    call.wire.body = splice(client.body->source(), edits);
    return call;
  }

  Result<std::vector<Event>> decode_answer(const WireReply& reply, const CallNotes& notes) const override {
    if (notes.operation == Operation::embeddings) return decode_gemini_embed(reply);
    if (notes.operation == Operation::count_tokens) return decode_gemini_count(reply);
    return decode_gemini_answer(reply, notes);
  }
  std::unique_ptr<StreamDecoder> stream_decoder(const CallNotes& notes) const override {
    return make_gemini_stream_decoder(notes);
  }
  Error decode_error(const WireReply& reply, int64_t wall_ns) const override {
    return decode_gemini_error(reply, wall_ns);
  }
};

}  // namespace

const ProviderCodec& gemini_provider() {
  static const GeminiProvider codec;
  return codec;
}

}  // namespace weir
