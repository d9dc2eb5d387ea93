// The built-in model takes any bytes: it ends, keeps to max_tokens and stop sequences, and its JSON is JSON.
#include <cstdlib>
#include <string_view>

#include "base/json.h"
#include "provider/extract_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir;
  if (size < 3) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 3, size - 3);
  const size_t first = text.size() * data[0] / 512;
  const size_t second = first + (text.size() - first) * data[1] / 256;
  ExtractRequest request{.instructions = std::string(text.substr(0, first)),
                         .context = std::string(text.substr(first, second - first)),
                         .question = std::string(text.substr(second))};
  request.format = static_cast<ExtractFormat>(data[2] % 3);
  if (request.format == ExtractFormat::json_schema) std::swap(request.json_schema, request.instructions);
  if (data[2] & 4) request.max_tokens = data[2] >> 3;
  if (data[2] & 8) request.stop_sequences = {"e", "."};
  const ExtractAnswer answer = extract(request);
  if (request.max_tokens && answer.output_tokens > *request.max_tokens) std::abort();
  const bool was_cut = answer.stop_reason != ExtractStop::end_turn;
  if (!was_cut && request.format != ExtractFormat::text && !JsonDoc::parse(answer.text)) std::abort();
  if (answer.stop_reason == ExtractStop::stop_sequence && answer.text.contains(answer.stop_sequence))
    std::abort();
  size_t joined = 0;
  for (const std::string_view chunk : stream_chunks(answer.text)) joined += chunk.size();
  if (joined != answer.text.size()) std::abort();
  return 0;
}
