// Reranking: documents put into order by how well they answer a query. The shape that most vendors copied is
// Cohere's (https://docs.cohere.com/reference/rerank), so it is the client's, and rides with OpenAI's dialect
// upstream.
#pragma once

#include "llm/codec.h"

namespace weir {

const ClientCodec& rerank_client();  // POST /v1/rerank and /v2/rerank

// The provider half, for codecs whose servers rerank too. Errors: upstream_malformed.
void encode_rerank(const Rerank& rerank, const TargetModel& target, EncodedCall& call);
Result<std::vector<Event>> decode_rerank(const WireReply& reply);

}  // namespace weir
