// InvokeModel bodies of Mistral's chat models: messages, images and tools.
#pragma once

#include "base/json.h"
#include "llm/codec.h"

namespace weir {

// The first models read one prompt instead. `id` is the model's base id.
bool is_mistral_chat(std::string_view id);
// The member `messages`; `instruction` stands behind the caller's own unless empty. Losses go to
// notes.fidelity. Errors: unsupported for what the form has no place for, bad_request.
Result<void> write_mistral_messages(JsonWriter& json, const Chat& chat, const Capabilities& capabilities,
                                    std::string_view instruction, CallNotes& notes);
// The members `tools` and `tool_choice`, if there are any. Errors: unsupported for tools that a vendor runs.
Result<void> write_mistral_tools(JsonWriter& json, const Chat& chat, CallNotes& notes);

}  // namespace weir
