// What the decoder of Bedrock's Converse requests reads.
#include <array>

#include "codec/body_shape.h"

namespace weir {
namespace {

using Member = BodyMember;

const BodyShape* shape_of_block(JsonValue block);

constexpr std::array kTextMembers = {Member{"text"}};
constexpr BodyShape kText{.members = kTextMembers};
constexpr std::array kWishMembers = {Member{"enabled"}};
constexpr BodyShape kWish{.members = kWishMembers};
constexpr std::array kSourceMembers = {Member{"bytes"}, Member{"text"}, Member{"s3Location"},
                                       Member{"content", &shape_of<kText>}};
constexpr BodyShape kSource{.members = kSourceMembers};
constexpr std::array kMediaMembers = {Member{"format"}, Member{"source", &shape_of<kSource>}, Member{"name"},
                                      Member{"context"}, Member{"citations", &shape_of<kWish>}};
constexpr BodyShape kMedia{.members = kMediaMembers};
constexpr std::array kCallMembers = {Member{"toolUseId"}, Member{"name"}, Member{"input"}, Member{"type"}};
constexpr BodyShape kCall{.members = kCallMembers};
constexpr std::array kResultMembers = {Member{"toolUseId"}, Member{"status"}, Member{"type"},
                                       Member{"content", &shape_of_block}};
constexpr BodyShape kResult{.members = kResultMembers};
constexpr std::array kThoughtMembers = {Member{"text"}, Member{"signature"}};
constexpr BodyShape kThought{.members = kThoughtMembers};
constexpr std::array kReasoningMembers = {Member{"reasoningText", &shape_of<kThought>},
                                          Member{"redactedContent"}};
constexpr BodyShape kReasoning{.members = kReasoningMembers};
constexpr std::array kPointMembers = {Member{"type"}, Member{"ttl"}};
constexpr BodyShape kPoint{.members = kPointMembers};

// Blocks of another kind are carried whole, or reported as such.
constexpr std::array kBlockMembers = {Member{"image", &shape_of<kMedia>},
                                      Member{"document", &shape_of<kMedia>},
                                      Member{"video", &shape_of<kMedia>},
                                      Member{"audio", &shape_of<kMedia>},
                                      Member{"toolUse", &shape_of<kCall>},
                                      Member{"toolResult", &shape_of<kResult>},
                                      Member{"reasoningContent", &shape_of<kReasoning>},
                                      Member{"cachePoint", &shape_of<kPoint>}};
constexpr BodyShape kBlock{.members = kBlockMembers, .is_open = true};

const BodyShape* shape_of_block(JsonValue) {
  return &kBlock;
}

constexpr std::array kMessageMembers = {Member{"role"}, Member{"content", &shape_of_block}};
constexpr BodyShape kMessage{.members = kMessageMembers};

constexpr std::array kInputMembers = {Member{"json"}};
constexpr BodyShape kInput{.members = kInputMembers};
constexpr std::array kSpecMembers = {Member{"name"}, Member{"description"}, Member{"strict"},
                                     Member{"inputSchema", &shape_of<kInput>}};
constexpr BodyShape kSpec{.members = kSpecMembers};
constexpr std::array kToolMembers = {Member{"toolSpec", &shape_of<kSpec>},
                                     Member{"cachePoint", &shape_of<kPoint>}};
constexpr BodyShape kTool{.members = kToolMembers, .is_open = true};
constexpr std::array kChosenMembers = {Member{"name"}};
constexpr BodyShape kChosen{.members = kChosenMembers};
constexpr std::array kChoiceMembers = {Member{"auto"}, Member{"any"}, Member{"tool", &shape_of<kChosen>}};
constexpr BodyShape kChoice{.members = kChoiceMembers};
constexpr std::array kToolConfigMembers = {Member{"tools", &shape_of<kTool>},
                                           Member{"toolChoice", &shape_of<kChoice>}};
constexpr BodyShape kToolConfig{.members = kToolConfigMembers};

constexpr std::array kSchemaMembers = {Member{"schema"}, Member{"name"}, Member{"description"}};
constexpr BodyShape kSchema{.members = kSchemaMembers};
constexpr std::array kStructureMembers = {Member{"jsonSchema", &shape_of<kSchema>}};
constexpr BodyShape kStructure{.members = kStructureMembers};
constexpr std::array kFormatMembers = {Member{"type"}, Member{"structure", &shape_of<kStructure>}};
constexpr BodyShape kFormat{.members = kFormatMembers};
constexpr std::array kOutputMembers = {Member{"textFormat", &shape_of<kFormat>}};
constexpr BodyShape kOutput{.members = kOutputMembers};
constexpr std::array kTierMembers = {Member{"type"}};
constexpr BodyShape kTier{.members = kTierMembers};

constexpr std::array kBodyMembers = {
    Member{"system", &shape_of_block}, Member{"messages", &shape_of<kMessage>},
    Member{"toolConfig", &shape_of<kToolConfig>}, Member{"outputConfig", &shape_of<kOutput>},
    Member{"serviceTier", &shape_of<kTier>}};

}  // namespace

constinit const BodyShape kConverseShape{
    .members = kBodyMembers, .is_open = true, .dialect = Dialect::bedrock_converse};

}  // namespace weir
