// Request: what an exchange asks of a model. All kinds pass the same stages.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "io/headers.h"
#include "io/http.h"
#include "llm/chat.h"

namespace weir {

// Token counting of a chat request, without an answer.
struct CountTokens {
  Chat chat;
};

struct Embed {
  SharedArena arena;
  std::string_view model{};
  std::vector<std::string_view> inputs{};            // texts, in order
  std::vector<std::vector<int64_t>> token_inputs{};  // OpenAI's arrays of token ids; either this or `inputs`
  std::optional<int64_t> dimensions{};
  bool wants_base64 = false;   // the client asked for base64 floats
  std::string_view purpose{};  // what for, in Cohere's words ("search_query"); empty: not said
  std::string_view end_user{};
  std::vector<ExtraField> extras{};
};

struct Rerank {
  SharedArena arena;
  std::string_view model{};
  std::string_view query{};
  std::vector<std::string_view> documents{};
  std::optional<int64_t> top_n{};
  bool returns_documents = false;
  std::vector<ExtraField> extras{};
};

// What an opaque call is for: each has an endpoint of its own at a provider.
enum class OpaqueTask : uint8_t {
  moderation,
  speech,
  transcription,
  translation,
  image_generation,
  image_edit,
  image_variation
};
std::string_view to_string(OpaqueTask task);

// A call whose body and answer pass as bytes, with only the model's name exchanged (moderation, audio,
// images). It goes the raw way or not at all.
struct Opaque {
  SharedArena arena;
  OpaqueTask task = OpaqueTask::moderation;
  std::string_view model{};
  bool is_streamed = false;  // events were asked for, as far as the body says
};

using Request = std::variant<Chat, CountTokens, Embed, Rerank, Opaque>;

std::string_view model_of(const Request& request);
Operation operation_of(const Request& request);
// `gen_ai.operation.name`: the operation's, or an opaque call's task.
std::string_view operation_name(const Request& request);
bool is_streamed(const Request& request);
// The chat of a Chat or CountTokens; nullptr for the others.
const Chat* chat_of(const Request& request);

// A form (multipart/form-data) that passes by on its way from the client to a provider: every byte as it
// came, but for the name of the model.
class ClientForm : public RequestBody {
 public:
  // As the client named it.
  virtual std::string_view model() const = 0;
  // What is sent in its place from the next start on.
  virtual void set_model(std::string_view model) = 0;
  // With the boundary.
  virtual std::string_view content_type() const = 0;
};

// What came in: the client's head and body, kept for the raw way. `body` is null for requests without a JSON
// body. REQUIRES that the request's line, which the views are of, outlives it.
struct ClientCall {
  Dialect dialect = Dialect::openai_chat;
  std::string_view method{};
  std::string_view path{};  // without the query
  std::string_view query{};
  std::string path_model{};  // the model that the path names, percent-decoded; empty: the body names it
  Headers headers;
  std::shared_ptr<const JsonDoc> body{};
  ClientForm* form = nullptr;  // in place of `body`; outlives the call
};

}  // namespace weir
