// The schema of the answer in the form that a target takes, and answers to it turned back.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/schema_downlevel.h"
#include "codec/schema_restore.h"
#include "llm/codec.h"

namespace weir {

// For targets that want an object, and take all else.
inline constexpr SchemaRules kObjectRootRules{.wraps_root = true};

inline constexpr std::string_view kAnswerSchemaPointer = "/response_format/schema";

// Notes how to turn the answer's text back (notes.restores).
void note_restore(DownleveledSchema& made, CallNotes& notes);
// The schema as the rules want it. What is changed is reported, and how to turn the answer back is noted.
std::string answer_schema(std::string_view schema, const SchemaRules& rules, CallNotes& notes);

// What the notes say turned back: the call of a tool that stands for a schema (notes.json_tool) is the text,
// and text is what the client's schema says (notes.restores). The same events where they say nothing.
std::vector<Event> with_text_restored(std::vector<Event> events, const CallNotes& notes);
// The same for a stream.
std::unique_ptr<StreamDecoder> with_text_restored(std::unique_ptr<StreamDecoder> decoder,
                                                  const CallNotes& notes);

}  // namespace weir
