#include "codec/file_ids.h"

#include <algorithm>
#include <fmt/core.h>

namespace weir {
namespace {

const Media* media_of(const Block& block) {
  if (const auto* image = std::get_if<ImageBlock>(&block.body)) return &image->media;
  if (const auto* document = std::get_if<DocumentBlock>(&block.body)) return &document->media;
  if (const auto* audio = std::get_if<AudioBlock>(&block.body)) return &audio->media;
  if (const auto* video = std::get_if<VideoBlock>(&block.body)) return &video->media;
  return nullptr;
}

Result<void> check(const std::vector<Block>& blocks, const std::string& path,
                   std::initializer_list<Dialect> stores) {
  for (size_t at = 0; at < blocks.size(); ++at) {
    const auto place = [&] { return fmt::format("{}[{}]", path, at); };
    if (const auto* result = std::get_if<ToolResultBlock>(&blocks[at].body))
      TRY(check(result->content, place() + ".content", stores));
    const Media* media = media_of(blocks[at]);
    if (!media || media->file_id.empty()) continue;
    if (std::ranges::find(stores, media->store) != stores.end()) continue;
    return fail(ErrorKind::unsupported,
                fmt::format("the file {} is stored by another provider than this model's, which cannot read "
                            "it: send its bytes",
                            media->file_id),
                place());
  }
  return {};
}

}  // namespace

Result<void> check_files(const Chat& chat, std::initializer_list<Dialect> stores) {
  for (size_t at = 0; at < chat.messages.size(); ++at)
    TRY(check(chat.messages[at].content, fmt::format("messages[{}].content", at), stores));
  return {};
}

}  // namespace weir
