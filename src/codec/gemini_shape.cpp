// What the decoder of Google's requests reads.
#include <array>

#include "codec/body_shape.h"
#include "codec/gemini_fields.h"

namespace weir {
namespace {

using Member = BodyMember;

const BodyShape* shape_of_part(JsonValue part);

constexpr std::array kDataMembers = {Member{"mimeType"}, Member{"data"}, Member{"fileUri"},
                                     Member{"displayName"}};
constexpr BodyShape kData{.members = kDataMembers};
constexpr std::array kCallMembers = {Member{"id"}, Member{"name"}, Member{"args"}};
constexpr BodyShape kCall{.members = kCallMembers};
constexpr std::array kResultMembers = {Member{"id"}, Member{"name"}, Member{"response"},
                                       Member{"parts", &shape_of_part}};
constexpr BodyShape kResult{.members = kResultMembers};

// Other vendors know two of its levels.
constexpr std::array kLevelMembers = {Member{"level"}};
constexpr BodyShape kLevel{.members = kLevelMembers};
constexpr BodyShape kNothing{.members = {}};
const BodyShape* shape_of_resolution(JsonValue resolution) {
  const std::string_view level = resolution["level"].string_or("");
  const bool is_read = level.ends_with("_LOW") || level.ends_with("_HIGH") || level.ends_with("_UNSPECIFIED");
  return is_read ? &kLevel : &kNothing;
}

constexpr std::array kPartMembers = {Member{"text"},
                                     Member{"thought"},
                                     Member{"thoughtSignature"},
                                     Member{"inlineData", &shape_of<kData>},
                                     Member{"fileData", &shape_of<kData>},
                                     Member{"functionCall", &shape_of<kCall>},
                                     Member{"functionResponse", &shape_of<kResult>},
                                     Member{"mediaResolution", &shape_of_resolution}};
constexpr BodyShape kPart{.members = kPartMembers};

// A part with none of these is carried whole, or not at all.
const BodyShape* shape_of_part(JsonValue part) {
  if (gemini_member(part, "videoMetadata")) return nullptr;
  for (const std::string_view key : {"text", "functionCall", "functionResponse", "inlineData", "fileData"}) {
    if (!gemini_member(part, key).is_absent()) return &kPart;
  }
  return nullptr;
}

constexpr std::array kContentMembers = {Member{"role"}, Member{"parts", &shape_of_part}};
constexpr BodyShape kContent{.members = kContentMembers};

constexpr std::array kFunctionMembers = {Member{"name"}, Member{"description"}, Member{"parameters"},
                                         Member{"parametersJsonSchema"}};
constexpr BodyShape kFunction{.members = kFunctionMembers};
constexpr std::array kToolMembers = {
    Member{.key = "functionDeclarations", .inside = &shape_of<kFunction>, .is_kept = true}};
constexpr BodyShape kTool{.members = kToolMembers, .is_open = true};
constexpr std::array kCallingMembers = {Member{"mode"}, Member{"allowedFunctionNames"}};
constexpr BodyShape kCalling{.members = kCallingMembers};
constexpr std::array kToolConfigMembers = {Member{"functionCallingConfig", &shape_of<kCalling>}};
constexpr BodyShape kToolConfig{.members = kToolConfigMembers, .is_open = true};

constexpr std::array kThinkingMembers = {Member{"thinkingBudget"}, Member{"thinkingLevel"},
                                         Member{"includeThoughts"}};
constexpr BodyShape kThinking{.members = kThinkingMembers};
constexpr std::array kConfigMembers = {Member{"thinkingConfig", &shape_of<kThinking>}};
constexpr BodyShape kConfig{.members = kConfigMembers, .is_open = true};

constexpr std::array kBodyMembers = {
    Member{"contents", &shape_of<kContent>}, Member{"systemInstruction", &shape_of<kContent>},
    Member{"tools", &shape_of<kTool>}, Member{"toolConfig", &shape_of<kToolConfig>},
    Member{"generationConfig", &shape_of<kConfig>}};

}  // namespace

constinit const BodyShape kGeminiShape{
    .members = kBodyMembers, .is_open = true, .dialect = Dialect::gemini, .is_camel = true};

}  // namespace weir
