#include "gateway/turn_keys.h"

#include <algorithm>

namespace weir {
namespace {

// Hashes texts so that no two lists of them look alike.
class Hasher {
 public:
  void add(std::string_view text) {
    number(text.size());
    hash_.update(text);
  }
  void number(size_t number) {
    const uint64_t fixed = number;
    hash_.update({reinterpret_cast<const char*>(&fixed), sizeof fixed});
  }
  Sha256Digest finish() { return hash_.finish(); }

 private:
  Sha256 hash_;
};

void add_blocks(Hasher& into, const std::vector<Block>& blocks);

struct BlockHasher {
  Hasher& into;

  void operator()(const TextBlock& block) const { into.add(block.text); }
  void operator()(const ImageBlock& block) const { media(block.media); }
  void operator()(const AudioBlock& block) const { media(block.media); }
  void operator()(const VideoBlock& block) const { media(block.media); }
  void operator()(const DocumentBlock& block) const {
    media(block.media);
    into.add(block.text);
    into.add(block.title);
    into.add(block.context);
  }
  void operator()(const ToolCallBlock& block) const {
    into.add(block.name);
    into.add(block.arguments);
  }
  void operator()(const ToolResultBlock& block) const {
    into.number(block.is_error ? 1 : 0);
    add_blocks(into, block.content);
  }
  void operator()(const ThinkingBlock&) const {}
  void operator()(const RedactedThinkingBlock&) const {}
  void operator()(const RefusalBlock& block) const { into.add(block.text); }
  void operator()(const UnknownBlock& block) const { into.add(block.raw.text); }

  void media(const Media& media) const {
    into.add(media.base64);
    into.add(media.url);
    into.add(media.file_id);
  }
};

bool is_thinking(const Block& block) {
  return std::holds_alternative<ThinkingBlock>(block.body) ||
         std::holds_alternative<RedactedThinkingBlock>(block.body);
}

void add_blocks(Hasher& into, const std::vector<Block>& blocks) {
  into.number(blocks.size() - static_cast<size_t>(std::ranges::count_if(blocks, &is_thinking)));
  for (const Block& block : blocks) {
    if (is_thinking(block)) continue;
    into.number(block.body.index());
    std::visit(BlockHasher{into}, block.body);
  }
}

const ToolCallBlock* call_in(const Block& block) {
  const auto* call = std::get_if<ToolCallBlock>(&block.body);
  return call && call->kind != ToolKind::server ? call : nullptr;
}

}  // namespace

TurnKeys::TurnKeys(std::span<const Message> messages) {
  heads_.reserve(messages.size() + 1);
  heads_.emplace_back();
  Hasher hasher;
  for (const Message& message : messages) {
    hasher.add(as_text(heads_.back()));
    hasher.number(static_cast<size_t>(message.role));
    add_blocks(hasher, message.content);
    heads_.push_back(hasher.finish());
  }
}

std::string TurnKeys::at(size_t messages, std::span<const std::string_view> tools) const {
  Hasher hasher;
  hasher.add(as_text(heads_.at(messages)));
  for (const std::string_view tool : tools) hasher.add(tool);
  const Sha256Digest digest = hasher.finish();
  return "said_" + sha256_hex(as_text(digest));
}

std::vector<std::string_view> called_tools(const Message& message) {
  std::vector<std::string_view> names;
  for (const Block& block : message.content) {
    if (const ToolCallBlock* call = call_in(block)) names.push_back(call->name);
  }
  return names;
}

bool lacks_call_ids(const Message& message) {
  return std::ranges::any_of(message.content, [](const Block& block) {
    const ToolCallBlock* call = call_in(block);
    return call && call->has_made_id;
  });
}

}  // namespace weir
