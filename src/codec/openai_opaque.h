// OpenAI's endpoints whose bodies pass as bytes: moderations, audio, images. Only the model's name is read
// and exchanged; of the answer only the usage. (https://developers.openai.com/api/reference: Moderations,
// Audio, Images)
#pragma once

#include <memory>

#include "llm/codec.h"

namespace weir {

const ClientCodec& opaque_client(OpaqueTask task);
// The same as a plain function, for tables.
template <OpaqueTask kTask>
const ClientCodec& opaque_client() {
  return opaque_client(kTask);
}

// The provider half, for codecs whose servers have such endpoints. REQUIRES call.body, or call.form: that is
// sent by whoever sends the rest, under the model's new name.
EncodedCall splice_opaque(const ClientCall& call, const Opaque& opaque, const TargetModel& target);
// Reads along with an answer of any content type: the first bytes give a Payload without content, and at the
// end comes the usage that a JSON object or one of the events stated. It never fails on what it cannot read.
std::unique_ptr<StreamDecoder> make_opaque_meter(const CallNotes& notes);

}  // namespace weir
